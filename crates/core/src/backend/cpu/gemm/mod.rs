//! Matrix products: `C = relu(alpha * op(A) op(B) + beta * C + bias)`, batched, with any strides.
//!
//! | shape | way |
//! |---|---|
//! | one to four rows, contiguous columns | scalar products (`dot`) |
//! | one row, contiguous rows | vectors of sums, nothing packed |
//! | small, or few columns for one thread | tiles, only a strided right operand packed |
//! | everything else | both operands packed in blocks (`blocked`) |
//!
//! A product whose result has contiguous rows is computed as its transpose; one whose result is strided both ways is
//! computed apart. The element types are `f32` and `f64` ([`Gemm::run`]), half precision, which is converted whole and
//! accumulated in `f32` ([`Gemm::run_half`]), and integers, which wrap ([`Gemm::run_integer`]).
#![allow(unsafe_code)] // Kernels on raw pointers with strides.

mod blocked;
pub(super) mod dot;
mod half;
mod integer;
pub(crate) mod kernels;
pub(super) mod pack;
pub(super) mod problem;
pub(super) mod small;
pub(super) mod tile;

#[cfg(test)]
pub(super) mod tests;

use std::ptr::null;

use problem::{Problem, View};
use tile::Finish;

use super::float::Float;
use crate::pool::{num_threads, parallel_for};

pub use integer::Integer;

/// A batch of matrices to be read. Strides count elements and may be zero or negative.
#[derive(Debug, Clone, Copy)]
pub struct Mat<T> {
    /// The first element of the first matrix.
    pub ptr: *const T,
    /// Distance between rows.
    pub row_stride: isize,
    /// Distance between columns.
    pub column_stride: isize,
    /// Distances along the two batch dimensions.
    pub batch_strides: [isize; 2],
}

/// A batch of matrices to be written. Elements must not overlap.
#[derive(Debug, Clone, Copy)]
pub struct MatMut<T> {
    /// The first element of the first matrix.
    pub ptr: *mut T,
    /// Distance between rows.
    pub row_stride: isize,
    /// Distance between columns.
    pub column_stride: isize,
    /// Distances along the two batch dimensions.
    pub batch_strides: [isize; 2],
}

/// A contiguous vector that is added to every matrix of the result.
#[derive(Debug, Clone, Copy)]
pub enum Bias<T> {
    /// `m` elements: one for each row.
    Row(*const T),
    /// `n` elements: one for each column, as in a linear layer.
    Column(*const T),
}

/// `C = relu(alpha * A B + beta * C + bias)` for each matrix of a batch of `batch[0] * batch[1]`.
///
/// With `beta` zero, `C` is not read: whatever it holds is overwritten. With `k` zero the product is zero.
#[derive(Debug, Clone, Copy)]
pub struct Gemm<T> {
    /// Rows of `A` and `C`.
    pub m: usize,
    /// Columns of `B` and `C`.
    pub n: usize,
    /// Columns of `A` and rows of `B`.
    pub k: usize,
    /// Sizes of the two batch dimensions; `[1, 1]` for a single product.
    pub batch: [usize; 2],
    /// The left operand.
    pub a: Mat<T>,
    /// The right operand.
    pub b: Mat<T>,
    /// The result.
    pub c: MatMut<T>,
    /// Scales the product.
    pub alpha: T,
    /// Scales what `C` held.
    pub beta: T,
    /// Added once.
    pub bias: Option<Bias<T>>,
    /// Whether negative results become zero; not-a-number stays.
    pub relu: bool,
}

/// Multiplications below which a task is not worth its hand-over.
const TASK_WORK: usize = 50_000;

impl<T> Mat<T> {
    /// A single matrix.
    pub fn new(ptr: *const T, row_stride: isize, column_stride: isize) -> Self {
        Mat { ptr, row_stride, column_stride, batch_strides: [0, 0] }
    }

    /// The same with distances along the batch dimensions.
    pub fn batched(self, batch_strides: [isize; 2]) -> Self {
        Mat { batch_strides, ..self }
    }
}

impl<T> MatMut<T> {
    /// A single matrix.
    pub fn new(ptr: *mut T, row_stride: isize, column_stride: isize) -> Self {
        MatMut { ptr, row_stride, column_stride, batch_strides: [0, 0] }
    }

    /// The same with distances along the batch dimensions.
    pub fn batched(self, batch_strides: [isize; 2]) -> Self {
        MatMut { batch_strides, ..self }
    }
}

