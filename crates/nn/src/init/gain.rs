//! What a layer's nonlinearity and shape say about the spread of its weights.

use firebrick_core::{Error, Result, Tensor};
use std::str::FromStr;

/// The function behind a layer, by PyTorch's names.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Nonlinearity {
    /// None.
    Linear,
    /// None, after a convolution of one dimension.
    Conv1d,
    /// None, after a convolution of two dimensions.
    Conv2d,
    /// None, after a convolution of three dimensions.
    Conv3d,
    /// None, after a transposed convolution of one dimension.
    ConvTranspose1d,
    /// None, after a transposed convolution of two dimensions.
    ConvTranspose2d,
    /// None, after a transposed convolution of three dimensions.
    ConvTranspose3d,
    /// The logistic function.
    Sigmoid,
    /// The hyperbolic tangent.
    Tanh,
    /// The rectifier.
    Relu,
    /// The rectifier with a slope below zero.
    #[default]
    LeakyRelu,
    /// The scaled exponential linear unit.
    Selu,
}

impl FromStr for Nonlinearity {
    type Err = Error;

    /// The function of PyTorch's name, such as `leaky_relu`.
    fn from_str(name: &str) -> Result<Self> {
        Ok(match name {
            "linear" => Nonlinearity::Linear,
            "conv1d" => Nonlinearity::Conv1d,
            "conv2d" => Nonlinearity::Conv2d,
            "conv3d" => Nonlinearity::Conv3d,
            "conv_transpose1d" => Nonlinearity::ConvTranspose1d,
            "conv_transpose2d" => Nonlinearity::ConvTranspose2d,
            "conv_transpose3d" => Nonlinearity::ConvTranspose3d,
            "sigmoid" => Nonlinearity::Sigmoid,
            "tanh" => Nonlinearity::Tanh,
            "relu" => Nonlinearity::Relu,
            "leaky_relu" => Nonlinearity::LeakyRelu,
            "selu" => Nonlinearity::Selu,
            _ => return Err(Error::value("calculate_gain", format!("Unsupported nonlinearity {name}"))),
        })
    }
}

/// The gain that keeps the variance of what passes through `nonlinearity`.
///
/// | nonlinearity | gain |
/// |---|---|
/// | linear, convolutions, sigmoid | 1 |
/// | tanh | 5 / 3 |
/// | relu | sqrt(2) |
/// | leaky_relu | sqrt(2 / (1 + slope^2)), where `param` is the slope, 0.01 for `None` |
/// | selu | 3 / 4 |
///
/// ```
/// use firebrick_nn::init::{Nonlinearity, calculate_gain};
/// assert_eq!(calculate_gain(Nonlinearity::Tanh, None), 5.0 / 3.0);
/// assert_eq!(calculate_gain(Nonlinearity::LeakyRelu, 1.0), 1.0);
/// ```
pub fn calculate_gain(nonlinearity: Nonlinearity, param: impl Into<Option<f64>>) -> f64 {
    match nonlinearity {
        Nonlinearity::Tanh => 5.0 / 3.0,
        Nonlinearity::Relu => 2.0_f64.sqrt(),
        Nonlinearity::LeakyRelu => {
            let slope = param.into().unwrap_or(0.01);
            (2.0 / (1.0 + slope * slope)).sqrt()
        }
        Nonlinearity::Selu => 3.0 / 4.0,
        _ => 1.0,
    }
}

/// Which number of connections scales the weights.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum FanMode {
    /// Inputs of a unit: keeps the variance of the forward pass.
    #[default]
    FanIn,
    /// Outputs of a unit: keeps the variance of the backward pass.
    FanOut,
}

impl FromStr for FanMode {
    type Err = Error;

    /// The mode of PyTorch's name, `fan_in` or `fan_out`, in any case.
    fn from_str(name: &str) -> Result<Self> {
        match name.to_lowercase().as_str() {
            "fan_in" => Ok(FanMode::FanIn),
            "fan_out" => Ok(FanMode::FanOut),
            mode => {
                Err(Error::value("init", format!("Mode {mode} not supported, please use one of ['fan_in', 'fan_out']")))
            }
        }
    }
}

/// Inputs and outputs of one unit of a weight `(out, in, kernel...)`.
pub(super) fn fan_in_and_fan_out(op: &'static str, tensor: &Tensor) -> Result<(usize, usize)> {
    let shape = tensor.shape();
    if shape.len() < 2 {
        return Err(Error::value(op, "Fan in and fan out can not be computed for tensor with fewer than 2 dimensions")
            .given(format!("shape {shape:?}")));
    }
    let field: usize = shape[2..].iter().product();
    Ok((shape[1] * field, shape[0] * field))
}
