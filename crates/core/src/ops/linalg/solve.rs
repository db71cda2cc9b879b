//! Systems of linear equations, and inverses.

use super::batch::{
    Matrices, broadcast_batches, check_float, check_kernel, check_precise, check_rank, check_square, first_report,
};
use super::lu::Lu;
use crate::autograd::is_grad_enabled;
use crate::backend::Factor;
use crate::ops::devices::same_device;
use crate::ops::record_all::{Recorded, of_one};
use crate::ops::sample::{self, ANY, Sample, Trait};
use crate::ops::{by_hand, composed};
use crate::{DType, Error, Result, Tensor, TensorOptions};
use smallvec::smallvec;

/// Refuses a right side that does not fit.
fn check_sides(op: &'static str, a: &Tensor, b: &Tensor, left: bool) -> Result<()> {
    check_rank(op, "B", b)?;
    check_square(op, a)?;
    let (sa, sb) = (a.shape(), b.shape());
    let (n, rows, columns) = (sa[sa.len() - 1], sb[sb.len() - 2], sb[sb.len() - 1]);
    if n != if left { rows } else { columns } {
        let equation = if left { "AX = B" } else { "XA = B" };
        return Err(Error::runtime(
            op,
            format!("{op}: Incompatible shapes of A and B for the equation {equation} ({n}x{n} and {rows}x{columns})"),
        ));
    }
    Ok(())
}

/// `X` and the factors' report for operands with equal batches.
fn solved(a: &Tensor, b: &Tensor) -> Result<(Tensor, Tensor)> {
    let lu = Lu::of(a)?;
    let (x, info) = (lu.solve(b, false)?, lu.info.clone());
    let recorded = Recorded {
        name: "LinalgSolveExBackward0",
        inputs: &[Some(a), Some(b)],
        saved: &[Some(a)],
        outputs: &[&x],
        saves_outputs: true,
    };
    recorded.with(move |seen, grads, needs| {
        let ([Some(a), Some(x)], Some(g)) = (&seen[..], &grads[0]) else { return Ok(smallvec![None, None]) };
        let gb = if is_grad_enabled() { solve(&a.mT()?, g, true)? } else { lu.solve(g, true)? };
        let ga = if needs[0] { Some(gb.matmul(&x.mT()?)?.neg()?) } else { None };
        Ok(smallvec![ga, Some(gb)])
    })?;
    Ok((x, info))
}

/// The solution `X` of `A X = B` for every matrix `A`, or of `X A = B` where `left` is false. `B` is a batch of matrices,
/// or, where `left` is true, of vectors: of one dimension, or in the shape of `A` without its last.
///
/// # Shapes
/// `[.., n, n]` and `[.., n, k]` (`[.., k, n]`) or `[.., n]`; batches broadcast.
///
/// # Errors
/// Shapes that do not fit, another dtype than float32 and float64, a singular matrix: its place in the batch is named.
///
/// ```
/// # use firebrick_core::{Tensor, linalg};
/// let a = Tensor::new([[2.0f64, 1.0], [0.0, 4.0]])?;
/// let x = linalg::solve(&a, &Tensor::new([4.0f64, 8.0])?, true)?;
/// assert_eq!(x.to_vec::<f64>()?, [1.0, 2.0]);
/// # Ok::<_, firebrick_core::Error>(())
/// ```
pub fn solve(a: &Tensor, b: &Tensor, left: bool) -> Result<Tensor> {
    let (x, info) = solve_ex(a, b, left)?;
    match first_report(&info)? {
        None => Ok(x),
        Some((_, batch)) => Err(Error::lin_alg(
            "linalg.solve",
            format!("torch.linalg.solve: {batch}The solver failed because the input matrix is singular."),
        )),
    }
}

/// [`solve`] that reports, for each matrix, the first zero pivot counted from 1 (int32; 0: none), instead of failing.
///
/// ```
/// # use firebrick_core::{Tensor, linalg};
/// let (a, b) = (Tensor::new([[2.0f32, 0.0], [0.0, 0.0]])?, Tensor::new([4.0f32, 1.0])?);
/// assert_eq!(linalg::solve_ex(&a, &b, true)?.1.item::<i32>()?, 2);
/// # Ok::<_, firebrick_core::Error>(())
/// ```
pub fn solve_ex(a: &Tensor, b: &Tensor, left: bool) -> Result<(Tensor, Tensor)> {
    const OP: &str = "linalg.solve";
    let (a, b) = (a.resolve(OP)?, b.resolve(OP)?);
    same_device(OP, [a.device(), b.device()])?;
    check_float(OP, &a)?;
    let (da, db) = (a.dtype(), b.dtype());
    if da != db {
        let (da, db) = (da.scalar_name(), db.scalar_name());
        return Err(Error::runtime(
            OP,
            format!(
                "{OP}: Expected A and B to have the same dtype, but found A of type {da} and B of type {db} instead"
            ),
        ));
    }
    check_rank(OP, "A", &a)?;
    let (sa, sb) = (a.shape(), b.shape());
    let vector = sb.len() == 1 || sb[..] == sa[..sa.len() - 1];
    let b = if vector && !sb.is_empty() { b.unsqueeze(-1)? } else { b };
    check_sides(OP, &a, &b, left)?;
    if vector && !left {
        return Err(Error::runtime(
            OP,
            "linalg.solve: Vector broadcasting of the left hand side is not supported for left=False. In this case linalg.solve is equivalent to B / A.squeeze(-1)",
        ));
    }
    check_kernel(OP, "lu_cpu", &a)?;
    let (a, b) = broadcast_batches(OP, &a, &b)?;
    let (x, info) = match left {
        true => solved(&a, &b)?,
        false => {
            let (x, info) = solved(&a.mT()?, &b.mT()?)?;
            (x.mT()?, info)
        }
    };
    Ok((if vector { x.squeeze_dim(-1)? } else { x }, info))
}

