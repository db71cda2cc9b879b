//! Norms of vectors, and the smooth maximum.

use super::run::{Over, reduce};
use super::samples::over_dims;
use crate::autograd::Grads;
use crate::backend::Reduce;
use crate::ops::by_hand;
use crate::ops::linalg::{NormOrder, matrix_norm};
use crate::ops::record_all::{Recorded, analytic, of_one};
use crate::ops::sample::{self, ANY};
use crate::{DType, Error, Result, Sizes, Tensor};

/// PyTorch's way of printing an order.
pub(crate) fn order_text(p: f64) -> String {
    format!("{p}").to_lowercase()
}

fn check(x: &Tensor, p: f64, over: &Over, all: bool) -> Result<()> {
    const OP: &str = "linalg.vector_norm";
    let dtype = x.dtype();
    if !dtype.is_differentiable() {
        return Err(Error::not_implemented(
            OP,
            format!("{OP}: Expected a floating point or complex tensor as input. Got {}", dtype.scalar_name()),
        ));
    }
    // The norms without a neutral element.
    if (p < 0.0 || p == f64::INFINITY) && x.numel() == 0 {
        let p = order_text(p);
        if all {
            return Err(Error::runtime(
                OP,
                format!(
                    "{OP} cannot compute the {p} norm on an empty tensor because the operation does not have an identity"
                ),
            ));
        }
        if let Some(dim) = over.dims.iter().find(|&&d| over.shape[d] == 0) {
            return Err(Error::runtime(
                OP,
                format!(
                    "{OP} cannot compute the {p} norm on the dimension {dim}because this dimension is empty and the operation does not have an identity"
                ),
            ));
        }
    }
    Ok(())
}

/// The gradient of a norm, by order.
pub(crate) fn norm_grad(g: &Tensor, x: &Tensor, norm: &Tensor, p: f64, over: &Over) -> Result<Tensor> {
    let (g, norm) = (over.restore(g)?, over.restore(norm)?);
    // The power of the norm that the gradient is divided by; nothing is divided by a norm of zero.
    let zero = norm.detach().eq(0.0)?;
    let divided = |x: &Tensor, power: f64| x.div(&norm.masked_fill(&zero, 1.0)?.pow(power)?)?.masked_fill(&zero, 0.0);
    let scaled = |power: f64| divided(&g, power);
    if p == 1.0 {
        x.sgn()?.mul(&g)
    } else if p == 2.0 {
        divided(x, 1.0)?.mul(&g)
    } else if p.is_infinite() {
        let size = x.detach().abs()?;
        let mask = size.eq(norm.detach())?.logical_or(&size.isnan()?)?;
        x.sgn()?.mul(&g.div(&mask.sum_dim(over.sizes(), true)?)?.mul(&mask)?)
    } else if p < 1.0 {
        let slope = x.sgn()?.mul(&x.abs()?.pow(p - 1.0)?.masked_fill(&x.detach().eq(0.0)?, 0.0)?)?;
        slope.mul(&g)?.mul(&norm.pow(1.0 - p)?)
    } else if p < 2.0 {
        x.sgn()?.mul(&x.abs()?.pow(p - 1.0)?)?.mul(&scaled(p - 1.0)?)
    } else {
        x.mul(&x.abs()?.pow(p - 2.0)?)?.mul(&scaled(p - 1.0)?)
    }
}

fn vector_norm(x: &Tensor, p: f64, over: Over, all: bool) -> Result<Tensor> {
    check(x, p, &over, all)?;
    const NAME: &str = "LinalgVectorNormBackward0";
    if p == 0.0 {
        // A count: there is a node, but no gradient flows through it.
        let out = reduce(Reduce::CountNonzero, x, &over, x.dtype())?;
        let recorded = Recorded { name: NAME, inputs: &[Some(x)], saved: &[], outputs: &[&out], saves_outputs: false };
        recorded.with(|_, _, needs| Ok(Grads::from_elem(None, needs.len())))?;
        return Ok(out);
    }
    let out = reduce(Reduce::Norm(p), x, &over, x.dtype())?;
    of_one(NAME, x, &[x], true, out, move |seen, g| norm_grad(g, seen[0], seen[1], p, &over))
}

/// The formula itself, after the largest real part was taken out.
fn logsumexp_complex(x: &Tensor, over: &Over) -> Result<Tensor> {
    if over.count() == 0 {
        return x.new_full(over.result(), f64::NEG_INFINITY);
    }
    let kept = |x: &Tensor| if over.shape.is_empty() { Ok(x.clone()) } else { x.reshape(over.kept()) };
    let largest = kept(&x.real()?.amax(over.sizes(), true)?)?;
    let largest = largest.masked_fill(&largest.isfinite()?.logical_not()?, 0)?;
    let sum = kept(&x.sub(&largest)?.exp()?.sum_dim(over.sizes(), true)?)?;
    sum.log()?.add(&largest)?.reshape(over.result())
}

