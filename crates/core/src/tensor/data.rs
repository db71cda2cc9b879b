//! The tensor behind its handle: other data, no history, a full copy.

use super::{Body, PLACEHOLDER, REQUIRES_GRAD, Tensor, UNINITIALIZED};
use crate::{DType, Device, Dims, Error, Result};

impl Tensor {
    /// The same memory without history: a change of one shows in the other.
    ///
    /// ```
    /// # use firebrick_core::Tensor;
    /// let x = Tensor::ones([2])?;
    /// x.requires_grad_(true)?;
    /// let y = x.detach();
    /// assert!(!y.requires_grad() && y.shares_storage(&x));
    /// # Ok::<_, firebrick_core::Error>(())
    /// ```
    #[track_caller]
    pub fn detach(&self) -> Tensor {
        if super::traced() && self.requires_grad() {
            crate::autograd::note_detach(self, std::panic::Location::caller());
        }
        let out = Tensor::from_body(self.body());
        out.set_flag(UNINITIALIZED, self.is_uninitialized());
        out.set_flag(PLACEHOLDER, self.is_placeholder());
        out.set_inference(self.is_inference());
        out
    }

    /// Drops the history of this tensor in place: it becomes a leaf that requires no grad.
    ///
    /// # Errors
    /// The tensor is a view: its base would keep recording.
    ///
    /// ```
    /// # use firebrick_core::Tensor;
    /// let x = Tensor::new([1.0f32])?.requires_grad_(true)?.mul(2)?;
    /// x.detach_()?;
    /// assert!(x.is_leaf() && !x.requires_grad());
    /// # Ok::<_, firebrick_core::Error>(())
    /// ```
    pub fn detach_(&self) -> Result<&Tensor> {
        if self.view_of().is_some() {
            return Err(Error::runtime(
                "detach_",
                "Can't detach views in-place. Use detach() instead. If you are using DistributedDataParallel (DDP) for training, and gradient_as_bucket_view is set as True, gradients are views of DDP buckets, and hence detach_() cannot be called on these gradients. To fix this error, please refer to the Optimizer.zero_grad() function in torch/optim/optimizer.py as the solution.",
            ));
        }
        self.set_flag(REQUIRES_GRAD, false);
        if let Some(meta) = self.meta() {
            let node = meta.lock().node.take();
            drop(node);
        }
        Ok(self)
    }

    /// PyTorch's `x.data = other`: other contents behind the same handle, so that whoever holds the tensor (an
    /// optimizer, a tied layer) sees them. Initializes a lazy layer's parameter.
    ///
    /// # Errors
    /// The tensor requires grad and `other` is no floating-point tensor; the tensor is a [`Tensor::placeholder`].
    ///
    /// ```
    /// # use firebrick_core::{Parameter, Tensor};
    /// let weight = Parameter::new(Tensor::new([1.0f32])?);
    /// let tied = weight.clone();
    /// weight.set_data(&Tensor::new([5.0f32, 6.0])?)?;
    /// assert_eq!(tied.to_vec::<f32>()?, [5.0, 6.0]);
    /// # Ok::<_, firebrick_core::Error>(())
    /// ```
    pub fn set_data(&self, other: &Tensor) -> Result<()> {
        if self.is_placeholder() {
            return Err(super::substitute::computed("set_data"));
        }
        if super::substitute::is_following_shapes() && !self.is_meta() {
            return Ok(());
        }
        let uninitialized = other.is_uninitialized();
        let other = if uninitialized { other.clone() } else { other.resolve("set_data")? };
        if self.requires_grad() && !other.dtype().is_differentiable() {
            return Err(Error::runtime(
                "set_data",
                "data set to a tensor that requires gradients must be floating point or complex dtype",
            ));
        }
        self.replace_body(other.body());
        self.set_flag(UNINITIALIZED, uninitialized);
        Ok(())
    }

