//! What all families are tested by.

use firebrick::prelude::*;
use optim::SGD;
use optim::lr_scheduler::LrScheduler;

pub type Build = fn(&mut SGD) -> Result<Box<dyn LrScheduler>>;

/// A scheduler, the learning rates of nine epochs from 0.1, and the momentum at epoch 5, by PyTorch.
pub type Case = (Build, &'static [f64], f64);

pub fn boxed(scheduler: impl LrScheduler + 'static) -> Result<Box<dyn LrScheduler>> {
    Ok(Box::new(scheduler))
}

pub fn sgd() -> Result<SGD> {
    SGD::new([Parameter::new(Tensor::new([0.0f32])?)], 0.1).momentum(0.9).build()
}

pub fn lr(optimizer: &SGD) -> Result<f64> {
    optimizer.param_groups()[0].get_lr()
}

/// The learning rates and the momentum are PyTorch's, and a scheduler that is loaded goes on where the saved one stopped.
pub fn check(cases: &[Case]) -> Result<()> {
    cases.iter().enumerate().try_for_each(|(case, (build, expected, momentum))| {
        follow(case, build, expected, *momentum)?;
        resume(case, build, expected)
    })
}

fn follow(case: usize, build: &Build, expected: &[f64], momentum: f64) -> Result<()> {
    let mut optimizer = sgd()?;
    let mut scheduler = build(&mut optimizer)?;
    for (epoch, expected) in expected.iter().enumerate() {
        assert_eq!(lr(&optimizer)?, *expected, "case {case}, epoch {epoch}");
        assert_eq!(scheduler.get_last_lr(), [*expected]);
        if epoch == 5 {
            assert_eq!(optimizer.param_groups()[0].number("momentum")?, momentum, "case {case}");
        }
        optimizer.step()?;
        if epoch + 1 < 9 {
            scheduler.step(&mut optimizer)?;
        }
    }
    Ok(())
}

fn resume(case: usize, build: &Build, expected: &[f64]) -> Result<()> {
    let mut optimizer = sgd()?;
    let mut scheduler = build(&mut optimizer)?;
    optimizer.step()?;
    (0..4).try_for_each(|_| scheduler.step(&mut optimizer))?;
    let mut other = sgd()?;
    let mut resumed = build(&mut other)?;
    other.step()?;
    other.load_state_dict(&optimizer.state_dict())?;
    resumed.load_state_dict(&scheduler.state_dict())?;
    assert_eq!(resumed.state_dict().to_string(), scheduler.state_dict().to_string());
    for (epoch, expected) in expected.iter().enumerate().skip(5) {
        resumed.step(&mut other)?;
        assert_eq!(lr(&other)?, *expected, "case {case}, epoch {epoch}");
    }
    Ok(())
}
