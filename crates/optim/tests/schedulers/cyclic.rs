//! Cycles, and one cycle, of learning rate and momentum.

use crate::common::{boxed, check, lr, sgd};
use firebrick::prelude::*;
use firebrick::{ErrorKind, Value};
use optim::Adam;
use optim::lr_scheduler::{CyclicLR, LrScheduler, OneCycleLR, Schedule};

#[test]
fn learning_rates_are_pytorch_s_after_loading_too() -> Result<()> {
    check(&[
        (
            |o| boxed(CyclicLR::new(0.01, 0.1).step_size_up(2).build(o)?),
            &[
                0.01,
                0.05500000000000001,
                0.1,
                0.05500000000000001,
                0.01,
                0.05500000000000001,
                0.1,
                0.05500000000000001,
                0.01,
            ],
            0.8500000000000001,
        ),
        (
            |o| boxed(CyclicLR::new(0.01, 0.1).step_size_up(2).step_size_down(Some(3)).mode("triangular2").build(o)?),
            &[
                0.01,
                0.055,
                0.09999999999999999,
                0.06999999999999999,
                0.039999999999999994,
                0.01,
                0.03250000000000002,
                0.055,
                0.039999999999999994,
            ],
            0.9,
        ),
        (
            |o| boxed(CyclicLR::new(0.01, 0.1).step_size_up(3).mode("exp_range").gamma(0.9).build(o)?),
            &[
                0.01,
                0.03700000000000001,
                0.0586,
                0.07561000000000001,
                0.04936600000000002,
                0.027714699999999988,
                0.01,
                0.02434890700000003,
                0.03582803259999999,
            ],
            0.880317,
        ),
        (
            |o| boxed(CyclicLR::new([0.01], [0.1]).step_size_up(2).scale_fn(|x| 1.0 / x).build(o)?),
            &[0.01, 0.05500000000000001, 0.1, 0.05500000000000001, 0.01, 0.0325, 0.05500000000000001, 0.0325, 0.01],
            0.875,
        ),
        (
            |o| boxed(OneCycleLR::new(0.2, 8).build(o)?),
            &[
                0.008000000000000007,
                0.16385502097843843,
                0.19438835547750463,
                0.1623491307899526,
                0.11119680282454032,
                0.056612199641739844,
                0.015328318766851281,
                8e-07,
                0.015328318766851269,
            ],
            0.9216941869558779,
        ),
        (
            |o| {
                boxed(
                    OneCycleLR::of_epochs(0.2, 2, 6)
                        .three_phase(true)
                        .anneal_strategy("linear")
                        .pct_start(0.4)
                        .build(o)?,
                )
            },
            &[
                0.008,
                0.05852631578947367,
                0.10905263157894735,
                0.15957894736842104,
                0.1898947368421053,
                0.13936842105263164,
                0.08884210526315796,
                0.0383157894736843,
                0.007058917647058826,
            ],
            0.881578947368421,
        ),
    ])
}

#[test]
fn betas_and_learning_rates_that_are_tensors_are_scheduled() -> Result<()> {
    let p = Parameter::new(Tensor::new([0.0f32])?);
    let rate = Tensor::scalar(0.1)?;
    let mut optimizer = Adam::new([&p], rate.clone()).build()?;
    let mut scheduler = OneCycleLR::new(0.2, 4).pct_start(0.5).build(&mut optimizer)?;
    optimizer.step()?;
    scheduler.step(&mut optimizer)?;
    assert_eq!(rate.item::<f32>()?, 0.2);
    let group = &optimizer.param_groups()[0];
    assert_eq!(group.get("betas").map(Value::to_string).as_deref(), Some("(0.85, 0.999)"));
    assert_eq!(group.get("min_lr").map(Value::to_string).as_deref(), Some("8e-07"));
    Ok(())
}

#[test]
fn a_step_too_many_is_an_error_that_changes_nothing() -> Result<()> {
    let mut optimizer = sgd()?;
    let mut scheduler = OneCycleLR::new(0.2, 3).pct_start(0.7).build(&mut optimizer)?;
    optimizer.step()?;
    (0..3).try_for_each(|_| scheduler.step(&mut optimizer))?;
    let before = (scheduler.state_dict().to_string(), lr(&optimizer)?);
    let error = scheduler.step(&mut optimizer).expect_err("three steps");
    assert_eq!(error.to_string(), "Tried to step 4 times. The specified number of total steps is 3");
    assert_eq!((scheduler.state_dict().to_string(), lr(&optimizer)?), before);
    let error = scheduler.load_state_dict(&Value::dict([("last_epoch", "x".into())])).expect_err("not a number");
    assert_eq!(error.kind(), ErrorKind::Type);
    assert_eq!(scheduler.state_dict().to_string(), before.0);
    Ok(())
}
