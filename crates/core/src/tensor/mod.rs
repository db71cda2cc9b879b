//! The tensor: a shared handle to an n-dimensional array that may record its history.

mod body;
mod bytes;
pub(crate) mod copy;
mod create;
mod data;
mod fill;
mod latch;
pub(crate) mod layout;
mod memory_format;
mod meta;
#[cfg(feature = "ndarray")]
mod ndarray;
mod operand;
mod operators;
mod parameter;
mod pattern;
mod print;
pub(crate) mod read;
mod shapes_only;
mod shared;
mod state_dict;
pub(crate) mod substitute;

pub use body::Body;
pub use copy::To;
pub use create::{Contents, TensorOptions};
pub use memory_format::MemoryFormat;
pub use operand::Operand;
pub use parameter::{Buffer, Parameter};
pub use shapes_only::ShapesOnly;
pub use state_dict::StateDict;
pub use substitute::{Substitution, standing_in, substitute};

pub(crate) use meta::{Meta, ViewOf, ViewOrigin};
pub(crate) use substitute::{set_traced, traced};

use crate::{DType, Device, Dims, Error, Result, wrap_dim};
use latch::Latch;
use once_cell::race::OnceBox;
use parking_lot::Mutex;
use std::cmp::Ordering;
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering::Relaxed};

/// An n-dimensional array: dynamic shape, dtype and device, and, where it needs one, a gradient history.
///
/// Cloning gives another handle to the same tensor, as assignment does in Python. Views share storage.
/// In-place operations end in `_`. Every operation returns a [`Result`]; metadata does not.
///
/// ```
/// use firebrick_core::Tensor;
/// let x = Tensor::new([[1.0f32, 2.0], [3.0, 4.0]])?;
/// x.requires_grad_(true)?;
/// x.mul(&x)?.sum()?.backward()?;
/// assert_eq!(x.grad().map(|g| g.to_vec::<f32>()).transpose()?, Some(vec![2.0, 4.0, 6.0, 8.0]));
/// # Ok::<_, firebrick_core::Error>(())
/// ```
#[derive(Clone)]
pub struct Tensor(pub(crate) Arc<Impl>);

impl AsRef<Tensor> for Tensor {
    fn as_ref(&self) -> &Tensor {
        self
    }
}

/// What the handles share.
pub(crate) struct Impl {
    body: Latch<Body>,
    flags: AtomicU8,
    meta: OnceBox<Mutex<Meta>>,
}

/// Gradients flow to it, or through it.
const REQUIRES_GRAD: u8 = 1;
/// Made in inference mode: no version counter, never part of a graph.
const INFERENCE: u8 = 2;
/// A lazy layer's parameter before the first call.
const UNINITIALIZED: u8 = 4;
/// A Python-like number: in type promotion it counts by category only.
const WRAPPED: u8 = 8;
/// A view that was not recorded as such: it must not be used once its base was changed while recording.
const AMBIGUOUS: u8 = 16;
/// Its elements are complex: operations that know real numbers only refuse it.
const COMPLEX: u8 = 32;
/// Its elements are floating-point numbers.
const REAL: u8 = 128;
/// A place for a tensor that is computed when it is needed: it has a shape but no values.
const PLACEHOLDER: u8 = 64;

impl Tensor {
    #[inline]
    pub(crate) fn from_body(body: Body) -> Tensor {
        let flags = if crate::autograd::is_inference_mode_enabled() { INFERENCE } else { 0 };
        let flags = flags | (COMPLEX * u8::from(body.dtype.is_complex()));
        let flags = flags | (REAL * u8::from(body.dtype.is_floating_point()));
        Tensor(Arc::new(Impl { body: Latch::new(body), flags: AtomicU8::new(flags), meta: OnceBox::new() }))
    }

    /// A copy of what this tensor looks at; the tensor's own lock is released before it returns.
    #[doc(hidden)]
    #[inline]
    pub fn body(&self) -> Body {
        self.0.body.with(Body::clone)
    }

    #[inline]
    pub(crate) fn with_body<R>(&self, f: impl FnOnce(&Body) -> R) -> R {
        self.0.body.with(f)
    }

    /// Looks at two bodies at once. The one with the lower address is held first, so that two threads which look at the
    /// same two never wait for each other.
    #[inline]
    pub(crate) fn with_bodies<R>(&self, other: &Tensor, f: impl FnOnce(&Body, &Body) -> R) -> R {
        match self.id().cmp(&other.id()) {
            Ordering::Equal => self.with_body(|body| f(body, body)),
            Ordering::Less => self.with_body(|a| other.with_body(|b| f(a, b))),
            Ordering::Greater => other.with_body(|b| self.with_body(|a| f(a, b))),
        }
    }

