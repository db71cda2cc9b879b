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

/// Some windows that are computed together: the first one, and how many there are; what is computed beside them is
/// dropped.
#[derive(Clone, Copy)]
struct Group {
    at: usize,
    len: usize,
}

/// Windows in groups; the last group reaches back into the one before.
fn groups(windows: usize) -> impl Iterator<Item = Group> {
    let (mut done, len) = (0, windows.min(LANES));
    std::iter::from_fn(move || {
        let at = done.min(windows - len);
        (done < windows).then(|| {
            done = at + len;
            Group { at, len }
        })
    })
}

impl<T: Float> Line<'_, T> {
    /// Where in the plane the first window begins in a line of the input.
    #[inline(always)]
    fn row(&self, z: usize, y: usize) -> usize {
        (z * self.shape.input[1] + y) * self.shape.input[2] + self.first
    }

    /// How the elements of a group are read: 1 or 2 for vectors of neighbours, or of every second one, where the plane
    /// goes on for so long; else 0.
    #[inline(always)]
    fn way(&self, group: Group) -> usize {
        let ([.., stride], [.., dilation], [.., taps]) = (self.shape.stride, self.shape.dilation, self.shape.kernel);
        let last = |window: &Window| window.indices().last().unwrap_or(window.start);
        let end = self.row(last(self.zs), last(self.ys)) + (taps - 1) * dilation + (group.at + LANES) * stride;
        if stride <= 2 && end < self.plane.len() + stride { stride } else { 0 }
    }

    /// One element of each window of a group, the first of which is at `at`.
    #[inline(always)]
    fn lanes<const WAY: usize>(&self, at: usize, group: Group) -> [T; LANES] {
        let from = &self.plane[at..];
        match WAY {
            1 => std::array::from_fn(|i| from[..LANES][i]),
            2 => {
                // Two neighbouring vectors, not beyond the last element that is used.
                let (low, high) = (&from[..LANES], &from[LANES - 1..][..LANES]);
                std::array::from_fn(|i| if 2 * i < LANES { low[2 * i] } else { high[2 * i + 1 - LANES] })
            }
            _ => std::array::from_fn(|i| from[i.min(group.len - 1) * self.shape.stride[2]]),
        }
    }
}

/// The largest elements and their places in the plane, less the distance from the first window of the group.
#[inline(always)]
fn maxima_of<T: Pooled, const WAY: usize>(line: &Line<'_, T>, group: Group) -> ([T; LANES], [i32; LANES]) {
    let ([.., stride], [.., dilation], [.., taps]) = (line.shape.stride, line.shape.dilation, line.shape.kernel);
    let mut best = [T::NEG_INFINITY; LANES];
    let mut found = [(line.row(line.zs.start, line.ys.start) + group.at * stride) as i32; LANES];
    for z in line.zs.indices() {
        for y in line.ys.indices() {
            for tap in 0..taps {
                let place = line.row(z, y) + tap * dilation + group.at * stride;
                let lanes = line.lanes::<WAY>(place, group);
                for i in 0..LANES {
                    let wins = (lanes[i] > best[i]) | lanes[i].is_nan();
                    best[i] = T::select(wins, lanes[i], best[i]);
                    found[i] = select(wins, place as i32, found[i]);
                }
            }
        }
    }
    (best, found)
}

/// `a` if `first`, else `b`. In bits: the compiler then selects many lanes at once, where an `if` becomes a branch a lane.
#[inline(always)]
fn select(first: bool, a: i32, b: i32) -> i32 {
    let mask = -i32::from(first);
    (a & mask) | (b & !mask)
}

#[inline(always)]
fn maxima<T: Pooled>(line: &Line<'_, T>, values: &mut [T], places: &mut [i64]) {
    for group in groups(values.len()) {
        let (best, found) = match line.way(group) {
            1 => maxima_of::<T, 1>(line, group),
            2 => maxima_of::<T, 2>(line, group),
            _ => maxima_of::<T, 0>(line, group),
        };
        let here = group.at..group.at + group.len;
        values[here.clone()].copy_from_slice(&best[..group.len]);
        for (i, place) in places[here].iter_mut().enumerate() {
            *place = i64::from(found[i]) + (i * line.shape.stride[2]) as i64;
        }
    }
}

#[inline(always)]
fn sums_of<T: Pooled, const WAY: usize>(line: &Line<'_, T>, group: Group) -> [T; LANES] {
    let ([.., stride], [.., taps]) = (line.shape.stride, line.shape.kernel);
    let mut sum = [T::ZERO; LANES];
    for z in line.zs.range() {
        for y in line.ys.range() {
            for tap in 0..taps {
                let lanes = line.lanes::<WAY>(line.row(z, y) + tap + group.at * stride, group);
                for i in 0..LANES {
                    sum[i] += lanes[i];
                }
            }
        }
    }
    sum
}

#[inline(always)]
fn sums<T: Pooled>(line: &Line<'_, T>, values: &mut [T]) {
    for group in groups(values.len()) {
        let sum = match line.way(group) {
            1 => sums_of::<T, 1>(line, group),
            2 => sums_of::<T, 2>(line, group),
            _ => sums_of::<T, 0>(line, group),
        };
        values[group.at..group.at + group.len].copy_from_slice(&sum[..group.len]);
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
            fn $maxima(line: &Line<'_, $t>, values: &mut [$t], places: &mut [i64]) = maxima, maxima;
            fn $sums(line: &Line<'_, $t>, values: &mut [$t]) = sums, sums;
        }
    )* };
}
pooled! {
    f32 u32: maxima_f32 sums_f32;
    f64 u64: maxima_f64 sums_f64;
}
