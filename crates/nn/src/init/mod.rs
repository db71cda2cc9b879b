//! Initialization: PyTorch's `torch.nn.init`.
//!
//! | file | what it holds |
//! |---|---|
//! | here | one distribution or one number everywhere |
//! | `gain` | [`calculate_gain`], [`Nonlinearity`], [`FanMode`] |
//! | `scaled` | Xavier's and Kaiming's rules: a spread that follows from the shape |
//! | `truncated` | [`trunc_normal_`] |
//! | `structured` | [`eye_`], [`dirac_`], [`orthogonal_`], [`sparse_`] |
//!
//! Every function overwrites its tensor without recording, also one that requires grad, and returns it. Values are
//! PyTorch 2.15's for the same seed. They are drawn from the default generator; within
//! [`Generator::scope`](firebrick_core::Generator::scope) from that one, which is PyTorch's argument `generator`.

mod gain;
mod scaled;
mod structured;
mod truncated;

pub use gain::{FanMode, Nonlinearity, calculate_gain};
pub use scaled::{kaiming_normal_, kaiming_uniform_, xavier_normal_, xavier_uniform_};
pub use structured::{dirac_, eye_, orthogonal_, sparse_};
pub use truncated::trunc_normal_;

use firebrick_core::autograd::no_grad;
use firebrick_core::{Device, Result, Scalar, Tensor};

/// Fills `tensor` with uniform numbers of `[a, b)`.
///
/// # Errors
/// `a > b`; bounds the dtype cannot hold; a dtype that is no floating-point one.
///
/// ```
/// use firebrick_core::{Generator, Parameter, Tensor};
/// use firebrick_nn::init;
/// let weight = Parameter::new(Tensor::empty([2])?);
/// Generator::new().manual_seed(0).scope(|| init::uniform_(&weight, 0.0, 1.0).map(drop))?;
/// assert_eq!(weight.to_vec::<f32>()?, [0.496_256_6, 0.768_221_8]);
/// # Ok::<_, firebrick_core::Error>(())
/// ```
pub fn uniform_(tensor: &Tensor, a: f64, b: f64) -> Result<&Tensor> {
    no_grad(|| tensor.uniform_(a, b))
}

/// Fills `tensor` with normal numbers.
///
/// # Errors
/// `std` below 0; a dtype that is no floating-point one.
///
/// ```
/// use firebrick::nn::init;
/// use firebrick::prelude::*;
/// use firebrick::Generator;
/// let weight = Tensor::empty([2])?;
/// Generator::new().manual_seed(0).scope(|| init::normal_(&weight, 0.0, 1.0).map(drop))?;
/// assert_eq!(weight.to_string(), "tensor([ 1.5410, -0.2934])");
/// # Ok::<_, firebrick::Error>(())
/// ```
pub fn normal_(tensor: &Tensor, mean: f64, std: f64) -> Result<&Tensor> {
    no_grad(|| tensor.normal_(mean, std))
}

/// Fills `tensor` with `value`.
///
/// # Errors
/// An uninitialized parameter.
///
/// ```
/// use firebrick::nn::init;
/// use firebrick::prelude::*;
/// assert_eq!(init::constant_(&Tensor::empty([2])?, 0.25)?.to_vec::<f32>()?, [0.25; 2]);
/// # Ok::<_, firebrick::Error>(())
/// ```
pub fn constant_(tensor: &Tensor, value: impl Into<Scalar>) -> Result<&Tensor> {
    no_grad(|| tensor.fill_(value))
}

/// Fills `tensor` with ones.
///
/// # Errors
/// An uninitialized parameter.
///
/// ```
/// use firebrick::nn::init;
/// use firebrick::prelude::*;
/// assert_eq!(init::ones_(&Tensor::empty([2])?)?.to_vec::<f32>()?, [1.0; 2]);
/// # Ok::<_, firebrick::Error>(())
/// ```
pub fn ones_(tensor: &Tensor) -> Result<&Tensor> {
    constant_(tensor, 1.0)
}

/// Fills `tensor` with zeros.
///
/// # Errors
/// An uninitialized parameter.
///
/// ```
/// use firebrick::nn::init;
/// use firebrick::prelude::*;
/// assert_eq!(init::zeros_(&Tensor::ones([2])?)?.to_vec::<f32>()?, [0.0; 2]);
/// # Ok::<_, firebrick::Error>(())
/// ```
pub fn zeros_(tensor: &Tensor) -> Result<&Tensor> {
    no_grad(|| tensor.zero_())
}

/// Overwrites `tensor` with `values` in row-major order.
fn write<'a>(tensor: &'a Tensor, values: &[f64]) -> Result<&'a Tensor> {
    no_grad(|| tensor.copy_(&Tensor::from_slice_with(values, tensor.shape(), Device::Cpu)?))
}
