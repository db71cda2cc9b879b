//! Dropout: elements or channels zeroed at random.

use crate::warn;
use firebrick_core::{Result, Tensor};

macro_rules! dropouts {
    ($($(#[$doc:meta])* $name:ident $(, $check:ident)?;)*) => { $(
        $(#[$doc])*
        ///
        /// # Errors
        /// `p` outside `[0, 1]`; an integer or bool tensor.
        pub fn $name(input: &Tensor, p: f64, training: bool) -> Result<Tensor> {
            $($check(input);)?
            input.$name(p, training)
        }
    )* };
}

dropouts! {
    /// Zeroes each element with probability `p` while `training` and scales the rest by `1 / (1 - p)`.
    ///
    /// ```
    /// use firebrick::nn::functional as F;
    /// use firebrick::prelude::*;
    /// let x = Tensor::ones([3])?;
    /// assert_eq!(F::dropout(&x, 1.0, true)?.to_vec::<f32>()?, [0.0; 3]);
    /// assert_eq!(F::dropout(&x, 0.5, false)?.to_vec::<f32>()?, [1.0; 3]);
    /// # Ok::<_, firebrick::Error>(())
    /// ```
    dropout;
    /// Zeroes whole channels of `(N, C, L)` or `(C, L)`; other shapes are an error.
    ///
    /// ```
    /// use firebrick::Generator;
    /// use firebrick::nn::functional as F;
    /// use firebrick::prelude::*;
    /// let x = Tensor::ones([3, 2])?;
    /// for channel in Generator::new().manual_seed(0).scope(|| F::dropout1d(&x, 0.5, true))?.unbind(0)? {
    ///     assert!([[0.0, 0.0], [2.0, 2.0]].map(Vec::from).contains(&channel.to_vec::<f32>()?));
    /// }
    /// # Ok::<_, firebrick::Error>(())
    /// ```
    dropout1d;
    /// Zeroes whole channels of `(N, C, H, W)`; other shapes print PyTorch's warning.
    ///
    /// ```
    /// use firebrick::nn::functional as F;
    /// use firebrick::prelude::*;
    /// let x = Tensor::ones([1, 2, 1, 1])?;
    /// assert_eq!(F::dropout2d(&x, 1.0, true)?.to_vec::<f32>()?, [0.0, 0.0]);
    /// # Ok::<_, firebrick::Error>(())
    /// ```
    dropout2d, expect_images;
    /// Zeroes whole channels of `(N, C, D, H, W)` or `(C, D, H, W)`; other shapes print PyTorch's warning.
    ///
    /// ```
    /// use firebrick::nn::functional as F;
    /// use firebrick::prelude::*;
    /// let x = Tensor::ones([1, 2, 1, 1, 1])?;
    /// assert_eq!(F::dropout3d(&x, 0.5, false)?.to_vec::<f32>()?, [1.0, 1.0]);
    /// # Ok::<_, firebrick::Error>(())
    /// ```
    dropout3d, expect_volumes;
    /// Sets elements to SELU's negative saturation, keeping mean and variance.
    ///
    /// ```
    /// use firebrick::nn::functional as F;
    /// use firebrick::prelude::*;
    /// let x = Tensor::ones([3])?;
    /// assert_eq!(F::alpha_dropout(&x, 0.5, false)?.to_vec::<f32>()?, [1.0; 3]);
    /// assert!(F::alpha_dropout(&x, 2.0, true).is_err());
    /// # Ok::<_, firebrick::Error>(())
    /// ```
    alpha_dropout;
    /// [`alpha_dropout`] of whole channels.
    ///
    /// ```
    /// use firebrick::nn::functional as F;
    /// use firebrick::prelude::*;
    /// let x = Tensor::ones([1, 1, 3])?;
    /// let y = F::feature_alpha_dropout(&x, 0.5, true)?.to_vec::<f32>()?;
    /// assert!(y[0] == y[1] && y[1] == y[2]);
    /// # Ok::<_, firebrick::Error>(())
    /// ```
    feature_alpha_dropout;
}

fn unexpected(rank: usize, n: usize) {
    warn(&format!(
        "dropout{n}d: Received a {rank}-D input to dropout{n}d, which is deprecated and will result in an error in a future release. To retain the behavior and silence this warning, please use dropout instead. Note that dropout{n}d exists to provide channel-wise dropout on inputs with {n} spatial dimensions, a channel dimension, and an optional batch dimension (i.e. {}D or {}D inputs).",
        n + 1,
        n + 2
    ));
}

pub(crate) fn expect_images(input: &Tensor) {
    match input.dim() {
        4 => {}
        3 => warn(
            "dropout2d: Received a 3D input to dropout2d and assuming that channel-wise 1D dropout behavior is desired - input is interpreted as shape (N, C, L), where C is the channel dim. This behavior will change in a future release to interpret the input as one without a batch dimension, i.e. shape (C, H, W). To maintain the 1D channel-wise dropout behavior, please switch to using dropout1d instead.",
        ),
        rank => unexpected(rank, 2),
    }
}

pub(crate) fn expect_volumes(input: &Tensor) {
    if !(4..=5).contains(&input.dim()) {
        unexpected(input.dim(), 3);
    }
}
