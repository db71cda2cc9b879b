//! The views that shape work is made of.

use super::op::{ViewOp, view_strides};
use crate::{Dims, Error, Result, Sizes, Tensor, wrap_dim, wrap_dims};

/// Resolves the one -1 that a requested shape may hold.
fn infer_shape(op: &'static str, sizes: &Sizes, numel: usize) -> Result<Dims> {
    let invalid = || Error::runtime(op, format!("shape '{:?}' is invalid for input of size {numel}", &sizes[..]));
    let mut shape = Dims::repeat(1, sizes.len());
    let (mut known, mut unknown) = (1usize, None);
    for (i, &size) in sizes.iter().enumerate() {
        match size {
            -1 if unknown.is_some() => return Err(Error::runtime(op, "only one dimension can be inferred")),
            -1 => unknown = Some(i),
            ..-1 => return Err(Error::runtime(op, format!("invalid shape dimension {size}"))),
            _ => {
                shape[i] = size as usize;
                known = known.checked_mul(size as usize).ok_or_else(invalid)?;
            }
        }
    }
    match unknown {
        Some(_) if known == 0 => Err(Error::runtime(
            op,
            format!(
                "cannot reshape tensor of 0 elements into shape {:?} because the unspecified dimension size -1 can be any value and is ambiguous",
                &sizes[..]
            ),
        )),
        Some(i) if numel % known == 0 => {
            shape[i] = numel / known;
            Ok(shape)
        }
        None if known == numel => Ok(shape),
        _ => Err(invalid()),
    }
}

impl Tensor {
    /// The same elements in another shape, sharing memory; one size may be -1.
    ///
    /// # Errors
    /// The number of elements differs, or the strides do not allow it without a copy (see [`Tensor::reshape`]).
    ///
    /// ```
    /// # use firebrick_core::Tensor;
    /// let x = Tensor::zeros([2, 3])?;
    /// assert_eq!(x.view([3, -1])?.shape(), [3, 2]);
    /// # Ok::<_, firebrick_core::Error>(())
    /// ```
    pub fn view(&self, shape: impl Into<Sizes>) -> Result<Tensor> {
        let shape = infer_shape("view", &shape.into(), self.numel())?;
        self.viewed("view", "ViewBackward0", ViewOp::View(shape))
    }

    /// The same elements in another shape: a view where the strides allow it, else a copy; one size may be -1.
    pub fn reshape(&self, shape: impl Into<Sizes>) -> Result<Tensor> {
        let x = self.resolve("reshape")?;
        let shape = infer_shape("reshape", &shape.into(), x.numel())?;
        if x.with_body(|b| view_strides(b, &shape).is_some()) {
            return x.viewed("reshape", "ViewBackward0", ViewOp::View(shape));
        }
        x.contiguous_copy()?.viewed("reshape", "UnsafeViewBackward0", ViewOp::View(shape))
    }

    /// Dimensions in another order.
    pub fn permute(&self, dims: impl Into<Sizes>) -> Result<Tensor> {
        const OP: &str = "permute";
        let (dims, rank) = (dims.into(), self.dim());
        if dims.len() != rank {
            return Err(Error::runtime(
                OP,
                format!(
                    "permute(sparse_coo): number of dimensions in the tensor input does not match the length of the desired ordering of dimensions i.e. input.dim() = {rank} is not equal to len(dims) = {}",
                    dims.len()
                ),
            ));
        }
        let order = wrap_dims(OP, &dims, rank)?;
        self.viewed(OP, "PermuteBackward0", ViewOp::Permute(order.into_iter().collect()))
    }

    /// Two dimensions swapped.
    pub fn transpose(&self, dim0: i64, dim1: i64) -> Result<Tensor> {
        self.transposed("transpose", "TransposeBackward0", dim0, dim1)
    }

    fn transposed(&self, op: &'static str, name: &'static str, dim0: i64, dim1: i64) -> Result<Tensor> {
        let rank = self.dim();
        let (a, b) = (wrap_dim(op, dim0, rank)?, wrap_dim(op, dim1, rank)?);
        let mut order: Dims = (0..rank).collect();
        if rank > 0 {
            order.swap(a, b);
        }
        self.viewed(op, name, ViewOp::Permute(order))
    }

    /// A matrix transposed; a vector or scalar as it is.
    ///
    /// # Errors
    /// More than two dimensions.
    pub fn t(&self) -> Result<Tensor> {
        match self.dim() {
            0 | 1 => self.viewed("t", "TBackward0", ViewOp::Alias),
            2 => self.transposed("t", "TBackward0", 0, 1),
            rank => Err(Error::runtime("t", format!("t() expects a tensor with <= 2 dimensions, but self is {rank}D"))),
        }
    }

