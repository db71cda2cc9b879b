//! LU factorization.

use super::batch::{Matrices, check_kernel, first_report};
use crate::autograd::no_grad;
use crate::backend::Factor;
use crate::ops::by_hand;
use crate::ops::record_all::of_one;
use crate::ops::sample::{self, ANY, Trait};
use crate::{Body, DType, Dims, Error, Result, Tensor, TensorOptions};

/// The factors of a batch, as kernels use them.
pub(super) struct Lu {
    packed: Matrices,
    pivots: Body,
    /// The first zero pivot of each matrix, counted from 1; 0: none.
    pub info: Tensor,
}

impl Lu {
    /// Factors every matrix.
    pub fn of(a: &Tensor) -> Result<Lu> {
        let a = Matrices::of(a)?;
        let out = a.room(&[a.rows, a.columns], DType::F64)?;
        let pivots = a.room(&[a.shorter()], DType::I32)?;
        let info = a.room(&[], DType::I32)?;
        a.run(Factor::Lu, &[], &[&out, &pivots, &info])?;
        let info = a.tensor(&info, DType::I32)?;
        Ok(Lu { packed: a.with(out), pivots, info })
    }

    /// The solution of `A X = B`, or of `A^T X = B`, outside any graph.
    pub fn solve(&self, b: &Tensor, transposed: bool) -> Result<Tensor> {
        let b = Matrices::of(b)?;
        let out = b.room(&[b.rows, b.columns], DType::F64)?;
        self.packed.run(Factor::LuSolve { transposed }, &[&self.pivots, b.body()], &[&out])?;
        b.tensor(&out, b.dtype)
    }

    /// Both factors in one tensor, of the matrices' own dtype.
    fn tensor(&self) -> Result<Tensor> {
        self.packed.tensor(self.packed.body(), self.packed.dtype)
    }

    /// The diagonal of `U` in double precision.
    pub fn diagonal(&self) -> Result<Tensor> {
        self.packed.tensor(self.packed.body(), DType::F64)?.diagonal(0, -2, -1)
    }

    fn pivots(&self) -> Result<Tensor> {
        self.packed.tensor(&self.pivots, DType::I32)
    }

    /// `1` or `-1` for each matrix: the sign of the permutation of its rows.
    pub fn sign(&self) -> Result<Tensor> {
        let count = self.packed.shorter() as i64;
        let options = TensorOptions::from(DType::I32).device(self.info.device());
        let places = Tensor::arange_with(1, count + 1, 1, options)?;
        let swaps = self.pivots()?.ne(&places)?.sum_dim(-1, false)?;
        swaps.remainder(2)?.mul(-2)?.add(1)?.to(DType::F64)
    }

    /// A copy in which a zero on the diagonal of `U` is the smallest step of the dtype instead.
    pub fn without_zeros(&self) -> Result<Lu> {
        let step = if self.packed.dtype == DType::F64 { f64::EPSILON } else { f32::EPSILON as f64 };
        no_grad(|| {
            let diagonal = self.diagonal()?;
            let instead = diagonal.eq(0.0)?.to(DType::F64)?.mul(step)?;
            let full = self.packed.tensor(self.packed.body(), DType::F64)?.add(&instead.diag_embed(0, -2, -1)?)?;
            let packed = self.packed.with(Matrices::of(&full)?.body().clone());
            Ok(Lu { packed, pivots: self.pivots.clone(), info: self.info.clone() })
        })
    }

    /// The matrix `P` with `A = P L U`, for matrices of `rows` rows.
    fn permutation(&self, rows: usize) -> Result<Tensor> {
        let swaps = self.pivots()?.values_or(1i32)?;
        let (count, each) = (self.packed.batch.numel(), self.packed.shorter());
        let mut order: Vec<i64> = Vec::with_capacity(count * rows);
        for batch in 0..if rows == 0 { 0 } else { count } {
            let start = order.len();
            order.extend(0..rows as i64);
            for (k, &pivot) in swaps[batch * each..(batch + 1) * each].iter().enumerate() {
                order.swap(start + k, start + pivot as usize - 1);
            }
        }
        let shape: Dims = self.packed.batch.iter().copied().chain([rows]).collect();
        let order = Tensor::from_slice_with(&order, &shape, self.info.device())?;
        // Row `i` of `P^T A` is row `order[i]` of `A`.
        let places = Tensor::arange_with(0, rows as i64, 1, TensorOptions::from(DType::I64).device(order.device()))?;
        places.unsqueeze(1)?.eq(&order.unsqueeze(-2)?)?.to(self.packed.dtype)
    }
}

