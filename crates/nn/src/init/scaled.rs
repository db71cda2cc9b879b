//! Weights whose spread follows from their shape.

use super::gain::{FanMode, Nonlinearity, calculate_gain, fan_in_and_fan_out};
use super::{normal_, uniform_};
use crate::warn;
use firebrick_core::{Result, Tensor};

/// Half the width of a uniform distribution of standard deviation 1.
fn half_width() -> f64 {
    3.0_f64.sqrt()
}

fn xavier_std(op: &'static str, tensor: &Tensor, gain: f64) -> Result<f64> {
    let (fan_in, fan_out) = fan_in_and_fan_out(op, tensor)?;
    Ok(gain * (2.0 / (fan_in + fan_out) as f64).sqrt())
}

/// Xavier's (Glorot's) uniform rule: `U(-a, a)` with `a = gain sqrt(6 / (fan_in + fan_out))`.
///
/// Glorot and Bengio, *Understanding the difficulty of training deep feedforward neural networks* (2010).
///
/// # Errors
/// Fewer than two dimensions; a dtype that is no floating-point one.
///
/// ```
/// use firebrick::nn::init;
/// use firebrick::prelude::*;
/// use firebrick::Generator;
/// let weight = Tensor::empty([1, 2])?;
/// Generator::new().manual_seed(0).scope(|| init::xavier_uniform_(&weight, 1.0).map(drop))?;
/// assert_eq!(weight.to_string(), "tensor([[-0.0106,  0.7586]])");
/// # Ok::<_, firebrick::Error>(())
/// ```
pub fn xavier_uniform_(tensor: &Tensor, gain: f64) -> Result<&Tensor> {
    let bound = half_width() * xavier_std("xavier_uniform_", tensor, gain)?;
    uniform_(tensor, -bound, bound)
}

/// Xavier's (Glorot's) normal rule: `N(0, std^2)` with `std = gain sqrt(2 / (fan_in + fan_out))`.
///
/// Glorot and Bengio, *Understanding the difficulty of training deep feedforward neural networks* (2010).
///
/// # Errors
/// Fewer than two dimensions; a dtype that is no floating-point one.
///
/// ```
/// use firebrick::nn::init;
/// use firebrick::prelude::*;
/// use firebrick::Generator;
/// let weight = Tensor::empty([1, 2])?;
/// Generator::new().manual_seed(0).scope(|| init::xavier_normal_(&weight, 1.0).map(drop))?;
/// assert_eq!(weight.to_string(), "tensor([[ 1.2582, -0.2396]])");
/// # Ok::<_, firebrick::Error>(())
/// ```
pub fn xavier_normal_(tensor: &Tensor, gain: f64) -> Result<&Tensor> {
    normal_(tensor, 0.0, xavier_std("xavier_normal_", tensor, gain)?)
}

/// The standard deviation of Kaiming's rule; `None` for a tensor without elements, which is left alone.
fn kaiming_std(
    op: &'static str,
    tensor: &Tensor,
    a: f64,
    mode: FanMode,
    nonlinearity: Nonlinearity,
) -> Result<Option<f64>> {
    if tensor.shape().contains(&0) {
        warn("Initializing zero-element tensors is a no-op");
        return Ok(None);
    }
    let (fan_in, fan_out) = fan_in_and_fan_out(op, tensor)?;
    let fan = if mode == FanMode::FanIn { fan_in } else { fan_out };
    Ok(Some(calculate_gain(nonlinearity, a) / (fan as f64).sqrt()))
}

/// Kaiming's (He's) uniform rule: `U(-bound, bound)` with `bound = gain sqrt(3 / fan)`, where `a` is the slope of
/// a leaky rectifier below zero. PyTorch's defaults are `0.0`, fan in and the leaky rectifier.
///
/// He et al., *Delving deep into rectifiers* (2015).
///
/// # Errors
/// Fewer than two dimensions; a dtype that is no floating-point one.
///
/// ```
/// use firebrick_core::{Generator, Tensor};
/// use firebrick_nn::init::{self, FanMode, Nonlinearity};
/// let weight = Tensor::empty([1, 2])?;
/// Generator::new().manual_seed(0).scope(|| {
///     init::kaiming_uniform_(&weight, 0.0, FanMode::FanIn, Nonlinearity::Relu).map(drop)
/// })?;
/// assert_eq!(weight.to_vec::<f32>()?, [-0.012_967_553, 0.929_147_54]);
/// # Ok::<_, firebrick_core::Error>(())
/// ```
pub fn kaiming_uniform_(tensor: &Tensor, a: f64, mode: FanMode, nonlinearity: Nonlinearity) -> Result<&Tensor> {
    match kaiming_std("kaiming_uniform_", tensor, a, mode, nonlinearity)? {
        Some(std) => {
            let bound = half_width() * std;
            uniform_(tensor, -bound, bound)
        }
        None => Ok(tensor),
    }
}

/// Kaiming's (He's) normal rule: `N(0, std^2)` with `std = gain / sqrt(fan)`; arguments as for
/// [`kaiming_uniform_`].
///
/// He et al., *Delving deep into rectifiers* (2015).
///
/// # Errors
/// Fewer than two dimensions; a dtype that is no floating-point one.
///
/// ```
/// use firebrick::nn::init;
/// use firebrick::prelude::*;
/// use firebrick::Generator;
/// let weight = Tensor::empty([1, 2])?;
/// let rule = (init::FanMode::FanIn, init::Nonlinearity::Relu);
/// Generator::new().manual_seed(0).scope(|| init::kaiming_normal_(&weight, 0.0, rule.0, rule.1).map(drop))?;
/// assert_eq!(weight.to_string(), "tensor([[ 1.5410, -0.2934]])");
/// # Ok::<_, firebrick::Error>(())
/// ```
pub fn kaiming_normal_(tensor: &Tensor, a: f64, mode: FanMode, nonlinearity: Nonlinearity) -> Result<&Tensor> {
    match kaiming_std("kaiming_normal_", tensor, a, mode, nonlinearity)? {
        Some(std) => normal_(tensor, 0.0, std),
        None => Ok(tensor),
    }
}
