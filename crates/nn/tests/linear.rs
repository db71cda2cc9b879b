//! `Linear` against PyTorch 2.15: initial values for a seed, output, gradients, error.

mod common;

use common::{message, values};
use firebrick::prelude::*;
use firebrick::{Complex, manual_seed};
use std::sync::{Mutex, MutexGuard};

/// The generator is one for the process, so the tests of this file take turns.
static TURN: Mutex<()> = Mutex::new(());

fn seeded() -> MutexGuard<'static, ()> {
    let turn = TURN.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
    manual_seed(0);
    turn
}

const WEIGHT: [f32; 6] = [-0.004_322_517_7, 0.309_715_84, -0.475_185_33, -0.424_894_6, -0.222_368_97, 0.154_820_73];
const BIAS: [f32; 2] = [-0.011_439_145, 0.457_774_94];

#[test]
fn initial_values_are_pytorchs_for_the_same_seed() -> Result<()> {
    let turn = seeded();
    let linear = nn::Linear::new(3, 2)?;
    assert_eq!(values(&linear.weight.detach()), WEIGHT);
    assert_eq!(linear.bias.as_ref().map(|b| values(&b.detach())), Some(BIAS.to_vec()));
    drop(turn);
    let turn = seeded();
    let double = nn::Linear::builder(3, 2).bias(false).dtype(DType::F64).build()?;
    let expected = [
        0.5427704542528101,
        0.23996970930833816,
        -0.046900537438113156,
        0.48583757737745076,
        0.16745942958373372,
        0.3361886278485809,
    ];
    assert_eq!(double.weight.to_vec::<f64>()?, expected);
    drop(turn);
    let _turn = seeded();
    let lazy = nn::Linear::lazy(2)?;
    lazy.call(Tensor::ones([1, 3])?)?;
    assert_eq!(values(&lazy.weight.detach()), WEIGHT);
    Ok(())
}

fn close(given: &[f32], expected: &[f32]) {
    assert_eq!(given.len(), expected.len());
    for (a, b) in given.iter().zip(expected) {
        assert!((a - b).abs() <= 1e-6 * (1.0 + b.abs()), "{given:?} and {expected:?}");
    }
}

#[test]
fn output_and_gradients_are_pytorchs() -> Result<()> {
    let _turn = seeded();
    let linear = nn::Linear::new(3, 2)?;
    let x = Tensor::new([[1.0f32, 2.0, 3.0], [-1.0, 0.5, 0.25]])?;
    x.requires_grad_(true)?;
    let y = linear.call(&x)?;
    close(&values(&y.detach()), &[-0.821_885_94, 0.052_604_556, 0.028_944_954, 0.810_190_2]);
    y.mul(&y)?.sum()?.backward()?;
    let grad = |tensor: &Tensor| tensor.grad().map(|g| values(&g)).unwrap_or_default();
    let weight = [-1.701_661_8, -3.258_598_8, -4.916_843, -1.515_171_3, 1.020_608_4, 0.720_722_44];
    close(&grad(&linear.weight), &weight);
    close(&grad(linear.bias.as_ref().expect("a bias")), &[-1.585_882, 1.725_589_5]);
    let input = [-0.037_597_552, -0.532_497_4, 0.797_384_86, -0.688_741_1, -0.342_392_9, 0.223_360_03];
    close(&grad(&x), &input);
    Ok(())
}

#[test]
fn an_input_of_another_width_is_pytorchs_error() -> Result<()> {
    let _turn = seeded();
    assert_eq!(
        message(nn::Linear::new(3, 2)?.call(Tensor::ones([4, 5])?)),
        "addmm: mat1 and mat2 shapes cannot be multiplied (4x5 and 3x2)"
    );
    Ok(())
}

#[test]
fn complex_layers_have_pytorchs_initial_values_and_gradients() -> Result<()> {
    let turn = seeded();
    let linear = nn::Linear::builder(2, 1).dtype(DType::C64).build()?;
    drop(turn);
    let near = |x: &Tensor, expected: &[[f32; 2]]| -> Result<bool> {
        let got = values(&x.detach().view_as_real()?);
        Ok(got.iter().zip(expected.as_flattened()).all(|(a, b)| (a - b).abs() < 1e-4))
    };
    assert!(near(&linear.weight, &[[-0.0053, 0.3793], [-0.5820, -0.5204]])?);
    let x = Tensor::new([[Complex::new(1.0f32, 1.0), Complex::new(2.0, -1.0)]])?;
    let y = linear.call(x)?;
    assert!(near(&y, &[[-2.3413, 0.1049]])?);
    y.abs()?.pow(2)?.sum()?.backward()?;
    let grad = linear.weight.grad().unwrap_or(y);
    assert!(near(&grad, &[[-4.4729, 4.8923], [-9.5749, -4.2632]])?);
    Ok(())
}
