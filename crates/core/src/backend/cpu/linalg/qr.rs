//! `A = Q R` by Householder's reflections (section 5.2), with LAPACK's signs: a diagonal element of `R` has the opposite
//! sign of the element that its reflection met, and the same where there was nothing below to clear.

use super::{Matrix, MatrixMut};

/// Overwrites `a` with `R` and, below it, the vector of each reflection but for its leading 1; returns their factors.
fn reflections(a: &mut MatrixMut, m: usize) -> Vec<f64> {
    (0..m.min(a.columns)).map(|k| reflect(a, m, k)).collect()
}

/// [`reflections`] and their factors, in places of their own.
pub(super) fn pack(a: Matrix, packed: &mut MatrixMut, factors: &mut [f64]) {
    packed.data.copy_from_slice(a.data);
    factors.copy_from_slice(&reflections(packed, a.rows));
}

/// `q` has the number of columns that are wanted, `r` as many rows.
pub(super) fn factor(a: Matrix, mut q: MatrixMut, r: MatrixMut) {
    let (m, n) = (a.rows, a.columns);
    let mut work = a.data.to_vec();
    let mut work = MatrixMut { data: &mut work, columns: n };
    let scales = reflections(&mut work, m);
    for (i, row) in r.data.chunks_exact_mut(n.max(1)).enumerate() {
        row.fill(0.0);
        if i < n {
            row[i..].copy_from_slice(&work.row(i)[i..]);
        }
    }
    let columns = q.columns;
    q.data.fill(0.0);
    (0..columns.min(m)).for_each(|i| *q.at(i, i) = 1.0);
    let mut sums = vec![0.0; columns];
    for k in (0..scales.len()).rev() {
        apply(&work, (k, scales[k]), m, &mut q, k, &mut sums);
    }
}

/// Clears column `k` below the diagonal, and changes the columns after it. Returns the reflection's factor.
fn reflect(work: &mut MatrixMut, m: usize, k: usize) -> f64 {
    let n = work.columns;
    let below = |work: &mut MatrixMut, f: &mut dyn FnMut(&mut f64)| (k + 1..m).for_each(|i| f(work.at(i, k)));
    let alpha = *work.at(k, k);
    // Scaled, so that the squares neither overflow nor vanish.
    let mut most = 0.0f64;
    below(work, &mut |v| most = if v.is_nan() { f64::NAN } else { most.max(v.abs()) });
    if most == 0.0 {
        return 0.0;
    }
    let scale = most.max(alpha.abs());
    let mut squares = (alpha / scale).powi(2);
    below(work, &mut |v| squares += (*v / scale).powi(2));
    let beta = -(scale * squares.sqrt()).copysign(alpha);
    below(work, &mut |v| *v /= alpha - beta);
    let factor = (beta - alpha) / beta;
    let mut sums = vec![0.0; n];
    let column: Vec<f64> = (k + 1..m).map(|i| *work.at(i, k)).collect();
    let rest = k + 1..n;
    sums[rest.clone()].copy_from_slice(&work.row(k)[rest.clone()]);
    for (i, v) in column.iter().enumerate() {
        let row = &work.row(k + 1 + i)[rest.clone()];
        sums[rest.clone()].iter_mut().zip(row).for_each(|(s, x)| *s += v * x);
    }
    for (i, v) in std::iter::once(&1.0).chain(&column).enumerate() {
        let row = &mut work.row_mut(k + i)[rest.clone()];
        row.iter_mut().zip(&sums[rest.clone()]).for_each(|(x, s)| *x -= factor * v * s);
    }
    *work.at(k, k) = beta;
    factor
}

/// Applies reflection `k` to the columns of `q` from `from` on.
fn apply(work: &MatrixMut, (k, factor): (usize, f64), m: usize, q: &mut MatrixMut, from: usize, sums: &mut [f64]) {
    if factor == 0.0 || from >= q.columns {
        return;
    }
    let vector = |i: usize| if i == k { 1.0 } else { work.data[i * work.columns + k] };
    sums[from..].fill(0.0);
    for i in k..m {
        let v = vector(i);
        sums[from..].iter_mut().zip(&q.row(i)[from..]).for_each(|(s, x)| *s += v * x);
    }
    for i in k..m {
        let v = factor * vector(i);
        q.row_mut(i)[from..].iter_mut().zip(&sums[from..]).for_each(|(x, s)| *x -= v * s);
    }
}
