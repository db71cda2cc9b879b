//! What all schedulers do: count, set learning rates, save and load.

use super::Fields;
use super::fields::{Stored, read};
use crate::{Optimizer, OptimizerCore, ParamGroup};
use firebrick_core::warn;
use firebrick_core::{Error, Result, Value};

const OP: &str = "lr_scheduler";

/// Where a scheduler stands.
///
/// ```
/// use firebrick::prelude::*;
/// use optim::lr_scheduler::{Clock, Fields, LrScheduler, Schedule};
/// use optim::ParamGroup;
/// # use firebrick::Value;
/// /// A learning rate that falls by one part in `epoch + 1`.
/// struct Harmonic;
/// # impl Fields for Harmonic {
/// #     fn save(&self) -> Vec<(&'static str, Value)> {
/// #         Vec::new()
/// #     }
/// #     fn load(&mut self, _: &Value) -> Result<()> {
/// #         Ok(())
/// #     }
/// # }
///
/// impl Schedule for Harmonic {
///     fn lrs(&self, clock: &Clock, _: &mut [ParamGroup]) -> Result<Option<Vec<f64>>> {
///         let part = 1.0 / (clock.last_epoch + 1) as f64;
///         Ok(Some(clock.base_lrs()?.into_iter().map(|lr| lr * part).collect()))
///     }
/// }
///
/// let p = Parameter::new(Tensor::new([1.0f32])?);
/// let mut optimizer = optim::SGD::new([&p], 1.0).build()?;
/// let mut scheduler = Harmonic.build(&mut optimizer)?;
/// optimizer.step()?;
/// scheduler.step(&mut optimizer)?;
/// assert_eq!(scheduler.get_last_lr(), [0.5]);
/// # Ok::<_, firebrick::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct Clock {
    /// Learning rates of the groups at the start.
    pub(super) base_lrs: Vec<Value>,
    /// The epoch, from 0.
    pub last_epoch: i64,
    /// Steps made, the initial one included.
    pub step_count: i64,
    /// Is this the step that is made when the scheduler is built?
    pub is_initial: bool,
}

impl Clock {
    /// The learning rate of each group at the start.
    ///
    /// # Errors
    /// A loaded state held something else.
    pub fn base_lrs(&self) -> Result<Vec<f64>> {
        let wrong = || Error::type_(OP, "a base learning rate is not a number");
        self.base_lrs.iter().map(|lr| number(lr).ok_or_else(wrong)).collect()
    }

    /// Each group's learning rate at the start, changed by `f`.
    pub(super) fn scale_base(&self, f: impl Fn(f64) -> f64) -> Result<Option<Vec<f64>>> {
        Ok(Some(self.base_lrs()?.into_iter().map(f).collect()))
    }
}

/// Each group's present learning rate, changed by `f`.
pub(super) fn scale_present(groups: &[ParamGroup], f: impl Fn(f64) -> f64) -> Result<Option<Vec<f64>>> {
    groups.iter().map(|group| group.get_lr().map(&f)).collect::<Result<_>>().map(Some)
}

fn number(lr: &Value) -> Option<f64> {
    match lr {
        Value::Tensor(lr) => lr.item().ok(),
        lr => lr.as_f64(),
    }
}

/// A value of a group that its later changes do not reach.
fn copied(value: &Value) -> Result<Value> {
    match value {
        Value::Tensor(tensor) => tensor.detach().copy().map(Value::Tensor),
        value => Ok(value.clone()),
    }
}

pub(super) fn present_lrs(groups: &[ParamGroup]) -> Result<Vec<Value>> {
    let missing = || Error::key(OP, "'lr'");
    groups.iter().map(|group| copied(group.get("lr").ok_or_else(missing)?)).collect()
}

pub(super) fn numbers(lrs: &[Value]) -> Vec<f64> {
    lrs.iter().map(|lr| number(lr).unwrap_or(f64::NAN)).collect()
}

