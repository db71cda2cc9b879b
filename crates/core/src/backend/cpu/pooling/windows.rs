//! The largest elements of windows that are given one by one.

use crate::backend::cpu::conv::product_of;
use crate::backend::cpu::float::Float;
use crate::backend::cpu::shared::Shared;
use crate::pool::parallel_for;
use std::ops::Range;

/// Windows of planes: along each dimension the range of each output.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Windows {
    /// Images times channels.
    pub planes: usize,
    /// Spatial sizes of the input.
    pub input: [usize; 3],
    /// Spatial sizes of the output.
    pub output: [usize; 3],
    /// One range for each output along a dimension, for all planes, or plane after plane.
    pub ranges: [Vec<Range<usize>>; 3],
}

impl Windows {
    /// The ranges of one plane along dimension `d`.
    fn of(&self, d: usize, plane: usize) -> &[Range<usize>] {
        let (all, count) = (&self.ranges[d], self.output[d]);
        if all.len() == count { all } else { &all[plane * count..(plane + 1) * count] }
    }

    /// The flat index in its plane of the largest element of each window: NaN wins, and the first of equal ones.
    ///
    /// # Panics
    /// If a slice does not have the length that the sizes say.
    pub(crate) fn winners<T: Float>(&self, input: &[T], indices: &mut [i64]) {
        let (size, count) = (product_of(self.input), product_of(self.output));
        assert_eq!([input.len(), indices.len()], [self.planes * size, self.planes * count], "sizes of {self:?}");
        let places = Shared::new(indices);
        let grain = (super::TASK_ELEMENTS / (size + count).max(1)).max(1);
        parallel_for(self.planes, grain, &|range| {
            for plane in range {
                // SAFETY: each plane has its own part.
                let places = unsafe { places.take(plane * count..(plane + 1) * count) };
                self.winners_of(plane, &input[plane * size..(plane + 1) * size], places);
            }
        });
    }

    fn winners_of<T: Float>(&self, plane: usize, from: &[T], places: &mut [i64]) {
        let mut places = places.iter_mut();
        for zs in self.of(0, plane) {
            for ys in self.of(1, plane) {
                for (xs, place) in self.of(2, plane).iter().zip(&mut places) {
                    *place = self.largest(from, [zs, ys, xs]) as i64;
                }
            }
        }
    }

    fn largest<T: Float>(&self, from: &[T], [zs, ys, xs]: [&Range<usize>; 3]) -> usize {
        let mut best = T::NEG_INFINITY;
        let mut at = (zs.start * self.input[1] + ys.start) * self.input[2] + xs.start;
        for (z, y) in zs.clone().flat_map(|z| ys.clone().map(move |y| (z, y))) {
            let line = (z * self.input[1] + y) * self.input[2];
            for (x, &value) in xs.clone().zip(&from[line + xs.start..line + xs.end]) {
                if value > best || value.is_nan() {
                    (best, at) = (value, line + x);
                }
            }
        }
        at
    }
}
