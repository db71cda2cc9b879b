//! Muon.

use crate::builder::options;
use crate::optimizer::optimizer;
use crate::optimizer_core::{buffer, refuse_complex};
use crate::{Builder, FromOptions, IntoParamGroups, OptimizerCore, ParamGroup, State};
use firebrick_core::{DType, Error, Result, Scalar, Tensor, Value, autograd};

const OP: &str = "Muon";

/// Muon: momentum made orthogonal, for the matrices of hidden layers.
///
/// ```text
/// b = momentum * b + (1 - momentum) * g
/// u = (1 - momentum) * g + momentum * b          without nesterov: u = b
/// o = the orthogonal matrix near u, by ns_steps of Newton and Schulz in bfloat16
/// p = p - lr * weight_decay * p - lr * adjust * o
/// ```
/// `adjust` for a matrix of `m` rows and `n` columns: `sqrt(max(1, m / n))` ("original", the default),
/// `0.2 sqrt(max(m, n))` ("match_rms_adamw"), `sqrt(m / n)` ("spectral_unclamped").
///
/// Jordan et al., *Muon: An optimizer for hidden layers in neural networks* (2024). Compared with PyTorch 2.15.
///
/// ```
/// use firebrick::prelude::*;
/// let p = Parameter::new(Tensor::new([[1.0f32, 0.0], [0.0, 1.0]])?);
/// let mut optimizer = optim::Muon::new([&p], 0.1).weight_decay(0.0).build()?;
/// p.set_grad(Some(&Tensor::new([[3.0f32, 0.0], [0.0, -3.0]])?))?;
/// optimizer.step()?;
/// assert_eq!(p.to_vec::<f32>()?, [0.8875, 0.0, 0.0, 1.1125]);
/// # Ok::<_, firebrick::Error>(())
/// ```
pub struct Muon {
    core: OptimizerCore,
}

impl Muon {
    /// PyTorch's learning rate unless told otherwise.
    pub const LR: f64 = 0.001;

    /// Options for `params`, at PyTorch's defaults, with the learning rate `lr`.
    ///
    /// ```
    /// use firebrick::prelude::*;
    /// let p = Parameter::new(Tensor::new([[1.0f32, 0.0], [0.0, 1.0]])?);
    /// let mut optimizer = optim::Muon::new([&p], 0.1)
    ///     .weight_decay(0.5)
    ///     .momentum(0.5)
    ///     .nesterov(false)
    ///     .ns_coefficients((3.0, -4.0, 2.0))
    ///     .eps(1e-5)
    ///     .ns_steps(2)
    ///     .adjust_lr_fn("match_rms_adamw")
    ///     .build()?;
    /// p.set_grad(Some(&Tensor::new([[3.0f32, 0.0], [0.0, -3.0]])?))?;
    /// optimizer.step()?;
    /// assert_eq!(p.to_vec::<f32>()?, [0.91906404, 0.0, 0.0, 0.98093593]);
    /// # Ok::<_, firebrick::Error>(())
    /// ```
    #[allow(clippy::new_ret_no_self, reason = "options end in build()")]
    pub fn new(params: impl IntoParamGroups, lr: impl Into<Value>) -> Builder<Muon> {
        Builder::new(
            params,
            [
                ("lr", lr.into()),
                ("weight_decay", 0.1.into()),
                ("momentum", 0.95.into()),
                ("nesterov", true.into()),
                ("ns_coefficients", Value::Tuple([3.4445, -4.775, 2.0315].map(Value::from).to_vec())),
                ("eps", 1e-7.into()),
                ("ns_steps", 5.into()),
                ("adjust_lr_fn", Value::None),
            ],
        )
    }
}

options! { Muon => {
    /// Draws parameters towards zero by this times their value; 0.1 unless set.
    weight_decay: Scalar;
    /// How much of the running average is kept at each step; 0.95 unless set.
    momentum: Scalar;
    /// Nesterov's momentum, which looks a step ahead; on unless set.
    nesterov: bool;
    /// The least norm that the momentum is divided by; 1e-7 unless set.
    eps: Scalar;
    /// Steps towards the orthogonal matrix; fewer than 100, and 5 unless set.
    ns_steps: i64;
} }

impl Builder<Muon> {
    /// The polynomial `a x + b x^3 + c x^5` of Newton and Schulz; 3.4445, -4.775 and 2.0315 unless set.
    pub fn ns_coefficients(self, coefficients: (f64, f64, f64)) -> Self {
        let (a, b, c) = coefficients;
        self.set("ns_coefficients", Value::Tuple(vec![a.into(), b.into(), c.into()]))
    }

    /// How the learning rate follows the shape: "original" (unless set), "match_rms_adamw" or "spectral_unclamped".
    pub fn adjust_lr_fn(self, name: impl AsRef<str>) -> Self {
        self.set("adjust_lr_fn", name.as_ref())
    }
}

