//! What schedulers refuse.

use crate::common::sgd;
use firebrick::prelude::*;
use optim::lr_scheduler::{
    ChainedScheduler, ConstantLR, CosineAnnealingLR, CosineAnnealingWarmRestarts, CyclicLR, LambdaLR, LinearLR,
    OneCycleLR, ReduceLROnPlateau, SWALR, Schedule, SequentialLR,
};

#[test]
fn bad_options_are_refused_in_pytorch_s_words() -> Result<()> {
    let o = &mut sgd()?;
    let plain = &mut optim::Adagrad::new([Parameter::new(Tensor::new([0.0f32])?)], 0.1).build()?;
    let cases: Vec<(Option<Error>, &str)> = vec![
        (
            ConstantLR::new().factor(1.5).build(o).err(),
            "Constant multiplicative factor expected to be between 0 and 1.",
        ),
        (
            LinearLR::new().start_factor(0).build(o).err(),
            "Starting multiplicative factor expected to be greater than 0 and less or equal to 1.",
        ),
        (LinearLR::new().end_factor(2).build(o).err(), "Ending multiplicative factor expected to be between 0 and 1."),
        (CyclicLR::new(0.1, 0.2).mode("other").build(o).err(), "mode is invalid and scale_fn is None"),
        (
            CyclicLR::new([0.1, 0.2], 0.2).build(o).err(),
            "base_lr must have the same length as optimizer.param_groups. base_lr has 2 values, param_groups has 1.",
        ),
        (
            CyclicLR::new(0.1, 0.2).build(plain).err(),
            "optimizer must support momentum or beta1 with `cycle_momentum` option enabled",
        ),
        (OneCycleLR::new(0.1, 0).build(o).err(), "Expected positive integer total_steps, but got 0"),
        (OneCycleLR::of_epochs(0.1, 0, 3).build(o).err(), "Expected positive integer epochs, but got 0"),
        (
            OneCycleLR::new(0.1, 3).pct_start(2.0).build(o).err(),
            "Expected float between 0 and 1 pct_start, but got 2.0",
        ),
        (
            OneCycleLR::new(0.1, 3).anneal_strategy("x").build(o).err(),
            "anneal_strategy must be one of 'cos' or 'linear', instead got x",
        ),
        (CosineAnnealingWarmRestarts::new(0).build(o).err(), "Expected positive integer T_0, but got 0"),
        (CosineAnnealingWarmRestarts::new(1).t_mult(0).build(o).err(), "Expected integer T_mult >= 1, but got 0"),
        (ReduceLROnPlateau::new().factor(1).build(o).err(), "Factor should be < 1.0."),
        (ReduceLROnPlateau::new().mode("x").build(o).err(), "mode x is unknown!"),
        (ReduceLROnPlateau::new().threshold_mode("x").build(o).err(), "threshold mode x is unknown!"),
        (ReduceLROnPlateau::new().min_lr([0.1, 0.2]).build(o).err(), "expected 1 min_lrs, got 2"),
        (SWALR::new(0.1).anneal_epochs(-1).build(o).err(), "anneal_epochs must be equal or greater than 0, got -1"),
        (LambdaLR::each(vec![]).build(o).err(), "Expected 1 lr_lambdas, but got 0"),
        (
            SequentialLR::new(o, vec![], vec![]).err(),
            "SequentialLR expects at least one scheduler, but got no scheduler.",
        ),
        (
            ChainedScheduler::new(o, vec![]).err(),
            "ChainedScheduler expects at least one scheduler to be chained, but got no scheduler.",
        ),
        (CosineAnnealingLR::new(0).build(o).err(), "integer modulo by zero"),
    ];
    for (error, text) in cases {
        assert_eq!(error.map(|e| e.to_string()).as_deref(), Some(text));
    }
    Ok(())
}
