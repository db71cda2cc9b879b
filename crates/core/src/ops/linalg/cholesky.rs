//! Cholesky factorization.

use super::batch::{Matrices, check_float, check_kernel, check_square, first_report};
use crate::backend::Factor;
use crate::ops::record_all::of_one;
use crate::ops::sample::{self, ANY, Sample, Trait};
use crate::ops::{by_hand, composed};
use crate::{DType, Error, Result, Tensor, TensorOptions};

/// The gradient of the symmetric matrix from that of its factor (Murray, *Differentiation of the Cholesky
/// decomposition*, 2016, equation 10).
fn factor_grad(g: &Tensor, l: &Tensor) -> Result<Tensor> {
    let inner = l.mT()?.matmul(g)?;
    let phi = inner.tril(0)?.add(&inner.tril(-1)?)?.mul(0.5)?;
    let left = super::solve_triangular(&l.mT()?, &phi, true, true, false)?;
    let full = super::solve_triangular(l, &left, false, false, false)?;
    full.add(&full.mT()?)?.mul(0.5)
}

fn lower(op: &'static str, a: &Tensor) -> Result<(Tensor, Tensor)> {
    check_square(op, a)?;
    check_float(op, a)?;
    check_kernel(op, "cholesky_cpu", a)?;
    let matrices = Matrices::of(a)?;
    let out = matrices.room(&[matrices.rows, matrices.columns], DType::F64)?;
    let info = matrices.room(&[], DType::I32)?;
    matrices.run(Factor::Cholesky, &[], &[&out, &info])?;
    let l = matrices.tensor(&out, matrices.dtype)?;
    let l = of_one("LinalgCholeskyExBackward0", a, &[], true, l, |seen, g| factor_grad(g, seen[0]))?;
    Ok((l, matrices.tensor(&info, DType::I32)?))
}

fn factored(op: &'static str, a: &Tensor, upper: bool) -> Result<(Tensor, Tensor)> {
    let a = a.resolve("linalg.cholesky")?;
    match upper {
        false => lower(op, &a),
        true => {
            check_square(op, &a)?;
            let (l, info) = lower(op, &a.mT()?)?;
            Ok((l.mT()?, info))
        }
    }
}

fn check(op: &'static str, info: &Tensor) -> Result<()> {
    match first_report(info)? {
        None => Ok(()),
        Some((order, batch)) => Err(Error::lin_alg(
            op,
            format!(
                "{op}: {batch}The factorization could not be completed because the input is not positive-definite (the leading minor of order {order} is not positive-definite)."
            ),
        )),
    }
}

/// The lower triangle `L` with `A = L L^T` for symmetric positive-definite matrices, or with `upper` the upper one with
/// `A = U^T U`. Only that triangle of `A` is read; the gradient is that of a symmetric matrix.
///
/// # Shapes
/// `[.., n, n]` to itself.
///
/// # Errors
/// Matrices that are not square, another dtype than float32 and float64, a matrix that is not positive-definite: its place
/// in the batch and the first leading minor are named.
///
/// ```
/// # use firebrick_core::{Tensor, linalg};
/// let l = linalg::cholesky(&Tensor::new([[4.0f32, 2.0], [2.0, 5.0]])?, false)?;
/// assert_eq!(l.to_vec::<f32>()?, [2.0, 0.0, 1.0, 2.0]);
/// # Ok::<_, firebrick_core::Error>(())
/// ```
pub fn cholesky(a: &Tensor, upper: bool) -> Result<Tensor> {
    let (l, info) = factored("linalg.cholesky", a, upper)?;
    check("linalg.cholesky", &info)?;
    Ok(l)
}

/// [`cholesky`] that reports, for each matrix, the order of the first leading minor that is not positive-definite (int32;
/// 0: none), and fails because of one only where `check_errors` is set.
///
/// ```
/// # use firebrick_core::{Tensor, linalg};
/// let (_, info) = linalg::cholesky_ex(&Tensor::new([[1.0f32, 0.0], [0.0, -1.0]])?, false, false)?;
/// assert_eq!(info.item::<i32>()?, 2);
/// # Ok::<_, firebrick_core::Error>(())
/// ```
pub fn cholesky_ex(a: &Tensor, upper: bool, check_errors: bool) -> Result<(Tensor, Tensor)> {
    let (l, info) = factored("linalg.cholesky", a, upper)?;
    if check_errors {
        check("linalg.cholesky_ex", &info)?;
    }
    Ok((l, info))
}

fn samples(upper: bool) -> Result<Vec<Sample>> {
    let call = move |x: &Tensor| {
        let n = x.size(-1)? as i64;
        let eye = Tensor::eye_with(n, n, TensorOptions::from(x.dtype()).device(x.device()))?;
        cholesky(&x.matmul(&x.mT()?)?.add(&eye)?, upper)
    };
    let mut all = sample::shaped(&[3, 3], &[0, 0], call)?;
    all.push(sample::one(Trait::Plain, vec![ANY.tensor(&[2, 2, 2], 4)?], move |x| call(&x[0])));
    Ok(all)
}

composed! {
    table: METHODS;

    /// See [`linalg::cholesky`](crate::linalg::cholesky).
    ///
    /// ```
    /// # use firebrick_core::Tensor;
    /// let x = Tensor::new([[4.0f32, 2.0], [2.0, 2.0]])?;
    /// assert_eq!(x.cholesky(false)?.to_vec::<f32>()?, [2.0, 0.0, 1.0, 1.0]);
    /// # Ok::<_, firebrick_core::Error>(())
    /// ```
    fn cholesky(&a, upper: bool) -> Tensor {
        cholesky(a, upper)
    }
    samples: samples(true);
}

by_hand! {
    table: CHOLESKY;
    linalg_cholesky as "LinalgCholeskyExBackward0": samples(false);
}
