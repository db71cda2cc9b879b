//! Eigenvalues and eigenvectors of symmetric matrices by Jacobi's rotations (section 8.5).

use super::{Matrix, MatrixMut, largest};

/// More sweeps than any matrix needs: convergence is quadratic, and ten are many.
const SWEEPS: usize = 64;

/// The rotation that makes the columns `p` and `q` with these inner products orthogonal: cosine and sine.
pub(super) fn rotation(pp: f64, qq: f64, pq: f64) -> (f64, f64) {
    let zeta = (qq - pp) / (2.0 * pq);
    let tangent = 1.0f64.copysign(zeta) / (zeta.abs() + zeta.hypot(1.0));
    let cosine = 1.0 / tangent.hypot(1.0);
    (cosine, cosine * tangent)
}

/// Reads the lower triangle; values ascend. A matrix with an element that is not finite has nothing but NaN.
pub(super) fn factor(a: Matrix, values: &mut [f64], mut vectors: MatrixMut) {
    let n = a.rows;
    let scale = largest(&symmetric(a));
    if !scale.is_finite() {
        values.fill(f64::NAN);
        vectors.data.fill(f64::NAN);
        return;
    }
    let scale = if scale == 0.0 { 1.0 } else { scale };
    let mut work = symmetric(a);
    work.iter_mut().for_each(|x| *x /= scale);
    let mut work = MatrixMut { data: &mut work, columns: n };
    // Row `i` of `turned` is the vector of value `i`.
    let mut turned = vec![0.0; n * n];
    (0..n).for_each(|i| turned[i * n + i] = 1.0);
    let mut turned = MatrixMut { data: &mut turned, columns: n };
    for _ in 0..SWEEPS {
        if !sweep(&mut work, &mut turned, n) {
            break;
        }
    }
    let mut order: Vec<usize> = (0..n).collect();
    order.sort_by(|&i, &j| work.data[i * n + i].total_cmp(&work.data[j * n + j]));
    for (k, &i) in order.iter().enumerate() {
        values[k] = *work.at(i, i) * scale;
        (0..n).for_each(|row| *vectors.at(row, k) = turned.data[i * n + row]);
    }
}

fn symmetric(a: Matrix) -> Vec<f64> {
    let n = a.rows;
    (0..n * n).map(|at| (at / n, at % n)).map(|(i, j)| a.at(i.max(j), i.min(j))).collect()
}

/// Rotates every pair of rows and columns once; was there anything to rotate?
fn sweep(work: &mut MatrixMut, turned: &mut MatrixMut, n: usize) -> bool {
    let mut rotated = false;
    for p in 0..n {
        for q in p + 1..n {
            let (pp, qq, pq) = (*work.at(p, p), *work.at(q, q), *work.at(p, q));
            // The largest element is 1: less than its rounding is nothing.
            if pq.abs() <= f64::EPSILON / 16.0 {
                continue;
            }
            rotated = true;
            let (c, s) = rotation(pp, qq, pq);
            for i in 0..n {
                let (x, y) = (*work.at(i, p), *work.at(i, q));
                (*work.at(i, p), *work.at(i, q)) = (c * x - s * y, s * x + c * y);
            }
            rotate_rows(work, p, q, (c, s));
            (*work.at(p, q), *work.at(q, p)) = (0.0, 0.0);
            rotate_rows(turned, p, q, (c, s));
        }
    }
    rotated
}

/// Rotates the rows `p` and `q > p`.
pub(super) fn rotate_rows(matrix: &mut MatrixMut, p: usize, q: usize, (c, s): (f64, f64)) {
    let n = matrix.columns;
    let (above, below) = matrix.data.split_at_mut(q * n);
    for (x, y) in above[p * n..(p + 1) * n].iter_mut().zip(&mut below[..n]) {
        (*x, *y) = (c * *x - s * *y, s * *x + c * *y);
    }
}
