//! Poolings of bodies.

use super::dense::{by_type, slice, slice_mut};
use super::pooling::{PoolShape, max_pool_backward, max_pool_forward};
use crate::tensor::Body;

/// # Safety
/// Bodies are contiguous, f32 or f64 and int64, locked, and have the lengths that the shape says.
pub(crate) unsafe fn max_forward(s: &PoolShape, x: &Body, out: &Body, indices: &Body) {
    by_type!(out, T => max_pool_forward::<T>(s, slice(x), slice_mut(out), slice_mut(indices)))
}

/// # Safety
/// As [`max_forward`].
pub(crate) unsafe fn max_backward(s: &PoolShape, g: &Body, indices: &Body, out: &Body) {
    by_type!(out, T => max_pool_backward::<T>(s, slice(g), slice(indices), slice_mut(out)))
}
