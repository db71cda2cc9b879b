//! Substitution (section 3.1).

use super::{Matrix, MatrixMut};

/// The solution of `A X = B` with one triangle of `A`, whose diagonal is taken for ones where `unit` is set.
pub(super) fn solve(a: Matrix, b: Matrix, mut x: MatrixMut, upper: bool, unit: bool) {
    x.data.copy_from_slice(b.data);
    let n = a.rows;
    for step in 0..n {
        let i = if upper { n - 1 - step } else { step };
        let solved = if upper { i + 1..n } else { 0..i };
        solved.for_each(|j| x.add_row(i, j, -a.at(i, j), 0));
        if !unit {
            x.row_mut(i).iter_mut().for_each(|v| *v /= a.at(i, i));
        }
    }
}
