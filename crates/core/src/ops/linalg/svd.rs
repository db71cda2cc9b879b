//! Singular values and vectors, eigenvalues and eigenvectors of symmetric matrices.

use super::batch::{Matrices, check_float, check_kernel, check_rank, check_square};
use crate::autograd::Grads;
use crate::backend::Factor;
use crate::ops::by_hand;
use crate::ops::record_all::Recorded;
use crate::ops::sample::{self, ANY, Sample, Trait};
use crate::{DType, Error, Result, Tensor};
use smallvec::smallvec;

/// `x[j] - x[i]` at `[i, j]`, and 1 on the diagonal.
fn gaps(x: &Tensor) -> Result<Tensor> {
    let gaps = x.unsqueeze(-2)?.sub(&x.unsqueeze(-1)?)?;
    gaps.add(&x.detach().ones_like()?.diag_embed(0, -2, -1)?)
}

fn skew(x: &Tensor) -> Result<Tensor> {
    x.sub(&x.mT()?)
}

/// What is left of `g` outside the span of the orthonormal columns of `u`.
fn outside(g: &Tensor, u: &Tensor) -> Result<Tensor> {
    g.sub(&u.matmul(&u.mT()?.matmul(g)?)?)
}

/// The gradient from those of the three factors, of which `u` and `v` have as many columns as `s` has elements
/// (Townsend, *Differentiating the Singular Value Decomposition*, 2016).
fn svd_grad(
    gu: Option<&Tensor>,
    gs: Option<&Tensor>,
    gvh: Option<&Tensor>,
    [u, s, vh]: [&Tensor; 3],
) -> Result<Tensor> {
    let (m, n, k) = (u.size(-2)?, vh.size(-1)?, s.size(-1)?);
    let mut inner = match gs {
        Some(gs) => gs.diag_embed(0, -2, -1)?,
        None => s.mul(0.0)?.diag_embed(0, -2, -1)?,
    };
    if gu.is_some() || gvh.is_some() {
        let gaps = gaps(&s.square()?)?;
        if let Some(gu) = gu {
            let turn = skew(&u.mT()?.matmul(gu)?)?.div(&gaps)?;
            inner = inner.add(&turn.mul(&s.unsqueeze(-2)?)?)?;
        }
        if let Some(gvh) = gvh {
            let turn = skew(&vh.matmul(&gvh.mT()?)?)?.div(&gaps)?;
            inner = inner.add(&s.unsqueeze(-1)?.mul(&turn)?)?;
        }
    }
    let mut left = u.matmul(&inner)?;
    if let Some(gu) = gu.filter(|_| m > k) {
        left = left.add(&outside(gu, u)?.div(&s.unsqueeze(-2)?)?)?;
    }
    let mut out = left.matmul(vh)?;
    if let Some(gvh) = gvh.filter(|_| n > k) {
        let right = outside(&gvh.mT()?, &vh.mT()?)?.mT()?;
        out = out.add(&u.matmul(&right.div(&s.unsqueeze(-1)?)?)?)?;
    }
    Ok(out)
}

fn checked(a: &Tensor) -> Result<(Tensor, Matrices)> {
    const OP: &str = "linalg.svd";
    let a = a.resolve(OP)?;
    check_rank(OP, "A", &a)?;
    check_float(OP, &a)?;
    check_kernel(OP, "linalg_svd_cpu", &a)?;
    let matrices = Matrices::of(&a)?;
    Ok((a, matrices))
}

/// Refuses NaN, on which PyTorch's algorithm fails; infinities come out as NaN.
fn check_numbers(a: &Tensor) -> Result<()> {
    let Some(batch) = crate::autograd::no_grad(|| first_with_nan(a))? else { return Ok(()) };
    let batch = if a.dim() == 2 { String::new() } else { format!("(Batch element {batch}): ") };
    Err(Error::lin_alg(
        "linalg.svd",
        format!(
            "linalg.svd: {batch}The algorithm failed to converge because the input matrix contained non-finite values."
        ),
    ))
}

fn first_with_nan(a: &Tensor) -> Result<Option<usize>> {
    if a.numel() == 0 {
        return Ok(None);
    }
    let found = a.detach().isnan()?.any_dim([-2, -1], false)?.values_or(false)?;
    Ok(found.iter().position(|&nan| nan))
}

