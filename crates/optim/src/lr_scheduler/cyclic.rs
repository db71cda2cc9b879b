//! Learning rates that go up and down.

use super::fields::{Stored, fields, read, setters};
use super::{Clock, Fields, PerGroup, Schedule, quotient};
use crate::{OptimizerCore, ParamGroup};
use firebrick_core::{Error, Result, Scalar, Value};
use std::sync::Arc;

const OP: &str = "CyclicLR";

/// From `base_lr` to `max_lr` and back in straight lines, while the momentum goes the other way.
///
/// Smith, *Cyclical Learning Rates for Training Neural Networks*, WACV 2017. Compared with PyTorch 2.15. A step is
/// one batch.
///
/// | mode | what the height of a cycle is multiplied by |
/// |---|---|
/// | `triangular` | 1 |
/// | `triangular2` | one half for each cycle before |
/// | `exp_range` | `gamma^step` |
///
/// ```
/// use firebrick::prelude::*;
/// use optim::lr_scheduler::{CyclicLR, LrScheduler, Schedule};
/// let p = Parameter::new(Tensor::new([1.0f32])?);
/// let mut optimizer = optim::SGD::new([&p], 1.0).momentum(0.9).build()?;
/// let mut scheduler = CyclicLR::new(0.5, 1.0).step_size_up(2).build(&mut optimizer)?;
/// optimizer.step()?;
/// let mut lrs = scheduler.get_last_lr();
/// for _ in 0..4 {
///     scheduler.step(&mut optimizer)?;
///     lrs.extend(scheduler.get_last_lr());
/// }
/// assert_eq!(lrs, [0.5, 0.75, 1.0, 0.75, 0.5]);
/// # Ok::<_, firebrick::Error>(())
/// ```
#[derive(Clone)]
pub struct CyclicLR {
    base_lr: PerGroup,
    max_lr: PerGroup,
    base_lrs: Vec<Scalar>,
    max_lrs: Vec<Scalar>,
    step_size_up: i64,
    step_size_down: Option<i64>,
    total_size: f64,
    step_ratio: f64,
    mode: String,
    gamma: Scalar,
    scale: Option<Arc<dyn Fn(f64) -> f64 + Send + Sync>>,
    scale_mode: String,
    cycle_momentum: bool,
    base_momentum: PerGroup,
    max_momentum: PerGroup,
    momentum: CyclicMomentum,
}

/// Momenta of the groups, known when the scheduler is built.
#[derive(Clone, Default)]
struct CyclicMomentum {
    use_beta1: bool,
    base_momentums: Vec<Scalar>,
    max_momentums: Vec<Scalar>,
}

fields!(CyclicMomentum {
    use_beta1 => "use_beta1",
    base_momentums => "base_momentums",
    max_momentums => "max_momentums",
});

impl Fields for CyclicLR {
    fn save(&self) -> Vec<(&'static str, Value)> {
        let mut all = vec![
            ("max_lrs", self.max_lrs.to_value()),
            ("total_size", self.total_size.into()),
            ("step_ratio", self.step_ratio.into()),
            ("mode", self.mode.to_value()),
            ("gamma", self.gamma.into()),
            ("scale_mode", self.scale_mode.to_value()),
            ("cycle_momentum", self.cycle_momentum.into()),
        ];
        if self.cycle_momentum {
            all.extend(self.momentum.save());
        }
        all
    }

    fn load(&mut self, state: &Value) -> Result<()> {
        let mut new = self.clone();
        new.max_lrs = read(state, "max_lrs")?.unwrap_or(new.max_lrs);
        new.total_size = read(state, "total_size")?.unwrap_or(new.total_size);
        new.step_ratio = read(state, "step_ratio")?.unwrap_or(new.step_ratio);
        new.mode = read(state, "mode")?.unwrap_or(new.mode);
        new.gamma = read(state, "gamma")?.unwrap_or(new.gamma);
        new.scale_mode = read(state, "scale_mode")?.unwrap_or(new.scale_mode);
        new.cycle_momentum = read(state, "cycle_momentum")?.unwrap_or(new.cycle_momentum);
        new.momentum.load(state)?;
        *self = new;
        Ok(())
    }
}

