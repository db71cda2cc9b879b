//! Convolutions of bodies.

use super::conv::{ConvShape, conv_forward, conv_input_grad, conv_weight_grad};
use super::dense::{by_type, slice, slice_mut};
use crate::tensor::Body;

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
