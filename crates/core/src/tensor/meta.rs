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
        self.0.meta.get().map(|m| &**m)
    }

    pub(crate) fn meta_mut(&self) -> &Mutex<Meta> {
        self.0.meta.get_or_init(Box::default)
    }

    /// Do gradients flow to it or through it?
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

    /// Was it made by the user rather than by a recorded operation?
    pub fn is_leaf(&self) -> bool {
        !self.requires_grad() || self.grad_node().is_none()
    }

    /// The gradient that `backward` accumulated.
    pub fn grad(&self) -> Option<Tensor> {
        self.meta()?.lock().grad.clone()
    }

    /// Replaces the gradient; `None` clears it.
    ///
    /// # Errors
    /// Shape, dtype or device differ from the tensor's.
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
        if own.dtype != new.dtype {
            return Err(Error::runtime(
                OP,
                format!("assigned grad has data of a different type: expected {}, got {}", own.dtype, new.dtype),
            ));
        }
        if own.device() != new.device() {
            return Err(Error::runtime(
                OP,
                format!(
                    "assigned grad has data located on a different device: expected {}, got {}",
                    own.device(),
                    new.device()
                ),
            ));
        }
        if own.shape != new.shape {
            return Err(Error::runtime(OP, "assigned grad has data of a different size")
                .given(format!("{:?}", new.shape))
                .expected(format!("{:?}", own.shape)));
        }
        Ok(())
    }

    /// Name of the operation that made it, such as `AddBackward0`; `None` for a leaf.
    pub fn grad_fn(&self) -> Option<&'static str> {
        self.grad_node().map(|(node, _)| node.name())
    }

    pub(crate) fn view_of(&self) -> Option<ViewOf> {
        self.meta()?.lock().view_of.as_deref().cloned()
    }

    /// Makes this tensor output `index` of `node`.
    pub(crate) fn set_node(&self, node: Arc<Node>, index: usize) {
        self.set_flag(REQUIRES_GRAD, true);
        self.meta_mut().lock().node = Some((node, index));
    }
}
