//! The forward half of every reduction.

use crate::backend::{self, Reduce};
use crate::dims::wrap_dims;
use crate::ops::elementwise::compute_class;
use crate::{Body, DType, Dims, Result, Sizes, Tensor};

/// Reduces `dims` of `x`; `None` or an empty list stands for all of them, as in PyTorch.
pub(crate) fn reduce(
    op: &'static str,
    kernel: Reduce,
    x: &Tensor,
    dims: Option<&Sizes>,
    keepdim: bool,
    dtype: DType,
) -> Result<Tensor> {
    let input = x.body();
    let rank = input.shape.len();
    let chosen = match dims {
        Some(dims) if !dims.is_empty() => wrap_dims(op, dims, rank)?,
        _ => (0..rank).collect(),
    };
    let mut kept = input.shape.clone();
    for &dim in chosen.iter().filter(|&&dim| dim < rank) {
        kept[dim] = 1;
    }
    let compute = match dtype {
        DType::Bool => compute_class(input.dtype),
        other => compute_class(other),
    };
    let out = Body::alloc(kept, dtype, input.device())?;
    backend::of(input.device())?.reduce(kernel, compute, &input, &out)?;
    let out = if keepdim { out } else { without(&out, &chosen) };
    Ok(Tensor::from_body(out))
}

/// The body without the reduced dimensions, which have size 1.
fn without(body: &Body, dims: &[usize]) -> Body {
    let keep = |d: &usize| !dims.contains(d);
    let shape: Dims = (0..body.shape.len()).filter(keep).map(|d| body.shape[d]).collect();
    let strides = shape.contiguous_strides();
    body.view(shape, strides, body.offset)
}

/// The gradient of a reduction, stretched back over the reduced dimensions.
pub(crate) fn stretch(g: &Tensor, shape: &Dims, dims: Option<&Sizes>, keepdim: bool) -> Result<Tensor> {
    let mut g = g.clone();
    if let (false, Some(dims)) = (keepdim, dims.filter(|d| !d.is_empty())) {
        let mut dims = wrap_dims("expand", dims, shape.len())?;
        dims.sort_unstable();
        if !shape.is_empty() {
            for dim in dims {
                g = g.unsqueeze(dim as i64)?;
            }
        }
    } else if !keepdim && g.dim() == 0 && !shape.is_empty() {
        g = g.reshape(Dims::repeat(1, shape.len()))?;
    }
    g.expand(shape)
}
