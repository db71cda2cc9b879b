//! RAdam.

use crate::builder::{betas, not_negative, options};
use crate::optimizer::optimizer;
use crate::{Builder, FromOptions, IntoParamGroups, OptimizerCore, ParamGroup, fused};
use firebrick_core::backend::{RAdamRule, Rule};
use firebrick_core::{Result, Scalar, Value};

/// RAdam: Adam that begins with plain momentum until the average square is known well enough.
///
/// ```text
/// m, v as in Adam                                after weight decay, as in Adam or, decoupled, in AdamW
/// n = 2 / (1 - beta2) - 1                        the most steps that v can remember
/// r = n - 2 * t * beta2^t / (1 - beta2^t)        the steps that it remembers
/// p = p - lr * m / (1 - beta1^t)                 if r <= 5; otherwise times
///     sqrt((r - 4) (r - 2) n / ((n - 4) (n - 2) r)) * sqrt(1 - beta2^t) / (sqrt(v) + eps)
/// ```
/// Liu et al., *On the Variance of the Adaptive Learning Rate and Beyond*, ICLR 2020.
///
/// Compared with PyTorch 2.15 (`foreach=False`), whose operations it runs in the same order in one pass.
///
/// ```
/// use firebrick::prelude::*;
/// let p = Parameter::new(Tensor::new([1.0f32])?);
/// let mut optimizer = optim::RAdam::new([&p], 0.01).build()?;
/// p.set_grad(Some(&Tensor::new([2.0f32])?))?;
/// optimizer.step()?;
/// optimizer.step()?;
/// assert_eq!(p.to_vec::<f32>()?, [0.96000004]);
/// # Ok::<_, firebrick::Error>(())
/// ```
pub struct RAdam {
    core: OptimizerCore,
}

impl RAdam {
    /// PyTorch's learning rate unless told otherwise.
    pub const LR: f64 = 0.001;

    /// Options for `params`, at PyTorch's defaults, with the learning rate `lr`.
    ///
    /// ```
    /// use firebrick::prelude::*;
    /// let p = Parameter::new(Tensor::new([1.0f32])?);
    /// let mut optimizer = optim::RAdam::new([&p], 0.1)
    ///     .betas((0.5, 0.9))
    ///     .eps(1e-3)
    ///     .weight_decay(0.5)
    ///     .decoupled_weight_decay(true)
    ///     .maximize(true)
    ///     .build()?;
    /// p.set_grad(Some(&Tensor::new([2.0f32])?))?;
    /// for _ in 0..10 {
    ///     optimizer.step()?;
    /// }
    /// assert_eq!(p.to_vec::<f32>()?, [1.474899]);
    /// # Ok::<_, firebrick::Error>(())
    /// ```
    #[allow(clippy::new_ret_no_self, reason = "options end in build()")]
    pub fn new(params: impl IntoParamGroups, lr: impl Into<Value>) -> Builder<RAdam> {
        Builder::new(
            params,
            [
                ("lr", lr.into()),
                ("betas", (0.9, 0.999).into()),
                ("eps", 1e-8.into()),
                ("weight_decay", 0.into()),
                ("maximize", false.into()),
                ("foreach", Value::None),
                ("capturable", false.into()),
                ("decoupled_weight_decay", false.into()),
                ("differentiable", false.into()),
            ],
        )
    }
}

options! { RAdam => {
    /// How much of the running averages of the gradient and of its size is kept at each step; 0.9 and 0.999 unless set.
    betas: (f64, f64);
    /// Added to the denominator; 1e-8 unless set.
    eps: Scalar;
    /// Draws parameters towards zero by this times their value; 0 unless set.
    weight_decay: Scalar;
    /// Does weight decay scale the parameters, as in AdamW, rather than join the gradient? It does not unless set.
    decoupled_weight_decay: bool;
    /// Climbs instead of descending; off unless set.
    maximize: bool;
} }

impl FromOptions for RAdam {
    fn check(options: &ParamGroup) -> Result<()> {
        not_negative(options, "lr", "learning rate")?;
        not_negative(options, "eps", "epsilon value")?;
        betas(options)?;
        not_negative(options, "weight_decay", "weight_decay value")
    }

    fn from_core(core: OptimizerCore) -> Result<Self> {
        Ok(RAdam { core })
    }
}

optimizer!(RAdam, update);

fn update(core: &mut OptimizerCore) -> Result<()> {
    let read = |group: &ParamGroup| {
        Ok(RAdamRule {
            lr: group.number("lr")?,
            betas: group.pair("betas")?,
            eps: group.number("eps")?,
            weight_decay: group.number("weight_decay")?,
            decoupled: group.switch("decoupled_weight_decay")?,
            maximize: group.switch("maximize")?,
            correction1: 0.0,
            correction2: 0.0,
            rectification: None,
        })
    };
    fused::step(core, read, |&rule, slot| {
        let (step, (beta1, beta2)) = (slot.step()?, rule.betas);
        slot.buffer("exp_avg", 0.0)?;
        slot.buffer("exp_avg_sq", 0.0)?;
        let correction2 = 1.0 - beta2.powf(step);
        let most = 2.0 / (1.0 - beta2) - 1.0;
        let known = most - 2.0 * step * beta2.powf(step) / correction2;
        let ratio = || (known - 4.0) * (known - 2.0) * most / ((most - 4.0) * (most - 2.0) * known);
        let rectification = (known > 5.0).then(|| ratio().sqrt());
        let correction1 = 1.0 - beta1.powf(step);
        Ok(Rule::RAdam(RAdamRule { correction1, correction2, rectification, ..rule }))
    })
}
