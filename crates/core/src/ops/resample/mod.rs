//! Linear maps along a dimension, and what is made of them: adaptive averages, interpolation, sampling at a grid.

mod grid;
mod interpolate;
mod scale;

use crate::backend::{self, ROW_BYTES, Taps};
use crate::ops::sample::{self};
use crate::ops::{Row, ops};
use crate::storage::check_list;
use crate::{Body, DType, Error, Result, Tensor};

pub use grid::{GridMode, GridPadding};
pub use interpolate::{InterpolateMode, InterpolateOptions};

/// The rows of this family.
pub(crate) const TABLES: &[&[Row]] = &[RESAMPLE, interpolate::INTERPOLATE, grid::GRID];

fn forward(x: &Tensor, taps: &Taps, dim: usize) -> Result<Tensor> {
    const OP: &str = "resample";
    let (mut shape, dtype) = (x.shape(), x.dtype());
    if shape.get(dim) != Some(&taps.inputs()) {
        return Err(Error::runtime(OP, "the tensor is not of the map's size")
            .given(format!("{shape:?} along dimension {dim}"))
            .expected(taps.inputs().to_string()));
    }
    let compute = match dtype {
        DType::F32 | DType::F16 | DType::BF16 => DType::F32,
        DType::F64 => DType::F64,
        other => {
            let text = format!("\"resample\" not implemented for '{}'", other.scalar_name());
            return Err(Error::not_implemented(OP, text));
        }
    };
    let format = x.suggested_format();
    let input = x.detach().to(compute)?.contiguous_in(format)?.body();
    shape[dim] = taps.outputs();
    shape.checked_numel(OP)?;
    let strides = format.dense_strides(&shape);
    let out = Body::alloc_in(shape, strides, compute, input.device())?;
    if out.numel() > 0 {
        // What lies outside and inside of `dim` in memory.
        let order = format.outermost_first(out.shape.len());
        let at = order.iter().position(|&d| d == dim).unwrap_or(dim);
        let product = |dims: &[usize]| dims.iter().map(|&d| input.shape[d]).product();
        let sizes = [product(&order[..at]), product(&order[at + 1..])];
        backend::of(input.device())?.resample(taps, sizes, &input, &out)?;
    }
    Tensor::from_body(out).to(dtype)
}

/// A map from three elements to two.
fn sample_taps() -> Taps {
    Taps::new(3, [vec![(0, 0.5), (1, 0.25), (2, 2.0)], vec![(2, -1.5)]])
}

ops! {
    table: RESAMPLE;

    /// A linear map along `dim`: each element of the result is the weighted sum of a few elements of the input.
    #[doc(hidden)]
    fn resample(x; taps: Taps, dim: usize) -> Tensor as "ResampleBackward0" {
        forward: forward(x, taps, *dim),
        saves: [],
        grads: { x: |g| g.resample(taps.transposed()?, *dim) },
        samples: {
            let mut all = sample::shaped(&[2, 3, 2], &[0, 3, 2], |x| x.resample(sample_taps(), 1usize))?;
            all.extend(sample::shaped(&[2, 3], &[0, 3], |x| x.resample(sample_taps(), 1usize))?);
            Ok(all)
        },
    }
}

/// Refuses maps that there is no memory for; what goes along the other dimensions may be nothing.
pub(crate) fn check_rows(sizes: &[usize]) -> Result<()> {
    sizes.iter().try_for_each(|&size| check_list(size, ROW_BYTES))
}

/// Maps along several dimensions, the last one first; half precision is widened, and rounded once.
pub(crate) fn separable(x: &Tensor, maps: &[(usize, Taps)]) -> Result<Tensor> {
    let dtype = x.dtype();
    let wide = if dtype.size() == 2 && x.is_floating_point() { x.to(DType::F32)? } else { x.clone() };
    let mapped = maps.iter().rev().try_fold(wide, |x, (dim, taps)| x.resample(taps.clone(), *dim))?;
    mapped.to(dtype)
}
