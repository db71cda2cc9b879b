//! Schedulers made of others.

use super::LrScheduler;
use super::fields::{Stored, read};
use super::scheduler::{numbers, present_lrs};
use crate::{Optimizer, OptimizerCore};
use firebrick_core::{Error, Result, Value};

type Parts = Vec<Box<dyn LrScheduler>>;

fn save(parts: &Parts) -> Value {
    Value::List(parts.iter().map(|part| part.state_dict()).collect())
}

/// Loads every part, or none.
fn load(parts: &mut Parts, state_dict: &Value) -> Result<()> {
    let Some(states) = state_dict.get("_schedulers") else { return Ok(()) };
    let states = states.as_slice().unwrap_or_default();
    if states.len() != parts.len() {
        return Err(Error::value("load_state_dict", "loaded state dict has a different number of schedulers")
            .given(states.len().to_string())
            .expected(parts.len().to_string()));
    }
    let before = save(parts);
    let loaded = parts.iter_mut().zip(states).try_for_each(|(part, state)| part.load_state_dict(state));
    if loaded.is_err() {
        let before = before.as_slice().unwrap_or_default();
        parts.iter_mut().zip(before).try_for_each(|(part, state)| part.load_state_dict(state))?;
    }
    loaded
}

/// One scheduler after the other: the next one begins, at its epoch 0, at each milestone.
///
/// Compared with PyTorch 2.15.
///
/// ```
/// use firebrick::prelude::*;
/// use optim::lr_scheduler::{ConstantLR, ExponentialLR, LrScheduler, Schedule, SequentialLR};
/// let p = Parameter::new(Tensor::new([1.0f32])?);
/// let mut optimizer = optim::SGD::new([&p], 1.0).build()?;
/// let warm_up = ConstantLR::new().factor(0.5).build(&mut optimizer)?;
/// let decay = ExponentialLR::new(0.5).build(&mut optimizer)?;
/// let mut scheduler = SequentialLR::new(&mut optimizer, vec![Box::new(warm_up), Box::new(decay)], vec![2])?;
/// optimizer.step()?;
/// let mut lrs = scheduler.get_last_lr();
/// for _ in 0..3 {
///     scheduler.step(&mut optimizer)?;
///     lrs.extend(scheduler.get_last_lr());
/// }
/// assert_eq!(lrs, [0.5, 0.5, 1.0, 0.5]);
/// # Ok::<_, firebrick::Error>(())
/// ```
pub struct SequentialLR {
    parts: Parts,
    milestones: Vec<i64>,
    last_epoch: i64,
    last_lr: Vec<Value>,
}

impl SequentialLR {
    /// These schedulers of the optimizer, each from its milestone on, the first from the start.
    ///
    /// # Errors
    /// No schedulers; a number of milestones that is not one less than theirs.
    pub fn new(
        optimizer: &mut dyn Optimizer,
        schedulers: Vec<Box<dyn LrScheduler>>,
        milestones: Vec<i64>,
    ) -> Result<Self> {
        const OP: &str = "SequentialLR";
        if schedulers.is_empty() {
            return Err(Error::value(OP, "SequentialLR expects at least one scheduler, but got no scheduler."));
        }
        if milestones.len() != schedulers.len() - 1 {
            return Err(Error::value(
                OP,
                format!(
                    "Sequential Schedulers expects number of schedulers provided to be one more than the number of milestone points, but got number of schedulers {} and the number of milestones to be equal to {}",
                    schedulers.len(),
                    milestones.len()
                ),
            ));
        }
        let core = optimizer.core_mut();
        for group in &mut core.groups {
            let first = group.number("initial_lr")?;
            match group.get("initial_lr").cloned() {
                Some(lr) if lr.as_tensor().is_none() && group.get("lr").is_some_and(|lr| lr.as_tensor().is_none()) => {
                    group.set("lr", lr);
                }
                _ => group.set_lr(first)?,
            }
        }
        let mut all = SequentialLR { parts: schedulers, milestones, last_epoch: 0, last_lr: Vec::new() };
        // Each of them has made its first step when it was built.
        all.parts.iter_mut().for_each(|part| part.undo());
        let first = all.at(0);
        all.parts[first].initial_step(core)?;
        all.last_lr = present_lrs(&core.groups)?;
        Ok(all)
    }

    /// The scheduler of an epoch.
    fn at(&self, epoch: i64) -> usize {
        self.milestones.partition_point(|&milestone| milestone <= epoch)
    }
}

impl LrScheduler for SequentialLR {
    fn advance(&mut self, core: &mut OptimizerCore) -> Result<()> {
        let epoch = self.last_epoch + 1;
        let at = self.at(epoch);
        if at > 0 && self.milestones[at - 1] == epoch {
            self.parts[at].restart(core)?;
        } else {
            self.parts[at].advance(core)?;
        }
        self.last_epoch = epoch;
        self.last_lr = present_lrs(&core.groups)?;
        Ok(())
    }

