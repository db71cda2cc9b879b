//! Average pooling.

use super::lines::Pooled;
use super::{PoolShape, Window, for_each_line, for_each_plane};
use crate::backend::cpu::float::Float;
use crate::backend::cpu::shared::Shared;

/// What the sum of a window is divided by.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Divisor {
    /// The elements of the window, padding included: `count_include_pad=True`. What lies beyond the padding, where
    /// `ceil_mode` reaches, does not count.
    WithPadding,
    /// The elements of the window that are in the input: `count_include_pad=False`.
    WithoutPadding,
    /// A given number: `divisor_override`.
    Fixed(i64),
}

impl Divisor {
    /// What the sum of one window is divided by; `None` if the window has no element.
    fn of<T: Float>(self, windows: [&Window; 3]) -> Option<T> {
        let inside: usize = windows.iter().map(|w| w.end.saturating_sub(w.start)).product();
        let count = match self {
            Divisor::WithPadding => windows.iter().map(|w| w.padded).product::<usize>() as f64,
            Divisor::WithoutPadding => inside as f64,
            Divisor::Fixed(n) => n as f64,
        };
        (inside > 0).then(|| T::from_f64(count))
    }
}

/// The sum of each window over its divisor.
///
/// # Panics
/// If a slice does not have the length that the shape says.
pub fn avg_pool_forward<T: Pooled>(s: &PoolShape, divisor: Divisor, input: &[T], output: &mut [T]) {
    s.check(input.len(), output.len());
    let [z_windows, y_windows, x_windows] = &s.windows();
    let (values, width, whole) = (Shared::new(output), s.output[2], s.whole());
    for_each_line(s, &|plane, z, y, first| {
        let from = &input[plane * s.input_size()..(plane + 1) * s.input_size()];
        let (zs, ys) = (&z_windows[z], &y_windows[y]);
        // SAFETY: each line has its own part.
        let values = unsafe { values.take(first..first + width) };
        for x in (0..whole.start).chain(whole.end..width) {
            let xs = &x_windows[x];
            let rows = zs.range().flat_map(|z| ys.range().map(move |y| (z * s.input[1] + y) * s.input[2]));
            values[x] = rows.flat_map(|row| &from[row + xs.start..row + xs.end]).fold(T::ZERO, |sum, &x| sum + x);
        }
        if !whole.is_empty() {
            T::sums(&s.line(&whole, [zs, ys], from), &mut values[whole.clone()]);
        }
        for (value, xs) in values.iter_mut().zip(x_windows) {
            *value = divisor.of([zs, ys, xs]).map_or(T::ZERO, |divisor| *value / divisor);
        }
    });
}

/// Shares each element of `grad_output` among the elements of its window.
///
/// # Panics
/// If a slice does not have the length that the shape says.
pub fn avg_pool_backward<T: Float>(s: &PoolShape, divisor: Divisor, grad_output: &[T], grad_input: &mut [T]) {
    s.check(grad_input.len(), grad_output.len());
    let [z_windows, y_windows, x_windows] = &s.windows();
    let size = s.input_size();
    let parts = Shared::new(grad_input);
    for_each_plane(s, s.output_size() * s.kernel.iter().product::<usize>(), &|plane| {
        // SAFETY: each plane has its own part.
        let to = unsafe { parts.take(plane * size..(plane + 1) * size) };
        to.fill(T::ZERO);
        let mut grads = grad_output[plane * s.output_size()..].iter();
        for zs in z_windows {
            for ys in y_windows {
                for (xs, &grad) in x_windows.iter().zip(&mut grads) {
                    let Some(divisor) = divisor.of::<T>([zs, ys, xs]) else {
                        continue;
                    };
                    let share = grad / divisor;
                    for (z, y) in zs.range().flat_map(|z| ys.range().map(move |y| (z, y))) {
                        let line = (z * s.input[1] + y) * s.input[2];
                        for x in &mut to[line + xs.start..line + xs.end] {
                            *x += share;
                        }
                    }
                }
            }
        }
    });
}
