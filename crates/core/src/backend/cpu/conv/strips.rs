//! Strips of positions: some columns of a matrix product whose right operand is never built.
//!
//! A strip of neighbouring positions times a panel of rows is one tile, whose right operand is read in the padded copy
//! through a table of distances. Where lines of the grid are so short that vectors would be mostly empty, a strip runs
//! over several lines, and is packed.

use std::ops::Range;

use smallvec::SmallVec;

use super::correlate::Correlation;
use super::planes::Layout;
use super::split;
use crate::backend::cpu::float::Float;
use crate::backend::cpu::gemm::tile::{Finish, Tile};
use crate::backend::cpu::scratch::Scratch;
use crate::backend::cpu::shared::Shared;
use crate::pool::{num_threads, parallel_for};

/// Strips that share a pass over the weights.
const STRIPS: usize = 8;

/// Multiplications worth a task of their own.
const TASK_WORK: usize = 200_000;

/// Neighbouring positions of one line in a strip.
#[derive(Clone, Copy)]
struct Run {
    /// First column in the strip.
    column: usize,
    len: usize,
    /// Distance in the padded copy, from the group's first channel.
    from: usize,
    /// Distance in the result, from the group's first channel.
    to: usize,
}

/// Some columns of the product: neighbours if there is one run.
struct Strip {
    group: usize,
    width: usize,
    runs: SmallVec<[Run; 8]>,
}

/// The computation for images whose padded copies are ready.
pub(super) struct Pass<'a, T: Float> {
    pub(super) all: &'a Correlation<'a, T>,
    pub(super) grid: [usize; 3],
    pub(super) layout: &'a Layout,
    /// Distance of each tap of each channel.
    pub(super) offsets: &'a [isize],
    /// The weights as tiles read them. Where there are none they are read in place, and strips are packed.
    pub(super) packed: Option<Shared<T>>,
    pub(super) copy: Shared<T>,
    pub(super) result: Shared<T>,
    pub(super) images: usize,
}

