//! Gradients of complex numbers are those of finite differences in both parts, in PyTorch's convention.
#![allow(clippy::unwrap_used, clippy::panic)]

use firebrick_core::autograd::{gradcheck, gradgradcheck};
use firebrick_core::ops::table;
use firebrick_core::{Result, Tensor};

/// Rows that have to take complex numbers: their gradients are checked below.
const TAKEN: &[&str] = &[
    "abs",
    "acos",
    "acosh",
    "add",
    "addcdiv",
    "addcmul",
    "addmm",
    "angle",
    "asin",
    "asinh",
    "atan",
    "atanh",
    "bmm",
    "cat",
    "conv1d",
    "conv2d",
    "conv3d",
    "cos",
    "cosh",
    "cumprod",
    "cumsum",
    "div",
    "dot",
    "exp",
    "expm1",
    "flip",
    "gather",
    "lerp",
    "linear",
    "log",
    "log1p",
    "logaddexp",
    "logsumexp",
    "matmul",
    "mean",
    "mm",
    "mul",
    "neg",
    "norm",
    "permute",
    "pow",
    "prod",
    "prod_dim",
    "reciprocal",
    "reshape",
    "rsqrt",
    "sgn",
    "sigmoid",
    "sin",
    "sinh",
    "sqrt",
    "stack",
    "std",
    "sub",
    "sum",
    "sum_dim",
    "tan",
    "tanh",
    "unfold",
    "var",
];

/// Complex numbers made of the inputs of a sample, with imaginary parts of their own.
fn complex(x: &Tensor, seed: usize) -> Tensor {
    let x = x.detach();
    let values: Vec<f64> = (0..x.numel()).map(|i| ((i * 7 + seed * 3) as f64 * 0.61).sin() * 0.7 + 0.05).collect();
    let imag = Tensor::from_vec(values, x.shape()).unwrap();
    let z = Tensor::complex(&x, &imag).unwrap();
    z.requires_grad_(true).unwrap();
    z
}

/// Runs `check` on the complex form of up to `samples` samples of every row that takes complex numbers, and returns the
/// rows that do.
fn every_row(
    samples: usize,
    check: impl Fn(&dyn Fn(&[Tensor]) -> Result<Tensor>, &[Tensor]) -> Result<()>,
) -> Vec<&'static str> {
    let (mut taken, mut failures) = (Vec::new(), Vec::new());
    for row in table() {
        for (i, sample) in (row.samples)().unwrap().iter().enumerate().take(samples) {
            let inputs: Vec<Tensor> = sample.inputs.iter().enumerate().map(|(k, x)| complex(x, k)).collect();
            if (sample.apply)(&inputs).is_err() {
                continue;
            }
            taken.push(row.name);
            if let Err(error) = check(&*sample.apply, &inputs) {
                failures.push(format!("{} sample {i}: {error:#}", row.name));
            }
        }
    }
    assert!(failures.is_empty(), "{}", failures.join("\n"));
    taken
}

#[test]
fn first_derivatives_are_those_of_finite_differences_in_both_parts() {
    let taken = every_row(usize::MAX, |f, inputs| gradcheck(f, inputs));
    let missing: Vec<_> = TAKEN.iter().filter(|name| !taken.contains(name)).collect();
    assert!(missing.is_empty(), "refused: {missing:?}");
}

#[test]
fn second_derivatives_are_those_of_finite_differences_in_both_parts() {
    let taken = every_row(1, |f, inputs| gradgradcheck(f, inputs));
    let missing: Vec<_> = TAKEN.iter().filter(|name| !taken.contains(name)).collect();
    assert!(missing.is_empty(), "refused: {missing:?}");
}
