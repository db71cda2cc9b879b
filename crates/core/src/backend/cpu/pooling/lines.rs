//! Lines of outputs, several windows at a time.

use super::{PoolShape, Window};
use crate::backend::cpu::float::Float;
use crate::backend::cpu::number::compiled;
use std::ops::Range;

/// Windows that are computed together.
const LANES: usize = 8;

/// Neighbouring outputs along the last dimension, none of whose windows is cut off there.
pub struct Line<'a, T> {
    shape: &'a PoolShape,
    plane: &'a [T],
    /// What the windows see along the other dimensions.
    zs: &'a Window,
    ys: &'a Window,
    /// Where along the last dimension the first window begins.
    first: usize,
}

impl PoolShape {
    /// The outputs along the last dimension whose windows lie inside the input. None where places in a plane take more
    /// than 32 bits.
    pub(super) fn whole(&self) -> Range<usize> {
        let [size, kernel, stride, padding, dilation, output] =
            [self.input, self.kernel, self.stride, self.padding, self.dilation, self.output].map(|sizes| sizes[2]);
        let start = padding.div_ceil(stride);
        match (size + padding).checked_sub((kernel - 1) * dilation + 1) {
            Some(last) if i32::try_from(self.input_size()).is_ok() => start..output.min(last / stride + 1).max(start),
            _ => 0..0,
        }
    }

    /// The line of outputs `whole`, of [`PoolShape::whole`], whose windows along the other dimensions are `zs` and `ys`.
    pub(super) fn line<'a, T>(
        &'a self,
        whole: &Range<usize>,
        [zs, ys]: [&'a Window; 2],
        plane: &'a [T],
    ) -> Line<'a, T> {
        Line { shape: self, plane, zs, ys, first: whole.start * self.stride[2] - self.padding[2] }
    }
}

impl<T: Float> Line<'_, T> {
    /// Where the elements of the first window are, in order.
    #[inline(always)]
    fn row(&self, z: usize, y: usize) -> usize {
        (z * self.shape.input[1] + y) * self.shape.input[2] + self.first
    }

    /// One element of each of [`LANES`] windows, the first of which is at `at`; where there are `left` windows only, the
    /// last one again.
    #[inline(always)]
    fn lanes<const STRIDE: usize>(&self, at: usize, left: usize) -> [T; LANES] {
        let from = &self.plane[at..];
        match STRIDE {
            1 if left >= LANES => std::array::from_fn(|i| from[..LANES][i]),
            2 if left >= LANES => {
                // Two neighbouring vectors, not beyond the last element that is used.
                let (low, high) = (&from[..LANES], &from[LANES - 1..][..LANES]);
                std::array::from_fn(|i| if 2 * i < LANES { low[2 * i] } else { high[2 * i + 1 - LANES] })
            }
            _ => std::array::from_fn(|i| from[i.min(left - 1) * self.shape.stride[2]]),
        }
    }
}

/// The largest elements and their places in the plane.
#[inline(always)]
fn maxima<T: Pooled, const STRIDE: usize>(line: &Line<'_, T>, values: &mut [T], places: &mut [i64]) {
    let ([.., stride], [.., dilation], [.., taps]) = (line.shape.stride, line.shape.dilation, line.shape.kernel);
    let mut done = 0;
    while done < values.len() {
        // The last group reaches back into the one before.
        let at = done.min(values.len().saturating_sub(LANES));
        let left = (values.len() - at).min(LANES);
        let mut best = [T::NEG_INFINITY; LANES];
        let mut found = [line.row(line.zs.start, line.ys.start) as i32; LANES];
        for z in line.zs.indices() {
            for y in line.ys.indices() {
                for tap in 0..taps {
                    let place = line.row(z, y) + tap * dilation;
                    let lanes = line.lanes::<STRIDE>(place + at * stride, left);
                    for i in 0..LANES {
                        let wins = (lanes[i] > best[i]) | lanes[i].is_nan();
                        best[i] = T::select(wins, lanes[i], best[i]);
                        found[i] = select(wins, place as i32, found[i]);
                    }
                }
            }
        }
        values[at..at + left].copy_from_slice(&best[..left]);
        for (i, place) in places[at..at + left].iter_mut().enumerate() {
            *place = i64::from(found[i]) + ((at + i) * stride) as i64;
        }
        done = at + left;
    }
}