impl<T: Float> Pass<'_, T> {
    /// Deals out strips, and panels of rows where strips are few.
    pub(super) fn run(&self) {
        let one_block = self.all.block() >= self.all.channels;
        if let Some(weights) = self.packed
            && self.all.rows == 1
            && one_block
            && self.all.target.steps[2] == 1
        {
            return self.run_lines(weights);
        }
        let strips = self.strips();
        let panels = self.all.rows.div_ceil(self.all.panel());
        let parts = if strips < 2 * num_threads() { num_threads().div_ceil(strips).min(panels) } else { 1 };
        let work = self.all.rows.div_ceil(parts) * self.offsets.len().max(1) * self.all.kernels.columns();
        parallel_for(strips * parts, (TASK_WORK / work).max(1), &|range| {
            let mut index = range.start;
            while index < range.end {
                let part = index / strips;
                let end = range.end.min((part + 1) * strips).min(index + STRIPS);
                let rows = [part, part + 1].map(|p| (p * panels / parts * self.all.panel()).min(self.all.rows));
                let here: SmallVec<[Strip; STRIPS]> = (index..end).map(|i| self.strip(i % strips)).collect();
                // SAFETY: positions of different strips, and rows of different parts, are different elements.
                unsafe { self.strips_by_rows(&here, rows[0]..rows[1]) }
                index = end;
            }
        });
    }

    /// One row in each group, as in a depthwise convolution: strips cost so little that they are walked line by line.
    fn run_lines(&self, weights: Shared<T>) {
        let all = self.all;
        let counts = [self.images, all.groups, self.grid[0]];
        let work = self.grid[1] * self.grid[2] * self.offsets.len();
        parallel_for(counts.iter().product(), (TASK_WORK / 8 / work.max(1)).max(1), &|range| {
            for [image, group, z] in range.map(|i| split(i, counts)) {
                let index = image * all.groups + group;
                let from = index * all.channels * self.layout.channel + z * self.layout.steps[0];
                let to = index * all.target.channel + all.target.start + z * all.target.steps[0];
                for y in 0..self.grid[1] {
                    let places = [from + y * self.layout.steps[1], to + y * all.target.steps[1]];
                    // SAFETY: each line has its own elements of the result.
                    unsafe { self.line(group, weights, places) }
                }
            }
        });
    }

    /// One line of a group with one row, from its place in the padded copy to that in the result.
    unsafe fn line(&self, group: usize, weights: Shared<T>, [from, to]: [usize; 2]) {
        let (kernels, line) = (self.all.kernels, self.grid[2]);
        let bias = self.all.bias.map_or(std::ptr::null(), |bias| bias[group..].as_ptr());
        for x in (0..line).step_by(kernels.columns()) {
            let width = (line - x).min(kernels.columns());
            let vectors = width.div_ceil(kernels.lanes);
            // SAFETY: the copy has slack for whole vectors; `last` keeps writes inside the line.
            unsafe {
                kernels.gathered[0][vectors - 1](&Tile {
                    depth: self.offsets.len(),
                    lines: (1, 0),
                    a: weights.at(group * self.offsets.len()),
                    a_strides: [0, 0],
                    b: self.copy.at(from + x),
                    b_stride: 0,
                    offsets: self.offsets.as_ptr(),
                    c: self.result.at(to + x),
                    c_stride: 0,
                    last: width - (vectors - 1) * kernels.lanes,
                    finish: Finish { row_bias: bias, ..Finish::OVERWRITE },
                });
            }
        }
    }

    /// Whether strips end with the lines of the grid: wasteful if those do not fill their vectors.
    fn by_lines(&self) -> bool {
        let line = self.grid[2];
        let filled = line * 10 >= line.next_multiple_of(self.all.kernels.lanes) * 7;
        filled || self.all.rows <= self.all.kernels.rows()
    }

    fn lines(&self) -> usize {
        self.images * self.grid[0] * self.grid[1]
    }

    /// Strips of all groups.
    fn strips(&self) -> usize {
        let columns = self.all.kernels.columns();
        let one = if self.by_lines() {
            self.lines() * self.grid[2].div_ceil(columns)
        } else {
            (self.lines() * self.grid[2]).div_ceil(columns)
        };
        self.all.groups * one
    }

    fn strip(&self, index: usize) -> Strip {
        let columns = self.all.kernels.columns();
        let line = self.grid[2];
        let of_group = self.strips() / self.all.groups;
        let (group, index) = (index / of_group, index % of_group);
        let mut strip = Strip { group, width: 0, runs: SmallVec::new() };
        let (mut at, mut x) = if self.by_lines() {
            let in_line = line.div_ceil(columns);
            (index / in_line, index % in_line * columns)
        } else {
            (index * columns / line, index * columns % line)
        };
        while strip.width < columns && at < self.lines() {
            let len = (line - x).min(columns - strip.width);
            strip.runs.push(self.run_of(group, at, x, strip.width, len));
            strip.width += len;
            (at, x) = (at + 1, 0);
            if self.by_lines() {
                break;
            }
        }
        strip
    }

    /// `len` positions from `x` on in a line of the grid.
    fn run_of(&self, group: usize, line: usize, x: usize, column: usize, len: usize) -> Run {
        let [image, z, y] = split(line, [self.images, self.grid[0], self.grid[1]]);
        let (all, groups) = (self.all, self.all.groups);
        let channel = (image * groups + group) * all.channels;
        let from = channel * self.layout.channel + z * self.layout.steps[0] + y * self.layout.steps[1] + x;
        let t = &all.target;
        let place = t.start + z * t.steps[0] + y * t.steps[1] + x * t.steps[2];
        Run { column, len, from, to: (image * groups + group) * all.rows * t.channel + place }
    }

    /// A few strips times some rows, one block of channels after another.
    unsafe fn strips_by_rows(&self, strips: &[Strip], rows: Range<usize>) {
        let (all, columns) = (self.all, self.all.kernels.columns());
        let taps = self.layout.taps.len();
        let packed = Scratch::new(all.block() * taps * columns + columns);
        // Strips whose columns are not neighbours in the result are computed apart.
        let is_apart = |strip: &Strip| strip.runs.len() > 1 || all.target.steps[2] != 1;
        let apart: Scratch<T> =
            Scratch::new(if strips.iter().any(is_apart) { strips.len() * rows.len() * columns } else { 0 });
        let mut channel = 0;
        loop {
            let channels = all.block().min(all.channels - channel);
            let depth = channels * taps;
            let (first, last) = (channel == 0, channel + channels >= all.channels);
            let offsets = &self.offsets[channel * taps..][..depth];
            for (number, strip) in strips.iter().enumerate() {
                let start = self.copy.at(strip.runs[0].from);
                let (mut b, mut gathered) = (start, true);
                if strip.runs.len() > 1 || self.packed.is_none() {
                    // SAFETY: the scratch has room for the block, and some more.
                    unsafe { self.pack_strip(strip, offsets, packed.as_ptr()) };
                    (b, gathered) = (packed.as_ptr(), false);
                }
                let (c, stride) = if is_apart(strip) {
                    (apart.as_ptr().wrapping_add(number * rows.len() * columns), columns)
                } else {
                    let row = rows.start * all.target.channel;
                    (self.result.at(strip.runs[0].to + row), all.target.channel)
                };
                let weights = match self.packed {
                    Some(packed) => packed.at(all.packed_at(strip.group, channel, rows.start, depth)).cast_const(),
                    None => all.weights.at(strip.group, rows.start, channel),
                };
                let column = Column {
                    strip,
                    weights,
                    b,
                    gathered,
                    offsets,
                    c,
                    stride,
                    finish: self.finish(strip, rows.start).stage(first, last),
                };
                // SAFETY: the operands are ready, and `c` has room for the rows of this strip.
                unsafe { self.panels(&column, rows.len()) }
            }
            channel += channels;
            if last {
                break;
            }
        }
        for (number, strip) in strips.iter().enumerate().filter(|(_, strip)| is_apart(strip)) {
            // SAFETY: the rows of this strip were computed above.
            unsafe { self.scatter(strip, rows.clone(), apart.as_ptr().add(number * rows.len() * columns)) }
        }
    }

    /// The bias of the rows of a strip.
    fn finish(&self, strip: &Strip, row: usize) -> Finish<T> {
        let bias = self.all.bias.map(|bias| bias[strip.group * self.all.rows + row..].as_ptr());
        Finish { row_bias: bias.unwrap_or(std::ptr::null()), ..Finish::OVERWRITE }
    }

    /// Copies the columns of a strip side by side, row after row.
    unsafe fn pack_strip(&self, strip: &Strip, offsets: &[isize], to: *mut T) {
        let padded = strip.width.next_multiple_of(self.all.kernels.lanes);
        for run in &strip.runs {
            let (from, to) = (self.copy.at(run.from).cast_const(), to.wrapping_add(run.column));
            // SAFETY: the caller has room, and the run lies in the padded copy.
            unsafe {
                match run.len {
                    4 => pack_run::<T, 4>(from, offsets, to, padded, 4),
                    8.. => pack_run::<T, 8>(from, offsets, to, padded, run.len),
                    5..8 => pack_run::<T, 4>(from, offsets, to, padded, run.len),
                    len => pack_run::<T, 1>(from, offsets, to, padded, len),
                }
            }
        }
        for row in 0..if padded > strip.width { offsets.len() } else { 0 } {
            for i in strip.width..padded {
                // SAFETY: the caller has room.
                unsafe { *to.add(row * padded + i) = T::ZERO }
            }
        }
    }

    /// All panels of rows of one strip.
    unsafe fn panels(&self, column: &Column<'_, T>, rows: usize) {
        let kernels = self.all.kernels;
        let vectors = column.strip.width.div_ceil(kernels.lanes);
        // The rows of a panel of weights that are read in place.
        let lines: SmallVec<[isize; 16]> = match self.packed {
            None => (0..self.all.panel()).map(|i| (i * self.all.weights.row) as isize).collect(),
            Some(_) => SmallVec::new(),
        };
        // `distance` is that between rows of the weights.
        let (table, distance, offsets) = match (self.packed, column.gathered) {
            (None, _) => (kernels.lines, self.all.weights.row, &lines[..]),
            (_, true) => (kernels.gathered, column.offsets.len(), column.offsets),
            (_, false) => (kernels.packed, column.offsets.len(), &[][..]),
        };
        for row in (0..rows).step_by(self.all.panel()) {
            let height = self.all.panel().min(rows - row);
            // SAFETY: the caller's promise.
            unsafe {
                table[height - 1][vectors - 1](&Tile {
                    depth: column.offsets.len(),
                    lines: (1, 0),
                    a: column.weights.add(row * distance),
                    a_strides: [0, 0],
                    b: column.b,
                    b_stride: (vectors * kernels.lanes) as isize,
                    offsets: offsets.as_ptr(),
                    c: column.c.add(row * column.stride),
                    c_stride: column.stride as isize,
                    last: column.strip.width - (vectors - 1) * kernels.lanes,
                    finish: column.finish.at(row, 0),
                });
            }
        }
    }

    /// Moves the rows of a strip to their places.
    unsafe fn scatter(&self, strip: &Strip, rows: Range<usize>, from: *const T) {
        let (columns, step) = (self.all.kernels.columns(), self.all.target.steps[2]);
        for (i, row) in rows.enumerate() {
            for run in &strip.runs {
                // SAFETY: the run lies in both.
                unsafe {
                    let from = from.add(i * columns + run.column);
                    let to = self.result.at(run.to + row * self.all.target.channel);
                    for x in 0..run.len {
                        *to.add(x * step) = *from.add(x);
                    }
                }
            }
        }
    }
}

/// Copies `len` neighbours from each offset, in pieces of `N`, of which the last overlaps the one before it.
#[inline(always)]
unsafe fn pack_run<T: Float, const N: usize>(from: *const T, offsets: &[isize], to: *mut T, row: usize, len: usize) {
    for (number, &offset) in offsets.iter().enumerate() {
        for i in (0..len).step_by(N) {
            let at = i.min(len - N);
            // SAFETY: the caller has room for `len >= N` elements in each row, and may read as many from each offset.
            unsafe {
                let piece = from.offset(offset).add(at).cast::<[T; N]>().read_unaligned();
                to.add(number * row + at).cast::<[T; N]>().write_unaligned(piece);
            }
        }
    }
}

/// One strip in one block of channels.
struct Column<'a, T> {
    strip: &'a Strip,
    weights: *const T,
    b: *const T,
    /// Whether rows of `b` are found through `offsets`.
    gathered: bool,
    offsets: &'a [isize],
    c: *mut T,
    /// Distance between rows of `c`.
    stride: usize,
    finish: Finish<T>,
}
