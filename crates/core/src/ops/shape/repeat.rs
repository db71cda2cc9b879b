//! Elements and whole tensors repeated.

use crate::ops::record::linear;
use crate::storage::check_list;
use crate::{Body, Dims, Error, Result, Sizes, Tensor, backend};
use smallvec::smallvec;

impl Tensor {
    /// The whole tensor repeated along each dimension; more repeats than dimensions add dimensions in front.
    ///
    /// # Errors
    /// Fewer repeats than dimensions, or negative ones.
    ///
    /// ```
    /// # use firebrick_core::Tensor;
    /// assert_eq!(Tensor::new([1, 2])?.repeat([2, 2])?.to_vec::<i32>()?, [1, 2, 1, 2, 1, 2, 1, 2]);
    /// # Ok::<_, firebrick_core::Error>(())
    /// ```
    pub fn repeat(&self, repeats: impl Into<Sizes>) -> Result<Tensor> {
        const OP: &str = "repeat";
        let (x, repeats) = (self.resolve(OP)?, repeats.into());
        let body = x.body();
        let rank = body.shape.len();
        if repeats.len() < rank {
            return Err(Error::runtime(
                OP,
                "Number of dimensions of repeat dims can not be smaller than number of dimensions of tensor",
            ));
        }
        let front = repeats.len() - rank;
        let own: Dims = (0..repeats.len()).map(|d| if d < front { 1 } else { body.shape[d - front] }).collect();
        let product = |(&r, &n): (&i64, &usize)| r.saturating_mul(n as i64);
        let shape = repeats.iter().zip(&own).map(product).collect::<Sizes>().to_shape(OP)?;
        let out = Body::alloc(shape.clone(), body.dtype, body.device())?;
        // Both seen with a dimension for the repeats before each dimension of the tensor.
        let pairs: Dims = repeats.iter().zip(&own).flat_map(|(&r, &n)| [r as usize, n]).collect();
        let strides = (0..pairs.len()).map(|d| match d % 2 {
            1 if d / 2 >= front => body.strides[d / 2 - front],
            _ => 0,
        });
        let from = body.view(pairs.clone(), strides.collect(), body.offset);
        backend::of(body.device())?.copy(&from, &out.view(pairs.clone(), pairs.contiguous_strides(), 0))?;
        let out = Tensor::from_body(out);
        Ok(linear("RepeatBackward0", &[&x], out, move |g, _| {
            if pairs.contains(&0) {
                return Ok(smallvec![Some(g.new_zeros(&own)?)]);
            }
            // As in PyTorch each dimension in front is a sum of its own, which rounds.
            let (mut g, mut pairs) = (g.reshape(&pairs)?, &pairs[..]);
            for _ in 0..front {
                // Its size of the tensor itself is 1.
                g = g.sum_dim(0, false)?.squeeze_dim(0)?;
                pairs = &pairs[2..];
            }
            let dims: Vec<i64> = (0..pairs.len() as i64 / 2).map(|d| 2 * d).collect();
            Ok(smallvec![Some(if dims.is_empty() { g } else { g.sum_dim(dims, false)? })])
        }))
    }

    /// [`Tensor::repeat`] as NumPy's `tile`: missing repeats in front count as 1.
    ///
    /// ```
    /// # use firebrick_core::Tensor;
    /// assert_eq!(Tensor::zeros([2, 3])?.tile(2)?.shape(), [2, 6]);
    /// # Ok::<_, firebrick_core::Error>(())
    /// ```
    pub fn tile(&self, dims: impl Into<Sizes>) -> Result<Tensor> {
        let dims = dims.into();
        let missing = self.dim().saturating_sub(dims.len());
        self.repeat(std::iter::repeat_n(1, missing).chain(dims.iter().copied()).collect::<Sizes>())
    }

