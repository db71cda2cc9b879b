//! Elements picked by rank or frequency.

use super::run::{not_implemented, ordered};
use crate::backend::Order;
use crate::ops::by_hand;
use crate::ops::reduce::samples::along_dim;
use crate::ops::reduce::{Over, no_size};
use crate::ops::sample::ANY;
use crate::{DType, Error, Result, Tensor};

impl Tensor {
    /// The `k` largest elements along `dim`, or the smallest, and where they were; NaN counts as larger than every
    /// number. Without `sorted` they come in any order.
    ///
    /// # Errors
    /// The dimension is out of range, `k` is negative or larger than its size, or the dtype is bool.
    ///
    /// ```
    /// # use firebrick_core::Tensor;
    /// let (values, indices) = Tensor::new([1.0f32, 4.0, 2.0, 3.0])?.topk(2, -1, true, true)?;
    /// assert_eq!(values.to_vec::<f32>()?, [4.0, 3.0]);
    /// assert_eq!(indices.to_vec::<i64>()?, [1, 3]);
    /// # Ok::<_, firebrick_core::Error>(())
    /// ```
    pub fn topk(&self, k: i64, dim: i64, largest: bool, sorted: bool) -> Result<(Tensor, Tensor)> {
        const OP: &str = "topk";
        let x = self.resolve(OP)?;
        let over = Over::one(OP, &x, dim, true)?;
        let size = over.count();
        if k < 0 || k as u64 > size as u64 {
            return Err(Error::runtime(OP, "selected index k out of range")
                .given(format!("k = {k}"))
                .expected(format!("0 <= k <= {size}")));
        }
        if x.dtype() == DType::Bool {
            return Err(Error::not_implemented(OP, "topk does not support bool dtypes on CPU"));
        }
        // A tensor without dimensions has no room for none of its elements.
        let count = if over.shape.is_empty() { 1 } else { k as usize };
        ordered("TopkBackward0", Order::Top { count, largest, sorted }, &x, over, count)
    }

    /// The `k`-th smallest element along `dim`, counted from 1, and where it was; NaN counts as larger than every number.
    ///
    /// # Errors
    /// The dimension is out of range or has size 0, `k` is not among `1..=size`, or the dtype is bool.
    ///
    /// ```
    /// # use firebrick_core::Tensor;
    /// let (value, index) = Tensor::new([5, 3, 9])?.kthvalue(2, 0, false)?;
    /// assert_eq!((value.item::<i32>()?, index.item::<i64>()?), (5, 0));
    /// # Ok::<_, firebrick_core::Error>(())
    /// ```
    pub fn kthvalue(&self, k: i64, dim: i64, keepdim: bool) -> Result<(Tensor, Tensor)> {
        const OP: &str = "kthvalue";
        let x = self.resolve(OP)?;
        let over = Over::one(OP, &x, dim, keepdim)?;
        let (dim, size) = (over.dims[0], over.count());
        if size == 0 {
            return Err(no_size(OP, dim));
        }
        if k < 1 || k as u64 > size as u64 {
            return Err(Error::runtime(OP, format!("kthvalue(): selected number k out of range for dimension {dim}"))
                .given(format!("k = {k}"))
                .expected(format!("1 <= k <= {size}")));
        }
        if x.dtype() == DType::Bool && !over.shape.is_empty() {
            return Err(not_implemented(OP, "kthvalue_cpu", DType::Bool));
        }
        ordered("KthvalueBackward0", Order::Kth(k as usize - 1), &x, over, 1)
    }

    /// The most frequent element along `dim`, the smallest of several, and one of its places. NaN equals nothing.
    ///
    /// # Errors
    /// The dimension is out of range or has size 0.
    ///
    /// ```
    /// # use firebrick_core::Tensor;
    /// let (value, index) = Tensor::new([2, 1, 3, 1])?.mode(0, false)?;
    /// assert_eq!((value.item::<i32>()?, index.item::<i64>()?), (1, 3));
    /// # Ok::<_, firebrick_core::Error>(())
    /// ```
    pub fn mode(&self, dim: i64, keepdim: bool) -> Result<(Tensor, Tensor)> {
        const OP: &str = "mode";
        let x = self.resolve(OP)?;
        let over = Over::one(OP, &x, dim, keepdim)?;
        if over.count() == 0 {
            return Err(no_size(OP, over.dims[0]));
        }
        ordered("ModeBackward0", Order::Mode, &x, over, 1)
    }
}

by_hand! {
    table: PICKS;
    topk as "TopkBackward0": along_dim(ANY, |x, dim| Ok(x.topk(1, dim, true, true)?.0));
    kthvalue as "KthvalueBackward0": along_dim(ANY, |x, dim| Ok(x.kthvalue(1, dim, false)?.0));
    mode as "ModeBackward0": along_dim(ANY, |x, dim| Ok(x.mode(dim, true)?.0));
}
