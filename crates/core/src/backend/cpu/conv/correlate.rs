//! The forward computation: every position of a grid gathers taps of several channels, each row with its own weights.
//!
//! Here weights are packed and sources copied; [`strips`](super::strips) computes.

use std::ops::Range;

use super::planes::{Axis, Layout};
use super::strips::Pass;
use super::{split, winograd};
use crate::backend::cpu::float::Float;
use crate::backend::cpu::gemm::kernels::Kernels;
use crate::backend::cpu::gemm::pack::Pack;
use crate::backend::cpu::gemm::small::height;
use crate::backend::cpu::scratch::Scratch;
use crate::backend::cpu::shared::Shared;
use crate::pool::parallel_for;

/// Length of the sums of one pass: weights and patches of a tile stay in the second level cache.
const DEPTH: usize = 768;

/// Positions of all images up to which packing weights takes longer than reading them where they are.
pub(super) const FEW_POSITIONS: usize = 64;

/// Bytes of padded copies at a time.
const COPY_BYTES: usize = 16 << 20;

/// Where the weight of a row, a channel and a tap lies.
pub(super) struct Weights<'a, T> {
    pub(super) values: &'a [T],
    /// Distance between rows.
    pub(super) row: usize,
    /// Distance between channels.
    pub(super) channel: usize,
    /// Distance between groups.
    pub(super) group: usize,
    /// The position of each tap in the kernel.
    pub(super) taps: Vec<usize>,
}

impl<T> Weights<'_, T> {
    /// Whether all weights of a row are neighbours, in the order in which they are summed.
    fn are_lines(&self) -> bool {
        self.channel == self.taps.len() && self.has_all_taps()
    }

    fn has_all_taps(&self) -> bool {
        self.taps.iter().enumerate().all(|(i, &tap)| i == tap)
    }

    /// The first weight of a row of a group, from a channel on.
    pub(super) fn at(&self, group: usize, row: usize, channel: usize) -> *const T {
        self.values[group * self.group + row * self.row + channel * self.channel..].as_ptr()
    }
}

/// Where the result of a position of the grid goes, within one channel.
pub(super) struct Target {
    pub(super) start: usize,
    pub(super) steps: [usize; 3],
    /// Elements of a channel.
    pub(super) channel: usize,
}

/// The whole computation.
pub(super) struct Correlation<'a, T: Float> {
    pub(super) kernels: &'static Kernels<T>,
    pub(super) images: usize,
    pub(super) groups: usize,
    /// Channels that a group of the source has.
    pub(super) channels: usize,
    /// Channels that a group of the result has.
    pub(super) rows: usize,
    pub(super) axes: [Axis; 3],
    pub(super) weights: Weights<'a, T>,
    pub(super) bias: Option<&'a [T]>,
    pub(super) target: Target,
}

impl<T: Float> Correlation<'_, T> {
    /// Computes every channel of `result` from `source`, at the positions of the target.
    pub(super) fn run(&self, source: &[T], result: &mut [T]) {
        let grid = [0, 1, 2].map(|d| self.axes[d].grid);
        if self.images * self.groups * self.rows * grid.iter().product::<usize>() == 0 {
            return;
        }
        if winograd::correlate(self, source, result) {
            return;
        }
        let layout = Layout::new::<T>(self.axes.clone());
        let offsets: Vec<isize> = (0..self.channels)
            .flat_map(|c| layout.taps.iter().map(move |tap| (c * layout.channel) as isize + tap))
            .collect();
        let positions = self.images * grid.iter().product::<usize>();
        let in_place = positions <= FEW_POSITIONS && self.rows > self.kernels.rows() && self.weights.are_lines();
        let weights = if in_place { None } else { Some(self.pack_weights()) };
        let image = self.groups * self.channels;
        let at_once = (COPY_BYTES / size_of::<T>() / (image * layout.channel).max(1)).clamp(1, self.images);
        let source_image = source.len() / self.images;
        for first in (0..self.images).step_by(at_once) {
            let images = at_once.min(self.images - first);
            let part = &source[first * source_image..(first + images) * source_image];
            let used = if layout.taps.is_empty() { 0 } else { images * image };
            let copy = layout.copy(part, used, 2 * self.kernels.columns());
            let result = Shared(result[first * self.groups * self.rows * self.target.channel..].as_mut_ptr());
            let pass = Pass {
                all: self,
                grid,
                layout: &layout,
                offsets: &offsets,
                packed: weights.as_ref().map(|weights| Shared(weights.as_ptr())),
                copy: Shared(copy.as_ptr()),
                result,
                images,
            };
            pass.run();
        }
    }

    /// Rows of a panel of weights.
    pub(super) fn panel(&self) -> usize {
        height(self.rows, self.kernels.rows())
    }

    /// Channels summed in one pass.
    pub(super) fn block(&self) -> usize {
        height(self.channels, (DEPTH / self.weights.taps.len().max(1)).max(1))
    }

    /// Distance from the packed weights of a group to those of a block of its channels, and of a panel of its rows.
    pub(super) fn packed_at(&self, group: usize, channel: usize, row: usize, depth: usize) -> usize {
        (group * self.channels + channel) * self.weights.taps.len() * self.rows + row * depth
    }

    /// All weights in the order in which tiles read them: by group, block of channels, panel of rows.
    fn pack_weights(&self) -> Scratch<T> {
        let taps = self.weights.taps.len();
        let packed = Scratch::new(self.groups * self.channels * taps * self.rows);
        let to = Shared(packed.as_ptr());
        let counts = [self.groups, self.channels.div_ceil(self.block()), self.rows.div_ceil(self.panel())];
        let grain = (8192 / (self.block() * taps * self.panel()).max(1)).max(1);
        parallel_for(counts.iter().product(), grain, &|range| {
            for [group, block, panel] in range.map(|i| split(i, counts)) {
                let channels = block * self.block()..((block + 1) * self.block()).min(self.channels);
                let rows = panel * self.panel()..((panel + 1) * self.panel()).min(self.rows);
                let place = self.packed_at(group, channels.start, rows.start, channels.len() * taps);
                // SAFETY: each panel has its own place.
                unsafe { self.pack_panel(group, channels, rows, to.at(place)) }
            }
        });
        packed
    }

    unsafe fn pack_panel(&self, group: usize, channels: Range<usize>, rows: Range<usize>, to: *mut T) {
        let w = &self.weights;
        let (mut to, width) = (to, rows.len());
        // Distances within the kernel are one if all taps are there; then one channel follows another, or not.
        let piece = match (w.are_lines(), w.has_all_taps()) {
            (true, _) => channels.len() * w.taps.len(),
            (_, true) => w.taps.len(),
            _ => 1,
        };
        let mut done = 0;
        while done < channels.len() * w.taps.len() {
            let (channel, tap) = (channels.start + done / w.taps.len(), w.taps[done % w.taps.len()]);
            let from = w.at(group, rows.start, channel).wrapping_add(tap);
            let across = w.row as isize;
            // SAFETY: the rows, channels and taps lie in the weights, the caller has room for the panel.
            unsafe { (self.kernels.pack)(&Pack { from, across, along: 1, width, padded: width, depth: piece, to }) };
            to = to.wrapping_add(piece * width);
            done += piece;
        }
    }
}
