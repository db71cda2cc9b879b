//! The gradient of the weight: for each pair of channels and each tap, a sum over all positions of all images.
//!
//! The sum runs along the lines of the grid. Rows of a tile are pairs of an input channel and a tap, read in the padded
//! copy; columns are output channels, whose gradients are packed so that neighbours are channels. A thread has its own
//! rows. Where there are too few of those, images are dealt out to a number of partial sums that depends on the shape.

use super::planes::Layout;
use super::{ConvShape, Shared, split};
use crate::backend::cpu::float::Float;
use crate::backend::cpu::gemm::kernels::Kernels;
use crate::backend::cpu::gemm::pack::Pack;
use crate::backend::cpu::gemm::small::height;
use crate::backend::cpu::gemm::tile::{Finish, Tile};
use crate::backend::cpu::scratch::Scratch;
use crate::pool::parallel_for;

/// Bytes of padded copies at a time.
const COPY_BYTES: usize = 16 << 20;

/// Enough panels to keep threads busy without partial sums.
const ENOUGH: usize = 16;

/// Multiplications worth a task of their own.
const TASK_WORK: usize = 200_000;

/// Everything that tasks share.
struct Sum<'a, T: Float> {
    kernels: &'static Kernels<T>,
    shape: &'a ConvShape,
    layout: &'a Layout,
    /// Input and output channels of a group.
    channels: [usize; 2],
    /// Output channels of a group, filled up to whole vectors.
    columns: usize,
    /// Distance of each pair of channel and tap.
    offsets: &'a [isize],
    /// Partial sums.
    parts: usize,
    /// By part, group, pair and output channel.
    sums: Shared<T>,
}

/// Sums `grad_output` times the patches of `input` into `grad_weight`.
pub(super) fn run<T: Float>(
    kernels: &'static Kernels<T>,
    shape: &ConvShape,
    input: &[T],
    grad_output: &[T],
    grad_weight: &mut [T],
) {
    if shape.batch * shape.output_size() == 0 || grad_weight.is_empty() {
        return grad_weight.fill(T::ZERO);
    }
    let layout = Layout::new::<T>(shape.forward_axes());
    let channels = shape.group_channels();
    let offsets: Vec<isize> =
        (0..channels[0]).flat_map(|c| layout.taps.iter().map(move |tap| (c * layout.channel) as isize + tap)).collect();
    let columns = channels[1].next_multiple_of(kernels.lanes);
    let panels = shape.groups * offsets.len().div_ceil(height(offsets.len(), kernels.rows()));
    let parts = if panels >= ENOUGH { 1 } else { (ENOUGH / panels).min(shape.batch) };
    let len = parts * shape.groups * offsets.len() * columns;
    let sums = Scratch::new(len);
    // SAFETY: the scratch holds `len` elements.
    unsafe { std::slice::from_raw_parts_mut(sums.as_ptr(), len) }.fill(T::ZERO);
    let sum = Sum {
        kernels,
        shape,
        layout: &layout,
        channels,
        columns,
        offsets: &offsets,
        parts,
        sums: Shared(sums.as_ptr()),
    };
    let at_once = COPY_BYTES
        / size_of::<T>()
        / (shape.in_channels * layout.channel + shape.groups * columns * shape.output_size());
    // A multiple of the parts, so that an image belongs to the same part whatever the chunk.
    let at_once = (at_once / parts).max(1) * parts;
    let [image, gradient] = [input.len() / shape.batch, grad_output.len() / shape.batch];
    for first in (0..shape.batch).step_by(at_once) {
        let end = (first + at_once).min(shape.batch);
        sum.add(end - first, &input[first * image..end * image], &grad_output[first * gradient..end * gradient]);
    }
    sum.finish(grad_weight);
}

