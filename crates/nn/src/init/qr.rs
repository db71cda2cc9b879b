//! The QR decomposition by Householder's reflections.
//!
//! Golub and Van Loan, *Matrix Computations*, 4th edition, section 5.2.

/// The factor Q of a row-major matrix of `rows >= columns` whose factor R has a positive diagonal, row-major too.
pub(super) fn orthonormal_columns(mut a: Vec<f64>, rows: usize, columns: usize) -> Vec<f64> {
    let at = |i: usize, j: usize| i * columns + j;
    let mut signs = vec![1.0; columns];
    // Each reflection's vector replaces the column that it clears; its first element, which R's diagonal would
    // overwrite, stays in place because R itself is not wanted.
    for k in 0..columns {
        let norm = (k..rows).map(|i| a[at(i, k)] * a[at(i, k)]).sum::<f64>().sqrt();
        if norm == 0.0 {
            signs[k] = 0.0;
            continue;
        }
        // The diagonal becomes -sign * norm, so that the subtraction below loses no digits.
        let sign = if a[at(k, k)] < 0.0 { -1.0 } else { 1.0 };
        signs[k] = -sign;
        a[at(k, k)] += sign * norm;
        let length = (k..rows).map(|i| a[at(i, k)] * a[at(i, k)]).sum::<f64>().sqrt();
        (k..rows).for_each(|i| a[at(i, k)] /= length);
        for j in k + 1..columns {
            let dot: f64 = (k..rows).map(|i| a[at(i, k)] * a[at(i, j)]).sum();
            (k..rows).for_each(|i| a[at(i, j)] -= 2.0 * dot * a[at(i, k)]);
        }
    }
    let mut q = vec![0.0; rows * columns];
    for j in 0..columns {
        q[at(j, j)] = signs[j];
        for k in (0..=j).rev().filter(|&k| signs[k] != 0.0) {
            let dot: f64 = (k..rows).map(|i| a[at(i, k)] * q[at(i, j)]).sum();
            (k..rows).for_each(|i| q[at(i, j)] -= 2.0 * dot * a[at(i, k)]);
        }
    }
    q
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_orthonormal_and_r_has_a_positive_diagonal() {
        let (rows, columns) = (7, 4);
        let a: Vec<f64> = (0..rows * columns).map(|i| ((i * i * 7 + 3) % 11) as f64 - 5.0).collect();
        let q = orthonormal_columns(a.clone(), rows, columns);
        let product = |x: &[f64], y: &[f64], i: usize, j: usize| -> f64 {
            (0..rows).map(|k| x[k * columns + i] * y[k * columns + j]).sum()
        };
        for i in 0..columns {
            for j in 0..columns {
                let expected = if i == j { 1.0 } else { 0.0 };
                assert!((product(&q, &q, i, j) - expected).abs() < 1e-14, "{i}, {j}");
                // R = Q^T A is upper triangular.
                let r = product(&q, &a, i, j);
                assert!(if i == j { r > 0.0 } else { i < j || r.abs() < 1e-13 }, "R[{i}][{j}] = {r}");
            }
        }
    }
}
