//! Pooling to a size.

use crate::functional::{self as F, OutputSize};
use crate::{Core, Custom, Forward, Module};
use firebrick_core::text::Repr;
use firebrick_core::{Result, Tensor};

/// An integer where all dimensions share it, else a tuple, as it was given.
fn extra_repr(size: &OutputSize) -> String {
    let text = match size.sizes() {
        [Some(one)] => one.to_string(),
        [one] => one.repr(),
        list => format!("({})", list.iter().map(Repr::repr).collect::<Vec<_>>().join(", ")),
    };
    format!("output_size={text}")
}

macro_rules! adaptive {
    ($(#[$doc:meta])* $name:ident, $pool:path $(, $n:literal, $with_indices:path)?) => {
        $(#[$doc])*
        #[derive(Module)]
        #[module(custom)]
        pub struct $name {
            core: Core,
            #[module(skip)]
            output_size: OutputSize,
        }

        impl $name {
            /// A layer with this output: one size for all dimensions, or one for each, where `None` keeps the input's.
            pub fn new(output_size: impl Into<OutputSize>) -> Self {
                $name { core: Core::new(), output_size: output_size.into() }
            }

            $(
                /// The output together with the index of each winner in its plane: `return_indices=True`.
                ///
                /// # Errors
                /// As the layer's own.
                ///
                /// ```
                /// use firebrick::prelude::*;
                #[doc = concat!("let x = Tensor::zeros([4; 1 + ", $n, "])?; // channels and ", $n, " dimensions")]
                #[doc = concat!("let (y, winners) = nn::", stringify!($name), "::new(1).call_with_indices(&x)?;")]
                /// assert_eq!(y.to_vec::<f32>()?, [0.0; 4]);
                /// assert_eq!(winners.to_vec::<i64>()?, [0; 4]); // the first of equal ones wins
                /// # Ok::<_, firebrick::Error>(())
                /// ```
                pub fn call_with_indices(&self, input: &Tensor) -> Result<(Tensor, Tensor)> {
                    $with_indices(input, &self.output_size)
                }
            )?
        }

        impl Forward for $name {
            fn forward(&self, input: Tensor) -> Result<Tensor> {
                $pool(&input, &self.output_size)
            }
        }

        impl Custom for $name {
            fn extra_repr(&self) -> String {
                extra_repr(&self.output_size)
            }
        }
    };
}

adaptive! {
    /// Means of windows over one dimension, as many as `output_size` says.
    ///
    /// # Shapes
    /// `[N, C, L]` to `[N, C, *output_size]`, or both without `N`.
    ///
    /// # Errors
    /// Sizes that do not fit, in PyTorch's words.
    ///
    /// ```
    /// use firebrick::prelude::*;
    /// let y = nn::AdaptiveAvgPool1d::new(2).call(Tensor::new([[1.0f32, 2.0, 4.0, 3.0]])?)?;
    /// assert_eq!(y.to_vec::<f32>()?, [1.5, 3.5]);
    /// # Ok::<_, firebrick::Error>(())
    /// ```
    AdaptiveAvgPool1d, F::adaptive_avg_pool1d
}

adaptive! {
    /// Means of windows over two dimensions, as many as `output_size` says.
    ///
    /// # Shapes
    /// `[N, C, H, W]` to `[N, C, *output_size]`, or both without `N`.
    ///
    /// # Errors
    /// Sizes that do not fit, in PyTorch's words.
    ///
    /// ```
    /// use firebrick::prelude::*;
    /// let pool = nn::AdaptiveAvgPool2d::new([None, Some(1)]);
    /// assert_eq!(pool.to_string(), "AdaptiveAvgPool2d(output_size=(None, 1))");
    /// assert_eq!(pool.call(Tensor::new([[[1.0f32, 2.0], [4.0, 3.0]]])?)?.to_vec::<f32>()?, [1.5, 3.5]);
    /// # Ok::<_, firebrick::Error>(())
    /// ```
    AdaptiveAvgPool2d, F::adaptive_avg_pool2d
}

adaptive! {
    /// Means of windows over three dimensions, as many as `output_size` says.
    ///
    /// # Shapes
    /// `[N, C, D, H, W]` to `[N, C, *output_size]`, or both without `N`.
    ///
    /// # Errors
    /// Sizes that do not fit, in PyTorch's words.
    ///
    /// ```
    /// use firebrick::prelude::*;
    /// let pool = nn::AdaptiveAvgPool3d::new([None, Some(2), Some(1)]);
    /// assert_eq!(pool.call(Tensor::zeros([1, 4, 4, 4])?)?.shape(), [1, 4, 2, 1]);
    /// # Ok::<_, firebrick::Error>(())
    /// ```
    AdaptiveAvgPool3d, F::adaptive_avg_pool3d
}

adaptive! {
    /// The largest elements of windows over one dimension, as many as `output_size` says.
    ///
    /// # Shapes
    /// `[N, C, L]` to `[N, C, *output_size]`, or both without `N`.
    ///
    /// # Errors
    /// Sizes that do not fit, in PyTorch's words.
    ///
    /// ```
    /// use firebrick::prelude::*;
    /// let y = nn::AdaptiveMaxPool1d::new(2).call(Tensor::new([[1.0f32, 2.0, 4.0, 3.0]])?)?;
    /// assert_eq!(y.to_vec::<f32>()?, [2.0, 4.0]);
    /// # Ok::<_, firebrick::Error>(())
    /// ```
    AdaptiveMaxPool1d, F::adaptive_max_pool1d, 1, F::adaptive_max_pool1d_with_indices
}

adaptive! {
    /// The largest elements of windows over two dimensions, as many as `output_size` says.
    ///
    /// # Shapes
    /// `[N, C, H, W]` to `[N, C, *output_size]`, or both without `N`.
    ///
    /// # Errors
    /// Sizes that do not fit, in PyTorch's words.
    ///
    /// ```
    /// use firebrick::prelude::*;
    /// let y = nn::AdaptiveMaxPool2d::new([None, Some(1)]).call(Tensor::new([[[1.0f32, 2.0], [4.0, 3.0]]])?)?;
    /// assert_eq!(y.to_vec::<f32>()?, [2.0, 4.0]);
    /// # Ok::<_, firebrick::Error>(())
    /// ```
    AdaptiveMaxPool2d, F::adaptive_max_pool2d, 2, F::adaptive_max_pool2d_with_indices
}

adaptive! {
    /// The largest elements of windows over three dimensions, as many as `output_size` says.
    ///
    /// # Shapes
    /// `[N, C, D, H, W]` to `[N, C, *output_size]`, or both without `N`.
    ///
    /// # Errors
    /// Sizes that do not fit, in PyTorch's words.
    ///
    /// ```
    /// use firebrick::prelude::*;
    /// assert_eq!(nn::AdaptiveMaxPool3d::new([1, 2, 3]).call(Tensor::zeros([1, 4, 4, 4])?)?.shape(), [1, 1, 2, 3]);
    /// # Ok::<_, firebrick::Error>(())
    /// ```
    AdaptiveMaxPool3d, F::adaptive_max_pool3d, 3, F::adaptive_max_pool3d_with_indices
}
