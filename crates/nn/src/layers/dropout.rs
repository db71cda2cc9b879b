//! Dropout: zeroes elements or channels at random while training.

use crate::functional::{expect_images, expect_volumes};
use crate::{Core, Custom, Forward, Module};
use firebrick_core::text::{Repr, python_float};
use firebrick_core::{Error, Result, Tensor};

macro_rules! dropouts {
    ($($(#[$doc:meta])* $name:ident: $drop:ident, $drop_:ident $(, $check:ident)?;)*) => { $(
        $(#[$doc])*
        #[derive(Module)]
        #[module(custom)]
        pub struct $name {
            core: Core,
            p: f64,
            inplace: bool,
        }

        impl $name {
            /// Drops with probability `p`; PyTorch's default is 0.5.
            ///
            /// # Errors
            /// `p` outside `[0, 1]`.
            pub fn new(p: f64) -> Result<Self> {
                Ok($name { core: Core::new(), p: probability(stringify!($name), p)?, inplace: false })
            }

            /// Overwrites the input when `inplace`; it does not unless set.
            ///
            /// ```
            /// use firebrick::prelude::*;
            /// let x = Tensor::ones([1, 2, 3])?;
            #[doc = concat!("let y = nn::", stringify!($name), "::new(0.5)?.inplace(true).call(&x)?;")]
            /// assert_eq!(x.to_vec::<f32>()?, y.to_vec::<f32>()?); // the input holds the result
            /// # Ok::<_, firebrick::Error>(())
            /// ```
            pub fn inplace(mut self, inplace: bool) -> Self {
                self.inplace = inplace;
                self
            }
        }

        impl Default for $name {
            fn default() -> Self {
                $name { core: Core::new(), p: 0.5, inplace: false }
            }
        }

        impl Forward for $name {
            fn forward(&self, input: Tensor) -> Result<Tensor> {
                $($check(&input);)?
                if self.inplace {
                    input.$drop_(self.p, self.is_training())?;
                    return Ok(input);
                }
                input.$drop(self.p, self.is_training())
            }
        }

        impl Custom for $name {
            fn extra_repr(&self) -> String {
                format!("p={}, inplace={}", python_float(self.p), self.inplace.repr())
            }
        }
    )* };
}

fn probability(layer: &'static str, p: f64) -> Result<f64> {
    if (0.0..=1.0).contains(&p) {
        return Ok(p);
    }
    let text = format!("dropout probability has to be between 0 and 1, but got {}", python_float(p));
    Err(Error::value(layer, text).expected("0 <= p <= 1"))
}

dropouts! {
    /// Zeroes each element with probability `p` while training and scales the rest by `1 / (1 - p)`; returns its input
    /// unchanged in evaluation mode.
    ///
    /// Srivastava et al., *Dropout*, JMLR 15 (2014). Masks are PyTorch 2.15's for the same seed.
    ///
    /// # Shapes
    /// Any shape, same shape out.
    ///
    /// # Errors
    /// `p` outside `[0, 1]`, when built.
    ///
    /// ```
    /// use firebrick::prelude::*;
    /// let dropout = nn::Dropout::new(0.5)?;
    /// assert_eq!(dropout.to_string(), "Dropout(p=0.5, inplace=False)");
    /// dropout.eval();
    /// assert_eq!(dropout.call(Tensor::ones([5])?)?.to_vec::<f32>()?, [1.0; 5]);
    /// # Ok::<_, firebrick::Error>(())
    /// ```
    Dropout: dropout, dropout_;

    /// Zeroes whole channels with probability `p` while training and scales the rest by `1 / (1 - p)`.
    ///
    /// Tompson et al., *Efficient Object Localization Using Convolutional Networks* (2015).
    ///
    /// # Shapes
    /// `[N, C, L]` or `[C, L]`, same shape out.
    ///
    /// # Errors
    /// Other shapes; `p` outside `[0, 1]`, when built.
    ///
    /// ```
    /// use firebrick::prelude::*;
    /// let y = nn::Dropout1d::new(0.5)?.call(Tensor::ones([8, 2])?)?.to_vec::<f32>()?;
    /// assert!(y.chunks(2).all(|channel| channel == [0.0; 2] || channel == [2.0; 2]));
    /// # Ok::<_, firebrick::Error>(())
    /// ```
    Dropout1d: dropout1d, dropout1d_;

    /// Zeroes whole channels of images with probability `p` while training and scales the rest by `1 / (1 - p)`.
    ///
    /// Tompson et al., *Efficient Object Localization Using Convolutional Networks* (2015).
    ///
    /// # Shapes
    /// `[N, C, H, W]`, same shape out. Three dimensions count as `[N, C, L]`, with PyTorch's warning.
    ///
    /// # Errors
    /// Fewer than two dimensions; `p` outside `[0, 1]`, when built.
    ///
    /// ```
    /// use firebrick::prelude::*;
    /// let y = nn::Dropout2d::new(0.5)?.call(Tensor::ones([1, 8, 2, 2])?)?.to_vec::<f32>()?;
    /// assert!(y.chunks(4).all(|channel| channel == [0.0; 4] || channel == [2.0; 4]));
    /// # Ok::<_, firebrick::Error>(())
    /// ```
    Dropout2d: dropout2d, dropout2d_, expect_images;

    /// Zeroes whole channels of volumes with probability `p` while training and scales the rest by `1 / (1 - p)`.
    ///
    /// Tompson et al., *Efficient Object Localization Using Convolutional Networks* (2015).
    ///
    /// # Shapes
    /// `[N, C, D, H, W]` or `[C, D, H, W]`, same shape out.
    ///
    /// # Errors
    /// `p` outside `[0, 1]`, when built.
    ///
    /// ```
    /// use firebrick::prelude::*;
    /// let y = nn::Dropout3d::new(0.5)?.call(Tensor::ones([1, 8, 1, 2, 2])?)?.to_vec::<f32>()?;
    /// assert!(y.chunks(4).all(|channel| channel == [0.0; 4] || channel == [2.0; 4]));
    /// # Ok::<_, firebrick::Error>(())
    /// ```
    Dropout3d: dropout3d, dropout3d_, expect_volumes;

    /// Sets each element to SELU's negative saturation with probability `p` while training, then scales and shifts all,
    /// so that mean 0 and variance 1 are kept.
    ///
    /// Klambauer et al., *Self-Normalizing Neural Networks* (2017).
    ///
    /// # Shapes
    /// Any shape, same shape out.
    ///
    /// # Errors
    /// `p` outside `[0, 1]`, when built.
    ///
    /// ```
    /// use firebrick::prelude::*;
    /// let dropout = nn::AlphaDropout::new(0.5)?;
    /// dropout.eval();
    /// assert_eq!(dropout.call(Tensor::ones([3])?)?.to_vec::<f32>()?, [1.0; 3]);
    /// # Ok::<_, firebrick::Error>(())
    /// ```
    AlphaDropout: alpha_dropout, alpha_dropout_;

    /// [`AlphaDropout`] of whole channels.
    ///
    /// # Shapes
    /// `[N, C, *]`, same shape out.
    ///
    /// # Errors
    /// Fewer than two dimensions; `p` outside `[0, 1]`, when built.
    ///
    /// ```
    /// use firebrick::prelude::*;
    /// let y = nn::FeatureAlphaDropout::new(0.5)?.call(Tensor::ones([1, 8, 2])?)?.to_vec::<f32>()?;
    /// assert!(y.chunks(2).all(|channel| channel[0] == channel[1]));
    /// # Ok::<_, firebrick::Error>(())
    /// ```
    FeatureAlphaDropout: feature_alpha_dropout, feature_alpha_dropout_;
}
