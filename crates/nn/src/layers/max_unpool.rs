//! The partial inverse of maximum pooling.

use crate::functional::{self as F, UnpoolOptions};
use crate::{Core, Custom, Forward, Module};
use firebrick_core::text::python_tuple;
use firebrick_core::{Result, Sizes, Tensor};

macro_rules! unpooling {
    ($(#[$doc:meta])* $name:ident, $n:literal, $unpool:path) => {
        $(#[$doc])*
        #[derive(Module)]
        #[module(custom)]
        pub struct $name {
            core: Core,
            #[module(skip)]
            kernel_size: Sizes,
            #[module(skip)]
            options: UnpoolOptions,
        }

        impl $name {
            /// The inverse of a pooling with this window.
            pub fn new(kernel_size: impl Into<Sizes>) -> Self {
                $name { core: Core::new(), kernel_size: kernel_size.into(), options: UnpoolOptions::new() }
            }

            /// Steps of the window; its own size unless set.
            pub fn stride(mut self, stride: impl Into<Sizes>) -> Self {
                self.options = self.options.stride(stride);
                self
            }

            /// Padding of the pooling; none unless set.
            pub fn padding(mut self, padding: impl Into<Sizes>) -> Self {
                self.options = self.options.padding(padding);
                self
            }

            /// The output of this size, batch and channels included or not.
            ///
            /// # Errors
            /// A size that the pooling cannot have come from; as the layer's own.
            ///
            /// ```
            /// use firebrick::prelude::*;
            #[doc = concat!("let x = Tensor::ones([5; 1 + ", $n, "])?;")]
            #[doc = concat!("let (y, winners) = nn::MaxPool", $n, "d::new(2)?.call_with_indices(&x)?;")]
            #[doc = concat!("let unpool = nn::", stringify!($name), "::new(2).stride(2).padding(0);")]
            /// assert_eq!(unpool.call((&y, &winners))?.size(-1)?, 4);
            #[doc = concat!("assert_eq!(unpool.call_with_size(&y, &winners, [5; ", $n, "])?.shape(), x.shape());")]
            /// # Ok::<_, firebrick::Error>(())
            /// ```
            pub fn call_with_size(
                &self,
                input: &Tensor,
                indices: &Tensor,
                output_size: impl Into<Sizes>,
            ) -> Result<Tensor> {
                $unpool(input, indices, &self.kernel_size, &self.options.clone().output_size(output_size))
            }
        }

        impl Forward<(Tensor, Tensor)> for $name {
            fn forward(&self, (input, indices): (Tensor, Tensor)) -> Result<Tensor> {
                $unpool(&input, &indices, &self.kernel_size, &self.options)
            }
        }

        impl Custom for $name {
            fn extra_repr(&self) -> String {
                let all = |sizes: &Sizes| match &sizes[..] {
                    [one] => python_tuple(&[*one; $n]),
                    list => python_tuple(list),
                };
                format!(
                    "kernel_size={}, stride={}, padding={}",
                    all(&self.kernel_size),
                    all(self.options.stride.as_ref().unwrap_or(&self.kernel_size)),
                    all(&self.options.padding)
                )
            }
        }
    };
}

unpooling! {
    /// Puts each element at the index that maximum pooling over one dimension found it at, zeros elsewhere.
    ///
    /// # Shapes
    /// Input and indices `[N, C, L]`, or without `N`.
    ///
    /// # Errors
    /// Indices that do not fit, in PyTorch's words.
    ///
    /// ```
    /// use firebrick::prelude::*;
    /// let (pool, unpool) = (nn::MaxPool1d::new(2)?, nn::MaxUnpool1d::new(2));
    /// let (y, indices) = pool.call_with_indices(&Tensor::new([[1.0f32, 2.0, 4.0, 3.0]])?)?;
    /// assert_eq!(unpool.call((&y, &indices))?.to_vec::<f32>()?, [0.0, 2.0, 4.0, 0.0]);
    /// # Ok::<_, firebrick::Error>(())
    /// ```
    MaxUnpool1d, 1, F::max_unpool1d
}

unpooling! {
    /// Puts each element at the index that maximum pooling over two dimensions found it at, zeros elsewhere.
    ///
    /// # Shapes
    /// Input and indices `[N, C, H, W]`, or without `N`.
    ///
    /// # Errors
    /// Indices that do not fit, in PyTorch's words.
    ///
    /// ```
    /// use firebrick::prelude::*;
    /// let (pool, unpool) = (nn::MaxPool2d::new(2)?, nn::MaxUnpool2d::new(2));
    /// let (y, indices) = pool.call_with_indices(&Tensor::new([[[1.0f32, 2.0], [4.0, 3.0]]])?)?;
    /// assert_eq!(unpool.call((&y, &indices))?.to_vec::<f32>()?, [0.0, 0.0, 4.0, 0.0]);
    /// # Ok::<_, firebrick::Error>(())
    /// ```
    MaxUnpool2d, 2, F::max_unpool2d
}

unpooling! {
    /// Puts each element at the index that maximum pooling over three dimensions found it at, zeros elsewhere.
    ///
    /// # Shapes
    /// Input and indices `[N, C, D, H, W]`, or without `N`.
    ///
    /// # Errors
    /// Indices that do not fit, in PyTorch's words.
    ///
    /// ```
    /// use firebrick::prelude::*;
    /// let (pool, unpool) = (nn::MaxPool3d::new(2)?, nn::MaxUnpool3d::new(2));
    /// let (y, indices) = pool.call_with_indices(&Tensor::zeros([1, 4, 2, 6])?)?;
    /// assert_eq!(unpool.call((&y, &indices))?.shape(), [1, 4, 2, 6]);
    /// # Ok::<_, firebrick::Error>(())
    /// ```
    MaxUnpool3d, 3, F::max_unpool3d
}
