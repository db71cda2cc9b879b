//! New tensors: from numbers, from patterns, from other tensors' shapes.

use super::layout::preserved_strides;
use super::{Body, Tensor};
use crate::storage::Block;
use crate::{Complex, DType, Device, Dims, Element, Error, Result, Scalar, Sizes, backend, default_device};

/// Dtype, device and `requires_grad` of a new tensor, as PyTorch's factory keywords.
///
/// ```
/// use firebrick_core::{DType, Tensor, TensorOptions};
/// let x = Tensor::zeros_with([2], TensorOptions::new().dtype(DType::F64).requires_grad(true))?;
/// assert!(x.dtype() == DType::F64 && x.requires_grad());
/// # Ok::<_, firebrick_core::Error>(())
/// ```
#[derive(Clone, Copy, Debug, Default)]
pub struct TensorOptions {
    dtype: Option<DType>,
    device: Option<Device>,
    requires_grad: bool,
}

impl TensorOptions {
    /// The default dtype on the default device, without gradient.
    ///
    /// ```
    /// # use firebrick_core::{DType, Tensor, TensorOptions};
    /// assert_eq!(Tensor::zeros_with([2], TensorOptions::new())?.dtype(), DType::F32);
    /// # Ok::<_, firebrick_core::Error>(())
    /// ```
    pub fn new() -> Self {
        Self::default()
    }

    /// Element type.
    ///
    /// ```
    /// # use firebrick_core::{DType, Tensor, TensorOptions};
    /// assert_eq!(Tensor::zeros_with([2], TensorOptions::new().dtype(DType::F64))?.dtype(), DType::F64);
    /// # Ok::<_, firebrick_core::Error>(())
    /// ```
    pub fn dtype(mut self, dtype: DType) -> Self {
        self.dtype = Some(dtype);
        self
    }

    /// Where the tensor lives.
    ///
    /// ```
    /// # use firebrick_core::{Device, Tensor, TensorOptions};
    /// let options = TensorOptions::new().device(Device::Cpu);
    /// assert_eq!(Tensor::zeros_with([2], options)?.device(), Device::Cpu);
    /// # Ok::<_, firebrick_core::Error>(())
    /// ```
    pub fn device(mut self, device: Device) -> Self {
        self.device = Some(device);
        self
    }

    /// Should gradients be recorded?
    ///
    /// ```
    /// # use firebrick_core::{Tensor, TensorOptions};
    /// assert!(Tensor::zeros_with([2], TensorOptions::new().requires_grad(true))?.requires_grad());
    /// # Ok::<_, firebrick_core::Error>(())
    /// ```
    pub fn requires_grad(mut self, on: bool) -> Self {
        self.requires_grad = on;
        self
    }

    pub(crate) fn dtype_or(&self, dtype: DType) -> DType {
        self.dtype.unwrap_or(dtype)
    }

    pub(crate) fn wants_grad(&self) -> bool {
        self.requires_grad
    }

    pub(crate) fn device_or_default(&self) -> Device {
        self.device.unwrap_or_else(default_device)
    }
}

impl From<DType> for TensorOptions {
    fn from(dtype: DType) -> Self {
        TensorOptions::new().dtype(dtype)
    }
}

impl From<Device> for TensorOptions {
    fn from(device: Device) -> Self {
        TensorOptions::new().device(device)
    }
}

