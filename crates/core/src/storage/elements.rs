//! The elements of a host body as a slice.

use super::lock;
use crate::tensor::Body;
use crate::{Device, Element};

/// Calls `f` with the elements of `body`, which is locked for writing meanwhile.
///
/// # Panics
/// The body is not contiguous, not in main memory, or of another dtype: callers have just made it so.
pub(crate) fn with_elements_mut<T: Element, R>(body: &Body, f: impl FnOnce(&mut [T]) -> R) -> R {
    assert!(body.is_contiguous() && body.device() == Device::Cpu && body.dtype == T::DTYPE);
    let _locked = lock(&[], &[body]);
    // SAFETY: the body is a contiguous run of `numel` elements of type `T` in main memory, and its storage is
    // locked for writing until `f` has returned.
    f(unsafe { std::slice::from_raw_parts_mut(body.ptr().cast::<T>(), body.numel()) })
}
