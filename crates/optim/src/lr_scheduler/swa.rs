//! Learning rates for the averaging of weights.

use super::fields::{fields, setters};
use super::{Clock, PerGroup, Schedule};
use crate::{OptimizerCore, ParamGroup};
use firebrick_core::{Error, Result};
use std::f64::consts::PI;

/// From the learning rate to `swa_lr` in `anneal_epochs` epochs, and no further: for the part of a training whose
/// weights are averaged.
///
/// Izmailov et al., *Averaging Weights Leads to Wider Optima and Better Generalization*, UAI 2018. Compared with
/// PyTorch 2.15.
///
/// ```
/// use firebrick::prelude::*;
/// use optim::lr_scheduler::{LrScheduler, SWALR, Schedule};
/// let p = Parameter::new(Tensor::new([1.0f32])?);
/// let mut optimizer = optim::SGD::new([&p], 1.0).build()?;
/// let mut scheduler = SWALR::new(0.5).anneal_epochs(2).anneal_strategy("linear").build(&mut optimizer)?;
/// optimizer.step()?;
/// let mut lrs = scheduler.get_last_lr();
/// for _ in 0..3 {
///     scheduler.step(&mut optimizer)?;
///     lrs.extend(scheduler.get_last_lr());
/// }
/// assert_eq!(lrs, [1.0, 0.75, 0.5, 0.5]);
/// # Ok::<_, firebrick::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct SWALR {
    swa_lr: PerGroup,
    anneal_strategy: String,
    anneal_epochs: i64,
}

impl SWALR {
    /// To `swa_lr` along half a cosine in ten epochs.
    pub fn new(swa_lr: impl Into<PerGroup>) -> Self {
        SWALR { swa_lr: swa_lr.into(), anneal_strategy: "cos".to_owned(), anneal_epochs: 10 }
    }

    /// How much of the way is behind after a part of the epochs.
    fn way(&self, part: f64) -> f64 {
        if self.anneal_strategy == "cos" { (1.0 - (PI * part).cos()) / 2.0 } else { part }
    }
}

fields!(SWALR { anneal_strategy => "_anneal_strategy", anneal_epochs => "anneal_epochs" });
setters!(SWALR {
    /// `cos` (unless set) or `linear`.
    anneal_strategy: String;
    /// The epochs; 10 unless set.
    anneal_epochs: i64;
});

impl Schedule for SWALR {
    fn prepare(&mut self, core: &mut OptimizerCore, _: bool) -> Result<()> {
        const OP: &str = "SWALR";
        let swa_lrs = self.swa_lr.of("swa_lr", core.groups.len())?;
        if !["cos", "linear"].contains(&self.anneal_strategy.as_str()) {
            let text =
                format!("anneal_strategy must be one of 'cos' or 'linear', instead got {}", self.anneal_strategy);
            return Err(Error::value(OP, text));
        }
        if self.anneal_epochs < 0 {
            let text = format!("anneal_epochs must be equal or greater than 0, got {}", self.anneal_epochs);
            return Err(Error::value(OP, text));
        }
        core.groups.iter_mut().zip(swa_lrs).for_each(|(group, lr)| group.set("swa_lr", lr));
        Ok(())
    }

    fn lrs(&self, clock: &Clock, groups: &mut [ParamGroup]) -> Result<Option<Vec<f64>>> {
        let mut step = (clock.step_count - 1) as f64;
        if self.anneal_epochs == 0 {
            step = step.max(1.0);
        }
        let epochs = self.anneal_epochs.max(1) as f64;
        let before = self.way(((step - 1.0) / epochs).clamp(0.0, 1.0));
        let now = self.way((step / epochs).clamp(0.0, 1.0));
        let lr = |group: &ParamGroup| {
            let (lr, swa_lr) = (group.get_lr()?, group.number("swa_lr")?);
            // The learning rate that would have led here.
            let first = if before == 1.0 { swa_lr } else { (lr - before * swa_lr) / (1.0 - before) };
            Ok(swa_lr * now + first * (1.0 - now))
        };
        groups.iter().map(lr).collect::<Result<_>>().map(Some)
    }
}
