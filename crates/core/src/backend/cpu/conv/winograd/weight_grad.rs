//! The gradient of the weight by tiles: at each point a product over all tiles, turned into kernels at the end.
//!
//! Inputs and gradients are transformed a span of tiles at a time, by all threads, which then share out points and
//! panels of output channels. How the sum is cut depends on the shape alone.

use std::sync::atomic::{AtomicBool, Ordering};

use super::kernels::Transforms;
use super::products::DEPTH;
use super::tiles::{Block, Grid, Planes, Room, Values};
use super::transform::{Contract, INPUTS, KERNEL, OUTPUTS, PRODUCTS, TAPS, Turn};
use crate::backend::cpu::conv::ConvShape;
use crate::backend::cpu::float::Float;
use crate::backend::cpu::gemm::kernels::Kernels;
use crate::backend::cpu::gemm::small::height;
use crate::backend::cpu::gemm::tile::{Finish, Tile};
use crate::backend::cpu::scratch::Scratch;
use crate::backend::cpu::shared::Shared;
use crate::pool::parallel_for;

/// Bytes of transformed inputs and gradients at a time, unless the sums are larger: those are read and written once for
/// each span.
const SPAN_BYTES: usize = 1 << 20;

/// Tiles that are transformed together.
const BLOCK: usize = 16;

/// How many times as large as its sums the transformed tiles of a part are at least.
const PART: usize = 8;

/// Parts that are worth sums of their own, at least and at most.
const FEW: usize = 4;
const PARTS: usize = 16;

/// Multiplications worth a task of their own.
const TASK_WORK: usize = 200_000;

/// Everything that tasks share.
pub(super) struct WeightGrad<T: 'static> {
    pub(super) kernels: &'static Kernels<T>,
    pub(super) inputs: Planes<T>,
    pub(super) gradients: Planes<T>,
}

/// The tiles of a span, transformed.
struct Span<T> {
    tiles: usize,
    inputs: Values<T>,
    gradients: Values<T>,
}

impl<T: Float> WeightGrad<T> {
    /// Describes the computation, if it is one over planes with a kernel of 3x3 at steps of one.
    pub(super) fn new(kernels: &'static Kernels<T>, transforms: &'static Transforms<T>, s: &ConvShape) -> Option<Self> {
        let plane = s.kernel == [1, KERNEL, KERNEL] && s.padding[0] == 0 && s.output[0] == 1;
        if !plane || s.stride != [1; 3] || s.dilation[1..] != [1; 2] || s.groups != 1 {
            return None;
        }
        let [input, output] = [s.input, s.output].map(|[_, y, x]| [y, x]);
        let low = [1, 2].map(|d| -(s.padding[d] as isize));
        let grid = Grid::new(s.batch, output);
        let inputs = Planes { transforms, grid, size: input, low, reach: INPUTS, channels: s.in_channels };
        let gradients =
            Planes { transforms, grid, size: output, low: [0; 2], reach: OUTPUTS, channels: s.out_channels };
        Some(WeightGrad { kernels, inputs, gradients })
    }

    /// Tiles of all images.
    pub(super) fn tiles(&self) -> usize {
        self.inputs.grid.count()
    }

    /// Lines of channels of the inputs and of the gradients, in whole vectors.
    fn rows(&self) -> [usize; 2] {
        [&self.inputs, &self.gradients].map(|planes| planes.channels.next_multiple_of(self.kernels.lanes))
    }

    /// Computes everything; says whether all results are finite.
    pub(super) fn run(&self, input: &[T], grad_output: &[T], grad_weight: &mut [T]) -> bool {
        let [row, columns] = self.rows();
        // Spans are made of small blocks, which are shared out.
        let blocks = self.inputs.grid.blocks(BLOCK, 1);
        let parts = match self.tiles() * (row + columns) / (PART * row * columns) {
            0..FEW => 1,
            parts => parts.min(PARTS).min(blocks.len()),
        };
        let sums = Room::new(parts * columns, row);
        parallel_for(parts, 1, &|range| {
            for part in range {
                let blocks = &blocks[part * blocks.len() / parts..(part + 1) * blocks.len() / parts];
                self.sum(blocks, input, grad_output, sums.values.starting_at(part * columns));
            }
        });
        self.finish(sums.values, parts, grad_weight)
    }

    /// Sums over some blocks, a span at a time.
    fn sum(&self, blocks: &[Block], input: &[T], grad_output: &[T], sums: Values<T>) {
        let [row, columns] = self.rows();
        let tile_bytes = PRODUCTS * (row + columns) * size_of::<T>();
        let most = SPAN_BYTES.max(PRODUCTS * row * columns * size_of::<T>()) / tile_bytes;
        let largest = blocks.iter().map(Block::len).max().unwrap_or(1);
        let at_once = (most / largest).clamp(1, blocks.len());
        let rooms = [row, columns].map(|row| Room::new(at_once * largest, row));
        for (number, blocks) in blocks.chunks(at_once).enumerate() {
            let tiles = blocks.iter().map(Block::len).sum();
            let span = Span { tiles, inputs: rooms[0].values, gradients: rooms[1].values };
            self.transform(blocks, &span, input, grad_output);
            self.add(&span, sums, number == 0);
        }
    }

