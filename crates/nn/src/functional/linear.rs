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

/// `y[o] = input1^T weight[o] input2 + bias[o]`, with a weight `[out, in1, in2]`.
///
/// # Errors
/// Sizes that do not fit, in PyTorch's words.
///
/// ```
/// use firebrick::nn::functional as F;
/// use firebrick::prelude::*;
/// let (a, b) = (Tensor::new([[1.0f32, 2.0]])?, Tensor::new([[3.0f32]])?);
/// assert_eq!(F::bilinear(&a, &b, &Tensor::new([[[1.0f32], [10.0]]])?, None)?.to_vec::<f32>()?, [63.0]);
/// # Ok::<_, firebrick::Error>(())
/// ```
pub fn bilinear(input1: &Tensor, input2: &Tensor, weight: &Tensor, bias: Option<&Tensor>) -> Result<Tensor> {
    input1.bilinear(input2, weight, bias)
}
