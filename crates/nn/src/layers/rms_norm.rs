//! Normalization by the root of the mean square.

use super::placement::placement;
use crate::{Core, Custom, Forward, Module, init};
use firebrick_core::text::{Repr, python_tuple};
use firebrick_core::{DType, Device, Parameter, Result, Sizes, Tensor, TensorOptions, default_device, default_dtype};

/// Divides the last dimensions of each element by the root of their mean square, then scales them.
///
/// `y = x / sqrt(mean(x^2) + eps) * weight`, over `normalized_shape`. Weight starts at 1; without an `eps` it is the
/// smallest step from 1 of the input's dtype. Zhang and Sennrich, *Root Mean Square Layer Normalization* (2019).
///
/// # Shapes
/// `[*, normalized_shape]`, same shape out.
///
/// # Errors
/// An input that does not end in `normalized_shape`.
///
/// ```
/// use firebrick::prelude::*;
/// let norm = nn::RMSNorm::new(2)?;
/// assert_eq!(norm.to_string(), "RMSNorm((2,), eps=None, elementwise_affine=True)");
/// let y = norm.call(Tensor::new([[1.0f32, -1.0]])?)?.to_vec::<f32>()?;
/// assert!((y[0] - 1.0).abs() < 1e-6 && (y[1] + 1.0).abs() < 1e-6);
/// # Ok::<_, firebrick::Error>(())
/// ```
#[derive(Module)]
#[module(custom)]
pub struct RMSNorm {
    core: Core,
    /// `normalized_shape`; `None` unless affine.
    pub weight: Option<Parameter>,
    #[module(skip)]
    normalized_shape: Sizes,
    #[module(skip)]
    eps: Option<f64>,
}

/// Options of an [`RMSNorm`]; [`RMSNorm::builder`] shows them.
#[derive(Clone, Debug)]
pub struct RMSNormBuilder {
    normalized_shape: Sizes,
    eps: Option<f64>,
    elementwise_affine: bool,
    dtype: DType,
    device: Device,
}

impl RMSNorm {
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
    /// let norm = nn::RMSNorm::builder([2]).eps(7.0).dtype(DType::F64).device(Device::Cpu).build()?;
    /// assert_eq!(norm.call(Tensor::new([[3.0f64, 3.0]])?)?.to_vec::<f64>()?, [0.75, 0.75]); // 3 / sqrt(9 + 7)
    /// let plain = nn::RMSNorm::builder([2]).elementwise_affine(false).build()?;
    /// assert!(plain.parameters().is_empty());
    /// # Ok::<_, firebrick::Error>(())
    /// ```
    pub fn builder(normalized_shape: impl Into<Sizes>) -> RMSNormBuilder {
        RMSNormBuilder {
            normalized_shape: normalized_shape.into(),
            eps: None,
            elementwise_affine: true,
            dtype: default_dtype(),
            device: default_device(),
        }
    }

    /// Weight 1.
    ///
    /// # Errors
    /// When memory cannot be written.
    ///
    /// ```
    /// use firebrick::prelude::*;
    /// let norm = nn::RMSNorm::new(2)?;
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
        Ok(())
    }
}

impl RMSNormBuilder {
    /// What is added to the mean square.
    pub fn eps(mut self, eps: f64) -> Self {
        self.eps = Some(eps);
        self
    }

    /// Is the result scaled by a parameter? It is by default.
    pub fn elementwise_affine(mut self, affine: bool) -> Self {
        self.elementwise_affine = affine;
        self
    }

    placement!(RMSNorm::builder(3));

    /// The layer.
    ///
    /// # Errors
    /// A negative size.
    pub fn build(self) -> Result<RMSNorm> {
        let options = TensorOptions::new().dtype(self.dtype).device(self.device);
        let make = || Tensor::empty_with(&self.normalized_shape, options).map(Parameter::new);
        let weight = self.elementwise_affine.then(make).transpose()?;
        let (normalized_shape, eps) = (self.normalized_shape, self.eps);
        let layer = RMSNorm { core: Core::new(), weight, normalized_shape, eps };
        layer.reset_parameters()?;
        Ok(layer)
    }
}

impl Forward for RMSNorm {
    fn forward(&self, input: Tensor) -> Result<Tensor> {
        input.rms_norm(&self.normalized_shape, self.weight.as_deref(), self.eps)
    }
}

impl Custom for RMSNorm {
    fn extra_repr(&self) -> String {
        format!(
            "{}, eps={}, elementwise_affine={}",
            python_tuple(&self.normalized_shape),
            self.eps.repr(),
            self.weight.is_some().repr()
        )
    }
}
