//! Adadelta.

use crate::builder::{not_negative, options, within};
use crate::optimizer::optimizer;
use crate::{Builder, FromOptions, IntoParamGroups, OptimizerCore, ParamGroup, fused};
use firebrick_core::backend::{AdadeltaRule, Rule};
use firebrick_core::{Result, Scalar, Value};

/// Adadelta: steps as large as the last ones, in units of the gradient.
///
/// ```text
/// g = g + weight_decay * p                       g = -g first, with maximize
/// v = rho * v + (1 - rho) * g^2
/// d = sqrt(u + eps) / sqrt(v + eps) * g
/// u = rho * u + (1 - rho) * d^2
/// p = p - lr * d
/// ```
/// Zeiler, *ADADELTA: An Adaptive Learning Rate Method*, arXiv:1212.5701 (2012).
///
/// Compared with PyTorch 2.15 (`foreach=False`), whose operations it runs in the same order in one pass.
///
/// ```
/// use firebrick::prelude::*;
/// let p = Parameter::new(Tensor::new([1.0f32])?);
/// let mut optimizer = optim::Adadelta::new([&p], 1.0).build()?;
/// p.set_grad(Some(&Tensor::new([2.0f32])?))?;
/// optimizer.step()?;
/// optimizer.step()?;
/// assert_eq!(p.to_vec::<f32>()?, [0.99359334]);
/// # Ok::<_, firebrick::Error>(())
/// ```
pub struct Adadelta {
    core: OptimizerCore,
}

impl Adadelta {
    /// PyTorch's learning rate unless told otherwise.
    pub const LR: f64 = 1.0;

    /// Options for `params`, at PyTorch's defaults, with the learning rate `lr`.
    ///
    /// ```
    /// use firebrick::prelude::*;
    /// let p = Parameter::new(Tensor::new([1.0f32])?);
    /// let mut optimizer = optim::Adadelta::new([&p], 1.0)
    ///     .rho(0.5)
    ///     .eps(1e-2)
    ///     .weight_decay(0.5)
    ///     .maximize(true)
    ///     .build()?;
    /// p.set_grad(Some(&Tensor::new([2.0f32])?))?;
    /// optimizer.step()?;
    /// optimizer.step()?;
    /// assert_eq!(p.to_vec::<f32>()?, [1.3005598]);
    /// # Ok::<_, firebrick::Error>(())
    /// ```
    #[allow(clippy::new_ret_no_self, reason = "options end in build()")]
    pub fn new(params: impl IntoParamGroups, lr: impl Into<Value>) -> Builder<Adadelta> {
        Builder::new(
            params,
            [
                ("lr", lr.into()),
                ("rho", 0.9.into()),
                ("eps", 1e-6.into()),
                ("weight_decay", 0.into()),
                ("maximize", false.into()),
                ("capturable", false.into()),
                ("foreach", Value::None),
                ("differentiable", false.into()),
            ],
        )
    }
}

options! { Adadelta => {
    /// How much of the running averages is kept at each step; 0.9 unless set.
    rho: Scalar;
    /// Added under both roots; 1e-6 unless set.
    eps: Scalar;
    /// Draws parameters towards zero by this times their value; 0 unless set.
    weight_decay: Scalar;
    /// Climbs instead of descending; off unless set.
    maximize: bool;
} }

impl FromOptions for Adadelta {
    fn check(options: &ParamGroup) -> Result<()> {
        not_negative(options, "lr", "learning rate")?;
        within(options, "rho", "rho value", |rho| (0.0..=1.0).contains(&rho))?;
        not_negative(options, "eps", "epsilon value")?;
        not_negative(options, "weight_decay", "weight_decay value")
    }

    fn from_core(core: OptimizerCore) -> Result<Self> {
        Ok(Adadelta { core })
    }
}

optimizer!(Adadelta, update);

fn update(core: &mut OptimizerCore) -> Result<()> {
    let read = |group: &ParamGroup| {
        Ok(AdadeltaRule {
            lr: group.number("lr")?,
            rho: group.number("rho")?,
            eps: group.number("eps")?,
            weight_decay: group.number("weight_decay")?,
            maximize: group.switch("maximize")?,
        })
    };
    fused::step(core, read, |&rule, slot| {
        slot.step()?;
        slot.buffer("square_avg", 0.0)?;
        slot.buffer("acc_delta", 0.0)?;
        Ok(Rule::Adadelta(rule))
    })
}