fn inverted(a: &Tensor) -> Result<(Tensor, Tensor)> {
    const OP: &str = "linalg.inv";
    let a = a.resolve(OP)?;
    check_square(OP, &a)?;
    check_precise(OP, &a)?;
    let lu = Lu::of(&a)?;
    let n = a.size(-1)? as i64;
    let eye = Tensor::eye_with(n, n, TensorOptions::from(a.dtype()).device(a.device()))?;
    let x = lu.solve(&eye.expand(a.shape())?, false)?;
    let x = of_one("LinalgInvExBackward0", &a, &[], true, x, |seen, g| {
        let transposed = seen[0].mT()?;
        transposed.matmul(&g.matmul(&transposed)?)?.neg()
    })?;
    Ok((x, lu.info))
}

fn check_inverted(op: &'static str, info: &Tensor) -> Result<()> {
    match first_report(info)? {
        None => Ok(()),
        Some((k, batch)) => Err(Error::lin_alg(
            op,
            format!(
                "{op}: {batch}The diagonal element {k} is zero, the inversion could not be completed because the input matrix is singular."
            ),
        )),
    }
}

/// Inverse of every matrix.
///
/// # Shapes
/// `[.., n, n]` to itself.
///
/// # Errors
/// Matrices that are not square, another dtype than float32 and float64, a singular matrix: its place in the batch and
/// the pivot are named.
///
/// ```
/// # use firebrick_core::{Tensor, linalg};
/// let inverse = linalg::inv(&Tensor::new([[2.0f64, 0.0], [0.0, 4.0]])?)?;
/// assert_eq!(inverse.to_vec::<f64>()?, [0.5, 0.0, 0.0, 0.25]);
/// # Ok::<_, firebrick_core::Error>(())
/// ```
pub fn inv(a: &Tensor) -> Result<Tensor> {
    let (x, info) = inverted(a)?;
    check_inverted("linalg.inv", &info)?;
    Ok(x)
}

/// [`inv`] that reports, for each matrix, the first zero pivot counted from 1 (int32; 0: none), and fails because of one
/// only where `check_errors` is set.
///
/// ```
/// # use firebrick_core::{Tensor, linalg};
/// let (inverse, info) = linalg::inv_ex(&Tensor::new([[2.0f32, 0.0], [0.0, 4.0]])?, false)?;
/// assert_eq!(inverse.diag(0)?.to_vec::<f32>()?, [0.5, 0.25]);
/// assert_eq!(info.item::<i32>()?, 0);
/// # Ok::<_, firebrick_core::Error>(())
/// ```
pub fn inv_ex(a: &Tensor, check_errors: bool) -> Result<(Tensor, Tensor)> {
    let (x, info) = inverted(a)?;
    if check_errors {
        check_inverted("linalg.inv_ex", &info)?;
    }
    Ok((x, info))
}

/// The solution `X` of `A X = B` for triangular matrices `A`, or of `X A = B` where `left` is false. Only one triangle is
/// read, and with `unitriangular` its diagonal is taken for ones. Nothing is checked: a zero on the diagonal divides.
///
/// # Shapes
/// `[.., n, n]` and `[.., n, k]` (`[.., k, n]`); batches broadcast.
///
/// # Errors
/// Shapes that do not fit, another dtype than float32 and float64.
///
/// ```
/// # use firebrick_core::{Tensor, linalg};
/// let a = Tensor::new([[2.0f64, 1.0], [9.0, 4.0]])?;
/// let x = linalg::solve_triangular(&a, &Tensor::new([[4.0f64], [8.0]])?, true, true, false)?;
/// assert_eq!(x.to_vec::<f64>()?, [1.0, 2.0]);
/// # Ok::<_, firebrick_core::Error>(())
/// ```
pub fn solve_triangular(a: &Tensor, b: &Tensor, upper: bool, left: bool, unitriangular: bool) -> Result<Tensor> {
    const OP: &str = "linalg.solve_triangular";
    let (a, b) = (a.resolve(OP)?, b.resolve(OP)?);
    same_device(OP, [a.device(), b.device()])?;
    check_rank(OP, "A", &a)?;
    check_sides(OP, &a, &b, left)?;
    for x in [&a, &b] {
        check_kernel(OP, "triangular_solve_cpu", x)?;
    }
    let (a, b) = broadcast_batches(OP, &a, &b)?;
    match left {
        true => substituted(&a, &b, upper, unitriangular),
        false => substituted(&a.mT()?, &b.mT()?, !upper, unitriangular)?.mT(),
    }
}