/// How learning rates follow from the epoch: what a kind of scheduler is.
///
/// ```
/// use firebrick::prelude::*;
/// use firebrick::Value;
/// use optim::lr_scheduler::{Clock, Fields, LrScheduler, Schedule};
/// use optim::{OptimizerCore, ParamGroup};
/// /// The learning rate and a part of it, by turns.
/// struct Flicker {
///     part: f64,
/// }
///
/// impl Fields for Flicker {
///     fn save(&self) -> Vec<(&'static str, Value)> {
///         Vec::new()
///     }
///
///     fn load(&mut self, _: &Value) -> Result<()> {
///         Ok(())
///     }
/// }
///
/// impl Schedule for Flicker {
///     fn prepare(&mut self, _: &mut OptimizerCore, _: bool) -> Result<()> {
///         if self.part > 0.0 { Ok(()) } else { Err(Error::value("Flicker", "a part is above zero")) }
///     }
///
///     fn tick(&mut self, clock: &mut Clock) {
///         clock.step_count += 1;
///         clock.last_epoch = (clock.last_epoch + 1) % 2;
///     }
///
///     fn lrs(&self, clock: &Clock, _: &mut [ParamGroup]) -> Result<Option<Vec<f64>>> {
///         let part = if clock.last_epoch == 0 { 1.0 } else { self.part };
///         Ok(Some(clock.base_lrs()?.into_iter().map(|lr| lr * part).collect()))
///     }
/// }
///
/// let p = Parameter::new(Tensor::new([1.0f32])?);
/// let mut optimizer = optim::SGD::new([&p], 1.0).build()?;
/// assert!(Flicker { part: 0.0 }.build(&mut optimizer).is_err());
/// let mut scheduler = Flicker { part: 0.5 }.build(&mut optimizer)?;
/// optimizer.step()?;
/// let mut lrs = scheduler.get_last_lr();
/// for _ in 0..2 {
///     scheduler.step(&mut optimizer)?;
///     lrs.extend(scheduler.get_last_lr());
/// }
/// assert_eq!(lrs, [1.0, 0.5, 1.0]);
/// # Ok::<_, firebrick::Error>(())
/// ```
pub trait Schedule: Fields + Send {
    /// Checks the options and makes the groups ready. `fresh`: training begins, rather than goes on.
    ///
    /// # Errors
    /// An option outside its domain.
    fn prepare(&mut self, core: &mut OptimizerCore, fresh: bool) -> Result<()> {
        let _ = (core, fresh);
        Ok(())
    }

    /// Goes to the next epoch.
    fn tick(&mut self, clock: &mut Clock) {
        clock.step_count += 1;
        clock.last_epoch += 1;
    }

    /// The learning rates of the groups at the epoch of `clock`, from those of the epoch before; `None`: they stay.
    ///
    /// # Errors
    /// There are none.
    fn lrs(&self, clock: &Clock, groups: &mut [ParamGroup]) -> Result<Option<Vec<f64>>>;

    /// The same, from the first learning rates alone, where there is such a form: used where a schedule begins anew, as in a
    /// [`SequentialLR`](super::SequentialLR).
    ///
    /// # Errors
    /// There are none.
    fn closed_form(&self, clock: &Clock, groups: &mut [ParamGroup]) -> Result<Option<Vec<f64>>> {
        self.lrs(clock, groups)
    }

    /// Learning rates to count from, other than those of the groups.
    fn base_lrs(&self) -> Option<Vec<Value>> {
        None
    }

    /// Entries that stand last in the state.
    #[doc(hidden)]
    fn save_last(&self) -> Vec<(&'static str, Value)> {
        Vec::new()
    }

    /// The scheduler of an optimizer, whose first learning rate it sets.
    ///
    /// # Errors
    /// An option outside its domain, in PyTorch's words.
    ///
    /// ```
    /// use firebrick::prelude::*;
    /// use optim::lr_scheduler::{LrScheduler, Schedule, StepLR};
    /// let p = Parameter::new(Tensor::new([1.0f32])?);
    /// let mut optimizer = optim::SGD::new([&p], 0.5).build()?;
    /// let scheduler = StepLR::new(2).build(&mut optimizer)?;
    /// assert_eq!((scheduler.last_epoch(), scheduler.get_last_lr()), (0, vec![0.5]));
    /// # Ok::<_, firebrick::Error>(())
    /// ```
    fn build(self, optimizer: &mut dyn Optimizer) -> Result<Scheduler<Self>>
    where
        Self: Sized,
    {
        Scheduler::new(self, optimizer.core_mut(), -1)
    }