/// The sums of the elements.
#[inline(always)]
fn sums<T: Pooled, const STRIDE: usize>(line: &Line<'_, T>, values: &mut [T]) {
    let [.., stride] = line.shape.stride;
    let [.., taps] = line.shape.kernel;
    let mut done = 0;
    while done < values.len() {
        let at = done.min(values.len().saturating_sub(LANES));
        let left = (values.len() - at).min(LANES);
        let mut sum = [T::ZERO; LANES];
        for z in line.zs.range() {
            for y in line.ys.range() {
                for tap in 0..taps {
                    let lanes = line.lanes::<STRIDE>(line.row(z, y) + tap + at * stride, left);
                    for i in 0..LANES {
                        sum[i] += lanes[i];
                    }
                }
            }
        }
        values[at..at + left].copy_from_slice(&sum[..left]);
        done = at + left;
    }
}

/// `a` if `first`, else `b`. In bits: the compiler then selects many lanes at once, where an `if` becomes a branch a lane.
#[inline(always)]
fn select(first: bool, a: i32, b: i32) -> i32 {
    let mask = -i32::from(first);
    (a & mask) | (b & !mask)
}

#[inline(always)]
fn maxima_by_stride<T: Pooled>(line: &Line<'_, T>, values: &mut [T], places: &mut [i64]) {
    match line.shape.stride[2] {
        1 => maxima::<T, 1>(line, values, places),
        2 => maxima::<T, 2>(line, values, places),
        _ => maxima::<T, 0>(line, values, places),
    }
}

#[inline(always)]
fn sums_by_stride<T: Pooled>(line: &Line<'_, T>, values: &mut [T]) {
    match line.shape.stride[2] {
        1 => sums::<T, 1>(line, values),
        2 => sums::<T, 2>(line, values),
        _ => sums::<T, 0>(line, values),
    }
}

/// `f32` and `f64`, with the functions that are compiled for them.
pub trait Pooled: Float {
    /// The largest element of each window, and its place in the plane.
    #[doc(hidden)]
    fn maxima(line: &Line<'_, Self>, values: &mut [Self], places: &mut [i64]);
    /// The sum of each window.
    #[doc(hidden)]
    fn sums(line: &Line<'_, Self>, values: &mut [Self]);
    /// See [`select`].
    #[doc(hidden)]
    fn select(first: bool, a: Self, b: Self) -> Self;
}

macro_rules! pooled {
    ($($t:ident $bits:ident: $maxima:ident $sums:ident;)*) => { $(
        impl Pooled for $t {
            fn maxima(line: &Line<'_, Self>, values: &mut [Self], places: &mut [i64]) {
                $maxima(line, values, places);
            }
            fn sums(line: &Line<'_, Self>, values: &mut [Self]) {
                $sums(line, values);
            }
            #[inline(always)]
            fn select(first: bool, a: Self, b: Self) -> Self {
                let mask = $bits::from(first).wrapping_neg();
                $t::from_bits((a.to_bits() & mask) | (b.to_bits() & !mask))
            }
        }

        compiled! {
            fn $maxima(line: &Line<'_, $t>, values: &mut [$t], places: &mut [i64]) = maxima_by_stride, maxima_by_stride;
            fn $sums(line: &Line<'_, $t>, values: &mut [$t]) = sums_by_stride, sums_by_stride;
        }
    )* };
}
pooled! {
    f32 u32: maxima_f32 sums_f32;
    f64 u64: maxima_f64 sums_f64;
}
