//! Normalization.

use crate::options::options;
use firebrick_core::text::python_float;
use firebrick_core::{Error, Result, Sizes, Tensor};

options! {
    /// Options of [`batch_norm_with`]; PyTorch's defaults unless set.
    ///
    /// ```
    /// use firebrick::nn::functional as F;
    /// use firebrick::prelude::*;
    /// let (mean, var) = (Tensor::zeros([1])?, Tensor::ones([1])?);
    /// let (weight, bias) = (Tensor::new([2.0f32])?, Tensor::new([10.0f32])?);
    /// let options = F::BatchNormOptions::new().weight(&weight).bias(&bias).training(true).momentum(0.5).eps(1e-12);
    /// let y = F::batch_norm_with(&Tensor::new([[1.0f32], [3.0]])?, Some(&mean), Some(&var), &options)?;
    /// assert_eq!(y.to_vec::<f32>()?, [8.0, 12.0]);
    /// assert_eq!((mean.item::<f32>()?, var.item::<f32>()?), (1.0, 1.5)); // halfway to 2 and, unbiased, 2
    /// # Ok::<_, firebrick::Error>(())
    /// ```
    BatchNormOptions [
        /// Scale of each channel.
        weight,
        /// Shift of each channel.
        bias,
    ] {
        /// Are mean and variance the batch's?
        training: bool = false,
        /// Weight of the batch in the running statistics.
        momentum: f64 = 0.1,
        /// What is added to the variance.
        eps: f64 = 1e-5,
    }
}

/// Brings each channel of `[N, C, *]` to mean 0 and variance 1 by the running statistics.
///
/// # Errors
/// Statistics that are missing or of another size than there are channels.
///
/// ```
/// use firebrick::nn::functional as F;
/// use firebrick::prelude::*;
/// let (mean, var) = (Tensor::new([1.0f32])?, Tensor::new([4.0f32])?);
/// let y = F::batch_norm(&Tensor::new([[5.0f32]])?, Some(&mean), Some(&var))?.item::<f32>()?;
/// assert!((y - 2.0).abs() < 1e-5);
/// # Ok::<_, firebrick::Error>(())
/// ```
pub fn batch_norm(input: &Tensor, running_mean: Option<&Tensor>, running_var: Option<&Tensor>) -> Result<Tensor> {
    batch_norm_with(input, running_mean, running_var, &BatchNormOptions::new())
}

/// [`batch_norm`] with scale and shift, or by the batch's own statistics, which then move the running ones.
///
/// # Errors
/// Members of another size than there are channels; one of the running statistics alone; while training, one value for
/// each channel or an `eps` that is not positive.
///
/// ```
/// use firebrick::nn::functional as F;
/// use firebrick::prelude::*;
/// let x = Tensor::new([[1.0f32], [3.0]])?;
/// let options = F::BatchNormOptions::new().training(true).eps(1e-12);
/// assert_eq!(F::batch_norm_with(&x, None, None, &options)?.to_vec::<f32>()?, [-1.0, 1.0]);
/// # Ok::<_, firebrick::Error>(())
/// ```
pub fn batch_norm_with(
    input: &Tensor,
    running_mean: Option<&Tensor>,
    running_var: Option<&Tensor>,
    options: &BatchNormOptions<'_>,
) -> Result<Tensor> {
    const OP: &str = "batch_norm";
    let &BatchNormOptions { weight, bias, training, momentum, eps } = options;
    if running_mean.is_some() != running_var.is_some() {
        return Err(Error::value(OP, "running_mean and running_var must either both be None or neither be None"));
    }
    if training && eps <= 0.0 {
        let text = format!("batch_norm eps must be positive during training, but got {}", python_float(eps));
        return Err(Error::value(OP, text));
    }
    if eps < 0.0 {
        let text = format!("batch_norm eps must be non-negative, but got {}", python_float(eps));
        return Err(Error::value(OP, text));
    }
    input.batch_norm(running_mean, running_var, weight, bias, training, momentum, eps)
}

options! {
    /// Options of [`layer_norm_with`]; PyTorch's defaults unless set.
    LayerNormOptions [
        /// Scale of each element.
        weight,
        /// Shift of each element.
        bias,
    ] {
        /// What is added to the variance.
        eps: f64 = 1e-5,
    }
}

/// Brings the last dimensions, which have `normalized_shape`, to mean 0 and variance 1.
///
/// # Errors
/// An input that does not end in that shape.
///
/// ```
/// use firebrick::nn::functional as F;
/// use firebrick::prelude::*;
/// assert_eq!(F::layer_norm(&Tensor::new([[1.0f32, 3.0]])?, 2)?.to_string(), "tensor([[-1.0000,  1.0000]])");
/// # Ok::<_, firebrick::Error>(())
/// ```
pub fn layer_norm(input: &Tensor, normalized_shape: impl Into<Sizes>) -> Result<Tensor> {
    layer_norm_with(input, normalized_shape, &LayerNormOptions::new())
}

