//! Adafactor.

use crate::builder::options;
use crate::optimizer::optimizer;
use crate::optimizer_core::{buffer, refuse_complex};
use crate::{Builder, FromOptions, IntoParamGroups, OptimizerCore, ParamGroup, State, fused};
use firebrick_core::{DType, Error, Result, Scalar, Tensor, Value, autograd};

/// Adafactor: average squares of matrices kept as one factor for the rows and one for the columns, so that the state
/// is as small as the parameters' edges.
///
/// ```text
/// b = t^beta2_decay, rho = min(lr, 1 / sqrt(t)), alpha = max(eps2, RMS(p)) * rho
/// p = p - lr * weight_decay * p
/// r = (1 - b) * r + b * mean of g^2 in each row, c the same in each column
/// v = r c / mean(r)                              vectors: v = (1 - b) * v + b * g^2
/// u = g / max(sqrt(v), eps1)
/// p = p - alpha * u / max(1, RMS(u) / d)
/// ```
/// Shazeer and Stern, *Adafactor: Adaptive Learning Rates with Sublinear Memory Cost*, ICML 2018. Compared with
/// PyTorch 2.15 (`foreach=False`), in which eps1, unless it is given, is the precision of the dtype.
///
/// ```
/// use firebrick::prelude::*;
/// let p = Parameter::new(Tensor::new([[1.0f32, 2.0]])?);
/// let mut optimizer = optim::Adafactor::new([&p], 0.1).build()?;
/// p.set_grad(Some(&Tensor::new([[2.0f32, -1.0]])?))?;
/// optimizer.step()?;
/// assert_eq!(p.to_vec::<f32>()?, [0.8418861, 2.158114]);
/// # Ok::<_, firebrick::Error>(())
/// ```
pub struct Adafactor {
    core: OptimizerCore,
}

impl Adafactor {
    /// PyTorch's learning rate unless told otherwise.
    pub const LR: f64 = 0.01;

    /// Options for `params`, at PyTorch's defaults, with the learning rate `lr`.
    ///
    /// ```
    /// use firebrick::prelude::*;
    /// let p = Parameter::new(Tensor::new([[1.0f32, 2.0]])?);
    /// let mut optimizer = optim::Adafactor::new([&p], 0.1)
    ///     .beta2_decay(-0.5)
    ///     .eps(None, 1e-2)
    ///     .d(2.0)
    ///     .weight_decay(0.5)
    ///     .maximize(true)
    ///     .build()?;
    /// p.set_grad(Some(&Tensor::new([[2.0f32, -1.0]])?))?;
    /// optimizer.step()?;
    /// optimizer.step()?;
    /// assert_eq!(p.to_vec::<f32>()?, [1.198689, 1.508811]);
    /// # Ok::<_, firebrick::Error>(())
    /// ```
    #[allow(clippy::new_ret_no_self, reason = "options end in build()")]
    pub fn new(params: impl IntoParamGroups, lr: impl Into<Value>) -> Builder<Adafactor> {
        Builder::new(
            params,
            [
                ("lr", lr.into()),
                ("beta2_decay", (-0.8).into()),
                ("eps", Value::Tuple(vec![Value::None, 1e-3.into()])),
                ("d", 1.0.into()),
                ("weight_decay", 0.0.into()),
                ("foreach", Value::None),
                ("maximize", false.into()),
            ],
        )
    }
}

options! { Adafactor => {
    /// The power of the step by which the averages take up less and less; -0.8 unless set.
    beta2_decay: Scalar;
    /// Above which root mean square updates are scaled down; 1 unless set.
    d: Scalar;
    /// Draws parameters towards zero by this times their value; 0 unless set.
    weight_decay: Scalar;
    /// Climbs instead of descending; off unless set.
    maximize: bool;
} }

impl Builder<Adafactor> {
    /// The least root of an average square (`None`: the precision of the parameter's dtype), and the least size that a
    /// parameter is taken to have; `None` and 1e-3 unless set.
    pub fn eps(self, eps1: Option<f64>, eps2: f64) -> Self {
        self.set("eps", Value::Tuple(vec![eps1.map_or(Value::None, Value::from), eps2.into()]))
    }
}

/// The numbers of a group.
struct Numbers {
    lr: f64,
    beta2_decay: f64,
    eps1: Option<f64>,
    eps2: f64,
    d: f64,
    weight_decay: f64,
    maximize: bool,
}

fn read(group: &ParamGroup) -> Result<Numbers> {
    let (eps1, eps2) = match group.get("eps").and_then(Value::as_slice) {
        Some([eps1, eps2]) => (eps1.as_f64(), eps2.as_f64()),
        _ => (None, None),
    };
    Ok(Numbers {
        lr: group.number("lr")?,
        beta2_decay: group.number("beta2_decay")?,
        eps1,
        eps2: eps2.ok_or_else(|| Error::type_("step", "the option eps of a parameter group is not a pair"))?,
        d: group.number("d")?,
        weight_decay: group.number("weight_decay")?,
        maximize: group.switch("maximize")?,
    })
}

