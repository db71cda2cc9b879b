//! Learning rates along a cosine that begins again.

use super::fields::{fields, setters};
use super::{Clock, Schedule, Scheduler};
use crate::{Optimizer, OptimizerCore, ParamGroup};
use firebrick_core::{Error, Result, Scalar};
use std::f64::consts::PI;

const OP: &str = "CosineAnnealingWarmRestarts";

/// From the learning rate to `eta_min` along half a cosine in `t_0` epochs, then again from the start, each time in
/// `t_mult` times as many epochs.
///
/// Loshchilov and Hutter, *SGDR: Stochastic Gradient Descent with Warm Restarts*, ICLR 2017. Compared with PyTorch
/// 2.15.
///
/// ```
/// use firebrick::prelude::*;
/// use optim::lr_scheduler::{CosineAnnealingWarmRestarts, LrScheduler, Schedule};
/// let p = Parameter::new(Tensor::new([1.0f32])?);
/// let mut optimizer = optim::SGD::new([&p], 1.0).build()?;
/// let mut scheduler = CosineAnnealingWarmRestarts::new(2).build(&mut optimizer)?;
/// optimizer.step()?;
/// let mut lrs = Vec::new();
/// for _ in 0..3 {
///     scheduler.step(&mut optimizer)?;
///     lrs.extend(scheduler.get_last_lr());
/// }
/// assert_eq!(lrs, [0.5, 1.0, 0.5]);
/// # Ok::<_, firebrick::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct CosineAnnealingWarmRestarts {
    t_0: i64,
    t_i: i64,
    t_mult: i64,
    eta_min: Scalar,
    t_cur: Scalar,
}

impl CosineAnnealingWarmRestarts {
    /// To zero in `t_0` epochs, again and again.
    ///
    /// ```
    /// use firebrick::prelude::*;
    /// use optim::lr_scheduler::{CosineAnnealingWarmRestarts, LrScheduler, Schedule};
    /// let p = Parameter::new(Tensor::new([1.0f32])?);
    /// let mut optimizer = optim::SGD::new([&p], 1.0).build()?;
    /// let mut scheduler = CosineAnnealingWarmRestarts::new(1).t_mult(2).eta_min(0.5).build(&mut optimizer)?;
    /// optimizer.step()?;
    /// let mut lrs = scheduler.get_last_lr();
    /// for _ in 0..3 {
    ///     scheduler.step(&mut optimizer)?;
    ///     lrs.extend(scheduler.get_last_lr());
    /// }
    /// assert_eq!(lrs, [1.0, 1.0, 0.75, 1.0]);
    /// # Ok::<_, firebrick::Error>(())
    /// ```
    pub fn new(t_0: i64) -> Self {
        CosineAnnealingWarmRestarts { t_0, t_i: t_0, t_mult: 1, eta_min: 0.0.into(), t_cur: (-1).into() }
    }

    /// Goes to any epoch, a fraction included.
    fn go_to(&mut self, epoch: Scalar) {
        let at = epoch.to_f64();
        if at < self.t_0 as f64 {
            (self.t_i, self.t_cur) = (self.t_0, epoch);
        } else if self.t_mult == 1 {
            self.t_cur = match epoch {
                Scalar::Int(n) => n.rem_euclid(self.t_0).into(),
                _ => at.rem_euclid(self.t_0 as f64).into(),
            };
        } else {
            let (first, times) = (self.t_0 as f64, self.t_mult as f64);
            // Python's math.log(x, base).
            let rounds = ((at / first * (times - 1.0) + 1.0).ln() / times.ln()).trunc();
            self.t_cur = (at - first * (times.powf(rounds) - 1.0) / (times - 1.0)).into();
            self.t_i = (first * times.powf(rounds)) as i64;
        }
    }
}

fields!(CosineAnnealingWarmRestarts {
    t_0 => "T_0",
    t_i => "T_i",
    t_mult => "T_mult",
    eta_min => "eta_min",
    t_cur => "T_cur",
});
setters!(CosineAnnealingWarmRestarts {
    /// How many times longer each round is than the one before; 1 unless set.
    t_mult: i64;
    /// The least learning rate; 0 unless set.
    eta_min: Scalar;
});

impl Schedule for CosineAnnealingWarmRestarts {
    fn prepare(&mut self, _: &mut OptimizerCore, _: bool) -> Result<()> {
        if self.t_0 <= 0 {
            return Err(Error::value(OP, format!("Expected positive integer T_0, but got {}", self.t_0)));
        }
        if self.t_mult < 1 {
            return Err(Error::value(OP, format!("Expected integer T_mult >= 1, but got {}", self.t_mult)));
        }
        Ok(())
    }

    /// Unlike the others, this one does not count its steps.
    fn tick(&mut self, clock: &mut Clock) {
        if clock.last_epoch < 0 {
            self.go_to(0.into());
            clock.last_epoch = 0;
            return;
        }
        clock.last_epoch += 1;
        let next = match self.t_cur {
            Scalar::Int(n) => Scalar::from(n + 1),
            other => (other.to_f64() + 1.0).into(),
        };
        self.t_cur = next;
        if next.to_f64() >= self.t_i as f64 {
            self.t_cur = match next {
                Scalar::Int(n) => n.checked_rem(self.t_i).unwrap_or(0).into(),
                other => (other.to_f64() % self.t_i as f64).into(),
            };
            self.t_i = self.t_i.saturating_mul(self.t_mult);
        }
    }

    fn lrs(&self, clock: &Clock, _: &mut [ParamGroup]) -> Result<Option<Vec<f64>>> {
        let least = self.eta_min.to_f64();
        let height = 1.0 + (PI * self.t_cur.to_f64() / self.t_i as f64).cos();
        clock.scale_base(|base| least + (base - least) * height / 2.0)
    }
}

impl Scheduler<CosineAnnealingWarmRestarts> {
    /// Goes to `epoch`, which may be a fraction: `epoch + batch / batches` after every batch.
    ///
    /// # Errors
    /// A negative epoch.
    ///
    /// ```
    /// use firebrick::prelude::*;
    /// use optim::lr_scheduler::{CosineAnnealingWarmRestarts, LrScheduler, Schedule};
    /// let p = Parameter::new(Tensor::new([1.0f32])?);
    /// let mut optimizer = optim::SGD::new([&p], 1.0).build()?;
    /// let mut scheduler = CosineAnnealingWarmRestarts::new(2).build(&mut optimizer)?;
    /// optimizer.step()?;
    /// scheduler.step_to(&mut optimizer, 2.5)?; // half an epoch after the restart
    /// assert!((scheduler.get_last_lr()[0] - 0.853_553_390_593_273_7).abs() < 1e-12);
    /// # Ok::<_, firebrick::Error>(())
    /// ```
    pub fn step_to(&mut self, optimizer: &mut dyn Optimizer, epoch: impl Into<Scalar>) -> Result<()> {
        let epoch = epoch.into();
        if epoch.to_f64().is_nan() || epoch.to_f64() < 0.0 {
            let epoch = firebrick_core::Value::from(epoch);
            return Err(Error::value(OP, format!("Expected non-negative epoch, but got {epoch}")));
        }
        self.schedule.go_to(epoch);
        let mut clock = self.clock.clone();
        clock.last_epoch = epoch.to_f64().floor() as i64;
        let core = optimizer.core_mut();
        let lrs = self.schedule.lrs(&clock, &mut core.groups)?;
        self.set(core, clock, lrs)
    }
}