    /// Dimensions of size 1 repeated to `shape` without copying; -1 keeps a size.
    pub fn expand(&self, shape: impl Into<Sizes>) -> Result<Tensor> {
        const OP: &str = "expand";
        let (sizes, own) = (shape.into(), self.shape());
        if sizes.len() < own.len() {
            return Err(Error::runtime(
                OP,
                format!(
                    "expand({}, size={:?}): the number of sizes provided ({}) must be greater or equal to the number of dimensions in the tensor ({})",
                    self.type_text(),
                    &sizes[..],
                    sizes.len(),
                    own.len()
                ),
            ));
        }
        let front = sizes.len() - own.len();
        let mut new = Dims::repeat(0, sizes.len());
        for (i, &size) in sizes.iter().enumerate() {
            new[i] = match (size, i.checked_sub(front).map(|d| own[d])) {
                (-1, Some(has)) => has,
                (-1, None) => {
                    return Err(Error::runtime(
                        OP,
                        format!(
                            "The expanded size of the tensor (-1) isn't allowed in a leading, non-existing dimension {i}"
                        ),
                    ));
                }
                (..-1, _) => return Err(Error::runtime(OP, format!("invalid expanded size {size}"))),
                (_, None | Some(1)) => size as usize,
                (_, Some(has)) if has == size as usize => has,
                (_, Some(has)) => {
                    return Err(Error::runtime(
                        OP,
                        format!(
                            "The expanded size of the tensor ({size}) must match the existing size ({has}) at non-singleton dimension {i}.  Target sizes: {:?}.  Tensor sizes: {own:?}",
                            &sizes[..]
                        ),
                    ));
                }
            };
        }
        self.viewed(OP, "ExpandBackward0", ViewOp::Expand(new))
    }

    /// One index of `dim`, which disappears; negative indices count from the end.
    pub fn select(&self, dim: i64, index: i64) -> Result<Tensor> {
        const OP: &str = "select";
        let shape = self.shape();
        if shape.is_empty() {
            return Err(Error::index(OP, "select() cannot be applied to a 0-dim tensor."));
        }
        let dim = wrap_dim(OP, dim, shape.len())?;
        let size = shape[dim] as i64;
        if index < -size || index >= size {
            return Err(Error::index(
                OP,
                format!("select(): index {index} out of range for tensor of size {:?} at dimension {dim}", &shape[..]),
            ));
        }
        let index = if index < 0 { index + size } else { index } as usize;
        self.viewed(OP, "SelectBackward0", ViewOp::Select { dim, index })
    }

    /// `length` indices of `dim` from `start` on.
    pub fn narrow(&self, dim: i64, start: i64, length: i64) -> Result<Tensor> {
        const OP: &str = "narrow";
        let shape = self.shape();
        if shape.is_empty() {
            return Err(Error::runtime(OP, "narrow() cannot be applied to a 0-dim tensor."));
        }
        let dim = wrap_dim(OP, dim, shape.len())?;
        let size = shape[dim] as i64;
        if length < 0 {
            return Err(Error::runtime(OP, "narrow(): length must be non-negative."));
        }
        if start < -size || start > size {
            return Err(Error::index(
                OP,
                format!("start out of range (expected to be in range of [{}, {size}], but got {start})", -size),
            ));
        }
        let start = if start < 0 { start + size } else { start };
        if start > size - length {
            return Err(Error::runtime(
                OP,
                format!("start ({start}) + length ({length}) exceeds dimension size ({size})."),
            ));
        }
        let view = ViewOp::Slice { dim, start: start as usize, len: length as usize, step: 1 };
        self.viewed(OP, "SliceBackward0", view)
    }

    /// A dimension of size 1 inserted before `dim`.
    pub fn unsqueeze(&self, dim: i64) -> Result<Tensor> {
        let dim = wrap_dim("unsqueeze", dim, self.dim() + 1)?;
        self.viewed("unsqueeze", "UnsqueezeBackward0", ViewOp::Unsqueeze { dim })
    }

    /// Every dimension of size 1 dropped.
    pub fn squeeze(&self) -> Result<Tensor> {
        let dims = self.shape().iter().enumerate().filter(|&(_, &n)| n == 1).map(|(d, _)| d).collect();
        self.viewed("squeeze", "SqueezeBackward0", ViewOp::Squeeze(dims))
    }

    /// The named dimensions dropped where their size is 1.
    pub fn squeeze_dim(&self, dims: impl Into<Sizes>) -> Result<Tensor> {
        const OP: &str = "squeeze";
        let shape = self.shape();
        let dims = dims.into();
        let name = if dims.len() == 1 { "SqueezeBackward1" } else { "SqueezeBackward2" };
        let mut drop: Vec<usize> =
            wrap_dims(OP, &dims, shape.len())?.into_iter().filter(|&d| shape.get(d) == Some(&1)).collect();
        drop.sort_unstable();
        self.viewed(OP, name, ViewOp::Squeeze(drop.into_iter().collect()))
    }
}
