//! `P A = L U` by Gaussian elimination with partial pivoting (section 3.4).

use super::{Matrix, MatrixMut};

/// `L` below the diagonal and `U` above it in one matrix; row `k` was swapped with row `pivots[k]`, counted from 1.
/// Returns the first pivot that is zero, counted from 1, or 0.
pub(super) fn factor(a: Matrix, mut out: MatrixMut, pivots: &mut [i32]) -> i32 {
    out.data.copy_from_slice(a.data);
    let mut first_zero = 0;
    for (k, pivot) in pivots.iter_mut().enumerate() {
        let mut largest = k;
        for i in k + 1..a.rows {
            if out.at(i, k).abs() > out.at(largest, k).abs() {
                largest = i;
            }
        }
        *pivot = largest as i32 + 1;
        out.swap_rows(k, largest);
        let diagonal = *out.at(k, k);
        if diagonal == 0.0 {
            first_zero = if first_zero == 0 { k as i32 + 1 } else { first_zero };
            continue;
        }
        for i in k + 1..a.rows {
            let factor = *out.at(i, k) / diagonal;
            *out.at(i, k) = factor;
            out.add_row(i, k, -factor, k + 1);
        }
    }
    first_zero
}

/// The solution of `A X = B`, or of `A^T X = B`.
pub(super) fn solve(lu: Matrix, pivots: &[i32], b: Matrix, mut x: MatrixMut, transposed: bool) {
    x.data.copy_from_slice(b.data);
    let n = lu.rows;
    let swap = |x: &mut MatrixMut, k: usize| {
        // Pivots of a caller's own making may name no row.
        let row = (pivots[k].max(1) as usize - 1).min(n - 1);
        x.swap_rows(k, row);
    };
    if transposed {
        for i in 0..n {
            (0..i).for_each(|j| x.add_row(i, j, -lu.at(j, i), 0));
            x.row_mut(i).iter_mut().for_each(|v| *v /= lu.at(i, i));
        }
        for i in (0..n).rev() {
            (i + 1..n).for_each(|j| x.add_row(i, j, -lu.at(j, i), 0));
        }
        (0..n).rev().for_each(|k| swap(&mut x, k));
    } else {
        (0..n).for_each(|k| swap(&mut x, k));
        for i in 0..n {
            (0..i).for_each(|j| x.add_row(i, j, -lu.at(i, j), 0));
        }
        for i in (0..n).rev() {
            (i + 1..n).for_each(|j| x.add_row(i, j, -lu.at(i, j), 0));
            x.row_mut(i).iter_mut().for_each(|v| *v /= lu.at(i, i));
        }
    }
}
