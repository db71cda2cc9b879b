//! Learning rates by functions.

use crate::common::{boxed, check};
use firebrick::prelude::*;
use optim::lr_scheduler::{LambdaLR, LrScheduler, MultiplicativeLR, Schedule};
use optim::{ParamGroup, SGD};

#[test]
fn learning_rates_are_pytorch_s_after_loading_too() -> Result<()> {
    check(&[
        (
            |o| boxed(LambdaLR::new(|epoch| 0.95f64.powf(epoch as f64)).build(o)?),
            &[
                0.1,
                0.095,
                0.09025,
                0.0857375,
                0.081450625,
                0.07737809374999999,
                0.07350918906249998,
                0.06983372960937498,
                0.06634204312890622,
            ],
            0.9,
        ),
        (
            |o| boxed(MultiplicativeLR::new(|epoch| 1.0 / epoch as f64).build(o)?),
            &[
                0.1,
                0.1,
                0.05,
                0.016666666666666666,
                0.004166666666666667,
                0.0008333333333333334,
                0.0001388888888888889,
                1.984126984126984e-05,
                2.48015873015873e-06,
            ],
            0.9,
        ),
    ])
}

#[test]
fn groups_have_learning_rates_of_their_own() -> Result<()> {
    let leaf = || Ok::<_, Error>(Parameter::new(Tensor::new([0.0f32])?));
    let groups = [ParamGroup::new([leaf()?]), ParamGroup::new([leaf()?]).lr(1.0)];
    let mut optimizer = SGD::new(groups, 0.5).build()?;
    let halves = LambdaLR::each(vec![Box::new(|epoch| 0.5f64.powf(epoch as f64)), Box::new(|_| 1.0)]);
    let mut scheduler = halves.build(&mut optimizer)?;
    optimizer.step()?;
    scheduler.step(&mut optimizer)?;
    assert_eq!(scheduler.get_last_lr(), [0.25, 1.0]);
    optimizer.add_param_group(ParamGroup::new([leaf()?]))?;
    let error = scheduler.step(&mut optimizer).expect_err("a group without a function");
    assert_eq!(error.to_string(), "the optimizer has another number of parameter groups");
    assert_eq!(scheduler.last_epoch(), 1);
    Ok(())
}
