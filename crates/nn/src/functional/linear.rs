//! Affine maps.

use firebrick_core::{Result, Tensor};

/// `x W^T + b` over the last dimension: what [`Linear`](crate::Linear) computes.
///
/// # Shapes
/// Input `[*, in_features]`, weight `[out_features, in_features]` or `[in_features]`, bias `[out_features]`; result
/// `[*, out_features]`.
///
/// # Errors
/// Sizes or dtypes that do not fit.
///
/// ```
/// use firebrick::nn::functional as F;
/// use firebrick::prelude::*;
/// let (x, w) = (Tensor::new([[1.0f32, 2.0]])?, Tensor::new([[3.0f32, 4.0]])?);
/// assert_eq!(F::linear(&x, &w, None)?.to_vec::<f32>()?, [11.0]);
/// # Ok::<_, firebrick::Error>(())
/// ```
pub fn linear(input: &Tensor, weight: &Tensor, bias: Option<&Tensor>) -> Result<Tensor> {
    input.linear(weight, bias)
}
