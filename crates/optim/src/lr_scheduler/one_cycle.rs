//! Learning rates that rise once and fall to almost nothing.

use super::cyclic::{begin_momentum, set_momentum, uses_beta1};
use super::fields::{Stored, read, setters};
use super::{Clock, Fields, PerGroup, Schedule, quotient};
use crate::{OptimizerCore, ParamGroup};
use firebrick_core::{Error, Result, Scalar, Value};
use std::f64::consts::PI;

const OP: &str = "OneCycleLR";

/// From `max_lr / div_factor` to `max_lr` in the first part of the training, then down to the first learning rate
/// over `final_div_factor`, while the momentum goes the other way.
///
/// Smith and Topin, *Super-Convergence*, arXiv:1708.07120 (2017). Compared with PyTorch 2.15. A step is one batch.
///
/// ```
/// use firebrick::prelude::*;
/// use optim::lr_scheduler::{LrScheduler, OneCycleLR, Schedule};
/// let p = Parameter::new(Tensor::new([1.0f32])?);
/// let mut optimizer = optim::SGD::new([&p], 1.0).momentum(0.9).build()?;
/// let mut scheduler = OneCycleLR::new(1.0, 5).pct_start(0.6).anneal_strategy("linear").build(&mut optimizer)?;
/// optimizer.step()?;
/// let mut lrs = scheduler.get_last_lr();
/// for _ in 0..3 {
///     scheduler.step(&mut optimizer)?;
///     lrs.extend(scheduler.get_last_lr());
/// }
/// assert_eq!(lrs, [0.04, 0.52, 1.0, 0.500_002_000_000_000_1]);
/// # Ok::<_, firebrick::Error>(())
/// ```
#[derive(Clone)]
pub struct OneCycleLR {
    max_lr: PerGroup,
    epochs: Option<(i64, i64)>,
    total_steps: i64,
    pct_start: f64,
    anneal_strategy: String,
    cycle_momentum: bool,
    base_momentum: PerGroup,
    max_momentum: PerGroup,
    div_factor: Scalar,
    final_div_factor: Scalar,
    three_phase: bool,
    phases: Vec<Phase>,
    use_beta1: bool,
}

/// A part of the schedule: until which step, and between which options of the groups.
#[derive(Clone)]
struct Phase {
    end_step: Scalar,
    lr: [String; 2],
    momentum: [String; 2],
}

impl Phase {
    fn new(end_step: impl Into<Scalar>, lr: [&str; 2], momentum: [&str; 2]) -> Phase {
        let own = |names: [&str; 2]| names.map(str::to_owned);
        Phase { end_step: end_step.into(), lr: own(lr), momentum: own(momentum) }
    }
}

impl Stored for Phase {
    fn to_value(&self) -> Value {
        let text = |text: &String| text.to_value();
        Value::dict([
            ("end_step", self.end_step.into()),
            ("start_lr", text(&self.lr[0])),
            ("end_lr", text(&self.lr[1])),
            ("start_momentum", text(&self.momentum[0])),
            ("end_momentum", text(&self.momentum[1])),
        ])
    }

    fn from_value(value: &Value) -> Option<Self> {
        let text = |name: &str| value.get(name)?.as_str();
        let (lr, momentum) = ([text("start_lr")?, text("end_lr")?], [text("start_momentum")?, text("end_momentum")?]);
        Some(Phase::new(Scalar::from_value(value.get("end_step")?)?, lr, momentum))
    }
}

impl Fields for OneCycleLR {
    fn save(&self) -> Vec<(&'static str, Value)> {
        let mut all = vec![
            ("total_steps", self.total_steps.into()),
            ("_schedule_phases", self.phases.to_value()),
            ("_anneal_func_type", self.anneal_strategy.to_value()),
            ("cycle_momentum", self.cycle_momentum.into()),
        ];
        if self.cycle_momentum {
            all.push(("use_beta1", self.use_beta1.into()));
        }
        all
    }

    fn load(&mut self, state: &Value) -> Result<()> {
        let mut new = self.clone();
        new.total_steps = read(state, "total_steps")?.unwrap_or(new.total_steps);
        new.phases = read(state, "_schedule_phases")?.unwrap_or(new.phases);
        new.anneal_strategy = read(state, "_anneal_func_type")?.unwrap_or(new.anneal_strategy);
        new.cycle_momentum = read(state, "cycle_momentum")?.unwrap_or(new.cycle_momentum);
        new.use_beta1 = read(state, "use_beta1")?.unwrap_or(new.use_beta1);
        *self = new;
        Ok(())
    }
}

