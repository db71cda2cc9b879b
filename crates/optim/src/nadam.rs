//! NAdam.

use crate::builder::{betas, not_negative, options};
use crate::optimizer::optimizer;
use crate::{Builder, FromOptions, IntoParamGroups, OptimizerCore, ParamGroup, fused};
use firebrick_core::backend::{NAdamRule, Rule};
use firebrick_core::{Result, Scalar, Value};

/// NAdam: Adam with Nesterov's look ahead.
///
/// ```text
/// mu(t) = beta1 * (1 - 0.96^(t * momentum_decay) / 2)
/// m = beta1 * m + (1 - beta1) * g                after weight decay, as in Adam or, decoupled, in AdamW
/// v = beta2 * v + (1 - beta2) * g^2
/// d = sqrt(v / (1 - beta2^t)) + eps
/// p = p - lr * (1 - mu(t)) / (1 - mu(1) .. mu(t)) * g / d
/// p = p - lr * mu(t + 1) / (1 - mu(1) .. mu(t + 1)) * m / d
/// ```
/// Dozat, *Incorporating Nesterov Momentum into Adam*, ICLR workshop 2016.
///
/// Compared with PyTorch 2.15 (`foreach=False`), whose operations it runs in the same order in one pass.
///
/// ```
/// use firebrick::prelude::*;
/// let p = Parameter::new(Tensor::new([1.0f32])?);
/// let mut optimizer = optim::NAdam::new([&p], 0.01).build()?;
/// p.set_grad(Some(&Tensor::new([2.0f32])?))?;
/// optimizer.step()?;
/// optimizer.step()?;
/// assert_eq!(p.to_vec::<f32>()?, [0.9815987]);
/// # Ok::<_, firebrick::Error>(())
/// ```
pub struct NAdam {
    core: OptimizerCore,
}

impl NAdam {
    /// PyTorch's learning rate unless told otherwise.
    pub const LR: f64 = 0.002;

    /// Options for `params`, at PyTorch's defaults, with the learning rate `lr`.
    ///
    /// ```
    /// use firebrick::prelude::*;
    /// let p = Parameter::new(Tensor::new([1.0f32])?);
    /// let mut optimizer = optim::NAdam::new([&p], 0.1)
    ///     .betas((0.5, 0.9))
    ///     .eps(1e-3)
    ///     .weight_decay(0.5)
    ///     .momentum_decay(0.1)
    ///     .decoupled_weight_decay(true)
    ///     .maximize(true)
    ///     .build()?;
    /// p.set_grad(Some(&Tensor::new([2.0f32])?))?;
    /// optimizer.step()?;
    /// optimizer.step()?;
    /// assert_eq!(p.to_vec::<f32>()?, [1.1093118]);
    /// # Ok::<_, firebrick::Error>(())
    /// ```
    #[allow(clippy::new_ret_no_self, reason = "options end in build()")]
    pub fn new(params: impl IntoParamGroups, lr: impl Into<Value>) -> Builder<NAdam> {
        Builder::new(
            params,
            [
                ("lr", lr.into()),
                ("betas", (0.9, 0.999).into()),
                ("eps", 1e-8.into()),
                ("weight_decay", 0.into()),
                ("momentum_decay", 4e-3.into()),
                ("decoupled_weight_decay", false.into()),
                ("maximize", false.into()),
                ("foreach", Value::None),
                ("capturable", false.into()),
                ("differentiable", false.into()),
            ],
        )
    }
}

options! { NAdam => {
    /// How much of the running averages of the gradient and of its size is kept at each step; 0.9 and 0.999 unless set.
    betas: (f64, f64);
    /// Added to the denominator; 1e-8 unless set.
    eps: Scalar;
    /// Draws parameters towards zero by this times their value; 0 unless set.
    weight_decay: Scalar;
    /// How quickly the momentum comes to its full value; 4e-3 unless set.
    momentum_decay: Scalar;
    /// Does weight decay scale the parameters, as in AdamW, rather than join the gradient? It does not unless set.
    decoupled_weight_decay: bool;
    /// Climbs instead of descending; off unless set.
    maximize: bool;
} }

impl FromOptions for NAdam {
    fn check(options: &ParamGroup) -> Result<()> {
        not_negative(options, "lr", "learning rate")?;
        not_negative(options, "eps", "epsilon value")?;
        betas(options)?;
        not_negative(options, "weight_decay", "weight_decay value")?;
        not_negative(options, "momentum_decay", "momentum_decay value")
    }

    fn from_core(core: OptimizerCore) -> Result<Self> {
        Ok(NAdam { core })
    }
}

optimizer!(NAdam, update);

fn update(core: &mut OptimizerCore) -> Result<()> {
    let read = |group: &ParamGroup| {
        let rule = NAdamRule {
            lr: group.number("lr")?,
            betas: group.pair("betas")?,
            eps: group.number("eps")?,
            weight_decay: group.number("weight_decay")?,
            decoupled: group.switch("decoupled_weight_decay")?,
            maximize: group.switch("maximize")?,
            correction: 0.0,
            grad_rate: 0.0,
            average_rate: 0.0,
        };
        Ok((rule, group.number("momentum_decay")?))
    };
    fused::step(core, read, |&(rule, decay), slot| {
        let (step, (beta1, beta2)) = (slot.step()?, rule.betas);
        let momentum = |step: f64| beta1 * (1.0 - 0.5 * 0.96_f64.powf(step * decay));
        let (now, next) = (momentum(step), momentum(step + 1.0));
        let product = slot.scale_number("mu_product", 1.0, now)?;
        slot.buffer("exp_avg", 0.0)?;
        slot.buffer("exp_avg_sq", 0.0)?;
        Ok(Rule::NAdam(NAdamRule {
            correction: 1.0 - beta2.powf(step),
            grad_rate: -rule.lr * (1.0 - now) / (1.0 - product),
            average_rate: -rule.lr * next / (1.0 - product * next),
            ..rule
        }))
    })
}
