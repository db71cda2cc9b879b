//! What the norms have in common.

use crate::ops::devices::same_device;
use crate::tensor::Body;
use crate::{DType, Dims, Error, MemoryFormat, Result, Tensor};

/// The elements of `x` in row-major order, without gaps, seen in another shape.
pub(super) fn flat(x: &Tensor, shape: &[usize]) -> Result<Body> {
    flat_in(MemoryFormat::Contiguous, x, shape)
}

/// The elements of `x` as they lie in `format`, seen in another shape.
pub(super) fn flat_in(format: MemoryFormat, x: &Tensor, shape: &[usize]) -> Result<Body> {
    let body = x.detach().contiguous_in(format)?.body();
    let shape = Dims::from_slice(shape);
    let strides = shape.contiguous_strides();
    Ok(body.view(shape, strides, body.offset))
}

/// [`flat`] for a weight or bias.
pub(super) fn flat_param(x: Option<&Tensor>) -> Result<Option<Body>> {
    x.map(|x| flat(x, &[x.numel()])).transpose()
}

/// The dtype of statistics: that of the parameters, where these may differ from the input.
///
/// PyTorch mixes on the CPU only inputs of half precision with float32 parameters, and devices never.
pub(super) fn stats_dtype(op: &'static str, x: &Tensor, params: &[Option<&Tensor>]) -> Result<DType> {
    same_device(op, std::iter::once(x).chain(params.iter().copied().flatten()).map(Tensor::device))?;
    let dtype = x.dtype();
    let mut given = params.iter().flatten();
    let Some(first) = given.clone().next().map(|p| p.dtype()).filter(|&p| p != dtype) else {
        return match given.find(|p| p.dtype() != dtype) {
            Some(other) => Err(Error::runtime(
                op,
                format!("expected scalar type {} but found {}", dtype.scalar_name(), other.dtype().scalar_name()),
            )),
            None => Ok(dtype),
        };
    };
    if params.iter().flatten().any(|p| p.dtype() != DType::F32) {
        return Err(Error::runtime(op, "mixed dtype (CPU): expect parameter to have scalar type of Float"));
    }
    if dtype.size() != 2 {
        return Err(Error::runtime(op, "mixed dtype (CPU): all inputs must share same datatype."));
    }
    Ok(first)
}

/// Refuses tensors that are not of floating point.
pub(super) fn refuse_integers(op: &'static str, kernel: &str, x: &Tensor) -> Result<()> {
    match x.is_floating_point() {
        true => Ok(()),
        false => {
            Err(Error::not_implemented(op, format!("\"{kernel}\" not implemented for '{}'", x.dtype().scalar_name())))
        }
    }
}

/// A norm written in operations that have gradients: for gradients of gradients.
pub(super) struct Composed<'a> {
    /// The input, in a shape in which `dims` are what statistics are taken over.
    pub x: &'a Tensor,
    pub dims: &'a [i64],
    /// Broadcasts against `x`.
    pub weight: Option<&'a Tensor>,
    pub eps: f64,
    /// Mean and one over the deviation where they are constants.
    pub fixed: Option<(&'a Tensor, &'a Tensor)>,
}

/// Gradients with respect to the input, and elementwise to the weight.
pub(super) struct ComposedGrads {
    pub input: Tensor,
    pub weight: Tensor,
}

impl Composed<'_> {
    /// The gradients, from those of the result, of the means and of one over the deviations.
    pub fn grads(&self, g: &Tensor, of_mean: Option<&Tensor>, of_rstd: Option<&Tensor>) -> Result<ComposedGrads> {
        let dtype = self.x.dtype();
        // Half precision is computed in single.
        let wide = |t: &Tensor| if dtype.size() == 2 { t.to(DType::F32) } else { Ok(t.clone()) };
        let (x, g) = (wide(self.x)?, wide(g)?);
        let mean_of = |t: &Tensor| t.mean_dim(self.dims, true);
        let gw = match self.weight {
            Some(weight) => g.mul(&wide(weight)?)?,
            None => g.clone(),
        };
        if let Some((mean, rstd)) = self.fixed {
            let (mean, rstd) = (wide(mean)?, wide(rstd)?);
            let weight = g.mul(&x.sub(&mean)?.mul(&rstd)?)?;
            return Ok(ComposedGrads { input: gw.mul(&rstd)?.to(dtype)?, weight });
        }
        let distance = x.sub(&mean_of(&x)?)?;
        let rstd = mean_of(&distance.mul(&distance)?)?.add(self.eps)?.rsqrt()?;
        let normal = distance.mul(&rstd)?;
        let along = normal.mul(&mean_of(&gw.mul(&normal)?)?)?;
        let mut input = gw.sub(&mean_of(&gw)?)?.sub(&along)?.mul(&rstd)?;
        let count = x.numel() as f64 / rstd.numel().max(1) as f64;
        if let Some(of_mean) = of_mean {
            input = input.add(&wide(of_mean)?.reshape(rstd.shape())?.div(count)?)?;
        }
        if let Some(of_rstd) = of_rstd {
            let slope = rstd.mul(&rstd)?.mul(&rstd)?.mul(&wide(of_rstd)?.reshape(rstd.shape())?)?;
            input = input.sub(&slope.mul(&distance)?.div(count)?)?;
        }
        Ok(ComposedGrads { input: input.to(dtype)?, weight: g.mul(&normal)? })
    }
}
