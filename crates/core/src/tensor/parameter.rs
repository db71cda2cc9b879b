//! The two kinds of tensors that a module holds.

use super::Tensor;
use super::substitute::uninitialized;
use crate::{DType, Device, Dims, Error, Result};
use std::fmt;
use std::ops::Deref;

fn known_shape(tensor: &Tensor) -> Result<Dims> {
    if tensor.is_uninitialized() {
        return Err(Error::runtime(
            "shape",
            "Can't access the shape of an uninitialized parameter or buffer. This error usually happens in `load_state_dict` when trying to load an uninitialized parameter into an initialized one. Call `forward` to initialize the parameters before accessing their attributes.",
        ));
    }
    Ok(tensor.shape())
}

fn known_numel(tensor: &Tensor) -> Result<usize> {
    if tensor.is_uninitialized() { Err(uninitialized("numel")) } else { Ok(tensor.numel()) }
}

/// A trained tensor of a module. Cloning the handle ties the weights.
///
/// Derefs to [`Tensor`]; only `shape` and `numel` are `Result`s, since a lazy layer's parameter has none before the first
/// call.
///
/// ```
/// # use firebrick_core::{Parameter, Tensor};
/// let weight = Parameter::new(Tensor::zeros([2, 3])?);
/// assert!(weight.requires_grad());
/// assert_eq!(weight.shape()?, [2, 3]);
/// # Ok::<_, firebrick_core::Error>(())
/// ```
#[derive(Clone)]
pub struct Parameter(Tensor);

impl Parameter {
    /// Trains `tensor`: the same memory without history, requiring grad where its dtype allows.
    ///
    /// ```
    /// # use firebrick_core::{Parameter, Tensor};
    /// let weight = Parameter::new(Tensor::new([1.0f32])?);
    /// assert!(weight.requires_grad() && weight.is_leaf());
    /// # Ok::<_, firebrick_core::Error>(())
    /// ```
    pub fn new(tensor: Tensor) -> Self {
        let leaf = tensor.detach();
        leaf.set_flag(super::REQUIRES_GRAD, leaf.is_differentiable());
        Parameter(leaf)
    }

    /// A parameter that is saved and listed but not trained: `Parameter(t, requires_grad=False)`.
    ///
    /// ```
    /// # use firebrick_core::{Parameter, Tensor};
    /// assert!(!Parameter::frozen(Tensor::new([1.0f32])?).requires_grad());
    /// # Ok::<_, firebrick_core::Error>(())
    /// ```
    pub fn frozen(tensor: Tensor) -> Self {
        Parameter(tensor.detach())
    }

    /// A lazy layer's parameter: it gets its shape when data is set.
    ///
    /// ```
    /// # use firebrick_core::{DType, Device, Parameter, Tensor};
    /// let weight = Parameter::uninitialized(DType::F32, Device::Cpu)?;
    /// assert!(weight.shape().is_err());
    /// weight.set_data(&Tensor::zeros([2, 3])?)?;
    /// assert_eq!(weight.shape()?, [2, 3]);
    /// # Ok::<_, firebrick_core::Error>(())
    /// ```
    pub fn uninitialized(dtype: DType, device: Device) -> Result<Self> {
        Ok(Parameter::new(Tensor::uninitialized(dtype, device)?))
    }

    /// The very tensor, as a parameter: whoever holds it holds the same one.
    ///
    /// ```
    /// # use firebrick_core::{Parameter, Tensor};
    /// let x = Tensor::new([1.0f32])?;
    /// assert!(Parameter::from_handle(x.clone()).ptr_eq(&x));
    /// # Ok::<_, firebrick_core::Error>(())
    /// ```
    pub fn from_handle(tensor: Tensor) -> Self {
        Parameter(tensor)
    }

    /// Sizes by dimension.
    ///
    /// # Errors
    /// A lazy layer's parameter before the first call.
    ///
    /// ```
    /// # use firebrick_core::{Parameter, Tensor};
    /// assert_eq!(Parameter::new(Tensor::zeros([2, 3])?).shape()?, [2, 3]);
    /// # Ok::<_, firebrick_core::Error>(())
    /// ```
    pub fn shape(&self) -> Result<Dims> {
        known_shape(&self.0)
    }