/// The gradient of `A = P L U` from that of both factors in one matrix.
fn lu_grad(g: &Tensor, packed: &Tensor, p: &Tensor) -> Result<Tensor> {
    let shape = packed.shape();
    let (m, n) = (shape[shape.len() - 2] as i64, shape[shape.len() - 1] as i64);
    let k = m.min(n);
    let square = |x: &Tensor| x.narrow(-2, 0, k)?.narrow(-1, 0, k);
    let lower = |x: &Tensor| x.tril(-1);
    let eye = Tensor::eye_with(k, k, TensorOptions::from(g.dtype()).device(g.device()))?;
    let (l, u) = (lower(&square(packed)?)?.add(&eye)?, square(packed)?.triu(0)?);
    let (mut gl, mut gu) = (lower(&square(g)?)?, square(g)?.triu(0)?);
    let mut rest = None;
    if m > n {
        // L2 = A2 U^-1.
        let (l2, gl2) = (packed.narrow(-2, k, m - k)?, g.narrow(-2, k, m - k)?);
        let ga2 = solve_right(&u.mT()?, &gl2, false)?;
        gu = gu.sub(&l2.mT()?.matmul(&ga2)?)?.triu(0)?;
        rest = Some((ga2, -2));
    } else if n > m {
        // U2 = L^-1 A2.
        let (u2, gu2) = (packed.narrow(-1, k, n - k)?, g.narrow(-1, k, n - k)?);
        let ga2 = super::solve_triangular(&l.mT()?, &gu2, true, true, true)?;
        gl = lower(&gl.sub(&ga2.matmul(&u2.mT()?)?)?)?;
        rest = Some((ga2, -1));
    }
    let inner = lower(&l.mT()?.matmul(&gl)?)?.add(&gu.matmul(&u.mT()?)?.triu(0)?)?;
    let left = super::solve_triangular(&l.mT()?, &inner, true, true, true)?;
    let mut ga = solve_right(&u.mT()?, &left, false)?;
    if let Some((rest, dim)) = rest {
        ga = Tensor::cat(&[&ga, &rest], dim)?;
    }
    p.matmul(&ga)
}

/// `X` with `X A = B`.
fn solve_right(a: &Tensor, b: &Tensor, upper: bool) -> Result<Tensor> {
    super::solve_triangular(a, b, upper, false, false)
}

fn check(op: &'static str, a: &Tensor) -> Result<()> {
    if a.dim() < 2 {
        let shape = a.shape();
        let text = format!("{op}: Expected tensor with 2 or more dimensions. Got size: {shape:?} instead");
        return Err(Error::runtime(op, text));
    }
    check_kernel(op, "lu_cpu", a)
}

fn factored(op: &'static str, a: &Tensor) -> Result<(Tensor, Lu)> {
    let a = a.resolve(op)?;
    check(op, &a)?;
    let lu = Lu::of(&a)?;
    let out = lu.tensor()?;
    let rows = lu.packed.rows;
    if !crate::autograd::records([&a]) {
        return Ok((out, lu));
    }
    let p = lu.permutation(rows)?;
    let packed = of_one("LinalgLuFactorExBackward0", &a, &[&p], true, out, |seen, g| lu_grad(g, seen[1], seen[0]))?;
    Ok((packed, lu))
}

