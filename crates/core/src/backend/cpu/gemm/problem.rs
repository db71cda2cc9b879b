//! One matrix product, in the form that the kernels want: columns of the result contiguous.

use std::ops::Range;

use super::kernels::Kernels;
use super::tile::Finish;
use super::{blocked, small};
use crate::backend::cpu::float::Float;
use crate::backend::cpu::scratch::Scratch;

/// A matrix to be read.
#[derive(Clone, Copy)]
pub(crate) struct View<T> {
    pub(crate) ptr: *const T,
    /// Distance between rows.
    pub(crate) row: isize,
    /// Distance between columns.
    pub(crate) column: isize,
}

impl<T> View<T> {
    /// The part that starts at (`row`, `column`).
    #[inline(always)]
    pub(crate) fn at(&self, row: usize, column: usize) -> *const T {
        self.ptr.wrapping_offset(row as isize * self.row + column as isize * self.column)
    }

    pub(crate) fn transposed(self) -> Self {
        View { ptr: self.ptr, row: self.column, column: self.row }
    }
}

/// `c = finish(a b)`, with `a` of `m` by `k` and `b` of `k` by `n`.
#[derive(Clone, Copy)]
pub(crate) struct Problem<T: Float> {
    pub(crate) m: usize,
    pub(crate) n: usize,
    pub(crate) k: usize,
    pub(crate) a: View<T>,
    pub(crate) b: View<T>,
    pub(crate) c: *mut T,
    /// Distances between rows and between columns of `c`.
    pub(crate) c_strides: [isize; 2],
    pub(crate) finish: Finish<T>,
    /// How many threads may share the work.
    pub(crate) threads: usize,
    pub(crate) kernels: &'static Kernels<T>,
}

// SAFETY: a problem is a description; whoever runs it answers for its pointers, and tasks write disjoint parts of `c`.
unsafe impl<T: Float> Send for Problem<T> {}
// SAFETY: as above.
unsafe impl<T: Float> Sync for Problem<T> {}

/// Multiplications below which one thread packs nothing that it can read in place.
const SMALL: usize = 48 * 48 * 48;

/// Panels of columns up to which packing costs one thread more than it saves.
const FEW_PANELS: usize = 8;

/// Bytes of one packed panel element row after row: how long a sum runs before it goes to memory.
const DEPTH_BYTES: usize = 1536;

/// Rows at multiples of so many vectors have few places in the first level cache.
const CLASH: usize = 32;

impl<T: Float> Problem<T> {
    /// Multiplications in the product.
    pub(crate) fn work(&self) -> usize {
        self.m.saturating_mul(self.n).saturating_mul(self.k.max(1))
    }

    /// Computes the product.
    ///
    /// # Safety
    /// Every element of the operands can be read, and every element of `c` read and written by this call alone.
    pub(crate) unsafe fn run(mut self) {
        // One row or column has no distance to the next.
        if self.n == 1 {
            self.c_strides[1] = 1;
        }
        if self.m == 1 {
            self.c_strides[0] = self.n as isize;
        }
        let column_of_many = self.n == 1 && self.m > 1;
        let transposable = self.c_strides[0] == 1 || self.m == 1;
        // SAFETY: the caller's promise, passed on in another order or for a result of our own.
        unsafe {
            match self.c_strides {
                [1, _] if column_of_many => self.transposed().run_rows(),
                [_, 1] if !column_of_many => self.run_rows(),
                [1, _] if transposable && self.m > 1 => self.transposed().run_rows(),
                _ => self.run_apart(),
            }
        }
    }

    /// The part of the product with these rows of `c`.
    pub(crate) fn rows(&self, rows: Range<usize>) -> Self {
        let a = View { ptr: self.a.at(rows.start, 0), ..self.a };
        let c = self.c.wrapping_offset(rows.start as isize * self.c_strides[0]);
        Problem { m: rows.len(), a, c, finish: self.finish.at(rows.start, 0), ..*self }
    }

    /// The part of the product with these columns of `c`.
    pub(crate) fn columns(&self, columns: Range<usize>) -> Self {
        let b = View { ptr: self.b.at(0, columns.start), ..self.b };
        let c = self.c.wrapping_offset(columns.start as isize * self.c_strides[1]);
        Problem { n: columns.len(), b, c, finish: self.finish.at(0, columns.start), ..*self }
    }

    /// The same product read the other way round: `c^T = b^T a^T`.
    fn transposed(self) -> Self {
        let finish = Finish { row_bias: self.finish.column_bias, column_bias: self.finish.row_bias, ..self.finish };
        let [row, column] = self.c_strides;
        Problem {
            m: self.n,
            n: self.m,
            a: self.b.transposed(),
            b: self.a.transposed(),
            c_strides: [column, row],
            finish,
            ..self
        }
    }

    /// How long a sum runs before it goes to memory: a matter of `k` alone, so that results do not depend on who computes them.
    pub(super) fn depth(&self) -> usize {
        small::height(self.k, DEPTH_BYTES / size_of::<T>())
    }

    /// Whether one thread had better read both operands in place: for few columns, each of which is read often.
    pub(super) fn is_narrow(&self) -> bool {
        let clashes = self.b.column == 1 && self.b.row.unsigned_abs().is_multiple_of(CLASH * self.kernels.lanes);
        self.threads == 1 && self.n <= FEW_PANELS * self.kernels.columns() && !clashes
    }

    /// Computes the product beside `c`, then finishes element by element: for a `c` that is strided both ways.
    unsafe fn run_apart(self) {
        let apart = Scratch::new(self.m * self.n);
        let (c, finish) = (apart.as_ptr(), Finish::OVERWRITE);
        // SAFETY: the scratch holds `m` rows of `n`; the rest is the caller's promise.
        unsafe {
            Problem { c, c_strides: [self.n as isize, 1], finish, ..self }.run();
            for i in 0..self.m {
                for j in 0..self.n {
                    let to = self.c.offset(i as isize * self.c_strides[0] + j as isize * self.c_strides[1]);
                    self.finish.element(*c.add(i * self.n + j), to, i, j);
                }
            }
        }
    }

    /// Chooses the way for a `c` whose columns are contiguous.
    unsafe fn run_rows(self) {
        // SAFETY: the caller's promise; each way is told apart by what it requires of the strides.
        unsafe {
            if small::suits_dot(&self) {
                small::dot(&self);
            } else if self.m == 1 && self.b.column == 1 {
                small::row(&self);
            } else if self.work() <= SMALL || self.is_narrow() {
                small::direct(&self);
            } else {
                blocked::multiply(&self);
            }
        }
    }
}
