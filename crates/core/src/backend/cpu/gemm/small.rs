//! Products that are too small or too thin for packing to pay.

use std::ops::Range;

use super::dot::{self, Dot};
use super::kernels::ROW_VECTORS;
use super::pack::Pack;
use super::problem::Problem;
use super::tile::Tile;
use crate::backend::cpu::float::Float;
use crate::backend::cpu::scratch::Scratch;
use crate::pool::parallel_for;

/// Elements of the right operand that are worth a task of their own. They are read once: what counts is memory.
const TASK_ELEMENTS: usize = 1 << 15;

/// A few rows times contiguous columns.
pub(super) fn suits_dot<T: Float>(p: &Problem<T>) -> bool {
    p.m <= dot::ROWS && p.b.row == 1 && p.k >= 2 * p.kernels.lanes
}

/// Cuts `m` rows into equal heights of at most `most`.
pub(crate) fn height(m: usize, most: usize) -> usize {
    if m <= most { m.max(1) } else { m.div_ceil(m.div_ceil(most)) }
}

/// `range.step_by(step)` without the division with which that begins: it takes longer than a row of a small product.
fn steps(range: Range<usize>, step: usize) -> impl Iterator<Item = usize> {
    let mut next = range.start;
    std::iter::from_fn(move || {
        let at = next;
        next += step;
        (at < range.end).then_some(at)
    })
}

/// Up to [`dot::ROWS`] rows times a matrix with contiguous columns.
///
/// # Safety
/// As for [`Problem::run`]; [`suits_dot`] holds.
pub(super) unsafe fn dot<T: Float>(p: &Problem<T>) {
    let mut a = p.a;
    let copy = Scratch::new(if a.column == 1 { 0 } else { p.m * p.k });
    if a.column != 1 {
        // SAFETY: the scratch holds `m` rows of `k`.
        unsafe { copy_rows(p, copy.as_ptr()) };
        (a.ptr, a.row, a.column) = (copy.as_ptr(), p.k as isize, 1);
    }
    let p = &Problem { a, ..*p };
    let kernels = &p.kernels.dot[p.m - 1];
    let columns = dot::COLUMNS[p.m - 1];
    let grain = (TASK_ELEMENTS / p.k.max(1)).max(1).next_multiple_of(columns);
    parallel_for(p.n, grain, &|range| {
        let mut j = range.start;
        while j < range.end {
            let (kernel, step) = if range.end - j >= columns { (kernels[1], columns) } else { (kernels[0], 1) };
            // SAFETY: `step` columns from `j` on belong to this task alone, and the kernel takes `m` rows by `step`.
            unsafe {
                kernel(&Dot {
                    depth: p.k,
                    a: p.a.ptr,
                    a_stride: p.a.row,
                    b: p.b.at(0, j),
                    b_stride: p.b.column,
                    c: p.c.add(j),
                    c_stride: p.c_strides[0],
                    finish: p.finish.at(0, j),
                });
            }
            j += step;
        }
    });
}

/// Makes the rows of the left operand contiguous.
unsafe fn copy_rows<T: Float>(p: &Problem<T>, to: *mut T) {
    for i in 0..p.m {
        for q in 0..p.k {
            // SAFETY: the caller's scratch, and the caller's operand.
            unsafe { *to.add(i * p.k + q) = *p.a.at(i, q) }
        }
    }
}

/// One row times a matrix with contiguous rows.
///
/// # Safety
/// As for [`Problem::run`]; `m` is one and the columns of `b` are neighbours.
pub(super) unsafe fn row<T: Float>(p: &Problem<T>) {
    let strip = ROW_VECTORS * p.kernels.lanes;
    let grain = (TASK_ELEMENTS / p.k.max(1)).max(1).next_multiple_of(strip);
    parallel_for(p.n, grain, &|range| {
        let mut j = range.start;
        while range.end - j >= strip {
            // SAFETY: the strip belongs to this task alone.
            unsafe { (p.kernels.row)(&tile(p, (0, j), (p.b.at(0, j), p.b.row), 0..p.k, p.kernels.lanes)) }
            j += strip;
        }
        // SAFETY: as above; the columns that are left.
        unsafe { columns(p, j, range.end) }
    });
}

/// Any product, without packing what can be read in place. The sum is cut as `blocked` cuts it.
///
/// # Safety
/// As for [`Problem::run`]; the columns of `c` are contiguous.
pub(super) unsafe fn direct<T: Float>(p: &Problem<T>) {
    // SAFETY: the caller's promise.
    unsafe { columns(p, 0, p.n) }
}

/// All rows of some columns of the product, on this thread.
unsafe fn columns<T: Float>(p: &Problem<T>, start: usize, end: usize) {
    let (depth, in_place) = (p.depth(), p.b.column == 1);
    let packed = (!in_place).then(|| Scratch::new(depth * p.kernels.columns()));
    for j in steps(start..end, p.kernels.columns()) {
        let width = (end - j).min(p.kernels.columns());
        // Once even if the sum is empty, for the bias and the scaling of `c`.
        for from in steps(0..p.k.max(1), depth) {
            let sum = from..p.k.min(from + depth);
            let (mut b, mut b_stride) = (p.b.at(from, j), p.b.row);
            if let Some(packed) = &packed {
                let (across, along, to) = (p.b.column, p.b.row, packed.as_ptr());
                let padded = vectors(p, width) * p.kernels.lanes;
                let panel = Pack { from: b, across, along, width, padded, depth: sum.len(), to };
                // SAFETY: the scratch holds `depth` rows of the widest tile.
                unsafe { (p.kernels.pack)(&panel) }
                (b, b_stride) = (to, padded as isize);
            }
            // SAFETY: the tiles of `c` are disjoint and the caller's.
            unsafe { rows(p, (b, b_stride), sum, j..j + width) }
        }
    }
}

/// Vectors of a tile that is `width` columns wide.
fn vectors<T: Float>(p: &Problem<T>, width: usize) -> usize {
    if width > p.kernels.lanes { 2 } else { 1 }
}

/// All rows of the columns of a tile, with a part of the sum.
unsafe fn rows<T: Float>(p: &Problem<T>, b: (*const T, isize), sum: Range<usize>, columns: Range<usize>) {
    let height = height(p.m, p.kernels.direct.len());
    let vectors = vectors(p, columns.len());
    let last = columns.len() - (vectors - 1) * p.kernels.lanes;
    for i in steps(0..p.m, height) {
        let kernel = p.kernels.direct[(p.m - i).min(height) - 1][vectors - 1];
        // SAFETY: the caller's promise.
        unsafe { kernel(&tile(p, (i, columns.start), b, sum.clone(), last)) }
    }
}

/// A tile at a place of the result, with its left operand in place.
fn tile<T: Float>(
    p: &Problem<T>,
    (i, j): (usize, usize),
    (b, b_stride): (*const T, isize),
    sum: Range<usize>,
    last: usize,
) -> Tile<T> {
    Tile {
        depth: sum.len(),
        lines: (1, 0),
        a: p.a.at(i, sum.start),
        a_strides: [p.a.row, p.a.column],
        b,
        b_stride,
        offsets: std::ptr::null(),
        c: p.c.wrapping_offset(i as isize * p.c_strides[0]).wrapping_add(j),
        c_stride: p.c_strides[0],
        last,
        finish: p.finish.stage(sum.start == 0, sum.end == p.k).at(i, j),
    }
}