    /// Each index of `dim` repeated `repeats` times in a row; without `dim`, each element of the flattened tensor.
    ///
    /// # Errors
    /// Negative repeats.
    ///
    /// ```
    /// # use firebrick_core::Tensor;
    /// assert_eq!(Tensor::new([1, 2])?.repeat_interleave(2, 0)?.to_vec::<i32>()?, [1, 1, 2, 2]);
    /// # Ok::<_, firebrick_core::Error>(())
    /// ```
    pub fn repeat_interleave(&self, repeats: i64, dim: impl Into<Option<i64>>) -> Result<Tensor> {
        const OP: &str = "repeat_interleave";
        let (x, dim) = match dim.into() {
            Some(dim) => (self.resolve(OP)?, dim),
            None => (self.flatten(0, -1)?, 0),
        };
        let x = x.atleast_1d()?;
        let dim = crate::wrap_dim(OP, dim, x.dim())?;
        if repeats < 0 {
            return Err(Error::runtime(OP, "Repeats must be non-negative"));
        }
        let mut shape: Vec<i64> = x.shape().iter().map(|&n| n as i64).collect();
        shape.insert(dim + 1, repeats);
        let stretched = x.unsqueeze(dim as i64 + 1)?.expand(shape)?;
        stretched.contiguous_copy()?.flatten(dim as i64, dim as i64 + 1)
    }

    /// Index `i` of `dim` repeated `repeats[i]` times in a row.
    ///
    /// # Errors
    /// `repeats` is no vector of that size or a number, or negative.
    ///
    /// ```
    /// # use firebrick_core::Tensor;
    /// let x = Tensor::new([5, 6])?;
    /// assert_eq!(x.repeat_interleave_by(&Tensor::new([1i64, 3])?, 0)?.to_vec::<i32>()?, [5, 6, 6, 6]);
    /// # Ok::<_, firebrick_core::Error>(())
    /// ```
    pub fn repeat_interleave_by(&self, repeats: &Tensor, dim: impl Into<Option<i64>>) -> Result<Tensor> {
        const OP: &str = "repeat_interleave";
        let (x, dim) = match dim.into() {
            Some(dim) => (self.resolve(OP)?, dim),
            None => (self.flatten(0, -1)?, 0),
        };
        let x = x.atleast_1d()?;
        let dim = crate::wrap_dim(OP, dim, x.dim())?;
        let repeats = repeats.resolve(OP)?;
        if repeats.dim() > 1 {
            return Err(Error::runtime(OP, "repeats must be 0-dim or 1-dim tensor"));
        }
        if !matches!(repeats.dtype(), crate::DType::I32 | crate::DType::I64) {
            return Err(Error::not_implemented(
                OP,
                format!("\"repeat_interleave_cpu\" not implemented for '{}'", repeats.dtype().scalar_name()),
            ));
        }
        if repeats.is_meta() {
            return Err(crate::backend::no_repeats());
        }
        let (size, mut counts) = (x.shape()[dim], repeats.to_vec::<i64>()?);
        if counts.len() == 1 {
            check_list(size, 2 * size_of::<i64>())?;
            counts = vec![counts[0]; size];
        }
        if counts.len() != size {
            return Err(Error::runtime(
                OP,
                format!(
                    "repeats must have the same size as input along dim, but got repeats.size(0) = {} and input.size({dim}) = {size}",
                    counts.len()
                ),
            ));
        }
        if counts.iter().any(|&n| n < 0) {
            return Err(Error::runtime(OP, "repeats can not be negative"));
        }
        let count = counts.iter().fold(0usize, |sum, &n| sum.saturating_add(n as usize));
        check_list(count, 2 * size_of::<i64>())?;
        let index: Vec<i64> =
            counts.iter().enumerate().flat_map(|(i, &n)| std::iter::repeat_n(i as i64, n as usize)).collect();
        let numel = index.len();
        x.index_select(dim as i64, &Tensor::from_slice_with(&index, [numel], x.device())?)
    }
}
