//! Parts of a tensor: one index, a range, windows, a diagonal.

use super::op::ViewOp;
use crate::{Error, Result, Tensor, wrap_dim};

impl Tensor {
    /// The same elements as a tensor of their own, which shares memory and history.
    ///
    /// ```
    /// # use firebrick_core::Tensor;
    /// let x = Tensor::new([1, 2])?;
    /// x.alias()?.zero_()?;
    /// assert_eq!(x.to_vec::<i32>()?, [0, 0]);
    /// # Ok::<_, firebrick_core::Error>(())
    /// ```
    #[track_caller]
    pub fn alias(&self) -> Result<Tensor> {
        let _running = crate::source::operation();
        self.viewed("alias", "AliasBackward0", ViewOp::Alias)
    }

    /// One index of `dim`, which disappears; negative indices count from the end.
    ///
    /// # Errors
    /// The index is not there.
    ///
    /// ```
    /// # use firebrick_core::Tensor;
    /// assert_eq!(Tensor::new([[1, 2], [3, 4]])?.select(0, -1)?.to_vec::<i32>()?, [3, 4]);
    /// # Ok::<_, firebrick_core::Error>(())
    /// ```
    #[track_caller]
    pub fn select(&self, dim: i64, index: i64) -> Result<Tensor> {
        let _running = crate::source::operation();
        const OP: &str = "select";
        let x = self.resolve(OP)?;
        x.viewed(OP, "SelectBackward0", x.select_step(dim, index)?)
    }

    pub(super) fn select_step(&self, dim: i64, index: i64) -> Result<ViewOp> {
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
        Ok(ViewOp::Select { dim, index })
    }

    /// `length` indices of `dim` from `start` on.
    ///
    /// # Errors
    /// They are not all there.
    ///
    /// ```
    /// # use firebrick_core::Tensor;
    /// assert_eq!(Tensor::new([1, 2, 3, 4])?.narrow(0, 1, 2)?.to_vec::<i32>()?, [2, 3]);
    /// # Ok::<_, firebrick_core::Error>(())
    /// ```
    #[track_caller]
    pub fn narrow(&self, dim: i64, start: i64, length: i64) -> Result<Tensor> {
        let _running = crate::source::operation();
        const OP: &str = "narrow";
        let x = self.resolve(OP)?;
        let shape = x.shape();
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
        x.viewed(OP, "SliceBackward0", view)
    }

    /// Python's `start:end:step` along `dim`: bounds may be left out, count from the end, or lie outside.
    ///
    /// # Errors
    /// `step` is not positive.
    ///
    /// ```
    /// # use firebrick_core::Tensor;
    /// let x = Tensor::new([0, 1, 2, 3, 4])?;
    /// assert_eq!(x.slice(0, 1, None, 2)?.to_vec::<i32>()?, [1, 3]);
    /// # Ok::<_, firebrick_core::Error>(())
    /// ```
    #[track_caller]
    pub fn slice(
        &self,
        dim: i64,
        start: impl Into<Option<i64>>,
        end: impl Into<Option<i64>>,
        step: i64,
    ) -> Result<Tensor> {
        let _running = crate::source::operation();
        const OP: &str = "slice";
        let x = self.resolve(OP)?;
        x.viewed(OP, "SliceBackward0", x.slice_step(dim, start.into(), end.into(), step)?)
    }

    pub(super) fn slice_step(&self, dim: i64, start: Option<i64>, end: Option<i64>, step: i64) -> Result<ViewOp> {
        const OP: &str = "slice";
        let shape = self.shape();
        if shape.is_empty() {
            return Err(Error::index(OP, "slice() cannot be applied to a 0-dim tensor."));
        }
        let dim = wrap_dim(OP, dim, shape.len())?;
        if step <= 0 {
            return Err(Error::runtime(OP, "slice step must be positive"));
        }
        let size = shape[dim] as i64;
        let bound = |bound: i64| if bound < 0 { bound.saturating_add(size).max(0) } else { bound.min(size) };
        let start = bound(start.unwrap_or(0));
        let end = bound(end.unwrap_or(i64::MAX)).max(start);
        let len = (end - start) as u64;
        Ok(ViewOp::Slice { dim, start: start as usize, len: len.div_ceil(step as u64) as usize, step: step as usize })
    }

    /// The diagonal of two dimensions, in a new last dimension; `offset` shifts it to the right, below zero down.
    ///
    /// # Errors
    /// The two dimensions are one.
    ///
    /// ```
    /// # use firebrick_core::Tensor;
    /// let x = Tensor::new([[1, 2], [3, 4]])?;
    /// assert_eq!(x.diagonal(0, 0, 1)?.to_vec::<i32>()?, [1, 4]);
    /// # Ok::<_, firebrick_core::Error>(())
    /// ```
    #[track_caller]
    pub fn diagonal(&self, offset: i64, dim1: i64, dim2: i64) -> Result<Tensor> {
        let _running = crate::source::operation();
        const OP: &str = "diagonal";
        let x = self.resolve(OP)?;
        x.viewed(OP, "DiagonalBackward0", x.diagonal_step(offset, dim1, dim2)?)
    }

    pub(super) fn diagonal_step(&self, offset: i64, dim1: i64, dim2: i64) -> Result<ViewOp> {
        const OP: &str = "diagonal";
        let rank = self.dim();
        let (first, second) = (wrap_dim(OP, dim1, rank)?, wrap_dim(OP, dim2, rank)?);
        if first == second {
            return Err(Error::runtime(OP, format!("diagonal dimensions cannot be identical {dim1}, {dim2}")));
        }
        Ok(ViewOp::Diagonal { offset, dim1: first, dim2: second })
    }

    /// Every window of `size` indices along `dimension`, `step` apart, in a new last dimension.
    ///
    /// # Errors
    /// The window is larger than the dimension, or `step` is not positive.
    ///
    /// ```
    /// # use firebrick_core::Tensor;
    /// let x = Tensor::new([1, 2, 3])?;
    /// assert_eq!(x.unfold(0, 2, 1)?.to_vec::<i32>()?, [1, 2, 2, 3]);
    /// # Ok::<_, firebrick_core::Error>(())
    /// ```
    #[track_caller]
    pub fn unfold(&self, dimension: i64, size: i64, step: i64) -> Result<Tensor> {
        let _running = crate::source::operation();
        const OP: &str = "unfold";
        let x = self.resolve(OP)?;
        let shape = x.shape();
        let dim = wrap_dim(OP, dimension, shape.len())?;
        let most = shape.get(dim).map_or(1, |&n| n as i64);
        let text = if size < 0 {
            format!("size is {size} but must be >= 0")
        } else if size > most {
            format!("maximum size for tensor at dimension {dim} is {most} but size is {size}")
        } else if step <= 0 {
            format!("step is {step} but must be > 0")
        } else {
            let view = ViewOp::Unfold { dim, size: size as usize, step: step as usize };
            return x.viewed(OP, "UnfoldBackward0", view);
        };
        Err(Error::runtime(OP, text))
    }
}
