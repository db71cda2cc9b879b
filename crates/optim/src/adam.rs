//! Adam and AdamW.

use crate::builder::{betas, not_negative, options};
use crate::optimizer::optimizer;
use crate::{Builder, FromOptions, IntoParamGroups, OptimizerCore, ParamGroup, fused};
use firebrick_core::backend::{AdamRule, Rule};
use firebrick_core::{Result, Scalar, Value};

/// Adam: steps scaled by running averages of the gradient and of its square.
///
/// For each parameter `p` with gradient `g`, at step `t` counted from 1:
/// ```text
/// g = g + weight_decay * p                          g = -g first, with maximize
/// m = beta1 * m + (1 - beta1) * g
/// v = beta2 * v + (1 - beta2) * g^2                 with amsgrad, the largest v so far is used below
/// p = p - lr / (1 - beta1^t) * m / (sqrt(v / (1 - beta2^t)) + eps)
/// ```
/// Kingma and Ba, *Adam: A Method for Stochastic Optimization*, ICLR 2015; amsgrad: Reddi et al., *On the Convergence
/// of Adam and Beyond*, ICLR 2018.
///
/// Compared with PyTorch 2.15 (`foreach=False`), whose operations it runs in the same order in one pass.
///
/// ```
/// use firebrick::prelude::*;
/// let p = Parameter::new(Tensor::new([1.0f32])?);
/// let mut optimizer = optim::Adam::new([&p], 1e-3).build()?;
/// p.set_grad(Some(&Tensor::new([2.0f32])?))?;
/// optimizer.step()?;
/// assert_eq!(p.to_vec::<f32>()?, [0.999]);
/// # Ok::<_, firebrick::Error>(())
/// ```
pub struct Adam {
    core: OptimizerCore,
}

/// Adam whose weight decay scales the parameters instead of joining the gradient: `p = p - lr * weight_decay * p`
/// comes first, and the rest is [`Adam`]'s.
///
/// Loshchilov and Hutter, *Decoupled Weight Decay Regularization*, ICLR 2019.
///
/// ```
/// use firebrick::prelude::*;
/// let p = Parameter::new(Tensor::new([1.0f32])?);
/// let mut optimizer = optim::AdamW::new([&p], 0.1).weight_decay(0.5).build()?;
/// p.set_grad(Some(&Tensor::new([0.0f32])?))?;
/// optimizer.step()?;
/// assert_eq!(p.to_vec::<f32>()?, [0.95]);
/// # Ok::<_, firebrick::Error>(())
/// ```
pub struct AdamW {
    core: OptimizerCore,
}

impl Adam {
    /// PyTorch's learning rate unless told otherwise.
    pub const LR: f64 = 0.001;

    /// Options for `params`, at the defaults: betas 0.9 and 0.999, eps 1e-8, no weight decay.
    ///
    /// ```
    /// use firebrick::prelude::*;
    /// let p = Parameter::new(Tensor::new([1.0f32])?);
    /// let mut optimizer = optim::Adam::new([&p], 0.1)
    ///     .betas((0.5, 0.9))
    ///     .eps(1e-3)
    ///     .weight_decay(0.5)
    ///     .amsgrad(true)
    ///     .maximize(true)
    ///     .decoupled_weight_decay(true)
    ///     .build()?;
    /// p.set_grad(Some(&Tensor::new([2.0f32])?))?;
    /// optimizer.step()?;
    /// optimizer.step()?;
    /// assert_eq!(p.to_vec::<f32>()?, [1.0974026]);
    /// # Ok::<_, firebrick::Error>(())
    /// ```
    #[allow(clippy::new_ret_no_self, reason = "options end in build()")]
    pub fn new(params: impl IntoParamGroups, lr: impl Into<Value>) -> Builder<Adam> {
        builder(params, lr.into(), 0.into(), false)
    }
}

impl AdamW {
    /// PyTorch's learning rate unless told otherwise.
    pub const LR: f64 = 0.001;