/// The distance to a matrix of a batch, by its number.
fn batch_offset(strides: [isize; 2], batch: [usize; 2], index: usize) -> isize {
    match batch[0] {
        // Divisions take longer than a small product.
        1 => index as isize * strides[1],
        _ => (index / batch[1]) as isize * strides[0] + (index % batch[1]) as isize * strides[1],
    }
}

impl<T: Float> Gemm<T> {
    /// `C = A B` for single matrices; the other parts are fields to be set.
    pub fn new([m, n, k]: [usize; 3], a: Mat<T>, b: Mat<T>, c: MatMut<T>) -> Self {
        Gemm { m, n, k, batch: [1, 1], a, b, c, alpha: T::ONE, beta: T::ZERO, bias: None, relu: false }
    }

    /// Computes the product on as many threads as pay.
    ///
    /// The result does not depend on the number of threads.
    ///
    /// # Safety
    /// All elements that sizes and strides name must lie in memory that is valid to read, for `c` also to write;
    /// elements of `c` must be distinct and overlap nothing else.
    pub unsafe fn run(&self) {
        // SAFETY: the caller's promise.
        unsafe { self.run_with(T::kernels()) }
    }

    /// The same with given kernels.
    ///
    /// # Safety
    /// As for [`Gemm::run`], and the processor must be able to run `kernels`.
    pub(crate) unsafe fn run_with(&self, kernels: &'static kernels::Kernels<T>) {
        let gemm = self.folded().folded();
        let batch = gemm.batch[0] * gemm.batch[1];
        if gemm.m == 0 || gemm.n == 0 || batch == 0 {
            return;
        }
        let work = gemm.problem(0, 1, kernels).work();
        // Few large products are shared out one by one; many are dealt out whole.
        let one_by_one = batch < 2 * num_threads() && work > 8 * TASK_WORK;
        let (threads, grain) = if one_by_one { (num_threads(), batch) } else { (1, (TASK_WORK / work).max(1)) };
        parallel_for(batch, grain, &|range| {
            for index in range {
                // SAFETY: the caller's promise; the matrices of `c` are disjoint.
                unsafe { gemm.problem(index, threads, kernels).run() }
            }
        });
    }

    /// One product of the batch, for this many threads.
    fn problem(&self, index: usize, threads: usize, kernels: &'static kernels::Kernels<T>) -> Problem<T> {
        let offset = |strides| batch_offset(strides, self.batch, index);
        let view = |mat: &Mat<T>| View {
            ptr: mat.ptr.wrapping_offset(offset(mat.batch_strides)),
            row: mat.row_stride,
            column: mat.column_stride,
        };
        let (row_bias, column_bias) = match self.bias {
            None => (null(), null()),
            Some(Bias::Row(ptr)) => (ptr, null()),
            Some(Bias::Column(ptr)) => (null(), ptr),
        };
        Problem {
            m: self.m,
            n: self.n,
            k: self.k,
            a: view(&self.a),
            b: view(&self.b),
            c: self.c.ptr.wrapping_offset(offset(self.c.batch_strides)),
            c_strides: [self.c.row_stride, self.c.column_stride],
            finish: Finish { alpha: self.alpha, beta: self.beta, row_bias, column_bias, relu: self.relu },
            threads,
            kernels,
        }
    }

    /// A batch whose matrices follow one another as rows of one larger matrix, with the same right operand, is one
    /// product: a linear layer on a sequence. Folds the inner batch dimension and brings the outer one in its place.
    fn folded(mut self) -> Self {
        let (rows, inner) = (self.m as isize, self.batch[1]);
        let joins = self.a.batch_strides[1] == rows * self.a.row_stride
            && self.b.batch_strides[1] == 0
            && self.c.batch_strides[1] == rows * self.c.row_stride;
        if inner == 1 || (joins && !matches!(self.bias, Some(Bias::Row(_)))) {
            self.m *= inner;
            self.batch = [1, self.batch[0]];
            for strides in [&mut self.a.batch_strides, &mut self.b.batch_strides, &mut self.c.batch_strides] {
                *strides = [0, strides[0]];
            }
        }
        self
    }
}

// SAFETY: a description; whoever runs it answers for its pointers.
unsafe impl<T: Send> Send for Gemm<T> {}
// SAFETY: as above.
unsafe impl<T: Sync> Sync for Gemm<T> {}
