//! Poolings of bodies.

use super::dense::{by_type, slice, slice_mut};
use super::pooling::{
    Divisor, PoolShape, Windows, avg_pool_backward, avg_pool_forward, max_pool_backward, max_pool_forward,
};
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

/// # Safety
/// As [`max_forward`].
pub(crate) unsafe fn average_forward(s: &PoolShape, divisor: Divisor, x: &Body, out: &Body) {
    by_type!(out, T => avg_pool_forward::<T>(s, divisor, slice(x), slice_mut(out)))
}

/// # Safety
/// As [`max_forward`].
pub(crate) unsafe fn average_backward(s: &PoolShape, divisor: Divisor, g: &Body, out: &Body) {
    by_type!(out, T => avg_pool_backward::<T>(s, divisor, slice(g), slice_mut(out)))
}

/// # Safety
/// As [`max_forward`], for the sizes of the windows.
pub(crate) unsafe fn winners(windows: &Windows, x: &Body, indices: &Body) {
    by_type!(x, T => windows.winners::<T>(slice(x), slice_mut(indices)))
}
