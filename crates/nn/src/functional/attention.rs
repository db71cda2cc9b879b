//! Attention.

use firebrick_core::{AttentionOptions, Result, Tensor};

/// `softmax(query key^T / sqrt(E)) value`: each query's mean of the values, weighed by how well the keys fit it.
///
/// # Errors
/// Sizes and dtypes that do not fit.
///
/// ```
/// use firebrick::nn::functional as F;
/// use firebrick::prelude::*;
/// let (q, k) = (Tensor::zeros([1, 2])?, Tensor::ones([2, 2])?);
/// let v = Tensor::new([[1.0f32], [3.0]])?;
/// assert_eq!(F::scaled_dot_product_attention(&q, &k, &v)?.to_vec::<f32>()?, [2.0]);
/// # Ok::<_, firebrick::Error>(())
/// ```
pub fn scaled_dot_product_attention(query: &Tensor, key: &Tensor, value: &Tensor) -> Result<Tensor> {
    scaled_dot_product_attention_with(query, key, value, &AttentionOptions::new())
}

/// [`scaled_dot_product_attention`] with a mask, dropout or another scale.
///
/// # Errors
/// As [`scaled_dot_product_attention`]; a mask beside `is_causal`.
///
/// ```
/// use firebrick::nn::functional as F;
/// use firebrick::prelude::*;
/// use firebrick::AttentionOptions;
/// let (x, v) = (Tensor::zeros([2, 1])?, Tensor::new([[1.0f32], [3.0]])?);
/// let options = AttentionOptions::new().is_causal(true);
/// assert_eq!(F::scaled_dot_product_attention_with(&x, &x, &v, &options)?.to_vec::<f32>()?, [1.0, 2.0]);
/// # Ok::<_, firebrick::Error>(())
/// ```
pub fn scaled_dot_product_attention_with(
    query: &Tensor,
    key: &Tensor,
    value: &Tensor,
    options: &AttentionOptions<'_>,
) -> Result<Tensor> {
    query.scaled_dot_product_attention(key, value, options)
}
