//! Learning rates along a cosine.

use super::fields::{fields, setters};
use super::scheduler::scale_present;
use super::{Clock, Schedule, quotient};
use crate::{OptimizerCore, ParamGroup};
use firebrick_core::{Error, Result, Scalar};
use std::f64::consts::PI;

/// From the learning rate to `eta_min` along half a cosine in `t_max` epochs, and back.
///
/// Loshchilov and Hutter, *SGDR: Stochastic Gradient Descent with Warm Restarts*, ICLR 2017, without the restarts.
/// Compared with PyTorch 2.15, whose recursive form it computes in the same order.
///
/// ```
/// use firebrick::prelude::*;
/// use optim::lr_scheduler::{CosineAnnealingLR, LrScheduler, Schedule};
/// let p = Parameter::new(Tensor::new([1.0f32])?);
/// let mut optimizer = optim::SGD::new([&p], 1.0).build()?;
/// let mut scheduler = CosineAnnealingLR::new(2).eta_min(0.5).build(&mut optimizer)?;
/// optimizer.step()?;
/// scheduler.step(&mut optimizer)?;
/// assert_eq!(scheduler.get_last_lr(), [0.75]);
/// scheduler.step(&mut optimizer)?;
/// assert_eq!(scheduler.get_last_lr(), [0.5]);
/// # Ok::<_, firebrick::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct CosineAnnealingLR {
    t_max: i64,
    eta_min: Scalar,
}

impl CosineAnnealingLR {
    /// To zero in `t_max` epochs.
    pub fn new(t_max: i64) -> Self {
        CosineAnnealingLR { t_max, eta_min: 0.0.into() }
    }

    /// `1 + cos(pi * epoch / t_max)`
    fn height(&self, epoch: i64) -> f64 {
        1.0 + (PI * epoch as f64 / self.t_max as f64).cos()
    }
}

fields!(CosineAnnealingLR { t_max => "T_max", eta_min => "eta_min" });
setters!(CosineAnnealingLR {
    /// The least learning rate; 0 unless set.
    eta_min: Scalar;
});

impl Schedule for CosineAnnealingLR {
    fn prepare(&mut self, _: &mut OptimizerCore, _: bool) -> Result<()> {
        match self.t_max {
            0 => Err(Error::value("CosineAnnealingLR", "integer modulo by zero").remedy("take a T_max above 0")),
            _ => Ok(()),
        }
    }

    fn lrs(&self, clock: &Clock, groups: &mut [ParamGroup]) -> Result<Option<Vec<f64>>> {
        let (least, epoch) = (self.eta_min.to_f64(), clock.last_epoch);
        let total = self.t_max as f64;
        if clock.is_initial {
            return Ok(None);
        }
        if clock.step_count == 1 && epoch > 0 {
            let height = 1.0 + (epoch as f64 * PI / total).cos();
            return clock.scale_base(|base| least + (base - least) * height / 2.0);
        }
        let past = (epoch - 1).wrapping_sub(self.t_max).checked_rem(self.t_max.wrapping_mul(2));
        if past == Some(0) {
            // At the bottom the recursion would divide by zero.
            let rise = 1.0 - (PI / total).cos();
            let lrs = groups.iter().map(ParamGroup::get_lr).collect::<Result<Vec<_>>>()?;
            let bases = clock.base_lrs()?.into_iter();
            return Ok(Some(lrs.into_iter().zip(bases).map(|(lr, base)| lr + (base - least) * rise / 2.0).collect()));
        }
        let change = quotient(self.height(epoch), self.height(epoch - 1))?;
        scale_present(groups, |lr| change * (lr - least) + least)
    }

    fn closed_form(&self, clock: &Clock, _: &mut [ParamGroup]) -> Result<Option<Vec<f64>>> {
        let (least, height) = (self.eta_min.to_f64(), self.height(clock.last_epoch));
        clock.scale_base(|base| least + (base - least) * height / 2.0)
    }
}
