//! The mask under which nothing sees what comes after it.

use firebrick_core::{Result, Tensor, TensorOptions};

/// `[size, size]`: minus infinity above the diagonal, zero elsewhere.
pub(super) fn square_subsequent_mask(size: usize, options: TensorOptions) -> Result<Tensor> {
    Tensor::full_with([size, size], f64::NEG_INFINITY, options)?.triu(1)
}

/// Is a mask the causal one? `hint` decides where it is given; else the mask is looked at. `size` is the length of the
/// sequence.
pub(super) fn is_causal(mask: Option<&Tensor>, hint: Option<bool>, size: usize) -> Result<bool> {
    match (hint, mask) {
        (Some(hint), _) => Ok(hint),
        (None, None) => Ok(false),
        // Only a square of this size can be it; a mask for each head never is.
        (None, Some(mask)) if mask.shape() != [size, size] => Ok(false),
        (None, Some(mask)) if mask.is_meta() => Ok(false),
        (None, Some(mask)) => {
            let options = TensorOptions::new().dtype(mask.dtype()).device(mask.device());
            mask.equal(&square_subsequent_mask(size, options)?)
        }
    }
}

/// The length of a sequence, with or without a batch.
pub(super) fn sequence_length(x: &Tensor, batch_first: bool) -> Result<usize> {
    x.size(if x.dim() != 2 && batch_first { 1 } else { 0 })
}
