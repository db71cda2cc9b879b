//! Learning rates that fall when a number gets no better.

use crate::common::{lr, sgd};
use firebrick::prelude::*;
use optim::lr_scheduler::ReduceLROnPlateau;

#[test]
fn plateaus_are_left_when_the_best_number_is_beaten() -> Result<()> {
    let mut optimizer = sgd()?;
    let mut scheduler =
        ReduceLROnPlateau::new().mode("max").patience(0).cooldown(1).threshold_mode("abs").threshold(0.5).min_lr(0.02);
    scheduler = scheduler.factor(0.5);
    let mut scheduler = scheduler.build(&mut optimizer)?;
    let mut lrs = Vec::new();
    for number in [1.0, 1.4, 1.4, 1.4, f64::NAN, 9.0, 1.0, 1.0, 1.0] {
        scheduler.step(&mut optimizer, number)?;
        lrs.push(lr(&optimizer)?);
    }
    assert_eq!(lrs, [0.1, 0.05, 0.05, 0.025, 0.025, 0.025, 0.02, 0.02, 0.02]);
    Ok(())
}
