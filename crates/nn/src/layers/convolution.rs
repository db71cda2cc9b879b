//! What convolutions over one, two and three dimensions share with transposed ones.

use crate::functional::{PadMode, PadOptions, pad_with};
use crate::init::{self, FanMode, Nonlinearity};
use firebrick_core::text::Repr;
use firebrick_core::{
    ConvOptions, DType, Device, Error, Padding, Parameter, Result, Sizes, Tensor, TensorOptions, default_device,
    default_dtype,
};

/// What a convolution is built from, whatever its dimensions.
#[derive(Clone, Debug)]
pub(super) struct Config {
    pub in_channels: Option<usize>,
    pub out_channels: usize,
    pub kernel: Vec<i64>,
    pub options: ConvOptions,
    /// Of a transposed convolution only.
    pub output_padding: Option<Sizes>,
    pub mode: PadMode,
    pub bias: bool,
    pub dtype: DType,
    pub device: Device,
}

/// One number for each of `n` dimensions.
pub(super) fn each(name: &str, sizes: &Sizes, n: usize) -> Result<Vec<i64>> {
    match &sizes[..] {
        [one] => Ok(vec![*one; n]),
        list if list.len() == n => Ok(list.to_vec()),
        list => Err(Error::value("Conv", format!("{name} must be one integer or {n}, got {list:?}"))),
    }
}

impl Config {
    pub(super) fn new(in_channels: Option<usize>, out_channels: usize, kernel: Sizes, transposed: bool) -> Self {
        Config {
            in_channels,
            out_channels,
            kernel: kernel.to_vec(),
            options: ConvOptions::new(),
            output_padding: transposed.then(|| 0.into()),
            mode: PadMode::Zeros,
            bias: true,
            dtype: default_dtype(),
            device: default_device(),
        }
    }

    /// Every list as long as there are dimensions, and PyTorch's checks.
    pub(super) fn resolved(mut self, class: &str, n: usize) -> Result<Self> {
        const OP: &str = "Conv";
        let groups = self.options.groups;
        if groups <= 0 {
            return Err(Error::value(OP, "groups must be a positive integer").given(groups.to_string()));
        }
        if self.in_channels.is_some_and(|channels| !channels.is_multiple_of(groups as usize)) {
            return Err(Error::value(OP, "in_channels must be divisible by groups"));
        }
        if !self.out_channels.is_multiple_of(groups as usize) {
            return Err(Error::value(OP, "out_channels must be divisible by groups"));
        }
        self.kernel = each("kernel_size", &self.kernel.clone().into(), n)?;
        self.options.stride = each("stride", &self.options.stride, n)?.into();
        self.options.dilation = each("dilation", &self.options.dilation, n)?.into();
        if let Padding::Zeros(zeros) = &self.options.padding {
            self.options.padding = Padding::Zeros(each("padding", zeros, n)?.into());
        }
        if self.options.padding == Padding::Same && self.options.stride.iter().any(|&s| s != 1) {
            return Err(Error::value(OP, "padding='same' is not supported for strided convolutions"));
        }
        if let Some(padding) = &self.output_padding {
            self.output_padding = Some(each("output_padding", padding, n)?.into());
            if self.mode != PadMode::Zeros {
                let text = format!("Only \"zeros\" padding mode is supported for {class}");
                return Err(Error::value(OP, text));
            }
            if !matches!(self.options.padding, Padding::Zeros(_)) {
                return Err(Error::value(OP, format!("{class} takes its padding as numbers")));
            }
        }
        Ok(self)
    }

    /// A transposed convolution's kernel is that of the convolution it is the gradient of.
    pub(super) fn weight_shape(&self, in_channels: usize) -> Vec<i64> {
        let (input, output, groups) = (in_channels as i64, self.out_channels as i64, self.options.groups);
        let channels = if self.output_padding.is_some() { [input, output / groups] } else { [output, input / groups] };
        channels.into_iter().chain(self.kernel.iter().copied()).collect()
    }

    /// Channels of the input that a kernel of this shape is for.
    pub(super) fn in_channels_of(&self, weight: &[usize]) -> usize {
        if self.output_padding.is_some() { weight[0] } else { weight[1] * self.options.groups as usize }
    }