fn substituted(a: &Tensor, b: &Tensor, upper: bool, unit: bool) -> Result<Tensor> {
    let (left, right) = (Matrices::of(a)?, Matrices::of(b)?);
    let room = right.room(&[right.rows, right.columns], DType::F64)?;
    left.run(Factor::Triangular { upper, unit }, &[right.body()], &[&room])?;
    let x = right.tensor(&room, left.dtype)?;
    let recorded = Recorded {
        name: "LinalgSolveTriangularBackward0",
        inputs: &[Some(a), Some(b)],
        saved: &[Some(a)],
        outputs: &[&x],
        saves_outputs: true,
    };
    recorded.with(move |seen, grads, needs| {
        let ([Some(a), Some(x)], Some(g)) = (&seen[..], &grads[0]) else { return Ok(smallvec![None, None]) };
        let gb = solve_triangular(&a.mT()?, g, !upper, true, unit)?;
        let ga = match needs[0] {
            false => None,
            true => {
                let full = gb.matmul(&x.mT()?)?.neg()?;
                let from = i64::from(unit);
                Some(if upper { full.triu(from)? } else { full.tril(-from)? })
            }
        };
        Ok(smallvec![ga, Some(gb)])
    })?;
    Ok(x)
}

composed! {
    table: METHODS;

    /// See [`linalg::inv`](crate::linalg::inv).
    ///
    /// ```
    /// # use firebrick_core::Tensor;
    /// let x = Tensor::new([[2.0f32, 0.0], [0.0, 4.0]])?;
    /// assert_eq!(x.inverse()?.to_vec::<f32>()?, [0.5, 0.0, 0.0, 0.25]);
    /// # Ok::<_, firebrick_core::Error>(())
    /// ```
    fn inverse(&a) -> Tensor {
        inv(a)
    }
    samples: inverse_samples(|x| x.inverse());
}

fn inverse_samples(f: impl Fn(&Tensor) -> Result<Tensor> + Clone + Send + Sync + 'static) -> Result<Vec<Sample>> {
    let mut all = sample::shaped(&[3, 3], &[0, 0], f.clone())?;
    all.push(sample::one(Trait::Plain, vec![ANY.tensor(&[2, 2, 2], 8)?], move |x| f(&x[0])));
    Ok(all)
}

fn system_samples(
    f: impl Fn(&Tensor, &Tensor, bool) -> Result<Tensor> + Clone + Send + Sync + 'static,
) -> Result<Vec<Sample>> {
    let left = f.clone();
    let mut all = sample::shaped_pairs((&[3, 3], &[3, 2]), (&[2, 0, 0], &[2, 0, 3]), move |a, b| left(a, b, true))?;
    for (a, b, left) in [(&[2, 3, 3][..], &[3, 1][..], true), (&[3, 3], &[2, 3, 1], true), (&[3, 3], &[2, 3], false)] {
        let f = f.clone();
        all.push(sample::one(Trait::Broadcast, vec![ANY.tensor(a, 5)?, ANY.tensor(b, 6)?], move |x| {
            f(&x[0], &x[1], left)
        }));
    }
    Ok(all)
}

by_hand! {
    table: SOLVE;
    linalg_solve as "LinalgSolveExBackward0": system_samples(solve).and_then(|mut all| {
        for (a, b) in [(&[3, 3][..], &[3][..]), (&[2, 2, 2], &[2, 2])] {
            all.push(sample::one(Trait::Plain, vec![ANY.tensor(a, 7)?, ANY.tensor(b, 8)?], |x| solve(&x[0], &x[1], true)));
        }
        Ok(all)
    });
    linalg_inv as "LinalgInvExBackward0": inverse_samples(inv);
    linalg_solve_triangular as "LinalgSolveTriangularBackward0": system_samples(|a, b, left| {
        sample::joined(vec![
            solve_triangular(a, b, true, left, false)?,
            solve_triangular(a, b, false, left, false)?,
            solve_triangular(a, b, true, left, true)?,
            solve_triangular(a, b, false, left, true)?,
        ])
    });
}
