//! QR factorization.

use super::batch::{Matrices, check_float, check_kernel, check_rank};
use crate::autograd::Grads;
use crate::backend::Factor;
use crate::ops::by_hand;
use crate::ops::record_all::Recorded;
use crate::ops::sample::{self, ANY, Trait};
use crate::{DType, Error, Result, Tensor};
use smallvec::smallvec;

/// Which of the two factors, and how much of `Q`.
#[derive(Clone, Copy, PartialEq)]
enum Mode {
    Reduced,
    Complete,
    OnlyR,
}

impl Mode {
    fn parse(op: &'static str, mode: &str) -> Result<Mode> {
        match mode {
            "reduced" => Ok(Mode::Reduced),
            "complete" => Ok(Mode::Complete),
            "r" => Ok(Mode::OnlyR),
            _ => Err(Error::runtime(
                op,
                format!(
                    "qr received unrecognized mode '{mode}' but expected one of 'reduced' (default), 'r', or 'complete'"
                ),
            )),
        }
    }
}

/// The gradient of a matrix that is not wide (Liao et al., *Differentiable Programming Tensor Networks*, 2019, for the
/// wide one, by way of this).
fn tall_grad(gq: Option<&Tensor>, gr: Option<&Tensor>, q: &Tensor, r: &Tensor) -> Result<Tensor> {
    let mut inner = match gr {
        Some(gr) => gr.matmul(&r.mT()?)?,
        None => r.mul(0.0)?,
    };
    if let Some(gq) = gq {
        inner = inner.sub(&q.mT()?.matmul(gq)?)?;
    }
    let upper = inner.triu(0)?;
    let symmetric = upper.add(&inner.triu(1)?.mT()?)?;
    let mut right = q.matmul(&symmetric)?;
    if let Some(gq) = gq {
        right = right.add(gq)?;
    }
    super::solve_triangular(&r.mT()?, &right, false, false, false)
}

/// The gradient from those of both factors.
fn qr_grad(gq: Option<&Tensor>, gr: Option<&Tensor>, q: &Tensor, r: &Tensor) -> Result<Tensor> {
    let (m, n) = (q.size(-2)? as i64, r.size(-1)? as i64);
    if m >= n {
        return tall_grad(gq, gr, q, r);
    }
    // A = Q [X | Y]: the second part is Q^T A2, the first a square matrix's factor.
    let (x, y) = (r.narrow(-1, 0, m)?, r.narrow(-1, m, n - m)?);
    let Some(gr) = gr else {
        let first = tall_grad(gq, None, q, &x)?;
        return Tensor::cat(&[&first, &q.matmul(&y)?.mul(0.0)?], -1);
    };
    let (gx, gy) = (gr.narrow(-1, 0, m)?, gr.narrow(-1, m, n - m)?);
    let second = q.matmul(&gy)?;
    let mut through = q.matmul(&y)?.matmul(&gy.mT()?)?;
    if let Some(gq) = gq {
        through = through.add(gq)?;
    }
    Tensor::cat(&[&tall_grad(Some(&through), Some(&gx), q, &x)?, &second], -1)
}

/// `A = Q R` of every matrix: orthonormal columns and an upper triangle.
///
/// `mode` is `"reduced"`, `"complete"` (all of a basis in `Q`) or `"r"` (`Q` is empty). As in LAPACK, a diagonal element
/// of `R` may be negative.
///
/// # Shapes
/// `[.., m, n]` to `[.., m, k]` and `[.., k, n]` with `k = min(m, n)`; `k = m` in the complete mode.
///
/// # Errors
/// Fewer than two dimensions, another dtype than float32 and float64, an unknown mode; when gradients are asked for, mode
/// `"r"`, and the complete mode of matrices with more rows than columns.
///
/// ```
/// # use firebrick_core::{Tensor, linalg};
/// let (q, r) = linalg::qr(&Tensor::new([[3.0f64, 1.0], [4.0, 2.0]])?, "reduced")?;
/// assert!(q.matmul(&r)?.allclose(&Tensor::new([[3.0f64, 1.0], [4.0, 2.0]])?, 1e-12, 1e-12, false)?);
/// assert_eq!(r.to_vec::<f64>()?[0], -5.0);
/// # Ok::<_, firebrick_core::Error>(())
/// ```
pub fn qr(a: &Tensor, mode: &str) -> Result<(Tensor, Tensor)> {
    const OP: &str = "linalg.qr";
    let a = a.resolve(OP)?;
    check_rank(OP, "A", &a)?;
    check_float(OP, &a)?;
    let mode = Mode::parse(OP, mode)?;
    check_kernel(OP, "geqrf_cpu", &a)?;
    let matrices = Matrices::of(&a)?;
    let (m, n) = (matrices.rows, matrices.columns);
    let inner = if mode == Mode::Complete { m } else { matrices.shorter() };
    let columns = if mode == Mode::OnlyR { 0 } else { inner };
    let q_room = matrices.room(&[m, columns], DType::F64)?;
    let r_room = matrices.room(&[inner, n], DType::F64)?;
    matrices.run(Factor::Qr, &[], &[&q_room, &r_room])?;
    let r = matrices.tensor(&r_room, matrices.dtype)?;
    let q = match mode {
        Mode::OnlyR => a.detach().new_zeros([0])?,
        _ => matrices.tensor(&q_room, matrices.dtype)?,
    };
    let outputs = [&q, &r];
    let recorded =
        Recorded { name: "LinalgQrBackward0", inputs: &[Some(&a)], saved: &[], outputs: &outputs, saves_outputs: true };
    recorded.with(move |seen, grads, _| {
        let [Some(q), Some(r)] = &seen[..] else { return Ok(smallvec![None]) };
        check_differentiable(mode, m, n)?;
        Ok(Grads::from_elem(Some(qr_grad(grads[0].as_ref(), grads[1].as_ref(), q, r)?), 1))
    })?;
    Ok((q, r))
}

fn check_differentiable(mode: Mode, m: usize, n: usize) -> Result<()> {
    const OP: &str = "linalg.qr";
    match mode {
        Mode::OnlyR => Err(Error::runtime(
            OP,
            "The derivative of linalg.qr depends on Q, which is not computed when mode='r'. Please use linalg.qr(A, mode='reduced') if you are going to differentiate through linalg.qr.",
        )),
        Mode::Complete if m > n => Err(Error::runtime(
            OP,
            "The QR decomposition is not differentiable when mode='complete' and nrows > ncols.",
        )),
        _ => Ok(()),
    }
}

by_hand! {
    table: QR;
    linalg_qr as "LinalgQrBackward0": {
        let call = |x: &Tensor| {
            let (q, r) = qr(x, "reduced")?;
            sample::joined(vec![q, r])
        };
        sample::shaped(&[3, 3], &[2, 0], call).and_then(|mut all| {
            for shape in [&[4, 2][..], &[2, 4], &[2, 3, 2]] {
                all.push(sample::one(Trait::Plain, vec![ANY.tensor(shape, 9)?], move |x| call(&x[0])));
            }
            all.push(sample::one(Trait::Plain, vec![ANY.tensor(&[3, 4], 4)?], |x| Ok(qr(&x[0], "complete")?.1)));
            all.push(sample::one(Trait::Plain, vec![ANY.tensor(&[3, 4], 6)?], |x| Ok(qr(&x[0], "complete")?.0)));
            Ok(all)
        })
    };
}
