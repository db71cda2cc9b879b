//! Activations that are no function of numbers alone: GELU's two forms, gates, learned slopes.

use super::activation::text;
use super::placement::placement;
use crate::functional::{glu, prelu};
use crate::{Core, Custom, Forward, Module};
use firebrick_core::text::Repr;
use firebrick_core::{DType, Device, Parameter, Result, Scalar, Tensor, TensorOptions, default_device, default_dtype};

/// `x P(X <= x)` for a standard normal `X`, exactly or by way of `tanh`.
///
/// Hendrycks and Gimpel, *Gaussian Error Linear Units* (2016).
///
/// # Shapes
/// Any shape, same shape out.
///
/// # Errors
/// An `approximate` other than `"none"` and `"tanh"`, when called.
///
/// ```
/// use firebrick::prelude::*;
/// assert_eq!(nn::GELU::new().to_string(), "GELU(approximate='none')");
/// let y = nn::GELU::new().approximate("tanh").call(Tensor::ones([1])?)?.item::<f32>()?;
/// assert!((y - 0.841_192).abs() < 1e-6);
/// # Ok::<_, firebrick::Error>(())
/// ```
#[derive(Module)]
#[module(custom)]
pub struct GELU {
    core: Core,
    approximate: String,
}

impl GELU {
    /// The exact form.
    pub fn new() -> Self {
        GELU { core: Core::new(), approximate: "none".to_owned() }
    }

    /// `"none"` or `"tanh"`.
    pub fn approximate(mut self, approximate: &str) -> Self {
        self.approximate = approximate.to_owned();
        self
    }
}

impl Default for GELU {
    fn default() -> Self {
        Self::new()
    }
}

impl Forward for GELU {
    fn forward(&self, input: Tensor) -> Result<Tensor> {
        input.gelu(&*self.approximate)
    }
}

impl Custom for GELU {
    fn extra_repr(&self) -> String {
        format!("approximate={}", self.approximate.repr())
    }
}

/// `a sigmoid(b)`, where `a` and `b` are the halves of the input along a dimension.
///
/// Dauphin et al., *Language Modeling with Gated Convolutional Networks* (2016).
///
/// # Shapes
/// `[*, 2 n, *]` to `[*, n, *]`.
///
/// # Errors
/// An odd size.
///
/// ```
/// use firebrick::prelude::*;
/// assert_eq!(nn::GLU::new(-1).call(Tensor::new([1.0f32, 2.0, 0.0, 0.0])?)?.to_vec::<f32>()?, [0.5, 1.0]);
/// # Ok::<_, firebrick::Error>(())
/// ```
#[derive(Module)]
#[module(custom)]
pub struct GLU {
    core: Core,
    dim: i64,
}

impl GLU {
    /// Halves `dim`; PyTorch's default is -1.
    pub fn new(dim: i64) -> Self {
        GLU { core: Core::new(), dim }
    }
}

impl Default for GLU {
    fn default() -> Self {
        Self::new(-1)
    }
}

impl Forward for GLU {
    fn forward(&self, input: Tensor) -> Result<Tensor> {
        glu(&input, self.dim)
    }
}

impl Custom for GLU {
    fn extra_repr(&self) -> String {
        format!("dim={}", self.dim)
    }
}

/// `x` above zero, else `weight x`, with one trained weight or one for each channel.
///
/// He et al., *Delving Deep into Rectifiers* (2015).
///
/// # Shapes
/// `[N, num_parameters, *]`, or any shape for one parameter; same shape out.
///
/// # Errors
/// Another number of channels.
///
/// ```
/// use firebrick::prelude::*;
/// let prelu = nn::PReLU::new(1)?;
/// assert_eq!(prelu.to_string(), "PReLU(num_parameters=1)");
/// assert_eq!(prelu.call(Tensor::new([-4.0f32, 4.0])?)?.to_vec::<f32>()?, [-1.0, 4.0]);
/// # Ok::<_, firebrick::Error>(())
/// ```
#[derive(Module)]
#[module(custom)]
pub struct PReLU {
    core: Core,
    /// `[num_parameters]`.
    pub weight: Parameter,
}

/// Options of a [`PReLU`]; [`PReLU::builder`] shows them.
#[derive(Clone, Debug)]
pub struct PReLUBuilder {
    num_parameters: usize,
    init: f64,
    dtype: DType,
    device: Device,
}

