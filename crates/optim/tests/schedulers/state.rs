//! What is saved, and training that goes on.

use crate::common::{lr, sgd};
use firebrick::ErrorKind;
use firebrick::prelude::*;
use optim::lr_scheduler::{LambdaLR, LrScheduler, MultiStepLR, ReduceLROnPlateau, SWALR, Schedule, StepLR};

#[test]
fn states_are_pytorch_s() -> Result<()> {
    let optimizer = &mut sgd()?;
    let count = "'last_epoch': 0, '_step_count': 1, '_is_initial': False, '_get_lr_called_within_step': False";
    let steps = MultiStepLR::new([2, 4, 4]).build(optimizer)?.state_dict().to_string();
    let expected =
        format!("{{'milestones': {{2: 1, 4: 2}}, 'gamma': 0.1, 'base_lrs': [0.1], {count}, '_last_lr': [0.1]}}");
    assert_eq!(steps, expected);
    let lambda = LambdaLR::new(|_| 1.0).build(optimizer)?.state_dict().to_string();
    assert_eq!(lambda, format!("{{'base_lrs': [0.1], {count}, '_last_lr': [0.1], 'lr_lambdas': [None]}}"));
    let swa = SWALR::new(0.05).build(optimizer)?.state_dict().to_string();
    let expected = "{'_anneal_strategy': 'cos', 'anneal_epochs': 10, 'base_lrs': [0.1], ";
    assert!(swa.starts_with(expected), "{swa}");
    let plateau = ReduceLROnPlateau::new().build(optimizer)?.state_dict().to_string();
    assert_eq!(
        plateau,
        "{'factor': 0.1, 'default_min_lr': 0, 'min_lrs': [0], 'patience': 10, 'cooldown': 0, 'eps': 1e-08, 'last_epoch': 0, '_last_lr': [0.1], 'mode_worse': inf, 'mode': 'min', 'threshold': 0.0001, 'threshold_mode': 'rel', 'best': inf, 'cooldown_counter': 0, 'num_bad_epochs': 0}"
    );
    Ok(())
}

#[test]
fn training_goes_on_after_an_epoch() -> Result<()> {
    let mut optimizer = sgd()?;
    let error = StepLR::new(2).build_at(&mut optimizer, 3).err().expect("there is no initial_lr");
    let text = "param 'initial_lr' is not specified in param_groups[0] when resuming scheduler with last_epoch >= 0.";
    assert!(error.kind() == ErrorKind::Key && error.to_string().starts_with(text), "{error}");
    let mut scheduler = StepLR::new(2).gamma(0.5).build(&mut optimizer)?;
    optimizer.step()?;
    (0..3).try_for_each(|_| scheduler.step(&mut optimizer))?;
    let mut resumed = StepLR::new(2).gamma(0.5).build_at(&mut optimizer, 3)?;
    let mut lrs = vec![lr(&optimizer)?];
    for _ in 0..3 {
        resumed.step(&mut optimizer)?;
        lrs.push(lr(&optimizer)?);
    }
    assert_eq!(lrs, [0.025, 0.025, 0.0125, 0.0125]);
    Ok(())
}
