//! Bilinear forms of two inputs.

use super::placement::placement;
use crate::{Core, Custom, Forward, Module, init};
use firebrick_core::text::Repr;
use firebrick_core::{DType, Device, Error, Parameter, Result, Tensor, TensorOptions, default_device, default_dtype};

/// `y[o] = x1^T weight[o] x2 + bias[o]`.
///
/// Parameters start uniform in `(-1/sqrt(in1_features), 1/sqrt(in1_features))`, with PyTorch 2.15's values for the same
/// seed.
///
/// # Shapes
/// `[*, in1_features]` and `[*, in2_features]` to `[*, out_features]`.
///
/// # Errors
/// Sizes that do not fit, in PyTorch's words.
///
/// ```
/// use firebrick::prelude::*;
/// let layer = nn::Bilinear::new(2, 3, 4)?;
/// assert_eq!(layer.to_string(), "Bilinear(in1_features=2, in2_features=3, out_features=4, bias=True)");
/// assert_eq!(layer.call((Tensor::ones([5, 2])?, Tensor::ones([5, 3])?))?.shape(), [5, 4]);
/// # Ok::<_, firebrick::Error>(())
/// ```
#[derive(Module)]
#[module(custom)]
pub struct Bilinear {
    core: Core,
    /// `[out_features, in1_features, in2_features]`.
    pub weight: Parameter,
    /// `[out_features]`.
    pub bias: Option<Parameter>,
}

/// Options of a [`Bilinear`]; [`Bilinear::builder`] shows them.
#[derive(Clone, Debug)]
pub struct BilinearBuilder {
    sizes: [usize; 3],
    bias: bool,
    dtype: DType,
    device: Device,
}

impl Bilinear {
    /// A layer with a bias.
    ///
    /// # Errors
    /// No features of the first input.
    pub fn new(in1_features: usize, in2_features: usize, out_features: usize) -> Result<Self> {
        Self::builder(in1_features, in2_features, out_features).build()
    }

    /// A layer with options.
    ///
    /// ```
    /// use firebrick::prelude::*;
    /// let layer = nn::Bilinear::builder(2, 3, 4).bias(false).dtype(DType::F64).device(Device::Cpu).build()?;
    /// assert_eq!(layer.to_string(), "Bilinear(in1_features=2, in2_features=3, out_features=4, bias=False)");
    /// assert_eq!(layer.weight.dtype(), DType::F64);
    /// # Ok::<_, firebrick::Error>(())
    /// ```
    pub fn builder(in1_features: usize, in2_features: usize, out_features: usize) -> BilinearBuilder {
        let sizes = [out_features, in1_features, in2_features];
        BilinearBuilder { sizes, bias: true, dtype: default_dtype(), device: default_device() }
    }

    /// Draws new values for the parameters.
    ///
    /// # Errors
    /// When memory cannot be written.
    ///
    /// ```
    /// use firebrick::prelude::*;
    /// let layer = nn::Bilinear::new(2, 3, 4)?;
    /// let before = layer.weight.to_vec::<f32>()?;
    /// layer.reset_parameters()?;
    /// assert_ne!(layer.weight.to_vec::<f32>()?, before);
    /// # Ok::<_, firebrick::Error>(())
    /// ```
    pub fn reset_parameters(&self) -> Result<()> {
        let bound = 1.0 / (self.weight.shape()?[1] as f64).sqrt();
        init::uniform_(&self.weight, -bound, bound)?;
        if let Some(bias) = &self.bias {
            init::uniform_(bias, -bound, bound)?;
        }
        Ok(())
    }
}

impl BilinearBuilder {
    /// Is there a bias? There is by default.
    pub fn bias(mut self, bias: bool) -> Self {
        self.bias = bias;
        self
    }

    placement!(Bilinear::builder(2, 3, 4));

    /// The layer.
    ///
    /// # Errors
    /// No features of the first input.
    pub fn build(self) -> Result<Bilinear> {
        if self.sizes[1] == 0 {
            let text = "in1_features must be > 0, but got (in1_features=0)";
            return Err(Error::value("Bilinear", text));
        }
        let options = TensorOptions::new().dtype(self.dtype).device(self.device);
        let weight = Parameter::new(Tensor::empty_with(self.sizes, options)?);
        let bias = self.bias.then(|| Tensor::empty_with([self.sizes[0]], options)).transpose()?;
        let layer = Bilinear { core: Core::new(), weight, bias: bias.map(Parameter::new) };
        layer.reset_parameters()?;
        Ok(layer)
    }
}

impl Forward<(Tensor, Tensor)> for Bilinear {
    fn forward(&self, (input1, input2): (Tensor, Tensor)) -> Result<Tensor> {
        input1.bilinear(&input2, &self.weight, self.bias.as_deref())
    }
}

impl Custom for Bilinear {
    fn extra_repr(&self) -> String {
        let shape = self.weight.shape().unwrap_or_default();
        let size = |d: usize| shape.get(d).copied().unwrap_or(0);
        format!(
            "in1_features={}, in2_features={}, out_features={}, bias={}",
            size(1),
            size(2),
            size(0),
            self.bias.is_some().repr()
        )
    }
}
