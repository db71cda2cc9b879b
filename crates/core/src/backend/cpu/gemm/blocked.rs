//! Large products: both operands packed, in blocks that fit the caches.
//!
//! The result is cut into parts that share nothing: a line that another core has just written takes longer to come than
//! to be packed again. A part packs a block of the right operand, which stays in the second level cache. Then it runs
//! down the left one: it packs a panel of rows, which stays in the first level cache, and multiplies it with every panel
//! of the block. So tiles follow one another along rows of the result, which are neighbours in memory where rows a power
//! of two apart have few places in a cache. How the sum is cut depends on `k` alone, so results do not depend on the
//! number of threads.

use std::ops::Range;

use super::pack::Pack;
use super::problem::{Problem, View};
use super::small::{self, height};
use super::tile::Tile;
use crate::backend::cpu::float::Float;
use crate::backend::cpu::scratch::Scratch;
use crate::pool::parallel_for;

/// Bytes of a block of the right operand for each element of a vector: less than half of a second level cache, which is
/// larger where vectors are wider.
const BLOCK_BYTES: usize = 12 << 10;

/// Multiplications worth a task of their own.
const TASK_WORK: usize = 200_000;

/// How the rows of the left operand, or the columns of the right one, are cut into panels.
struct Panels {
    total: usize,
    /// Rows or columns of a panel.
    unit: usize,
    /// Panels are filled up to a multiple of this.
    multiple: usize,
}

impl Panels {
    fn rows<T: Float>(p: &Problem<T>) -> Self {
        Panels { total: p.m, unit: height(p.m, p.kernels.rows()), multiple: 1 }
    }

    fn columns<T: Float>(p: &Problem<T>) -> Self {
        Panels { total: p.n, unit: p.kernels.columns(), multiple: p.kernels.lanes }
    }

    fn count(&self) -> usize {
        self.total.div_ceil(self.unit)
    }

    /// The rows or columns of panel `index`.
    fn range(&self, index: usize) -> Range<usize> {
        index * self.unit..((index + 1) * self.unit).min(self.total)
    }

    /// The rows or columns of one of `parts`, whose panels differ in number by one at most.
    fn part(&self, parts: usize, index: usize) -> Range<usize> {
        let cut = |index: usize| (index * self.count() / parts * self.unit).min(self.total);
        cut(index)..cut(index + 1)
    }

    /// Elements that all panels take for `depth` steps of the sum.
    fn packed(&self, depth: usize) -> usize {
        self.total.next_multiple_of(self.multiple) * depth
    }

    /// Packs panel `index` of an operand along whose rows the sum runs.
    unsafe fn pack<T: Float>(&self, p: &Problem<T>, index: usize, operand: View<T>, sum: Range<usize>, to: *mut T) {
        let range = self.range(index);
        let pack = Pack {
            from: operand.at(range.start, sum.start),
            across: operand.row,
            along: operand.column,
            width: range.len(),
            padded: range.len().next_multiple_of(self.multiple),
            depth: sum.len(),
            to,
        };
        // SAFETY: the panel lies in the operand, and the caller has room for it.
        unsafe { (p.kernels.pack)(&pack) }
    }
}

/// Computes the product.
///
/// # Safety
/// As for [`Problem::run`]; the columns of `c` are contiguous.
pub(super) unsafe fn multiply<T: Float>(p: &Problem<T>) {
    let (rows, columns) = (Panels::rows(p), Panels::columns(p));
    let [down, across] = parts(p, &rows, &columns);
    parallel_for(down * across, 1, &|range| {
        for index in range {
            let part = p.rows(rows.part(down, index / across)).columns(columns.part(across, index % across));
            let part = Problem { threads: 1, ..part };
            // SAFETY: the caller's promise; the parts of `c` are disjoint.
            unsafe { if part.is_narrow() { small::direct(&part) } else { block(&part) } }
        }
    });
}

/// Into how many parts the rows and the columns of the product are cut: of the cuts that give every thread one part, the
/// one for which a thread packs least. Columns that do not fit the cache are cut further, and for each of these parts all
/// rows are packed again.
fn parts<T: Float>(p: &Problem<T>, rows: &Panels, columns: &Panels) -> [usize; 2] {
    let threads = p.threads.min(p.work() / TASK_WORK).max(1);
    let fit = (BLOCK_BYTES * p.kernels.lanes / p.depth() / columns.unit).max(1);
    let blocks = |across: usize| columns.count().div_ceil(across).div_ceil(fit);
    // Rows first: they are transposed more often, which takes longer than to copy.
    let cuts = (1..=threads).rev().filter(|&down| threads.is_multiple_of(down)).map(|down| [down, threads / down]);
    let cuts = cuts.map(|[down, across]| [down.min(rows.count()), across.min(columns.count())]);
    let least = cuts.min_by_key(|&[down, across]| p.m / down * blocks(across) + p.n / across);
    let [down, across] = least.unwrap_or([1, 1]);
    [down, (across * blocks(across)).min(columns.count())]
}

/// Computes a part whose block of the right operand fits the cache.
unsafe fn block<T: Float>(p: &Problem<T>) {
    let (rows, columns) = (Panels::rows(p), Panels::columns(p));
    let most = p.depth();
    let (a, b) = (Scratch::<T>::new(rows.unit * most), Scratch::<T>::new(columns.packed(most)));
    let mut start = 0;
    loop {
        // Nothing if the sum is empty: then there is still the bias, and `c` to be scaled.
        let sum = start..p.k.min(start + most);
        let p = &Problem { finish: p.finish.stage(start == 0, sum.end == p.k), ..*p };
        let place = |panel: usize| b.as_ptr().wrapping_add(panel * columns.unit * sum.len());
        // SAFETY: the scratches hold the panels; each tile of `c` is visited once.
        unsafe {
            for j in 0..columns.count() {
                columns.pack(p, j, p.b.transposed(), sum.clone(), place(j));
            }
            for i in 0..rows.count() {
                rows.pack(p, i, p.a, sum.clone(), a.as_ptr());
                for j in 0..columns.count() {
                    tile(p, [rows.range(i), columns.range(j)], sum.len(), [a.as_ptr(), place(j)]);
                }
            }
        }
        start = sum.end;
        if start == p.k {
            break;
        }
    }
}

/// One panel times another.
unsafe fn tile<T: Float>(p: &Problem<T>, [rows, columns]: [Range<usize>; 2], depth: usize, [a, b]: [*const T; 2]) {
    let vectors = columns.len().div_ceil(p.kernels.lanes);
    // SAFETY: both panels are packed for these rows and columns, which lie inside `c`.
    unsafe {
        p.kernels.packed[rows.len() - 1][vectors - 1](&Tile {
            depth,
            lines: (1, 0),
            a,
            a_strides: [0, 0],
            b,
            b_stride: (vectors * p.kernels.lanes) as isize,
            offsets: std::ptr::null(),
            c: p.c.offset(rows.start as isize * p.c_strides[0]).add(columns.start),
            c_stride: p.c_strides[0],
            last: columns.len() - (vectors - 1) * p.kernels.lanes,
            finish: p.finish.at(rows.start, columns.start),
        });
    }
}
