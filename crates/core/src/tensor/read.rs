//! Elements out of a tensor.

use super::{Body, Tensor};
use crate::storage::{check_list, lock};
use crate::{DType, Device, Element, Error, Result, Scalar, backend, dispatch};

impl Tensor {
    /// All elements in row-major order, converted to `T` as PyTorch converts dtypes.
    ///
    /// ```
    /// # use firebrick_core::Tensor;
    /// assert_eq!(Tensor::new([1.5f32, 2.5])?.to_vec::<f64>()?, [1.5, 2.5]);
    /// # Ok::<_, firebrick_core::Error>(())
    /// ```
    pub fn to_vec<T: Element>(&self) -> Result<Vec<T>> {
        let x = self.resolve_to_read("to_vec")?;
        super::copy::warn_of_discarding(x.dtype(), T::DTYPE);
        let body = on_host(&x.body(), T::DTYPE).map_err(|error| error.in_op("to_vec"))?;
        let mut out = vec![T::default(); body.numel()];
        let _locked = lock(&[&body], &[]);
        #[allow(unsafe_code)]
        // SAFETY: `body` is a locked contiguous host body of `out.len()` elements of type `T`.
        unsafe {
            std::ptr::copy_nonoverlapping(body.ptr().cast::<T>(), out.as_mut_ptr(), out.len());
        }
        Ok(out)
    }

    /// [`Tensor::to_vec`], for what an operation looks at before it runs: a tensor without data has `unknown` everywhere.
    #[doc(hidden)]
    pub fn values_or<T: Element>(&self, unknown: T) -> Result<Vec<T>> {
        if !self.is_meta() {
            return self.to_vec();
        }
        check_list(self.numel(), size_of::<T>())?;
        Ok(vec![unknown; self.numel()])
    }

    /// [`Tensor::item`], likewise.
    #[doc(hidden)]
    pub fn value_or<T: Element>(&self, unknown: T) -> Result<T> {
        if self.is_meta() { Ok(unknown) } else { self.item() }
    }

    /// The only element, converted to `T`.
    ///
    /// # Errors
    /// The tensor has no element or several; the element has an imaginary part and `T` has none.
    ///
    /// ```
    /// # use firebrick_core::Tensor;
    /// assert_eq!(Tensor::new([2.5f32])?.item::<f64>()?, 2.5);
    /// assert!(Tensor::new([1.0f32, 2.0])?.item::<f32>().is_err());
    /// # Ok::<_, firebrick_core::Error>(())
    /// ```
    pub fn item<T: Element>(&self) -> Result<T> {
        let x = self.resolve_to_read("item")?;
        let numel = x.numel();
        if numel != 1 {
            return Err(Error::runtime(
                "item",
                format!("a Tensor with {numel} elements cannot be converted to Scalar"),
            ));
        }
        if x.is_meta() {
            return Err(backend::no_item());
        }
        if self.is_complex() && !T::DTYPE.is_complex() {
            let number = Scalar::Complex(self.item()?);
            number.check_range("item", T::DTYPE)?;
            return if T::DTYPE == DType::Bool { self.ne(0)?.item() } else { self.detach().real()?.item() };
        }
        self.to_vec::<T>().map(|v| v[0])
    }

    /// Python's `bool(x)`: is the only element not zero?
    ///
    /// # Errors
    /// The tensor has no element or several.
    ///
    /// ```
    /// # use firebrick_core::Tensor;
    /// assert!(Tensor::new([0.5f32])?.is_nonzero()?);
    /// # Ok::<_, firebrick_core::Error>(())
    /// ```
    pub fn is_nonzero(&self) -> Result<bool> {
        const OP: &str = "is_nonzero";
        match self.resolve_to_read(OP)?.numel() {
            0 => Err(Error::runtime(OP, "Boolean value of Tensor with no values is ambiguous")),
            1 => self.item(),
            _ => Err(Error::runtime(OP, "Boolean value of Tensor with more than one value is ambiguous")),
        }
    }

    /// The only element, as the kind of number its dtype holds.
    ///
    /// # Errors
    /// The tensor has no element or several.
    ///
    /// ```
    /// # use firebrick_core::{Scalar, Tensor};
    /// assert_eq!(Tensor::new([7i64])?.item_scalar()?, Scalar::Int(7));
    /// # Ok::<_, firebrick_core::Error>(())
    /// ```
    pub fn item_scalar(&self) -> Result<Scalar> {
        use crate::dtype::Category::*;
        Ok(match self.dtype().category() {
            Bool => Scalar::Bool(self.item()?),
            Integer => Scalar::Int(self.item()?),
            Float => Scalar::Float(self.item()?),
            Complex => Scalar::Complex(self.item()?),
        })
    }
}

/// The elements of `body`, contiguous, in main memory, converted to `dtype`.
///
/// # Errors
/// A body without data; memory that cannot be had.
pub(crate) fn on_host(body: &Body, dtype: crate::DType) -> Result<Body> {
    if body.device() == Device::Meta {
        return Err(backend::no_data());
    }
    let mut body = body.clone();
    if body.dtype != dtype || !body.is_contiguous() {
        let copy = Body::alloc(body.shape.clone(), dtype, body.device())?;
        backend::of(body.device())?.copy(&body, &copy)?;
        body = copy;
    }
    if body.device() != Device::Cpu {
        let host = Body::alloc(body.shape.clone(), dtype, Device::Cpu)?;
        backend::of(body.device())?.to_host(&body, &host)?;
        body = host;
    }
    Ok(body)
}

/// Calls `f` with each element of `body` as an `f64`, for texts.
pub(crate) fn element_f64(body: &Body) -> impl Fn(usize) -> f64 + '_ {
    move |index| {
        let at = position(body, index);
        dispatch!(body.dtype, T => {
            #[allow(unsafe_code)]
            // SAFETY: the caller holds the storage's lock and passes an index below `numel`.
            unsafe { Element::to_f64(*body.ptr().cast::<T>().add(at)) }
        })
    }
}

/// Calls `f` with each element of `body` as an `i64`, for texts.
pub(crate) fn element_i64(body: &Body) -> impl Fn(usize) -> i64 + '_ {
    move |index| {
        let at = position(body, index);
        dispatch!(body.dtype, T => {
            #[allow(unsafe_code)]
            // SAFETY: the caller holds the storage's lock and passes an index below `numel`.
            unsafe { Element::to_i64(*body.ptr().cast::<T>().add(at)) }
        })
    }
}

/// Where the element with this row-major index lies, counted from the first.
fn position(body: &Body, mut index: usize) -> usize {
    let mut at = 0;
    for (&size, &stride) in body.shape.iter().zip(&body.strides).rev() {
        at += index % size * stride;
        index /= size;
    }
    at
}