    /// Options for `params`, at the defaults: betas 0.9 and 0.999, eps 1e-8, weight decay 0.01.
    ///
    /// ```
    /// use firebrick::prelude::*;
    /// let p = Parameter::new(Tensor::new([1.0f32])?);
    /// let mut optimizer = optim::AdamW::new([&p], 0.1)
    ///     .betas((0.5, 0.9))
    ///     .eps(1e-3)
    ///     .weight_decay(0.5)
    ///     .amsgrad(true)
    ///     .maximize(true)
    ///     .decoupled_weight_decay(false)
    ///     .build()?;
    /// p.set_grad(Some(&Tensor::new([2.0f32])?))?;
    /// optimizer.step()?;
    /// optimizer.step()?;
    /// assert_eq!(p.to_vec::<f32>()?, [1.1993757]);
    /// # Ok::<_, firebrick::Error>(())
    /// ```
    #[allow(clippy::new_ret_no_self, reason = "options end in build()")]
    pub fn new(params: impl IntoParamGroups, lr: impl Into<Value>) -> Builder<AdamW> {
        builder(params, lr.into(), 0.01.into(), true)
    }
}

fn builder<O>(params: impl IntoParamGroups, lr: Value, weight_decay: Value, decoupled: bool) -> Builder<O> {
    Builder::new(
        params,
        [
            ("lr", lr),
            ("betas", (0.9, 0.999).into()),
            ("eps", 1e-8.into()),
            ("weight_decay", weight_decay),
            ("amsgrad", false.into()),
            ("maximize", false.into()),
            ("foreach", Value::None),
            ("capturable", false.into()),
            ("differentiable", false.into()),
            ("fused", Value::None),
            ("decoupled_weight_decay", decoupled.into()),
        ],
    )
}

options! { Adam, AdamW => {
    /// How much of the running averages of the gradient and of its square is kept at each step; 0.9 and 0.999 unless set.
    betas: (f64, f64);
    /// Added to the denominator; 1e-8 unless set.
    eps: Scalar;
    /// Draws parameters towards zero by this times their value; 0 in Adam and 0.01 in AdamW unless set.
    weight_decay: Scalar;
    /// Divides by the largest average of squares so far rather than the current one; off unless set.
    amsgrad: bool;
    /// Climbs instead of descending; off unless set.
    maximize: bool;
    /// Weight decay as in AdamW (`true`, its default) or as in Adam (`false`, its default).
    decoupled_weight_decay: bool;
} }

fn check(options: &ParamGroup) -> Result<()> {
    not_negative(options, "lr", "learning rate")?;
    not_negative(options, "eps", "epsilon value")?;
    betas(options)?;
    not_negative(options, "weight_decay", "weight_decay value")
}

impl FromOptions for Adam {
    fn check(options: &ParamGroup) -> Result<()> {
        check(options)
    }

    fn from_core(core: OptimizerCore) -> Result<Self> {
        Ok(Adam { core })
    }
}

impl FromOptions for AdamW {
    fn check(options: &ParamGroup) -> Result<()> {
        check(options)
    }

    fn from_core(core: OptimizerCore) -> Result<Self> {
        Ok(AdamW { core })
    }
}

optimizer!(Adam, update);
optimizer!(AdamW, update);

fn update(core: &mut OptimizerCore) -> Result<()> {
    let read = |group: &ParamGroup| {
        Ok(AdamRule {
            lr: group.number("lr")?,
            betas: group.pair("betas")?,
            eps: group.number("eps")?,
            weight_decay: group.number("weight_decay")?,
            decoupled: group.switch("decoupled_weight_decay")?,
            amsgrad: group.switch("amsgrad")?,
            maximize: group.switch("maximize")?,
            step: 0.0,
        })
    };
    fused::step(core, read, |&rule, slot| {
        let step = slot.step()?;
        slot.buffer("exp_avg", 0.0)?;
        slot.buffer("exp_avg_sq", 0.0)?;
        if rule.amsgrad {
            slot.buffer("max_exp_avg_sq", 0.0)?;
        }
        Ok(Rule::Adam(AdamRule { step, ..rule }))
    })
}