/// [`layer_norm`] with scale and shift.
///
/// # Errors
/// An input that does not end in that shape; weight or bias of another shape.
///
/// ```
/// use firebrick::nn::functional as F;
/// use firebrick::prelude::*;
/// let weight = Tensor::new([10.0f32, 100.0])?;
/// let options = F::LayerNormOptions::new().weight(&weight).eps(1e-12);
/// assert_eq!(F::layer_norm_with(&Tensor::new([[1.0f32, 3.0]])?, 2, &options)?.to_vec::<f32>()?, [-10.0, 100.0]);
/// # Ok::<_, firebrick::Error>(())
/// ```
pub fn layer_norm_with(
    input: &Tensor,
    normalized_shape: impl Into<Sizes>,
    options: &LayerNormOptions<'_>,
) -> Result<Tensor> {
    input.layer_norm(normalized_shape, options.weight, options.bias, options.eps)
}

/// `x / max(norm_p(x), eps)` along `dim`. PyTorch's defaults are 2, 1 and 1e-12.
///
/// # Errors
/// A dimension out of range; integers.
///
/// ```
/// use firebrick::nn::functional as F;
/// use firebrick::prelude::*;
/// let y = F::normalize(&Tensor::new([[3.0f32, 4.0]])?, 2.0, 1, 1e-12)?;
/// assert_eq!(y.to_vec::<f32>()?, [0.6, 0.8]);
/// # Ok::<_, firebrick::Error>(())
/// ```
pub fn normalize(input: &Tensor, p: f64, dim: impl Into<Sizes>, eps: f64) -> Result<Tensor> {
    input.div(&input.norm_dim(p, dim, true)?.clamp_min(eps)?)
}

options! {
    /// Options of [`group_norm_with`]; PyTorch's defaults unless set.
    ///
    /// ```
    /// use firebrick::nn::functional as F;
    /// use firebrick::prelude::*;
    /// let (weight, bias) = (Tensor::new([2.0f32, 3.0])?, Tensor::new([10.0f32, 20.0])?);
    /// let options = F::GroupNormOptions::new().weight(&weight).bias(&bias).eps(1e-12);
    /// assert_eq!(F::group_norm_with(&Tensor::new([[1.0f32, 3.0]])?, 1, &options)?.to_vec::<f32>()?, [8.0, 23.0]);
    /// # Ok::<_, firebrick::Error>(())
    /// ```
    GroupNormOptions [
        /// Scale of each channel.
        weight,
        /// Shift of each channel.
        bias,
    ] {
        /// What is added to the variance.
        eps: f64 = 1e-5,
    }
}

/// Brings each of `num_groups` groups of channels of each sample of `[N, C, *]` to mean 0 and variance 1.
///
/// # Errors
/// As [`Tensor::group_norm`].
///
/// ```
/// use firebrick::nn::functional as F;
/// use firebrick::prelude::*;
/// let y = F::group_norm(&Tensor::new([[1.0f64, 3.0, 2.0, 6.0]])?, 2)?.round()?;
/// assert_eq!(y.to_vec::<f64>()?, [-1.0, 1.0, -1.0, 1.0]);
/// # Ok::<_, firebrick::Error>(())
/// ```
pub fn group_norm(input: &Tensor, num_groups: usize) -> Result<Tensor> {
    group_norm_with(input, num_groups, &GroupNormOptions::new())
}

/// [`group_norm`] with scale and shift.
///
/// # Errors
/// As [`Tensor::group_norm`].
///
/// ```
/// use firebrick::nn::functional as F;
/// use firebrick::prelude::*;
/// let bias = Tensor::new([10.0f32, 20.0])?;
/// let options = F::GroupNormOptions::new().bias(&bias).eps(1e-12);
/// assert_eq!(F::group_norm_with(&Tensor::new([[1.0f32, 3.0]])?, 1, &options)?.to_vec::<f32>()?, [9.0, 21.0]);
/// # Ok::<_, firebrick::Error>(())
/// ```
pub fn group_norm_with(input: &Tensor, num_groups: usize, options: &GroupNormOptions<'_>) -> Result<Tensor> {
    let groups = i64::try_from(num_groups).unwrap_or(i64::MAX);
    input.group_norm(groups, options.weight, options.bias, options.eps)
}

