//! Averaged stochastic gradient descent.

use crate::builder::{not_negative, options};
use crate::optimizer::optimizer;
use crate::{Builder, FromOptions, IntoParamGroups, OptimizerCore, ParamGroup, fused};
use firebrick_core::backend::{AsgdRule, Rule};
use firebrick_core::{Result, Scalar, Value};

/// Averaged stochastic gradient descent: the state keeps the average `ax` of the parameter over the steps after `t0`.
///
/// ```text
/// g = g + weight_decay * p                       g = -g first, with maximize
/// p = (1 - lambd * eta) * p - eta * g            eta = lr at first
/// ax = ax + mu * (p - ax)                        mu = 1 at first
/// eta = lr / (1 + lambd * lr * t)^alpha, mu = 1 / max(1, t - t0)
/// ```
/// Polyak and Juditsky, *Acceleration of Stochastic Approximation by Averaging*, SIAM J. Control Optim. 30 (1992).
///
/// Compared with PyTorch 2.15 (`foreach=False`), whose operations it runs in the same order in one pass.
///
/// ```
/// use firebrick::prelude::*;
/// let p = Parameter::new(Tensor::new([1.0f32])?);
/// let mut optimizer = optim::ASGD::new([&p], 0.1).build()?;
/// p.set_grad(Some(&Tensor::new([2.0f32])?))?;
/// optimizer.step()?;
/// optimizer.step()?;
/// assert_eq!(p.to_vec::<f32>()?, [0.5999835]);
/// # Ok::<_, firebrick::Error>(())
/// ```
pub struct ASGD {
    core: OptimizerCore,
}

impl ASGD {
    /// PyTorch's learning rate unless told otherwise.
    pub const LR: f64 = 0.01;

    /// Options for `params`, at PyTorch's defaults, with the learning rate `lr`.
    ///
    /// ```
    /// use firebrick::prelude::*;
    /// let p = Parameter::new(Tensor::new([1.0f32])?);
    /// let mut optimizer = optim::ASGD::new([&p], 0.1)
    ///     .lambd(0.5)
    ///     .alpha(0.5)
    ///     .t0(1)
    ///     .weight_decay(0.5)
    ///     .maximize(true)
    ///     .build()?;
    /// p.set_grad(Some(&Tensor::new([2.0f32])?))?;
    /// optimizer.step()?;
    /// optimizer.step()?;
    /// assert_eq!(p.to_vec::<f32>()?, [1.187831]);
    /// # Ok::<_, firebrick::Error>(())
    /// ```
    #[allow(clippy::new_ret_no_self, reason = "options end in build()")]
    pub fn new(params: impl IntoParamGroups, lr: impl Into<Value>) -> Builder<ASGD> {
        Builder::new(
            params,
            [
                ("lr", lr.into()),
                ("lambd", 1e-4.into()),
                ("alpha", 0.75.into()),
                ("t0", 1e6.into()),
                ("weight_decay", 0.into()),
                ("foreach", Value::None),
                ("maximize", false.into()),
                ("differentiable", false.into()),
                ("capturable", false.into()),
            ],
        )
    }
}

options! { ASGD => {
    /// How quickly the parameters and the step size fall; 1e-4 unless set.
    lambd: Scalar;
    /// The power by which the step size falls; 0.75 unless set.
    alpha: Scalar;
    /// The step after which averaging begins; 1e6 unless set.
    t0: Scalar;
    /// Draws parameters towards zero by this times their value; 0 unless set.
    weight_decay: Scalar;
    /// Climbs instead of descending; off unless set.
    maximize: bool;
} }

impl FromOptions for ASGD {
    fn check(options: &ParamGroup) -> Result<()> {
        not_negative(options, "lr", "learning rate")?;
        not_negative(options, "lambd", "lambd value")?;
        not_negative(options, "alpha", "alpha value")?;
        not_negative(options, "weight_decay", "weight_decay value")
    }

    fn from_core(core: OptimizerCore) -> Result<Self> {
        Ok(ASGD { core })
    }
}

optimizer!(ASGD, update);

/// A group's numbers.
struct Numbers {
    lr: f64,
    lambd: f64,
    alpha: f64,
    t0: f64,
    weight_decay: f64,
    maximize: bool,
}

fn update(core: &mut OptimizerCore) -> Result<()> {
    let read = |group: &ParamGroup| {
        Ok(Numbers {
            lr: group.number("lr")?,
            lambd: group.number("lambd")?,
            alpha: group.number("alpha")?,
            t0: group.number("t0")?,
            weight_decay: group.number("weight_decay")?,
            maximize: group.switch("maximize")?,
        })
    };
    fused::step(core, read, |group, slot| {
        let &Numbers { lr, lambd, alpha, t0, weight_decay, maximize } = group;
        let step = slot.step()?;
        let (eta, mu) = (slot.number("eta", lr)?, slot.number("mu", 1.0)?);
        slot.buffer("ax", 0.0)?;
        slot.set_number("eta", lr / (1.0 + lambd * lr * step).powf(alpha))?;
        // Python's max(1, x), which is 1 for NaN.
        slot.set_number("mu", 1.0 / (step - t0).max(1.0))?;
        Ok(Rule::Asgd(AsgdRule { weight_decay, maximize, keep: 1.0 - lambd * eta, eta, mu }))
    })
}
