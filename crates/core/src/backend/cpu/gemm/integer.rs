//! Integer products: a plain loop; overflow wraps, as in PyTorch.

use super::{Bias, Gemm, batch_offset};
use crate::pool::parallel_for;

/// An integer type of tensors.
pub trait Integer: Copy + Ord + Send + Sync + 'static {
    /// Zero.
    const ZERO: Self;
    /// `self * a + b`, wrapping.
    fn mul_add(self, a: Self, b: Self) -> Self;
}

macro_rules! integer {
    ($($type:ty)*) => {$(
        impl Integer for $type {
            const ZERO: Self = 0;

            #[inline(always)]
            fn mul_add(self, a: Self, b: Self) -> Self {
                self.wrapping_mul(a).wrapping_add(b)
            }
        }
    )*};
}
integer!(i64 i32 i16 i8 u8);

/// Multiplications worth a task of their own.
const TASK_WORK: usize = 1 << 15;

impl<T: Integer> Gemm<T> {
    /// Computes the product; every step wraps.
    ///
    /// # Safety
    /// As for [`Gemm::run`].
    pub unsafe fn run_integer(&self) {
        let rows = self.m * self.batch[0] * self.batch[1];
        let grain = TASK_WORK / (self.n * self.k).max(1);
        parallel_for(rows, grain.max(1), &|range| {
            for index in range {
                // SAFETY: the caller's promise; rows of `c` are disjoint.
                unsafe { self.integer_row(index / self.m, index % self.m) }
            }
        });
    }

    /// One row of one matrix of the result.
    unsafe fn integer_row(&self, matrix: usize, i: usize) {
        let place = |strides, row: isize| batch_offset(strides, self.batch, matrix) + i as isize * row;
        let a = self.a.ptr.wrapping_offset(place(self.a.batch_strides, self.a.row_stride));
        let b = self.b.ptr.wrapping_offset(batch_offset(self.b.batch_strides, self.batch, matrix));
        let c = self.c.ptr.wrapping_offset(place(self.c.batch_strides, self.c.row_stride));
        let (step, b_step) = (self.c.column_stride, self.b.column_stride);
        // SAFETY: every access is to an element that sizes and strides name.
        unsafe {
            for j in 0..self.n {
                let start = match self.bias {
                    None => T::ZERO,
                    Some(Bias::Row(bias)) => *bias.add(i),
                    Some(Bias::Column(bias)) => *bias.add(j),
                };
                let to = c.offset(j as isize * step);
                *to = if self.beta == T::ZERO { start } else { self.beta.mul_add(*to, start) };
            }
            for p in 0..self.k {
                let x = self.alpha.mul_add(*a.offset(p as isize * self.a.column_stride), T::ZERO);
                let row = b.offset(p as isize * self.b.row_stride);
                if step == 1 && b_step == 1 {
                    for j in 0..self.n {
                        *c.add(j) = x.mul_add(*row.add(j), *c.add(j));
                    }
                } else {
                    for j in 0..self.n as isize {
                        let to = c.offset(j * step);
                        *to = x.mul_add(*row.offset(j * b_step), *to);
                    }
                }
            }
            for j in 0..if self.relu { self.n as isize } else { 0 } {
                let to = c.offset(j * step);
                *to = (*to).max(T::ZERO);
            }
        }
    }
}