    /// The scheduler of an optimizer whose training goes on after `last_epoch`.
    ///
    /// # Errors
    /// An option outside its domain; a group without `initial_lr`.
    ///
    /// ```
    /// use firebrick::prelude::*;
    /// use optim::lr_scheduler::{LrScheduler, Schedule, StepLR};
    /// use optim::ParamGroup;
    /// let p = Parameter::new(Tensor::new([1.0f32])?);
    /// let group = ParamGroup::new([&p]).lr(0.25).option("initial_lr", 1.0);
    /// let mut optimizer = optim::SGD::new([group], 1.0).build()?;
    /// let scheduler = StepLR::new(2).gamma(0.5).build_at(&mut optimizer, 4)?;
    /// assert_eq!((scheduler.last_epoch(), scheduler.get_last_lr()), (5, vec![0.25]));
    /// # Ok::<_, firebrick::Error>(())
    /// ```
    fn build_at(self, optimizer: &mut dyn Optimizer, last_epoch: i64) -> Result<Scheduler<Self>>
    where
        Self: Sized,
    {
        Scheduler::new(self, optimizer.core_mut(), last_epoch)
    }
}

/// A scheduler of learning rates: PyTorch's `LRScheduler`.
///
/// ```
/// use firebrick::prelude::*;
/// use optim::lr_scheduler::{LrScheduler, Schedule, StepLR};
/// let p = Parameter::new(Tensor::new([1.0f32])?);
/// let mut optimizer = optim::SGD::new([&p], 1.0).build()?;
/// let mut scheduler: Box<dyn LrScheduler> = Box::new(StepLR::new(1).gamma(0.5).build(&mut optimizer)?);
/// optimizer.step()?;
/// scheduler.step(&mut optimizer)?;
/// assert_eq!(scheduler.get_last_lr(), [0.5]);
/// # Ok::<_, firebrick::Error>(())
/// ```
pub trait LrScheduler: Send {
    /// Goes to the next epoch and sets the learning rates of the optimizer's groups. To be called after the
    /// optimizer's own steps.
    ///
    /// # Errors
    /// There are no learning rates for this epoch; the optimizer has another number of groups.
    ///
    /// ```
    /// use firebrick::prelude::*;
    /// use optim::lr_scheduler::{LrScheduler, Schedule, StepLR};
    /// let p = Parameter::new(Tensor::new([1.0f32])?);
    /// let mut optimizer = optim::SGD::new([&p], 1.0).build()?;
    /// let mut scheduler = StepLR::new(1).gamma(0.5).build(&mut optimizer)?;
    /// for _epoch in 0..2 {
    ///     optimizer.step()?;
    ///     scheduler.step(&mut optimizer)?;
    /// }
    /// assert_eq!(optimizer.param_groups()[0].get_lr()?, 0.25);
    /// # Ok::<_, firebrick::Error>(())
    /// ```
    fn step(&mut self, optimizer: &mut dyn Optimizer) -> Result<()> {
        self.advance(optimizer.core_mut())
    }

    /// The learning rates that were set last.
    ///
    /// ```
    /// use firebrick::prelude::*;
    /// use optim::lr_scheduler::{LrScheduler, Schedule, StepLR};
    /// use optim::ParamGroup;
    /// let (p, q) = (Parameter::new(Tensor::new([1.0f32])?), Parameter::new(Tensor::new([1.0f32])?));
    /// let groups = [ParamGroup::new([&p]), ParamGroup::new([&q]).lr(0.5)];
    /// let mut optimizer = optim::SGD::new(groups, 0.1).build()?;
    /// assert_eq!(StepLR::new(1).build(&mut optimizer)?.get_last_lr(), [0.1, 0.5]);
    /// # Ok::<_, firebrick::Error>(())
    /// ```
    fn get_last_lr(&self) -> Vec<f64>;

    /// Options and counts, by PyTorch's names.
    ///
    /// ```
    /// use firebrick::prelude::*;
    /// use optim::lr_scheduler::{LrScheduler, Schedule, StepLR};
    /// let p = Parameter::new(Tensor::new([1.0f32])?);
    /// let mut optimizer = optim::SGD::new([&p], 1.0).build()?;
    /// let state = StepLR::new(3).gamma(0.5).build(&mut optimizer)?.state_dict();
    /// assert!(state.to_string().starts_with("{'step_size': 3, 'gamma': 0.5, 'base_lrs': [1.0], 'last_epoch': 0,"));
    /// # Ok::<_, firebrick::Error>(())
    /// ```
    fn state_dict(&self) -> Value;

