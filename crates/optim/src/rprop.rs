//! Resilient propagation.

use crate::builder::{not_negative, options};
use crate::optimizer::optimizer;
use crate::{Builder, FromOptions, IntoParamGroups, OptimizerCore, ParamGroup, fused};
use firebrick_core::backend::{RpropRule, Rule};
use firebrick_core::{Error, Result, Value};

/// Resilient propagation: steps by the sign of the gradient, each element with a step size of its own.
///
/// ```text
/// s = s * etaplus                                where g has the sign it had before
/// s = s * etaminus, g = 0                        where its sign has turned
/// s within [step_min, step_max]                  s = lr at first
/// p = p - sign(g) * s
/// ```
/// Riedmiller and Braun, *A direct adaptive method for faster backpropagation learning*, ICNN 1993.
///
/// Compared with PyTorch 2.15 (`foreach=False`), whose operations it runs in the same order in one pass.
///
/// ```
/// use firebrick::prelude::*;
/// let p = Parameter::new(Tensor::new([1.0f32])?);
/// let mut optimizer = optim::Rprop::new([&p], 0.1).build()?;
/// p.set_grad(Some(&Tensor::new([2.0f32])?))?;
/// optimizer.step()?;
/// optimizer.step()?;
/// assert_eq!(p.to_vec::<f32>()?, [0.78]);
/// # Ok::<_, firebrick::Error>(())
/// ```
pub struct Rprop {
    core: OptimizerCore,
}

impl Rprop {
    /// PyTorch's learning rate unless told otherwise.
    pub const LR: f64 = 0.01;

    /// Options for `params`, at PyTorch's defaults, with the learning rate `lr`.
    ///
    /// ```
    /// use firebrick::prelude::*;
    /// let p = Parameter::new(Tensor::new([1.0f32])?);
    /// let mut optimizer = optim::Rprop::new([&p], 0.1)
    ///     .etas((0.5, 2.0))
    ///     .step_sizes((0.01, 0.15))
    ///     .maximize(true)
    ///     .build()?;
    /// p.set_grad(Some(&Tensor::new([2.0f32])?))?;
    /// optimizer.step()?;
    /// optimizer.step()?;
    /// assert_eq!(p.to_vec::<f32>()?, [1.25]);
    /// # Ok::<_, firebrick::Error>(())
    /// ```
    #[allow(clippy::new_ret_no_self, reason = "options end in build()")]
    pub fn new(params: impl IntoParamGroups, lr: impl Into<Value>) -> Builder<Rprop> {
        Builder::new(
            params,
            [
                ("lr", lr.into()),
                ("etas", (0.5, 1.2).into()),
                ("step_sizes", Value::Tuple(vec![1e-6.into(), 50.into()])),
                ("foreach", Value::None),
                ("maximize", false.into()),
                ("differentiable", false.into()),
                ("capturable", false.into()),
            ],
        )
    }
}

options! { Rprop => {
    /// What step sizes shrink and grow by; 0.5 and 1.2 unless set.
    etas: (f64, f64);
    /// The smallest and the largest step size; 1e-6 and 50 unless set.
    step_sizes: (f64, f64);
    /// Climbs instead of descending; off unless set.
    maximize: bool;
} }

impl FromOptions for Rprop {
    fn check(options: &ParamGroup) -> Result<()> {
        not_negative(options, "lr", "learning rate")?;
        let (shrink, grow) = options.pair("etas")?;
        if !(0.0 < shrink && shrink < 1.0 && 1.0 < grow) {
            let (shrink, grow) = (Value::from(shrink), Value::from(grow));
            return Err(Error::value("Rprop", format!("Invalid eta values: {shrink}, {grow}")));
        }
        Ok(())
    }

    fn from_core(core: OptimizerCore) -> Result<Self> {
        Ok(Rprop { core })
    }
}

optimizer!(Rprop, update);

fn update(core: &mut OptimizerCore) -> Result<()> {
    let read = |group: &ParamGroup| {
        let rule = RpropRule {
            etas: group.pair("etas")?,
            step_sizes: group.pair("step_sizes")?,
            maximize: group.switch("maximize")?,
        };
        Ok((rule, group.number("lr")?))
    };
    fused::step(core, read, |&(rule, lr), slot| {
        slot.step()?;
        slot.buffer("prev", 0.0)?;
        slot.buffer("step_size", lr)?;
        Ok(Rule::Rprop(rule))
    })
}
