//! `A = L L^T`, column by column (section 4.2).

use super::{Matrix, MatrixMut, dot};

/// Reads the lower triangle. Returns the order of the first leading minor that is not positive, or 0; from that column
/// on the result holds what the input did, less what was subtracted from the diagonal.
pub(super) fn factor(a: Matrix, mut out: MatrixMut) -> i32 {
    let n = a.rows;
    for i in 0..n {
        out.row_mut(i).fill(0.0);
        out.row_mut(i)[..=i].copy_from_slice(&a.row(i)[..=i]);
    }
    for j in 0..n {
        let diagonal = a.at(j, j) - dot(&out.row(j)[..j], &out.row(j)[..j]);
        if diagonal.is_nan() || diagonal <= 0.0 {
            *out.at(j, j) = diagonal;
            return j as i32 + 1;
        }
        let root = diagonal.sqrt();
        *out.at(j, j) = root;
        let (above, below) = out.data.split_at_mut((j + 1) * n);
        let row = &above[j * n..j * n + j];
        for below in below.chunks_exact_mut(n) {
            below[j] = (below[j] - dot(&below[..j], row)) / root;
        }
    }
    0
}
