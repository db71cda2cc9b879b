//! The same elements in another shape.

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
            ..-1 => {
                let list = &sizes[..];
                return Err(Error::runtime(
                    op,
                    format!("invalid shape dimension {size} at index {i} of shape {list:?}"),
                ));
            }
            _ => {
                shape[i] = size as usize;
                known = known.checked_mul(size as usize).ok_or_else(invalid)?;
            }
        }
    }
    match unknown {
        Some(_) if known == 0 && numel == 0 => Err(Error::runtime(
            op,
            format!(
                "cannot reshape tensor of 0 elements into shape {:?} because the unspecified dimension size -1 can be any value and is ambiguous",
                &sizes[..]
            ),
        )),
        Some(i) if known != 0 && numel.is_multiple_of(known) => {
            shape[i] = numel / known;
            Ok(shape)
        }
        None if known == numel => shape.checked_numel(op).map(|_| shape),
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
    #[track_caller]
    pub fn view(&self, shape: impl Into<Sizes>) -> Result<Tensor> {
        let _running = crate::source::operation();
        let x = self.resolve("view")?;
        let shape = infer_shape("view", &shape.into(), x.numel())?;
        x.viewed("view", "ViewBackward0", ViewOp::View(shape))
    }

    /// [`Tensor::view`] in the shape of `other`.
    ///
    /// ```
    /// # use firebrick_core::Tensor;
    /// assert_eq!(Tensor::zeros([6])?.view_as(&Tensor::zeros([2, 3])?)?.shape(), [2, 3]);
    /// # Ok::<_, firebrick_core::Error>(())
    /// ```
    #[track_caller]
    pub fn view_as(&self, other: &Tensor) -> Result<Tensor> {
        let _running = crate::source::operation();
        self.view(other.resolve("view_as")?.shape())
    }

    /// The same elements in another shape: a view where the strides allow it, else a copy; one size may be -1.
    ///
    /// ```
    /// # use firebrick_core::Tensor;
    /// let x = Tensor::new([[1, 2, 3], [4, 5, 6]])?;
    /// assert_eq!(x.t()?.reshape([-1])?.to_vec::<i32>()?, [1, 4, 2, 5, 3, 6]);
    /// # Ok::<_, firebrick_core::Error>(())
    /// ```
    #[track_caller]
    pub fn reshape(&self, shape: impl Into<Sizes>) -> Result<Tensor> {
        let _running = crate::source::operation();
        let x = self.resolve("reshape")?;
        let shape = infer_shape("reshape", &shape.into(), x.numel())?;
        if x.with_body(|b| view_strides(b, &shape).is_some()) {
            return x.viewed("reshape", "ViewBackward0", ViewOp::View(shape));
        }
        x.contiguous_copy()?.viewed("reshape", "UnsafeViewBackward0", ViewOp::View(shape))
    }

    /// [`Tensor::reshape`] into the shape of `other`.
    ///
    /// ```
    /// # use firebrick_core::Tensor;
    /// assert_eq!(Tensor::zeros([2, 3])?.t()?.reshape_as(&Tensor::zeros([6])?)?.shape(), [6]);
    /// # Ok::<_, firebrick_core::Error>(())
    /// ```
    #[track_caller]
    pub fn reshape_as(&self, other: &Tensor) -> Result<Tensor> {
        let _running = crate::source::operation();
        self.reshape(other.resolve("reshape_as")?.shape())
    }

    /// The dimensions from `start` to `end`, both included, as one: `flatten(0, -1)` gives one dimension, and
    /// `flatten(1, -1)` keeps the batch.
    ///
    /// # Errors
    /// `start` lies after `end`, or one of them is no dimension.
    ///
    /// ```
    /// # use firebrick_core::Tensor;
    /// assert_eq!(Tensor::zeros([2, 3, 4])?.flatten(1, -1)?.shape(), [2, 12]);
    /// # Ok::<_, firebrick_core::Error>(())
    /// ```
    #[track_caller]
    pub fn flatten(&self, start: i64, end: i64) -> Result<Tensor> {
        let _running = crate::source::operation();
        const OP: &str = "flatten";
        let x = self.resolve(OP)?;
        let shape = x.shape();
        let (start, end) = (wrap_dim(OP, start, shape.len())?, wrap_dim(OP, end, shape.len())?);
        if start > end {
            return Err(Error::runtime(OP, "flatten() has invalid args: start_dim cannot come after end_dim"));
        }
        if shape.is_empty() {
            return x.reshape([1]);
        }
        if start == end {
            return Ok(x);
        }
        let merged = Dims::from_slice(&shape[start..=end]).checked_numel(OP)?;
        let new: Dims =
            shape[..start].iter().copied().chain([merged]).chain(shape[end + 1..].iter().copied()).collect();
        x.reshape(new)
    }

    /// One dimension as several; one of `sizes` may be -1.
    ///
    /// # Errors
    /// The sizes do not multiply to that of the dimension.
    ///
    /// ```
    /// # use firebrick_core::Tensor;
    /// assert_eq!(Tensor::zeros([2, 6])?.unflatten(1, [3, -1])?.shape(), [2, 3, 2]);
    /// # Ok::<_, firebrick_core::Error>(())
    /// ```
    #[track_caller]
    pub fn unflatten(&self, dim: i64, sizes: impl Into<Sizes>) -> Result<Tensor> {
        let _running = crate::source::operation();
        const OP: &str = "unflatten";
        let (x, sizes) = (self.resolve(OP)?, sizes.into());
        let shape = x.shape();
        let unexpected = |inner: &str| Error::runtime(OP, format!("unflatten got an unexpected error:\n{inner}"));
        if sizes.is_empty() {
            return Err(Error::runtime(OP, "unflatten: sizes must be non-empty"));
        }
        let dim = wrap_dim(OP, dim, shape.len())?;
        let Some(&size) = shape.get(dim) else {
            return Err(unexpected("Dimension specified as 0 but tensor has no dimensions"));
        };
        let inner = infer_shape(OP, &sizes, size).map_err(|error| match error.message().starts_with("shape '") {
            true => Error::runtime(
                OP,
                format!(
                    "unflatten: Provided sizes {:?} don't multiply up to the size of dim {dim} ({size}) in the input tensor",
                    &sizes[..]
                ),
            ),
            false => unexpected(error.message()),
        })?;
        let new: Dims = shape[..dim].iter().chain(&inner[..]).chain(&shape[dim + 1..]).copied().collect();
        x.view(new)
    }

    /// All elements in one dimension: a view where they lie contiguously, else a copy.
    ///
    /// ```
    /// # use firebrick_core::Tensor;
    /// assert_eq!(Tensor::new([[1, 2], [3, 4]])?.t()?.ravel()?.to_vec::<i32>()?, [1, 3, 2, 4]);
    /// # Ok::<_, firebrick_core::Error>(())
    /// ```
    #[track_caller]
    pub fn ravel(&self) -> Result<Tensor> {
        let _running = crate::source::operation();
        self.contiguous()?.view([-1])
    }

    /// A dimension of size 1 inserted before `dim`.
    ///
    /// ```
    /// # use firebrick_core::Tensor;
    /// assert_eq!(Tensor::zeros([2, 3])?.unsqueeze(1)?.shape(), [2, 1, 3]);
    /// # Ok::<_, firebrick_core::Error>(())
    /// ```
    #[track_caller]
    pub fn unsqueeze(&self, dim: i64) -> Result<Tensor> {
        let _running = crate::source::operation();
        let x = self.resolve("unsqueeze")?;
        let dim = wrap_dim("unsqueeze", dim, x.dim() + 1)?;
        x.viewed("unsqueeze", "UnsqueezeBackward0", ViewOp::Unsqueeze { dim })
    }

    /// Every dimension of size 1 dropped.
    ///
    /// ```
    /// # use firebrick_core::Tensor;
    /// assert_eq!(Tensor::zeros([1, 3, 1])?.squeeze()?.shape(), [3]);
    /// # Ok::<_, firebrick_core::Error>(())
    /// ```
    #[track_caller]
    pub fn squeeze(&self) -> Result<Tensor> {
        let _running = crate::source::operation();
        let x = self.resolve("squeeze")?;
        let dims = x.shape().iter().enumerate().filter(|&(_, &n)| n == 1).map(|(d, _)| d).collect();
        x.viewed("squeeze", "SqueezeBackward0", ViewOp::Squeeze(dims))
    }

    /// The named dimensions dropped where their size is 1.
    ///
    /// ```
    /// # use firebrick_core::Tensor;
    /// assert_eq!(Tensor::zeros([1, 3, 1])?.squeeze_dim([0, 1])?.shape(), [3, 1]);
    /// # Ok::<_, firebrick_core::Error>(())
    /// ```
    #[track_caller]
    pub fn squeeze_dim(&self, dims: impl Into<Sizes>) -> Result<Tensor> {
        let _running = crate::source::operation();
        const OP: &str = "squeeze";
        let (x, dims) = (self.resolve(OP)?, dims.into());
        let shape = x.shape();
        let name = if dims.len() == 1 { "SqueezeBackward1" } else { "SqueezeBackward2" };
        let mut drop: Vec<usize> =
            wrap_dims(OP, &dims, shape.len())?.into_iter().filter(|&d| shape.get(d) == Some(&1)).collect();
        drop.sort_unstable();
        x.viewed(OP, name, ViewOp::Squeeze(drop.into_iter().collect()))
    }

    /// At least one dimension: a number becomes a vector of one element.
    ///
    /// ```
    /// # use firebrick_core::Tensor;
    /// assert_eq!(Tensor::scalar(5)?.atleast_1d()?.shape(), [1]);
    /// # Ok::<_, firebrick_core::Error>(())
    /// ```
    #[track_caller]
    pub fn atleast_1d(&self) -> Result<Tensor> {
        let _running = crate::source::operation();
        match self.dim() {
            0 => self.reshape([1]),
            _ => self.resolve("atleast_1d"),
        }
    }

    /// At least two dimensions: a vector becomes one row.
    ///
    /// ```
    /// # use firebrick_core::Tensor;
    /// assert_eq!(Tensor::zeros([3])?.atleast_2d()?.shape(), [1, 3]);
    /// # Ok::<_, firebrick_core::Error>(())
    /// ```
    #[track_caller]
    pub fn atleast_2d(&self) -> Result<Tensor> {
        let _running = crate::source::operation();
        match self.dim() {
            0 => self.reshape([1, 1]),
            1 => self.unsqueeze(0),
            _ => self.resolve("atleast_2d"),
        }
    }

    /// At least three dimensions: a vector of `n` becomes `[1, n, 1]`, a matrix gets a last dimension.
    ///
    /// ```
    /// # use firebrick_core::Tensor;
    /// assert_eq!(Tensor::zeros([3])?.atleast_3d()?.shape(), [1, 3, 1]);
    /// # Ok::<_, firebrick_core::Error>(())
    /// ```
    #[track_caller]
    pub fn atleast_3d(&self) -> Result<Tensor> {
        let _running = crate::source::operation();
        match self.dim() {
            0 => self.reshape([1, 1, 1]),
            1 => self.unsqueeze(0)?.unsqueeze(-1),
            2 => self.unsqueeze(-1),
            _ => self.resolve("atleast_3d"),
        }
    }
}
