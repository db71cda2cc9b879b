//! Stochastic gradient descent.

use crate::builder::{invalid, options};
use crate::optimizer::optimizer;
use crate::{Builder, FromOptions, IntoParamGroups, OptimizerCore, ParamGroup, fused};
use firebrick_core::backend::{Rule, SgdRule};
use firebrick_core::{Error, Result, Scalar, Value};

/// Stochastic gradient descent, with momentum and weight decay where asked for.
///
/// For each parameter `p` with gradient `g`:
/// ```text
/// g = g + weight_decay * p                    g = -g first, with maximize
/// b = momentum * b + (1 - dampening) * g      the first time: b = g
/// g = g + momentum * b                        with nesterov; else g = b
/// p = p - lr * g
/// ```
/// Sutskever et al., *On the importance of initialization and momentum in deep learning*, ICML 2013.
///
/// Compared with PyTorch 2.15 (`foreach=False`), whose operations it runs in the same order in one pass.
///
/// ```
/// use firebrick::prelude::*;
/// let p = Parameter::new(Tensor::new([1.0f32])?);
/// let mut optimizer = optim::SGD::new([&p], 0.1).momentum(0.9).build()?;
/// p.set_grad(Some(&Tensor::new([2.0f32])?))?;
/// optimizer.step()?;
/// optimizer.step()?;
/// assert_eq!(p.to_vec::<f32>()?, [0.42000002]);
/// # Ok::<_, firebrick::Error>(())
/// ```
pub struct SGD {
    core: OptimizerCore,
}

impl SGD {
    /// PyTorch's learning rate unless told otherwise.
    pub const LR: f64 = 0.001;

    /// Options for `params`, at the defaults: plain gradient descent with the learning rate `lr`.
    ///
    /// ```
    /// use firebrick::prelude::*;
    /// let (p, q) = (Parameter::new(Tensor::new([1.0f32])?), Parameter::new(Tensor::new([1.0f32])?));
    /// let damped = optim::SGD::new([&p], 0.1).momentum(0.9).dampening(0.5).weight_decay(0.5).maximize(true);
    /// let ahead = optim::SGD::new([&q], 0.1).momentum(0.9).nesterov(true).weight_decay(0.5);
    /// let (mut damped, mut ahead) = (damped.build()?, ahead.build()?);
    /// p.set_grad(Some(&Tensor::new([2.0f32])?))?;
    /// q.set_grad(Some(&Tensor::new([2.0f32])?))?;
    /// for _ in 0..2 {
    ///     damped.step()?;
    ///     ahead.step()?;
    /// }
    /// assert_eq!((p.item::<f32>()?, q.item::<f32>()?), (1.3562499, -0.10737499));
    /// # Ok::<_, firebrick::Error>(())
    /// ```
    #[allow(clippy::new_ret_no_self, reason = "options end in build()")]
    pub fn new(params: impl IntoParamGroups, lr: impl Into<Value>) -> Builder<SGD> {
        Builder::new(
            params,
            [
                ("lr", lr.into()),
                ("momentum", 0.into()),
                ("dampening", 0.into()),
                ("weight_decay", 0.into()),
                ("nesterov", false.into()),
                ("maximize", false.into()),
                ("foreach", Value::None),
                ("differentiable", false.into()),
                ("fused", Value::None),
            ],
        )
    }
}

options! { SGD => {
    /// How much of the last steps is kept; 0 unless set.
    momentum: Scalar;
    /// How much less the gradient counts beside the momentum; 0 unless set.
    dampening: Scalar;
    /// Draws parameters towards zero by this times their value; 0 unless set.
    weight_decay: Scalar;
    /// Nesterov's momentum, which looks a step ahead; off unless set. It needs a momentum and no dampening.
    nesterov: bool;
    /// Climbs instead of descending; off unless set.
    maximize: bool;
} }

impl FromOptions for SGD {
    fn check(options: &ParamGroup) -> Result<()> {
        // NaN passes, as in PyTorch.
        let negative = |name: &str, what: &str| match options.number(name)? < 0.0 {
            true => Err(invalid(what, options.get(name).cloned().unwrap_or_default())),
            false => Ok(()),
        };
        negative("lr", "learning rate")?;
        negative("momentum", "momentum value")?;
        negative("weight_decay", "weight_decay value")?;
        let plain = options.number("momentum")? <= 0.0 || options.number("dampening")? != 0.0;
        if options.switch("nesterov")? && plain {
            return Err(Error::value("SGD", "Nesterov momentum requires a momentum and zero dampening"));
        }
        Ok(())
    }

    fn from_core(core: OptimizerCore) -> Result<Self> {
        Ok(SGD { core })
    }
}

optimizer!(SGD, update);

fn update(core: &mut OptimizerCore) -> Result<()> {
    let read = |group: &ParamGroup| {
        Ok(SgdRule {
            lr: group.number("lr")?,
            momentum: group.number("momentum")?,
            dampening: group.number("dampening")?,
            weight_decay: group.number("weight_decay")?,
            nesterov: group.switch("nesterov")?,
            maximize: group.switch("maximize")?,
            first: false,
        })
    };
    fused::step(core, read, |&rule, slot| {
        let first = !slot.has("momentum_buffer");
        if rule.momentum != 0.0 {
            slot.buffer("momentum_buffer", 0.0)?;
        }
        Ok(Rule::Sgd(SgdRule { first, ..rule }))
    })
}
