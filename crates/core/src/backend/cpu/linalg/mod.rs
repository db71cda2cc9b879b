//! Factorizations of batches of matrices, in double precision whatever the tensors' own: each is one function of
//! row-major matrices, and the matrices of a batch are shared among threads.
//!
//! Golub and Van Loan, *Matrix Computations*, 4th edition, is the source of the algorithms.

mod cholesky;
mod eigh;
mod lu;
mod qr;
mod svd;
mod triangular;

use crate::backend::Factor;
use crate::tensor::Body;

/// A row-major matrix.
#[derive(Clone, Copy)]
struct Matrix<'a> {
    data: &'a [f64],
    rows: usize,
    columns: usize,
}

impl<'a> Matrix<'a> {
    fn row(self, i: usize) -> &'a [f64] {
        &self.data[i * self.columns..(i + 1) * self.columns]
    }

    fn at(self, i: usize, j: usize) -> f64 {
        self.data[i * self.columns + j]
    }
}

/// A row-major matrix that is written.
struct MatrixMut<'a> {
    data: &'a mut [f64],
    columns: usize,
}

impl MatrixMut<'_> {
    fn row(&self, i: usize) -> &[f64] {
        &self.data[i * self.columns..(i + 1) * self.columns]
    }

    fn row_mut(&mut self, i: usize) -> &mut [f64] {
        &mut self.data[i * self.columns..(i + 1) * self.columns]
    }

    fn at(&mut self, i: usize, j: usize) -> &mut f64 {
        &mut self.data[i * self.columns + j]
    }

    fn swap_rows(&mut self, i: usize, j: usize) {
        if i != j {
            let (first, second) = (i.min(j), i.max(j));
            let (above, below) = self.data.split_at_mut(second * self.columns);
            above[first * self.columns..(first + 1) * self.columns].swap_with_slice(&mut below[..self.columns]);
        }
    }

    /// `row[i] += factor * row[j]` from column `from` on.
    fn add_row(&mut self, i: usize, j: usize, factor: f64, from: usize) {
        let n = self.columns;
        let (target, source) = if i < j {
            let (above, below) = self.data.split_at_mut(j * n);
            (&mut above[i * n..(i + 1) * n], &below[..n])
        } else {
            let (above, below) = self.data.split_at_mut(i * n);
            (&mut below[..n], &above[j * n..(j + 1) * n])
        };
        target[from..].iter_mut().zip(&source[from..]).for_each(|(t, s)| *t += factor * s);
    }
}

#[inline]
fn dot(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(x, y)| x * y).sum()
}

/// The largest size of an element, and NaN where there is one.
fn largest(data: &[f64]) -> f64 {
    data.iter().fold(0.0, |most: f64, x| if x.is_nan() || most.is_nan() { f64::NAN } else { most.max(x.abs()) })
}

/// One place of a batch in a contiguous body of matrices.
struct Place<'a> {
    body: &'a Body,
    batch: usize,
}

impl Place<'_> {
    fn size(&self, from_the_end: usize) -> usize {
        self.body.shape[self.body.shape.len() - from_the_end]
    }

    /// # Safety
    /// The body is contiguous `[batch, rows, columns]` of float64, and locked.
    unsafe fn matrix(&self) -> Matrix<'_> {
        let (rows, columns) = (self.size(2), self.size(1));
        let start = self.body.ptr().cast::<f64>().wrapping_add(self.batch * rows * columns);
        Matrix { data: unsafe { std::slice::from_raw_parts(start.cast_const(), rows * columns) }, rows, columns }
    }

    /// # Safety
    /// As [`Place::matrix`], for `[batch, length]` of int32.
    unsafe fn integers(&self, length: usize) -> &[i32] {
        let start = self.body.ptr().cast::<i32>().wrapping_add(self.batch * length);
        unsafe { std::slice::from_raw_parts(start, length) }
    }

    /// # Safety
    /// As [`Place::matrix`], locked for writing, and this place of the batch belongs to this task.
    #[allow(clippy::mut_from_ref, reason = "the exclusive lock stands for the exclusive borrow")]
    unsafe fn matrix_mut(&self) -> MatrixMut<'_> {
        let columns = self.size(1);
        MatrixMut { data: unsafe { self.list_mut(self.size(2) * columns) }, columns }
    }

    /// # Safety
    /// As [`Place::matrix_mut`], for `[batch, length]` of `T`.
    #[allow(clippy::mut_from_ref, reason = "as above")]
    unsafe fn list_mut<T>(&self, length: usize) -> &mut [T] {
        let start = self.body.ptr().cast::<T>().wrapping_add(self.batch * length);
        unsafe { std::slice::from_raw_parts_mut(start, length) }
    }
}

/// See [`Backend::factorize`](crate::backend::Backend::factorize).
///
/// # Safety
/// The storages are locked; bodies are contiguous, of the types and shapes that [`Factor`] names; `out` is fresh.
pub(crate) unsafe fn run(factor: Factor, inputs: &[&Body], out: &[&Body]) {
    // Without anything to write there may be more matrices, all of them empty, than can be counted through.
    let nothing = out.iter().all(|body| body.numel() == 0);
    let batch = if nothing { 0 } else { inputs[0].shape[0] };
    let work = inputs[0].shape[1].saturating_mul(inputs[0].shape[2]).max(1);
    crate::pool::parallel_for(batch, (1 << 12) / work + 1, &|range| {
        for batch in range {
            let input = |i: usize| Place { body: inputs[i], batch };
            let output = |i: usize| Place { body: out[i], batch };
            // SAFETY: the caller's promise; each place of the batch is one task's.
            unsafe { one(factor, &input, &output, out.len()) };
        }
    });
}

/// # Safety
/// As [`run`], and the place of the batch belongs to this task.
unsafe fn one<'a>(
    factor: Factor,
    input: &dyn Fn(usize) -> Place<'a>,
    output: &dyn Fn(usize) -> Place<'a>,
    outputs: usize,
) {
    let source = input(0);
    unsafe {
        let a = source.matrix();
        match factor {
            Factor::Lu => {
                let (packed, pivots, info) = (output(0), output(1), output(2));
                let count = a.rows.min(a.columns);
                info.list_mut::<i32>(1)[0] = lu::factor(a, packed.matrix_mut(), pivots.list_mut(count));
            }
            Factor::LuSolve { transposed } => {
                let (pivots, right, x) = (input(1), input(2), output(0));
                lu::solve(a, pivots.integers(a.rows), right.matrix(), x.matrix_mut(), transposed);
            }
            Factor::Cholesky => {
                let (lower, info) = (output(0), output(1));
                info.list_mut::<i32>(1)[0] = cholesky::factor(a, lower.matrix_mut());
            }
            Factor::Qr => qr::factor(a, output(0).matrix_mut(), output(1).matrix_mut()),
            Factor::Reflections => {
                let (packed, factors) = (output(0), output(1));
                qr::pack(a, &mut packed.matrix_mut(), factors.list_mut(a.rows.min(a.columns)));
            }
            Factor::Eigh => eigh::factor(a, output(0).list_mut(a.rows), output(1).matrix_mut()),
            Factor::Svd => {
                let values = output(0);
                let places = (outputs == 3).then(|| (output(1), output(2)));
                let vectors = places.as_ref().map(|(u, v)| (u.matrix_mut(), v.matrix_mut()));
                svd::factor(a, values.list_mut(a.rows.min(a.columns)), vectors);
            }
            Factor::Triangular { upper, unit } => {
                triangular::solve(a, input(1).matrix(), output(0).matrix_mut(), upper, unit);
            }
        }
    }
}
