//! Adding an arriving gradient to a leaf's.

use super::is_grad_enabled;
use crate::{Result, Tensor};
use std::sync::Arc;

/// Adds `grad` to `leaf.grad()`. The tensor that a caller holds as `grad` is changed in place, as in PyTorch,
/// unless the pass itself is recorded.
pub(crate) fn accumulate(leaf: &Tensor, grad: Tensor) -> Result<()> {
    let before = leaf.meta_mut().lock().grad.clone();
    let new = match before {
        None => first(leaf, grad)?,
        Some(old) if is_grad_enabled() => old.add(&grad)?,
        Some(old) => {
            old.add_(&grad)?;
            return Ok(());
        }
    };
    let old = leaf.meta_mut().lock().grad.replace(new);
    drop(old);
    Ok(())
}

/// The first gradient is taken over when nobody else holds it or its memory, else copied.
fn first(leaf: &Tensor, grad: Tensor) -> Result<Tensor> {
    let own = Arc::strong_count(&grad.0) == 1
        && grad.with_body(|b| Arc::strong_count(&b.storage) == 1 && leaf.with_body(|l| l.strides == b.strides));
    if own {
        return if is_grad_enabled() { Ok(grad) } else { Ok(grad.detach()) };
    }
    let copy = if leaf.is_contiguous() { grad.contiguous_copy()? } else { grad.copy()? };
    Ok(copy)
}
