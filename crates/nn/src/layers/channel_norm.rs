//! What batch normalization and instance normalization share: a layer that normalizes channels.

use firebrick_core::{
    Buffer, DType, Device, Error, Parameter, Result, Tensor, TensorOptions, default_device, default_dtype,
};
use std::sync::atomic::{AtomicU64, Ordering};

/// The weight of a new batch in the running statistics, which may change between two batches.
#[derive(Debug)]
pub(super) struct Momentum(AtomicU64);

impl Momentum {
    /// A NaN that stands for `None`.
    const NONE: u64 = u64::MAX;

    pub fn new(momentum: Option<f64>) -> Self {
        Momentum(AtomicU64::new(Self::bits(momentum)))
    }

    fn bits(momentum: Option<f64>) -> u64 {
        momentum.map_or(Self::NONE, f64::to_bits)
    }

    pub fn get(&self) -> Option<f64> {
        Some(self.0.load(Ordering::Relaxed)).filter(|&bits| bits != Self::NONE).map(f64::from_bits)
    }

    pub fn set(&self, momentum: Option<f64>) {
        self.0.store(Self::bits(momentum), Ordering::Relaxed);
    }
}

impl Clone for Momentum {
    fn clone(&self) -> Self {
        Momentum::new(self.get())
    }
}

/// What a batch normalization is built from, whatever its dimensions.
#[derive(Clone, Debug)]
pub(super) struct Config {
    /// `None`: read off the first input.
    pub num_features: Option<usize>,
    pub eps: f64,
    pub momentum: Momentum,
    pub affine: bool,
    pub bias: bool,
    pub track_running_stats: bool,
    pub dtype: DType,
    pub device: Device,
}

impl Config {
    /// `usual`: is the layer affine, and does it track statistics, unless it is told otherwise?
    pub(super) fn new(num_features: Option<usize>, usual: bool) -> Self {
        Config {
            num_features,
            eps: 1e-5,
            momentum: Momentum::new(Some(0.1)),
            affine: usual,
            bias: true,
            track_running_stats: usual,
            dtype: default_dtype(),
            device: default_device(),
        }
    }

    pub(super) fn options(&self) -> TensorOptions {
        TensorOptions::new().dtype(self.dtype).device(self.device)
    }

    pub(super) fn parameter(&self, wanted: bool) -> Result<Option<Parameter>> {
        let make = || match self.num_features {
            Some(n) => Tensor::empty_with([n], self.options()).map(Parameter::new),
            None => Parameter::uninitialized(self.dtype, self.device),
        };
        (self.affine && wanted).then(make).transpose()
    }

    pub(super) fn statistics(&self) -> Result<Option<Buffer>> {
        let make = || match self.num_features {
            Some(n) => Tensor::empty_with([n], self.options()).map(Buffer::new),
            None => Buffer::uninitialized(self.dtype, self.device),
        };
        self.track_running_stats.then(make).transpose()
    }

    pub(super) fn count(&self) -> Result<Option<Buffer>> {
        let options = TensorOptions::new().dtype(DType::I64).device(self.device);
        self.track_running_stats.then(|| Tensor::zeros_with((), options).map(Buffer::new)).transpose()
    }

    /// The weight of the new mean and variance in the running ones, after counting this batch.
    pub(super) fn average_factor(&self, batches: Option<&Buffer>) -> Result<f64> {
        if let Some(batches) = batches {
            batches.add_(1)?;
            if self.momentum.get().is_none() {
                return Ok(1.0 / batches.item::<i64>()? as f64);
            }
        }
        Ok(self.momentum.get().unwrap_or(0.0))
    }
}

/// The members of a normalization by channel, with what is known of the call.
pub(super) struct Members<'a> {
    pub class: &'static str,
    pub config: &'a Config,
    pub weight: Option<&'a Tensor>,
    pub bias: Option<&'a Tensor>,
    pub running_mean: Option<&'a Tensor>,
    pub running_var: Option<&'a Tensor>,
    pub num_batches_tracked: Option<&'a Buffer>,
    pub num_features: usize,
    pub training: bool,
}

impl Members<'_> {
    pub(super) fn expect_ranks(&self, input: &Tensor, ranks: &[usize], expected: &str) -> Result<()> {
        let rank = input.dim();
        if ranks.contains(&rank) {
            return Ok(());
        }
        let text = format!("expected {expected} input (got {rank}D input)");
        Err(Error::value(self.class, text).given(input.shape().to_string()))
    }
}

