//! Masks as numbers that are added to the scores.

use super::checks::{refuse, tuple};
use super::{OP, Options};
use firebrick_core::{DType, Error, Result, Tensor, TensorOptions, warn};

/// A mask as numbers that are added to the scores. `other` is the mask whose dtype it should share.
pub(crate) fn canonical_mask(
    name: &str,
    mask: Option<&Tensor>,
    other: Option<(&str, &Tensor)>,
    dtype: DType,
) -> Result<Option<Tensor>> {
    let Some(mask) = mask else { return Ok(None) };
    let floating = mask.is_floating_point();
    if mask.dtype() != DType::Bool && !floating {
        return refuse(format!("only bool and floating types of {name} are supported"));
    }
    if let Some((other_name, other)) = other
        && other.dtype() != mask.dtype()
    {
        warn(&format!("Support for mismatched {name} and {other_name} is deprecated. Use same type for both instead."));
    }
    if floating {
        return Ok(Some(mask.clone()));
    }
    let zeros = Tensor::zeros_with(mask.shape(), TensorOptions::from(dtype).device(mask.device()))?;
    zeros.masked_fill(mask, f64::NEG_INFINITY).map(Some)
}

/// The masks of pairs and of keys as numbers, and whether attention is causal without a mask.
pub(super) fn masks(dtype: DType, options: &Options<'_>) -> Result<(Option<Tensor>, Option<Tensor>, bool)> {
    let other = options.attn_mask.map(|mask| ("attn_mask", mask));
    let keys = canonical_mask("key_padding_mask", options.key_padding_mask, other, dtype)?;
    if options.is_causal && options.attn_mask.is_none() {
        return Err(Error::runtime(
            OP,
            "Need attn_mask if specifying the is_causal hint. You may use the Transformer module method `generate_square_subsequent_mask` to create this mask.",
        ));
    }
    if options.is_causal && keys.is_none() && !options.need_weights {
        return Ok((None, None, true));
    }
    Ok((canonical_mask("attn_mask", options.attn_mask, None, dtype)?, keys, false))
}

/// The mask of pairs as `[1 or N * heads, L, S]`.
pub(super) fn pair_mask(mask: Option<Tensor>, [heads, targets, sources]: [usize; 3]) -> Result<Option<Tensor>> {
    let Some(mask) = mask else { return Ok(None) };
    let (rank, shape) = (mask.dim(), mask.shape());
    let sizes = [heads, targets, sources];
    let expected = if rank == 2 { &sizes[1..] } else { &sizes[..] };
    if shape[..] != *expected {
        let text = format!("The shape of the {rank}D attn_mask is {shape}, but should be {}.", tuple(expected));
        return Err(Error::runtime(OP, text));
    }
    if rank == 2 { mask.unsqueeze(0).map(Some) } else { Ok(Some(mask)) }
}
