//! Tiles on planes: which pixels they cover, and how those get from `[channel, y, x]` to lanes of channels and back.

use std::ops::Range;

use super::kernels::Transforms;
use super::transform::{Contract, Expand, INPUTS, OUTPUTS, PRODUCTS, Turn};
use crate::backend::cpu::float::Float;
use crate::backend::cpu::scratch::Scratch;
use crate::backend::cpu::shared::Shared;

/// How the planes of all images are cut into tiles.
#[derive(Clone, Copy)]
pub(super) struct Grid {
    pub(super) images: usize,
    /// Tiles along each dimension of a plane.
    pub(super) tiles: [usize; 2],
}

/// Some lines of tiles, numbered through all images, and of those some columns.
#[derive(Clone)]
pub(super) struct Block {
    pub(super) lines: Range<usize>,
    pub(super) columns: Range<usize>,
}

/// The tiles of a block that lie in one image.
struct Segment {
    image: usize,
    tiles: [Range<usize>; 2],
    /// How many tiles of the block come before.
    before: usize,
}

/// Values of a block of tiles at the points: `[point][tile][channel]`.
#[derive(Clone, Copy)]
pub(super) struct Values<T> {
    pub(super) at: Shared<T>,
    /// Distance between points.
    pub(super) step: usize,
    /// Distance between tiles.
    pub(super) row: usize,
}

impl<T> Values<T> {
    /// The same from a tile on.
    pub(super) fn starting_at(self, tile: usize) -> Self {
        Values { at: Shared(self.at.at(tile * self.row)), ..self }
    }
}

/// Memory for values at the points.
pub(super) struct Room<T> {
    pub(super) values: Values<T>,
    _memory: Scratch<T>,
}

impl<T: Float> Room<T> {
    /// Memory for this many lines of `row` elements at each point.
    pub(super) fn new(lines: usize, row: usize) -> Self {
        let step = apart::<T>(lines * row);
        let memory = Scratch::new(PRODUCTS * step);
        Room { values: Values { at: Shared(memory.as_ptr()), step, row }, _memory: memory }
    }
}

/// Elements up to the next odd number of cache lines, so that points do not fall into the same set.
pub(super) fn apart<T>(len: usize) -> usize {
    let line = 64 / size_of::<T>();
    (len.div_ceil(line) | 1) * line
}

impl Grid {
    pub(super) fn new(images: usize, outputs: [usize; 2]) -> Self {
        Grid { images, tiles: outputs.map(|n| n.div_ceil(OUTPUTS)) }
    }

    pub(super) fn lines(&self) -> usize {
        self.images * self.tiles[0]
    }

    pub(super) fn count(&self) -> usize {
        self.lines() * self.tiles[1]
    }

    pub(super) fn all(&self) -> Block {
        Block { lines: 0..self.lines(), columns: 0..self.tiles[1] }
    }

    /// Blocks of at most about `tiles` tiles, of whole lines if those are short; a multiple of `multiple` where lines allow.
    pub(super) fn blocks(&self, tiles: usize, multiple: usize) -> Vec<Block> {
        let width = self.tiles[1].div_ceil(self.tiles[1].div_ceil(tiles.max(1)));
        let height = (tiles / width).clamp(1, self.lines());
        let height = self.lines().div_ceil(self.lines().div_ceil(height).next_multiple_of(multiple));
        let cut = |len: usize, size: usize| (0..len).step_by(size).map(move |i| i..(i + size).min(len));
        let lines = cut(self.lines(), height);
        lines
            .flat_map(|lines| cut(self.tiles[1], width).map(move |columns| Block { lines: lines.clone(), columns }))
            .collect()
    }

    fn segments(&self, block: &Block) -> impl Iterator<Item = Segment> {
        let (height, Block { lines, columns }) = (self.tiles[0], block.clone());
        (lines.start / height..lines.end.div_ceil(height)).map(move |image| {
            let here = lines.start.max(image * height)..lines.end.min((image + 1) * height);
            let before = (here.start - lines.start) * columns.len();
            Segment { image, tiles: [here.start - image * height..here.end - image * height, columns.clone()], before }
        })
    }
}

impl Block {
    pub(super) fn len(&self) -> usize {
        self.lines.len() * self.columns.len()
    }
}

/// The planes that tiles are read from or written to: contiguous `[image, channel, y, x]`.
pub(super) struct Planes<T: 'static> {
    pub(super) transforms: &'static Transforms<T>,
    pub(super) grid: Grid,
    pub(super) size: [usize; 2],
    /// The first pixel of the first tile.
    pub(super) low: [isize; 2],
    /// Pixels of a tile along each dimension.
    pub(super) reach: usize,
    /// Channels of an image.
    pub(super) channels: usize,
}

/// Pixels of one image in lines of channels. Before them stands a line for whatever lies outside of the planes.
struct Window<T> {
    ranges: [Range<usize>; 2],
    lines: *mut T,
    /// Elements of a line.
    row: usize,
}

impl<T> Window<T> {
    /// The line of a pixel.
    fn line(&self, y: isize, x: isize) -> *mut T {
        let [ys, xs] = &self.ranges;
        let inside = |range: &Range<usize>, at: isize| at >= range.start as isize && at < range.end as isize;
        if !inside(ys, y) || !inside(xs, x) {
            return self.lines;
        }
        let (y, x) = (y as usize - ys.start, x as usize - xs.start);
        self.lines.wrapping_add((1 + y * xs.len() + x) * self.row)
    }
}

