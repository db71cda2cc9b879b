//! Tensors over memory that others use too, without being views of one another.
#![allow(unsafe_code, reason = "looks at a storage as bytes")]

use super::read::on_host;
use super::{Body, Tensor};
use crate::storage::{Storage, lock};
use crate::{DType, Device, Dims, Error, Result, Sizes};
use std::sync::Arc;

impl Tensor {
    /// PyTorch's `torch.empty(0).set_(storage, offset, size, stride)`: a tensor over a given storage, strides and offset in
    /// elements of `dtype`. It is a view of no other tensor, even if one lies over the same storage.
    ///
    /// The bytes of bools must be 0 or 1.
    ///
    /// # Errors
    /// Shape and strides of different length, an element outside the storage, a storage whose memory does not lie as the
    /// elements must, or bytes that are no bools.
    ///
    /// ```
    /// # use firebrick_core::{DType, Tensor};
    /// let x = Tensor::new([1.0f32, 2.0, 3.0])?;
    /// let y = Tensor::from_storage(&x.body().storage, DType::F32, [2], [1], 1)?;
    /// x.fill_(5.0)?;
    /// assert_eq!(y.to_vec::<f32>()?, [5.0, 5.0]);
    /// # Ok::<_, firebrick_core::Error>(())
    /// ```
    #[doc(hidden)]
    pub fn from_storage(
        storage: &Arc<Storage>,
        dtype: DType,
        shape: impl Into<Sizes>,
        strides: impl Into<Dims>,
        offset: usize,
    ) -> Result<Tensor> {
        const OP: &str = "from_storage";
        let (shape, strides) = (shape.into().to_shape(OP)?, strides.into());
        if shape.len() != strides.len() {
            let (sizes, steps) = (shape.len(), strides.len());
            return Err(Error::runtime(OP, format!("unequal size length ({sizes}) and stride length ({steps})")));
        }
        let has = storage.bytes();
        let end = end_of(&shape, &strides, offset).and_then(|end| end.checked_mul(dtype.size()));
        if end.is_none_or(|end| end > has) {
            return Err(Error::runtime(
                OP,
                format!(
                    "a tensor of {dtype} with sizes {shape:?}, strides {strides:?} and offset {offset} does not fit into a storage of {has} bytes"
                ),
            ));
        }
        // The parts of complex numbers lie as other numbers do.
        if !storage.ptr().addr().is_multiple_of(dtype.to_real().size()) {
            return Err(Error::runtime(OP, format!("the storage does not lie as elements of {dtype} must")));
        }
        if dtype == DType::Bool
            && storage.device() != Device::Meta
            && storage.with_bytes(|bytes| bytes.iter().any(|&byte| byte > 1))?
        {
            return Err(Error::runtime(OP, "a byte other than 0 and 1 is no bool"));
        }
        Ok(Tensor::from_body(Body { storage: storage.clone(), shape, strides, offset, dtype }))
    }
}

impl Storage {
    /// Calls `f` with all bytes of the storage, those of another device copied to main memory. Nobody can change them
    /// meanwhile; `f` itself must not try to.
    ///
    /// # Errors
    /// When memory for the copy cannot be had.
    pub fn with_bytes<R>(self: &Arc<Self>, f: impl FnOnce(&[u8]) -> R) -> Result<R> {
        let (shape, strides) = (Dims::from([self.bytes()]), Dims::from([1]));
        let body = Body { storage: self.clone(), shape, strides, offset: 0, dtype: DType::U8 };
        let body = on_host(&body, DType::U8)?;
        let _locked = lock(&[&body], &[]);
        // SAFETY: `body` is a locked contiguous host body of that many bytes.
        Ok(f(unsafe { std::slice::from_raw_parts(body.ptr(), body.numel()) }))
    }
}

/// One past the last element, 0 without elements; `None` where it exceeds what 64 bits hold.
fn end_of(shape: &Dims, strides: &Dims, offset: usize) -> Option<usize> {
    if shape.contains(&0) {
        return Some(0);
    }
    let step = |end: usize, (&n, &s): (&usize, &usize)| end.checked_add((n - 1).checked_mul(s)?);
    shape.iter().zip(strides).try_fold(offset, step)?.checked_add(1)
}