setters!(OneCycleLR {
    /// The part of the steps in which the learning rate rises; 0.3 unless set.
    pct_start: f64;
    /// `cos` (unless set) or `linear`.
    anneal_strategy: String;
    /// Does the momentum (or the first beta) go the other way? It does unless set.
    cycle_momentum: bool;
    /// The momentum at the top; 0.85 unless set.
    base_momentum: PerGroup;
    /// The momentum at both ends; 0.95 unless set.
    max_momentum: PerGroup;
    /// How many times less than `max_lr` the first learning rate is; 25 unless set.
    div_factor: Scalar;
    /// How many times less than the first the last learning rate is; 1e4 unless set.
    final_div_factor: Scalar;
    /// Back to the first learning rate as quickly as up, and only then further down? Off unless set.
    three_phase: bool;
});

impl OneCycleLR {
    /// Up to `max_lr`, in a training of `total_steps` batches.
    ///
    /// ```
    /// use firebrick::prelude::*;
    /// use optim::lr_scheduler::{LrScheduler, OneCycleLR, Schedule};
    /// let p = Parameter::new(Tensor::new([1.0f32])?);
    /// let mut optimizer = optim::SGD::new([&p], 1.0).momentum(0.9).build()?;
    /// let mut scheduler = OneCycleLR::new(1.0, 6)
    ///     .pct_start(0.5)
    ///     .anneal_strategy("linear")
    ///     .cycle_momentum(true)
    ///     .base_momentum(0.5)
    ///     .max_momentum(1.0)
    ///     .div_factor(4)
    ///     .final_div_factor(2)
    ///     .three_phase(true)
    ///     .build(&mut optimizer)?;
    /// optimizer.step()?;
    /// let (mut lrs, mut momenta) = (scheduler.get_last_lr(), vec![1.0]);
    /// for _ in 0..5 {
    ///     scheduler.step(&mut optimizer)?;
    ///     lrs.extend(scheduler.get_last_lr());
    ///     momenta.push(optimizer.param_groups()[0].number("momentum")?);
    /// }
    /// assert_eq!(lrs, [0.25, 0.625, 1.0, 0.625, 0.25, 0.125]);
    /// assert_eq!(momenta, [1.0, 0.75, 0.5, 0.75, 1.0, 1.0]);
    /// # Ok::<_, firebrick::Error>(())
    /// ```
    pub fn new(max_lr: impl Into<PerGroup>, total_steps: i64) -> Self {
        OneCycleLR {
            max_lr: max_lr.into(),
            epochs: None,
            total_steps,
            pct_start: 0.3,
            anneal_strategy: "cos".to_owned(),
            cycle_momentum: true,
            base_momentum: 0.85.into(),
            max_momentum: 0.95.into(),
            div_factor: 25.0.into(),
            final_div_factor: 1e4.into(),
            three_phase: false,
            phases: Vec::new(),
            use_beta1: false,
        }
    }

    /// Up to `max_lr`, in a training of so many epochs of so many batches.
    ///
    /// ```
    /// use firebrick::prelude::*;
    /// use optim::lr_scheduler::{LrScheduler, OneCycleLR, Schedule};
    /// let p = Parameter::new(Tensor::new([1.0f32])?);
    /// let mut optimizer = optim::SGD::new([&p], 1.0).build()?;
    /// let mut scheduler = OneCycleLR::of_epochs(1.0, 2, 3).cycle_momentum(false).build(&mut optimizer)?;
    /// optimizer.step()?;
    /// for _ in 0..5 {
    ///     scheduler.step(&mut optimizer)?;
    /// }
    /// assert!((scheduler.get_last_lr()[0] - 4e-6).abs() < 1e-12); // 1 / 25 / 1e4
    /// # Ok::<_, firebrick::Error>(())
    /// ```
    pub fn of_epochs(max_lr: impl Into<PerGroup>, epochs: i64, steps_per_epoch: i64) -> Self {
        let total = epochs.saturating_mul(steps_per_epoch);
        OneCycleLR { epochs: Some((epochs, steps_per_epoch)), ..OneCycleLR::new(max_lr, total) }
    }

