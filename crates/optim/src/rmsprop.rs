//! RMSprop.

use crate::builder::{not_negative, options};
use crate::optimizer::optimizer;
use crate::{Builder, FromOptions, IntoParamGroups, OptimizerCore, ParamGroup, fused};
use firebrick_core::backend::{RmsPropRule, Rule};
use firebrick_core::{Result, Scalar, Value};

/// RMSprop: the gradient over the root of its running average of squares.
///
/// ```text
/// g = g + weight_decay * p                       g = -g first, with maximize
/// v = alpha * v + (1 - alpha) * g^2
/// d = sqrt(v) + eps                              with centered: sqrt(v - a^2) + eps, a the average of g
/// p = p - lr * g / d                             with momentum: b = momentum * b + g / d, p = p - lr * b
/// ```
/// Hinton, *Neural Networks for Machine Learning*, lecture 6 (2012); centered: Graves, arXiv:1308.0850 (2013).
///
/// Compared with PyTorch 2.15 (`foreach=False`), whose operations it runs in the same order in one pass.
///
/// ```
/// use firebrick::prelude::*;
/// let p = Parameter::new(Tensor::new([1.0f32])?);
/// let mut optimizer = optim::RMSprop::new([&p], 0.01).momentum(0.9).build()?;
/// p.set_grad(Some(&Tensor::new([2.0f32])?))?;
/// optimizer.step()?;
/// optimizer.step()?;
/// assert_eq!(p.to_vec::<f32>()?, [0.7391119]);
/// # Ok::<_, firebrick::Error>(())
/// ```
pub struct RMSprop {
    core: OptimizerCore,
}

impl RMSprop {
    /// PyTorch's learning rate unless told otherwise.
    pub const LR: f64 = 0.01;

    /// Options for `params`, at PyTorch's defaults, with the learning rate `lr`.
    ///
    /// ```
    /// use firebrick::prelude::*;
    /// let p = Parameter::new(Tensor::new([1.0f32])?);
    /// let mut optimizer = optim::RMSprop::new([&p], 0.1)
    ///     .momentum(0.9)
    ///     .alpha(0.5)
    ///     .eps(1e-3)
    ///     .centered(true)
    ///     .weight_decay(0.5)
    ///     .maximize(true)
    ///     .build()?;
    /// p.set_grad(Some(&Tensor::new([2.0f32])?))?;
    /// optimizer.step()?;
    /// optimizer.step()?;
    /// assert_eq!(p.to_vec::<f32>()?, [1.6042246]);
    /// # Ok::<_, firebrick::Error>(())
    /// ```
    #[allow(clippy::new_ret_no_self, reason = "options end in build()")]
    pub fn new(params: impl IntoParamGroups, lr: impl Into<Value>) -> Builder<RMSprop> {
        Builder::new(
            params,
            [
                ("lr", lr.into()),
                ("momentum", 0.into()),
                ("alpha", 0.99.into()),
                ("eps", 1e-8.into()),
                ("centered", false.into()),
                ("weight_decay", 0.into()),
                ("capturable", false.into()),
                ("foreach", Value::None),
                ("maximize", false.into()),
                ("differentiable", false.into()),
            ],
        )
    }
}

options! { RMSprop => {
    /// How much of the last steps is kept; 0 unless set.
    momentum: Scalar;
    /// How much of the running averages is kept at each step; 0.99 unless set.
    alpha: Scalar;
    /// Added to the denominator; 1e-8 unless set.
    eps: Scalar;
    /// Divides by the deviation from the average gradient rather than by the root of squares; off unless set.
    centered: bool;
    /// Draws parameters towards zero by this times their value; 0 unless set.
    weight_decay: Scalar;
    /// Climbs instead of descending; off unless set.
    maximize: bool;
} }

impl FromOptions for RMSprop {
    fn check(options: &ParamGroup) -> Result<()> {
        not_negative(options, "lr", "learning rate")?;
        not_negative(options, "eps", "epsilon value")?;
        not_negative(options, "momentum", "momentum value")?;
        not_negative(options, "weight_decay", "weight_decay value")?;
        not_negative(options, "alpha", "alpha value")
    }

    fn from_core(core: OptimizerCore) -> Result<Self> {
        Ok(RMSprop { core })
    }
}

optimizer!(RMSprop, update);

fn update(core: &mut OptimizerCore) -> Result<()> {
    let read = |group: &ParamGroup| {
        Ok(RmsPropRule {
            lr: group.number("lr")?,
            alpha: group.number("alpha")?,
            eps: group.number("eps")?,
            weight_decay: group.number("weight_decay")?,
            momentum: group.number("momentum")?,
            centered: group.switch("centered")?,
            maximize: group.switch("maximize")?,
        })
    };
    fused::step(core, read, |&rule, slot| {
        slot.step()?;
        slot.buffer("square_avg", 0.0)?;
        if rule.momentum > 0.0 {
            slot.buffer("momentum_buffer", 0.0)?;
        }
        if rule.centered {
            slot.buffer("grad_avg", 0.0)?;
        }
        Ok(Rule::RmsProp(rule))
    })
}
