//! Linear: an affine map of the last dimension.

use super::placement::placement;
use crate::init::{self, FanMode, Nonlinearity};
use crate::{Core, Custom, Forward, Module};
use firebrick_core::{DType, Device, Error, Parameter, Result, Tensor, TensorOptions, default_device, default_dtype};

/// `y = x W^T + b` over the last dimension.
///
/// `weight` has shape `[out_features, in_features]`, `bias` `[out_features]`. Both start uniform in
/// `(-1/sqrt(in_features), 1/sqrt(in_features))`, with PyTorch 2.15's values for the same seed.
///
/// # Shapes
/// `[*, in_features]` to `[*, out_features]`.
///
/// # Errors
/// The input's last dimension or dtype is not the weight's.
///
/// ```
/// use firebrick::prelude::*;
/// let linear = nn::Linear::new(3, 2)?;
/// assert_eq!(linear.to_string(), "Linear(in_features=3, out_features=2, bias=True)");
/// assert_eq!(linear.call(Tensor::ones([4, 3])?)?.shape(), [4, 2]);
///
/// let lazy = nn::Linear::lazy(2)?;
/// assert_eq!(lazy.to_string(), "LazyLinear(in_features=0, out_features=2, bias=True)");
/// lazy.call(Tensor::ones([4, 3])?)?;
/// assert_eq!(lazy.weight.shape()?, [2, 3]);
/// # Ok::<_, firebrick::Error>(())
/// ```
#[derive(Module)]
#[module(custom)]
pub struct Linear {
    core: Core,
    /// `[out_features, in_features]`.
    pub weight: Parameter,
    /// `[out_features]`.
    pub bias: Option<Parameter>,
    out_features: usize,
}

impl Linear {
    /// A layer with bias.
    ///
    /// # Errors
    /// When memory for the parameters cannot be had.
    pub fn new(in_features: usize, out_features: usize) -> Result<Self> {
        Self::builder(in_features, out_features).build()
    }

    /// A layer with options.
    ///
    /// ```
    /// use firebrick::prelude::*;
    /// let linear = nn::Linear::builder(3, 2).bias(false).dtype(DType::F64).build()?;
    /// assert!(linear.bias.is_none());
    /// # Ok::<_, firebrick::Error>(())
    /// ```
    pub fn builder(in_features: usize, out_features: usize) -> LinearBuilder {
        LinearBuilder {
            in_features: Some(in_features),
            out_features,
            bias: true,
            dtype: default_dtype(),
            device: default_device(),
        }
    }

    /// PyTorch's `LazyLinear(out_features)`: `in_features` is read off the first input.
    ///
    /// # Errors
    /// When the parameters cannot be made.
    pub fn lazy(out_features: usize) -> Result<Self> {
        Self::lazy_builder(out_features).build()
    }

    /// [`Linear::lazy`] with options.
    ///
    /// ```
    /// use firebrick::prelude::*;
    /// let linear = nn::Linear::lazy_builder(2).bias(false).dtype(DType::F64).device(Device::Cpu).build()?;
    /// assert_eq!(linear.to_string(), "LazyLinear(in_features=0, out_features=2, bias=False)");
    /// linear.call(Tensor::ones_with([1, 3], DType::F64)?)?;
    /// assert_eq!((linear.in_features(), linear.out_features()), (3, 2));
    /// # Ok::<_, firebrick::Error>(())
    /// ```
    pub fn lazy_builder(out_features: usize) -> LinearBuilder {
        LinearBuilder { in_features: None, ..Self::builder(0, out_features) }
    }

    /// Size of the last input dimension; 0 until a lazy layer has seen one. [`lazy_builder`](Self::lazy_builder) shows it.
    pub fn in_features(&self) -> usize {
        self.weight.shape().map_or(0, |shape| shape[1])
    }

    /// Size of the last output dimension. [`lazy_builder`](Self::lazy_builder) shows it.
    pub fn out_features(&self) -> usize {
        self.out_features
    }

    /// Draws new values for the parameters, as PyTorch's `reset_parameters`.
    ///
    /// # Errors
    /// On uninitialized parameters.
    ///
    /// ```
    /// use firebrick::prelude::*;
    /// let layer = nn::Linear::new(3, 2)?;
    /// let before = layer.weight.to_vec::<f32>()?;
    /// layer.reset_parameters()?;
    /// assert_ne!(layer.weight.to_vec::<f32>()?, before);
    /// # Ok::<_, firebrick::Error>(())
    /// ```
    pub fn reset_parameters(&self) -> Result<()> {
        init::kaiming_uniform_(&self.weight, 5.0f64.sqrt(), FanMode::FanIn, Nonlinearity::LeakyRelu)?;
        let fan_in = self.weight.shape()?[1];
        if let Some(bias) = &self.bias {
            let bound = if fan_in > 0 { 1.0 / (fan_in as f64).sqrt() } else { 0.0 };
            init::uniform_(bias, -bound, bound)?;
        }
        Ok(())
    }
}

/// Options of a [`Linear`]; made by [`Linear::builder`] and [`Linear::lazy_builder`].
#[derive(Clone, Debug)]
pub struct LinearBuilder {
    in_features: Option<usize>,
    out_features: usize,
    bias: bool,
    dtype: DType,
    device: Device,
}

impl LinearBuilder {
    /// Is there a bias? There is by default.
    pub fn bias(mut self, bias: bool) -> Self {
        self.bias = bias;
        self
    }

    placement!(Linear::builder(3, 2));

    /// The layer.
    ///
    /// # Errors
    /// When memory for the parameters cannot be had.
    pub fn build(self) -> Result<Linear> {
        let options = TensorOptions::new().dtype(self.dtype).device(self.device);
        let (weight, bias) = match self.in_features {
            Some(in_features) => (
                Parameter::new(Tensor::empty_with([self.out_features, in_features], options)?),
                self.bias.then(|| Tensor::empty_with([self.out_features], options).map(Parameter::new)),
            ),
            None => (
                Parameter::uninitialized(self.dtype, self.device)?,
                self.bias.then(|| Parameter::uninitialized(self.dtype, self.device)),
            ),
        };
        let core = if self.in_features.is_some() { Core::new() } else { Core::lazy() };
        let linear = Linear { core, weight, bias: bias.transpose()?, out_features: self.out_features };
        if self.in_features.is_some() {
            linear.reset_parameters()?;
        }
        Ok(linear)
    }
}

impl Forward for Linear {
    fn forward(&self, input: Tensor) -> Result<Tensor> {
        input.linear(&self.weight, self.bias.as_deref())
    }

    fn initialize(&self, input: &Tensor) -> Result<()> {
        let Some(&in_features) = input.shape().last() else {
            return Err(Error::index("Linear", "tuple index out of range").given("a 0-dim input"));
        };
        let options = TensorOptions::new().dtype(self.weight.dtype()).device(self.weight.device());
        self.weight.set_data(&Tensor::empty_with([self.out_features, in_features], options)?)?;
        if let Some(bias) = &self.bias {
            bias.set_data(&Tensor::empty_with([self.out_features], options)?)?;
        }
        self.reset_parameters()
    }
}

impl Custom for Linear {
    fn extra_repr(&self) -> String {
        let bias = if self.bias.is_some() { "True" } else { "False" };
        format!("in_features={}, out_features={}, bias={bias}", self.in_features(), self.out_features)
    }
}