    pub(crate) fn replace_body(&self, body: Body) {
        self.set_flag(COMPLEX, body.dtype.is_complex());
        self.set_flag(REAL, body.dtype.is_floating_point());
        // The old body is dropped after the latch is left.
        drop(self.0.body.replace(body));
    }

    #[inline]
    pub(crate) fn flag(&self, flag: u8) -> bool {
        self.0.flags.load(Relaxed) & flag != 0
    }

    pub(crate) fn set_flag(&self, flag: u8, on: bool) {
        if on {
            self.0.flags.fetch_or(flag, Relaxed);
        } else {
            self.0.flags.fetch_and(!flag, Relaxed);
        }
    }

    /// Sizes by dimension.
    ///
    /// ```
    /// # use firebrick_core::Tensor;
    /// assert_eq!(Tensor::new([[1, 2, 3], [4, 5, 6]])?.shape(), [2, 3]);
    /// # Ok::<_, firebrick_core::Error>(())
    /// ```
    #[inline]
    pub fn shape(&self) -> Dims {
        self.with_body(|b| b.shape.clone())
    }

    /// Elements from one index to the next, by dimension. [`MemoryFormat`] says how results lie in memory.
    ///
    /// ```
    /// # use firebrick_core::Tensor;
    /// let x = Tensor::zeros([2, 3])?;
    /// assert_eq!((x.stride(), x.t()?.stride()), ([3, 1].as_slice().into(), [1, 3].as_slice().into()));
    /// # Ok::<_, firebrick_core::Error>(())
    /// ```
    pub fn stride(&self) -> Dims {
        self.with_body(|b| b.strides.clone())
    }

    /// Index of the first element in the storage.
    ///
    /// ```
    /// # use firebrick_core::Tensor;
    /// assert_eq!(Tensor::arange(6)?.narrow(0, 2, 3)?.storage_offset(), 2);
    /// # Ok::<_, firebrick_core::Error>(())
    /// ```
    pub fn storage_offset(&self) -> usize {
        self.with_body(|b| b.offset)
    }

    /// Size of one dimension; negative ones count from the end.
    ///
    /// # Errors
    /// There is no such dimension.
    ///
    /// ```
    /// # use firebrick_core::Tensor;
    /// assert_eq!(Tensor::zeros([2, 3])?.size(-1)?, 3);
    /// # Ok::<_, firebrick_core::Error>(())
    /// ```
    pub fn size(&self, dim: i64) -> Result<usize> {
        self.with_body(|b| Ok(b.shape[wrap_dim_of("size", dim, b)?]))
    }

    /// Number of dimensions.
    ///
    /// ```
    /// # use firebrick_core::Tensor;
    /// assert_eq!(Tensor::zeros([2, 3])?.dim(), 2);
    /// # Ok::<_, firebrick_core::Error>(())
    /// ```
    #[inline]
    pub fn dim(&self) -> usize {
        self.with_body(|b| b.shape.len())
    }

    /// Number of elements.
    ///
    /// ```
    /// # use firebrick_core::Tensor;
    /// assert_eq!(Tensor::zeros([2, 3])?.numel(), 6);
    /// # Ok::<_, firebrick_core::Error>(())
    /// ```
    #[inline]
    pub fn numel(&self) -> usize {
        self.with_body(Body::numel)
    }

    /// Element type.
    ///
    /// ```
    /// # use firebrick_core::{DType, Tensor};
    /// assert_eq!(Tensor::new([1, 2])?.dtype(), DType::I32);
    /// assert_eq!(Tensor::new([1.0f32])?.dtype(), DType::F32);
    /// # Ok::<_, firebrick_core::Error>(())
    /// ```
    #[inline]
    pub fn dtype(&self) -> DType {
        self.with_body(|b| b.dtype)
    }

    /// Where the memory is.
    ///
    /// ```
    /// # use firebrick_core::{Device, Tensor};
    /// assert_eq!(Tensor::zeros([2])?.device(), Device::Cpu);
    /// # Ok::<_, firebrick_core::Error>(())
    /// ```
    #[inline]
    pub fn device(&self) -> Device {
        self.with_body(Body::device)
    }

    /// Is it a tensor without data, on [`Device::Meta`]?
    #[inline]
    pub fn is_meta(&self) -> bool {
        self.device() == Device::Meta
    }

    /// Do the elements lie in row-major order without gaps?
    ///
    /// ```
    /// # use firebrick_core::Tensor;
    /// let x = Tensor::zeros([2, 3])?;
    /// assert!(x.is_contiguous() && !x.t()?.is_contiguous());
    /// # Ok::<_, firebrick_core::Error>(())
    /// ```
    pub fn is_contiguous(&self) -> bool {
        self.with_body(|body| body.is_contiguous() || body.shape.contains(&0))
    }

