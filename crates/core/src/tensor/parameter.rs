//! The two kinds of tensors that a module holds.

use super::Tensor;
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

/// A trained tensor of a module. Cloning the handle ties the weights.
///
/// Derefs to [`Tensor`]; only `shape` is a `Result`, since a lazy layer's parameter has none before the first call.
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
    pub fn new(tensor: Tensor) -> Self {
        let leaf = tensor.detach();
        leaf.set_flag(super::REQUIRES_GRAD, leaf.is_differentiable());
        Parameter(leaf)
    }

    /// A parameter that is saved and listed but not trained: `Parameter(t, requires_grad=False)`.
    pub fn frozen(tensor: Tensor) -> Self {
        Parameter(tensor.detach())
    }

    /// A lazy layer's parameter: it gets its shape when data is set.
    pub fn uninitialized(dtype: DType, device: Device) -> Result<Self> {
        Ok(Parameter::new(Tensor::uninitialized(dtype, device)?))
    }

    /// The very tensor, as a parameter: whoever holds it holds the same one.
    pub fn from_handle(tensor: Tensor) -> Self {
        Parameter(tensor)
    }

    /// Sizes by dimension.
    ///
    /// # Errors
    /// A lazy layer's parameter before the first call.
    pub fn shape(&self) -> Result<Dims> {
        known_shape(&self.0)
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
#[derive(Clone)]
pub struct Buffer {
    tensor: Tensor,
    persistent: bool,
}

impl Buffer {
    /// A buffer that is saved.
    pub fn new(tensor: Tensor) -> Self {
        Buffer { tensor, persistent: true }
    }

    /// A buffer that is moved with the module but not saved.
    pub fn non_persistent(tensor: Tensor) -> Self {
        Buffer { tensor, persistent: false }
    }

    /// A lazy layer's buffer: it gets its shape when data is set.
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
    pub fn shape(&self) -> Result<Dims> {
        known_shape(&self.tensor)
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
