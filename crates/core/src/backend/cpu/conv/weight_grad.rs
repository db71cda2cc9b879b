//! The gradient of the weight: for each pair of channels and each tap, a sum over all positions of all images.
//!
//! The sum runs along the lines of the grid. Rows of a tile are pairs of an input channel and a tap, read in the padded
//! copy; columns are output channels, whose gradients are packed so that neighbours are channels. A group with a single
//! output channel, as in a depthwise convolution, takes scalar products along the lines instead. A thread has its own
//! rows. Where there are too few of those, images are dealt out to a number of partial sums that depends on the shape.

use super::planes::Layout;
use super::{ConvShape, split, winograd};
use crate::backend::cpu::float::Float;
use crate::backend::cpu::gemm::dot::Lines;
use crate::backend::cpu::gemm::kernels::Kernels;
use crate::backend::cpu::gemm::pack::Pack;
use crate::backend::cpu::gemm::small::height;
use crate::backend::cpu::gemm::tile::{Finish, Tile};
use crate::backend::cpu::scratch::Scratch;
use crate::backend::cpu::shared::Shared;
use crate::pool::parallel_for;

/// Bytes of padded copies and packed gradients at a time, unless the sums are larger: every panel of rows reads all of
/// them, so they should stay in the second-level cache.
const COPY_BYTES: usize = 1 << 20;

/// Enough panels to keep threads busy without partial sums.
const ENOUGH: usize = 16;

/// Pairs whose sums are turned at a time.
const BLOCK: usize = 64;

/// Multiplications worth a task of their own.
const TASK_WORK: usize = 200_000;

/// Everything that tasks share.
struct Sum<'a, T: Float> {
    kernels: &'static Kernels<T>,
    shape: &'a ConvShape,
    layout: &'a Layout,
    /// Input and output channels of a group.
    channels: [usize; 2],
    /// Output channels of a group, filled up to whole vectors unless there is only one.
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
    if winograd::weight_grad(kernels, shape, input, grad_output, grad_weight) {
        return;
    }
    let layout = Layout::new::<T>(shape.forward_axes());
    let channels = shape.group_channels();
    let offsets: Vec<isize> =
        (0..channels[0]).flat_map(|c| layout.taps.iter().map(move |tap| (c * layout.channel) as isize + tap)).collect();
    let columns = if channels[1] == 1 { 1 } else { channels[1].next_multiple_of(kernels.lanes) };
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
    let at_once = (COPY_BYTES / size_of::<T>()).max(len)
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
        let packed = if self.columns == 1 { None } else { Some(self.pack_gradient(images, grad_output)) };
        let gradient = packed.as_ref().map_or(grad_output.as_ptr().cast_mut(), Scratch::as_ptr);
        let (copy, gradient) = (Shared(copy.as_ptr()), Shared(gradient));
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
            if self.columns == 1 {
                // SAFETY: rows and lines lie in the copy, the gradient and the sums.
                unsafe {
                    self.kernels.dot_lines[rows - 1](&Lines {
                        sizes: [line, lines],
                        a: from.add(plane * self.layout.steps[0]),
                        a_line: self.layout.steps[1] as isize,
                        offsets: self.offsets[row..].as_ptr(),
                        b: gradient.add(plane * lines * line),
                        sums: self.sums.at(pair),
                    });
                }
                continue;
            }
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
        let (pairs, channels) = (self.offsets.len(), self.channels[1]);
        let part = self.shape.groups * pairs * self.columns;
        let blocks = pairs.div_ceil(BLOCK);
        let to = Shared::new(grad_weight);
        let grain = (16_384 / (BLOCK * self.channels[1])).max(1);
        parallel_for(self.shape.groups * blocks, grain, &|range| {
            let turned = Scratch::<T>::new(BLOCK * channels);
            for index in range {
                let (group, first) = (index / blocks, index % blocks * BLOCK);
                let width = (pairs - first).min(BLOCK);
                for number in 0..self.parts {
                    let from = self.sums.at(number * part + (group * pairs + first) * self.columns);
                    let (across, depth, to_block) = (self.columns as isize, channels, turned.as_ptr());
                    // SAFETY: the sums are complete; each group and block has its own part of the weight.
                    unsafe {
                        (self.kernels.pack)(&Pack {
                            from,
                            across,
                            along: 1,
                            width,
                            padded: width,
                            depth,
                            to: to_block,
                        });
                        for channel in 0..channels {
                            let start = (group * channels + channel) * pairs + first;
                            let sums = std::slice::from_raw_parts(to_block.add(channel * width), width);
                            for (to, sum) in to.take(start..start + width).iter_mut().zip(sums) {
                                *to = if number == 0 { *sum } else { *to + *sum };
                            }
                        }
                    }
                }
            }
        });
    }
}
