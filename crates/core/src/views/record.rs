//! One mechanism for every view: sharing memory, relation to the base, history, and its adjoint.

use super::op::ViewOp;
use crate::autograd::{self, Edge, Node, OutputInfo};
use crate::tensor::{Body, ViewOf, ViewOrigin};
use crate::{Dims, Error, Result, Tensor};
use smallvec::{SmallVec, smallvec};
use std::sync::Arc;

impl Tensor {
    /// A view of this tensor. `name` is what `grad_fn` prints.
    pub(crate) fn viewed(&self, op: &'static str, name: &'static str, view: ViewOp) -> Result<Tensor> {
        self.viewed_from(op, name, view, ViewOrigin::Recorded)
    }

    /// [`Tensor::viewed`], for one of several views that one operation makes.
    pub(crate) fn viewed_from(
        &self,
        op: &'static str,
        name: &'static str,
        view: ViewOp,
        origin: ViewOrigin,
    ) -> Result<Tensor> {
        let input = self.resolve(op)?;
        let body = input.body();
        let out = Tensor::from_body(view.apply(op, &body)?);
        if input.is_inference() != out.is_inference() {
            out.set_inference(input.is_inference());
        }
        if input.is_inference() {
            return Ok(out);
        }
        let (base, mut ops, inherited) = match input.view_of() {
            Some(of) => (of.base, of.ops, of.origin),
            None => (input.clone(), SmallVec::new(), ViewOrigin::Recorded),
        };
        ops.push(view.clone());
        let origin = match (autograd::is_grad_enabled(), inherited) {
            (false, _) => ViewOrigin::NoGrad,
            (true, ViewOrigin::Recorded) => origin,
            (true, inherited) => inherited,
        };
        let version = body.storage.version();
        out.meta_mut().lock().view_of = Some(ViewOf { base, ops, version, origin });
        if autograd::records([&input]) {
            let edge = input.edge();
            out.set_node(view_node(name, edge, &out, smallvec![(view, body.shape)]), 0);
        }
        Ok(out)
    }
}

/// A node whose backward is the adjoint of `steps`: each view with the shape it was applied to.
fn view_node(name: &'static str, edge: Option<Edge>, out: &Tensor, steps: SmallVec<[(ViewOp, Dims); 1]>) -> Arc<Node> {
    let function = move |_: &Arc<Node>, grads: &[Option<Tensor>], needs: &[bool]| {
        let (Some(grad), true) = (&grads[0], needs[0]) else { return Ok(smallvec![None]) };
        let grad = steps.iter().rev().try_fold(grad.clone(), |g, (view, shape)| adjoint(&g, view, shape))?;
        Ok(smallvec![Some(grad)])
    };
    Node::new(name, smallvec![edge], smallvec![OutputInfo::of(out)], true, Arc::new(function))
}

/// The gradient of a view's input from that of the view.
pub(crate) fn adjoint(grad: &Tensor, view: &ViewOp, shape: &Dims) -> Result<Tensor> {
    match view {
        ViewOp::Alias => Ok(grad.clone()),
        ViewOp::View(_) | ViewOp::Squeeze(_) | ViewOp::Unsqueeze { .. } => grad.reshape(shape),
        ViewOp::Permute(order) => {
            let mut inverse = Dims::repeat(0, order.len());
            for (to, &from) in order.iter().enumerate() {
                inverse[from] = to;
            }
            grad.viewed("permute", "PermuteBackward0", ViewOp::Permute(inverse))
        }
        ViewOp::Expand(_) => grad.sum_to_size(shape),
        ViewOp::Select { .. }
        | ViewOp::Slice { .. }
        | ViewOp::Unfold { .. }
        | ViewOp::Diagonal { .. }
        | ViewOp::AsStrided { .. } => grad.scatter_view(view, shape),
    }
}