impl PReLU {
    /// Weights that start at 0.25; PyTorch's default is one.
    ///
    /// # Errors
    /// When memory for the parameter cannot be had.
    pub fn new(num_parameters: usize) -> Result<Self> {
        Self::builder(num_parameters).build()
    }

    /// A layer with options.
    ///
    /// ```
    /// use firebrick::prelude::*;
    /// let prelu = nn::PReLU::builder(2).init(0.5).dtype(DType::F64).device(Device::Cpu).build()?;
    /// assert_eq!(prelu.call(Tensor::new([[-1.0f64, 3.0]])?)?.to_vec::<f64>()?, [-0.5, 3.0]);
    /// # Ok::<_, firebrick::Error>(())
    /// ```
    pub fn builder(num_parameters: usize) -> PReLUBuilder {
        PReLUBuilder { num_parameters, init: 0.25, dtype: default_dtype(), device: default_device() }
    }
}

impl PReLUBuilder {
    /// The value weights start at.
    pub fn init(mut self, init: f64) -> Self {
        self.init = init;
        self
    }

    placement!(PReLU::builder(2));

    /// The layer.
    ///
    /// # Errors
    /// When memory for the parameter cannot be had.
    pub fn build(self) -> Result<PReLU> {
        let options = TensorOptions::new().dtype(self.dtype).device(self.device);
        let weight = Parameter::new(Tensor::full_with([self.num_parameters], self.init, options)?);
        Ok(PReLU { core: Core::new(), weight })
    }
}

impl Forward for PReLU {
    fn forward(&self, input: Tensor) -> Result<Tensor> {
        prelu(&input, &self.weight)
    }
}

impl Custom for PReLU {
    fn extra_repr(&self) -> String {
        format!("num_parameters={}", (*self.weight).numel())
    }
}

/// `x` above zero, else `x` times a slope: drawn from `[lower, upper)` for each element in training, else their mean.
///
/// Xu et al., *Empirical Evaluation of Rectified Activations in Convolutional Network* (2015).
///
/// # Shapes
/// Any shape, same shape out.
///
/// # Errors
/// In training, a dtype other than float32 and float64.
///
/// ```
/// use firebrick::prelude::*;
/// let rrelu = nn::RReLU::new();
/// assert_eq!(rrelu.to_string(), "RReLU(lower=0.125, upper=0.3333333333333333)");
/// let rrelu = rrelu.lower(0.25).upper(0.75);
/// rrelu.eval();
/// let x = Tensor::new([-4.0f32, 4.0])?;
/// assert_eq!(rrelu.call(&x)?.to_vec::<f32>()?, [-2.0, 4.0]);
/// rrelu.inplace(true).call(&x)?;
/// assert_eq!(x.to_vec::<f32>()?, [-2.0, 4.0]);
/// # Ok::<_, firebrick::Error>(())
/// ```
#[derive(Module)]
#[module(custom)]
pub struct RReLU {
    core: Core,
    #[module(skip)]
    lower: Scalar,
    #[module(skip)]
    upper: Scalar,
    inplace: bool,
}

impl RReLU {
    /// Slopes from 1/8 to 1/3.
    pub fn new() -> Self {
        RReLU { core: Core::new(), lower: (1.0 / 8.0).into(), upper: (1.0 / 3.0).into(), inplace: false }
    }

    /// The least slope.
    pub fn lower(mut self, lower: impl Into<Scalar>) -> Self {
        self.lower = lower.into();
        self
    }

    /// The bound of the slopes.
    pub fn upper(mut self, upper: impl Into<Scalar>) -> Self {
        self.upper = upper.into();
        self
    }

    /// Does the layer overwrite its input? It does not unless set.
    pub fn inplace(mut self, on: bool) -> Self {
        self.inplace = on;
        self
    }
}

impl Default for RReLU {
    fn default() -> Self {
        Self::new()
    }
}

impl Forward for RReLU {
    fn forward(&self, input: Tensor) -> Result<Tensor> {
        let (lower, upper) = (self.lower.to_f64(), self.upper.to_f64());
        match self.inplace {
            true => input.rrelu_(lower, upper, self.is_training()).cloned(),
            false => input.rrelu(lower, upper, self.is_training()),
        }
    }
}

impl Custom for RReLU {
    fn extra_repr(&self) -> String {
        let inplace = if self.inplace { ", inplace=True" } else { "" };
        format!("lower={}, upper={}{inplace}", text(self.lower), text(self.upper))
    }
}
