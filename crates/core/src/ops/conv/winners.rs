//! The largest elements of windows that are given one by one.

use crate::backend::{self, Windows};
use crate::{Body, DType, Dims, Result, Tensor};
use std::ops::Range;

/// Windows over the last `n` dimensions.
pub(super) struct Planes {
    pub n: usize,
    /// Sizes of the output.
    pub sizes: Vec<usize>,
    /// Along each dimension one range for each output: for all planes, or plane after plane.
    pub ranges: Vec<Vec<Range<usize>>>,
}

/// The largest element of each window and its flat index in its plane.
///
/// Windows are searched without recording; the values are then picked by index, which has a gradient of every order.
pub(super) fn pick(op: &'static str, x: &Tensor, windows: Planes) -> Result<(Tensor, Tensor)> {
    let Planes { n, sizes, ranges } = windows;
    let shape = x.shape();
    let first = shape.len() - n;
    let out: Dims = shape[..first].iter().copied().chain(sizes.iter().copied()).collect();
    out.checked_numel(op)?;
    let compute = if x.dtype() == DType::F64 { DType::F64 } else { DType::F32 };
    let input = x.detach().to(compute)?.contiguous()?.body();
    let indices = Body::alloc(out.clone(), DType::I64, x.device())?;
    if indices.numel() > 0 {
        let whole = || std::iter::once(0..1).collect::<Vec<_>>();
        let mut all = Windows {
            planes: shape[..first].iter().product(),
            input: [1; 3],
            output: [1; 3],
            ranges: [whole(), whole(), whole()],
        };
        for (d, ranges) in ranges.into_iter().enumerate() {
            let axis = 3 - n + d;
            (all.input[axis], all.output[axis], all.ranges[axis]) = (shape[first + d], sizes[d], ranges);
        }
        backend::of(x.device())?.window_winners(&all, &input, &indices)?;
    }
    let indices = Tensor::from_body(indices);
    let values = x.flatten(first as i64, -1)?.gather(-1, &indices.flatten(first as i64, -1)?)?.reshape(out)?;
    Ok((values, indices))
}
