//! Average pooling, and norms of windows.

use super::activation::text;
use super::pooling::given;
use crate::{Core, Custom, Forward, Module};
use firebrick_core::text::{Repr, python_tuple};
use firebrick_core::{AvgPoolOptions, Result, Scalar, Sizes, Tensor};

fn extra_repr(n: usize, kernel: &Sizes, options: &AvgPoolOptions) -> String {
    // PyTorch keeps the numbers of the one-dimensional layer as tuples.
    let shown = |sizes: &Sizes| if n == 1 { python_tuple(sizes) } else { given(sizes) };
    format!(
        "kernel_size={}, stride={}, padding={}",
        shown(kernel),
        shown(options.stride.as_ref().unwrap_or(kernel)),
        shown(&options.padding)
    )
}

macro_rules! average_pooling {
    (
        $(#[$doc:meta])* $name:ident,
        $(#[$options:meta])* $builder:ident, $n:literal, $pool:ident $(, $divisor:ident)?
    ) => {
        $(#[$doc])*
        #[derive(Module)]
        #[module(custom)]
        pub struct $name {
            core: Core,
            #[module(skip)]
            kernel_size: Sizes,
            #[module(skip)]
            options: AvgPoolOptions,
        }

        impl $name {
            /// A layer whose windows lie side by side.
            ///
            /// # Errors
            /// None today; sizes are checked against the input.
            pub fn new(kernel_size: impl Into<Sizes>) -> Result<Self> {
                Self::builder(kernel_size).build()
            }

            /// A layer with options.
            ///
            /// ```
            /// use firebrick::prelude::*;
            #[doc = concat!("let pool = nn::", stringify!($name), "::builder(3).stride(2).build()?;")]
            #[doc = concat!("assert!(pool.to_string().starts_with(\"", stringify!($name), "(kernel_size=\"));")]
            /// # Ok::<_, firebrick::Error>(())
            /// ```
            pub fn builder(kernel_size: impl Into<Sizes>) -> $builder {
                $builder { kernel_size: kernel_size.into(), options: AvgPoolOptions::new() }
            }
        }

        #[doc = concat!("Options of an [`", stringify!($name), "`].")]
        ///
        $(#[$options])*
        #[derive(Clone, Debug)]
        pub struct $builder {
            kernel_size: Sizes,
            options: AvgPoolOptions,
        }

        impl $builder {
            /// Steps of the window; its own size unless set.
            pub fn stride(mut self, stride: impl Into<Sizes>) -> Self {
                self.options = self.options.stride(stride);
                self
            }

            /// Zeros around the input; none unless set.
            pub fn padding(mut self, padding: impl Into<Sizes>) -> Self {
                self.options = self.options.padding(padding);
                self
            }

            /// Round the output's size up? Down unless set.
            pub fn ceil_mode(mut self, on: bool) -> Self {
                self.options = self.options.ceil_mode(on);
                self
            }

            /// Do the zeros around the input count? They do by default.
            pub fn count_include_pad(mut self, on: bool) -> Self {
                self.options = self.options.count_include_pad(on);
                self
            }

            $(
                /// What sums are divided by, in place of the number of elements; that number unless set.
                pub fn $divisor(mut self, divisor: i64) -> Self {
                    self.options = self.options.divisor_override(divisor);
                    self
                }
            )?

            /// The layer.
            ///
            /// # Errors
            /// None today; sizes are checked against the input.
            pub fn build(self) -> Result<$name> {
                Ok($name { core: Core::new(), kernel_size: self.kernel_size, options: self.options })
            }
        }

        impl Forward for $name {
            fn forward(&self, input: Tensor) -> Result<Tensor> {
                input.$pool(&self.kernel_size, &self.options)
            }
        }

        impl Custom for $name {
            fn extra_repr(&self) -> String {
                extra_repr($n, &self.kernel_size, &self.options)
            }
        }
    };
}

macro_rules! norm_pooling {
    ($(#[$doc:meta])* $name:ident, $pool:ident) => {
        $(#[$doc])*
        #[derive(Module)]
        #[module(custom)]
        pub struct $name {
            core: Core,
            #[module(skip)]
            norm_type: Scalar,
            #[module(skip)]
            kernel_size: Sizes,
            #[module(skip)]
            stride: Option<Sizes>,
            ceil_mode: bool,
        }

        impl $name {
            /// A layer whose windows lie side by side.
            pub fn new(norm_type: impl Into<Scalar>, kernel_size: impl Into<Sizes>) -> Self {
                $name {
                    core: Core::new(),
                    norm_type: norm_type.into(),
                    kernel_size: kernel_size.into(),
                    stride: None,
                    ceil_mode: false,
                }
            }

            /// Steps of the window; its own size unless set.
            ///
            /// ```
            /// use firebrick::prelude::*;
            #[doc = concat!("let pool = nn::", stringify!($name), "::new(2, 2).stride(1);")]
            /// assert!(pool.to_string().ends_with("stride=1, ceil_mode=False)"));
            /// ```
            pub fn stride(mut self, stride: impl Into<Sizes>) -> Self {
                self.stride = Some(stride.into());
                self
            }

            /// Round the output's size up? Down unless set.
            ///
            /// ```
            /// use firebrick::prelude::*;
            #[doc = concat!("let pool = nn::", stringify!($name), "::new(2, 2).ceil_mode(true);")]
            /// assert!(pool.to_string().ends_with("ceil_mode=True)"));
            /// ```
            pub fn ceil_mode(mut self, on: bool) -> Self {
                self.ceil_mode = on;
                self
            }
        }

        impl Forward for $name {
            fn forward(&self, input: Tensor) -> Result<Tensor> {
                let mut options = AvgPoolOptions::new().ceil_mode(self.ceil_mode);
                options.stride = self.stride.clone();
                input.$pool(self.norm_type.to_f64(), &self.kernel_size, &options)
            }
        }

        impl Custom for $name {
            fn extra_repr(&self) -> String {
                format!(
                    "norm_type={}, kernel_size={}, stride={}, ceil_mode={}",
                    text(self.norm_type),
                    given(&self.kernel_size),
                    self.stride.as_ref().map_or_else(|| "None".to_owned(), given),
                    self.ceil_mode.repr()
                )
            }
        }
    };
}

average_pooling! {
    /// The mean of each window over one dimension.
    ///
    /// # Shapes
    /// `[N, C, L]` to `[N, C, L_out]`, or both without `N`.
    ///
    /// # Errors
    /// Sizes that do not fit, in PyTorch's words.
    ///
    /// ```
    /// use firebrick::prelude::*;
    /// let y = nn::AvgPool1d::new(2)?.call(Tensor::new([[1.0f32, 3.0, 2.0, 0.0]])?)?;
    /// assert_eq!(y.to_vec::<f32>()?, [2.0, 1.0]);
    /// # Ok::<_, firebrick::Error>(())
    /// ```
    AvgPool1d,
    /// ```
    /// use firebrick::prelude::*;
    /// let x = Tensor::new([[1.0f32, 5.0, 2.0, 4.0, 3.0]])?;
    /// let builder = nn::AvgPool1d::builder(2).stride(2).padding(1).ceil_mode(true);
    /// assert_eq!(builder.clone().build()?.call(&x)?.to_vec::<f32>()?, [0.5, 3.5, 3.5]);
    /// assert_eq!(builder.count_include_pad(false).build()?.call(&x)?.to_vec::<f32>()?, [1.0, 3.5, 3.5]);
    /// # Ok::<_, firebrick::Error>(())
    /// ```
    AvgPool1dBuilder, 1, avg_pool1d
}

average_pooling! {
    /// The mean of each window over two dimensions.
    ///
    /// # Shapes
    /// `[N, C, H, W]` to `[N, C, H_out, W_out]`, or both without `N`.
    ///
    /// # Errors
    /// Sizes that do not fit, in PyTorch's words.
    ///
    /// ```
    /// use firebrick::prelude::*;
    /// let y = nn::AvgPool2d::new(2)?.call(Tensor::new([[[1.0f32, 2.0, 3.0, 4.0], [5.0, 6.0, 7.0, 8.0]]])?)?;
    /// assert_eq!(y.to_vec::<f32>()?, [3.5, 5.5]);
    /// let pool = nn::AvgPool2d::builder(3).stride(2).padding(1).build()?;
    /// assert_eq!(pool.to_string(), "AvgPool2d(kernel_size=3, stride=2, padding=1)");
    /// assert_eq!(pool.call(Tensor::ones([1, 3, 8, 8])?)?.shape(), [1, 3, 4, 4]);
    /// # Ok::<_, firebrick::Error>(())
    /// ```
    AvgPool2d,
    /// ```
    /// use firebrick::prelude::*;
    /// let pool = nn::AvgPool2d::builder(2).stride(1).divisor_override(2).build()?;
    /// assert_eq!(pool.call(Tensor::ones([1, 2, 2])?)?.to_vec::<f32>()?, [2.0]);
    /// let pool = nn::AvgPool2d::builder(3).stride(2).padding(1).count_include_pad(false).ceil_mode(true).build()?;
    /// assert_eq!(pool.call(Tensor::ones([1, 4, 4])?)?.to_vec::<f32>()?, [1.0; 9]);
    /// # Ok::<_, firebrick::Error>(())
    /// ```
    AvgPool2dBuilder, 2, avg_pool2d, divisor_override
}

average_pooling! {
    /// The mean of each window over three dimensions.
    ///
    /// # Shapes
    /// `[N, C, D, H, W]` to `[N, C, D_out, H_out, W_out]`, or both without `N`.
    ///
    /// # Errors
    /// Sizes that do not fit, in PyTorch's words.
    ///
    /// ```
    /// use firebrick::prelude::*;
    /// assert_eq!(nn::AvgPool3d::new(2)?.call(Tensor::ones([1, 2, 2, 2])?)?.to_vec::<f32>()?, [1.0]);
    /// # Ok::<_, firebrick::Error>(())
    /// ```
    AvgPool3d,
    /// ```
    /// use firebrick::prelude::*;
    /// let pool = nn::AvgPool3d::builder(2).stride(1).padding(0).divisor_override(4).build()?;
    /// assert_eq!(pool.call(Tensor::ones([1, 2, 2, 2])?)?.to_vec::<f32>()?, [2.0]);
    /// let pool = nn::AvgPool3d::builder(2).ceil_mode(true).build()?;
    /// let y = pool.call(Tensor::arange(27.0f32)?.view([1, 3, 3, 3])?)?;
    /// assert_eq!(y.to_vec::<f32>()?, [6.5, 8.0, 11.0, 12.5, 20.0, 21.5, 24.5, 26.0]);
    /// let pool = nn::AvgPool3d::builder(2).padding(1).count_include_pad(false).build()?;
    /// let y = pool.call(Tensor::arange(8.0f32)?.view([1, 2, 2, 2])?)?; // each window sees one element
    /// assert_eq!(y.to_vec::<f32>()?, [0.0, 1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0]);
    /// # Ok::<_, firebrick::Error>(())
    /// ```
    AvgPool3dBuilder, 3, avg_pool3d, divisor_override
}

norm_pooling! {
    /// `(sum of x^p)^(1/p)` of each window over one dimension.
    ///
    /// # Shapes
    /// `[N, C, L]` to `[N, C, L_out]`, or both without `N`.
    ///
    /// # Errors
    /// A `norm_type` of zero; sizes that do not fit.
    ///
    /// ```
    /// use firebrick::prelude::*;
    /// assert_eq!(nn::LPPool1d::new(2, 2).call(Tensor::new([[3.0f32, 4.0]])?)?.to_vec::<f32>()?, [5.0]);
    /// # Ok::<_, firebrick::Error>(())
    /// ```
    LPPool1d, lp_pool1d
}

norm_pooling! {
    /// `(sum of x^p)^(1/p)` of each window over two dimensions.
    ///
    /// # Shapes
    /// `[N, C, H, W]` to `[N, C, H_out, W_out]`, or both without `N`.
    ///
    /// # Errors
    /// A `norm_type` of zero; sizes that do not fit.
    ///
    /// ```
    /// use firebrick::prelude::*;
    /// let pool = nn::LPPool2d::new(2, 2);
    /// assert_eq!(pool.to_string(), "LPPool2d(norm_type=2, kernel_size=2, stride=None, ceil_mode=False)");
    /// assert_eq!(pool.call(Tensor::new([[[3.0f32, 0.0], [4.0, 0.0]]])?)?.to_vec::<f32>()?, [5.0]);
    /// # Ok::<_, firebrick::Error>(())
    /// ```
    LPPool2d, lp_pool2d
}

norm_pooling! {
    /// `(sum of x^p)^(1/p)` of each window over three dimensions.
    ///
    /// # Shapes
    /// `[N, C, D, H, W]` to `[N, C, D_out, H_out, W_out]`, or both without `N`.
    ///
    /// # Errors
    /// A `norm_type` of zero; sizes that do not fit.
    ///
    /// ```
    /// use firebrick::prelude::*;
    /// assert_eq!(nn::LPPool3d::new(1, 2).call(Tensor::ones([1, 1, 2, 2, 2])?)?.to_vec::<f32>()?, [8.0]);
    /// # Ok::<_, firebrick::Error>(())
    /// ```
    LPPool3d, lp_pool3d
}