setters!(CyclicLR {
    /// Steps from `base_lr` to `max_lr`; 2000 unless set.
    step_size_up: i64;
    /// Steps back; as many unless set.
    step_size_down: Option<i64>;
    /// `triangular` (unless set), `triangular2` or `exp_range`.
    mode: String;
    /// The base of `exp_range`; 1 unless set.
    gamma: Scalar;
    /// Whether a scale function of one's own is given the `cycle` (unless set), from 1, or the `iterations`.
    scale_mode: String;
    /// Does the momentum (or the first beta) go the other way? It does unless set.
    cycle_momentum: bool;
    /// The momentum at the top; 0.8 unless set.
    base_momentum: PerGroup;
    /// The momentum at the bottom; 0.9 unless set.
    max_momentum: PerGroup;
});

impl CyclicLR {
    /// Between these learning rates.
    ///
    /// ```
    /// use firebrick::prelude::*;
    /// use optim::lr_scheduler::{CyclicLR, LrScheduler, Schedule};
    /// let p = Parameter::new(Tensor::new([1.0f32])?);
    /// let mut optimizer = optim::SGD::new([&p], 1.0).momentum(0.9).build()?;
    /// let mut scheduler = CyclicLR::new(0.0, 1.0)
    ///     .step_size_up(1)
    ///     .step_size_down(2)
    ///     .mode("exp_range")
    ///     .gamma(0.5)
    ///     .cycle_momentum(true)
    ///     .base_momentum(0.5)
    ///     .max_momentum(1.0)
    ///     .build(&mut optimizer)?;
    /// optimizer.step()?;
    /// scheduler.step(&mut optimizer)?;
    /// let momentum = optimizer.param_groups()[0].number("momentum")?;
    /// assert!((scheduler.get_last_lr()[0] - 0.5).abs() < 1e-12 && (momentum - 0.75).abs() < 1e-12);
    /// # Ok::<_, firebrick::Error>(())
    /// ```
    pub fn new(base_lr: impl Into<PerGroup>, max_lr: impl Into<PerGroup>) -> Self {
        CyclicLR {
            base_lr: base_lr.into(),
            max_lr: max_lr.into(),
            base_lrs: Vec::new(),
            max_lrs: Vec::new(),
            step_size_up: 2000,
            step_size_down: None,
            total_size: 0.0,
            step_ratio: 0.0,
            mode: "triangular".to_owned(),
            gamma: 1.0.into(),
            scale: None,
            scale_mode: "cycle".to_owned(),
            cycle_momentum: true,
            base_momentum: 0.8.into(),
            max_momentum: 0.9.into(),
            momentum: CyclicMomentum::default(),
        }
    }

    /// What the height of a cycle is multiplied by, in the place of a mode.
    ///
    /// ```
    /// use firebrick::prelude::*;
    /// use optim::lr_scheduler::{CyclicLR, LrScheduler, Schedule};
    /// let p = Parameter::new(Tensor::new([1.0f32])?);
    /// let mut optimizer = optim::SGD::new([&p], 1.0).build()?;
    /// let schedule = CyclicLR::new(0.0, 1.0).step_size_up(1).cycle_momentum(false);
    /// let schedule = schedule.scale_fn(|cycle| 1.0 / cycle).scale_mode("cycle");
    /// let mut scheduler = schedule.build(&mut optimizer)?;
    /// optimizer.step()?;
    /// let mut lrs = scheduler.get_last_lr();
    /// for _ in 0..4 {
    ///     scheduler.step(&mut optimizer)?;
    ///     lrs.extend(scheduler.get_last_lr());
    /// }
    /// assert_eq!(lrs, [0.0, 1.0, 0.0, 0.5, 0.0]);
    /// # Ok::<_, firebrick::Error>(())
    /// ```
    pub fn scale_fn(mut self, scale: impl Fn(f64) -> f64 + Send + Sync + 'static) -> Self {
        self.scale = Some(Arc::new(scale));
        self
    }

    fn factor(&self, cycle: f64, epoch: f64) -> f64 {
        let x = if self.scale_mode == "cycle" { cycle } else { epoch };
        match (&self.scale, self.mode.as_str()) {
            (Some(scale), _) => scale(x),
            (None, "triangular2") => 1.0 / 2f64.powf(x - 1.0),
            (None, "exp_range") => self.gamma.to_f64().powf(x),
            (None, _) => 1.0,
        }
    }
}

