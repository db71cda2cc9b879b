//! Adding an arriving gradient to a leaf's.

use super::is_grad_enabled;
use crate::{Body, Result, Tensor};
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

/// The first gradient is taken over when nobody else holds it or its memory and it lies as the leaf does, else copied.
fn first(leaf: &Tensor, grad: Tensor) -> Result<Tensor> {
    // A view of all of its base, which holds the memory once more, is as good where nothing is recorded.
    let base = grad.view_of().map(|view| view.base).filter(|b| !is_grad_enabled() && b.numel() == grad.numel());
    let holders = if base.is_some() { 2 } else { 1 };
    let own = Arc::strong_count(&grad.0) == 1
        && base.is_none_or(|base| Arc::strong_count(&base.0) == 2)
        && grad.with_body(|g| Arc::strong_count(&g.storage) == holders && leaf.with_body(|l| is_laid_out_for(l, g)));
    if own {
        return if is_grad_enabled() { Ok(grad) } else { Ok(grad.detach()) };
    }
    grad.copied_with(leaf.with_body(|l| l.is_dense().then(|| l.strides.clone())))
}

/// Does a gradient lie as that of this leaf should: as the leaf itself if that has no gaps, else row-major?
fn is_laid_out_for(leaf: &Body, grad: &Body) -> bool {
    if leaf.strides == grad.strides && leaf.is_row_major() {
        return true;
    }
    match leaf.is_dense() {
        true => (0..leaf.shape.len()).all(|d| leaf.shape[d] == 1 || leaf.strides[d] == grad.strides[d]),
        false => grad.is_contiguous(),
    }
}
