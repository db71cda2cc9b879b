//! The forward computation by tiles, of which the gradient of the input is one more.
//!
//! Where there are many tiles, the transformed kernels are made once for all, and a task has a block of tiles to itself,
//! from the inputs to the outputs. Where there are many channels instead, the transformed inputs are made once, and a
//! task has a panel of output channels to itself, whose transformed kernels thus never leave its cache.

use std::ops::Range;
use std::sync::atomic::{AtomicBool, Ordering};

use super::kernels::Transforms;
use super::products::{Panels, multiply};
use super::tiles::{Block, Grid, Planes, Room, Values, apart};
use super::transform::{Expand, INPUTS, KERNEL, OUTPUTS, PRODUCTS, TAPS};
use crate::backend::cpu::conv::correlate::Correlation;
use crate::backend::cpu::float::Float;
use crate::backend::cpu::gemm::pack::Pack;
use crate::backend::cpu::scratch::Scratch;
use crate::backend::cpu::shared::Shared;
use crate::pool::{num_threads, parallel_for};

/// Bytes of the transformed inputs and the products of a block: about a second level cache.
const BLOCK_BYTES: usize = 384 << 10;

/// Tiles of a block at least: each reads all transformed kernels.
const LEAST_TILES: usize = 16;

/// Input channels whose kernels are transformed at a time.
const CHUNK: usize = 32;

/// Everything that tasks share.
pub(super) struct Forward<'a, T: Float> {
    pub(super) all: &'a Correlation<'a, T>,
    pub(super) source: Planes<T>,
    pub(super) target: Planes<T>,
    /// The place of each tap in a kernel.
    pub(super) taps: [usize; TAPS],
    /// One element for each output channel, in whole vectors.
    pub(super) bias: Vec<T>,
}

impl<'a, T: Float> Forward<'a, T> {
    /// Describes the computation, if it is one over planes with a kernel of 3x3 at steps of one.
    pub(super) fn new(all: &'a Correlation<'a, T>, transforms: &'static Transforms<T>) -> Option<Self> {
        let [z, y, x] = &all.axes;
        let plain = all.groups == 1 && all.target.start == 0 && all.target.steps[1..] == [x.grid, 1];
        let [ys, xs] = [y.neighbours::<KERNEL>()?, x.neighbours::<KERNEL>()?];
        if !plain || !z.is_single() || y.grid * x.grid == 0 {
            return None;
        }
        let mut taps = [0; TAPS];
        for (i, y) in ys.iter().enumerate() {
            for (j, x) in xs.iter().enumerate() {
                taps[y * KERNEL + x] = all.weights.taps[i * KERNEL + j];
            }
        }
        let grid = Grid::new(all.images, [y.grid, x.grid]);
        let low = [y.low, x.low];
        let source =
            Planes { transforms, grid, size: [y.source, x.source], low, reach: INPUTS, channels: all.channels };
        let target =
            Planes { transforms, grid, size: [y.grid, x.grid], low: [0; 2], reach: OUTPUTS, channels: all.rows };
        let mut bias = all.bias.map_or(Vec::new(), <[T]>::to_vec);
        bias.resize(all.rows.next_multiple_of(all.kernels.lanes), T::ZERO);
        Some(Forward { all, source, target, taps, bias })
    }

    /// Tiles of all images.
    pub(super) fn tiles(&self) -> usize {
        self.source.grid.count()
    }

    /// Computes everything; says whether all results are finite.
    pub(super) fn run(&self, source: &[T], result: &mut [T]) -> bool {
        let (finite, result) = (AtomicBool::new(true), Shared::new(result));
        if self.tiles() >= self.all.rows {
            self.by_blocks(source, result, &finite);
        } else {
            self.by_panels(source, result, &finite);
        }
        finite.into_inner()
    }

    /// A line of channels of the source, and one of the result, in whole vectors.
    fn rows(&self) -> [usize; 2] {
        [self.all.channels, self.all.rows].map(|n| n.next_multiple_of(self.all.kernels.lanes))
    }

    /// Many tiles: each task has blocks of them.
    fn by_blocks(&self, source: &[T], result: Shared<T>, finite: &AtomicBool) {
        let [row, columns] = self.rows();
        let kernels = self.kernels();
        let panels = self.panels(kernels.as_ptr(), columns);
        let tile_bytes = PRODUCTS * (row + columns) * size_of::<T>();
        let blocks = self.source.grid.blocks((BLOCK_BYTES / tile_bytes).max(LEAST_TILES), num_threads());
        parallel_for(blocks.len(), 1, &|range| {
            let largest = blocks[range.clone()].iter().map(Block::len).max().unwrap_or(0);
            let lines =
                [(&self.source, row), (&self.target, columns)].map(|(p, row)| p.lines(&blocks[range.clone()], row));
            let inputs = Room::new(largest, row);
            let products = Room::new(largest, columns);
            for block in &blocks[range] {
                // SAFETY: rooms and lines are large enough for each block, and each block has its own results.
                unsafe {
                    self.inputs(block, source, lines[0].as_ptr(), inputs.values);
                    multiply(self.all.kernels, block.len(), inputs.values, &panels, products.values);
                    self.outputs(block, 0..self.all.rows, products.values, lines[1].as_ptr(), result, finite);
                }
            }
        });
    }