impl Tensor {
    /// Zeros of `shape` with this tensor added at the places that `view` shows: the adjoint of the view, itself
    /// differentiable.
    pub(crate) fn scatter_view(&self, view: &ViewOp, shape: &Dims) -> Result<Tensor> {
        const NAME: &str = "ScatterViewBackward0";
        let body = self.body();
        let out = scatter_body(&body, view, shape)?;
        let out = Tensor::from_body(out);
        if autograd::records([self]) {
            let view = view.clone();
            let function = move |_: &Arc<Node>, grads: &[Option<Tensor>], _: &[bool]| {
                let Some(grad) = &grads[0] else { return Ok(smallvec![None]) };
                // The view's offsets count from the start of a contiguous tensor.
                let grad = grad.contiguous()?;
                Ok(smallvec![Some(grad.viewed("view", NAME, rebased(&view, &grad))?)])
            };
            let node =
                Node::new(NAME, smallvec![self.edge()], smallvec![OutputInfo::of(&out)], true, Arc::new(function));
            out.set_node(node, 0);
        }
        Ok(out)
    }
}

/// `as_strided` counts from the start of the storage; a gradient may start elsewhere in its own.
fn rebased(view: &ViewOp, on: &Tensor) -> ViewOp {
    match view {
        ViewOp::AsStrided { shape, strides, offset } => {
            ViewOp::AsStrided { shape: shape.clone(), strides: strides.clone(), offset: offset + on.storage_offset() }
        }
        other => other.clone(),
    }
}

fn scatter_body(grad: &Body, view: &ViewOp, shape: &Dims) -> Result<Body> {
    let (mut size, mut needed) = (shape.numel(), 0);
    if let ViewOp::AsStrided { shape: s, strides, offset } = view {
        let last: usize = s.iter().zip(strides).map(|(&n, &t)| n.saturating_sub(1) * t).sum();
        needed = offset + last + 1;
        size = size.max(needed);
    }
    let flat = Body::zeros(Dims::from([size]), grad.dtype, grad.device())?;
    let whole = flat.view(shape.clone(), shape.contiguous_strides(), 0);
    let place = view.apply("view", &whole)?;
    let backend = crate::backend::of(grad.device())?;
    if view.may_overlap() {
        backend.add_overlapping(grad, &place)?;
    } else {
        backend.copy(grad, &place)?;
    }
    debug_assert!(needed <= size, "the scratch covers the view");
    Ok(whole)
}

impl ViewOf {
    /// The node of a view whose base was changed in place since the view's own node was made.
    pub(crate) fn regenerate(&self, out: &Tensor) -> Result<Arc<Node>> {
        let mut steps = SmallVec::new();
        let mut body = self.base.body();
        for op in &self.ops {
            let next = op.apply("view", &body)?;
            steps.push((op.clone(), body.shape));
            body = next;
        }
        Ok(view_node("AsStridedBackward0", self.base.edge(), out, steps))
    }

    /// The same view of another tensor of the base's shape.
    pub(crate) fn replay(&self, on: &Tensor) -> Result<Tensor> {
        self.ops.iter().try_fold(on.clone(), |t, op| t.viewed("view", "AsStridedBackward0", rebased(op, &t)))
    }
}

/// PyTorch's refusal to write a view in place, where it has one.
pub(crate) fn refuse_in_place(op: &'static str, view: &ViewOf) -> Result<()> {
    match view.origin {
        ViewOrigin::Recorded => Ok(()),
        ViewOrigin::NoGrad => Err(Error::runtime(
            op,
            "A view was created in no_grad mode and is being modified inplace with grad mode enabled. Given that this use case is ambiguous and error-prone, it is forbidden. You can clarify your code by moving both the view and the inplace either both inside the no_grad block (if you don't want the inplace to be tracked) or both outside (if you want the inplace to be tracked).",
        )),
        ViewOrigin::OneOfMany(name) => Err(Error::runtime(
            op,
            format!(
                "Output 0 of {name} is a view and is being modified inplace. This view is the output of a function that returns multiple views. Such functions do not allow the output views to be modified inplace. You should replace the inplace operation by an out-of-place one."
            ),
        )),
        ViewOrigin::Returned(name) => Err(Error::runtime(
            op,
            format!(
                "Output 0 of {name} is a view and is being modified inplace. This view was created inside a custom Function (or because an input was returned as-is) and the autograd logic to handle view+inplace would override the custom backward associated with the custom Function, leading to incorrect gradients. This behavior is forbidden. You can fix this by cloning the output of the custom Function."
            ),
        )),
    }
}
