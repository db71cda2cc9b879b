//! The tensor behind its handle: other data, no history, a full copy.

use super::{REQUIRES_GRAD, Tensor, UNINITIALIZED};
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
    pub fn detach(&self) -> Tensor {
        let out = Tensor::from_body(self.body());
        out.set_flag(UNINITIALIZED, self.is_uninitialized());
        out.set_inference(self.is_inference());
        out
    }

    /// Drops the history of this tensor in place: it becomes a leaf that requires no grad.
    ///
    /// # Errors
    /// The tensor is a view: its base would keep recording.
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
    /// The tensor requires grad and `other` is no floating-point tensor.
    pub fn set_data(&self, other: &Tensor) -> Result<()> {
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
    pub fn deep_copy(&self) -> Result<Tensor> {
        if !self.is_leaf() {
            return Err(Error::runtime(
                "deepcopy",
                "Only Tensors created explicitly by the user (graph leaves) support the deepcopy protocol at the moment.  If you were attempting to deepcopy a module, this may be because of a torch.nn.utils.weight_norm usage, see https://github.com/pytorch/pytorch/pull/103001",
            ));
        }
        let copy = if self.is_uninitialized() { self.detach() } else { self.detach().copy()? };
        copy.set_flag(REQUIRES_GRAD, self.requires_grad());
        if let Some(grad) = self.grad() {
            copy.set_grad(Some(&grad.detach().copy()?))?;
        }
        Ok(copy)
    }

    /// A tensor without shape, for a lazy layer's parameter or buffer.
    pub(crate) fn uninitialized(dtype: DType, device: Device) -> Result<Tensor> {
        let tensor = Tensor::from_body(super::Body::alloc(Dims::from([0]), dtype, device)?);
        tensor.set_flag(UNINITIALIZED, true);
        Ok(tensor)
    }

    /// PyTorch's name of the tensor's type, such as `torch.FloatTensor`.
    pub fn type_text(&self) -> String {
        let (dtype, device) = self.with_body(|b| (b.dtype, b.device()));
        match device {
            Device::Cpu => format!("torch.{}Tensor", dtype.scalar_name()),
            Device::Mock(_) => format!("torch.mock.{}Tensor", dtype.scalar_name()),
        }
    }
}
