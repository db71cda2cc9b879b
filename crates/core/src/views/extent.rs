//! Dimensions of size 1 stretched without copying.

use super::op::ViewOp;
use crate::{Dims, Error, Result, Sizes, Tensor, broadcast_shapes};
use std::borrow::Borrow;

impl Tensor {
    /// Dimensions of size 1 repeated to `shape` without copying; -1 keeps a size.
    ///
    /// # Errors
    /// Fewer sizes than dimensions, or another size for a dimension that is not 1.
    ///
    /// ```
    /// # use firebrick_core::Tensor;
    /// let row = Tensor::new([1.0f32, 2.0])?;
    /// assert_eq!(row.expand([2, -1])?.to_vec::<f32>()?, [1.0, 2.0, 1.0, 2.0]);
    /// # Ok::<_, firebrick_core::Error>(())
    /// ```
    #[track_caller]
    pub fn expand(&self, shape: impl Into<Sizes>) -> Result<Tensor> {
        let _running = crate::source::operation();
        const OP: &str = "expand";
        let (x, sizes) = (self.resolve(OP)?, shape.into());
        let own = x.shape();
        if sizes.len() < own.len() {
            return Err(Error::runtime(
                OP,
                format!(
                    "expand({}{{{own:?}}}, size={:?}): the number of sizes provided ({}) must be greater or equal to the number of dimensions in the tensor ({})",
                    x.type_text(),
                    &sizes[..],
                    sizes.len(),
                    own.len()
                ),
            ));
        }
        let front = sizes.len() - own.len();
        let mut new = Dims::repeat(0, sizes.len());
        // From the last on, as PyTorch looks for what does not fit.
        for (i, &size) in sizes.iter().enumerate().rev() {
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
                (0.., None | Some(1)) => size as usize,
                (_, Some(has)) if size >= 0 && has == size as usize => has,
                (_, has) => {
                    return Err(Error::runtime(
                        OP,
                        format!(
                            "The expanded size of the tensor ({size}) must match the existing size ({}) at non-singleton dimension {i}.  Target sizes: {:?}.  Tensor sizes: {own:?}",
                            has.unwrap_or(1),
                            &sizes[..]
                        ),
                    ));
                }
            };
        }
        new.checked_numel(OP)?;
        x.viewed(OP, "ExpandBackward0", ViewOp::Expand(new))
    }

    /// [`Tensor::expand`] to the shape of `other`.
    ///
    /// ```
    /// # use firebrick_core::Tensor;
    /// assert_eq!(Tensor::zeros([1, 3])?.expand_as(&Tensor::zeros([2, 3])?)?.shape(), [2, 3]);
    /// # Ok::<_, firebrick_core::Error>(())
    /// ```
    #[track_caller]
    pub fn expand_as(&self, other: &Tensor) -> Result<Tensor> {
        let _running = crate::source::operation();
        self.expand(other.resolve("expand_as")?.shape())
    }

    /// [`Tensor::expand`] under NumPy's name.
    ///
    /// ```
    /// # use firebrick_core::Tensor;
    /// assert_eq!(Tensor::zeros([3])?.broadcast_to([2, 3])?.shape(), [2, 3]);
    /// # Ok::<_, firebrick_core::Error>(())
    /// ```
    #[track_caller]
    pub fn broadcast_to(&self, shape: impl Into<Sizes>) -> Result<Tensor> {
        let _running = crate::source::operation();
        self.expand(shape)
    }

    /// Tensors expanded to the shape that they broadcast to; those that have it come back as they are.
    ///
    /// # Errors
    /// They do not broadcast.
    ///
    /// ```
    /// # use firebrick_core::Tensor;
    /// let (row, column) = (Tensor::new([1, 2])?, Tensor::new([[3], [4]])?);
    /// let both = Tensor::broadcast_tensors(&[row, column])?;
    /// assert_eq!(both[1].to_vec::<i32>()?, [3, 3, 4, 4]);
    /// # Ok::<_, firebrick_core::Error>(())
    /// ```
    #[track_caller]
    pub fn broadcast_tensors<T: Borrow<Tensor>>(tensors: &[T]) -> Result<Vec<Tensor>> {
        let _running = crate::source::operation();
        const OP: &str = "broadcast_tensors";
        let parts = tensors.iter().map(|t| t.borrow().resolve(OP)).collect::<Result<Vec<_>>>()?;
        let mut shape = Dims::new();
        for part in &parts {
            shape = broadcast_shapes(OP, &shape, &part.shape())?;
        }
        let stretched = |part: Tensor| if part.shape() == shape { Ok(part) } else { part.expand(&shape) };
        parts.into_iter().map(stretched).collect()
    }
}
