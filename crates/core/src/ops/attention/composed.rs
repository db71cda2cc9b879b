//! Attention by operations that have gradients.

use super::OP;
use crate::autograd::Grads;
use crate::{DType, Error, Result, Tensor, TensorOptions};
use smallvec::smallvec;

/// Keys or values with as many heads as there are of queries.
pub(super) fn shared_heads(x: &Tensor, heads: usize) -> Result<Tensor> {
    let own = x.size(-3)?;
    if own == 0 || !heads.is_multiple_of(own) {
        let text =
            format!("Number of heads in key and value must divide the number of heads in query, got {own} and {heads}");
        return Err(Error::runtime(OP, text));
    }
    x.repeat_interleave((heads / own) as i64, -3)
}

/// `softmax(scale * query key^T + mask)`; of a query that a mask lets see no key, zeros.
pub(super) fn weights(
    query: &Tensor,
    key: &Tensor,
    mask: Option<&Tensor>,
    is_causal: bool,
    scale: f64,
) -> Result<Tensor> {
    // Half of the scale on either side keeps both within range, and is how PyTorch rounds.
    let (half, sign) = (scale.abs().sqrt(), scale.signum());
    let mut scores = query.mul(half * sign)?.matmul(&key.mul(half)?.transpose(-2, -1)?)?;
    let causal = match is_causal {
        true => {
            let (rows, columns) = (scores.size(-2)? as i64, scores.size(-1)? as i64);
            let options = TensorOptions::from(DType::U8).device(scores.device());
            Some(Tensor::ones_with([rows, columns], options)?.tril(0)?.ne(0)?)
        }
        false => None,
    };
    let Some(mask) = causal.as_ref().or(mask) else { return scores.softmax(-1) };
    scores = match mask.dtype() {
        DType::Bool => scores.masked_fill(&mask.logical_not()?, f64::NEG_INFINITY)?,
        _ => scores.add(&mask.to(scores.dtype())?)?,
    };
    let blind = scores.detach().isneginf()?.all_dim(-1, true)?;
    scores.masked_fill(&blind, 0.0)?.softmax(-1)?.masked_fill(&blind, 0.0)
}

/// The gradients of `weights value` in queries, keys and values, from that of the result.
pub(super) fn grads(
    grad: &Tensor,
    [query, key, value]: [&Tensor; 3],
    mask: Option<&Tensor>,
    is_causal: bool,
    scale: f64,
) -> Result<Grads> {
    let weights = weights(query, key, mask, is_causal, scale)?;
    let slopes = grad.matmul(&value.transpose(-2, -1)?)?.mul(&weights)?;
    let scores = slopes.sub(&weights.mul(&slopes.sum_dim([-1], true)?)?)?.mul(scale)?;
    Ok(smallvec![
        Some(scores.matmul(key)?),
        Some(scores.transpose(-2, -1)?.matmul(query)?),
        Some(weights.transpose(-2, -1)?.matmul(grad)?),
    ])
}