options! {
    /// Options of [`instance_norm_with`]; PyTorch's defaults unless set.
    ///
    /// ```
    /// use firebrick::nn::functional as F;
    /// use firebrick::prelude::*;
    /// let (x, mean, var) = (Tensor::new([[[1.0f32, 3.0]]])?, Tensor::zeros([1])?, Tensor::ones([1])?);
    /// let (weight, bias) = (Tensor::new([2.0f32])?, Tensor::new([10.0f32])?);
    /// let running = F::InstanceNormOptions::new().running_mean(&mean).running_var(&var);
    /// let options = running.weight(&weight).bias(&bias).momentum(0.5).eps(1e-12);
    /// assert_eq!(F::instance_norm_with(&x, &options)?.to_vec::<f32>()?, [8.0, 12.0]);
    /// assert_eq!((mean.item::<f32>()?, var.item::<f32>()?), (1.0, 1.5)); // halfway to 2 and, unbiased, 2
    /// let y = F::instance_norm_with(&x, &running.use_input_stats(false))?;
    /// assert_eq!(y.to_string(), "tensor([[[0.0000, 1.6330]]])"); // by the running ones
    /// # Ok::<_, firebrick::Error>(())
    /// ```
    InstanceNormOptions [
        /// Mean of each channel so far; moved where the statistics are the input's.
        running_mean,
        /// Variance of each channel so far; moved where the statistics are the input's.
        running_var,
        /// Scale of each channel.
        weight,
        /// Shift of each channel.
        bias,
    ] {
        /// Are mean and variance the input's, rather than the running ones?
        use_input_stats: bool = true,
        /// Weight of the input in the running statistics.
        momentum: f64 = 0.1,
        /// What is added to the variance.
        eps: f64 = 1e-5,
    }
}

/// Brings each channel of each sample of `[N, C, *]` to mean 0 and variance 1.
///
/// # Errors
/// As [`Tensor::instance_norm`].
///
/// ```
/// use firebrick::nn::functional as F;
/// use firebrick::prelude::*;
/// let y = F::instance_norm(&Tensor::new([[[1.0f64, 3.0], [2.0, 6.0]]])?)?.round()?;
/// assert_eq!(y.to_vec::<f64>()?, [-1.0, 1.0, -1.0, 1.0]);
/// # Ok::<_, firebrick::Error>(())
/// ```
pub fn instance_norm(input: &Tensor) -> Result<Tensor> {
    instance_norm_with(input, &InstanceNormOptions::new())
}

/// [`instance_norm`] with scale and shift, or by running statistics.
///
/// # Errors
/// As [`Tensor::instance_norm`].
///
/// ```
/// use firebrick::nn::functional as F;
/// use firebrick::prelude::*;
/// let options = F::InstanceNormOptions::new().eps(1e-12);
/// assert_eq!(F::instance_norm_with(&Tensor::new([[[1.0f32, 3.0]]])?, &options)?.to_vec::<f32>()?, [-1.0, 1.0]);
/// # Ok::<_, firebrick::Error>(())
/// ```
pub fn instance_norm_with(input: &Tensor, options: &InstanceNormOptions<'_>) -> Result<Tensor> {
    let &InstanceNormOptions { running_mean, running_var, weight, bias, use_input_stats, momentum, eps } = options;
    input.instance_norm(running_mean, running_var, weight, bias, use_input_stats, momentum, eps)
}

options! {
    /// Options of [`rms_norm_with`]; PyTorch's defaults unless set.
    RMSNormOptions [
        /// Scale of each element.
        weight,
    ] {
        /// What is added to the mean square; the smallest step at 1 of the dtype unless given.
        eps: Option<f64> = None,
    }
}

/// Divides by the root of the mean square over the last dimensions, which have `normalized_shape`.
///
/// # Errors
/// As [`Tensor::rms_norm`].
///
/// ```
/// use firebrick::nn::functional as F;
/// use firebrick::prelude::*;
/// let y = F::rms_norm(&Tensor::new([3.0f64, -3.0])?, [2])?.round()?;
/// assert_eq!(y.to_vec::<f64>()?, [1.0, -1.0]);
/// # Ok::<_, firebrick::Error>(())
/// ```
pub fn rms_norm(input: &Tensor, normalized_shape: impl Into<Sizes>) -> Result<Tensor> {
    rms_norm_with(input, normalized_shape, &RMSNormOptions::new())
}

/// [`rms_norm`] with a scale.
///
/// # Errors
/// As [`Tensor::rms_norm`].
///
/// ```
/// use firebrick::nn::functional as F;
/// use firebrick::prelude::*;
/// let weight = Tensor::new([10.0f32, 100.0])?;
/// let options = F::RMSNormOptions::new().weight(&weight);
/// assert_eq!(F::rms_norm_with(&Tensor::new([[1.0f32, 7.0]])?, 2, &options)?.to_string(), "tensor([[  2., 140.]])");
/// # Ok::<_, firebrick::Error>(())
/// ```
pub fn rms_norm_with(
    input: &Tensor,
    normalized_shape: impl Into<Sizes>,
    options: &RMSNormOptions<'_>,
) -> Result<Tensor> {
    input.rms_norm(normalized_shape, options.weight, options.eps)
}