    /// Number of elements.
    ///
    /// # Errors
    /// A lazy layer's parameter before the first call.
    ///
    /// ```
    /// # use firebrick_core::{Parameter, Tensor};
    /// assert_eq!(Parameter::new(Tensor::zeros([2, 3])?).numel()?, 6);
    /// # Ok::<_, firebrick_core::Error>(())
    /// ```
    pub fn numel(&self) -> Result<usize> {
        known_numel(&self.0)
    }
}

impl Deref for Parameter {
    type Target = Tensor;
    fn deref(&self) -> &Tensor {
        &self.0
    }
}

impl AsRef<Tensor> for Parameter {
    fn as_ref(&self) -> &Tensor {
        &self.0
    }
}

impl fmt::Display for Parameter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.is_uninitialized() {
            return f.write_str("<UninitializedParameter>");
        }
        write!(f, "Parameter containing:\n{}", self.0)
    }
}

impl fmt::Debug for Parameter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// A tensor that a module keeps and moves but does not train: running statistics, masks.
///
/// A persistent one is part of the `state_dict`.
///
/// ```
/// # use firebrick_core::{Buffer, Tensor};
/// let mean = Buffer::new(Tensor::zeros([3])?);
/// assert!(!mean.requires_grad());
/// assert_eq!(mean.add(1)?.to_vec::<f32>()?, [1.0; 3]);
/// # Ok::<_, firebrick_core::Error>(())
/// ```
#[derive(Clone)]
pub struct Buffer {
    tensor: Tensor,
    persistent: bool,
}

impl Buffer {
    /// A buffer that is saved.
    ///
    /// ```
    /// # use firebrick_core::{Buffer, Tensor};
    /// assert!(Buffer::new(Tensor::zeros([3])?).is_persistent());
    /// # Ok::<_, firebrick_core::Error>(())
    /// ```
    pub fn new(tensor: Tensor) -> Self {
        Buffer { tensor, persistent: true }
    }

    /// A buffer that is moved with the module but not saved.
    ///
    /// ```
    /// # use firebrick_core::{Buffer, Tensor};
    /// assert!(!Buffer::non_persistent(Tensor::zeros([3])?).is_persistent());
    /// # Ok::<_, firebrick_core::Error>(())
    /// ```
    pub fn non_persistent(tensor: Tensor) -> Self {
        Buffer { tensor, persistent: false }
    }

    /// A lazy layer's buffer: it gets its shape when data is set.
    ///
    /// ```
    /// # use firebrick_core::{Buffer, DType, Device};
    /// assert!(Buffer::uninitialized(DType::F32, Device::Cpu)?.shape().is_err());
    /// # Ok::<_, firebrick_core::Error>(())
    /// ```
    pub fn uninitialized(dtype: DType, device: Device) -> Result<Self> {
        Ok(Buffer::new(Tensor::uninitialized(dtype, device)?))
    }

    /// Is it part of the `state_dict`?
    pub fn is_persistent(&self) -> bool {
        self.persistent
    }

    /// Sizes by dimension.
    ///
    /// # Errors
    /// A lazy layer's buffer before the first call.
    ///
    /// ```
    /// # use firebrick_core::{Buffer, Tensor};
    /// assert_eq!(Buffer::new(Tensor::zeros([3])?).shape()?, [3]);
    /// # Ok::<_, firebrick_core::Error>(())
    /// ```
    pub fn shape(&self) -> Result<Dims> {
        known_shape(&self.tensor)
    }

    /// Number of elements.
    ///
    /// # Errors
    /// A lazy layer's buffer before the first call.
    ///
    /// ```
    /// # use firebrick_core::{Buffer, Tensor};
    /// assert_eq!(Buffer::new(Tensor::zeros([3])?).numel()?, 3);
    /// # Ok::<_, firebrick_core::Error>(())
    /// ```
    pub fn numel(&self) -> Result<usize> {
        known_numel(&self.tensor)
    }
}

impl Deref for Buffer {
    type Target = Tensor;
    fn deref(&self) -> &Tensor {
        &self.tensor
    }
}

impl AsRef<Tensor> for Buffer {
    fn as_ref(&self) -> &Tensor {
        &self.tensor
    }
}

impl fmt::Display for Buffer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.is_uninitialized() {
            return f.write_str("<UninitializedBuffer>");
        }
        self.tensor.fmt(f)
    }
}

impl fmt::Debug for Buffer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}
