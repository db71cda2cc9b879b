//! Learning rates that are annealed: along a cosine, with restarts, to that of averaged weights.

use crate::common::{boxed, check, lr, sgd};
use firebrick::prelude::*;
use optim::lr_scheduler::{CosineAnnealingLR, CosineAnnealingWarmRestarts, LrScheduler, SWALR, Schedule};

#[test]
fn learning_rates_are_pytorch_s_after_loading_too() -> Result<()> {
    check(&[
        (
            |o| boxed(CosineAnnealingLR::new(3).build(o)?),
            &[
                0.1,
                0.07500000000000001,
                0.025000000000000015,
                0.0,
                0.024999999999999994,
                0.07500000000000005,
                0.10000000000000006,
                0.07500000000000007,
                0.025000000000000053,
            ],
            0.9,
        ),
        (
            |o| boxed(CosineAnnealingLR::new(4).eta_min(0.02).build(o)?),
            &[
                0.1,
                0.08828427124746191,
                0.06,
                0.0317157287525381,
                0.02,
                0.0317157287525381,
                0.06000000000000001,
                0.08828427124746194,
                0.10000000000000005,
            ],
            0.9,
        ),
        (
            |o| boxed(CosineAnnealingWarmRestarts::new(2).build(o)?),
            &[0.1, 0.05, 0.1, 0.05, 0.1, 0.05, 0.1, 0.05, 0.1],
            0.9,
        ),
        (
            |o| boxed(CosineAnnealingWarmRestarts::new(2).t_mult(2).eta_min(0.01).build(o)?),
            &[
                0.1,
                0.05500000000000001,
                0.1,
                0.08681980515339464,
                0.05500000000000001,
                0.023180194846605363,
                0.1,
                0.0965745789630079,
                0.08681980515339464,
            ],
            0.9,
        ),
        (
            |o| boxed(SWALR::new(0.05).anneal_epochs(3).build(o)?),
            &[0.1, 0.08750000000000001, 0.06250000000000001, 0.05, 0.05, 0.05, 0.05, 0.05, 0.05],
            0.9,
        ),
        (
            |o| boxed(SWALR::new(0.05).anneal_epochs(0).anneal_strategy("linear").build(o)?),
            &[0.05, 0.05, 0.05, 0.05, 0.05, 0.05, 0.05, 0.05, 0.05],
            0.9,
        ),
    ])
}

#[test]
fn warm_restarts_take_fractions_of_epochs() -> Result<()> {
    let mut optimizer = sgd()?;
    let mut scheduler = CosineAnnealingWarmRestarts::new(2).t_mult(2).build(&mut optimizer)?;
    let expected = [0.08535533905932738, 0.030865828381745515, 0.1, 0.0691341716182545, 0.1, 0.00024076366639015913];
    for (epoch, expected) in [0.5, 1.25, 2.0, 3.5, 6.0, 13.75].into_iter().zip(expected) {
        scheduler.step_to(&mut optimizer, epoch)?;
        assert_eq!(lr(&optimizer)?, expected);
    }
    assert!(scheduler.state_dict().to_string().contains("'T_i': 8, 'T_mult': 2, 'eta_min': 0.0, 'T_cur': 7.75"));
    let error = scheduler.step_to(&mut optimizer, -1).expect_err("before the start");
    assert_eq!(error.to_string(), "Expected non-negative epoch, but got -1");
    Ok(())
}