impl FromOptions for Adafactor {
    fn check(options: &ParamGroup) -> Result<()> {
        let numbers = read(options)?;
        let given = |name: &str| options.get(name).cloned().unwrap_or_default();
        let refuse = |text: String| Err(Error::value("Adafactor", text));
        match numbers {
            Numbers { lr, .. } if lr.is_nan() || lr < 0.0 => {
                refuse(format!("Learning rate should be >= 0 but is: {}", given("lr")))
            }
            Numbers { beta2_decay: decay, .. } if decay.is_nan() || decay > 0.0 => {
                refuse(format!("beta2_decay should be <= 0 but is: {}", given("beta2_decay")))
            }
            Numbers { eps1: Some(eps), .. } if eps.is_nan() || eps < 0.0 => {
                refuse(format!("epsilon1 should be >= 0 but is: {}", Value::from(eps)))
            }
            Numbers { eps2: eps, .. } if eps.is_nan() || eps < 0.0 => {
                refuse(format!("epsilon2 should be >= 0 but is: {}", Value::from(eps)))
            }
            Numbers { d, .. } if d.is_nan() || d < 1.0 => {
                refuse(format!("Clipping threshold d should be >= 1 but is: {}", given("d")))
            }
            Numbers { weight_decay: decay, .. } if decay.is_nan() || decay < 0.0 => {
                refuse(format!("weight_decay should be >= 0 but is: {}", given("weight_decay")))
            }
            _ => Ok(()),
        }
    }

    fn from_core(core: OptimizerCore) -> Result<Self> {
        Ok(Adafactor { core })
    }
}

optimizer!(Adafactor, update);

fn update(core: &mut OptimizerCore) -> Result<()> {
    let OptimizerCore { groups, state, .. } = core;
    refuse_complex("Adafactor", groups)?;
    autograd::no_grad(|| {
        for group in groups.iter() {
            let mut numbers = read(group)?;
            for param in &group.params {
                let Some(grad) = param.grad() else { continue };
                // As in PyTorch the first parameter's dtype counts for its group.
                numbers.eps1.get_or_insert_with(|| precision(param.dtype()));
                let grad = if numbers.maximize { grad.neg()? } else { grad };
                step(&numbers, state.entry(param.id()).or_default(), param, &grad)?;
            }
        }
        Ok(())
    })
}

/// The distance from 1 to the next number.
fn precision(dtype: DType) -> f64 {
    match dtype {
        DType::F64 => f64::EPSILON,
        DType::F16 => 2f64.powi(-10),
        DType::BF16 => 2f64.powi(-7),
        _ => f64::from(f32::EPSILON),
    }
}

fn step(numbers: &Numbers, state: &mut State, param: &Tensor, grad: &Tensor) -> Result<()> {
    let count = fused::number(state, "step", 0.0)?;
    let step = count.item::<f64>()? + 1.0;
    let (weight, eps1) = (step.powf(numbers.beta2_decay), numbers.eps1.unwrap_or(0.0));
    let square = match grad.dim() > 1 {
        true => factors(state, grad, weight, eps1)?,
        false => {
            let variance = buffer(state, "variance", grad, 0.0)?;
            variance.lerp_(&grad.mul(grad)?, weight)?;
            variance.copy()?
        }
    };
    let size = |x: &Tensor| Ok::<_, Error>(x.norm(2.0)?.item::<f64>()? / (x.numel() as f64).sqrt());
    let rate = size(param)?.max(numbers.eps2) * numbers.lr.min(1.0 / step.sqrt());
    if numbers.weight_decay != 0.0 {
        param.mul_(1.0 - numbers.lr * numbers.weight_decay)?;
    }
    let change = square.clamp_min(eps1 * eps1)?.rsqrt()?.mul(grad)?;
    let clipped = (size(&change)? / numbers.d).max(1.0);
    param.add_alpha_(&change, -rate / clipped)?;
    count.fill_(step).map(drop)
}

/// The average squares of a matrix, from its factors brought up to date.
fn factors(state: &mut State, grad: &Tensor, weight: f64, eps1: f64) -> Result<Tensor> {
    let mut average = |name: &str, dim: i64| {
        let mean = grad.norm_dim(2.0, dim, true)?.square()?.div(grad.size(dim)? as f64)?;
        let average = buffer(state, name, &mean, 0.0)?;
        average.lerp_(&mean, weight)?;
        Ok::<_, Error>(average)
    };
    let (rows, columns) = (average("row_var", -1)?, average("col_var", -2)?);
    rows.matmul(&columns)?.div(&rows.mean_dim(-2, true)?.clamp_min(eps1)?)
}
