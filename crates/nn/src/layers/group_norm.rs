//! Group normalization.

use super::placement::placement;
use crate::{Core, Custom, Forward, Module, init};
use firebrick_core::text::{Repr, python_float};
use firebrick_core::{DType, Device, Error, Parameter, Result, Tensor, TensorOptions, default_device, default_dtype};

/// Brings groups of channels of each sample to mean 0 and variance 1, then scales and shifts each channel.
///
/// Wu and He, *Group Normalization* (2018).
///
/// # Shapes
/// `[N, C, *]`, same shape out.
///
/// # Errors
/// Channels that are not `num_channels`; fewer than two dimensions.
///
/// ```
/// use firebrick::prelude::*;
/// let norm = nn::GroupNorm::new(1, 2)?;
/// assert_eq!(norm.to_string(), "GroupNorm(1, 2, eps=1e-05, affine=True, bias=True)");
/// let y = norm.call(Tensor::new([[1.0f32, 3.0]])?)?.to_vec::<f32>()?;
/// assert!((y[0] + 1.0).abs() < 1e-4 && (y[1] - 1.0).abs() < 1e-4);
/// # Ok::<_, firebrick::Error>(())
/// ```
#[derive(Module)]
#[module(custom)]
pub struct GroupNorm {
    core: Core,
    /// `[num_channels]`; `None` unless affine.
    pub weight: Option<Parameter>,
    /// `[num_channels]`; `None` unless affine with a bias.
    pub bias: Option<Parameter>,
    #[module(skip)]
    config: GroupNormBuilder,
}

/// Options of a [`GroupNorm`]; [`GroupNorm::builder`] shows them.
#[derive(Clone, Debug)]
pub struct GroupNormBuilder {
    num_groups: i64,
    num_channels: usize,
    eps: f64,
    affine: bool,
    bias: bool,
    dtype: DType,
    device: Device,
}

impl GroupNorm {
    /// A layer with PyTorch's defaults.
    ///
    /// # Errors
    /// Groups that do not divide the channels.
    pub fn new(num_groups: i64, num_channels: usize) -> Result<Self> {
        Self::builder(num_groups, num_channels).build()
    }

    /// A layer with options.
    ///
    /// ```
    /// use firebrick::prelude::*;
    /// let norm = nn::GroupNorm::builder(2, 4)
    ///     .eps(1e-3)
    ///     .affine(true)
    ///     .bias(false)
    ///     .dtype(DType::F64)
    ///     .device(Device::Cpu)
    ///     .build()?;
    /// assert_eq!(norm.state_dict().keys().collect::<Vec<_>>(), ["weight"]);
    /// let values = norm.call(Tensor::new([[1.0f64, 3.0, 1.0, 3.0]])?)?.to_vec::<f64>()?;
    /// assert!((values[3] - 1.0 / 1.001f64.sqrt()).abs() < 1e-12); // (3 - 2) / sqrt(1 + eps)
    /// # Ok::<_, firebrick::Error>(())
    /// ```
    pub fn builder(num_groups: i64, num_channels: usize) -> GroupNormBuilder {
        GroupNormBuilder {
            num_groups,
            num_channels,
            eps: 1e-5,
            affine: true,
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
    /// let norm = nn::GroupNorm::new(1, 2)?;
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

impl GroupNormBuilder {
    /// What is added to the variance; 1e-5 unless set.
    pub fn eps(mut self, eps: f64) -> Self {
        self.eps = eps;
        self
    }

    /// Is the result scaled and shifted by parameters? It is by default.
    pub fn affine(mut self, affine: bool) -> Self {
        self.affine = affine;
        self
    }

    /// Is it shifted? It is by default, when affine.
    pub fn bias(mut self, bias: bool) -> Self {
        self.bias = bias;
        self
    }

    placement!(GroupNorm::builder(2, 4));

    /// The layer.
    ///
    /// # Errors
    /// Groups that do not divide the channels.
    pub fn build(self) -> Result<GroupNorm> {
        const OP: &str = "GroupNorm";
        let (channels, groups) = (self.num_channels, self.num_groups);
        if groups == 0 {
            return Err(Error::value(OP, "integer modulo by zero").expected("num_groups > 0"));
        }
        if channels as i64 % groups != 0 {
            let text = format!("num_channels ({channels}) must be divisible by num_groups ({groups})");
            return Err(Error::value(OP, text));
        }
        let options = TensorOptions::new().dtype(self.dtype).device(self.device);
        let parameter = |wanted: bool| {
            let make = || Tensor::empty_with([channels], options).map(Parameter::new);
            wanted.then(make).transpose()
        };
        let (weight, bias) = (parameter(self.affine)?, parameter(self.affine && self.bias)?);
        let layer = GroupNorm { core: Core::new(), weight, bias, config: self };
        layer.reset_parameters()?;
        Ok(layer)
    }
}

impl Forward for GroupNorm {
    fn forward(&self, input: Tensor) -> Result<Tensor> {
        input.group_norm(self.config.num_groups, self.weight.as_deref(), self.bias.as_deref(), self.config.eps)
    }
}

impl Custom for GroupNorm {
    fn extra_repr(&self) -> String {
        let config = &self.config;
        format!(
            "{}, {}, eps={}, affine={}, bias={}",
            config.num_groups,
            config.num_channels,
            python_float(config.eps),
            config.affine.repr(),
            self.bias.is_some().repr()
        )
    }
}
