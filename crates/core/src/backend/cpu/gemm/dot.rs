//! Scalar products, for a few rows times a matrix whose columns are contiguous: a linear layer on a small batch.

use super::tile::Finish;
use crate::backend::cpu::float::Float;
use crate::backend::cpu::simd::Simd;

/// The most rows a kernel takes.
pub(crate) const ROWS: usize = 4;

/// Columns that a kernel takes at once, by the number of rows less one: enough sums to hide the latency of an addition.
pub(crate) const COLUMNS: [usize; ROWS] = [8, 4, 4, 4];

/// A few rows by a few columns of the product; everything is contiguous along the sum.
pub(crate) struct Dot<T> {
    pub(crate) depth: usize,
    pub(crate) a: *const T,
    /// Distance between rows of `a`.
    pub(crate) a_stride: isize,
    pub(crate) b: *const T,
    /// Distance between columns of `b`.
    pub(crate) b_stride: isize,
    pub(crate) c: *mut T,
    /// Distance between rows of `c`.
    pub(crate) c_stride: isize,
    pub(crate) finish: Finish<T>,
}

/// Computes `R` rows by `C` columns.
///
/// # Safety
/// The processor has the instruction set of `S`; `d.depth` elements can be read from each row and column; the elements
/// of `c` are not used by anyone else.
#[inline(always)]
pub(crate) unsafe fn multiply<S: Simd, const R: usize, const C: usize>(d: &Dot<S::Elem>) {
    // SAFETY: the caller's promise covers every access below.
    unsafe {
        let mut sums = [[S::splat(S::Elem::ZERO); C]; R];
        let mut p = 0;
        while p < d.depth {
            let count = (d.depth - p).min(S::LANES);
            let whole = count == S::LANES;
            let mut x = [S::splat(S::Elem::ZERO); R];
            for (i, x) in x.iter_mut().enumerate() {
                let from = d.a.offset(i as isize * d.a_stride).add(p);
                *x = if whole { S::load(from) } else { S::load_first(from, count) };
            }
            let mut y = [S::splat(S::Elem::ZERO); C];
            for (j, y) in y.iter_mut().enumerate() {
                let from = d.b.offset(j as isize * d.b_stride).add(p);
                *y = if whole { S::load(from) } else { S::load_first(from, count) };
            }
            for (x, sums) in x.iter().zip(&mut sums) {
                for (y, sum) in y.iter().zip(sums) {
                    *sum = x.mul_add(*y, *sum);
                }
            }
            p += count;
        }
        for (i, sums) in sums.iter().enumerate() {
            for (j, sum) in sums.iter().enumerate() {
                d.finish.element(sum.sum(), d.c.offset(i as isize * d.c_stride).add(j), i, j);
            }
        }
    }
}

/// Scalar products of one sequence of lines with several others, found through a table of distances.
pub(crate) struct Lines<T> {
    /// Elements of a line, and number of lines.
    pub(crate) sizes: [usize; 2],
    pub(crate) a: *const T,
    /// Distance between lines of `a`.
    pub(crate) a_line: isize,
    /// Where each of the others starts, from `a` on.
    pub(crate) offsets: *const isize,
    /// Its lines follow one another.
    pub(crate) b: *const T,
    /// The products are added to these.
    pub(crate) sums: *mut T,
}

/// Adds `R` products.
///
/// # Safety
/// The processor has the instruction set of `S`; the lines can be read; the sums are not used by anyone else.
#[inline(always)]
pub(crate) unsafe fn add_lines<S: Simd, const R: usize>(d: &Lines<S::Elem>) {
    let [len, lines] = d.sizes;
    // SAFETY: the caller's promise covers every access below.
    unsafe {
        let offsets = d.offsets.cast::<[isize; R]>().read();
        let mut sums = [S::splat(S::Elem::ZERO); R];
        for line in 0..lines {
            let (a, b) = (d.a.offset(line as isize * d.a_line), d.b.add(line * len));
            let mut x = 0;
            while x + S::LANES <= len {
                let y = S::load(b.add(x));
                for (sum, offset) in sums.iter_mut().zip(offsets) {
                    *sum = S::load(a.offset(offset).add(x)).mul_add(y, *sum);
                }
                x += S::LANES;
            }
            if x < len {
                let y = S::load_first(b.add(x), len - x);
                for (sum, offset) in sums.iter_mut().zip(offsets) {
                    *sum = S::load_first(a.offset(offset).add(x), len - x).mul_add(y, *sum);
                }
            }
        }
        for (i, sum) in sums.into_iter().enumerate() {
            *d.sums.add(i) += sum.sum();
        }
    }
}