    pub(super) fn is_lazy(&self) -> bool {
        self.in_channels.is_none()
    }

    pub(super) fn out_channels(&self) -> usize {
        self.out_channels
    }

    pub(super) fn parameters(&self) -> Result<(Parameter, Option<Parameter>)> {
        let options = TensorOptions::new().dtype(self.dtype).device(self.device);
        let Some(in_channels) = self.in_channels else {
            let bias = self.bias.then(|| Parameter::uninitialized(self.dtype, self.device)).transpose()?;
            return Ok((Parameter::uninitialized(self.dtype, self.device)?, bias));
        };
        let weight = Parameter::new(Tensor::empty_with(self.weight_shape(in_channels), options)?);
        let bias = self.bias.then(|| Tensor::empty_with([self.out_channels], options)).transpose()?;
        Ok((weight, bias.map(Parameter::new)))
    }

    /// Zeros on either side of each dimension that the padding stands for, from the last dimension to the first.
    fn explicit_padding(&self) -> Vec<i64> {
        let mut pads = Vec::with_capacity(2 * self.kernel.len());
        for d in (0..self.kernel.len()).rev() {
            let (before, after) = match &self.options.padding {
                Padding::Zeros(zeros) => (zeros[d], zeros[d]),
                Padding::Valid => (0, 0),
                Padding::Same => {
                    let total = self.options.dilation[d] * (self.kernel[d] - 1);
                    (total / 2, total - total / 2)
                }
            };
            pads.extend([before, after]);
        }
        pads
    }

    /// The convolution, after padding that it does not do itself.
    pub(super) fn convolve(
        &self,
        input: &Tensor,
        weight: &Tensor,
        bias: Option<&Tensor>,
        conv: fn(&Tensor, &Tensor, Option<&Tensor>, &ConvOptions) -> Result<Tensor>,
    ) -> Result<Tensor> {
        if self.mode == PadMode::Zeros {
            return conv(input, weight, bias, &self.options);
        }
        let padded = pad_with(input, self.explicit_padding(), &PadOptions::new().mode(self.mode))?;
        conv(&padded, weight, bias, &self.options.clone().padding(0))
    }

    pub(super) fn extra_repr(&self, in_channels: usize, bias: bool) -> String {
        let tuple = |list: &[i64]| firebrick_core::text::python_tuple(list);
        let mut text = format!(
            "{in_channels}, {}, kernel_size={}, stride={}",
            self.out_channels,
            tuple(&self.kernel),
            tuple(&self.options.stride)
        );
        match &self.options.padding {
            Padding::Zeros(zeros) if zeros.iter().all(|&p| p == 0) => {}
            Padding::Zeros(zeros) => text += &format!(", padding={}", tuple(zeros)),
            Padding::Same => text += ", padding=same",
            Padding::Valid => text += ", padding=valid",
        }
        if self.options.dilation.iter().any(|&d| d != 1) {
            text += &format!(", dilation={}", tuple(&self.options.dilation));
        }
        if let Some(padding) = self.output_padding.as_ref().filter(|padding| padding.iter().any(|&p| p != 0)) {
            text += &format!(", output_padding={}", tuple(padding));
        }
        if self.options.groups != 1 {
            text += &format!(", groups={}", self.options.groups);
        }
        if !bias {
            text += &format!(", bias={}", false.repr());
        }
        if self.mode != PadMode::Zeros {
            text += &format!(", padding_mode={}", self.mode.name());
        }
        text
    }
}

/// Draws the parameters of a convolution: `kaiming_uniform_(a=sqrt(5))`, with PyTorch's roundings.
pub(super) fn reset(weight: &Parameter, bias: Option<&Parameter>) -> Result<()> {
    init::kaiming_uniform_(weight, 5.0f64.sqrt(), FanMode::FanIn, Nonlinearity::LeakyRelu)?;
    let shape = weight.shape()?;
    let fan_in: usize = shape[1..].iter().product();
    if let (Some(bias), true) = (bias, fan_in > 0) {
        let bound = 1.0 / (fan_in as f64).sqrt();
        init::uniform_(bias, -bound, bound)?;
    }
    Ok(())
}