impl FromOptions for Muon {
    fn check(options: &ParamGroup) -> Result<()> {
        let checks = [
            ("lr", "Learning rate should be >= 0 but is: "),
            ("momentum", "momentum should be >= 0 but is: "),
            ("weight_decay", "weight decay should be >= 0 but is: "),
        ];
        for (name, text) in checks {
            let value = options.number(name)?;
            if value.is_nan() || value < 0.0 {
                let value = options.get(name).cloned().unwrap_or_default();
                return Err(Error::value(OP, format!("{text}{value}")));
            }
        }
        match options.get("adjust_lr_fn").and_then(Value::as_str) {
            None | Some("original" | "match_rms_adamw" | "spectral_unclamped") => Ok(()),
            Some(other) => Err(Error::value(OP, format!("Adjust learning rate function {other} is not supported"))),
        }
    }

    fn from_core(core: OptimizerCore) -> Result<Self> {
        match core.groups.iter().flat_map(|group| &group.params).find(|param| param.dim() != 2) {
            None => Ok(Muon { core }),
            Some(param) => {
                let size: Vec<usize> = param.shape().iter().copied().collect();
                let text = "Muon only supports 2D parameters whereas we found a parameter with size:";
                Err(Error::value(OP, format!("{text} torch.Size({size:?})"))
                    .remedy("give the matrices of hidden layers to Muon and the rest to another optimizer"))
            }
        }
    }
}

optimizer!(Muon, update);

/// The numbers of a group.
struct Numbers<'a> {
    lr: f64,
    weight_decay: f64,
    momentum: f64,
    nesterov: bool,
    coefficients: [f64; 3],
    eps: f64,
    steps: usize,
    adjust: Option<&'a str>,
}

fn read(group: &ParamGroup) -> Result<Numbers<'_>> {
    let steps = group.number("ns_steps")?;
    if steps >= 100.0 {
        return Err(Error::value(OP, "Number of steps must be less than 100 for computational efficiency"));
    }
    let coefficients = group.get("ns_coefficients").and_then(Value::as_slice).unwrap_or_default();
    let coefficients: Option<Vec<f64>> = coefficients.iter().map(Value::as_f64).collect();
    let coefficients = coefficients.and_then(|list| <[f64; 3]>::try_from(list).ok());
    Ok(Numbers {
        lr: group.number("lr")?,
        weight_decay: group.number("weight_decay")?,
        momentum: group.number("momentum")?,
        nesterov: group.switch("nesterov")?,
        coefficients: coefficients
            .ok_or_else(|| Error::value(OP, "Coefficients must be a tuple of exactly 3 values"))?,
        eps: group.number("eps")?,
        steps: steps as usize,
        adjust: group.get("adjust_lr_fn").and_then(Value::as_str),
    })
}

fn update(core: &mut OptimizerCore) -> Result<()> {
    let OptimizerCore { groups, state, .. } = core;
    refuse_complex("Muon", groups)?;
    autograd::no_grad(|| {
        for group in groups.iter() {
            let numbers = read(group)?;
            for param in &group.params {
                let Some(grad) = param.grad() else { continue };
                step(&numbers, state.entry(param.id()).or_default(), param, &grad)?;
            }
        }
        Ok(())
    })
}

fn step(numbers: &Numbers<'_>, state: &mut State, param: &Tensor, grad: &Tensor) -> Result<()> {
    if grad.dim() != 2 {
        return Err(Error::value(OP, "Param gradient must be a 2D matrix"));
    }
    let average = buffer(state, "momentum_buffer", grad, 0.0)?;
    average.lerp_(grad, 1.0 - numbers.momentum)?;
    let direction = if numbers.nesterov { grad.lerp(&average, numbers.momentum)? } else { average };
    let direction = orthogonal(numbers, &direction)?;
    let (rows, columns) = (param.size(0)? as f64, param.size(1)? as f64);
    let adjust = match numbers.adjust {
        None | Some("original") => (rows / columns).max(1.0).sqrt(),
        Some("match_rms_adamw") => 0.2 * rows.max(columns).sqrt(),
        Some("spectral_unclamped") => (rows / columns).sqrt(),
        Some(_) => 1.0,
    };
    param.mul_(1.0 - numbers.lr * numbers.weight_decay)?;
    param.add_alpha_(&direction, -numbers.lr * adjust).map(drop)
}

/// A matrix with the directions of `x` and singular values near 1, of which the wide form is the cheaper one.
fn orthogonal(numbers: &Numbers<'_>, x: &Tensor) -> Result<Tensor> {
    let [a, b, c] = numbers.coefficients;
    let tall = x.size(0)? > x.size(1)?;
    let mut x = x.to(DType::BF16)?;
    if tall {
        x = x.t()?;
    }
    x = x.div(&x.norm(2.0)?.clamp_min(numbers.eps)?)?;
    for _ in 0..numbers.steps {
        let gram = x.mm(&x.t()?)?;
        let change = gram.addmm(&gram, &gram, b, c)?;
        x = x.addmm(&change, &x, a, 1.0)?;
    }
    if tall { x.t() } else { Ok(x) }
}
