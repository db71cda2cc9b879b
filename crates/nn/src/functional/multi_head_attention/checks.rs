//! What is refused, in PyTorch's words.

use super::{OP, Options};
use firebrick_core::text::python_tuple;
use firebrick_core::{Dims, Error, Result, Tensor};

pub(super) fn refuse<T>(text: impl Into<String>) -> Result<T> {
    Err(Error::value(OP, text))
}

pub(super) fn expect(holds: bool, text: impl FnOnce() -> String) -> Result<()> {
    if holds { Ok(()) } else { refuse(text()) }
}

/// Refuses ranks that do not go together. Is there a batch?
pub(super) fn check_ranks([query, key, value]: [&Tensor; 3], heads: usize, options: &Options<'_>) -> Result<bool> {
    let (q, k, v) = (query.dim(), key.dim(), value.dim());
    let (kind, padding) = match q {
        3 => ("batched (3-D)", 2),
        2 => ("unbatched (2-D)", 1),
        _ => {
            return refuse(format!(
                "query should be unbatched 2D or batched 3D tensor but received {q}-D query tensor"
            ));
        }
    };
    expect(k == q && v == q, || {
        format!(
            "For {kind} `query`, expected `key` and `value` to be {q}-D but found {k}-D and {v}-D tensors respectively"
        )
    })?;
    if let Some(mask) = options.key_padding_mask {
        expect(mask.dim() == padding, || {
            let rank = mask.dim();
            format!(
                "For {kind} `query`, expected `key_padding_mask` to be `None` or {padding}-D but found {rank}-D tensor instead"
            )
        })?;
    }
    let Some(mask) = options.attn_mask else { return Ok(q == 3) };
    let rank = mask.dim();
    expect(rank == 2 || rank == 3, || {
        format!("For {kind} `query`, expected `attn_mask` to be `None`, 2-D or 3-D but found {rank}-D tensor instead")
    })?;
    if q == 2 && rank == 3 {
        let expected = [heads, query.size(0)?, key.size(0)?];
        expect(mask.shape() == expected, || {
            format!("Expected `attn_mask` shape to be {} but got {}", tuple(&expected), mask.shape())
        })?;
    }
    Ok(q == 3)
}

/// Refuses sizes that do not fit; the size of a head.
pub(super) fn check_sizes(
    [query, key, value]: [&Tensor; 3],
    [expected, heads]: [usize; 2],
    separate: bool,
) -> Result<usize> {
    let embed = query.size(2)?;
    expect(embed == expected, || format!("was expecting embedding dimension of {expected}, but got {embed}"))?;
    expect(heads > 0 && embed.is_multiple_of(heads), || {
        format!("embed_dim {embed} not divisible by num_heads {heads}")
    })?;
    let (k, v) = (key.shape(), value.shape());
    if separate {
        let [k, v] = [&k, &v].map(|shape| shape[..2].iter().copied().collect::<Dims>());
        expect(k == v, || format!("key's sequence and batch dims {k} do not match value's {v}"))?;
    } else {
        expect(k == v, || format!("key shape {k} does not match value shape {v}"))?;
    }
    Ok(embed / heads)
}

pub(super) fn tuple(sizes: &[usize]) -> String {
    python_tuple(&sizes.iter().map(|&size| size as i64).collect::<Vec<_>>())
}
