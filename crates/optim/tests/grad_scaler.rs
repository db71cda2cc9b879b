//! Scaling of losses against PyTorch 2.15.
#![allow(clippy::unwrap_used)]

use firebrick::amp::GradScaler;
use firebrick::prelude::*;

fn text<T>(result: Result<T>) -> String {
    result.map(drop).unwrap_err().to_string()
}

#[test]
fn the_scale_grows_and_backs_off_and_steps_that_overflow_are_passed_over() -> Result<()> {
    let w = Parameter::new(Tensor::new([1.0f32, 2.0])?);
    let mut optimizer = optim::SGD::new([&w], 0.1).build()?;
    let mut scaler = GradScaler::builder().init_scale(4.0).growth_interval(2).build()?;
    let expected = [(4.0, 0.8f32, 1, true), (8.0, 0.64, 0, true), (4.0, 0.64, 0, false), (4.0, 0.512, 1, true)];
    for (i, (scale, weight, tracker, stepped)) in expected.into_iter().enumerate() {
        optimizer.zero_grad()?;
        let mut loss = w.mul(&w)?.sum()?;
        if i == 2 {
            loss = loss.mul(f64::INFINITY)?;
        }
        scaler.scale(&loss)?.backward()?;
        assert_eq!(scaler.step(&mut optimizer)?, stepped);
        scaler.update()?;
        assert_eq!(scaler.get_scale(), scale);
        assert!((w.to_vec::<f32>()?[0] - weight).abs() < 1e-6);
        let state = scaler.state_dict();
        assert_eq!(state.get("_growth_tracker").and_then(|v| v.as_i64()), Some(tracker));
        assert_eq!(
            state.to_string(),
            format!(
                "{{'scale': {scale:.1}, 'growth_factor': 2.0, 'backoff_factor': 0.5, 'growth_interval': 2, '_growth_tracker': {tracker}}}"
            )
        );
    }
    let mut other = GradScaler::new();
    other.load_state_dict(&scaler.state_dict())?;
    assert_eq!((other.get_scale(), other.get_growth_interval()), (4.0, 2));
    Ok(())
}

#[test]
fn gradients_can_be_unscaled_before_the_step() -> Result<()> {
    let w = Parameter::new(Tensor::new([1.0f32, 2.0])?);
    let optimizer = optim::SGD::new([&w], 0.1).build()?;
    let mut scaler = GradScaler::new();
    scaler.scale(&w.mul(&w)?.sum()?)?.backward()?;
    assert_eq!(w.grad().unwrap().to_vec::<f32>()?, [131_072.0, 262_144.0]);
    scaler.unscale_(&optimizer)?;
    assert_eq!(w.grad().unwrap().to_vec::<f32>()?, [2.0, 4.0]);
    Ok(())
}

#[test]
fn calls_out_of_order_are_refused_in_pytorchs_words() -> Result<()> {
    let w = Parameter::new(Tensor::new([1.0f32, 2.0])?);
    let mut optimizer = optim::SGD::new([&w], 0.1).build()?;
    let mut scaler = GradScaler::new();
    let none = |function: &str| {
        format!(
            "Attempted {function} but _scale is None.  This may indicate your script did not use scaler.scale(loss or outputs) earlier in the iteration."
        )
    };
    assert_eq!(text(scaler.step(&mut optimizer)), none("step"));
    assert_eq!(text(scaler.update()), none("update"));
    assert_eq!(text(scaler.unscale_(&optimizer)), none("unscale_"));
    scaler.scale(&w.sum()?)?.backward()?;
    scaler.unscale_(&optimizer)?;
    let twice = "unscale_() has already been called on this optimizer since the last update().";
    assert_eq!(text(scaler.unscale_(&optimizer)), twice);
    scaler.step(&mut optimizer)?;
    assert_eq!(text(scaler.step(&mut optimizer)), "step() has already been called since the last update().");
    assert_eq!(text(scaler.unscale_(&optimizer)), "unscale_() is being called after step().");
    scaler.update()?;
    assert_eq!(text(scaler.update()), "No inf checks were recorded prior to update.");
    optimizer.zero_grad()?;
    assert_eq!(text(scaler.step(&mut optimizer)), "No inf checks were recorded for this optimizer.");
    assert_eq!(text(GradScaler::builder().growth_factor(1.0).build()), "The growth factor must be > 1.0.");
    assert_eq!(text(GradScaler::builder().backoff_factor(1.0).build()), "The backoff factor must be < 1.0.");
    let empty = GradScaler::builder().enabled(false).build()?.state_dict();
    assert!(text(scaler.load_state_dict(&empty)).starts_with("The source state dict is empty"));
    Ok(())
}

#[test]
fn gradients_of_float16_cannot_be_unscaled() -> Result<()> {
    let w = Parameter::new(Tensor::new([1.0f32, 2.0])?.to(DType::F16)?);
    let mut optimizer = optim::SGD::new([&w], 0.1).build()?;
    let mut scaler = GradScaler::new();
    scaler.scale(&w.sum()?)?.backward()?;
    assert_eq!(text(scaler.step(&mut optimizer)), "Attempting to unscale FP16 gradients.");
    Ok(())
}

#[test]
fn a_scaler_that_is_off_changes_nothing() -> Result<()> {
    let w = Parameter::new(Tensor::new([1.0f32])?);
    let mut optimizer = optim::SGD::new([&w], 0.5).build()?;
    let mut scaler = GradScaler::builder().enabled(false).build()?;
    scaler.scale(&w.sum()?)?.backward()?;
    assert!(scaler.step(&mut optimizer)?);
    scaler.update()?;
    assert_eq!((w.item::<f32>()?, scaler.get_scale()), (0.5, 1.0));
    Ok(())
}