    fn get_last_lr(&self) -> Vec<f64> {
        numbers(&self.last_lr)
    }

    fn state_dict(&self) -> Value {
        Value::dict([
            ("_milestones", self.milestones.to_value()),
            ("last_epoch", self.last_epoch.into()),
            ("_last_lr", self.last_lr.to_value()),
            ("_schedulers", save(&self.parts)),
        ])
    }

    fn load_state_dict(&mut self, state_dict: &Value) -> Result<()> {
        let milestones: Option<Vec<i64>> = read(state_dict, "_milestones")?;
        let (last_epoch, last_lr) = (read(state_dict, "last_epoch")?, read(state_dict, "_last_lr")?);
        let milestones = milestones.unwrap_or_else(|| self.milestones.clone());
        if milestones.len() + 1 != self.parts.len() {
            return Err(Error::value("load_state_dict", "loaded state dict has a different number of milestones"));
        }
        load(&mut self.parts, state_dict)?;
        self.milestones = milestones;
        self.last_epoch = last_epoch.unwrap_or(self.last_epoch);
        self.last_lr = last_lr.unwrap_or_else(|| self.last_lr.clone());
        Ok(())
    }

    fn initial_step(&mut self, core: &mut OptimizerCore) -> Result<()> {
        self.advance(core)
    }

    fn restart(&mut self, _: &mut OptimizerCore) -> Result<()> {
        Err(no_restart())
    }

    fn undo(&mut self) {
        self.parts.iter_mut().for_each(|part| part.undo());
    }
}

#[cold]
fn no_restart() -> Error {
    Error::not_implemented("SequentialLR", "a scheduler made of others can only be the first one of a sequence")
}

/// Schedulers that act together: each one's step changes what the one before it has set.
///
/// Compared with PyTorch 2.15.
///
/// ```
/// use firebrick::prelude::*;
/// use optim::lr_scheduler::{ChainedScheduler, ConstantLR, ExponentialLR, LrScheduler, Schedule};
/// let p = Parameter::new(Tensor::new([1.0f32])?);
/// let mut optimizer = optim::SGD::new([&p], 1.0).build()?;
/// let warm_up = ConstantLR::new().factor(0.5).total_iters(2).build(&mut optimizer)?;
/// let decay = ExponentialLR::new(0.5).build(&mut optimizer)?;
/// let mut scheduler = ChainedScheduler::new(&mut optimizer, vec![Box::new(warm_up), Box::new(decay)])?;
/// optimizer.step()?;
/// let mut lrs = scheduler.get_last_lr();
/// for _ in 0..2 {
///     scheduler.step(&mut optimizer)?;
///     lrs.extend(scheduler.get_last_lr());
/// }
/// assert_eq!(lrs, [0.5, 0.25, 0.25]);
/// # Ok::<_, firebrick::Error>(())
/// ```
pub struct ChainedScheduler {
    parts: Parts,
    last_lr: Vec<Value>,
}

impl ChainedScheduler {
    /// These schedulers of the optimizer, in this order.
    ///
    /// # Errors
    /// No schedulers.
    pub fn new(optimizer: &mut dyn Optimizer, schedulers: Vec<Box<dyn LrScheduler>>) -> Result<Self> {
        if schedulers.is_empty() {
            let text = "ChainedScheduler expects at least one scheduler to be chained, but got no scheduler.";
            return Err(Error::value("ChainedScheduler", text));
        }
        Ok(ChainedScheduler { parts: schedulers, last_lr: present_lrs(&optimizer.core().groups)? })
    }
}

impl LrScheduler for ChainedScheduler {
    fn advance(&mut self, core: &mut OptimizerCore) -> Result<()> {
        self.parts.iter_mut().try_for_each(|part| part.advance(core))?;
        self.last_lr = present_lrs(&core.groups)?;
        Ok(())
    }

    fn get_last_lr(&self) -> Vec<f64> {
        numbers(&self.last_lr)
    }

    fn state_dict(&self) -> Value {
        Value::dict([("_last_lr", self.last_lr.to_value()), ("_schedulers", save(&self.parts))])
    }

    fn load_state_dict(&mut self, state_dict: &Value) -> Result<()> {
        let last_lr = read(state_dict, "_last_lr")?;
        load(&mut self.parts, state_dict)?;
        self.last_lr = last_lr.unwrap_or_else(|| self.last_lr.clone());
        Ok(())
    }

    fn initial_step(&mut self, core: &mut OptimizerCore) -> Result<()> {
        self.advance(core)
    }

    fn restart(&mut self, _: &mut OptimizerCore) -> Result<()> {
        Err(no_restart())
    }

    fn undo(&mut self) {
        self.parts.iter_mut().for_each(|part| part.undo());
    }
}
