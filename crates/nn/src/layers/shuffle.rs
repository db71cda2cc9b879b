//! Channels moved into space and back, and dealt out among groups.

use crate::{Core, Custom, Forward, Module};
use firebrick_core::{Result, Tensor};

macro_rules! shuffle {
    ($(#[$doc:meta])* $name:ident, $argument:ident, $call:ident) => {
        $(#[$doc])*
        #[derive(Module)]
        #[module(custom)]
        pub struct $name {
            core: Core,
            $argument: i64,
        }

        impl $name {
            /// The layer; its number is checked against the input.
            pub fn new($argument: i64) -> Self {
                $name { core: Core::new(), $argument }
            }
        }

        impl Forward for $name {
            fn forward(&self, input: Tensor) -> Result<Tensor> {
                input.$call(self.$argument)
            }
        }

        impl Custom for $name {
            fn extra_repr(&self) -> String {
                format!(concat!(stringify!($argument), "={}"), self.$argument)
            }
        }
    };
}

shuffle! {
    /// `[*, C r^2, H, W]` to `[*, C, H r, W r]`: channels become places. Shi et al., *Sub-Pixel Convolution* (2016).
    ///
    /// # Errors
    /// Channels that `r^2` does not divide.
    ///
    /// ```
    /// use firebrick::prelude::*;
    /// let shuffle = nn::PixelShuffle::new(2);
    /// assert_eq!(shuffle.to_string(), "PixelShuffle(upscale_factor=2)");
    /// assert_eq!(shuffle.call(Tensor::ones([1, 8, 2, 3])?)?.shape(), [1, 2, 4, 6]);
    /// # Ok::<_, firebrick::Error>(())
    /// ```
    PixelShuffle, upscale_factor, pixel_shuffle
}

shuffle! {
    /// `[*, C, H r, W r]` to `[*, C r^2, H, W]`: the inverse of [`PixelShuffle`].
    ///
    /// # Errors
    /// Height or width that `r` does not divide.
    ///
    /// ```
    /// use firebrick::prelude::*;
    /// let y = nn::PixelUnshuffle::new(2).call(Tensor::new([[[1.0f32, 2.0], [3.0, 4.0]]])?)?;
    /// assert_eq!(y.to_vec::<f32>()?, [1.0, 2.0, 3.0, 4.0]);
    /// # Ok::<_, firebrick::Error>(())
    /// ```
    PixelUnshuffle, downscale_factor, pixel_unshuffle
}

shuffle! {
    /// The channels of `[N, C, *]` dealt out among `groups`. Zhang et al., *ShuffleNet* (2018).
    ///
    /// # Errors
    /// Fewer than three dimensions; channels that the groups do not divide.
    ///
    /// ```
    /// use firebrick::prelude::*;
    /// let y = nn::ChannelShuffle::new(2).call(Tensor::new([[[1.0f32], [2.0], [3.0], [4.0]]])?)?;
    /// assert_eq!(y.to_vec::<f32>()?, [1.0, 3.0, 2.0, 4.0]);
    /// # Ok::<_, firebrick::Error>(())
    /// ```
    ChannelShuffle, groups, channel_shuffle
}
