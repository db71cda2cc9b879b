//! Convolutions, transposed ones too, and maximum pooling.

use firebrick_core::{ConvOptions, ConvTransposeOptions, Error, PoolOptions, Result, Sizes, Tensor};

macro_rules! convolutions {
    ($options:ident, $numbers:literal; $($(#[$doc:meta])* $name:ident, $(#[$with_doc:meta])* $with:ident;)*) => { $(
        $(#[$doc])*
        ///
        /// # Errors
        /// Sizes that do not fit, in PyTorch's words.
        pub fn $name(input: &Tensor, weight: &Tensor, bias: Option<&Tensor>) -> Result<Tensor> {
            $with(input, weight, bias, &$options::new())
        }

        #[doc = concat!("[`", stringify!($name), "`] with ", $numbers, ".")]
        ///
        /// # Errors
        /// Sizes that do not fit, in PyTorch's words.
        ///
        $(#[$with_doc])*
        pub fn $with(
            input: &Tensor,
            weight: &Tensor,
            bias: Option<&Tensor>,
            options: &$options,
        ) -> Result<Tensor> {
            input.$name(weight, bias, options)
        }
    )* };
}

convolutions! {
    ConvOptions, "stride, padding, dilation and groups";
    /// Convolution of `[N, C_in, L]` or `[C_in, L]` with `[C_out, C_in / groups, K]`.
    ///
    /// ```
    /// use firebrick::nn::functional as F;
    /// use firebrick::prelude::*;
    /// let (x, w) = (Tensor::new([[[1.0f32, 2.0, 3.0]]])?, Tensor::new([[[1.0f32, -1.0]]])?);
    /// assert_eq!(F::conv1d(&x, &w, None)?.to_vec::<f32>()?, [-1.0; 2]);
    /// # Ok::<_, firebrick::Error>(())
    /// ```
    conv1d,
    /// ```
    /// use firebrick::ConvOptions;
    /// use firebrick::nn::functional as F;
    /// use firebrick::prelude::*;
    /// let (x, w) = (Tensor::new([[[1.0f32, 2.0, 3.0, 4.0]]])?, Tensor::new([[[1.0f32, -1.0]]])?);
    /// let options = ConvOptions::new().stride(2).padding(1).dilation(2);
    /// assert_eq!(F::conv1d_with(&x, &w, None, &options)?.to_vec::<f32>()?, [-2.0, -2.0]);
    /// # Ok::<_, firebrick::Error>(())
    /// ```
    conv1d_with;
    /// Convolution of `[N, C_in, H, W]` or `[C_in, H, W]` with `[C_out, C_in / groups, K_h, K_w]`.
    ///
    /// ```
    /// use firebrick::nn::functional as F;
    /// use firebrick::prelude::*;
    /// let (x, w) = (Tensor::ones([1, 1, 3, 3])?, Tensor::ones([1, 1, 2, 2])?);
    /// assert_eq!(F::conv2d(&x, &w, None)?.to_vec::<f32>()?, [4.0; 4]);
    /// # Ok::<_, firebrick::Error>(())
    /// ```
    conv2d,
    /// ```
    /// use firebrick::ConvOptions;
    /// use firebrick::nn::functional as F;
    /// use firebrick::prelude::*;
    /// let (x, w) = (Tensor::ones([1, 1, 3, 3])?, Tensor::ones([1, 1, 2, 2])?);
    /// let options = ConvOptions::new().stride(2).padding(1);
    /// assert_eq!(F::conv2d_with(&x, &w, None, &options)?.to_vec::<f32>()?, [1.0, 2.0, 2.0, 4.0]);
    /// # Ok::<_, firebrick::Error>(())
    /// ```
    conv2d_with;
    /// Convolution of `[N, C_in, D, H, W]` or `[C_in, D, H, W]` with `[C_out, C_in / groups, K_d, K_h, K_w]`.
    ///
    /// ```
    /// use firebrick::nn::functional as F;
    /// use firebrick::prelude::*;
    /// let (x, w) = (Tensor::ones([1, 1, 2, 2, 2])?, Tensor::ones([1, 1, 2, 2, 2])?);
    /// assert_eq!(F::conv3d(&x, &w, None)?.to_vec::<f32>()?, [8.0]);
    /// # Ok::<_, firebrick::Error>(())
    /// ```
    conv3d,
    /// ```
    /// use firebrick::ConvOptions;
    /// use firebrick::nn::functional as F;
    /// use firebrick::prelude::*;
    /// let (x, w) = (Tensor::ones([1, 1, 2, 2, 2])?, Tensor::ones([1, 1, 2, 2, 2])?);
    /// let options = ConvOptions::new().stride(2).padding(1);
    /// assert_eq!(F::conv3d_with(&x, &w, None, &options)?.to_vec::<f32>()?, [1.0; 8]);
    /// # Ok::<_, firebrick::Error>(())
    /// ```
    conv3d_with;
}

convolutions! {
    ConvTransposeOptions, "stride, padding, output padding, groups and dilation";
    /// Transposed convolution of `[N, C_in, L]` or `[C_in, L]` with `[C_in, C_out / groups, K]`.
    ///
    /// ```
    /// use firebrick::nn::functional as F;
    /// use firebrick::prelude::*;
    /// let (x, w) = (Tensor::new([[[1.0f32, 2.0]]])?, Tensor::ones([1, 1, 2])?);
    /// assert_eq!(F::conv_transpose1d(&x, &w, None)?.to_vec::<f32>()?, [1.0, 3.0, 2.0]);
    /// # Ok::<_, firebrick::Error>(())
    /// ```
    conv_transpose1d,
    /// ```
    /// use firebrick::ConvTransposeOptions;
    /// use firebrick::nn::functional as F;
    /// use firebrick::prelude::*;
    /// let (x, w) = (Tensor::new([[[1.0f32, 2.0]]])?, Tensor::ones([1, 1, 2])?);
    /// let options = ConvTransposeOptions::new().stride(2).output_padding(1);
    /// assert_eq!(F::conv_transpose1d_with(&x, &w, None, &options)?.to_vec::<f32>()?, [1.0, 1.0, 2.0, 2.0, 0.0]);
    /// # Ok::<_, firebrick::Error>(())
    /// ```
    conv_transpose1d_with;
    /// Transposed convolution of `[N, C_in, H, W]` or `[C_in, H, W]` with `[C_in, C_out / groups, K_h, K_w]`.
    ///
    /// ```
    /// use firebrick::nn::functional as F;
    /// use firebrick::prelude::*;
    /// let (x, w) = (Tensor::new([[[1.0f32, 2.0]]])?, Tensor::ones([1, 1, 1, 2])?);
    /// assert_eq!(F::conv_transpose2d(&x, &w, None)?.to_vec::<f32>()?, [1.0, 3.0, 2.0]);
    /// # Ok::<_, firebrick::Error>(())
    /// ```
    conv_transpose2d,
    /// ```
    /// use firebrick::ConvTransposeOptions;
    /// use firebrick::nn::functional as F;
    /// use firebrick::prelude::*;
    /// let (x, w) = (Tensor::ones([1, 1, 2, 2])?, Tensor::ones([1, 1, 2, 2])?);
    /// let options = ConvTransposeOptions::new().stride(2).padding(1);
    /// assert_eq!(F::conv_transpose2d_with(&x, &w, None, &options)?.to_vec::<f32>()?, [1.0; 4]);
    /// # Ok::<_, firebrick::Error>(())
    /// ```
    conv_transpose2d_with;
    /// Transposed convolution of `[N, C_in, D, H, W]` or `[C_in, D, H, W]` with `[C_in, C_out / groups, K_d, K_h, K_w]`.
    ///
    /// ```
    /// use firebrick::nn::functional as F;
    /// use firebrick::prelude::*;
    /// let (x, w) = (Tensor::ones([1, 1, 2, 2, 2])?, Tensor::ones([1, 4, 3, 3, 3])?);
    /// assert_eq!(F::conv_transpose3d(&x, &w, None)?.shape(), [1, 4, 4, 4, 4]);
    /// # Ok::<_, firebrick::Error>(())
    /// ```
    conv_transpose3d,
    /// ```
    /// use firebrick::ConvTransposeOptions;
    /// use firebrick::nn::functional as F;
    /// use firebrick::prelude::*;
    /// let (x, w) = (Tensor::ones([1, 1, 2, 2, 2])?, Tensor::ones([1, 1, 2, 2, 2])?);
    /// let options = ConvTransposeOptions::new().padding(1);
    /// assert_eq!(F::conv_transpose3d_with(&x, &w, None, &options)?.to_vec::<f32>()?, [8.0]);
    /// # Ok::<_, firebrick::Error>(())
    /// ```
    conv_transpose3d_with;
}

macro_rules! max_pools {
    ($($(#[$doc:meta])* $name:ident, $(#[$with_doc:meta])* $with:ident, $with_indices:ident;)*) => { $(
        $(#[$doc])*
        ///
        /// # Errors
        /// Sizes that do not fit, in PyTorch's words.
        pub fn $name(input: &Tensor, kernel_size: impl Into<Sizes>) -> Result<Tensor> {
            $with(input, kernel_size, &PoolOptions::new())
        }

        #[doc = concat!("[`", stringify!($name), "`] with stride, padding, dilation and rounding.")]
        ///
        /// # Errors
        /// Sizes that do not fit, in PyTorch's words.
        ///
        $(#[$with_doc])*
        pub fn $with(input: &Tensor, kernel_size: impl Into<Sizes>, options: &PoolOptions) -> Result<Tensor> {
            input.$name(kernel_size, options)
        }

        #[doc = concat!("[`", stringify!($name), "`] together with the index of each winner in its plane, as [`", stringify!($with), "`] shows.")]
        ///
        /// # Errors
        /// Sizes that do not fit, in PyTorch's words.
        pub fn $with_indices(
            input: &Tensor,
            kernel_size: impl Into<Sizes>,
            options: &PoolOptions,
        ) -> Result<(Tensor, Tensor)> {
            input.$with_indices(kernel_size, options)
        }
    )* };
}

max_pools! {
    /// The largest element of each window of `[N, C, L]` or `[C, L]`, windows side by side.
    ///
    /// ```
    /// use firebrick::nn::functional as F;
    /// use firebrick::prelude::*;
    /// assert_eq!(F::max_pool1d(&Tensor::new([[1.0f32, 3.0, 2.0, 4.0]])?, 2)?.to_vec::<f32>()?, [3.0, 4.0]);
    /// # Ok::<_, firebrick::Error>(())
    /// ```
    max_pool1d,
    /// ```
    /// use firebrick::PoolOptions;
    /// use firebrick::nn::functional as F;
    /// use firebrick::prelude::*;
    /// let (x, options) = (Tensor::new([[1.0f32, 3.0, 2.0, 4.0]])?, PoolOptions::new().stride(1));
    /// assert_eq!(F::max_pool1d_with(&x, 2, &options)?.to_vec::<f32>()?, [3.0, 3.0, 4.0]);
    /// let (_, indices) = F::max_pool1d_with_indices(&x, 2, &PoolOptions::new())?;
    /// assert_eq!(indices.to_vec::<i64>()?, [1, 3]);
    /// # Ok::<_, firebrick::Error>(())
    /// ```
    max_pool1d_with, max_pool1d_with_indices;
    /// The largest element of each window of `[N, C, H, W]` or `[C, H, W]`, windows side by side.
    ///
    /// ```
    /// use firebrick::nn::functional as F;
    /// use firebrick::prelude::*;
    /// let x = Tensor::new([[[1.0f32, 2.0], [4.0, 3.0]]])?;
    /// assert_eq!(F::max_pool2d(&x, 2)?.to_vec::<f32>()?, [4.0]);
    /// # Ok::<_, firebrick::Error>(())
    /// ```
    max_pool2d,
    /// ```
    /// use firebrick::PoolOptions;
    /// use firebrick::nn::functional as F;
    /// use firebrick::prelude::*;
    /// let (x, options) = (Tensor::new([[[1.0f32, 2.0], [4.0, 3.0]]])?, PoolOptions::new().stride(1).padding(1));
    /// assert_eq!(
    ///     F::max_pool2d_with(&x, 2, &options)?.to_vec::<f32>()?,
    ///     [1.0, 2.0, 2.0, 4.0, 4.0, 3.0, 4.0, 4.0, 3.0]
    /// );
    /// let (_, indices) = F::max_pool2d_with_indices(&x, 2, &PoolOptions::new())?;
    /// assert_eq!(indices.to_vec::<i64>()?, [2]);
    /// # Ok::<_, firebrick::Error>(())
    /// ```
    max_pool2d_with, max_pool2d_with_indices;
    /// The largest element of each window of `[N, C, D, H, W]` or `[C, D, H, W]`, windows side by side.
    ///
    /// ```
    /// use firebrick::nn::functional as F;
    /// use firebrick::prelude::*;
    /// assert_eq!(F::max_pool3d(&Tensor::zeros([1, 4, 4, 4])?, 2)?.shape(), [1, 2, 2, 2]);
    /// # Ok::<_, firebrick::Error>(())
    /// ```
    max_pool3d,
    /// ```
    /// use firebrick::PoolOptions;
    /// use firebrick::nn::functional as F;
    /// use firebrick::prelude::*;
    /// let (x, options) = (Tensor::zeros([1, 5, 5, 5])?, PoolOptions::new().stride(2).ceil_mode(true));
    /// assert_eq!(F::max_pool3d_with(&x, 2, &options)?.shape(), [1, 3, 3, 3]);
    /// # Ok::<_, firebrick::Error>(())
    /// ```
    max_pool3d_with, max_pool3d_with_indices;
}

/// A convolution of sequences `[T, N, in_channels]` with a kernel `[width, in_channels, out_channels]`, with `pad` zeros at
/// both ends; the bias has a number for each output channel.
///
/// # Shapes
/// To `[T + 2 * pad - width + 1, N, out_channels]`.
///
/// # Errors
/// Shapes that do not fit.
///
/// ```
/// use firebrick::prelude::*;
/// let (x, weight) = (Tensor::ones([4, 1, 2])?, Tensor::ones([3, 2, 5])?);
/// let y = nn::functional::conv_tbc(&x, &weight, &Tensor::zeros([5])?, 0)?;
/// assert_eq!(y.shape(), [2, 1, 5]);
/// assert_eq!(y.to_vec::<f32>()?, [6.0; 10]);
/// # Ok::<_, firebrick::Error>(())
/// ```
pub fn conv_tbc(input: &Tensor, weight: &Tensor, bias: &Tensor, pad: i64) -> Result<Tensor> {
    let refuse = |text: &str| Err(Error::runtime("conv_tbc", text));
    if input.dim() != 3 {
        return refuse("Input must have 3 dims: time, batch, in_channel");
    }
    if weight.dim() != 3 {
        return refuse("Weight tensor must have 3 dims: kernel_width, in_channels, out_channels.");
    }
    if bias.dim() != 1 {
        return refuse("Bias must be 1-D");
    }
    if input.size(2)? != weight.size(1)? {
        return refuse("Input dim 2 (input channels) is not == dim 1 in the weight tensor");
    }
    if bias.size(0)? != weight.size(2)? {
        return refuse("Bias size must equal dim 2 in the weight tensor (output channels).");
    }
    let (x, kernel) = (input.permute([1, 2, 0])?, weight.permute([2, 1, 0])?);
    conv1d_with(&x, &kernel, Some(bias), &ConvOptions::new().padding(pad))?.permute([2, 0, 1])
}