    /// Are the elements complex numbers?
    ///
    /// ```
    /// # use firebrick_core::{DType, Tensor};
    /// assert!(Tensor::zeros_with([2], DType::C64)?.is_complex());
    /// # Ok::<_, firebrick_core::Error>(())
    /// ```
    #[inline]
    pub fn is_complex(&self) -> bool {
        self.flag(COMPLEX)
    }

    /// Does the dtype hold gradients: is it floating point or complex?
    #[inline]
    pub(crate) fn is_differentiable(&self) -> bool {
        self.flag(COMPLEX | REAL)
    }

    /// Does the dtype hold fractions of real numbers?
    ///
    /// ```
    /// # use firebrick_core::Tensor;
    /// assert!(Tensor::new([1.0f32])?.is_floating_point() && !Tensor::new([1])?.is_floating_point());
    /// # Ok::<_, firebrick_core::Error>(())
    /// ```
    #[inline]
    pub fn is_floating_point(&self) -> bool {
        self.flag(REAL)
    }

    /// How often the storage was changed in place. Inference tensors do not count.
    ///
    /// # Errors
    /// The tensor was made in inference mode.
    ///
    /// ```
    /// # use firebrick_core::Tensor;
    /// let x = Tensor::new([1.0f32])?;
    /// x.add_(1)?.mul_(2)?;
    /// assert_eq!(x.version()?, 2);
    /// # Ok::<_, firebrick_core::Error>(())
    /// ```
    pub fn version(&self) -> Result<u32> {
        if self.is_inference() {
            return Err(Error::runtime("version", "Inference tensors do not track version counter."));
        }
        Ok(self.with_body(|b| b.storage.version()))
    }

    /// The same tensor, not merely an equal one: Python's `is`.
    ///
    /// ```
    /// # use firebrick_core::Tensor;
    /// let x = Tensor::new([1])?;
    /// assert!(x.ptr_eq(&x.clone()) && !x.ptr_eq(&x.copy()?));
    /// # Ok::<_, firebrick_core::Error>(())
    /// ```
    #[inline]
    pub fn ptr_eq(&self, other: &Tensor) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }

    /// Python's `id`: equal for handles of one tensor while it lives.
    ///
    /// ```
    /// # use firebrick_core::Tensor;
    /// let x = Tensor::new([1])?;
    /// assert_eq!(x.id(), x.clone().id());
    /// # Ok::<_, firebrick_core::Error>(())
    /// ```
    #[inline]
    pub fn id(&self) -> usize {
        Arc::as_ptr(&self.0) as usize
    }

    /// Do the two share memory?
    ///
    /// ```
    /// # use firebrick_core::Tensor;
    /// let x = Tensor::zeros([2, 3])?;
    /// assert!(x.shares_storage(&x.t()?) && !x.shares_storage(&x.copy()?));
    /// # Ok::<_, firebrick_core::Error>(())
    /// ```
    pub fn shares_storage(&self, other: &Tensor) -> bool {
        let storage = self.body().storage;
        other.with_body(|b| Arc::ptr_eq(&storage, &b.storage))
    }

    /// Was it made in inference mode?
    ///
    /// ```
    /// # use firebrick_core::{Tensor, autograd};
    /// let x = autograd::inference_mode(|| Tensor::zeros([2]))?;
    /// assert!(x.is_inference());
    /// # Ok::<_, firebrick_core::Error>(())
    /// ```
    #[inline]
    pub fn is_inference(&self) -> bool {
        self.flag(INFERENCE)
    }

    /// Is it a lazy layer's parameter that has no shape yet?
    ///
    /// ```
    /// # use firebrick_core::{DType, Device, Parameter, Tensor};
    /// let weight = Parameter::uninitialized(DType::F32, Device::Cpu)?;
    /// assert!(weight.is_uninitialized());
    /// weight.set_data(&Tensor::zeros([2])?)?;
    /// assert!(!weight.is_uninitialized());
    /// # Ok::<_, firebrick_core::Error>(())
    /// ```
    #[inline]
    pub fn is_uninitialized(&self) -> bool {
        self.flag(UNINITIALIZED)
    }

    pub(crate) fn is_wrapped_number(&self) -> bool {
        self.flag(WRAPPED)
    }
}

/// Resolves `dim` for a body; a 0-dimensional tensor has no size to ask for.
fn wrap_dim_of(op: &'static str, dim: i64, body: &Body) -> Result<usize> {
    if body.shape.is_empty() {
        return Err(Error::index(op, "Dimension specified as 0 but tensor has no dimensions"));
    }
    wrap_dim(op, dim, body.shape.len())
}