    /// Many channels: each task has panels of output channels.
    fn by_panels(&self, source: &[T], result: Shared<T>, finite: &AtomicBool) {
        let [row, _] = self.rows();
        let inputs: Room<T> = Room::new(self.tiles(), row);
        let blocks = self.source.grid.blocks(1, 1);
        let to = inputs.values;
        parallel_for(blocks.len(), (8192 / (PRODUCTS * row)).max(1), &|range| {
            let lines = self.source.lines(&blocks[range.clone()], row);
            let mut before: usize = blocks[..range.start].iter().map(Block::len).sum();
            for block in &blocks[range] {
                // SAFETY: each block has its own part of the room.
                unsafe { self.inputs(block, source, lines.as_ptr(), to.starting_at(before)) }
                before += block.len();
            }
        });
        let (all, width) = (self.source.grid.all(), self.all.kernels.columns());
        parallel_for(self.all.rows.div_ceil(width), 1, &|range| {
            let kernels = Scratch::new(PRODUCTS * apart::<T>(self.all.channels * width));
            let products = Room::new(all.len(), width);
            let lines = self.target.lines(std::slice::from_ref(&all), width);
            for first in range.map(|panel| panel * width) {
                let rows = first..(first + width).min(self.all.rows);
                let columns = rows.len().next_multiple_of(self.all.kernels.lanes);
                let panels = self.panels(kernels.as_ptr(), columns);
                let values = Values { row: columns, ..products.values };
                // SAFETY: the rooms are large enough, and each panel has its own results.
                unsafe {
                    for start in (0..self.all.channels).step_by(CHUNK) {
                        let channels = start..(start + CHUNK).min(self.all.channels);
                        self.transform_kernels(rows.clone(), channels, panels.at.at(0), panels.step);
                    }
                    multiply(self.all.kernels, all.len(), to, &panels, values);
                    self.outputs(&all, rows, values, lines.as_ptr(), result, finite);
                }
            }
        });
    }

    unsafe fn inputs(&self, block: &Block, source: &[T], lines: *mut T, to: Values<T>) {
        let transform = self.source.transforms.input;
        // SAFETY: the caller's promise.
        unsafe { self.source.expand(transform, block, source.as_ptr(), lines, to) }
    }

    unsafe fn outputs(
        &self,
        block: &Block,
        rows: Range<usize>,
        from: Values<T>,
        lines: *mut T,
        result: Shared<T>,
        finite: &AtomicBool,
    ) {
        let bias = self.bias[rows.start..].as_ptr();
        // SAFETY: the caller's promise.
        if !unsafe { self.target.contract(block, rows, from, bias, lines, result.at(0)) } {
            finite.store(false, Ordering::Relaxed);
        }
    }

    fn panels(&self, at: *mut T, columns: usize) -> Panels<T> {
        Panels { at: Shared(at), step: apart::<T>(self.all.channels * columns), columns, depth: self.all.channels }
    }

    /// The transformed kernels of all channels.
    fn kernels(&self) -> Scratch<T> {
        let (width, [_, columns]) = (self.all.kernels.columns(), self.rows());
        let step = apart::<T>(self.all.channels * columns);
        let kernels = Scratch::new(PRODUCTS * step);
        let to = Shared(kernels.as_ptr());
        let chunks = self.all.channels.div_ceil(CHUNK);
        parallel_for(self.all.rows.div_ceil(width) * chunks, 1, &|range| {
            for (panel, chunk) in range.map(|i| (i / chunks, i % chunks)) {
                let rows = panel * width..((panel + 1) * width).min(self.all.rows);
                let channels = chunk * CHUNK..((chunk + 1) * CHUNK).min(self.all.channels);
                // SAFETY: each panel and chunk has its own place.
                unsafe { self.transform_kernels(rows.clone(), channels, to.at(rows.start * self.all.channels), step) }
            }
        });
        kernels
    }

    /// Transforms the kernels of some input channels of a panel.
    unsafe fn transform_kernels(&self, rows: Range<usize>, channels: Range<usize>, panel: *mut T, step: usize) {
        let (w, width, padded) = (&self.all.weights, rows.len(), rows.len().next_multiple_of(self.all.kernels.lanes));
        let strip: Scratch<T> = Scratch::new(channels.len() * TAPS * padded);
        // Kernels of neighbouring channels follow one another, or not.
        let piece = if w.channel == TAPS { channels.len() } else { 1 };
        for channel in channels.clone().step_by(piece) {
            let from = w.values[rows.start * w.row + channel * w.channel..].as_ptr();
            let to = strip.as_ptr().wrapping_add((channel - channels.start) * TAPS * padded);
            let pack = Pack { from, across: w.row as isize, along: 1, width, padded, depth: piece * TAPS, to };
            // SAFETY: the kernels lie in the weights, and the strip has room for them.
            unsafe { (self.all.kernels.pack)(&pack) }
        }
        for channel in channels.clone() {
            let kernel = strip.as_ptr().wrapping_add((channel - channels.start) * TAPS * padded);
            let from = &self.taps.map(|tap| kernel.wrapping_add(tap * padded).cast_const());
            let (vectors, to) = (padded / self.all.kernels.lanes, panel.wrapping_add(channel * padded));
            // SAFETY: the strip is packed, and the caller has room for the panel.
            unsafe { (self.source.transforms.kernel)(&Expand { from, vectors, to, step }) }
        }
    }
}