/// Nested arrays, slices and vectors of numbers, as `torch.tensor` takes nested lists.
///
/// ```
/// # use firebrick_core::{DType, Tensor};
/// assert_eq!(Tensor::new([[1, 2], [3, 4]])?.shape(), [2, 2]);
/// assert_eq!(Tensor::new(vec![0.5f32, 1.5])?.dtype(), DType::F32);
/// assert_eq!(Tensor::new(7i64)?.shape().len(), 0);
/// # Ok::<_, firebrick_core::Error>(())
/// ```
pub trait Contents {
    /// The type at the bottom.
    type Item: Element;
    /// Appends the elements in row-major order and returns the shape.
    ///
    /// # Errors
    /// Rows of different lengths.
    ///
    /// ```
    /// # use firebrick_core::Contents;
    /// let mut elements = Vec::new();
    /// assert_eq!([[1, 2], [3, 4]].flatten(&mut elements)?, [2, 2]);
    /// assert_eq!(elements, [1, 2, 3, 4]);
    /// assert!(vec![vec![1], vec![2, 3]].flatten(&mut elements).is_err());
    /// # Ok::<_, firebrick_core::Error>(())
    /// ```
    fn flatten(&self, into: &mut Vec<Self::Item>) -> Result<Dims>;
}

macro_rules! numbers {
    ($($t:ty),*) => { $(
        impl Contents for $t {
            type Item = $t;
            fn flatten(&self, into: &mut Vec<$t>) -> Result<Dims> {
                into.push(*self);
                Ok(Dims::new())
            }
        }
    )* };
}
numbers!(bool, u8, i8, i16, i32, i64, half::f16, half::bf16, f32, f64, Complex<f32>, Complex<f64>);

fn flatten_rows<C: Contents>(rows: &[C], into: &mut Vec<C::Item>) -> Result<Dims> {
    let mut inner: Option<Dims> = None;
    for (i, row) in rows.iter().enumerate() {
        let shape = row.flatten(into)?;
        match &inner {
            Some(first) if *first != shape => {
                return Err(Error::value(
                    "tensor",
                    format!(
                        "expected sequence of length {} at dim 1 (got {})",
                        first.first().copied().unwrap_or(0),
                        shape.first().copied().unwrap_or(0)
                    ),
                )
                .given(format!("row {i} of shape {shape:?} after rows of shape {first:?}")));
            }
            _ => inner = Some(shape),
        }
    }
    let mut shape = inner.unwrap_or_default();
    shape.insert(0, rows.len());
    Ok(shape)
}

