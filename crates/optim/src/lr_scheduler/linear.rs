//! Learning rates that warm up.

use super::fields::{fields, setters};
use super::scheduler::scale_present;
use super::{Clock, Schedule, quotient};
use crate::{OptimizerCore, ParamGroup};
use firebrick_core::{Error, Result, Scalar};

/// A part of the learning rate for `total_iters` epochs, then all of it.
///
/// Compared with PyTorch 2.15, whose products it forms in the same order.
///
/// ```
/// use firebrick::prelude::*;
/// use optim::lr_scheduler::{ConstantLR, LrScheduler, Schedule};
/// let p = Parameter::new(Tensor::new([1.0f32])?);
/// let mut optimizer = optim::SGD::new([&p], 1.0).build()?;
/// let mut scheduler = ConstantLR::new().factor(0.5).total_iters(1).build(&mut optimizer)?;
/// assert_eq!(scheduler.get_last_lr(), [0.5]);
/// optimizer.step()?;
/// scheduler.step(&mut optimizer)?;
/// assert_eq!(scheduler.get_last_lr(), [1.0]);
/// # Ok::<_, firebrick::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct ConstantLR {
    factor: Scalar,
    total_iters: i64,
}

impl Default for ConstantLR {
    fn default() -> Self {
        ConstantLR { factor: (1.0 / 3.0).into(), total_iters: 5 }
    }
}

impl ConstantLR {
    /// A third for five epochs.
    pub fn new() -> Self {
        Self::default()
    }
}

fields!(ConstantLR { factor => "factor", total_iters => "total_iters" });
setters!(ConstantLR {
    /// The part; a third unless set.
    factor: Scalar;
    /// The epochs; 5 unless set.
    total_iters: i64;
});

impl Schedule for ConstantLR {
    fn prepare(&mut self, _: &mut OptimizerCore, _: bool) -> Result<()> {
        let factor = self.factor.to_f64();
        if !(0.0..=1.0).contains(&factor) {
            let text = "Constant multiplicative factor expected to be between 0 and 1.";
            return Err(Error::value("ConstantLR", text));
        }
        Ok(())
    }

    fn lrs(&self, clock: &Clock, groups: &mut [ParamGroup]) -> Result<Option<Vec<f64>>> {
        let factor = self.factor.to_f64();
        if clock.last_epoch == 0 {
            return scale_present(groups, |lr| lr * factor);
        }
        if clock.last_epoch != self.total_iters {
            return Ok(None);
        }
        let back = quotient(1.0, factor)?;
        scale_present(groups, |lr| lr * back)
    }

    fn closed_form(&self, clock: &Clock, _: &mut [ParamGroup]) -> Result<Option<Vec<f64>>> {
        let (factor, over) = (self.factor.to_f64(), clock.last_epoch >= self.total_iters);
        clock.scale_base(|lr| lr * (factor + f64::from(u8::from(over)) * (1.0 - factor)))
    }
}

/// From a part of the learning rate to another one in a straight line over `total_iters` epochs.
///
/// Compared with PyTorch 2.15, whose products it forms in the same order.
///
/// ```
/// use firebrick::prelude::*;
/// use optim::lr_scheduler::{LinearLR, LrScheduler, Schedule};
/// let p = Parameter::new(Tensor::new([1.0f32])?);
/// let mut optimizer = optim::SGD::new([&p], 1.0).build()?;
/// let mut scheduler = LinearLR::new().start_factor(0.5).total_iters(2).build(&mut optimizer)?;
/// optimizer.step()?;
/// let mut lrs = scheduler.get_last_lr();
/// for _ in 0..3 {
///     scheduler.step(&mut optimizer)?;
///     lrs.extend(scheduler.get_last_lr());
/// }
/// assert_eq!(lrs, [0.5, 0.75, 1.0, 1.0]);
/// # Ok::<_, firebrick::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct LinearLR {
    start_factor: Scalar,
    end_factor: Scalar,
    total_iters: i64,
}

impl Default for LinearLR {
    fn default() -> Self {
        LinearLR { start_factor: (1.0 / 3.0).into(), end_factor: 1.0.into(), total_iters: 5 }
    }
}

impl LinearLR {
    /// From a third to all of it over five epochs.
    ///
    /// ```
    /// use firebrick::prelude::*;
    /// use optim::lr_scheduler::{LinearLR, LrScheduler, Schedule};
    /// let p = Parameter::new(Tensor::new([1.0f32])?);
    /// let mut optimizer = optim::SGD::new([&p], 1.0).build()?;
    /// let schedule = LinearLR::new().start_factor(0.5).end_factor(0.25).total_iters(2);
    /// let mut scheduler = schedule.build(&mut optimizer)?;
    /// optimizer.step()?;
    /// let mut lrs = scheduler.get_last_lr();
    /// for _ in 0..3 {
    ///     scheduler.step(&mut optimizer)?;
    ///     lrs.extend(scheduler.get_last_lr());
    /// }
    /// assert_eq!(lrs, [0.5, 0.375, 0.25, 0.25]);
    /// # Ok::<_, firebrick::Error>(())
    /// ```
    pub fn new() -> Self {
        Self::default()
    }
}

fields!(LinearLR { start_factor => "start_factor", end_factor => "end_factor", total_iters => "total_iters" });
setters!(LinearLR {
    /// The part at the start; a third unless set.
    start_factor: Scalar;
    /// The part at the end; 1 unless set.
    end_factor: Scalar;
    /// The epochs; 5 unless set.
    total_iters: i64;
});

impl Schedule for LinearLR {
    fn prepare(&mut self, _: &mut OptimizerCore, _: bool) -> Result<()> {
        let (start, end) = (self.start_factor.to_f64(), self.end_factor.to_f64());
        let refuse = |text: &str| Err(Error::value("LinearLR", text));
        if start > 1.0 || start <= 0.0 {
            let text = "Starting multiplicative factor expected to be greater than 0 and less or equal to 1.";
            return refuse(text);
        }
        if !(0.0..=1.0).contains(&end) {
            return refuse("Ending multiplicative factor expected to be between 0 and 1.");
        }
        Ok(())
    }

    fn lrs(&self, clock: &Clock, groups: &mut [ParamGroup]) -> Result<Option<Vec<f64>>> {
        let (start, end) = (self.start_factor.to_f64(), self.end_factor.to_f64());
        if clock.last_epoch == 0 {
            return scale_present(groups, |lr| lr * start);
        }
        if clock.is_initial || clock.last_epoch > self.total_iters {
            return Ok(None);
        }
        let before = self.total_iters as f64 * start + (clock.last_epoch - 1) as f64 * (end - start);
        let change = 1.0 + quotient(end - start, before)?;
        scale_present(groups, |lr| lr * change)
    }

    fn closed_form(&self, clock: &Clock, _: &mut [ParamGroup]) -> Result<Option<Vec<f64>>> {
        let (start, end) = (self.start_factor.to_f64(), self.end_factor.to_f64());
        let way = (end - start) * self.total_iters.min(clock.last_epoch) as f64;
        let factor = start + quotient(way, self.total_iters as f64)?;
        clock.scale_base(|lr| lr * factor)
    }
}