/// `A = P L U` of every matrix: `L` below the diagonal (its own is 1) and `U` above it in one tensor, and the pivots
/// (int32): row `k` was swapped with row `pivots[k]`, counted from 1.
///
/// # Shapes
/// `[.., m, n]` to `[.., m, n]` and `[.., min(m, n)]`.
///
/// # Errors
/// Fewer than two dimensions, another dtype than float32 and float64, a zero on the diagonal of `U`.
///
/// ```
/// # use firebrick_core::{Tensor, linalg};
/// let (lu, pivots) = linalg::lu_factor(&Tensor::new([[1.0f32, 2.0], [4.0, 6.0]])?)?;
/// assert_eq!(lu.to_vec::<f32>()?, [4.0, 6.0, 0.25, 0.5]);
/// assert_eq!(pivots.to_vec::<i32>()?, [2, 2]);
/// # Ok::<_, firebrick_core::Error>(())
/// ```
pub fn lu_factor(a: &Tensor) -> Result<(Tensor, Tensor)> {
    const OP: &str = "torch.lu_factor";
    let (packed, lu) = factored(OP, a)?;
    if let Some((k, batch)) = first_report(&lu.info)? {
        return Err(Error::runtime(
            OP,
            format!(
                "torch.linalg.lu_factor: {batch}U[{k},{k}] is zero and using it on lu_solve would result in a division by zero. If you still want to perform the factorization, consider calling linalg.lu(A, pivot) or linalg.lu_factor_ex(A, pivot)"
            ),
        ));
    }
    Ok((packed, lu.pivots()?))
}

/// [`lu_factor`] that reports, for each matrix, the first zero on the diagonal of `U` counted from 1 (int32; 0: none).
///
/// ```
/// # use firebrick_core::{Tensor, linalg};
/// let (_, _, info) = linalg::lu_factor_ex(&Tensor::new([[1.0f32, 2.0], [2.0, 4.0]])?)?;
/// assert_eq!(info.item::<i32>()?, 2);
/// # Ok::<_, firebrick_core::Error>(())
/// ```
pub fn lu_factor_ex(a: &Tensor) -> Result<(Tensor, Tensor, Tensor)> {
    let (packed, lu) = factored("torch.lu_factor", a)?;
    Ok((packed, lu.pivots()?, lu.info))
}

/// `A = P L U` of every matrix, as three: a permutation, a lower triangle with ones on the diagonal, an upper triangle.
///
/// # Shapes
/// `[.., m, n]` to `[.., m, m]`, `[.., m, k]` and `[.., k, n]` with `k = min(m, n)`.
///
/// # Errors
/// Fewer than two dimensions, another dtype than float32 and float64.
///
/// ```
/// # use firebrick_core::{Tensor, linalg};
/// let (p, l, u) = linalg::lu(&Tensor::new([[1.0f32, 2.0], [4.0, 6.0]])?)?;
/// assert_eq!(p.to_vec::<f32>()?, [0.0, 1.0, 1.0, 0.0]);
/// assert_eq!(l.to_vec::<f32>()?, [1.0, 0.0, 0.25, 1.0]);
/// assert_eq!(u.to_vec::<f32>()?, [4.0, 6.0, 0.0, 0.5]);
/// # Ok::<_, firebrick_core::Error>(())
/// ```
pub fn lu(a: &Tensor) -> Result<(Tensor, Tensor, Tensor)> {
    let (packed, lu) = factored("linalg.lu", a)?;
    let (m, n) = (lu.packed.rows as i64, lu.packed.columns as i64);
    let k = m.min(n);
    let eye = Tensor::eye_with(m, k, TensorOptions::from(packed.dtype()).device(packed.device()))?;
    let l = packed.narrow(-1, 0, k)?.tril(-1)?.add(&eye)?;
    Ok((lu.permutation(lu.packed.rows)?, l, packed.narrow(-2, 0, k)?.triu(0)?))
}

by_hand! {
    table: LU;
    linalg_lu_factor as "LinalgLuFactorExBackward0": sample::shaped(&[3, 3], &[0, 0], |x| Ok(lu_factor_ex(x)?.0)).and_then(|mut all| {
        for shape in [&[4, 2][..], &[2, 4], &[2, 3, 3]] {
            all.push(sample::one(Trait::Plain, vec![ANY.tensor(shape, 5)?], |x| Ok(lu_factor_ex(&x[0])?.0)));
        }
        Ok(all)
    });
    linalg_lu: sample::shaped(&[3, 3], &[2, 0, 3], |x| {
        let (_, l, u) = lu(x)?;
        sample::joined(vec![l, u])
    });
}