impl<T: Float> Sum<'_, T> {
    /// Adds some images.
    fn add(&self, images: usize, input: &[T], grad_output: &[T]) {
        let copy = self.layout.copy(input, images * self.shape.in_channels, 0);
        let gradient = self.pack_gradient(images, grad_output);
        let (copy, gradient) = (Shared(copy.as_ptr()), Shared(gradient.as_ptr()));
        let panel = height(self.offsets.len(), self.kernels.rows());
        let counts = [self.parts, self.shape.groups, self.offsets.len().div_ceil(panel)];
        let work = images.div_ceil(self.parts) * self.shape.output_size() * panel * self.columns;
        parallel_for(counts.iter().product(), (TASK_WORK / work).max(1), &|range| {
            for [part, group, number] in range.map(|i| split(i, counts)) {
                for image in (part..images).step_by(self.parts) {
                    let index = image * self.shape.groups + group;
                    let place = index * self.columns * self.shape.output_size();
                    let from = copy.at(index * self.channels[0] * self.layout.channel);
                    // SAFETY: each part, group and panel has its own sums.
                    unsafe { self.add_panel([part, group, number * panel], panel, from, gradient.at(place)) }
                }
            }
        });
    }

    /// The gradient of each image and group in strips of output channels: position by position, then channel.
    fn pack_gradient(&self, images: usize, grad_output: &[T]) -> Scratch<T> {
        let (size, width) = (self.shape.output_size(), self.kernels.columns());
        let packed = Scratch::new(images * self.shape.groups * self.columns * size);
        let to = Shared(packed.as_ptr());
        let strips = self.columns.div_ceil(width);
        parallel_for(images * self.shape.groups * strips, (16_384 / (size * width)).max(1), &|range| {
            for index in range {
                let (group, first) = (index / strips, index % strips * width);
                let channels = (self.channels[1] - first).min(width);
                let from = grad_output[(group * self.channels[1] + first) * size..].as_ptr();
                let to = to.at((group * self.columns + first) * size);
                let padded = channels.next_multiple_of(self.kernels.lanes);
                let (across, along) = (size as isize, 1);
                // SAFETY: the channels lie in the gradient, and each strip has its own place.
                unsafe { (self.kernels.pack)(&Pack { from, across, along, width: channels, padded, depth: size, to }) }
            }
        });
        packed
    }

    /// Adds one image to one panel of rows.
    unsafe fn add_panel(&self, [part, group, row]: [usize; 3], panel: usize, from: *const T, gradient: *const T) {
        let [planes, lines, line] = self.shape.output;
        let rows = panel.min(self.offsets.len() - row);
        let pair = (part * self.shape.groups + group) * self.offsets.len() + row;
        for plane in 0..planes {
            for first in (0..self.columns).step_by(self.kernels.columns()) {
                let width = (self.columns - first).min(self.kernels.columns());
                let vectors = width / self.kernels.lanes;
                let before = first * self.shape.output_size() + plane * lines * line * width;
                // SAFETY: rows, lines and columns lie in the copy, the packed gradient and the sums.
                unsafe {
                    self.kernels.lines[rows - 1][vectors - 1](&Tile {
                        depth: line,
                        lines: (lines, self.layout.steps[1] as isize),
                        a: from.add(plane * self.layout.steps[0]),
                        a_strides: [0, 0],
                        b: gradient.add(before),
                        b_stride: width as isize,
                        offsets: self.offsets[row..].as_ptr(),
                        c: self.sums.at(pair * self.columns + first),
                        c_stride: self.columns as isize,
                        last: self.kernels.lanes,
                        finish: Finish { beta: T::ONE, ..Finish::OVERWRITE },
                    });
                }
            }
        }
    }

    /// Adds up the parts, and turns pairs by output channels into PyTorch's order.
    fn finish(&self, grad_weight: &mut [T]) {
        let pairs = self.offsets.len();
        let part = self.shape.groups * pairs * self.columns;
        let to = Shared(grad_weight.as_mut_ptr());
        parallel_for(self.shape.out_channels, (16_384 / pairs).max(1), &|range| {
            for channel in range {
                let (group, column) = (channel / self.channels[1], channel % self.channels[1]);
                for pair in 0..pairs {
                    let place = (group * pairs + pair) * self.columns + column;
                    // SAFETY: the sums are complete; each channel has its own rows of the weight.
                    unsafe {
                        let sum = (0..self.parts).fold(T::ZERO, |sum, p| sum + *self.sums.at(p * part + place));
                        *to.at(channel * pairs + pair) = sum;
                    }
                }
            }
        });
    }
}