fn logsumexp(x: &Tensor, over: Over) -> Result<Tensor> {
    let x = if x.is_differentiable() { x.clone() } else { x.to(DType::F32)? };
    let out = match x.is_complex() {
        true => logsumexp_complex(&x.detach(), &over)?,
        false => reduce(Reduce::LogSumExp, &x, &over, x.dtype())?,
    };
    analytic("LogsumexpBackward0", &x, &[&x], true, out, move |seen, g| {
        over.restore(g)?.mul(&seen[0].sub(&over.restore(seen[1])?)?.exp()?)
    })
}

impl Tensor {
    /// The norm of order `p` of all elements as one vector: `(sum |x|^p)^(1/p)`; the number of elements that are not zero
    /// for `p = 0`, the largest and the smallest size for the infinities. PyTorch's `x.norm()` is `x.norm(2.0)`. With the
    /// text `"nuc"`, the sum of a matrix' singular values; `"fro"` is another name of the order 2.
    ///
    /// # Errors
    /// Integers and bools; no elements for an order without a neutral element; a nuclear norm of anything but a matrix.
    ///
    /// ```
    /// # use firebrick_core::Tensor;
    /// let x = Tensor::new([3.0f32, -4.0])?;
    /// assert_eq!(x.norm(2.0)?.item::<f32>()?, 5.0);
    /// assert_eq!(x.norm(f64::INFINITY)?.item::<f32>()?, 4.0);
    /// # Ok::<_, firebrick_core::Error>(())
    /// ```
    pub fn norm(&self, p: impl Into<NormOrder>) -> Result<Tensor> {
        let x = self.resolve("norm")?;
        match p.into() {
            NormOrder::Number(p) => vector_norm(&x, p, Over::all(&x), true),
            name => x.norm_dim(name, (), false),
        }
    }

    /// [`Tensor::norm`] over the given dimensions, over all when none are given: `torch.linalg.vector_norm`.
    ///
    /// ```
    /// # use firebrick_core::Tensor;
    /// let x = Tensor::new([[3.0f32, 4.0], [-1.0, 0.0]])?;
    /// assert_eq!(x.norm_dim(2.0, 1, false)?.to_vec::<f32>()?, [5.0, 1.0]);
    /// assert_eq!(x.norm_dim(f64::INFINITY, 1, false)?.to_vec::<f32>()?, [4.0, 1.0]);
    /// # Ok::<_, firebrick_core::Error>(())
    /// ```
    pub fn norm_dim(&self, p: impl Into<NormOrder>, dims: impl Into<Sizes>, keepdim: bool) -> Result<Tensor> {
        let x = self.resolve("norm")?;
        let dims = dims.into();
        let p = match p.into() {
            NormOrder::Number(p) => p,
            NormOrder::Name(name) if name == "fro" && dims.len() < 3 => 2.0,
            name => {
                let all = || (0..x.dim() as i64).collect();
                return matrix_norm(&x, name, if dims.is_empty() { all() } else { dims }, keepdim);
            }
        };
        vector_norm(&x, p, Over::dims("norm", &x, &dims, keepdim)?, dims.is_empty())
    }

    /// `log(sum(exp(x)))` over the given dimensions, without overflow. Integers become float32.
    ///
    /// ```
    /// # use firebrick_core::Tensor;
    /// let x = Tensor::new([1000.0f32, 1000.0])?;
    /// assert_eq!(x.logsumexp(0, false)?.item::<f32>()?, 1000.0 + 2f32.ln());
    /// # Ok::<_, firebrick_core::Error>(())
    /// ```
    pub fn logsumexp(&self, dims: impl Into<Sizes>, keepdim: bool) -> Result<Tensor> {
        let x = self.resolve("logsumexp")?;
        logsumexp(&x, Over::dims("logsumexp", &x, &dims.into(), keepdim)?)
    }
}

by_hand! {
    table: NORMS;
    norm as "LinalgVectorNormBackward0": sample::unary(ANY, |x| x.norm(2.0));
    norm_dim as "LinalgVectorNormBackward0": {
        let mut all = Vec::new();
        for p in [0.5, 1.0, 1.5, 2.0, 3.0] {
            all.extend(over_dims(ANY, move |x, dims, keep| x.norm_dim(p, dims, keep))?);
        }
        all.push(sample::one(sample::Trait::Plain, vec![ANY.tensor(&[2, 3], 7)?], |x| x[0].norm_dim(f64::INFINITY, 1, false)));
        all.push(sample::one(sample::Trait::Plain, vec![ANY.tensor(&[2, 3], 8)?], |x| x[0].norm_dim(f64::NEG_INFINITY, 0, true)));
        Ok(all)
    };
    logsumexp as "LogsumexpBackward0": over_dims(ANY, |x, dims, keep| x.logsumexp(dims, keep));
}
