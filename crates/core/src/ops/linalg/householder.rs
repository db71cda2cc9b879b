//! Products of reflections: what LAPACK stores of a QR factorization, and `Q` made of it.

use super::batch::{Matrices, check_kernel};
use crate::backend::Factor;
use crate::ops::by_hand;
use crate::ops::devices::same_device;
use crate::ops::record_all::Recorded;
use crate::ops::sample::{self, ANY, Trait};
use crate::{DType, Error, Result, Tensor, TensorOptions};

/// A QR factorization as LAPACK stores it: `R` in the upper triangle, below it the vector of each reflection without
/// its leading 1, and the factor of each reflection. PyTorch's `torch.geqrf`.
///
/// # Shapes
/// `[.., m, n]` to itself and to `[.., min(m, n)]`.
///
/// # Errors
/// Fewer than two dimensions, another dtype than float32 and float64; in backward.
///
/// ```
/// # use firebrick_core::{Tensor, linalg};
/// let (packed, factors) = linalg::geqrf(&Tensor::new([[3.0f64], [4.0]])?)?;
/// assert_eq!((packed.to_vec::<f64>()?, factors.to_vec::<f64>()?), (vec![-5.0, 0.5], vec![1.6]));
/// # Ok::<_, firebrick_core::Error>(())
/// ```
pub fn geqrf(a: &Tensor) -> Result<(Tensor, Tensor)> {
    const OP: &str = "geqrf";
    let a = a.resolve(OP)?;
    if a.dim() < 2 {
        return Err(Error::runtime(OP, "torch.geqrf: input must have at least 2 dimensions."));
    }
    check_kernel(OP, "geqrf_cpu", &a)?;
    let matrices = Matrices::of(&a)?;
    let packed = matrices.room(&[matrices.rows, matrices.columns], DType::F64)?;
    let factors = matrices.room(&[matrices.shorter()], DType::F64)?;
    matrices.run(Factor::Reflections, &[], &[&packed, &factors])?;
    let packed = matrices.tensor(&packed, matrices.dtype)?;
    let factors = matrices.tensor(&factors, matrices.dtype)?;
    let outputs = [&packed, &factors];
    Recorded { name: "GeqrfBackward0", inputs: &[Some(&a)], saved: &[], outputs: &outputs, saves_outputs: false }
        .with(|_, _, _| Err(Error::not_implemented(OP, "the derivative for 'geqrf' is not implemented.")))?;
    Ok((packed, factors))
}

/// The first `n` columns of the product of reflections `I - tau[i] v_i v_i^T`, where `v_i` is column `i` of `a` below the
/// diagonal, with 1 on it and 0 above: the `Q` of [`geqrf`].
///
/// # Shapes
/// `a: [.., m, n]` with `m >= n`, `tau: [.., k]` with `k <= n`; `[.., m, n]`.
///
/// # Errors
/// Other shapes; another dtype than float32 and float64; two dtypes.
///
/// ```
/// # use firebrick_core::{Tensor, linalg};
/// let x = Tensor::new([[3.0f64], [4.0]])?;
/// let (packed, factors) = linalg::geqrf(&x)?;
/// let q = linalg::householder_product(&packed, &factors)?;
/// assert!(q.allclose(&Tensor::new([[-0.6f64], [-0.8]])?, 1e-12, 0.0, false)?);
/// # Ok::<_, firebrick_core::Error>(())
/// ```
pub fn householder_product(a: &Tensor, tau: &Tensor) -> Result<Tensor> {
    const OP: &str = "linalg.householder_product";
    let (a, tau) = (a.resolve(OP)?, tau.resolve(OP)?);
    same_device(OP, [a.device(), tau.device()])?;
    check_reflections(OP, &a, &tau)?;
    let (m, n, k) = (a.size(-2)? as i64, a.size(-1)? as i64, tau.size(-1)? as i64);
    let eye = Tensor::eye_with(m, n, TensorOptions::from(a.dtype()).device(a.device()))?;
    let vectors = a.tril(-1)?.add(&eye)?;
    let mut product = eye.expand(a.shape())?;
    for i in (0..k).rev() {
        let (v, factor) = (vectors.narrow(-1, i, 1)?, tau.narrow(-1, i, 1)?.unsqueeze(-1)?);
        product = product.sub(&v.mul(&factor)?.matmul(&v.mT()?.matmul(&product)?)?)?;
    }
    if k == 0 { product.copy() } else { Ok(product) }
}

fn check_reflections(op: &'static str, a: &Tensor, tau: &Tensor) -> Result<()> {
    let refuse = |what: String| Err(Error::runtime(op, format!("torch.linalg.householder_product: {what}")));
    let (sa, st) = (a.shape(), tau.shape());
    let rank = sa.len();
    if rank < 2 {
        return refuse("input must have at least 2 dimensions.".to_owned());
    }
    if sa[rank - 2] < sa[rank - 1] {
        return refuse("input.shape[-2] must be greater than or equal to input.shape[-1]".to_owned());
    }
    if let Some(&k) = st.last()
        && sa[rank - 1] < k
    {
        return refuse("input.shape[-1] must be greater than or equal to tau.shape[-1]".to_owned());
    }
    if st.len() + 1 != rank {
        return refuse(format!(
            "Expected tau to have one dimension less than input, but got tau.ndim equal to {} and input.ndim is equal to {rank}",
            st.len()
        ));
    }
    if st[..rank - 2] != sa[..rank - 2] {
        let batch = &st[..rank - 2];
        return refuse(format!("Expected batch dimensions of tau to be equal to input.shape[:-2], but got {batch:?}"));
    }
    if tau.dtype() != a.dtype() {
        return refuse(format!(
            "tau dtype {} does not match input dtype {}",
            tau.dtype().scalar_name(),
            a.dtype().scalar_name()
        ));
    }
    check_kernel(op, "orgqr_cpu", a)
}

by_hand! {
    table: HOUSEHOLDER;
    linalg_householder_product: {
        let call = |x: &[Tensor]| householder_product(&x[0], &x[1]);
        let sample = |traits, a, tau| sample::one(traits, vec![a, tau], call);
        Ok(vec![
            sample(Trait::Plain, ANY.tensor(&[3, 2], 1)?, ANY.tensor(&[2], 2)?),
            sample(Trait::Plain, ANY.tensor(&[2, 2, 2], 3)?, ANY.tensor(&[2, 1], 4)?),
            sample(Trait::Strided, ANY.strided(&[3, 3], 5)?, ANY.strided(&[3], 6)?),
            sample(Trait::Empty, ANY.tensor(&[2, 0], 7)?, ANY.tensor(&[0], 8)?),
        ])
    };
}