macro_rules! rows {
    ($($(#[$generic:ident])? $t:ty),*) => { $(
        impl<C: Contents> Contents for $t {
            type Item = C::Item;
            fn flatten(&self, into: &mut Vec<C::Item>) -> Result<Dims> {
                flatten_rows(self, into)
            }
        }
    )* };
}
rows!(Vec<C>, [C], &[C]);

impl<C: Contents, const N: usize> Contents for [C; N] {
    type Item = C::Item;
    fn flatten(&self, into: &mut Vec<C::Item>) -> Result<Dims> {
        flatten_rows(self, into)
    }
}

impl<C: Contents, const N: usize> Contents for &[C; N] {
    type Item = C::Item;
    fn flatten(&self, into: &mut Vec<C::Item>) -> Result<Dims> {
        flatten_rows(*self, into)
    }
}

impl Tensor {
    /// A tensor of nested arrays, slices or vectors; its dtype is that of the numbers.
    ///
    /// # Errors
    /// Rows of different lengths.
    ///
    /// ```
    /// # use firebrick_core::{DType, Tensor};
    /// let x = Tensor::new([[1i64, 2, 3], [4, 5, 6]])?;
    /// assert_eq!(x.shape(), [2, 3]);
    /// assert_eq!(x.dtype(), DType::I64);
    /// # Ok::<_, firebrick_core::Error>(())
    /// ```
    pub fn new(contents: impl Contents) -> Result<Tensor> {
        let mut flat = Vec::new();
        let shape = contents.flatten(&mut flat)?;
        Tensor::from_slice(&flat, shape)
    }

    /// A tensor of the numbers in `data`, in row-major order.
    ///
    /// # Errors
    /// `shape` has another number of elements.
    ///
    /// ```
    /// # use firebrick_core::Tensor;
    /// assert_eq!(Tensor::from_slice(&[1.0f32, 2.0, 3.0, 4.0], [2, 2])?.t()?.to_vec::<f32>()?, [1.0, 3.0, 2.0, 4.0]);
    /// # Ok::<_, firebrick_core::Error>(())
    /// ```
    pub fn from_slice<T: Element>(data: &[T], shape: impl Into<Sizes>) -> Result<Tensor> {
        Tensor::from_slice_with(data, shape, TensorOptions::new())
    }

    /// [`Tensor::from_slice`] with dtype, device and `requires_grad`.
    ///
    /// # Errors
    /// As there; a dtype that cannot require a gradient.
    ///
    /// ```
    /// # use firebrick_core::{DType, Tensor};
    /// let x = Tensor::from_slice_with(&[1.0f32, 2.0], [2], DType::F64)?;
    /// assert_eq!((x.dtype(), x.to_vec::<f64>()?), (DType::F64, vec![1.0, 2.0]));
    /// # Ok::<_, firebrick_core::Error>(())
    /// ```
    pub fn from_slice_with<T: Element>(
        data: &[T],
        shape: impl Into<Sizes>,
        options: impl Into<TensorOptions>,
    ) -> Result<Tensor> {
        let options = options.into();
        let shape = shape.into().to_shape("from_slice")?;
        if shape.numel() != data.len() {
            return Err(Error::runtime(
                "from_slice",
                format!("shape '{shape:?}' is invalid for input of size {}", data.len()),
            ));
        }
        let block = Block::new(size_of_val(data))?;
        #[allow(unsafe_code)]
        // SAFETY: the block was just made with room for `data` and has no other owner; elements are plain values.
        unsafe {
            std::ptr::copy_nonoverlapping(data.as_ptr().cast::<u8>(), block.as_ptr(), size_of_val(data));
        }
        let tensor = Tensor::from_body(Body::around(block, shape, T::DTYPE, Device::Cpu));
        let (device, dtype) = (options.device_or_default(), options.dtype_or(T::DTYPE));
        let tensor = if (device, dtype) == (Device::Cpu, T::DTYPE) { tensor } else { tensor.to((device, dtype))? };
        if options.requires_grad {
            tensor.requires_grad_(true)?;
        }
        Ok(tensor)
    }

    /// [`Tensor::from_slice`] for a vector.
    ///
    /// ```
    /// # use firebrick_core::Tensor;
    /// assert_eq!(Tensor::from_vec(vec![1.0f32, 2.0, 3.0, 4.0], [2, 2])?.shape(), [2, 2]);
    /// # Ok::<_, firebrick_core::Error>(())
    /// ```
    pub fn from_vec<T: Element>(data: Vec<T>, shape: impl Into<Sizes>) -> Result<Tensor> {
        Tensor::from_slice(&data, shape)
    }

    /// A 0-dimensional tensor of one number: `torch.tensor(value)`.
    ///
    /// ```
    /// # use firebrick_core::{DType, Tensor};
    /// assert_eq!(Tensor::scalar(2)?.dtype(), DType::I64);
    /// assert_eq!(Tensor::scalar(0.5)?.dtype(), DType::F32);
    /// # Ok::<_, firebrick_core::Error>(())
    /// ```
    pub fn scalar(value: impl Into<Scalar>) -> Result<Tensor> {
        let value = value.into();
        Tensor::full_with((), value, TensorOptions::new())
    }

    /// Every element `value`; the dtype follows the number, as in PyTorch.
    ///
    /// ```
    /// # use firebrick_core::Tensor;
    /// assert_eq!(Tensor::full([2], 7)?.to_vec::<i64>()?, [7; 2]);
    /// assert_eq!(Tensor::full([2], 0.5)?.to_vec::<f32>()?, [0.5; 2]);
    /// # Ok::<_, firebrick_core::Error>(())
    /// ```
    pub fn full(shape: impl Into<Sizes>, value: impl Into<Scalar>) -> Result<Tensor> {
        Tensor::full_with(shape, value, TensorOptions::new())
    }

    /// [`Tensor::full`] with dtype, device and `requires_grad`.
    ///
    /// ```
    /// # use firebrick_core::{DType, Tensor};
    /// assert_eq!(Tensor::full_with([2], 7, DType::F64)?.to_vec::<f64>()?, [7.0; 2]);
    /// # Ok::<_, firebrick_core::Error>(())
    /// ```
    pub fn full_with(
        shape: impl Into<Sizes>,
        value: impl Into<Scalar>,
        options: impl Into<TensorOptions>,
    ) -> Result<Tensor> {
        let (value, options) = (value.into(), options.into());
        let shape = shape.into().to_shape("full")?;
        let device = options.device_or_default();
        let dtype = options.dtype_or(value.dtype());
        value.check_range("full", dtype)?;
        if options.requires_grad && !dtype.is_differentiable() {
            return Err(Error::runtime(
                "full",
                "Only Tensors of floating point and complex dtype can require gradients",
            )
            .given(dtype.to_string()));
        }
        let body = Body::alloc(shape, dtype, device)?;
        backend::of(device)?.fill(&body, value)?;
        let tensor = Tensor::from_body(body);
        if options.requires_grad {
            tensor.requires_grad_(true)?;
        }
        Ok(tensor)
    }

    /// Zeros, in the default dtype: `torch.zeros`.
    ///
    /// # Errors
    /// A negative size, or more elements than memory holds.
    ///
    /// ```
    /// # use firebrick_core::Tensor;
    /// assert_eq!(Tensor::zeros([2, 3])?.shape(), [2, 3]);
    /// assert_eq!(Tensor::zeros([2])?.to_vec::<f32>()?, [0.0; 2]);
    /// # Ok::<_, firebrick_core::Error>(())
    /// ```
    pub fn zeros(shape: impl Into<Sizes>) -> Result<Tensor> {
        Tensor::zeros_with(shape, TensorOptions::new())
    }

    /// [`Tensor::zeros`] with dtype, device and `requires_grad`.
    ///
    /// ```
    /// # use firebrick_core::{DType, Tensor};
    /// assert_eq!(Tensor::zeros_with([2], DType::I64)?.to_vec::<i64>()?, [0; 2]);
    /// # Ok::<_, firebrick_core::Error>(())
    /// ```
    pub fn zeros_with(shape: impl Into<Sizes>, options: impl Into<TensorOptions>) -> Result<Tensor> {
        let shape = shape.into();
        if shape.iter().any(|&n| n < 0) {
            return Err(Error::runtime("zeros", "zeros: Dimension size must be non-negative.")
                .given(format!("{:?}", &shape[..])));
        }
        Tensor::full_with(shape, 0.0, options)
    }

    /// Ones, in the default dtype: `torch.ones`.
    ///
    /// # Errors
    /// A negative size, or more elements than memory holds.
    ///
    /// ```
    /// # use firebrick_core::Tensor;
    /// assert_eq!(Tensor::ones([3])?.to_vec::<f32>()?, [1.0; 3]);
    /// # Ok::<_, firebrick_core::Error>(())
    /// ```
    pub fn ones(shape: impl Into<Sizes>) -> Result<Tensor> {
        Tensor::ones_with(shape, TensorOptions::new())
    }

    /// [`Tensor::ones`] with dtype, device and `requires_grad`.
    ///
    /// ```
    /// # use firebrick_core::{DType, Tensor};
    /// assert_eq!(Tensor::ones_with([2], DType::I64)?.to_vec::<i64>()?, [1; 2]);
    /// # Ok::<_, firebrick_core::Error>(())
    /// ```
    pub fn ones_with(shape: impl Into<Sizes>, options: impl Into<TensorOptions>) -> Result<Tensor> {
        Tensor::full_with(shape, 1.0, options)
    }

    /// A tensor to be filled. Unlike PyTorch's, its elements are zero: memory is never shown unwritten.
    ///
    /// ```
    /// # use firebrick_core::Tensor;
    /// assert_eq!(Tensor::empty([2, 0])?.shape(), [2, 0]);
    /// # Ok::<_, firebrick_core::Error>(())
    /// ```
    pub fn empty(shape: impl Into<Sizes>) -> Result<Tensor> {
        Tensor::empty_with(shape, TensorOptions::new())
    }

    /// [`Tensor::empty`] with dtype, device and `requires_grad`.
    ///
    /// ```
    /// # use firebrick_core::{DType, Tensor};
    /// assert_eq!(Tensor::empty_with([2], DType::F64)?.dtype(), DType::F64);
    /// # Ok::<_, firebrick_core::Error>(())
    /// ```
    pub fn empty_with(shape: impl Into<Sizes>, options: impl Into<TensorOptions>) -> Result<Tensor> {
        Tensor::full_with(shape, 0.0, options)
    }

    /// Every element `value`, in this tensor's shape, dtype, device and order in memory.
    ///
    /// ```
    /// # use firebrick_core::Tensor;
    /// assert_eq!(Tensor::new([1, 2])?.full_like(7)?.to_vec::<i32>()?, [7; 2]);
    /// # Ok::<_, firebrick_core::Error>(())
    /// ```
    pub fn full_like(&self, value: impl Into<Scalar>) -> Result<Tensor> {
        let x = self.resolve("full_like")?.body();
        let like = Tensor::full_with(&x.shape, value, TensorOptions::from(x.dtype).device(x.device()))?;
        match preserved_strides(&x) {
            None => Ok(like),
            Some(strides) => Ok(Tensor::from_body(like.body().view(x.shape, strides, 0))),
        }
    }

    /// Zeros in this tensor's shape, dtype, device and order in memory.
    ///
    /// ```
    /// # use firebrick_core::Tensor;
    /// assert_eq!(Tensor::new([1, 2])?.zeros_like()?.to_vec::<i32>()?, [0; 2]);
    /// # Ok::<_, firebrick_core::Error>(())
    /// ```
    pub fn zeros_like(&self) -> Result<Tensor> {
        self.full_like(0.0)
    }

    /// Ones in this tensor's shape, dtype, device and order in memory.
    ///
    /// ```
    /// # use firebrick_core::Tensor;
    /// assert_eq!(Tensor::new([5, 6])?.ones_like()?.to_vec::<i32>()?, [1; 2]);
    /// # Ok::<_, firebrick_core::Error>(())
    /// ```
    pub fn ones_like(&self) -> Result<Tensor> {
        self.full_like(1.0)
    }

    /// Zeros of another shape, in this tensor's dtype and device.
    ///
    /// ```
    /// # use firebrick_core::Tensor;
    /// assert_eq!(Tensor::new([1, 2])?.new_zeros([3])?.to_vec::<i32>()?, [0; 3]);
    /// # Ok::<_, firebrick_core::Error>(())
    /// ```
    pub fn new_zeros(&self, shape: impl Into<Sizes>) -> Result<Tensor> {
        self.new_full(shape, 0.0)
    }

    /// Ones of another shape, in this tensor's dtype and device.
    ///
    /// ```
    /// # use firebrick_core::Tensor;
    /// assert_eq!(Tensor::new([1, 2])?.new_ones([3])?.to_vec::<i32>()?, [1; 3]);
    /// # Ok::<_, firebrick_core::Error>(())
    /// ```
    pub fn new_ones(&self, shape: impl Into<Sizes>) -> Result<Tensor> {
        self.new_full(shape, 1.0)
    }

    /// Every element `value`, of another shape, in this tensor's dtype and device.
    ///
    /// ```
    /// # use firebrick_core::Tensor;
    /// assert_eq!(Tensor::new([1, 2])?.new_full([3], 7)?.to_vec::<i32>()?, [7; 3]);
    /// # Ok::<_, firebrick_core::Error>(())
    /// ```
    pub fn new_full(&self, shape: impl Into<Sizes>, value: impl Into<Scalar>) -> Result<Tensor> {
        let x = self.resolve("new_full")?.body();
        Tensor::full_with(shape, value, TensorOptions::from(x.dtype).device(x.device()))
    }
}
