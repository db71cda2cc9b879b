//! Maximum pooling.

use super::lines::Pooled;
use super::{PoolShape, Window, for_each_line, for_each_plane};
use crate::backend::cpu::float::Float;
use crate::backend::cpu::shared::Shared;

/// The largest element of each window, and its index in the plane of the input.
///
/// # Panics
/// If a slice does not have the length that the shape says.
pub fn max_pool_forward<T: Pooled>(s: &PoolShape, input: &[T], output: &mut [T], indices: &mut [i64]) {
    s.check(input.len(), output.len());
    s.check(input.len(), indices.len());
    let [z_windows, y_windows, x_windows] = &s.windows();
    let (values, places, width) = (Shared::new(output), Shared::new(indices), s.output[2]);
    let whole = s.whole();
    for_each_line(s, &|plane, z, y, first| {
        let from = &input[plane * s.input_size()..(plane + 1) * s.input_size()];
        // SAFETY: each line has its own part.
        let (values, places) = unsafe { (values.take(first..first + width), places.take(first..first + width)) };
        let (zs, ys) = (&z_windows[z], &y_windows[y]);
        for x in (0..whole.start).chain(whole.end..width) {
            let (best, at) = largest(s, from, [zs, ys, &x_windows[x]]);
            (values[x], places[x]) = (best, at as i64);
        }
        if !whole.is_empty() {
            T::maxima(&s.line(&whole, [zs, ys], from), &mut values[whole.clone()], &mut places[whole.clone()]);
        }
    });
}

/// The largest element of a window and its index.
#[inline]
fn largest<T: Float>(s: &PoolShape, from: &[T], [zs, ys, xs]: [&Window; 3]) -> (T, usize) {
    let mut best = T::NEG_INFINITY;
    let mut at = (zs.start * s.input[1] + ys.start) * s.input[2] + xs.start;
    for z in zs.indices() {
        for y in ys.indices() {
            let line = (z * s.input[1] + y) * s.input[2];
            for x in xs.indices() {
                let value = from[line + x];
                if value > best || value.is_nan() {
                    (best, at) = (value, line + x);
                }
            }
        }
    }
    (best, at)
}

/// Adds each element of `grad_output` to the element of its plane that `indices` names. Elements that no index names
/// get zero; an index outside the plane is passed over.
///
/// # Panics
/// If a slice does not have the length that the shape says.
pub fn max_pool_backward<T: Float>(s: &PoolShape, grad_output: &[T], indices: &[i64], grad_input: &mut [T]) {
    s.check(grad_input.len(), grad_output.len());
    s.check(grad_input.len(), indices.len());
    let (size, outputs) = (s.input_size(), s.output_size());
    let parts = Shared::new(grad_input);
    for_each_plane(s, size + outputs, &|plane| {
        // SAFETY: each plane has its own part.
        let to = unsafe { parts.take(plane * size..(plane + 1) * size) };
        to.fill(T::ZERO);
        let range = plane * outputs..(plane + 1) * outputs;
        for (&grad, &index) in grad_output[range.clone()].iter().zip(&indices[range]) {
            if let Some(to) = usize::try_from(index).ok().and_then(|index| to.get_mut(index)) {
                *to += grad;
            }
        }
    });
}
