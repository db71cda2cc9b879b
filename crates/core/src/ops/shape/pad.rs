//! Constant values around a tensor.

use crate::ops::record::linear;
use crate::{Body, Dims, Error, Result, Scalar, Sizes, Tensor, backend};
use smallvec::smallvec;

impl Tensor {
    /// `value` around the tensor: `pad` lists the widths before and after, from the last dimension on. Negative
    /// widths cut off.
    ///
    /// # Errors
    /// An odd number of widths, more than two for a dimension, or less than nothing left.
    ///
    /// ```
    /// # use firebrick_core::Tensor;
    /// assert_eq!(Tensor::new([1, 2])?.constant_pad_nd([1, 2], 7)?.to_vec::<i32>()?, [7, 1, 2, 7, 7]);
    /// # Ok::<_, firebrick_core::Error>(())
    /// ```
    pub fn constant_pad_nd(&self, pad: impl Into<Sizes>, value: impl Into<Scalar>) -> Result<Tensor> {
        const OP: &str = "constant_pad_nd";
        let (x, pad) = (self.resolve(OP)?, pad.into());
        let body = x.body();
        let rank = body.shape.len();
        if pad.len() % 2 != 0 {
            return Err(Error::runtime(OP, format!("Length of pad must be even but instead it equals {}", pad.len())));
        }
        if pad.len() > 2 * rank {
            return Err(Error::runtime(
                OP,
                format!(
                    "Length of pad should be no more than twice the number of dimensions of the input. Pad length is {}while the input has {rank}dimensions.",
                    pad.len()
                ),
            ));
        }
        let (mut from, mut shape) = (body.clone(), body.shape.clone());
        let mut starts = Dims::repeat(0, rank);
        for (i, widths) in pad.chunks(2).enumerate() {
            let (d, before, after) = (rank - 1 - i, widths[0], widths[1]);
            let size = body.shape[d] as i64;
            let inner = size.saturating_add(before.min(0)).saturating_add(after.min(0));
            if inner < 0 {
                return Err(Error::runtime(OP, "narrow(): length must be non-negative."));
            }
            from.offset = from.offset.saturating_add(((-before).max(0) as usize).saturating_mul(from.strides[d]));
            from.shape[d] = inner as usize;
            starts[d] = before.max(0) as usize;
            shape[d] = inner.saturating_add(before.max(0)).saturating_add(after.max(0)) as usize;
        }
        shape.checked_numel(OP)?;
        let strides = body.suggested().dense_strides(&shape);
        let out = Body::alloc_in(shape, strides, body.dtype, body.device())?;
        let backend = backend::of(body.device())?;
        backend.fill(&out, value.into())?;
        let offset =
            starts.iter().zip(&out.strides).fold(0usize, |sum, (a, &b)| sum.saturating_add(a.saturating_mul(b)));
        backend.copy(&from, &out.view(from.shape.clone(), out.strides.clone(), offset))?;
        Ok(linear("ConstantPadNdBackward0", &[&x], Tensor::from_body(out), move |g, _| {
            let back: Sizes = pad.iter().map(|width| -width).collect();
            Ok(smallvec![Some(g.constant_pad_nd(back, 0)?)])
        }))
    }
}
