//! Learning rates that fall by a power.

use super::fields::{fields, setters};
use super::scheduler::scale_present;
use super::{Clock, Schedule, quotient};
use crate::ParamGroup;
use firebrick_core::{Result, Scalar};

/// Multiplies the learning rate by `gamma` every epoch.
///
/// ```
/// use firebrick::prelude::*;
/// use optim::lr_scheduler::{ExponentialLR, LrScheduler, Schedule};
/// let p = Parameter::new(Tensor::new([1.0f32])?);
/// let mut optimizer = optim::SGD::new([&p], 1.0).build()?;
/// let mut scheduler = ExponentialLR::new(0.5).build(&mut optimizer)?;
/// optimizer.step()?;
/// scheduler.step(&mut optimizer)?;
/// scheduler.step(&mut optimizer)?;
/// assert_eq!(scheduler.get_last_lr(), [0.25]);
/// # Ok::<_, firebrick::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct ExponentialLR {
    gamma: Scalar,
}

impl ExponentialLR {
    /// By `gamma` every epoch.
    pub fn new(gamma: impl Into<Scalar>) -> Self {
        ExponentialLR { gamma: gamma.into() }
    }
}

fields!(ExponentialLR { gamma => "gamma" });

impl Schedule for ExponentialLR {
    fn lrs(&self, clock: &Clock, groups: &mut [ParamGroup]) -> Result<Option<Vec<f64>>> {
        if clock.is_initial {
            return Ok(None);
        }
        scale_present(groups, |lr| lr * self.gamma.to_f64())
    }

    fn closed_form(&self, clock: &Clock, _: &mut [ParamGroup]) -> Result<Option<Vec<f64>>> {
        clock.scale_base(|lr| lr * self.gamma.to_f64().powf(clock.last_epoch as f64))
    }
}

/// `(1 - epoch / total_iters)^power` of the learning rate, then 0.
///
/// ```
/// use firebrick::prelude::*;
/// use optim::lr_scheduler::{LrScheduler, PolynomialLR, Schedule};
/// let p = Parameter::new(Tensor::new([1.0f32])?);
/// let mut optimizer = optim::SGD::new([&p], 1.0).build()?;
/// let mut scheduler = PolynomialLR::new().total_iters(2).power(2.0).build(&mut optimizer)?;
/// optimizer.step()?;
/// scheduler.step(&mut optimizer)?;
/// assert_eq!(scheduler.get_last_lr(), [0.25]);
/// # Ok::<_, firebrick::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct PolynomialLR {
    total_iters: i64,
    power: Scalar,
}

impl Default for PolynomialLR {
    fn default() -> Self {
        PolynomialLR { total_iters: 5, power: 1.0.into() }
    }
}

impl PolynomialLR {
    /// In a straight line over five epochs.
    pub fn new() -> Self {
        Self::default()
    }
}

fields!(PolynomialLR { total_iters => "total_iters", power => "power" });
setters!(PolynomialLR {
    /// The epochs; 5 unless set.
    total_iters: i64;
    /// The power; 1 unless set.
    power: Scalar;
});

impl Schedule for PolynomialLR {
    fn lrs(&self, clock: &Clock, groups: &mut [ParamGroup]) -> Result<Option<Vec<f64>>> {
        if clock.is_initial || clock.last_epoch > self.total_iters {
            return Ok(None);
        }
        let (epoch, total) = (clock.last_epoch as f64, self.total_iters as f64);
        let left = quotient(1.0 - quotient(epoch, total)?, 1.0 - (epoch - 1.0) / total)?;
        let factor = left.powf(self.power.to_f64());
        scale_present(groups, |lr| lr * factor)
    }

    fn closed_form(&self, clock: &Clock, _: &mut [ParamGroup]) -> Result<Option<Vec<f64>>> {
        let passed = quotient(self.total_iters.min(clock.last_epoch) as f64, self.total_iters as f64)?;
        clock.scale_base(|lr| lr * (1.0 - passed).powf(self.power.to_f64()))
    }
}
