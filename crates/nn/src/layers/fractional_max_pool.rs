//! Fractional maximum pooling.

use crate::functional::{self as F, FractionalSize};
use crate::{Core, Forward, Module};
use firebrick_core::{Buffer, Result, Sizes, Tensor};

macro_rules! fractional {
    ($(#[$doc:meta])* $name:ident, $n:literal, $pool:path, $with_indices:path) => {
        $(#[$doc])*
        #[derive(Module)]
        pub struct $name {
            core: Core,
            /// Samples that are used in place of drawn ones.
            pub _random_samples: Option<Buffer>,
            #[module(skip)]
            kernel_size: Sizes,
            #[module(skip)]
            output_size: FractionalSize,
        }

        impl $name {
            /// Windows of `kernel_size` that make an output of this size, or of this part of the input.
            ///
            /// # Errors
            /// A part that is not between 0 and 1.
            pub fn new(kernel_size: impl Into<Sizes>, output_size: impl Into<FractionalSize>) -> Result<Self> {
                let output_size = output_size.into();
                output_size.check(stringify!($name))?;
                let kernel_size = kernel_size.into();
                Ok($name { core: Core::new(), _random_samples: None, kernel_size, output_size })
            }

            /// Uses these samples, `[N, C, dimensions]`, in place of drawn ones.
            ///
            /// ```
            /// use firebrick::prelude::*;
            #[doc = concat!("let pool = nn::", stringify!($name), "::new(2, 2)?.random_samples(Tensor::zeros([1, 1, ", $n, "])?);")]
            #[doc = concat!("let x = Tensor::ones([6; ", $n, "])?.unsqueeze(0)?; // one channel")]
            /// let (_, winners) = pool.call_with_indices(&x)?;
            /// assert_eq!(winners.to_vec::<i64>()?[0], 0); // steps begin at the start
            /// # Ok::<_, firebrick::Error>(())
            /// ```
            pub fn random_samples(mut self, samples: Tensor) -> Self {
                self._random_samples = Some(Buffer::new(samples));
                self
            }

            /// The output together with the index of each winner in its plane: `return_indices=True`.
            /// [`random_samples`](Self::random_samples) shows it.
            ///
            /// # Errors
            /// As the layer's own.
            pub fn call_with_indices(&self, input: &Tensor) -> Result<(Tensor, Tensor)> {
                $with_indices(input, &self.kernel_size, self.output_size.clone(), self._random_samples.as_deref())
            }
        }

        impl Forward for $name {
            fn forward(&self, input: Tensor) -> Result<Tensor> {
                $pool(&input, &self.kernel_size, self.output_size.clone(), self._random_samples.as_deref())
            }
        }
    };
}

fractional! {
    /// The largest elements of windows of one size over two dimensions at pseudo-random steps, drawn anew in each call.
    ///
    /// Graham, *Fractional Max-Pooling* (2014). Steps are PyTorch 2.15's for the same seed.
    ///
    /// # Shapes
    /// `[N, C, H, W]` to `[N, C, H_out, W_out]`, or both without `N`.
    ///
    /// # Errors
    /// Sizes that do not fit, in PyTorch's words.
    ///
    /// ```
    /// use firebrick::nn::functional::FractionalSize;
    /// use firebrick::prelude::*;
    /// let pool = nn::FractionalMaxPool2d::new(2, FractionalSize::Ratio(vec![0.5]))?;
    /// assert_eq!(pool.call(Tensor::ones([1, 3, 9, 8])?)?.shape(), [1, 3, 4, 4]);
    /// # Ok::<_, firebrick::Error>(())
    /// ```
    FractionalMaxPool2d, 2, F::fractional_max_pool2d, F::fractional_max_pool2d_with_indices
}

fractional! {
    /// The largest elements of windows of one size over three dimensions at pseudo-random steps, drawn anew in each call.
    ///
    /// Graham, *Fractional Max-Pooling* (2014). Steps are PyTorch 2.15's for the same seed.
    ///
    /// # Shapes
    /// `[N, C, D, H, W]` to `[N, C, D_out, H_out, W_out]`, or both without `N`.
    ///
    /// # Errors
    /// Sizes that do not fit, in PyTorch's words.
    ///
    /// ```
    /// use firebrick::prelude::*;
    /// let pool = nn::FractionalMaxPool3d::new(2, [2, 3, 4])?;
    /// assert_eq!(pool.call(Tensor::ones([1, 3, 8, 8, 8])?)?.shape(), [1, 3, 2, 3, 4]);
    /// # Ok::<_, firebrick::Error>(())
    /// ```
    FractionalMaxPool3d, 3, F::fractional_max_pool3d, F::fractional_max_pool3d_with_indices
}