    /// Takes over what [`LrScheduler::state_dict`] returned; learning rates of the optimizer are in its own state.
    ///
    /// # Errors
    /// An entry of another kind; nothing has changed then.
    ///
    /// ```
    /// use firebrick::prelude::*;
    /// use optim::lr_scheduler::{LrScheduler, Schedule, StepLR};
    /// let p = Parameter::new(Tensor::new([1.0f32])?);
    /// let mut optimizer = optim::SGD::new([&p], 1.0).build()?;
    /// let mut before = StepLR::new(2).gamma(0.5).build(&mut optimizer)?;
    /// optimizer.step()?;
    /// before.step(&mut optimizer)?;
    /// let mut resumed = StepLR::new(7).build(&mut optimizer)?;
    /// resumed.load_state_dict(&before.state_dict())?;
    /// resumed.step(&mut optimizer)?;
    /// assert_eq!((resumed.last_epoch(), resumed.get_last_lr()), (2, vec![0.5]));
    /// # Ok::<_, firebrick::Error>(())
    /// ```
    fn load_state_dict(&mut self, state_dict: &Value) -> Result<()>;

    /// Goes to the next epoch.
    #[doc(hidden)]
    fn advance(&mut self, core: &mut OptimizerCore) -> Result<()>;

    /// Makes the first step again, at the present epoch plus one: for schedulers made of others.
    #[doc(hidden)]
    fn initial_step(&mut self, core: &mut OptimizerCore) -> Result<()>;

    /// Begins at epoch 0.
    #[doc(hidden)]
    fn restart(&mut self, core: &mut OptimizerCore) -> Result<()>;

    /// Takes back an epoch.
    #[doc(hidden)]
    fn undo(&mut self);
}

/// The scheduler of a [`Schedule`].
///
/// ```
/// use firebrick::prelude::*;
/// use optim::lr_scheduler::{LrScheduler, Schedule, StepLR};
/// use optim::lr_scheduler::Scheduler;
/// let p = Parameter::new(Tensor::new([1.0f32])?);
/// let mut optimizer = optim::SGD::new([&p], 1.0).build()?;
/// let mut scheduler: Scheduler<StepLR> = StepLR::new(1).gamma(0.5).build(&mut optimizer)?;
/// optimizer.step()?;
/// scheduler.step(&mut optimizer)?;
/// assert_eq!((scheduler.last_epoch(), scheduler.get_last_lr()), (1, vec![0.5]));
/// # Ok::<_, firebrick::Error>(())
/// ```
pub struct Scheduler<S> {
    pub(super) schedule: S,
    pub(super) clock: Clock,
    last_lr: Vec<Value>,
}

impl<S: Schedule> Scheduler<S> {
    fn new(mut schedule: S, core: &mut OptimizerCore, last_epoch: i64) -> Result<Self> {
        schedule.prepare(core, last_epoch == -1)?;
        let mut base_lrs = Vec::new();
        for (i, group) in core.groups.iter_mut().enumerate() {
            if last_epoch == -1 && group.get("initial_lr").is_none() {
                let lr = copied(group.get("lr").ok_or_else(|| Error::key(OP, "'lr'"))?)?;
                group.set("initial_lr", lr);
            }
            base_lrs.push(copied(group.get("initial_lr").ok_or_else(|| no_initial_lr(i))?)?);
        }
        let clock = Clock { base_lrs, last_epoch, step_count: 0, is_initial: true };
        let mut scheduler = Scheduler { schedule, clock, last_lr: Vec::new() };
        scheduler.initial_step(core)?;
        if let Some(base_lrs) = scheduler.schedule.base_lrs() {
            scheduler.clock.base_lrs = base_lrs;
        }
        Ok(scheduler)
    }

    /// The options.
    ///
    /// ```
    /// use firebrick::prelude::*;
    /// use optim::lr_scheduler::{LrScheduler, Schedule, StepLR};
    /// let p = Parameter::new(Tensor::new([1.0f32])?);
    /// let mut optimizer = optim::SGD::new([&p], 1.0).build()?;
    /// let scheduler = StepLR::new(1).gamma(0.5).build(&mut optimizer)?;
    /// assert_eq!(format!("{:?}", scheduler.schedule()), "StepLR { step_size: 1, gamma: Float(0.5) }");
    /// # Ok::<_, firebrick::Error>(())
    /// ```
    pub fn schedule(&self) -> &S {
        &self.schedule
    }

