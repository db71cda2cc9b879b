//! Normalization by neighbouring channels.

use super::activation::text;
use crate::{Core, Custom, Forward, Module};
use firebrick_core::{Result, Scalar, Tensor};

macro_rules! response {
    ($(#[$doc:meta])* $name:ident, $k:expr, $call:ident) => {
        $(#[$doc])*
        #[derive(Module)]
        #[module(custom)]
        pub struct $name {
            core: Core,
            size: i64,
            #[module(skip)]
            alpha: Scalar,
            #[module(skip)]
            beta: Scalar,
            #[module(skip)]
            k: Scalar,
        }

        impl $name {
            /// A layer over `size` channels, with PyTorch's 1e-4, 0.75 and 1 for the rest.
            pub fn new(size: i64) -> Self {
                $name { core: Core::new(), size, alpha: 1e-4.into(), beta: 0.75.into(), k: $k.into() }
            }

            /// The factor of the mean square.
            pub fn alpha(mut self, alpha: impl Into<Scalar>) -> Self {
                self.alpha = alpha.into();
                self
            }

            /// The exponent.
            pub fn beta(mut self, beta: impl Into<Scalar>) -> Self {
                self.beta = beta.into();
                self
            }

            /// What is added to the mean square.
            pub fn k(mut self, k: impl Into<Scalar>) -> Self {
                self.k = k.into();
                self
            }
        }

        impl Forward for $name {
            fn forward(&self, input: Tensor) -> Result<Tensor> {
                input.$call(self.size, self.alpha.to_f64(), self.beta.to_f64(), self.k.to_f64())
            }
        }

        impl Custom for $name {
            fn extra_repr(&self) -> String {
                format!("{}, alpha={}, beta={}, k={}", self.size, text(self.alpha), text(self.beta), text(self.k))
            }
        }
    };
}

response! {
    /// Each channel of `[N, C, *]` over a power of its neighbours' mean square: `x / (k + alpha * mean)^beta`.
    ///
    /// # Errors
    /// Fewer than three dimensions; a size that is not positive.
    ///
    /// ```
    /// use firebrick::prelude::*;
    /// let norm = nn::LocalResponseNorm::new(2);
    /// assert_eq!(norm.to_string(), "LocalResponseNorm(2, alpha=0.0001, beta=0.75, k=1.0)");
    /// let y = nn::LocalResponseNorm::new(1).alpha(1).beta(1).k(0).call(Tensor::new([[[2.0f32], [4.0]]])?)?;
    /// assert_eq!(y.to_vec::<f32>()?, [0.5, 0.25]);
    /// # Ok::<_, firebrick::Error>(())
    /// ```
    LocalResponseNorm, 1.0, local_response_norm
}

response! {
    /// Local response normalization of images as PyTorch's legacy layer computes it; see
    /// [`Tensor::cross_map_lrn2d`](firebrick_core::Tensor::cross_map_lrn2d).
    ///
    /// # Errors
    /// Another number of dimensions than four; a size of zero.
    CrossMapLRN2d, 1, cross_map_lrn2d
}