/// `A = U diag(S) V^T` of every matrix: orthonormal columns, singular values in falling order, orthonormal rows. With
/// `full_matrices` the columns and rows are completed to bases. Signs of vectors are not unique, nor are vectors of equal
/// values; a gradient that depends on them is not defined.
///
/// # Shapes
/// `[.., m, n]` to `[.., m, k]`, `[.., k]` and `[.., k, n]` with `k = min(m, n)`; full, `[.., m, m]` and `[.., n, n]`.
///
/// # Errors
/// Fewer than two dimensions, another dtype than float32 and float64, NaN.
///
/// ```
/// # use firebrick_core::{Tensor, linalg};
/// let (_, s, _) = linalg::svd(&Tensor::new([[0.0f64, 3.0], [2.0, 0.0]])?, true)?;
/// assert_eq!(s.to_vec::<f64>()?, [3.0, 2.0]);
/// # Ok::<_, firebrick_core::Error>(())
/// ```
pub fn svd(a: &Tensor, full_matrices: bool) -> Result<(Tensor, Tensor, Tensor)> {
    let (a, matrices) = checked(a)?;
    check_numbers(&a)?;
    let (m, n, k, dtype) = (matrices.rows, matrices.columns, matrices.shorter(), matrices.dtype);
    let (p, q) = if full_matrices { (m, n) } else { (k, k) };
    let rooms =
        [matrices.room(&[k], DType::F64)?, matrices.room(&[m, p], DType::F64)?, matrices.room(&[q, n], DType::F64)?];
    matrices.run(Factor::Svd, &[], &[&rooms[0], &rooms[1], &rooms[2]])?;
    let s = matrices.tensor(&rooms[0], dtype)?;
    let (u, vh) = (matrices.tensor(&rooms[1], dtype)?, matrices.tensor(&rooms[2], dtype)?);
    let outputs = [&u, &s, &vh];
    let recorded = Recorded {
        name: "LinalgSvdBackward0",
        inputs: &[Some(&a)],
        saved: &[],
        outputs: &outputs,
        saves_outputs: true,
    };
    recorded.with(move |seen, grads, _| {
        let [Some(u), Some(s), Some(vh)] = &seen[..] else { return Ok(smallvec![None]) };
        // Vectors that only complete a basis are no function of the matrix.
        let k = k as i64;
        let of_u = |x: &Tensor| x.narrow(-1, 0, k);
        let of_v = |x: &Tensor| x.narrow(-2, 0, k);
        let (gu, gvh) = (grads[0].as_ref().map(of_u).transpose()?, grads[2].as_ref().map(of_v).transpose()?);
        let grad = svd_grad(gu.as_ref(), grads[1].as_ref(), gvh.as_ref(), [&of_u(u)?, s, &of_v(vh)?])?;
        Ok(Grads::from_elem(Some(grad), 1))
    })?;
    Ok((u, s, vh))
}

/// Singular values of every matrix, in falling order.
///
/// # Shapes
/// `[.., m, n]` to `[.., min(m, n)]`.
///
/// # Errors
/// Fewer than two dimensions, another dtype than float32 and float64, NaN.
///
/// ```
/// # use firebrick_core::{Tensor, linalg};
/// let s = linalg::svdvals(&Tensor::new([[0.0f32, 3.0], [2.0, 0.0]])?)?;
/// assert_eq!(s.to_vec::<f32>()?, [3.0, 2.0]);
/// # Ok::<_, firebrick_core::Error>(())
/// ```
pub fn svdvals(a: &Tensor) -> Result<Tensor> {
    let (a, matrices) = checked(a)?;
    if crate::autograd::records([&a]) {
        return Ok(svd(&a, false)?.1);
    }
    check_numbers(&a)?;
    let room = matrices.room(&[matrices.shorter()], DType::F64)?;
    matrices.run(Factor::Svd, &[], &[&room])?;
    matrices.tensor(&room, matrices.dtype)
}

