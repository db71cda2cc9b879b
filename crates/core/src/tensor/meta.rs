//! What a tensor carries for autograd, allocated only when something asks for it.

use super::{REQUIRES_GRAD, Tensor};
use crate::autograd::{Hooks, Node};
use crate::views::ViewOp;
use crate::{Error, Result};
use parking_lot::Mutex;
use smallvec::SmallVec;
use std::sync::Arc;

/// Gradient, history, hooks and view relation of one tensor.
#[derive(Default)]
pub(crate) struct Meta {
    pub grad: Option<Tensor>,
    /// The operation that made it, and which of its outputs it is.
    pub node: Option<(Arc<Node>, usize)>,
    pub hooks: Option<Arc<Hooks>>,
    pub retain_grad: bool,
    /// Boxed: few tensors are views, and every recorded one has a `Meta`.
    pub view_of: Option<Box<ViewOf>>,
}

/// Where a view comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ViewOrigin {
    /// One view, taken while recording was on.
    Recorded,
    /// Taken under `no_grad`.
    NoGrad,
    /// Taken in inference mode.
    Inference,
    /// Output of this number among several views that one operation made at once, or a view of such.
    OneOfMany(usize),
    /// An input that the custom operation of this name returned as it was.
    Returned(&'static str),
}

/// How a view was taken, so that an in-place change of it can be written into its base's history.
#[derive(Clone)]
pub(crate) struct ViewOf {
    pub base: Tensor,
    /// Applied to the base in order, they give the view.
    pub ops: SmallVec<[ViewOp; 1]>,
    /// Version of the storage for which `Meta::node` holds; an in-place change of the base makes it stale.
    pub version: u32,
    /// Where the view comes from, which decides whether it may be written in place.
    pub origin: ViewOrigin,
}

impl Tensor {
    #[inline]
    pub(crate) fn meta(&self) -> Option<&Mutex<Meta>> {
        self.0.meta.get()
    }

    pub(crate) fn meta_mut(&self) -> &Mutex<Meta> {
        self.0.meta.get_or_init(Box::default)
    }

    /// Do gradients flow to it or through it?
    ///
    /// ```
    /// # use firebrick_core::{Parameter, Tensor};
    /// let x = Parameter::new(Tensor::new([1.0f32])?);
    /// assert!(x.requires_grad() && x.mul(2)?.requires_grad() && !x.detach().requires_grad());
    /// # Ok::<_, firebrick_core::Error>(())
    /// ```
    #[inline]
    pub fn requires_grad(&self) -> bool {
        self.flag(REQUIRES_GRAD) || (self.meta().is_some() && self.inherits_grad())
    }

    /// A view records as soon as its base does, for instance after `base.mul_(&weight)`.
    fn inherits_grad(&self) -> bool {
        let base = self.meta().and_then(|meta| Some(meta.lock().view_of.as_ref()?.base.clone()));
        base.is_some_and(|base| base.requires_grad())
    }

    /// Turns gradient recording for this leaf on or off, in place.
    ///
    /// # Errors
    /// On integer and bool tensors, and when turning it off for a tensor that an operation made.
    ///
    /// ```
    /// # use firebrick_core::Tensor;
    /// let x = Tensor::new([3.0f32])?;
    /// x.requires_grad_(true)?.square()?.sum()?.backward()?;
    /// assert_eq!(x.grad().map(|g| g.to_vec::<f32>()).transpose()?, Some(vec![6.0]));
    /// # Ok::<_, firebrick_core::Error>(())
    /// ```
    pub fn requires_grad_(&self, on: bool) -> Result<&Tensor> {
        const OP: &str = "requires_grad_";
        if on && !self.dtype().is_differentiable() {
            return Err(Error::runtime(OP, "only Tensors of floating point dtype can require gradients")
                .given(self.dtype().to_string()));
        }
        if on && self.is_inference() && !crate::autograd::is_inference_mode_enabled() {
            return Err(Error::runtime(
                OP,
                "Setting requires_grad=True on inference tensor outside InferenceMode is not allowed.",
            ));
        }
        if !on && !self.is_leaf() {
            return Err(Error::runtime(
                OP,
                "you can only change requires_grad flags of leaf variables. If you want to use a computed variable in a subgraph that doesn't require differentiation use var_no_grad = var.detach().",
            ));
        }
        self.set_flag(REQUIRES_GRAD, on);
        Ok(self)
    }

    /// PyTorch's `x.requires_grad = on`: as [`Tensor::requires_grad_`], but refused on every tensor that an operation made.
    ///
    /// # Errors
    /// On integer and bool tensors, and on a tensor that is no leaf.
    ///
    /// ```
    /// # use firebrick_core::Tensor;
    /// let x = Tensor::new([3.0f32])?;
    /// x.set_requires_grad(true)?;
    /// assert!(x.mul(2)?.set_requires_grad(true).is_err());
    /// # Ok::<_, firebrick_core::Error>(())
    /// ```
    pub fn set_requires_grad(&self, on: bool) -> Result<()> {
        const OP: &str = "requires_grad";
        if on && !self.is_leaf() {
            return Err(Error::runtime(OP, "you can only change requires_grad flags of leaf variables."));
        }
        if on && !self.dtype().is_differentiable() {
            return Err(Error::runtime(OP, "only Tensors of floating point and complex dtype can require gradients")
                .given(self.dtype().to_string()));
        }
        self.requires_grad_(on).map(drop)
    }

    /// Was it made by the user rather than by a recorded operation?
    ///
    /// ```
    /// # use firebrick_core::{Parameter, Tensor};
    /// let x = Parameter::new(Tensor::new([1.0f32])?);
    /// assert!(x.is_leaf() && !x.mul(2)?.is_leaf());
    /// # Ok::<_, firebrick_core::Error>(())
    /// ```
    pub fn is_leaf(&self) -> bool {
        !self.requires_grad() || self.grad_node().is_none()
    }

