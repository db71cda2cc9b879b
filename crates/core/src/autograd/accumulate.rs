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
    // A view of all of its base, which holds the memory once more, is as good where nothing is recorded.
    let base = grad.view_of().map(|view| view.base).filter(|b| !is_grad_enabled() && b.numel() == grad.numel());
    let holders = if base.is_some() { 2 } else { 1 };
    let own = Arc::strong_count(&grad.0) == 1
        && base.is_none_or(|base| Arc::strong_count(&base.0) == 2)
        && grad.with_body(|b| Arc::strong_count(&b.storage) == holders && leaf.with_body(|l| l.strides == b.strides));
    if own {
        return if is_grad_enabled() { Ok(grad) } else { Ok(grad.detach()) };
    }
    let copy = if leaf.is_contiguous() { grad.contiguous_copy()? } else { grad.copy()? };
    Ok(copy)
}
