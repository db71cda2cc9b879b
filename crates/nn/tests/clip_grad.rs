//! Clipping gradients, against PyTorch 2.15.

use firebrick::prelude::*;
use nn::utils::{ClipOptions, clip_grad_norm_, clip_grad_norm_with, get_total_norm};

fn with_grad(grad: &[f32]) -> Result<Parameter> {
    let p = Parameter::new(Tensor::zeros([grad.len()])?);
    p.set_grad(Some(&Tensor::from_slice(grad, [grad.len()])?))?;
    Ok(p)
}

fn grad(p: &Parameter) -> Result<Vec<f32>> {
    p.grad().expect("set above").to_vec()
}

#[test]
fn gradients_below_the_norm_stay() -> Result<()> {
    let p = with_grad(&[3.0, 4.0])?;
    assert_eq!(clip_grad_norm_([&p], 100.0)?.item::<f32>()?, 5.0);
    assert_eq!(grad(&p)?, [3.0, 4.0]);
    Ok(())
}

#[test]
fn the_norm_is_that_of_all_gradients_together() -> Result<()> {
    let (a, b) = (with_grad(&[2.0, 4.0])?, with_grad(&[4.0])?);
    let without = Parameter::new(Tensor::zeros([5])?);
    assert_eq!(clip_grad_norm_([&a, &without, &b], 3.0)?.item::<f32>()?, 6.0);
    assert!((grad(&a)?[1] - 2.0).abs() < 1e-5 && (grad(&b)?[0] - 2.0).abs() < 1e-5);
    let largest = ClipOptions::new().norm_type(f64::INFINITY);
    assert_eq!(get_total_norm([Tensor::new([3.0f32, -4.0])?], &largest)?.item::<f32>()?, 4.0);
    Ok(())
}

#[test]
fn norms_that_are_not_finite_are_errors_where_asked_for() -> Result<()> {
    let p = with_grad(&[f32::NAN, 1.0])?;
    let error = clip_grad_norm_with([&p], 1.0, &ClipOptions::new().error_if_nonfinite(true)).expect_err("NaN");
    assert_eq!(
        error.to_string(),
        "The total norm of order 2.0 for gradients from `parameters` is non-finite, so it cannot be clipped. To disable this error and scale the gradients by the non-finite norm anyway, set `error_if_nonfinite=False`"
    );
    assert_eq!(grad(&p)?[1], 1.0);
    assert!(clip_grad_norm_([&p], 1.0)?.item::<f32>()?.is_nan());
    Ok(())
}

#[test]
fn without_gradients_the_norm_is_zero() -> Result<()> {
    let p = Parameter::new(Tensor::zeros([2])?);
    assert_eq!(clip_grad_norm_([&p], 1.0)?.item::<f32>()?, 0.0);
    assert_eq!(clip_grad_norm_(Vec::<Tensor>::new(), 1.0)?.item::<f32>()?, 0.0);
    Ok(())
}
