//! `A = U diag(S) V^T` by one-sided Jacobi rotations (section 8.6): columns are made orthogonal pair by pair; their
//! lengths are the singular values. It finds small ones to more digits than a bidiagonalization does.

use super::eigh::{rotate_rows, rotation};
use super::{Matrix, MatrixMut, dot, largest, qr};

/// As for eigenvalues.
const SWEEPS: usize = 64;

/// Values fall. `vectors` are `U`, of the number of columns that is wanted, and `V^T`, of that number of rows. A matrix
/// with an element that is not finite has nothing but NaN.
pub(super) fn factor(a: Matrix, values: &mut [f64], vectors: Option<(MatrixMut, MatrixMut)>) {
    let scale = largest(a.data);
    if !scale.is_finite() {
        values.fill(f64::NAN);
        if let Some((u, v)) = vectors {
            u.data.fill(f64::NAN);
            v.data.fill(f64::NAN);
        }
        return;
    }
    let scale = if scale == 0.0 { 1.0 } else { scale };
    let (k, long) = (a.rows.min(a.columns), a.rows.max(a.columns));
    let wide = a.rows < a.columns;
    // The shorter side's vectors, as rows: the columns of a tall matrix, the rows of a wide one.
    let mut work: Vec<f64> = match wide {
        true => a.data.to_vec(),
        false => (0..k * long).map(|at| a.at(at % long, at / long)).collect(),
    };
    work.iter_mut().for_each(|x| *x /= scale);
    let mut work = MatrixMut { data: &mut work, columns: long };
    let mut turned = vec![0.0; if vectors.is_some() { k * k } else { 0 }];
    (0..turned.len().min(k)).for_each(|i| turned[i * k + i] = 1.0);
    let mut turned = MatrixMut { data: &mut turned, columns: k };
    for _ in 0..SWEEPS {
        if !sweep(&mut work, &mut turned, k) {
            break;
        }
    }
    let lengths: Vec<f64> = (0..k).map(|i| dot(work.row(i), work.row(i)).sqrt()).collect();
    let mut order: Vec<usize> = (0..k).collect();
    order.sort_by(|&i, &j| lengths[j].total_cmp(&lengths[i]));
    order.iter().zip(values).for_each(|(&i, value)| *value = lengths[i] * scale);
    if let Some((u, v)) = vectors {
        let long_side = (order.iter().map(|&i| (i, lengths[i])).filter(|&(_, length)| length > 0.0))
            .map(|(i, length)| work.row(i).iter().map(|x| x / length).collect())
            .collect();
        let short_side = order.iter().map(|&i| turned.row(i).to_vec()).collect();
        let (left, right) = if wide { (short_side, long_side) } else { (long_side, short_side) };
        write(u, a.rows, left, false);
        write(v, a.columns, right, true);
    }
}

/// Makes every pair of rows orthogonal once; was there any that was not?
fn sweep(work: &mut MatrixMut, turned: &mut MatrixMut, k: usize) -> bool {
    let mut rotated = false;
    // As orthogonal as rounding lets a product of this length be.
    let tolerance = f64::EPSILON * (work.columns as f64).sqrt();
    for p in 0..k {
        for q in p + 1..k {
            let n = work.columns;
            let (x, y) = (&work.data[p * n..(p + 1) * n], &work.data[q * n..(q + 1) * n]);
            let (xx, yy, xy) = (dot(x, x), dot(y, y), dot(x, y));
            if xy.abs() <= tolerance * xx.sqrt() * yy.sqrt() || xy.abs() < f64::MIN_POSITIVE {
                continue;
            }
            rotated = true;
            let turn = rotation(xx, yy, xy);
            rotate_rows(work, p, q, turn);
            if !turned.data.is_empty() {
                rotate_rows(turned, p, q, turn);
            }
        }
    }
    rotated
}

/// Writes orthonormal vectors of this length as columns or rows, and as many more, orthogonal to all, as there is room
/// for.
fn write(mut out: MatrixMut, length: usize, vectors: Vec<Vec<f64>>, as_rows: bool) {
    let count = out.data.len().checked_div(length).unwrap_or(0);
    let mut put = |index: usize, i: usize, x: f64| *(if as_rows { out.at(index, i) } else { out.at(i, index) }) = x;
    for (index, vector) in vectors.iter().enumerate() {
        vector.iter().enumerate().for_each(|(i, &x)| put(index, i, x));
    }
    let given = vectors.len();
    if given == count {
        return;
    }
    // Of a complete basis by reflections, the columns after the first ones are orthogonal to those.
    let columns: Vec<f64> = (0..length * given).map(|at| vectors[at % given][at / given]).collect();
    let (mut q, mut r) = (vec![0.0; length * count], vec![0.0; count * given]);
    let matrix = Matrix { data: &columns, rows: length, columns: given };
    qr::factor(matrix, MatrixMut { data: &mut q, columns: count }, MatrixMut { data: &mut r, columns: given });
    (given..count).for_each(|index| (0..length).for_each(|i| put(index, i, q[i * count + index])));
}
