//! Elements in another order along a dimension: flip, roll, rotate.

use crate::dims::wrap_dims;
use crate::ops::index::picked;
use crate::ops::record::linear;
use crate::storage::check_list;
use crate::tensor::layout::preserved_strides;
use crate::{Body, Dims, Error, Result, Sizes, Tensor, wrap_dim};
use smallvec::smallvec;

fn flipped(body: &Body, dims: &[usize]) -> Result<Body> {
    dims.iter().filter(|&&d| d < body.shape.len()).try_fold(body.clone(), |body, &dim| {
        if body.numel() == 0 {
            return Ok(body);
        }
        check_list(body.shape[dim], 2 * size_of::<i64>())?;
        let order: Vec<i64> = (0..body.shape[dim] as i64).rev().collect();
        picked(&body, dim, &order)
    })
}

fn rolled(body: &Body, shifts: &[i64], dims: &[usize]) -> Result<Body> {
    shifts.iter().zip(dims).try_fold(body.clone(), |body, (&shift, &dim)| {
        if body.numel() == 0 {
            return Ok(body);
        }
        check_list(body.shape[dim], 2 * size_of::<i64>())?;
        let size = body.shape[dim] as i64;
        let order: Vec<i64> = (0..size).map(|i| (i - shift % size).rem_euclid(size)).collect();
        picked(&body, dim, &order)
    })
}

/// A body of its own that lies as `strides` say, also where nothing was reordered.
fn fresh(before: &Body, after: Body, strides: Option<Dims>) -> Result<Tensor> {
    let out = Tensor::from_body(after);
    match strides.is_some() || std::sync::Arc::ptr_eq(&before.storage, &out.body().storage) {
        true => crate::autograd::no_grad(|| out.copied_with(strides)),
        false => Ok(out),
    }
}

impl Tensor {
    /// The order of elements reversed along each of `dims`; a copy, unlike NumPy's.
    ///
    /// ```
    /// # use firebrick_core::Tensor;
    /// assert_eq!(Tensor::new([1, 2, 3])?.flip(0)?.to_vec::<i32>()?, [3, 2, 1]);
    /// # Ok::<_, firebrick_core::Error>(())
    /// ```
    pub fn flip(&self, dims: impl Into<Sizes>) -> Result<Tensor> {
        const OP: &str = "flip";
        let (x, dims) = (self.resolve(OP)?, dims.into());
        let body = x.body();
        let order = wrap_dims(OP, &dims, body.shape.len())?;
        let out = fresh(&body, flipped(&body, &order)?, preserved_strides(&body))?;
        Ok(linear("FlipBackward0", &[&x], out, move |g, _| Ok(smallvec![Some(g.flip(&dims)?)])))
    }

    /// Columns in reverse order.
    ///
    /// # Errors
    /// Fewer than two dimensions.
    ///
    /// ```
    /// # use firebrick_core::Tensor;
    /// assert_eq!(Tensor::new([[1, 2], [3, 4]])?.fliplr()?.to_vec::<i32>()?, [2, 1, 4, 3]);
    /// # Ok::<_, firebrick_core::Error>(())
    /// ```
    pub fn fliplr(&self) -> Result<Tensor> {
        match self.resolve("fliplr")?.dim() {
            0 | 1 => Err(Error::runtime("fliplr", "Input must be >= 2-d.")),
            _ => self.flip(1),
        }
    }

    /// Rows in reverse order.
    ///
    /// # Errors
    /// No dimensions.
    ///
    /// ```
    /// # use firebrick_core::Tensor;
    /// assert_eq!(Tensor::new([[1, 2], [3, 4]])?.flipud()?.to_vec::<i32>()?, [3, 4, 1, 2]);
    /// # Ok::<_, firebrick_core::Error>(())
    /// ```
    pub fn flipud(&self) -> Result<Tensor> {
        match self.resolve("flipud")?.dim() {
            0 => Err(Error::runtime("flipud", "Input must be >= 1-d.")),
            _ => self.flip(0),
        }
    }