    /// The gradient that `backward` accumulated. A tensor that is no leaf has one only after
    /// [`Tensor::retain_grad`]; asking for it without is warned of.
    ///
    /// ```
    /// # use firebrick_core::{Parameter, Tensor};
    /// let x = Parameter::new(Tensor::new([1.0f32, 2.0])?);
    /// assert!(x.grad().is_none());
    /// x.mul(3)?.sum()?.backward()?;
    /// assert_eq!(x.grad().map(|g| g.to_vec::<f32>()).transpose()?, Some(vec![3.0, 3.0]));
    /// # Ok::<_, firebrick_core::Error>(())
    /// ```
    pub fn grad(&self) -> Option<Tensor> {
        let (grad, retains) = self.meta().map(|meta| meta.lock()).map(|meta| (meta.grad.clone(), meta.retain_grad))?;
        if grad.is_none() && !retains && !self.is_leaf() {
            crate::warn(
                "The .grad attribute of a Tensor that is not a leaf Tensor is being accessed. Its .grad attribute won't be populated during autograd.backward(). If you indeed want the .grad field to be populated for a non-leaf Tensor, use .retain_grad() on the non-leaf Tensor. If you access the non-leaf Tensor by mistake, make sure you access the leaf Tensor instead. See github.com/pytorch/pytorch/pull/30531 for more information.",
            );
        }
        grad
    }

    /// Replaces the gradient; `None` clears it.
    ///
    /// # Errors
    /// Shape, dtype or device differ from the tensor's.
    ///
    /// ```
    /// # use firebrick_core::{Parameter, Tensor};
    /// let x = Parameter::new(Tensor::new([1.0f32, 2.0])?);
    /// x.set_grad(Some(&Tensor::new([0.5f32, 0.5])?))?;
    /// assert!(x.grad().is_some());
    /// assert!(x.set_grad(Some(&Tensor::new([0.5f32])?)).is_err());
    /// # Ok::<_, firebrick_core::Error>(())
    /// ```
    pub fn set_grad(&self, grad: Option<&Tensor>) -> Result<()> {
        if let Some(grad) = grad {
            self.check_grad(grad)?;
        }
        if grad.is_some() || self.meta().is_some() {
            let old = std::mem::replace(&mut self.meta_mut().lock().grad, grad.cloned());
            drop(old);
        }
        Ok(())
    }

    fn check_grad(&self, grad: &Tensor) -> Result<()> {
        const OP: &str = "set_grad";
        if grad.ptr_eq(self) {
            return Err(Error::runtime(OP, "can't assign Variable as its own grad"));
        }
        let (own, new) = (self.body(), grad.body());
        let refuse = |text: String| Err(Error::runtime(OP, text));
        if own.dtype != new.dtype {
            let name = |dtype: crate::DType| dtype.scalar_name().to_lowercase();
            return refuse(format!(
                "attempting to assign a gradient with dtype '{}' to a tensor with grad_dtype '{}'. The gradient must match the tensor's grad_dtype (defaults to the tensor's dtype). You can set the tensor's grad_dtype attribute with a specific dtype, or None to allow any dtype. Set grad_dtype with caution. Diverging the dtypes of a tensor and its gradient may break downstream systems that assume they match.",
                name(new.dtype),
                own.dtype.scalar_name()
            ));
        }
        if own.device() != new.device() {
            return refuse(format!(
                "attempting to assign a gradient with device type '{}' to a tensor with device type '{}'. Please ensure that the gradient and the tensor are on the same device",
                new.device(),
                own.device()
            ));
        }
        if own.shape != new.shape {
            return refuse(format!(
                "attempting to assign a gradient of size '{:?}' to a tensor of size '{:?}'. Please ensure that the gradient and the tensor are the same size",
                new.shape, own.shape
            ));
        }
        Ok(())
    }

    /// Name of the operation that made it, such as `AddBackward0`; `None` for a leaf.
    ///
    /// ```
    /// # use firebrick_core::{Parameter, Tensor};
    /// let x = Parameter::new(Tensor::new([1.0f32])?);
    /// assert_eq!((x.grad_fn(), x.mul(2)?.grad_fn()), (None, Some("MulBackward0")));
    /// # Ok::<_, firebrick_core::Error>(())
    /// ```
    pub fn grad_fn(&self) -> Option<&'static str> {
        self.grad_node().map(|(node, _)| node.name())
    }

    pub(crate) fn view_of(&self) -> Option<ViewOf> {
        self.meta()?.lock().view_of.as_deref().cloned()
    }

    /// Did a recorded operation make it, a view's regenerated history aside?
    pub(crate) fn has_node(&self) -> bool {
        self.meta().is_some_and(|meta| meta.lock().node.is_some())
    }

    /// Says where a view comes from, if this is one.
    pub(crate) fn set_view_origin(&self, origin: ViewOrigin) {
        let Some(meta) = self.meta() else { return };
        if let Some(view) = meta.lock().view_of.as_deref_mut() {
            view.origin = origin;
        }
    }

    /// Makes this tensor output `index` of `node`.
    pub(crate) fn set_node(&self, node: Arc<Node>, index: usize) {
        self.set_flag(REQUIRES_GRAD, true);
        let node = Some((node, index));
        if self.meta().is_some() {
            self.meta_mut().lock().node = node;
        } else if let Err(meta) = self.0.meta.set(Box::new(Mutex::new(Meta { node, ..Meta::default() }))) {
            // Another thread was faster.
            self.meta_mut().lock().node = meta.into_inner().node;
        }
    }
}