    /// The epoch, from 0.
    ///
    /// ```
    /// use firebrick::prelude::*;
    /// use optim::lr_scheduler::{LrScheduler, Schedule, StepLR};
    /// let p = Parameter::new(Tensor::new([1.0f32])?);
    /// let mut optimizer = optim::SGD::new([&p], 1.0).build()?;
    /// let mut scheduler = StepLR::new(1).build(&mut optimizer)?;
    /// optimizer.step()?;
    /// scheduler.step(&mut optimizer)?;
    /// assert_eq!(scheduler.last_epoch(), 1);
    /// # Ok::<_, firebrick::Error>(())
    /// ```
    pub fn last_epoch(&self) -> i64 {
        self.clock.last_epoch
    }

    /// Sets the learning rates of an epoch; on an error the epoch is not reached.
    pub(super) fn set(&mut self, core: &mut OptimizerCore, clock: Clock, lrs: Option<Vec<f64>>) -> Result<()> {
        if let Some(lrs) = lrs {
            if lrs.len() != core.groups.len() {
                return Err(Error::value(OP, "the optimizer has another number of parameter groups")
                    .given(core.groups.len().to_string())
                    .expected(lrs.len().to_string()));
            }
            core.groups.iter_mut().zip(lrs).try_for_each(|(group, lr)| group.set_lr(lr))?;
        }
        self.last_lr = present_lrs(&core.groups)?;
        self.clock = clock;
        Ok(())
    }
}

#[cold]
fn no_initial_lr(group: usize) -> Error {
    Error::key(
        OP,
        format!(
            "param 'initial_lr' is not specified in param_groups[{group}] when resuming scheduler with last_epoch >= 0.\n\
             This typically happens when:\n\
             1. You're trying to resume training from a checkpoint but haven't properly loaded the optimizer state\n\
             2. You're using last_epoch >= 0 for a fresh training run (not recommended)"
        ),
    )
}

impl<S: Schedule> LrScheduler for Scheduler<S> {
    fn advance(&mut self, core: &mut OptimizerCore) -> Result<()> {
        if self.clock.step_count == 1 && !core.stepped {
            warn(
                "Detected call of `lr_scheduler.step()` before `optimizer.step()`. In PyTorch 1.1.0 and later, you should call them in the opposite order: `optimizer.step()` before `lr_scheduler.step()`.  Failure to do this will result in PyTorch skipping the first value of the learning rate schedule. See more details at https://pytorch.org/docs/stable/optim.html#how-to-adjust-learning-rate",
            );
        }
        let mut clock = self.clock.clone();
        self.schedule.tick(&mut clock);
        let lrs = self.schedule.lrs(&clock, &mut core.groups)?;
        self.set(core, clock, lrs)
    }

    fn get_last_lr(&self) -> Vec<f64> {
        numbers(&self.last_lr)
    }

    fn state_dict(&self) -> Value {
        let clock = &self.clock;
        let common = [
            ("base_lrs", clock.base_lrs.to_value()),
            ("last_epoch", clock.last_epoch.into()),
            ("_step_count", clock.step_count.into()),
            ("_is_initial", clock.is_initial.into()),
            ("_get_lr_called_within_step", false.into()),
            ("_last_lr", self.last_lr.to_value()),
        ];
        Value::dict(self.schedule.save().into_iter().chain(common).chain(self.schedule.save_last()))
    }

    fn load_state_dict(&mut self, state_dict: &Value) -> Result<()> {
        let base_lrs = read(state_dict, "base_lrs")?;
        let (last_epoch, step_count) = (read(state_dict, "last_epoch")?, read(state_dict, "_step_count")?);
        let last_lr = read(state_dict, "_last_lr")?;
        self.schedule.load(state_dict)?;
        let clock = &mut self.clock;
        clock.base_lrs = base_lrs.unwrap_or_else(|| clock.base_lrs.clone());
        clock.last_epoch = last_epoch.unwrap_or(clock.last_epoch);
        clock.step_count = step_count.unwrap_or(clock.step_count);
        self.last_lr = last_lr.unwrap_or_else(|| self.last_lr.clone());
        Ok(())
    }

    fn initial_step(&mut self, core: &mut OptimizerCore) -> Result<()> {
        self.clock.step_count = 0;
        self.clock.is_initial = true;
        let made = self.advance(core);
        self.clock.is_initial = false;
        made
    }

    fn restart(&mut self, core: &mut OptimizerCore) -> Result<()> {
        let clock = Clock { last_epoch: 0, ..self.clock.clone() };
        let lrs = self.schedule.closed_form(&clock, &mut core.groups)?;
        self.set(core, clock, lrs)
    }

    fn undo(&mut self) {
        self.clock.last_epoch -= 1;
    }
}
