//! Maximum and average pooling in one to three dimensions, forward and backward.
//!
//! Values and choices are those of PyTorch 2.15 (`aten/src/ATen/native/cpu/MaxPoolKernel.cpp`, `AvgPoolKernel.cpp`):
//! padding never wins a maximum, not-a-number always does, and the first of equal elements does.
#![allow(unsafe_code)] // Tasks write disjoint parts of one slice.

mod average;
mod lines;
mod max;
#[cfg(test)]
mod tests;
mod windows;

use std::ops::Range;

pub use average::{Divisor, avg_pool_backward, avg_pool_forward};
pub use max::{max_pool_backward, max_pool_forward};
pub(crate) use windows::Windows;

use super::conv::product_of;
use crate::pool::parallel_for;

/// The sizes of a pooling. One- and two-dimensional ones have leading dimensions of size 1, kernel 1, stride 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PoolShape {
    /// Images times channels.
    pub(crate) planes: usize,
    /// Spatial sizes of the input.
    pub(crate) input: [usize; 3],
    /// Spatial sizes of the window.
    pub(crate) kernel: [usize; 3],
    /// Steps between windows.
    pub(crate) stride: [usize; 3],
    /// Elements before the first one.
    pub(crate) padding: [usize; 3],
    /// Steps between the elements of a window; 1 for averages.
    pub(crate) dilation: [usize; 3],
    /// Spatial sizes of the output; the caller has rounded them as its `ceil_mode` says.
    pub(crate) output: [usize; 3],
}

impl PoolShape {
    /// Elements of one plane of the input.
    pub fn input_size(&self) -> usize {
        product_of(self.input)
    }

    /// Elements of one plane of the output.
    pub fn output_size(&self) -> usize {
        product_of(self.output)
    }

    fn check(&self, input: usize, output: usize) {
        let expected = [self.planes * self.input_size(), self.planes * self.output_size()];
        assert_eq!([input, output], expected, "slices of input and output must have the lengths of {self:?}");
    }

    /// Along each dimension, the window of each output.
    fn windows(&self) -> [Vec<Window>; 3] {
        [0, 1, 2].map(|d| (0..self.output[d]).map(|index| self.window(d, index)).collect())
    }

    fn window(&self, d: usize, index: usize) -> Window {
        let (size, dilation) = (self.input[d] as isize, self.dilation[d] as isize);
        let first = (index * self.stride[d]) as isize - self.padding[d] as isize;
        let end = (first + (self.kernel[d] as isize - 1) * dilation + 1).min(size);
        // The first element of the window that is not padding.
        let skipped = ((-first).max(0) + dilation - 1) / dilation;
        let start = first + skipped * dilation;
        let padded_end = (first + self.kernel[d] as isize).min(size + self.padding[d] as isize);
        Window {
            start: start.min(end.max(0)).max(0) as usize,
            end: end.max(0) as usize,
            step: self.dilation[d],
            padded: (padded_end - first).max(0) as usize,
        }
    }
}

/// The elements that one output sees along one dimension.
#[derive(Debug, Clone, Copy)]
struct Window {
    start: usize,
    end: usize,
    step: usize,
    /// Length with the padding, but without what lies beyond it.
    padded: usize,
}

impl Window {
    fn indices(&self) -> impl Iterator<Item = usize> + use<> {
        (self.start..self.end).step_by(self.step)
    }

    fn range(&self) -> Range<usize> {
        self.start..self.end
    }
}

/// Elements that a task touches at least.
const TASK_ELEMENTS: usize = 1 << 14;

/// Calls `line(plane, z, y, first output)` for every line of the output, on as many threads as pay.
fn for_each_line(s: &PoolShape, line: &(dyn Fn(usize, usize, usize, usize) + Sync)) {
    let [depth, height, width] = s.output;
    let work = width * s.kernel.iter().product::<usize>();
    parallel_for(s.planes * depth * height, (TASK_ELEMENTS / work.max(1)).max(1), &|range| {
        for index in range {
            line(index / (depth * height), index / height % depth, index % height, index * width);
        }
    });
}

/// Calls `plane` with its number for every plane, on as many threads as pay.
fn for_each_plane(s: &PoolShape, work: usize, plane: &(dyn Fn(usize) + Sync)) {
    parallel_for(s.planes, (TASK_ELEMENTS / work.max(1)).max(1), &|range| range.for_each(plane));
}
