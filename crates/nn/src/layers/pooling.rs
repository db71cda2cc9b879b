//! Maximum pooling.

use crate::{Core, Custom, Forward, Module};
use firebrick_core::text::Repr;
use firebrick_core::{PoolOptions, Result, Sizes, Tensor};

/// An integer where all dimensions share it, else a tuple, as it was given.
pub(super) fn given(sizes: &Sizes) -> String {
    match &sizes[..] {
        [one] => one.to_string(),
        list => firebrick_core::text::python_tuple(list),
    }
}

fn extra_repr(kernel: &Sizes, options: &PoolOptions) -> String {
    format!(
        "kernel_size={}, stride={}, padding={}, dilation={}, ceil_mode={}",
        given(kernel),
        given(options.stride.as_ref().unwrap_or(kernel)),
        given(&options.padding),
        given(&options.dilation),
        options.ceil_mode.repr()
    )
}

macro_rules! max_pooling {
    ($(#[$doc:meta])* $name:ident, $(#[$options:meta])* $builder:ident, $n:literal, $pool:ident, $with_indices:ident) => {
        $(#[$doc])*
        #[derive(Module)]
        #[module(custom)]
        pub struct $name {
            core: Core,
            #[module(skip)]
            kernel_size: Sizes,
            #[module(skip)]
            options: PoolOptions,
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
            #[doc = concat!("assert!(pool.to_string().starts_with(\"", stringify!($name), "(kernel_size=3, stride=2, padding=0\"));")]
            /// # Ok::<_, firebrick::Error>(())
            /// ```
            pub fn builder(kernel_size: impl Into<Sizes>) -> $builder {
                $builder { kernel_size: kernel_size.into(), options: PoolOptions::new() }
            }

            /// The output together with the index of each winner in its plane: `return_indices=True`.
            ///
            /// # Errors
            /// As the layer's own.
            ///
            /// ```
            /// use firebrick::prelude::*;
            #[doc = concat!("let x = Tensor::zeros([2; 1 + ", $n, "])?; // channels and ", $n, " dimensions")]
            #[doc = concat!("let (y, winners) = nn::", stringify!($name), "::new(2)?.call_with_indices(&x)?;")]
            /// assert_eq!(y.to_vec::<f32>()?, [0.0, 0.0]);
            /// assert_eq!(winners.to_vec::<i64>()?, [0, 0]); // the first of equal ones wins
            /// # Ok::<_, firebrick::Error>(())
            /// ```
            pub fn call_with_indices(&self, input: &Tensor) -> Result<(Tensor, Tensor)> {
                input.$with_indices(&self.kernel_size, &self.options)
            }
        }

        #[doc = concat!("Options of a [`", stringify!($name), "`].")]
        ///
        $(#[$options])*
        #[derive(Clone, Debug)]
        pub struct $builder {
            kernel_size: Sizes,
            options: PoolOptions,
        }

        impl $builder {
            /// Steps of the window; its own size unless set.
            pub fn stride(mut self, stride: impl Into<Sizes>) -> Self {
                self.options = self.options.stride(stride);
                self
            }

            /// Elements around the input that never win; none unless set.
            pub fn padding(mut self, padding: impl Into<Sizes>) -> Self {
                self.options = self.options.padding(padding);
                self
            }

            /// Steps between the window's elements; 1 unless set.
            pub fn dilation(mut self, dilation: impl Into<Sizes>) -> Self {
                self.options = self.options.dilation(dilation);
                self
            }

            /// Round the output's size up? Down unless set.
            pub fn ceil_mode(mut self, on: bool) -> Self {
                self.options = self.options.ceil_mode(on);
                self
            }

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
                extra_repr(&self.kernel_size, &self.options)
            }
        }
    };
}

max_pooling! {
    /// The largest element of each window over one dimension.
    ///
    /// # Shapes
    /// `[N, C, L]` to `[N, C, L_out]`, or both without `N`.
    ///
    /// ```
    /// use firebrick::prelude::*;
    /// let y = nn::MaxPool1d::new(2)?.call(Tensor::new([[1.0f32, 3.0, 2.0, 0.0]])?)?;
    /// assert_eq!(y.to_vec::<f32>()?, [3.0, 2.0]);
    /// # Ok::<_, firebrick::Error>(())
    /// ```
    MaxPool1d,
    /// ```
    /// use firebrick::prelude::*;
    /// let pool = nn::MaxPool1d::builder(2).stride(2).padding(1).dilation(1).ceil_mode(true).build()?;
    /// let x = Tensor::new([[1.0f32, 5.0, 2.0, 4.0, 3.0]])?;
    /// assert_eq!(pool.call(&x)?.to_vec::<f32>()?, [1.0, 5.0, 4.0]);
    /// assert_eq!(nn::MaxPool1d::builder(2).stride(1).dilation(2).build()?.call(&x)?.to_vec::<f32>()?, [2.0, 5.0, 3.0]);
    /// # Ok::<_, firebrick::Error>(())
    /// ```
    MaxPool1dBuilder, 1, max_pool1d, max_pool1d_with_indices
}

max_pooling! {
    /// The largest element of each window over two dimensions. NaN wins; padding never does.
    ///
    /// # Shapes
    /// `[N, C, H, W]` to `[N, C, H_out, W_out]` with `H_out = (H + 2 padding - dilation (kernel - 1) - 1) / stride + 1`, or
    /// both without `N`.
    ///
    /// # Errors
    /// Sizes that do not fit, in PyTorch's words.
    ///
    /// ```
    /// use firebrick::prelude::*;
    /// let pool = nn::MaxPool2d::new(2)?;
    /// assert_eq!(pool.to_string(), "MaxPool2d(kernel_size=2, stride=2, padding=0, dilation=1, ceil_mode=False)");
    /// assert_eq!(pool.call(Tensor::ones([1, 3, 8, 8])?)?.shape(), [1, 3, 4, 4]);
    /// # Ok::<_, firebrick::Error>(())
    /// ```
    MaxPool2d,
    /// ```
    /// use firebrick::prelude::*;
    /// let x = Tensor::ones([1, 1, 8, 8])?;
    /// let builder = nn::MaxPool2d::builder(3).stride(2).padding(1).dilation(2);
    /// assert_eq!(builder.clone().build()?.call(&x)?.shape(), [1, 1, 3, 3]);
    /// assert_eq!(builder.ceil_mode(true).build()?.call(&x)?.shape(), [1, 1, 4, 4]);
    /// # Ok::<_, firebrick::Error>(())
    /// ```
    MaxPool2dBuilder, 2, max_pool2d, max_pool2d_with_indices
}

max_pooling! {
    /// The largest element of each window over three dimensions.
    ///
    /// # Shapes
    /// `[N, C, D, H, W]` to `[N, C, D_out, H_out, W_out]`, or both without `N`.
    ///
    /// ```
    /// use firebrick::prelude::*;
    /// assert_eq!(nn::MaxPool3d::new(2)?.call(Tensor::ones([1, 1, 4, 4, 4])?)?.shape(), [1, 1, 2, 2, 2]);
    /// # Ok::<_, firebrick::Error>(())
    /// ```
    MaxPool3d,
    /// ```
    /// use firebrick::prelude::*;
    /// let pool = nn::MaxPool3d::builder([1, 2, 2]).stride([1, 2, 2]).ceil_mode(true).build()?;
    /// assert_eq!(pool.call(Tensor::ones([1, 3, 5, 5])?)?.shape(), [1, 3, 3, 3]);
    /// let corners = nn::MaxPool3d::builder([1, 2, 2]).stride(1).padding([0, 1, 1]).dilation([1, 2, 2]).build()?;
    /// let y = corners.call(Tensor::arange(9.0f32)?.view([1, 1, 3, 3])?)?;
    /// assert_eq!(y.to_vec::<f32>()?, [4.0, 5.0, 4.0, 7.0, 8.0, 7.0, 4.0, 5.0, 4.0]);
    /// # Ok::<_, firebrick::Error>(())
    /// ```
    MaxPool3dBuilder, 3, max_pool3d, max_pool3d_with_indices
}
