//! Convolutions of bodies.

use super::conv::{ConvShape, conv_forward, conv_input_grad, conv_weight_grad};
use crate::DType;
use crate::tensor::Body;

/// # Safety
/// The body is contiguous, of type `T`, and locked.
unsafe fn slice<T>(body: &Body) -> &[T] {
    unsafe { std::slice::from_raw_parts(body.ptr().cast(), body.numel()) }
}

/// # Safety
/// As [`slice`], locked for writing and seen by nobody else.
#[allow(clippy::mut_from_ref, reason = "the exclusive lock stands for the exclusive borrow")]
unsafe fn slice_mut<T>(body: &Body) -> &mut [T] {
    unsafe { std::slice::from_raw_parts_mut(body.ptr().cast(), body.numel()) }
}

macro_rules! by_type {
    ($out:expr, $T:ident => $body:expr) => {
        // SAFETY: the caller's promise: contiguous, locked, of one type.
        unsafe {
            if $out.dtype == DType::F64 {
                type $T = f64;
                $body
            } else {
                type $T = f32;
                $body
            }
        }
    };
}

/// # Safety
/// Bodies are contiguous f32 or f64, locked, and have the lengths that the shape says.
pub(crate) unsafe fn forward(s: &ConvShape, x: &Body, w: &Body, bias: Option<&Body>, out: &Body) {
    by_type!(out, T => conv_forward::<T>(s, slice(x), slice(w), bias.map(|b| slice(b)), slice_mut(out)))
}

/// # Safety
/// As [`forward`].
pub(crate) unsafe fn input_grad(s: &ConvShape, g: &Body, w: &Body, out: &Body) {
    by_type!(out, T => conv_input_grad::<T>(s, slice(g), slice(w), None, slice_mut(out)))
}

/// # Safety
/// As [`forward`].
pub(crate) unsafe fn weight_grad(s: &ConvShape, x: &Body, g: &Body, out: &Body) {
    by_type!(out, T => conv_weight_grad::<T>(s, slice(x), slice(g), slice_mut(out)))
}