impl<T: Float> Planes<T> {
    /// Lines of `row` elements for the pixels of any of these blocks; zero.
    pub(super) fn lines(&self, blocks: &[Block], row: usize) -> Scratch<T> {
        let pixels = |block: &Block| {
            let [height, width] = [block.lines.len().min(self.grid.tiles[0]), block.columns.len()];
            let [height, width] = [height, width].map(|tiles| tiles * OUTPUTS + INPUTS);
            height.min(self.size[0]) * width.min(self.size[1])
        };
        let len = (1 + blocks.iter().map(pixels).max().unwrap_or(0)) * row;
        let lines = Scratch::new(len);
        // SAFETY: the scratch holds `len` elements.
        unsafe { std::slice::from_raw_parts_mut(lines.as_ptr(), len) }.fill(T::ZERO);
        lines
    }

    /// The pixels that the tiles of a segment cover.
    fn window(&self, segment: &Segment, lines: *mut T, row: usize) -> Window<T> {
        let ranges = [0, 1].map(|d| {
            let size = self.size[d] as isize;
            let start = (segment.tiles[d].start * OUTPUTS) as isize + self.low[d];
            let end = ((segment.tiles[d].end - 1) * OUTPUTS + self.reach) as isize + self.low[d];
            let start = start.clamp(0, size);
            start as usize..end.clamp(start, size) as usize
        });
        Window { ranges, lines, row }
    }

    /// Runs of pixels that are neighbours in the planes: where each starts in a plane and in the window, and its length.
    fn runs(&self, window: &Window<T>) -> impl Iterator<Item = (usize, usize, usize)> + use<T> {
        let [ys, xs] = window.ranges.clone();
        let width = self.size[1];
        let (count, len) = if xs.len() == width { (1, ys.len() * width) } else { (ys.len(), xs.len()) };
        (0..if len == 0 { 0 } else { count }).map(move |i| ((ys.start + i) * width + xs.start, i * len, len))
    }

    /// The lines of the pixels of a tile.
    fn pixels(&self, window: &Window<T>, i: usize, j: usize) -> [*mut T; PRODUCTS] {
        let mut pixels = [window.lines; PRODUCTS];
        let [y, x] = [(i, 0), (j, 1)].map(|(tile, d)| (tile * OUTPUTS) as isize + self.low[d]);
        for (k, pixel) in pixels.iter_mut().enumerate().take(self.reach * self.reach) {
            *pixel = window.line(y + (k / self.reach) as isize, x + (k % self.reach) as isize);
        }
        pixels
    }

    /// Values at the points of all channels of a block of tiles of `planes`, by way of `lines`.
    ///
    /// # Safety
    /// The planes can be read; `to` has room for the block, and `lines` are those of [`Planes::lines`], used by
    /// nothing but this function.
    pub(super) unsafe fn expand(
        &self,
        transform: unsafe fn(&Expand<'_, T>),
        block: &Block,
        planes: *const T,
        lines: *mut T,
        to: Values<T>,
    ) {
        let size = self.size[0] * self.size[1];
        for segment in self.grid.segments(block) {
            let window = self.window(&segment, lines, to.row);
            let image = planes.wrapping_add(segment.image * self.channels * size);
            for (plane, place, len) in self.runs(&window) {
                let (from, to) = (image.wrapping_add(plane), lines.wrapping_add((1 + place) * to.row));
                let turn = Turn { from, from_row: size, rows: self.channels, columns: len, to, to_row: window.row };
                // SAFETY: the run lies in the planes and in the window.
                unsafe { (self.transforms.turn)(&turn) }
            }
            for (number, i, j) in segment.tiles() {
                let pixels = self.pixels(&window, i, j).map(<*mut T>::cast_const);
                let vectors = to.row / self.transforms.lanes;
                // SAFETY: the lines hold whole vectors, and the caller has room for the tile.
                unsafe { transform(&Expand { from: &pixels, vectors, to: to.at.at(number * to.row), step: to.step }) }
            }
        }
    }

    /// The outputs of a block of tiles, by way of `lines`, to `channels` of the planes; says whether all are finite.
    ///
    /// # Safety
    /// The values can be read, and the bias, unless it is null; `lines` are those of [`Planes::lines`], and these channels
    /// and tiles are written by nobody else.
    pub(super) unsafe fn contract(
        &self,
        block: &Block,
        channels: Range<usize>,
        from: Values<T>,
        bias: *const T,
        lines: *mut T,
        planes: *mut T,
    ) -> bool {
        let size = self.size[0] * self.size[1];
        let mut finite = true;
        for segment in self.grid.segments(block) {
            let window = self.window(&segment, lines, from.row);
            for (number, i, j) in segment.tiles() {
                let to = &self.pixels(&window, i, j);
                let (values, vectors) = (from.at.at(number * from.row), from.row / self.transforms.lanes);
                // SAFETY: the lines have room for whole vectors; the values are the caller's.
                finite &=
                    unsafe { (self.transforms.output)(&Contract { from: values, step: from.step, vectors, bias, to }) };
            }
            let image = planes.wrapping_add((segment.image * self.channels + channels.start) * size);
            for (plane, place, len) in self.runs(&window) {
                let (from, to) = (lines.wrapping_add((1 + place) * window.row), image.wrapping_add(plane));
                let turn = Turn { from, from_row: window.row, rows: len, columns: channels.len(), to, to_row: size };
                // SAFETY: the run lies in the window and in the planes.
                unsafe { (self.transforms.turn)(&turn) }
            }
        }
        finite
    }
}

impl Segment {
    /// The number of each tile in the block, and its place in the plane.
    fn tiles(&self) -> impl Iterator<Item = (usize, usize, usize)> {
        let (before, [lines, columns]) = (self.before, self.tiles.clone());
        let pairs = lines.flat_map(move |i| columns.clone().map(move |j| (i, j)));
        pairs.enumerate().map(move |(number, (i, j))| (before + number, i, j))
    }
}