    /// Elements moved by `shifts` along `dims`, those that leave coming back at the other end. With no `dims` and one
    /// shift, all elements are moved in row-major order.
    ///
    /// # Errors
    /// Another number of shifts than of dimensions.
    ///
    /// ```
    /// # use firebrick_core::Tensor;
    /// assert_eq!(Tensor::new([1, 2, 3])?.roll(1, ())?.to_vec::<i32>()?, [3, 1, 2]);
    /// # Ok::<_, firebrick_core::Error>(())
    /// ```
    pub fn roll(&self, shifts: impl Into<Sizes>, dims: impl Into<Sizes>) -> Result<Tensor> {
        const OP: &str = "roll";
        let (x, shifts, dims) = (self.resolve(OP)?, shifts.into(), dims.into());
        if shifts.is_empty() {
            return Err(Error::runtime(OP, "`shifts` required"));
        }
        let body = x.body();
        let whole = dims.is_empty() && shifts.len() == 1;
        if !whole && shifts.len() != dims.len() {
            return Err(Error::runtime(
                OP,
                format!("shifts and dimensions must align. shifts: {}, dims:{}", shifts.len(), dims.len()),
            ));
        }
        let out = if whole {
            let flat = x.detach().reshape([-1])?.body();
            let moved = rolled(&flat, &shifts, &[0])?;
            let out = moved.view(body.shape.clone(), body.shape.contiguous_strides(), moved.offset);
            fresh(&body, out, None)?
        } else {
            if body.shape.is_empty() {
                return Err(Error::index(OP, "Dimension specified as 0 but tensor has no dimensions"));
            }
            let along = dims.iter().map(|&d| wrap_dim(OP, d, body.shape.len())).collect::<Result<Vec<_>>>()?;
            fresh(&body, rolled(&body, &shifts, &along)?, preserved_strides(&body))?
        };
        Ok(linear("RollBackward0", &[&x], out, move |g, _| {
            let back: Sizes = shifts.iter().map(|s| s.wrapping_neg()).collect();
            Ok(smallvec![Some(g.roll(back, &dims)?)])
        }))
    }

    /// Turned by `k` quarters in the plane of two dimensions, from the first to the second.
    ///
    /// # Errors
    /// Fewer than two dimensions, or `dims` that are not two different ones.
    ///
    /// ```
    /// # use firebrick_core::Tensor;
    /// assert_eq!(Tensor::new([[1, 2], [3, 4]])?.rot90(1, [0, 1])?.to_vec::<i32>()?, [2, 4, 1, 3]);
    /// # Ok::<_, firebrick_core::Error>(())
    /// ```
    pub fn rot90(&self, k: i64, dims: impl Into<Sizes>) -> Result<Tensor> {
        const OP: &str = "rot90";
        let (x, dims) = (self.resolve(OP)?, dims.into());
        let body = x.body();
        let rank = body.shape.len();
        let refuse = |text: String| Err(Error::runtime(OP, text));
        if dims.len() != 2 {
            return refuse(format!("expected total rotation dims == 2, but got dims = {}", dims.len()));
        }
        if rank < 2 {
            return refuse(format!("expected total dims >= 2, but got total dims = {rank}"));
        }
        if dims[0] == dims[1] || dims[0].abs_diff(dims[1]) == rank as u64 {
            return refuse(format!(
                "expected rotation dims to be different, but got dim0 = {} and dim1 = {}",
                dims[0], dims[1]
            ));
        }
        let (a, b) = (wrap_dim(OP, dims[0], rank)?, wrap_dim(OP, dims[1], rank)?);
        let mut order: crate::Dims = (0..rank).collect();
        order.swap(a, b);
        let turn = |body: &Body| crate::views::ViewOp::Permute(order.clone()).apply(OP, body);
        let out = match k.rem_euclid(4) {
            1 => turn(&flipped(&body, &[b])?)?,
            2 => flipped(&body, &[a, b])?,
            3 => turn(&flipped(&body, &[a])?)?,
            _ => body.clone(),
        };
        let out = crate::autograd::no_grad(|| Tensor::from_body(out).contiguous_copy())?;
        Ok(linear("Rot90Backward0", &[&x], out, move |g, _| Ok(smallvec![Some(g.rot90(k.wrapping_neg(), &dims)?)])))
    }
}
