//! Sorting.

use super::run::{found, ordered};
use crate::backend::Order;
use crate::ops::by_hand;
use crate::ops::reduce::Over;
use crate::ops::reduce::samples::along_dim;
use crate::ops::sample::ANY;
use crate::{Result, Tensor, wrap_dim};

fn sorted(name: &'static str, x: &Tensor, dim: i64, descending: bool) -> Result<(Tensor, Tensor)> {
    let x = x.resolve("sort")?;
    let over = Over::one("sort", &x, dim, true)?;
    let size = over.count();
    ordered(name, Order::Sort { descending }, &x, over, size)
}

impl Tensor {
    /// The elements in order along `dim`, and where each of them was. NaN counts as larger than every number.
    ///
    /// Equal elements stay in their order. PyTorch promises that with `stable=True` only, and where rows have more than
    /// 16 elements it mixes them without.
    ///
    /// # Errors
    /// The dimension is out of range.
    ///
    /// ```
    /// # use firebrick_core::Tensor;
    /// let (values, indices) = Tensor::new([3.0f32, 1.0, 2.0])?.sort(-1, false)?;
    /// assert_eq!(values.to_vec::<f32>()?, [1.0, 2.0, 3.0]);
    /// assert_eq!(indices.to_vec::<i64>()?, [1, 2, 0]);
    /// # Ok::<_, firebrick_core::Error>(())
    /// ```
    pub fn sort(&self, dim: i64, descending: bool) -> Result<(Tensor, Tensor)> {
        sorted("SortBackward0", self, dim, descending)
    }

    /// PyTorch's `sort(stable=True)`, which differs from [`Tensor::sort`] by the name of its `grad_fn` only.
    ///
    /// ```
    /// # use firebrick_core::Tensor;
    /// let (values, indices) = Tensor::new([1, 0, 1])?.sort_stable(0, true)?;
    /// assert_eq!(values.to_vec::<i32>()?, [1, 1, 0]);
    /// assert_eq!(indices.to_vec::<i64>()?, [0, 2, 1]);
    /// # Ok::<_, firebrick_core::Error>(())
    /// ```
    pub fn sort_stable(&self, dim: i64, descending: bool) -> Result<(Tensor, Tensor)> {
        sorted("SortBackward1", self, dim, descending)
    }

    /// The indices that sort the elements along `dim`; equal elements stay in their order.
    ///
    /// # Errors
    /// The dimension is out of range.
    ///
    /// ```
    /// # use firebrick_core::Tensor;
    /// assert_eq!(Tensor::new([3, 1, 2])?.argsort(0, true)?.to_vec::<i64>()?, [0, 2, 1]);
    /// # Ok::<_, firebrick_core::Error>(())
    /// ```
    pub fn argsort(&self, dim: i64, descending: bool) -> Result<Tensor> {
        let x = self.resolve("argsort")?;
        let shape = x.shape();
        let dim = wrap_dim("argsort", dim, shape.len())?;
        let size = shape.get(dim).copied().unwrap_or(1);
        Ok(found(Order::Sort { descending }, &x, dim, size)?.1)
    }

    /// The elements in order along the first dimension.
    ///
    /// ```
    /// # use firebrick_core::Tensor;
    /// let x = Tensor::new([[3, 1], [2, 4]])?;
    /// assert_eq!(x.msort()?.to_vec::<i32>()?, [2, 1, 3, 4]);
    /// # Ok::<_, firebrick_core::Error>(())
    /// ```
    pub fn msort(&self) -> Result<Tensor> {
        Ok(self.sort(0, false)?.0)
    }
}

by_hand! {
    table: SORTS;
    sort as "SortBackward0": along_dim(ANY, |x, dim| Ok(x.sort(dim, false)?.0));
    sort_stable as "SortBackward1": along_dim(ANY, |x, dim| Ok(x.sort_stable(dim, true)?.0));
    msort: along_dim(ANY, |x, _| x.msort());
}