    fn check(&self) -> Result<()> {
        let positive = |name: &str, value: i64| match value > 0 {
            true => Ok(()),
            false => Err(Error::value(OP, format!("Expected positive integer {name}, but got {value}"))),
        };
        match self.epochs {
            None => positive("total_steps", self.total_steps)?,
            Some((epochs, steps)) => {
                positive("epochs", epochs)?;
                positive("steps_per_epoch", steps)?;
            }
        }
        if !(0.0..=1.0).contains(&self.pct_start) {
            let given = Value::from(self.pct_start);
            return Err(Error::value(OP, format!("Expected float between 0 and 1 pct_start, but got {given}")));
        }
        if !["cos", "linear"].contains(&self.anneal_strategy.as_str()) {
            let text =
                format!("anneal_strategy must be one of 'cos' or 'linear', instead got {}", self.anneal_strategy);
            return Err(Error::value(OP, text));
        }
        Ok(())
    }

    fn plan(&self) -> Vec<Phase> {
        let rise = self.pct_start * self.total_steps as f64;
        let up = Phase::new(rise - 1.0, ["initial_lr", "max_lr"], ["max_momentum", "base_momentum"]);
        let end = self.total_steps - 1;
        if !self.three_phase {
            return vec![up, Phase::new(end, ["max_lr", "min_lr"], ["base_momentum", "max_momentum"])];
        }
        let back = 2.0 * self.pct_start * self.total_steps as f64 - 2.0;
        vec![
            up,
            Phase::new(back, ["max_lr", "initial_lr"], ["base_momentum", "max_momentum"]),
            Phase::new(end, ["initial_lr", "min_lr"], ["max_momentum", "max_momentum"]),
        ]
    }

    fn between(&self, group: &ParamGroup, [start, end]: &[String; 2], part: f64) -> Result<f64> {
        let (start, end) = (group.number(start)?, group.number(end)?);
        Ok(match self.anneal_strategy.as_str() {
            "cos" => end + (start - end) / 2.0 * ((PI * part).cos() + 1.0),
            _ => (end - start) * part + start,
        })
    }
}

impl Schedule for OneCycleLR {
    fn prepare(&mut self, core: &mut OptimizerCore, fresh: bool) -> Result<()> {
        self.check()?;
        self.phases = self.plan();
        let groups = core.groups.len();
        let max_lrs = self.max_lr.of("max_lr", groups)?;
        if self.cycle_momentum {
            self.use_beta1 = uses_beta1(core)?;
            let max = self.max_momentum.of("max_momentum", groups)?;
            let base = self.base_momentum.of("base_momentum", groups)?;
            if fresh {
                self.begin_lrs(core, &max_lrs)?;
                begin_momentum(core, &base, &max);
            }
        } else if fresh {
            self.begin_lrs(core, &max_lrs)?;
        }
        Ok(())
    }

    fn lrs(&self, clock: &Clock, groups: &mut [ParamGroup]) -> Result<Option<Vec<f64>>> {
        let (step, total) = (clock.last_epoch, self.total_steps);
        if step > total {
            let text = format!("Tried to step {step} times. The specified number of total steps is {total}");
            return Err(Error::value(OP, text));
        }
        let step = step as f64;
        let at = self.phases.iter().position(|phase| step <= phase.end_step.to_f64());
        let at = at.unwrap_or(self.phases.len().saturating_sub(1));
        let Some(phase) = self.phases.get(at) else { return Ok(None) };
        let start = if at == 0 { 0.0 } else { self.phases[at - 1].end_step.to_f64() };
        let part = quotient(step - start, phase.end_step.to_f64() - start)?;
        let lrs = groups.iter().map(|group| self.between(group, &phase.lr, part)).collect::<Result<Vec<_>>>()?;
        if self.cycle_momentum {
            for group in groups {
                let momentum = self.between(group, &phase.momentum, part)?;
                set_momentum(group, self.use_beta1, momentum.into());
            }
        }
        Ok(Some(lrs))
    }
}

impl OneCycleLR {
    fn begin_lrs(&self, core: &mut OptimizerCore, max_lrs: &[Scalar]) -> Result<()> {
        for (group, max) in core.groups.iter_mut().zip(max_lrs) {
            let first = quotient(max.to_f64(), self.div_factor.to_f64())?;
            group.set("initial_lr", first);
            group.set("max_lr", *max);
            group.set("min_lr", quotient(first, self.final_div_factor.to_f64())?);
        }
        Ok(())
    }
}
