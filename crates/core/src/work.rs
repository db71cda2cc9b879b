//! How much was computed.

use std::cell::Cell;

thread_local! {
    static MULTIPLY_ADDS: Cell<u64> = const { Cell::new(0) };
}

/// Counts the multiplications of a product or convolution, each of which is added up.
#[inline]
pub(crate) fn count(sizes: impl IntoIterator<Item = usize>) {
    let product = sizes.into_iter().fold(1u64, |product, size| product.saturating_mul(size as u64));
    MULTIPLY_ADDS.set(MULTIPLY_ADDS.get().saturating_add(product));
}

/// The multiply-adds of all matrix products and convolutions that this thread asked for so far.
///
/// ```
/// use firebrick_core::{Tensor, multiply_adds};
/// let before = multiply_adds();
/// Tensor::ones([2, 3])?.matmul(&Tensor::ones([3, 5])?)?;
/// assert_eq!(multiply_adds() - before, 30);
/// # Ok::<_, firebrick_core::Error>(())
/// ```
pub fn multiply_adds() -> u64 {
    MULTIPLY_ADDS.get()
}