impl Schedule for CyclicLR {
    fn prepare(&mut self, core: &mut OptimizerCore, fresh: bool) -> Result<()> {
        let groups = core.groups.len();
        self.base_lrs = self.base_lr.of("base_lr", groups)?;
        self.max_lrs = self.max_lr.of("max_lr", groups)?;
        let up = self.step_size_up as f64;
        self.total_size = up + self.step_size_down.map_or(up, |down| down as f64);
        self.step_ratio = quotient(up, self.total_size)?;
        if self.scale.is_none() {
            self.scale_mode = match self.mode.as_str() {
                "triangular" | "triangular2" => "cycle".to_owned(),
                "exp_range" => "iterations".to_owned(),
                _ => return Err(Error::value(OP, "mode is invalid and scale_fn is None")),
            };
        }
        if self.cycle_momentum {
            let (base, max) = (&self.base_momentum, &self.max_momentum);
            self.momentum = CyclicMomentum {
                use_beta1: uses_beta1(core)?,
                base_momentums: base.of("base_momentum", groups)?,
                max_momentums: max.of("max_momentum", groups)?,
            };
        }
        if fresh {
            for (group, lr) in core.groups.iter_mut().zip(&self.base_lrs) {
                set_lr(group, *lr)?;
            }
            if self.cycle_momentum {
                begin_momentum(core, &self.momentum.base_momentums, &self.momentum.max_momentums);
            }
        }
        Ok(())
    }

    fn lrs(&self, clock: &Clock, groups: &mut [ParamGroup]) -> Result<Option<Vec<f64>>> {
        let epoch = clock.last_epoch as f64;
        let passed = quotient(epoch, self.total_size)?;
        let cycle = (1.0 + passed).floor();
        let x = 1.0 + passed - cycle;
        let height = match x <= self.step_ratio {
            true => quotient(x, self.step_ratio)?,
            false => quotient(x - 1.0, self.step_ratio - 1.0)?,
        };
        let factor = self.factor(cycle, epoch);
        if self.cycle_momentum {
            let CyclicMomentum { use_beta1, base_momentums, max_momentums } = &self.momentum;
            for (group, (base, max)) in groups.iter_mut().zip(base_momentums.iter().zip(max_momentums)) {
                let fall = (max.to_f64() - base.to_f64()) * height;
                set_momentum(group, *use_beta1, (max.to_f64() - fall * factor).into());
            }
        }
        let lr = |(base, max): (&Scalar, &Scalar)| {
            let rise = (max.to_f64() - base.to_f64()) * height;
            base.to_f64() + rise * factor
        };
        Ok(Some(self.base_lrs.iter().zip(&self.max_lrs).map(lr).collect()))
    }

    fn base_lrs(&self) -> Option<Vec<Value>> {
        Some(self.base_lrs.iter().map(|&lr| lr.into()).collect())
    }

    fn save_last(&self) -> Vec<(&'static str, Value)> {
        vec![("_scale_fn_custom", Value::None)]
    }
}

fn set_lr(group: &mut ParamGroup, lr: Scalar) -> Result<()> {
    match group.get("lr") {
        Some(Value::Tensor(_)) => group.set_lr(lr.to_f64()),
        _ => {
            group.set("lr", lr);
            Ok(())
        }
    }
}

/// Whether the momentum of an optimizer is the first of its betas.
pub(super) fn uses_beta1(core: &OptimizerCore) -> Result<bool> {
    let betas = core.defaults.contains_key("betas");
    if !betas && !core.defaults.contains_key("momentum") {
        let text = "optimizer must support momentum or beta1 with `cycle_momentum` option enabled";
        return Err(Error::value("lr_scheduler", text));
    }
    Ok(betas)
}

/// Gives each group its highest momentum, and notes both ends.
pub(super) fn begin_momentum(core: &mut OptimizerCore, base: &[Scalar], max: &[Scalar]) {
    let use_beta1 = core.defaults.contains_key("betas");
    for (group, (base, max)) in core.groups.iter_mut().zip(base.iter().zip(max)) {
        set_momentum(group, use_beta1, (*max).into());
        group.set("max_momentum", *max);
        group.set("base_momentum", *base);
    }
}

pub(super) fn set_momentum(group: &mut ParamGroup, use_beta1: bool, momentum: Value) {
    if !use_beta1 {
        return group.set("momentum", momentum);
    }
    let rest = group.get("betas").and_then(Value::as_slice).into_iter().flatten().skip(1).cloned();
    let betas = Value::Tuple(std::iter::once(momentum).chain(rest).collect());
    group.set("betas", betas);
}