/// A layer that normalizes channels: `usual` are the defaults of [`Config::new`], `forward` takes the members and the
/// input. The documentation before the builder's name shows its options.
macro_rules! channel_norm {
    (
        $(#[$doc:meta])* $name:ident,
        $(#[$options:meta])* $builder:ident, $lazy:literal, $usual:literal, $forward:expr
    ) => {
        $(#[$doc])*
        #[derive(Module)]
        #[module(custom)]
        pub struct $name {
            core: Core,
            /// `[num_features]`; `None` unless affine.
            pub weight: Option<Parameter>,
            /// `[num_features]`; `None` unless affine with a bias.
            pub bias: Option<Parameter>,
            /// `[num_features]`; `None` unless statistics are tracked.
            pub running_mean: Option<Buffer>,
            /// `[num_features]`; `None` unless statistics are tracked.
            pub running_var: Option<Buffer>,
            /// How many batches the running statistics have seen.
            pub num_batches_tracked: Option<Buffer>,
            #[module(skip)]
            config: Config,
        }

        impl $name {
            /// A layer with PyTorch's defaults.
            ///
            /// # Errors
            /// When memory for the parameters cannot be had.
            ///
            /// ```
            /// use firebrick::prelude::*;
            #[doc = concat!("let norm = nn::", stringify!($name), "::new(3)?;")]
            /// assert_eq!((norm.num_features(), norm.eps(), norm.momentum()), (3, 1e-5, Some(0.1)));
            #[doc = concat!("assert_eq!(norm.weight.is_some(), ", $usual, ");")]
            /// # Ok::<_, firebrick::Error>(())
            /// ```
            pub fn new(num_features: usize) -> Result<Self> {
                Self::builder(num_features).build()
            }

            /// A layer with options.
            ///
            /// ```
            /// use firebrick::prelude::*;
            #[doc = concat!("let norm = nn::", stringify!($name), "::builder(3).affine(true).build()?;")]
            /// assert_eq!(norm.named_parameters().len(), 2);
            /// # Ok::<_, firebrick::Error>(())
            /// ```
            pub fn builder(num_features: usize) -> $builder {
                $builder(Config::new(Some(num_features), $usual))
            }

            #[doc = concat!("PyTorch's `", $lazy, "()`: `num_features` is read off the first input.")]
            ///
            /// # Errors
            /// When the parameters cannot be made.
            ///
            /// ```
            /// use firebrick::prelude::*;
            #[doc = concat!("let norm = nn::", stringify!($name), "::lazy()?;")]
            /// assert_eq!(norm.num_features(), 0);
            #[doc = concat!("assert!(norm.to_string().starts_with(\"", $lazy, "(0, eps=1e-05\"));")]
            /// # Ok::<_, firebrick::Error>(())
            /// ```
            pub fn lazy() -> Result<Self> {
                Self::lazy_builder().build()
            }

            /// The lazy layer with options.
            ///
            /// ```
            /// use firebrick::prelude::*;
            #[doc = concat!("let norm = nn::", stringify!($name), "::lazy_builder().eps(0.5).build()?;")]
            /// assert_eq!((norm.num_features(), norm.eps()), (0, 0.5));
            /// # Ok::<_, firebrick::Error>(())
            /// ```
            pub fn lazy_builder() -> $builder {
                // PyTorch's lazy layers do both, whatever the others do.
                $builder(Config::new(None, true))
            }

            /// Channels of the input; 0 until a lazy layer has seen one. [`new`](Self::new) shows it.
            pub fn num_features(&self) -> usize {
                let weight = self.weight.as_ref().map(|weight| weight.shape());
                let known = weight.or_else(|| self.running_mean.as_ref().map(|mean| mean.shape()));
                match known {
                    Some(shape) => shape.map_or(0, |shape| shape[0]),
                    None => self.config.num_features.unwrap_or(0),
                }
            }

            /// What is added to the variance. [`new`](Self::new) shows it.
            pub fn eps(&self) -> f64 {
                self.config.eps
            }

            /// The weight of a new batch in the running statistics; `None` is a cumulative average.
            /// [`set_momentum`](Self::set_momentum) shows it.
            pub fn momentum(&self) -> Option<f64> {
                self.config.momentum.get()
            }

            /// Sets the weight of a new batch in the running statistics.
            ///
            /// ```
            /// use firebrick::prelude::*;
            #[doc = concat!("let norm = nn::", stringify!($name), "::new(3)?;")]
            /// norm.set_momentum(0.5);
            /// assert_eq!(norm.momentum(), Some(0.5));
            /// norm.set_momentum(None);
            /// assert_eq!(norm.momentum(), None);
            /// # Ok::<_, firebrick::Error>(())
            /// ```
            pub fn set_momentum(&self, momentum: impl Into<Option<f64>>) {
                self.config.momentum.set(momentum.into());
            }

            /// Forgets the statistics of the batches seen: mean 0, variance 1, count 0.
            ///
            /// # Errors
            /// On uninitialized buffers.
            ///
            /// ```
            /// use firebrick::prelude::*;
            #[doc = concat!("let norm = nn::", stringify!($name), "::builder(1).track_running_stats(true).build()?;")]
            /// let mean = norm.get_buffer("running_mean")?;
            /// mean.fill_(5.0)?;
            /// norm.reset_running_stats()?;
            /// assert_eq!(mean.item::<f32>()?, 0.0);
            /// # Ok::<_, firebrick::Error>(())
            /// ```
            pub fn reset_running_stats(&self) -> Result<()> {
                if let (Some(mean), Some(var), Some(count)) =
                    (&self.running_mean, &self.running_var, &self.num_batches_tracked)
                {
                    mean.zero_()?;
                    var.fill_(1)?;
                    count.zero_()?;
                }
                Ok(())
            }

            /// Weight 1, bias 0, statistics forgotten.
            ///
            /// # Errors
            /// On uninitialized parameters.
            ///
            /// ```
            /// use firebrick::prelude::*;
            #[doc = concat!("let norm = nn::", stringify!($name), "::builder(2).affine(true).build()?;")]
            /// let weight = norm.get_parameter("weight")?;
            /// autograd::no_grad(|| weight.zero_())?;
            /// norm.reset_parameters()?;
            /// assert_eq!(weight.to_vec::<f32>()?, [1.0, 1.0]);
            /// # Ok::<_, firebrick::Error>(())
            /// ```
            pub fn reset_parameters(&self) -> Result<()> {
                self.reset_running_stats()?;
                if let Some(weight) = &self.weight {
                    init::ones_(weight)?;
                }
                if let Some(bias) = &self.bias {
                    init::zeros_(bias)?;
                }
                Ok(())
            }
        }

        #[doc = concat!("Options of a [`", stringify!($name), "`].")]
        ///
        $(#[$options])*
        #[derive(Clone, Debug)]
        pub struct $builder(Config);

        impl $builder {
            /// What is added to the variance; 1e-5 unless set.
            pub fn eps(mut self, eps: f64) -> Self {
                self.0.eps = eps;
                self
            }

            /// The weight of a new batch in the running statistics, 0.1 unless set; `None` is a cumulative average.
            pub fn momentum(mut self, momentum: impl Into<Option<f64>>) -> Self {
                self.0.momentum = Momentum::new(momentum.into());
                self
            }

            #[doc = concat!("Is the result scaled and shifted by parameters? ", stringify!($usual), " unless set.")]
            pub fn affine(mut self, affine: bool) -> Self {
                self.0.affine = affine;
                self
            }

            /// Is it shifted? It is by default, when affine.
            pub fn bias(mut self, bias: bool) -> Self {
                self.0.bias = bias;
                self
            }

            #[doc = concat!("Are mean and variance of the batches kept for evaluation? ", stringify!($usual), " unless set.")]
            pub fn track_running_stats(mut self, on: bool) -> Self {
                self.0.track_running_stats = on;
                self
            }

            $crate::layers::placement::placement!($name::builder(3).affine(true), in 0);

            /// The layer.
            ///
            /// # Errors
            /// When memory for the parameters cannot be had.
            pub fn build(self) -> Result<$name> {
                let config = self.0;
                let known = config.num_features.is_some();
                let layer = $name {
                    core: if known { Core::new() } else { Core::lazy() },
                    weight: config.parameter(true)?,
                    bias: config.parameter(config.bias)?,
                    running_mean: config.statistics()?,
                    running_var: config.statistics()?,
                    num_batches_tracked: config.count()?,
                    config,
                };
                if known {
                    layer.reset_parameters()?;
                }
                Ok(layer)
            }
        }

        impl Forward for $name {
            fn forward(&self, input: Tensor) -> Result<Tensor> {
                let members = Members {
                    class: stringify!($name),
                    config: &self.config,
                    weight: self.weight.as_deref(),
                    bias: self.bias.as_deref(),
                    running_mean: self.running_mean.as_deref(),
                    running_var: self.running_var.as_deref(),
                    num_batches_tracked: self.num_batches_tracked.as_ref(),
                    num_features: self.num_features(),
                    training: self.is_training(),
                };
                $forward(&members, &input)
            }

            fn initialize(&self, input: &Tensor) -> Result<()> {
                let Some(&n) = input.shape().get(1) else {
                    return Err(Error::index($lazy, "tuple index out of range").given(input.shape().to_string()));
                };
                let members = [self.weight.as_deref(), self.bias.as_deref()];
                let statistics = [self.running_mean.as_deref(), self.running_var.as_deref()];
                for tensor in members.into_iter().chain(statistics).flatten() {
                    let options = TensorOptions::new().dtype(tensor.dtype()).device(tensor.device());
                    tensor.set_data(&Tensor::empty_with([n], options)?)?;
                }
                self.reset_parameters()
            }
        }

        impl Custom for $name {
            fn extra_repr(&self) -> String {
                let config = &self.config;
                format!(
                    "{}, eps={}, momentum={}, affine={}, bias={}, track_running_stats={}",
                    self.num_features(),
                    python_float(config.eps),
                    config.momentum.get().repr(),
                    config.affine.repr(),
                    self.bias.is_some().repr(),
                    config.track_running_stats.repr()
                )
            }

            /// Since version 2, `num_batches_tracked` is saved.
            fn version(&self) -> i64 {
                2
            }

            fn migrate(&self, state: &mut StateDict, prefix: &str, version: Option<i64>) -> Result<()> {
                let key = format!("{prefix}num_batches_tracked");
                if let Some(count) = &self.num_batches_tracked
                    && version.is_none_or(|version| version < 2)
                    && !state.contains_key(&key)
                {
                    state.insert(key, count.detach());
                }
                Ok(())
            }
        }
    };
}

pub(super) use channel_norm;
