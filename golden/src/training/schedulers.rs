//! Schedulers by name.

use crate::functional::Args;
use crate::value::Value;
use crate::{Failure, Out, not_built};
use firebrick::optim::Optimizer;
use firebrick::optim::lr_scheduler::{self as by, LrScheduler, Plateau, Schedule};

/// A scheduler, whose step may take the loss.
pub enum Scheduler {
    /// One that goes by the epoch.
    Epoch(Box<dyn LrScheduler>),
    /// One that goes by the loss.
    Loss(Box<Plateau>),
}

impl Scheduler {
    /// Steps after an epoch with this loss.
    pub fn step(&mut self, optimizer: &mut dyn Optimizer, loss: f64) -> firebrick::Result<()> {
        match self {
            Scheduler::Epoch(scheduler) => scheduler.step(optimizer),
            Scheduler::Loss(scheduler) => scheduler.step(optimizer, loss),
        }
    }

    /// The scheduler's state.
    pub fn state(&self) -> Value {
        Value::from(match self {
            Scheduler::Epoch(scheduler) => scheduler.state_dict(),
            Scheduler::Loss(scheduler) => scheduler.state_dict(),
        })
    }
}

/// Sets the options that are given by keyword.
macro_rules! with {
    ($a:ident, $schedule:expr; $($take:ident $($option:ident)+;)*) => {{
        let mut schedule = $schedule;
        $($(if let Some(value) = $a.$take(stringify!($option))? {
            schedule = schedule.$option(value);
        })+)*
        schedule
    }};
}

/// A scheduler of this class with these keyword arguments.
pub fn build(class: &str, options: Vec<(String, Value)>, optimizer: &mut dyn Optimizer) -> Out<Scheduler> {
    let mut a = Args::new([], options);
    let built = match class {
        "ReduceLROnPlateau" => {
            let plateau = with!(a, by::ReduceLROnPlateau::new(); maybe_text mode threshold_mode;
                maybe_scalar factor threshold min_lr eps; maybe_int patience cooldown;);
            Scheduler::Loss(Box::new(plateau.build(optimizer)?))
        }
        // The functions and parts are those of `models.py`.
        "SequentialLR" => {
            let warm_up = by::LinearLR::new().start_factor(0.1).total_iters(4).build(optimizer)?;
            let decay = by::ExponentialLR::new(0.9).build(optimizer)?;
            epoch(by::SequentialLR::new(optimizer, vec![Box::new(warm_up), Box::new(decay)], vec![4])?)
        }
        "ChainedScheduler" => {
            let warm_up = by::ConstantLR::new().factor(0.5).total_iters(3).build(optimizer)?;
            let decay = by::ExponentialLR::new(0.9).build(optimizer)?;
            epoch(by::ChainedScheduler::new(optimizer, vec![Box::new(warm_up), Box::new(decay)])?)
        }
        _ => by_epoch(class, &mut a, optimizer)?,
    };
    a.finish().map_err(|failure| match failure {
        Failure::NotBuilt(what) => Failure::NotBuilt(format!("{what} of lr_scheduler.{class}")),
        other => other,
    })?;
    Ok(built)
}

fn epoch(scheduler: impl LrScheduler + 'static) -> Scheduler {
    Scheduler::Epoch(Box::new(scheduler))
}

fn by_epoch(class: &str, a: &mut Args, optimizer: &mut dyn Optimizer) -> Out<Scheduler> {
    Ok(match class {
        "LambdaLR" => {
            a.take("note");
            epoch(by::LambdaLR::new(|epoch| 0.9f64.powf(epoch as f64)).build(optimizer)?)
        }
        "MultiplicativeLR" => {
            a.take("note");
            epoch(by::MultiplicativeLR::new(|_| 0.95).build(optimizer)?)
        }
        "StepLR" => epoch(with!(a, by::StepLR::new(a.int("step_size")?); maybe_scalar gamma;).build(optimizer)?),
        "MultiStepLR" => {
            let milestones = a.ints("milestones")?;
            epoch(with!(a, by::MultiStepLR::new(milestones); maybe_scalar gamma;).build(optimizer)?)
        }
        "ConstantLR" => {
            epoch(with!(a, by::ConstantLR::new(); maybe_scalar factor; maybe_int total_iters;).build(optimizer)?)
        }
        "LinearLR" => {
            let linear = with!(a, by::LinearLR::new(); maybe_scalar start_factor end_factor; maybe_int total_iters;);
            epoch(linear.build(optimizer)?)
        }
        "ExponentialLR" => epoch(by::ExponentialLR::new(a.scalar("gamma")?).build(optimizer)?),
        "PolynomialLR" => {
            epoch(with!(a, by::PolynomialLR::new(); maybe_int total_iters; maybe_scalar power;).build(optimizer)?)
        }
        "CosineAnnealingLR" => {
            let total = a.int("T_max")?;
            epoch(with!(a, by::CosineAnnealingLR::new(total); maybe_scalar eta_min;).build(optimizer)?)
        }
        "CosineAnnealingWarmRestarts" => {
            let mut restarts = by::CosineAnnealingWarmRestarts::new(a.int("T_0")?);
            if let Some(times) = a.maybe_int("T_mult")? {
                restarts = restarts.t_mult(times);
            }
            epoch(with!(a, restarts; maybe_scalar eta_min;).build(optimizer)?)
        }
        "CyclicLR" => epoch(cyclic(a)?.build(optimizer)?),
        "OneCycleLR" => epoch(one_cycle(a)?.build(optimizer)?),
        other => return not_built(format!("optim.lr_scheduler.{other}")),
    })
}

fn cyclic(a: &mut Args) -> Out<by::CyclicLR> {
    let cyclic = by::CyclicLR::new(a.scalar("base_lr")?, a.scalar("max_lr")?);
    let mut cyclic = with!(a, cyclic; maybe_int step_size_up; maybe_text mode scale_mode;
        maybe_scalar gamma base_momentum max_momentum; maybe_bool cycle_momentum;);
    if let Some(down) = a.maybe_int("step_size_down")? {
        cyclic = cyclic.step_size_down(down);
    }
    Ok(cyclic)
}

fn one_cycle(a: &mut Args) -> Out<by::OneCycleLR> {
    let max_lr = a.scalar("max_lr")?;
    let one_cycle = match a.maybe_int("total_steps")? {
        Some(total) => by::OneCycleLR::new(max_lr, total),
        None => by::OneCycleLR::of_epochs(max_lr, a.int("epochs")?, a.int("steps_per_epoch")?),
    };
    Ok(with!(a, one_cycle; maybe_float pct_start; maybe_text anneal_strategy; maybe_bool cycle_momentum three_phase;
        maybe_scalar base_momentum max_momentum div_factor final_div_factor;))
}