/// A layer with the parameters of a convolution, or of a transposed one: `forward` takes what it is built from, the
/// input and the parameters. The documentation before the builder's name shows its options.
macro_rules! convolution {
    (
        $(#[$doc:meta])* $name:ident,
        $(#[$options:meta])* $builder:ident, $n:literal, $transposed:literal, $lazy:literal, $forward:expr
    ) => {
        $(#[$doc])*
        #[derive(Module)]
        #[module(custom)]
        pub struct $name {
            core: Core,
            /// `[out_channels, in_channels / groups, *kernel_size]`; transposed, `[in_channels, out_channels / groups, *]`.
            pub weight: Parameter,
            /// `[out_channels]`.
            pub bias: Option<Parameter>,
            #[module(skip)]
            config: Config,
        }

        impl $name {
            /// A layer with stride 1, no padding, and a bias.
            ///
            /// # Errors
            /// See the builder's `build`.
            ///
            /// ```
            /// use firebrick::prelude::*;
            #[doc = concat!("let layer = nn::", stringify!($name), "::new(4, 8, 3)?;")]
            /// assert_eq!((layer.in_channels(), layer.out_channels()), (4, 8));
            /// # Ok::<_, firebrick::Error>(())
            /// ```
            pub fn new(in_channels: usize, out_channels: usize, kernel_size: impl Into<Sizes>) -> Result<Self> {
                Self::builder(in_channels, out_channels, kernel_size).build()
            }

            /// A layer with options.
            ///
            /// ```
            /// use firebrick::prelude::*;
            #[doc = concat!("let layer = nn::", stringify!($name), "::builder(4, 8, 3).bias(false).build()?;")]
            /// assert!(layer.bias.is_none());
            /// # Ok::<_, firebrick::Error>(())
            /// ```
            pub fn builder(in_channels: usize, out_channels: usize, kernel_size: impl Into<Sizes>) -> $builder {
                $builder(Config::new(Some(in_channels), out_channels, kernel_size.into(), $transposed))
            }

            #[doc = concat!("PyTorch's `", $lazy, "(out_channels, kernel_size)`: `in_channels` is read off the first input.")]
            ///
            /// # Errors
            /// See the builder's `build`.
            ///
            /// ```
            /// use firebrick::prelude::*;
            #[doc = concat!("let layer = nn::", stringify!($name), "::lazy(8, 3)?;")]
            #[doc = concat!("assert!(layer.to_string().starts_with(\"", $lazy, "(0, 8\"));")]
            #[doc = concat!("layer.call(Tensor::ones([4; 1 + ", $n, "])?)?; // channels and ", $n, " dimensions")]
            /// assert_eq!(layer.in_channels(), 4);
            /// # Ok::<_, firebrick::Error>(())
            /// ```
            pub fn lazy(out_channels: usize, kernel_size: impl Into<Sizes>) -> Result<Self> {
                Self::lazy_builder(out_channels, kernel_size).build()
            }

            /// The lazy layer with options.
            ///
            /// ```
            /// use firebrick::prelude::*;
            #[doc = concat!("let layer = nn::", stringify!($name), "::lazy_builder(8, 3).groups(2).build()?;")]
            #[doc = concat!("layer.call(Tensor::ones([4; 1 + ", $n, "])?)?;")]
            #[doc = concat!("assert!(layer.to_string().starts_with(\"", stringify!($name), "(4, 8\"));")]
            /// # Ok::<_, firebrick::Error>(())
            /// ```
            pub fn lazy_builder(out_channels: usize, kernel_size: impl Into<Sizes>) -> $builder {
                $builder(Config::new(None, out_channels, kernel_size.into(), $transposed))
            }

            /// Channels of the input; 0 until a lazy layer has seen one. [`new`](Self::new) and [`lazy`](Self::lazy) show it.
            pub fn in_channels(&self) -> usize {
                self.weight.shape().map_or(0, |shape| self.config.in_channels_of(&shape))
            }

            /// Channels of the output. [`new`](Self::new) shows it.
            pub fn out_channels(&self) -> usize {
                self.config.out_channels()
            }

            /// Draws new values for the parameters.
            ///
            /// # Errors
            /// On uninitialized parameters.
            ///
            /// ```
            /// use firebrick::prelude::*;
            #[doc = concat!("let layer = nn::", stringify!($name), "::new(4, 8, 3)?;")]
            /// let before = layer.weight.to_vec::<f32>()?;
            /// layer.reset_parameters()?;
            /// assert_ne!(layer.weight.to_vec::<f32>()?, before);
            /// # Ok::<_, firebrick::Error>(())
            /// ```
            pub fn reset_parameters(&self) -> Result<()> {
                reset(&self.weight, self.bias.as_ref())
            }
        }

        #[doc = concat!("Options of a [`", stringify!($name), "`].")]
        ///
        $(#[$options])*
        #[derive(Clone, Debug)]
        pub struct $builder(Config);

        impl $builder {
            /// Steps of the kernel, one for all dimensions or one for each; 1 unless set.
            pub fn stride(mut self, stride: impl Into<Sizes>) -> Self {
                self.0.options.stride = stride.into();
                self
            }

            /// What surrounds the input: numbers, `Padding::Same` or `Padding::Valid`; 0 unless set.
            pub fn padding(mut self, padding: impl Into<Padding>) -> Self {
                self.0.options.padding = padding.into();
                self
            }

            /// Steps between the kernel's elements; 1 unless set.
            pub fn dilation(mut self, dilation: impl Into<Sizes>) -> Self {
                self.0.options.dilation = dilation.into();
                self
            }

            /// Groups of channels that do not mix; 1 unless set.
            pub fn groups(mut self, groups: i64) -> Self {
                self.0.options.groups = groups;
                self
            }

            /// Is there a bias? There is by default.
            pub fn bias(mut self, bias: bool) -> Self {
                self.0.bias = bias;
                self
            }

            /// Zeros around the input, or the input itself reflected, repeated or wrapped around; zeros unless
            /// set.
            pub fn padding_mode(mut self, mode: PadMode) -> Self {
                self.0.mode = mode;
                self
            }

            $crate::layers::placement::placement!($name::builder(4, 8, 3), in 0);

            /// The layer.
            ///
            /// # Errors
            /// Channels that the groups do not divide, lists of another length than there are dimensions, `same`
            /// padding with a stride.
            ///
            /// ```
            /// use firebrick::prelude::*;
            #[doc = concat!("let refused = nn::", stringify!($name), "::builder(4, 8, 3).groups(3).build().unwrap_err();")]
            /// assert_eq!(refused.to_string(), "in_channels must be divisible by groups");
            /// # Ok::<_, firebrick::Error>(())
            /// ```
            pub fn build(self) -> Result<$name> {
                let config = self.0.resolved(stringify!($name), $n)?;
                let (weight, bias) = config.parameters()?;
                let core = if config.is_lazy() { Core::lazy() } else { Core::new() };
                let layer = $name { core, weight, bias, config };
                if !layer.config.is_lazy() {
                    layer.reset_parameters()?;
                }
                Ok(layer)
            }
        }

        impl Forward for $name {
            fn forward(&self, input: Tensor) -> Result<Tensor> {
                $forward(&self.config, &input, &self.weight, self.bias.as_deref())
            }

            fn initialize(&self, input: &Tensor) -> Result<()> {
                let shape = input.shape();
                if shape.len() != $n + 1 && shape.len() != $n + 2 {
                    return Err(Error::runtime(
                        $lazy,
                        format!(
                            "Expected {}D (unbatched) or {}D (batched) input to {}, but got input of size: {shape}",
                            $n + 1, $n + 2, $lazy
                        ),
                    ));
                }
                let in_channels = shape[shape.len() - $n - 1];
                if !in_channels.is_multiple_of(self.config.options.groups as usize) {
                    return Err(Error::value($lazy, "in_channels must be divisible by groups"));
                }
                let options = TensorOptions::new().dtype(self.weight.dtype()).device(self.weight.device());
                self.weight.set_data(&Tensor::empty_with(self.config.weight_shape(in_channels), options)?)?;
                if let Some(bias) = &self.bias {
                    bias.set_data(&Tensor::empty_with([self.config.out_channels()], options)?)?;
                }
                self.reset_parameters()
            }
        }

        impl Custom for $name {
            fn extra_repr(&self) -> String {
                self.config.extra_repr(self.in_channels(), self.bias.is_some())
            }
        }
    };
}

pub(super) use convolution;
