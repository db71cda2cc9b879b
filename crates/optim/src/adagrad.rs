//! Adagrad.

use crate::builder::{not_negative, options};
use crate::optimizer::optimizer;
use crate::{Builder, FromOptions, IntoParamGroups, OptimizerCore, ParamGroup, fused};
use firebrick_core::backend::{AdagradRule, Rule};
use firebrick_core::{Result, Scalar, Value};

/// Adagrad: the gradient over the root of the sum of its squares so far.
///
/// ```text
/// g = g + weight_decay * p                       g = -g first, with maximize
/// s = s + g^2
/// p = p - lr / (1 + (t - 1) * lr_decay) * g / (sqrt(s) + eps)
/// ```
/// Duchi, Hazan and Singer, *Adaptive Subgradient Methods*, JMLR 12 (2011).
///
/// Compared with PyTorch 2.15 (`foreach=False`), whose operations it runs in the same order in one pass.
///
/// ```
/// use firebrick::prelude::*;
/// let p = Parameter::new(Tensor::new([1.0f32])?);
/// let mut optimizer = optim::Adagrad::new([&p], 0.1).build()?;
/// p.set_grad(Some(&Tensor::new([2.0f32])?))?;
/// optimizer.step()?;
/// optimizer.step()?;
/// assert_eq!(p.to_vec::<f32>()?, [0.8292893]);
/// # Ok::<_, firebrick::Error>(())
/// ```
pub struct Adagrad {
    core: OptimizerCore,
}

impl Adagrad {
    /// PyTorch's learning rate unless told otherwise.
    pub const LR: f64 = 0.01;

    /// Options for `params`, at PyTorch's defaults, with the learning rate `lr`.
    ///
    /// ```
    /// use firebrick::prelude::*;
    /// let p = Parameter::new(Tensor::new([1.0f32])?);
    /// let mut optimizer = optim::Adagrad::new([&p], 0.1)
    ///     .lr_decay(0.5)
    ///     .eps(1e-3)
    ///     .weight_decay(0.5)
    ///     .initial_accumulator_value(1.0)
    ///     .maximize(true)
    ///     .build()?;
    /// p.set_grad(Some(&Tensor::new([2.0f32])?))?;
    /// optimizer.step()?;
    /// optimizer.step()?;
    /// assert_eq!(p.to_vec::<f32>()?, [1.1250705]);
    /// # Ok::<_, firebrick::Error>(())
    /// ```
    #[allow(clippy::new_ret_no_self, reason = "options end in build()")]
    pub fn new(params: impl IntoParamGroups, lr: impl Into<Value>) -> Builder<Adagrad> {
        Builder::new(
            params,
            [
                ("lr", lr.into()),
                ("lr_decay", 0.into()),
                ("eps", 1e-10.into()),
                ("weight_decay", 0.into()),
                ("initial_accumulator_value", 0.into()),
                ("foreach", Value::None),
                ("maximize", false.into()),
                ("differentiable", false.into()),
                ("fused", Value::None),
            ],
        )
    }
}

options! { Adagrad => {
    /// How quickly the learning rate falls from step to step; 0 unless set.
    lr_decay: Scalar;
    /// Added to the denominator; 1e-10 unless set.
    eps: Scalar;
    /// Draws parameters towards zero by this times their value; 0 unless set.
    weight_decay: Scalar;
    /// What the sum of squares begins with; 0 unless set.
    initial_accumulator_value: Scalar;
    /// Climbs instead of descending; off unless set.
    maximize: bool;
} }

impl FromOptions for Adagrad {
    fn check(options: &ParamGroup) -> Result<()> {
        not_negative(options, "lr", "learning rate")?;
        not_negative(options, "lr_decay", "lr_decay value")?;
        not_negative(options, "weight_decay", "weight_decay value")?;
        not_negative(options, "initial_accumulator_value", "initial_accumulator_value value")?;
        not_negative(options, "eps", "epsilon value")
    }

    fn from_core(mut core: OptimizerCore) -> Result<Self> {
        // Unlike the others, Adagrad has its state from the beginning.
        let first = first_sum(&core);
        let params: Vec<_> = core.groups.iter().flat_map(|group| group.params.clone()).collect();
        params.iter().try_for_each(|param| fused::begin(core.state_mut(param), param, "sum", first))?;
        Ok(Adagrad { core })
    }
}

optimizer!(Adagrad, update);

/// The option of the optimizer, not of a group, as in PyTorch.
fn first_sum(core: &OptimizerCore) -> f64 {
    core.defaults.get("initial_accumulator_value").and_then(Value::as_f64).unwrap_or(0.0)
}

fn update(core: &mut OptimizerCore) -> Result<()> {
    let first = first_sum(core);
    let read = |group: &ParamGroup| {
        let rule = AdagradRule {
            lr: group.number("lr")?,
            eps: group.number("eps")?,
            weight_decay: group.number("weight_decay")?,
            maximize: group.switch("maximize")?,
        };
        Ok((rule, group.number("lr_decay")?))
    };
    fused::step(core, read, |&(rule, decay), slot| {
        let step = slot.step()?;
        slot.buffer("sum", first)?;
        Ok(Rule::Adagrad(AdagradRule { lr: rule.lr / (1.0 + (step - 1.0) * decay), ..rule }))
    })
}
