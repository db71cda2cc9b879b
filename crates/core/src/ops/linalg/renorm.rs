//! Parts of a tensor held to a norm.

use crate::autograd::no_grad;
use crate::ops::ops;
use crate::ops::reduce::{Over, norm_grad};
use crate::ops::sample;
use crate::{DType, Error, Result, Sizes, Tensor, wrap_dim};

/// The norms of the parts of `x` along `dim`, of which each stays in place.
fn part_norms(x: &Tensor, p: f64, dim: i64) -> Result<(Tensor, Over)> {
    let at = wrap_dim("renorm", dim, x.dim())?;
    let others: Sizes = (0..x.dim()).filter(|&d| d != at).map(|d| d as i64).collect();
    let over = Over::dims("renorm", x, &others, true)?;
    Ok((x.norm_dim(p, others, true)?, over))
}

/// Half precision has too few digits for norms.
fn widened(x: &Tensor) -> Result<Tensor> {
    if matches!(x.dtype(), DType::F16 | DType::BF16) { x.to(DType::F32) } else { Ok(x.clone()) }
}

/// What a part with this norm is multiplied by.
fn held(norm: &Tensor, maxnorm: f64) -> Result<Tensor> {
    let factor = norm.add(1e-7)?.reciprocal()?.mul(maxnorm)?;
    factor.where_self(&norm.detach().gt(maxnorm)?, 1.0)
}

fn renorm_of(x: &Tensor, p: f64, dim: i64, maxnorm: f64) -> Result<Tensor> {
    const OP: &str = "renorm";
    // NaN is no order either.
    if p.is_nan() || p <= 0.0 {
        return Err(Error::runtime(OP, "renorm: non-positive-norm not supported"));
    }
    if maxnorm.is_nan() || maxnorm < 0.0 {
        return Err(Error::runtime(OP, format!("renorm: expected maxnorm to be >= 0 but got {maxnorm}")));
    }
    let rank = x.dim();
    if rank < 2 {
        return Err(Error::runtime(OP, format!("renorm: input needs at least 2 dimensions, got {rank} dimensions")));
    }
    no_grad(|| {
        let (norm, _) = part_norms(&widened(x)?, p, dim)?;
        x.mul(&held(&norm, maxnorm)?.to(x.dtype())?)
    })
}

fn renorm_grad(g: &Tensor, x: &Tensor, p: f64, dim: i64, maxnorm: f64) -> Result<Tensor> {
    let (wide, g) = (widened(x)?, widened(g)?);
    let (norm, over) = part_norms(&wide, p, dim)?;
    let factor = held(&norm, maxnorm)?;
    // Where a part was scaled, its norm changes the factor.
    let step = factor.square()?.div(-maxnorm)?.masked_fill(&norm.detach().gt(maxnorm)?.logical_not()?, 0.0)?;
    let of_norm = g.mul(&wide)?.sum_dim(over.sizes(), true)?.mul(&step)?;
    g.mul(&factor)?.add(&norm_grad(&of_norm, &wide, &norm, p, &over)?)?.to(x.dtype())
}

ops! {
    table: RENORM;

    /// Scales the parts of a tensor along `dim` whose norm of order `p` is above `maxnorm` down to it.
    ///
    /// # Errors
    /// An order that is not positive, a negative bound, fewer than two dimensions, integers.
    ///
    /// ```
    /// # use firebrick_core::Tensor;
    /// let x = Tensor::new([[3.0f64, 4.0], [0.0, 1.0]])?.renorm(2.0, 0, 2.5)?;
    /// assert!(x.allclose(&Tensor::new([[1.5f64, 2.0], [0.0, 1.0]])?, 1e-6, 0.0, false)?);
    /// # Ok::<_, firebrick_core::Error>(())
    /// ```
    fn renorm(x; p: f64, dim: i64, maxnorm: f64) -> Tensor as "RenormBackward0" {
        forward: renorm_of(x, *p, *dim, *maxnorm),
        saves: [x],
        grads: { x: |g| renorm_grad(g, x, *p, *dim, *maxnorm) },
        in_place: renorm_(2.0, 0, 1.0) on [[3.0f32, 4.0], [0.3, 0.4]],
        samples: sample::shaped(&[3, 2], &[2, 0], |x| x.renorm(2.0, 0, 1.5)),
    }
}
