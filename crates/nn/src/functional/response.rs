//! Local response normalization.

use firebrick_core::{Result, Tensor};

/// Each channel of `[N, C, *]` over a power of its neighbours' mean square; PyTorch's defaults are 1e-4, 0.75 and 1.
///
/// # Errors
/// Fewer than three dimensions; a size that is not positive.
///
/// ```
/// use firebrick::nn::functional as F;
/// use firebrick::prelude::*;
/// let x = Tensor::new([[[2.0f32], [4.0]]])?;
/// assert_eq!(F::local_response_norm(&x, 1, 1.0, 1.0, 0.0)?.to_vec::<f32>()?, [0.5, 0.25]);
/// # Ok::<_, firebrick::Error>(())
/// ```
pub fn local_response_norm(input: &Tensor, size: i64, alpha: f64, beta: f64, k: f64) -> Result<Tensor> {
    input.local_response_norm(size, alpha, beta, k)
}
