//! Layer normalization.

use super::placement::placement;
use crate::functional::{LayerNormOptions, layer_norm_with};
use crate::{Core, Custom, Forward, Module, init};
use firebrick_core::text::{Repr, python_float, python_tuple};
use firebrick_core::{DType, Device, Parameter, Result, Sizes, Tensor, TensorOptions, default_device, default_dtype};

/// Brings the last dimensions of each element to mean 0 and variance 1, then scales and shifts them.
///
/// `y = (x - mean) / sqrt(var + eps) * weight + bias`, with mean and biased variance over `normalized_shape`. Weight
/// starts at 1, bias at 0. Ba et al., *Layer Normalization* (2016).
///
/// # Shapes
/// `[*, normalized_shape]`, same shape out.
///
/// # Errors
/// An input that does not end in `normalized_shape`.
///
/// ```
/// use firebrick::prelude::*;
/// let norm = nn::LayerNorm::new(2)?;
/// assert_eq!(norm.to_string(), "LayerNorm((2,), eps=1e-05, elementwise_affine=True, bias=True)");
/// let y = norm.call(Tensor::new([[1.0f32, 3.0]])?)?.to_vec::<f32>()?;
/// assert!((y[0] + 1.0).abs() < 1e-4 && (y[1] - 1.0).abs() < 1e-4);
/// # Ok::<_, firebrick::Error>(())
/// ```
#[derive(Module)]
#[module(custom)]
pub struct LayerNorm {
    core: Core,
    /// `normalized_shape`; `None` unless affine.
    pub weight: Option<Parameter>,
    /// `normalized_shape`; `None` unless affine with a bias.
    pub bias: Option<Parameter>,
    #[module(skip)]
    normalized_shape: Sizes,
    eps: f64,
}

/// Options of a [`LayerNorm`]; [`LayerNorm::builder`] shows them.
#[derive(Clone, Debug)]
pub struct LayerNormBuilder {
    normalized_shape: Sizes,
    eps: f64,
    elementwise_affine: bool,
    bias: bool,
    dtype: DType,
    device: Device,
}

impl LayerNorm {
    /// A layer with PyTorch's defaults over the last dimensions, which have this shape.
    ///
    /// # Errors
    /// A negative size.
    pub fn new(normalized_shape: impl Into<Sizes>) -> Result<Self> {
        Self::builder(normalized_shape).build()
    }

    /// A layer with options.
    ///
    /// ```
    /// use firebrick::prelude::*;
    /// let norm = nn::LayerNorm::builder([2])
    ///     .eps(1e-3)
    ///     .elementwise_affine(true)
    ///     .bias(false)
    ///     .dtype(DType::F64)
    ///     .device(Device::Cpu)
    ///     .build()?;
    /// assert_eq!(norm.state_dict().keys().collect::<Vec<_>>(), ["weight"]);
    /// let values = norm.call(Tensor::new([[1.0f64, 3.0]])?)?.to_vec::<f64>()?;
    /// assert!((values[1] - 1.0 / 1.001f64.sqrt()).abs() < 1e-12); // (3 - 2) / sqrt(1 + eps)
    /// # Ok::<_, firebrick::Error>(())
    /// ```
    pub fn builder(normalized_shape: impl Into<Sizes>) -> LayerNormBuilder {
        LayerNormBuilder {
            normalized_shape: normalized_shape.into(),
            eps: 1e-5,
            elementwise_affine: true,
            bias: true,
            dtype: default_dtype(),
            device: default_device(),
        }
    }

    /// Weight 1, bias 0.
    ///
    /// # Errors
    /// When memory cannot be written.
    ///
    /// ```
    /// use firebrick::prelude::*;
    /// let norm = nn::LayerNorm::new(2)?;
    /// let weight = norm.get_parameter("weight")?;
    /// autograd::no_grad(|| weight.zero_())?;
    /// norm.reset_parameters()?;
    /// assert_eq!(weight.to_vec::<f32>()?, [1.0, 1.0]);
    /// # Ok::<_, firebrick::Error>(())
    /// ```
    pub fn reset_parameters(&self) -> Result<()> {
        if let Some(weight) = &self.weight {
            init::ones_(weight)?;
        }
        if let Some(bias) = &self.bias {
            init::zeros_(bias)?;
        }
        Ok(())
    }
}

impl LayerNormBuilder {
    /// What is added to the variance; 1e-5 unless set.
    pub fn eps(mut self, eps: f64) -> Self {
        self.eps = eps;
        self
    }

    /// Is the result scaled and shifted by parameters? It is by default.
    pub fn elementwise_affine(mut self, affine: bool) -> Self {
        self.elementwise_affine = affine;
        self
    }

    /// Is it shifted? It is by default, when affine.
    pub fn bias(mut self, bias: bool) -> Self {
        self.bias = bias;
        self
    }

    placement!(LayerNorm::builder(3));

    /// The layer.
    ///
    /// # Errors
    /// A negative size.
    pub fn build(self) -> Result<LayerNorm> {
        let options = TensorOptions::new().dtype(self.dtype).device(self.device);
        let parameter = |wanted: bool| {
            let make = || Tensor::empty_with(&self.normalized_shape, options).map(Parameter::new);
            wanted.then(make).transpose()
        };
        let layer = LayerNorm {
            core: Core::new(),
            weight: parameter(self.elementwise_affine)?,
            bias: parameter(self.elementwise_affine && self.bias)?,
            normalized_shape: self.normalized_shape.clone(),
            eps: self.eps,
        };
        layer.reset_parameters()?;
        Ok(layer)
    }
}

impl Forward for LayerNorm {
    fn forward(&self, input: Tensor) -> Result<Tensor> {
        let mut options = LayerNormOptions::new().eps(self.eps);
        options.weight = self.weight.as_deref();
        options.bias = self.bias.as_deref();
        layer_norm_with(&input, &self.normalized_shape, &options)
    }
}

impl Custom for LayerNorm {
    fn extra_repr(&self) -> String {
        format!(
            "{}, eps={}, elementwise_affine={}, bias={}",
            python_tuple(&self.normalized_shape),
            python_float(self.eps),
            self.weight.is_some().repr(),
            self.bias.is_some().repr()
        )
    }
}
