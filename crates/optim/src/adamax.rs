//! Adamax.

use crate::builder::{betas, not_negative, options};
use crate::optimizer::optimizer;
use crate::{Builder, FromOptions, IntoParamGroups, OptimizerCore, ParamGroup, fused};
use firebrick_core::backend::{AdamaxRule, Rule};
use firebrick_core::{Result, Scalar, Value};

/// Adamax: Adam with the largest gradient, forgotten slowly, in the place of the average square.
///
/// ```text
/// g = g + weight_decay * p                       g = -g first, with maximize
/// m = beta1 * m + (1 - beta1) * g
/// u = max(beta2 * u, |g| + eps)
/// p = p - lr / (1 - beta1^t) * m / u
/// ```
/// Kingma and Ba, *Adam: A Method for Stochastic Optimization*, ICLR 2015, section 7.1.
///
/// Compared with PyTorch 2.15 (`foreach=False`), whose operations it runs in the same order in one pass.
///
/// ```
/// use firebrick::prelude::*;
/// let p = Parameter::new(Tensor::new([1.0f32])?);
/// let mut optimizer = optim::Adamax::new([&p], 0.01).build()?;
/// p.set_grad(Some(&Tensor::new([2.0f32])?))?;
/// optimizer.step()?;
/// optimizer.step()?;
/// assert_eq!(p.to_vec::<f32>()?, [0.98]);
/// # Ok::<_, firebrick::Error>(())
/// ```
pub struct Adamax {
    core: OptimizerCore,
}

impl Adamax {
    /// PyTorch's learning rate unless told otherwise.
    pub const LR: f64 = 0.002;

    /// Options for `params`, at PyTorch's defaults, with the learning rate `lr`.
    ///
    /// ```
    /// use firebrick::prelude::*;
    /// let p = Parameter::new(Tensor::new([1.0f32])?);
    /// let mut optimizer = optim::Adamax::new([&p], 0.1)
    ///     .betas((0.5, 0.9))
    ///     .eps(1e-3)
    ///     .weight_decay(0.5)
    ///     .maximize(true)
    ///     .build()?;
    /// p.set_grad(Some(&Tensor::new([2.0f32])?))?;
    /// optimizer.step()?;
    /// optimizer.step()?;
    /// assert_eq!(p.to_vec::<f32>()?, [1.2010123]);
    /// # Ok::<_, firebrick::Error>(())
    /// ```
    #[allow(clippy::new_ret_no_self, reason = "options end in build()")]
    pub fn new(params: impl IntoParamGroups, lr: impl Into<Value>) -> Builder<Adamax> {
        Builder::new(
            params,
            [
                ("lr", lr.into()),
                ("betas", (0.9, 0.999).into()),
                ("eps", 1e-8.into()),
                ("weight_decay", 0.into()),
                ("foreach", Value::None),
                ("maximize", false.into()),
                ("differentiable", false.into()),
                ("capturable", false.into()),
            ],
        )
    }
}

options! { Adamax => {
    /// How much of the running averages of the gradient and of its size is kept at each step; 0.9 and 0.999 unless set.
    betas: (f64, f64);
    /// Added to the gradient's size; 1e-8 unless set.
    eps: Scalar;
    /// Draws parameters towards zero by this times their value; 0 unless set.
    weight_decay: Scalar;
    /// Climbs instead of descending; off unless set.
    maximize: bool;
} }

impl FromOptions for Adamax {
    fn check(options: &ParamGroup) -> Result<()> {
        not_negative(options, "lr", "learning rate")?;
        not_negative(options, "eps", "epsilon value")?;
        betas(options)?;
        not_negative(options, "weight_decay", "weight_decay value")
    }

    fn from_core(core: OptimizerCore) -> Result<Self> {
        Ok(Adamax { core })
    }
}

optimizer!(Adamax, update);

fn update(core: &mut OptimizerCore) -> Result<()> {
    let read = |group: &ParamGroup| {
        Ok(AdamaxRule {
            lr: group.number("lr")?,
            betas: group.pair("betas")?,
            eps: group.number("eps")?,
            weight_decay: group.number("weight_decay")?,
            maximize: group.switch("maximize")?,
        })
    };
    fused::step(core, read, |&rule, slot| {
        let step = slot.step()?;
        slot.buffer("exp_avg", 0.0)?;
        slot.buffer("exp_inf", 0.0)?;
        Ok(Rule::Adamax(AdamaxRule { lr: rule.lr / (1.0 - rule.betas.0.powf(step)), ..rule }))
    })
}