/// Eigenvalues, in rising order, and eigenvectors, as columns, of symmetric matrices: `A = Q diag(L) Q^T`. Only the lower
/// triangle is read, or with `uplo` `"U"` the upper one. Signs of vectors are not unique, nor are vectors of equal values;
/// a gradient that depends on them is not defined.
///
/// # Shapes
/// `[.., n, n]` to `[.., n]` and `[.., n, n]`.
///
/// # Errors
/// Matrices that are not square, another dtype than float32 and float64, another text than `"L"` and `"U"`.
///
/// ```
/// # use firebrick_core::{Tensor, linalg};
/// let (values, _) = linalg::eigh(&Tensor::new([[3.0f64, 0.0], [0.0, -2.0]])?, "L")?;
/// assert_eq!(values.to_vec::<f64>()?, [-2.0, 3.0]);
/// # Ok::<_, firebrick_core::Error>(())
/// ```
pub fn eigh(a: &Tensor, uplo: &str) -> Result<(Tensor, Tensor)> {
    const OP: &str = "linalg.eigh";
    let a = a.resolve(OP)?;
    check_square(OP, &a)?;
    let lower = match uplo {
        "L" | "l" => a.clone(),
        "U" | "u" => a.mT()?,
        _ => return Err(Error::runtime(OP, format!("Expected UPLO argument to be 'L' or 'U', but got {uplo}"))),
    };
    check_kernel(OP, "linalg_eigh_cpu", &a)?;
    let matrices = Matrices::of(&lower)?;
    let n = matrices.rows;
    let rooms = [matrices.room(&[n], DType::F64)?, matrices.room(&[n, n], DType::F64)?];
    matrices.run(Factor::Eigh, &[], &[&rooms[0], &rooms[1]])?;
    let (values, vectors) = (matrices.tensor(&rooms[0], matrices.dtype)?, matrices.tensor(&rooms[1], matrices.dtype)?);
    let outputs = [&values, &vectors];
    let recorded = Recorded {
        name: "LinalgEighBackward0",
        inputs: &[Some(&a)],
        saved: &[],
        outputs: &outputs,
        saves_outputs: true,
    };
    recorded.with(|seen, grads, _| {
        let [Some(values), Some(vectors)] = &seen[..] else { return Ok(smallvec![None]) };
        let mut inner = match &grads[0] {
            Some(g) => g.diag_embed(0, -2, -1)?,
            None => values.mul(0.0)?.diag_embed(0, -2, -1)?,
        };
        if let Some(g) = &grads[1] {
            let turn = vectors.mT()?.matmul(g)?.div(&gaps(values)?)?;
            inner = inner.add(&turn.triu(1)?)?.add(&turn.tril(-1)?)?;
        }
        Ok(Grads::from_elem(Some(vectors.matmul(&inner)?.matmul(&vectors.mT()?)?), 1))
    })?;
    Ok((values, vectors))
}

/// The eigenvalues of [`eigh`] alone.
///
/// ```
/// # use firebrick_core::{Tensor, linalg};
/// assert_eq!(linalg::eigvalsh(&Tensor::new([[2.0f32, 1.0], [1.0, 2.0]])?, "L")?.to_vec::<f32>()?, [1.0, 3.0]);
/// # Ok::<_, firebrick_core::Error>(())
/// ```
pub fn eigvalsh(a: &Tensor, uplo: &str) -> Result<Tensor> {
    Ok(eigh(a, uplo)?.0)
}

/// What does not depend on the signs of the vectors.
fn without_signs(x: &Tensor) -> Result<Tensor> {
    let (u, s, vh) = svd(x, false)?;
    let k = s.size(-1)? as i64;
    let both = u.narrow(-2, 0, k)?.mul(&vh.narrow(-1, 0, k)?.mT()?)?;
    sample::joined(vec![u.square()?, s, vh.square()?, both])
}

fn svd_samples() -> Result<Vec<Sample>> {
    let mut all = sample::shaped(&[3, 3], &[2, 0], without_signs)?;
    for shape in [&[4, 2][..], &[2, 4], &[2, 2, 3]] {
        all.push(sample::one(Trait::Plain, vec![ANY.tensor(shape, 7)?], |x| without_signs(&x[0])));
    }
    all.push(sample::one(Trait::Plain, vec![ANY.tensor(&[3, 2], 7)?], |x| {
        let (u, s, vh) = svd(&x[0], true)?;
        sample::joined(vec![u.narrow(-1, 0, 2)?.square()?, s, vh.square()?])
    }));
    Ok(all)
}

by_hand! {
    table: SVD;
    linalg_svd as "LinalgSvdBackward0": svd_samples();
    linalg_svdvals: sample::shaped(&[3, 4], &[2, 0], svdvals);
    linalg_eigh as "LinalgEighBackward0": sample::shaped(&[3, 3], &[0, 0], |x| {
        let (values, vectors) = eigh(&x.add(&x.mT()?)?, "L")?;
        let (_, upper) = eigh(&x.add(&x.mT()?)?, "U")?;
        sample::joined(vec![values, vectors.square()?, upper.square()?])
    });
}
