//! Schedulers of schedulers.

use crate::common::{boxed, check};
use firebrick::prelude::*;
use optim::SGD;
use optim::lr_scheduler::{
    ChainedScheduler, ConstantLR, CosineAnnealingLR, ExponentialLR, LinearLR, Schedule, SequentialLR, StepLR,
};

fn sequential(o: &mut SGD) -> Result<SequentialLR> {
    let first = LinearLR::new().start_factor(0.1).total_iters(3).build(o)?;
    let (second, third) = (CosineAnnealingLR::new(4).build(o)?, StepLR::new(1).gamma(0.5).build(o)?);
    SequentialLR::new(o, vec![Box::new(first), Box::new(second), Box::new(third)], vec![3, 6])
}

fn chained(o: &mut SGD) -> Result<ChainedScheduler> {
    let first = LinearLR::new().start_factor(0.5).total_iters(3).build(o)?;
    let second = StepLR::new(2).gamma(0.5).build(o)?;
    ChainedScheduler::new(o, vec![Box::new(first), Box::new(second)])
}

fn nested(o: &mut SGD) -> Result<SequentialLR> {
    let first = ConstantLR::new().factor(0.5).total_iters(2).build(o)?;
    let second = ExponentialLR::new(0.9).build(o)?;
    let chain = ChainedScheduler::new(o, vec![Box::new(first), Box::new(second)])?;
    let last = ExponentialLR::new(0.5).build(o)?;
    SequentialLR::new(o, vec![Box::new(chain), Box::new(last)], vec![3])
}

#[test]
fn learning_rates_are_pytorch_s_after_loading_too() -> Result<()> {
    check(&[
        (
            |o| boxed(sequential(o)?),
            &[0.010000000000000002, 0.04, 0.07, 0.1, 0.08535533905932738, 0.05, 0.1, 0.05, 0.025],
            0.9,
        ),
        (
            |o| boxed(chained(o)?),
            &[
                0.05,
                0.06666666666666667,
                0.041666666666666664,
                0.049999999999999996,
                0.024999999999999998,
                0.024999999999999998,
                0.012499999999999999,
                0.012499999999999999,
                0.0062499999999999995,
            ],
            0.9,
        ),
        (
            |o| boxed(nested(o)?),
            &[
                0.045000000000000005,
                0.04050000000000001,
                0.07290000000000002,
                0.1,
                0.05,
                0.025,
                0.0125,
                0.00625,
                0.003125,
            ],
            0.9,
        ),
    ])
}