    /// Transforms the inputs and gradients of some blocks.
    fn transform(&self, blocks: &[Block], span: &Span<T>, input: &[T], grad_output: &[T]) {
        let places: Vec<usize> = blocks
            .iter()
            .scan(0, |tiles, block| {
                let before = *tiles;
                *tiles += block.len();
                Some(before)
            })
            .collect();
        parallel_for(blocks.len(), 1, &|range| {
            let lines = self.inputs.lines(&blocks[range.clone()], span.inputs.row);
            for (block, &place) in range.clone().map(|i| (&blocks[i], &places[i])) {
                let (to, transform) = (span.inputs.starting_at(place), self.inputs.transforms.input);
                // SAFETY: the planes are the caller's; each block has its own place in the room.
                unsafe { self.inputs.expand(transform, block, input.as_ptr(), lines.as_ptr(), to) }
            }
            let lines = self.gradients.lines(&blocks[range.clone()], span.gradients.row);
            for (block, &place) in range.map(|i| (&blocks[i], &places[i])) {
                let (to, transform) = (span.gradients.starting_at(place), self.inputs.transforms.output_transposed);
                let from = grad_output.as_ptr();
                // SAFETY: as above.
                unsafe { self.gradients.expand(transform, block, from, lines.as_ptr(), to) }
            }
        });
    }

    /// Adds the products of a span: `sums[point][output channel][input channel]`.
    fn add(&self, span: &Span<T>, sums: Values<T>, is_first: bool) {
        let columns = span.gradients.row;
        let rows = height(columns, self.kernels.direct.len());
        let panels = columns.div_ceil(rows);
        let grain = (TASK_WORK / (span.tiles * rows * sums.row)).max(1);
        parallel_for(PRODUCTS * panels, grain, &|range| {
            for (point, row) in range.map(|i| (i / panels, i % panels * rows)) {
                // SAFETY: each point and panel has its own sums.
                unsafe { self.add_panel(span, point, [row, (columns - row).min(rows)], sums, is_first) }
            }
        });
    }

    unsafe fn add_panel(&self, span: &Span<T>, point: usize, [row, rows]: [usize; 2], sums: Values<T>, is_first: bool) {
        let (kernels, depth) = (self.kernels, height(span.tiles, DEPTH));
        let [inputs, gradients, sums_at] =
            [&span.inputs, &span.gradients, &sums].map(|values| values.at.at(point * values.step));
        for start in (0..span.tiles).step_by(depth) {
            for first in (0..sums.row).step_by(kernels.columns()) {
                let width = (sums.row - first).min(kernels.columns());
                let beta = if is_first && start == 0 { T::ZERO } else { T::ONE };
                // SAFETY: rows, tiles and columns lie in the rooms.
                unsafe {
                    kernels.direct[rows - 1][width / kernels.lanes - 1](&Tile {
                        depth: (span.tiles - start).min(depth),
                        lines: (1, 0),
                        a: gradients.add(start * span.gradients.row + row),
                        a_strides: [1, span.gradients.row as isize],
                        b: inputs.add(start * span.inputs.row + first),
                        b_stride: span.inputs.row as isize,
                        offsets: std::ptr::null(),
                        c: sums_at.add(row * sums.row + first),
                        c_stride: sums.row as isize,
                        last: kernels.lanes,
                        finish: Finish { beta, ..Finish::OVERWRITE },
                    });
                }
            }
        }
    }

    /// Turns the sums into kernels; says whether all are finite.
    fn finish(&self, sums: Values<T>, parts: usize, grad_weight: &mut [T]) -> bool {
        let (channels, [row, sums_rows]) = (self.inputs.channels, self.rows());
        let (finite, to) = (AtomicBool::new(true), Shared::new(grad_weight));
        parallel_for(self.gradients.channels, (8192 / (PRODUCTS * row * parts)).max(1), &|range| {
            let lines: Scratch<T> = Scratch::new(TAPS * row);
            let mut pixels = [lines.as_ptr(); TAPS];
            for (tap, pixel) in pixels.iter_mut().enumerate() {
                *pixel = pixel.wrapping_add(tap * row);
            }
            for channel in range {
                for (point, part) in (0..PRODUCTS).flat_map(|point| (1..parts).map(move |part| (point, part))) {
                    let [to, from] = [0, part].map(|part| point * sums.step + (part * sums_rows + channel) * row);
                    // SAFETY: all parts are complete, and each channel has its own.
                    let [to, from] = unsafe { [to, from].map(|at| sums.at.take(at..at + row)) };
                    to.iter_mut().zip(from).for_each(|(to, from)| *to += *from);
                }
                let (from, vectors) = (sums.at.at(channel * row), row / self.kernels.lanes);
                let (from_row, to) = (row, to.at(channel * channels * TAPS));
                let bias = std::ptr::null();
                // SAFETY: the sums are complete; each channel has its own kernels.
                unsafe {
                    let contract = Contract { from, step: sums.step, vectors, bias, to: &pixels };
                    if !(self.inputs.transforms.kernel_transposed)(&contract) {
                        finite.store(false, Ordering::Relaxed);
                    }
                    let from = lines.as_ptr();
                    (self.inputs.transforms.turn)(&Turn {
                        from,
                        from_row,
                        rows: TAPS,
                        columns: channels,
                        to,
                        to_row: TAPS,
                    });
                }
            }
        });
        finite.into_inner()
    }
}
