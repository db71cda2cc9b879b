//! Learning rates that fall at certain epochs.

use super::fields::{fields, setters};
use super::scheduler::scale_present;
use super::{Clock, Schedule};
use crate::ParamGroup;
use firebrick_core::{Error, Result, Scalar};
use indexmap::IndexMap;

/// Multiplies the learning rate by `gamma` every `step_size` epochs.
///
/// Compared with PyTorch 2.15, whose products it forms in the same order.
///
/// ```
/// use firebrick::prelude::*;
/// use optim::lr_scheduler::{LrScheduler, Schedule, StepLR};
/// let p = Parameter::new(Tensor::new([1.0f32])?);
/// let mut optimizer = optim::SGD::new([&p], 0.5).build()?;
/// let mut scheduler = StepLR::new(1).gamma(0.5).build(&mut optimizer)?;
/// optimizer.step()?;
/// scheduler.step(&mut optimizer)?;
/// assert_eq!(optimizer.param_groups()[0].get_lr()?, 0.25);
/// # Ok::<_, firebrick::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct StepLR {
    step_size: i64,
    gamma: Scalar,
}

impl StepLR {
    /// Falls every `step_size` epochs, by `gamma` 0.1.
    pub fn new(step_size: i64) -> Self {
        StepLR { step_size, gamma: 0.1.into() }
    }

    fn division(&self) -> Result<i64> {
        match self.step_size {
            0 => Err(Error::value("StepLR", "integer modulo by zero").remedy("take a step_size above 0")),
            size => Ok(size),
        }
    }
}

fields!(StepLR { step_size => "step_size", gamma => "gamma" });
setters!(StepLR {
    /// What the learning rate is multiplied by; 0.1 unless set.
    gamma: Scalar;
});

impl Schedule for StepLR {
    fn lrs(&self, clock: &Clock, groups: &mut [ParamGroup]) -> Result<Option<Vec<f64>>> {
        if clock.last_epoch == 0 || clock.last_epoch.wrapping_rem(self.division()?) != 0 {
            return Ok(None);
        }
        scale_present(groups, |lr| lr * self.gamma.to_f64())
    }

    fn closed_form(&self, clock: &Clock, _: &mut [ParamGroup]) -> Result<Option<Vec<f64>>> {
        let falls = (clock.last_epoch as f64 / self.division()? as f64).floor();
        clock.scale_base(|lr| lr * self.gamma.to_f64().powf(falls))
    }
}

/// Multiplies the learning rate by `gamma` at each milestone, as often as the milestone is listed.
///
/// Compared with PyTorch 2.15, whose products it forms in the same order.
///
/// ```
/// use firebrick::prelude::*;
/// use optim::lr_scheduler::{LrScheduler, MultiStepLR, Schedule};
/// let p = Parameter::new(Tensor::new([1.0f32])?);
/// let mut optimizer = optim::SGD::new([&p], 1.0).build()?;
/// let mut scheduler = MultiStepLR::new([1, 3]).gamma(0.5).build(&mut optimizer)?;
/// optimizer.step()?;
/// let mut lrs = Vec::new();
/// for _ in 0..3 {
///     scheduler.step(&mut optimizer)?;
///     lrs.extend(scheduler.get_last_lr());
/// }
/// assert_eq!(lrs, [0.5, 0.5, 0.25]);
/// # Ok::<_, firebrick::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct MultiStepLR {
    milestones: IndexMap<i64, i64>,
    gamma: Scalar,
}

impl MultiStepLR {
    /// Falls at these epochs, by `gamma` 0.1.
    pub fn new(milestones: impl IntoIterator<Item = i64>) -> Self {
        let mut counts = IndexMap::new();
        milestones.into_iter().for_each(|epoch| *counts.entry(epoch).or_default() += 1);
        MultiStepLR { milestones: counts, gamma: 0.1.into() }
    }
}

fields!(MultiStepLR { milestones => "milestones", gamma => "gamma" });
setters!(MultiStepLR {
    /// What the learning rate is multiplied by; 0.1 unless set.
    gamma: Scalar;
});

impl Schedule for MultiStepLR {
    fn lrs(&self, clock: &Clock, groups: &mut [ParamGroup]) -> Result<Option<Vec<f64>>> {
        match self.milestones.get(&clock.last_epoch) {
            None => Ok(None),
            Some(&times) => scale_present(groups, |lr| lr * self.gamma.to_f64().powf(times as f64)),
        }
    }

    fn closed_form(&self, clock: &Clock, _: &mut [ParamGroup]) -> Result<Option<Vec<f64>>> {
        let passed = self.milestones.iter().filter(|(epoch, _)| **epoch <= clock.last_epoch);
        let falls: f64 = passed.map(|(_, &times)| times as f64).sum();
        clock.scale_base(|lr| lr * self.gamma.to_f64().powf(falls))
    }
}