    /// Python's `copy.deepcopy`: memory of its own, the same `requires_grad`, a copy of the gradient.
    ///
    /// # Errors
    /// The tensor has a history.
    ///
    /// ```
    /// # use firebrick_core::{Parameter, Tensor};
    /// let x = Parameter::new(Tensor::new([1.0f32])?);
    /// let copy = x.deep_copy()?;
    /// assert!(copy.requires_grad() && !copy.shares_storage(&x));
    /// # Ok::<_, firebrick_core::Error>(())
    /// ```
    pub fn deep_copy(&self) -> Result<Tensor> {
        if !self.is_leaf() {
            return Err(Error::runtime(
                "deepcopy",
                "Only Tensors created explicitly by the user (graph leaves) support the deepcopy protocol at the moment.  If you were attempting to deepcopy a module, this may be because of a torch.nn.utils.weight_norm usage, see https://github.com/pytorch/pytorch/pull/103001",
            ));
        }
        let without_values = self.is_uninitialized() || self.is_placeholder();
        let copy = if without_values { self.detach() } else { self.detach().copy()? };
        copy.set_flag(REQUIRES_GRAD, self.requires_grad());
        if let Some(grad) = self.grad() {
            copy.set_grad(Some(&grad.detach().copy()?))?;
        }
        Ok(copy)
    }

    /// A tensor without shape, for a lazy layer's parameter or buffer.
    pub(crate) fn uninitialized(dtype: DType, device: Device) -> Result<Tensor> {
        let tensor = Tensor::from_body(Body::alloc(Dims::from([0]), dtype, device)?);
        tensor.set_flag(UNINITIALIZED, true);
        Ok(tensor)
    }

    /// A tensor with the shape, dtype and device of `value` but without values: the place of a parameter that is
    /// computed when it is needed. Operations on it are errors unless another tensor stands in for it, see
    /// [`substitute`](crate::substitute).
    ///
    /// # Errors
    /// When memory for one element cannot be had.
    ///
    /// ```
    /// # use firebrick_core::Tensor;
    /// let place = Tensor::placeholder(&Tensor::zeros([2, 3])?)?;
    /// assert_eq!(place.shape(), [2, 3]);
    /// assert!(place.add(1).is_err());
    /// # Ok::<_, firebrick_core::Error>(())
    /// ```
    pub fn placeholder(value: &Tensor) -> Result<Tensor> {
        let tensor = Tensor::from_body(form_of(value)?);
        tensor.set_flag(PLACEHOLDER, true);
        Ok(tensor)
    }

    /// Gives a [`Tensor::placeholder`] the shape, dtype and device of `value`; does nothing to other tensors.
    ///
    /// # Errors
    /// When memory for one element cannot be had.
    ///
    /// ```
    /// # use firebrick_core::Tensor;
    /// let place = Tensor::placeholder(&Tensor::zeros([2, 3])?)?;
    /// place.take_form_of(&Tensor::zeros([4])?)?;
    /// assert_eq!(place.shape(), [4]);
    /// # Ok::<_, firebrick_core::Error>(())
    /// ```
    pub fn take_form_of(&self, value: &Tensor) -> Result<()> {
        let form = |b: &Body| (b.shape.clone(), b.dtype, b.device());
        if self.is_placeholder() && self.with_body(form) != value.with_body(form) {
            self.replace_body(form_of(value)?);
        }
        Ok(())
    }

    /// Was it made by [`Tensor::placeholder`]?
    ///
    /// ```
    /// # use firebrick_core::Tensor;
    /// let x = Tensor::zeros([2])?;
    /// assert!(!x.is_placeholder() && Tensor::placeholder(&x)?.is_placeholder());
    /// # Ok::<_, firebrick_core::Error>(())
    /// ```
    pub fn is_placeholder(&self) -> bool {
        self.flag(PLACEHOLDER)
    }

    /// PyTorch's name of the tensor's type, such as `torch.FloatTensor`.
    ///
    /// ```
    /// # use firebrick_core::Tensor;
    /// assert_eq!(Tensor::new([1i64])?.type_text(), "torch.LongTensor");
    /// # Ok::<_, firebrick_core::Error>(())
    /// ```
    pub fn type_text(&self) -> String {
        let (dtype, device) = self.with_body(|b| (b.dtype, b.device()));
        match device {
            Device::Cpu => format!("torch.{}Tensor", dtype.scalar_name()),
            Device::Meta => format!("torch.meta.{}Tensor", dtype.scalar_name()),
            Device::Mock(_) => format!("torch.mock.{}Tensor", dtype.scalar_name()),
        }
    }
}

/// A body of this tensor's shape whose elements are one zero.
fn form_of(value: &Tensor) -> Result<Body> {
    let (shape, dtype, device) = value.with_body(|b| (b.shape.clone(), b.dtype, b.device()));
    let strides = Dims::repeat(0, shape.len());
    Ok(Body::zeros(Dims::from([1]), dtype, device)?.view(shape, strides, 0))
}
