//! Determinants and their logarithms.

use super::batch::{check_float, check_kernel, check_precise, check_square};
use super::lu::Lu;
use crate::autograd::{is_grad_enabled, no_grad};
use crate::ops::record_all::{Recorded, of_one};
use crate::ops::sample::{self, ANY, Sample, Trait};
use crate::ops::{by_hand, composed};
use crate::{Result, Tensor};
use smallvec::smallvec;

fn factored(op: &'static str, a: &Tensor) -> Result<(Tensor, Lu)> {
    let a = a.resolve(op)?;
    check_square(op, &a)?;
    match op {
        "linalg.det" => check_float(op, &a).and_then(|()| check_kernel(op, "lu_cpu", &a))?,
        _ => check_precise(op, &a)?,
    }
    let lu = Lu::of(&a)?;
    Ok((a, lu))
}

/// `A^-T` scaled by a number for each matrix: by the factors, or by a solution that is recorded itself.
fn scaled_inverse(lu: &Lu, a: &Tensor, scale: &Tensor) -> Result<Tensor> {
    let size = a.size(-1)? as i64;
    let mut shape: crate::Sizes = vec![-1; scale.dim()].into();
    shape = shape.iter().copied().chain([size]).collect();
    let right = scale.unsqueeze(-1)?.expand(shape)?.diag_embed(0, -2, -1)?;
    if is_grad_enabled() { super::solve(&a.mT()?, &right, true) } else { lu.solve(&right, true) }
}

/// Determinant of every matrix.
///
/// # Shapes
/// `[.., n, n]` to `[..]`; the determinant of a matrix without elements is 1.
///
/// # Errors
/// Matrices that are not square, another dtype than float32 and float64.
///
/// ```
/// # use firebrick_core::{Tensor, linalg};
/// assert_eq!(linalg::det(&Tensor::new([[1.0f64, 2.0], [3.0, 4.0]])?)?.item::<f64>()?, -2.0);
/// # Ok::<_, firebrick_core::Error>(())
/// ```
pub fn det(a: &Tensor) -> Result<Tensor> {
    let (a, lu) = factored("linalg.det", a)?;
    let out = no_grad(|| lu.diagonal()?.prod_dim(-1, false)?.mul(&lu.sign()?)?.to(a.dtype()))?;
    of_one("LinalgDetBackward0", &a, &[&a], true, out, move |seen, g| {
        let scale = g.mul(seen[1])?;
        // The determinant is smooth where the inverse does not exist: a step beside it is near enough.
        if is_grad_enabled() {
            scaled_inverse(&lu, seen[0], &scale)
        } else {
            scaled_inverse(&lu.without_zeros()?, seen[0], &scale)
        }
    })
}

/// Sign and logarithm of the size of the determinant of every matrix; `0` and `-inf` where it is zero.
///
/// # Shapes
/// `[.., n, n]` to twice `[..]`.
///
/// # Errors
/// As [`det`].
///
/// ```
/// # use firebrick_core::{Tensor, linalg};
/// let (sign, log) = linalg::slogdet(&Tensor::new([[0.0f64, 1.0], [1.0, 0.0]])?)?;
/// assert_eq!((sign.item::<f64>()?, log.item::<f64>()?), (-1.0, 0.0));
/// # Ok::<_, firebrick_core::Error>(())
/// ```
pub fn slogdet(a: &Tensor) -> Result<(Tensor, Tensor)> {
    sign_and_log("linalg.slogdet", a)
}

fn sign_and_log(op: &'static str, a: &Tensor) -> Result<(Tensor, Tensor)> {
    let (a, lu) = factored(op, a)?;
    let (sign, log) = no_grad(|| -> Result<_> {
        let diagonal = lu.diagonal()?;
        let sign = diagonal.sgn()?.prod_dim(-1, false)?.mul(&lu.sign()?)?.to(a.dtype())?;
        Ok((sign, diagonal.abs()?.log()?.sum_dim(-1, false)?.to(a.dtype())?))
    })?;
    let outputs = [&sign, &log];
    let recorded = Recorded {
        name: "LinalgSlogdetBackward0",
        inputs: &[Some(&a)],
        saved: &[Some(&a)],
        outputs: &outputs,
        saves_outputs: false,
    };
    // The sign is constant wherever it is differentiable.
    recorded.with(move |seen, grads, _| {
        let [Some(a)] = &seen[..] else { return Ok(smallvec![None]) };
        let of_log = grads[1].as_ref().map(|g| scaled_inverse(&lu, a, g)).transpose()?;
        Ok(smallvec![match of_log {
            None => Some(a.zeros_like()?),
            some => some,
        }])
    })?;
    Ok((sign, log))
}

fn samples(f: impl Fn(&Tensor) -> Result<Tensor> + Clone + Send + Sync + 'static) -> Result<Vec<Sample>> {
    let mut all = sample::shaped(&[3, 3], &[0, 0], f.clone())?;
    all.push(sample::one(Trait::Plain, vec![ANY.tensor(&[2, 3, 3], 4)?], move |x| f(&x[0])));
    Ok(all)
}

composed! {
    table: METHODS;

    /// See [`linalg::det`](crate::linalg::det).
    ///
    /// ```
    /// # use firebrick_core::Tensor;
    /// assert_eq!(Tensor::new([[2.0f32, 1.0], [0.0, 3.0]])?.det()?.item::<f32>()?, 6.0);
    /// # Ok::<_, firebrick_core::Error>(())
    /// ```
    fn det(&a) -> Tensor {
        det(a)
    }
    samples: samples(|x| x.det());

    /// See [`linalg::slogdet`](crate::linalg::slogdet).
    ///
    /// ```
    /// # use firebrick_core::Tensor;
    /// let (sign, log) = Tensor::new([[0.0f32, 1.0], [1.0, 0.0]])?.slogdet()?;
    /// assert_eq!((sign.item::<f32>()?, log.item::<f32>()?), (-1.0, 0.0));
    /// # Ok::<_, firebrick_core::Error>(())
    /// ```
    fn slogdet(&a) -> (Tensor, Tensor) {
        slogdet(a)
    }
    samples: samples(|x| Ok(x.slogdet()?.1));

    /// Logarithm of the determinant of every matrix: `-inf` where it is zero, NaN where it is negative.
    ///
    /// # Shapes
    /// `[.., n, n]` to `[..]`.
    ///
    /// # Errors
    /// Matrices that are not square, another dtype than float32 and float64.
    ///
    /// ```
    /// # use firebrick_core::Tensor;
    /// assert_eq!(Tensor::new([[2.0f64, 0.0], [0.0, 0.5]])?.logdet()?.item::<f64>()?, 0.0);
    /// # Ok::<_, firebrick_core::Error>(())
    /// ```
    fn logdet(&a) -> Tensor {
        let (sign, log) = sign_and_log("logdet", a)?;
        log.masked_fill(&sign.eq(-1.0)?, f64::NAN)
    }
    samples: samples(|x| x.matmul(&x.mT()?)?.logdet());
}

by_hand! {
    table: DETERMINANTS;
    linalg_det as "LinalgDetBackward0": samples(det);
    linalg_slogdet as "LinalgSlogdetBackward0": samples(|x| {
        let (sign, log) = slogdet(x)?;
        sign.mul(&log)
    });
}
