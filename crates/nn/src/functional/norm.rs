//! Normalization.

use super::options::options;
use firebrick_core::text::python_float;
use firebrick_core::{Error, Result, Sizes, Tensor};

options! {
    /// Options of [`batch_norm_with`]; PyTorch's defaults unless set.
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
pub fn layer_norm(input: &Tensor, normalized_shape: impl Into<Sizes>) -> Result<Tensor> {
    layer_norm_with(input, normalized_shape, &LayerNormOptions::new())
}

/// [`layer_norm`] with scale and shift.
///
/// # Errors
/// An input that does not end in that shape; weight or bias of another shape.
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
