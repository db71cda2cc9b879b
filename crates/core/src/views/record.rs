//! One mechanism for every view: sharing memory, relation to the base, history, and its adjoint.

use super::op::ViewOp;
use super::strided::{Geometry, relaid};
use crate::autograd::{self, Edge, Function, Node, OutputInfo};
use crate::tensor::{Body, ViewOf, ViewOrigin};
use crate::{Dims, Error, Result, Tensor};
use smallvec::{SmallVec, smallvec};
use std::sync::Arc;

impl Tensor {
    /// A view of this tensor. `name` is what `grad_fn` prints.
    pub(crate) fn viewed(&self, op: &'static str, name: &'static str, view: ViewOp) -> Result<Tensor> {
        self.viewed_from(op, name, view, ViewOrigin::Recorded)
    }

    /// [`Tensor::viewed`], for a view that may not be written in place.
    pub(crate) fn viewed_from(
        &self,
        op: &'static str,
        name: &'static str,
        view: ViewOp,
        origin: ViewOrigin,
    ) -> Result<Tensor> {
        let input = self.resolve(op)?;
        let body = input.body();
        let out = input.related(op, &body, &view, origin)?;
        if autograd::records([&input]) {
            out.set_node(view_node(name, input.edge(), &out, smallvec![(view, Geometry::of(&body))]), 0);
        }
        Ok(out)
    }

    /// Several views that one operation makes. `join` puts their gradients together to that of this tensor.
    pub(crate) fn viewed_many(
        &self,
        op: &'static str,
        name: &'static str,
        views: Vec<ViewOp>,
        join: impl Fn(&[Tensor]) -> Result<Tensor> + Send + Sync + 'static,
    ) -> Result<Vec<Tensor>> {
        let input = self.resolve(op)?;
        let body = input.body();
        let one = |(i, view): (usize, &ViewOp)| input.related(op, &body, view, ViewOrigin::OneOfMany(i));
        let outs = views.iter().enumerate().map(one).collect::<Result<Vec<_>>>()?;
        if autograd::records([&input]) && !outs.is_empty() {
            let function = Function::new(move |node: &Arc<Node>, grads: &[Option<Tensor>], _: &[bool]| {
                let grad = |(grad, info): (&Option<Tensor>, &OutputInfo)| match grad {
                    Some(grad) => Ok(grad.clone()),
                    None => Ok(Tensor::from_body(Body::zeros(info.shape.clone(), info.dtype, info.device)?)),
                };
                let grads = grads.iter().zip(node.outputs()).map(grad).collect::<Result<Vec<_>>>()?;
                Ok(smallvec![Some(join(&grads)?)])
            });
            let infos = outs.iter().map(OutputInfo::of).collect();
            let node = Node::new(name, smallvec![input.edge()], infos, true, function);
            for (i, out) in outs.iter().enumerate() {
                out.set_node(node.clone(), i);
            }
        }
        Ok(outs)
    }

    /// The view, related to its base but without history. `self` is resolved, `body` its body.
    fn related(&self, op: &'static str, body: &Body, view: &ViewOp, origin: ViewOrigin) -> Result<Tensor> {
        let out = Tensor::from_body(view.apply(op, body)?);
        out.set_inference(self.is_inference());
        if self.is_inference() {
            return Ok(out);
        }
        let (base, mut ops, inherited) = match self.view_of() {
            Some(of) => (of.base, of.ops, of.origin),
            None => (self.clone(), SmallVec::new(), ViewOrigin::Recorded),
        };
        ops.push(view.clone());
        let origin = match inherited {
            _ if autograd::is_inference_mode_enabled() => ViewOrigin::Inference,
            _ if !autograd::is_grad_enabled() => ViewOrigin::NoGrad,
            ViewOrigin::Recorded => origin,
            ViewOrigin::OneOfMany(_) => ViewOrigin::OneOfMany(0),
            inherited => inherited,
        };
        if origin != ViewOrigin::Recorded {
            out.set_ambiguous();
        }
        let version = body.storage.version();
        out.meta_mut().lock().view_of = Some(Box::new(ViewOf { base, ops, version, origin }));
        Ok(out)
    }
}

/// A node whose backward is the adjoint of `steps`: each view with where its input lay.
fn view_node(
    name: &'static str,
    edge: Option<Edge>,
    out: &Tensor,
    steps: SmallVec<[(ViewOp, Geometry); 1]>,
) -> Arc<Node> {
    let function = move |_: &Arc<Node>, grads: &[Option<Tensor>], needs: &[bool]| {
        let (Some(grad), true) = (&grads[0], needs[0]) else { return Ok(smallvec![None]) };
        let grad = steps.iter().rev().try_fold(grad.clone(), |g, (view, input)| adjoint(&g, view, input))?;
        Ok(smallvec![Some(grad)])
    };
    Node::new(name, smallvec![edge], smallvec![OutputInfo::of(out)], true, Function::new(function))
}

/// The gradient of a view's input from that of the view.
fn adjoint(grad: &Tensor, view: &ViewOp, input: &Geometry) -> Result<Tensor> {
    match view {
        ViewOp::Alias => Ok(grad.clone()),
        ViewOp::AsReal => grad.contiguous()?.view_as_complex(),
        ViewOp::AsComplex => grad.view_as_real(),
        ViewOp::View(_) | ViewOp::Squeeze(_) | ViewOp::Unsqueeze { .. } => grad.reshape(&input.shape),
        ViewOp::Permute(order) => {
            let mut inverse = Dims::repeat(0, order.len());
            for (to, &from) in order.iter().enumerate() {
                inverse[from] = to;
            }
            grad.viewed("permute", "PermuteBackward0", ViewOp::Permute(inverse))
        }
        ViewOp::Expand(_) => grad.sum_to_size(&input.shape),
        ViewOp::AsStrided { shape, strides, offset } => {
            let from = Geometry { shape: shape.clone(), strides: strides.clone(), offset: *offset };
            relaid(grad, &from, input, input)
        }
        ViewOp::Select { .. } | ViewOp::Slice { .. } | ViewOp::Unfold { .. } | ViewOp::Diagonal { .. } => {
            grad.scatter_view(view, &input.shape)
        }
    }
}

impl Tensor {
    /// Zeros of `shape` with this tensor added at the places that `view` shows: the adjoint of the view, itself
    /// differentiable.
    pub(crate) fn scatter_view(&self, view: &ViewOp, shape: &Dims) -> Result<Tensor> {
        const NAME: &str = "ScatterViewBackward0";
        let body = self.body();
        let whole = Body::zeros(shape.clone(), body.dtype, body.device())?;
        let place = view.apply("view", &whole)?;
        let backend = crate::backend::of(body.device())?;
        match view {
            ViewOp::Unfold { .. } => backend.add_overlapping(&body.reals(), &place.reals())?,
            _ => backend.copy(&body, &place)?,
        }
        let out = Tensor::from_body(whole);
        if autograd::records([self]) {
            let view = view.clone();
            let function = move |_: &Arc<Node>, grads: &[Option<Tensor>], _: &[bool]| {
                Ok(smallvec![grads[0].as_ref().map(|g| g.viewed("view", NAME, view.clone())).transpose()?])
            };
            let node =
                Node::new(NAME, smallvec![self.edge()], smallvec![OutputInfo::of(&out)], true, Function::new(function));
            out.set_node(node, 0);
        }
        Ok(out)
    }
}

impl ViewOf {
    /// The node of a view whose base was changed in place since the view's own node was made.
    pub(crate) fn regenerate(&self, out: &Tensor) -> Result<Arc<Node>> {
        let mut steps = SmallVec::new();
        let mut body = self.base.body();
        for op in &self.ops {
            let next = op.apply("view", &body)?;
            steps.push((op.clone(), Geometry::of(&body)));
            body = next;
        }
        Ok(view_node("AsStridedBackward0", self.base.edge(), out, steps))
    }

    /// A copy of `grad`, which has the base's shape, and the part of it that this view shows.
    pub(crate) fn replay(&self, grad: &Tensor) -> Result<(Tensor, Tensor)> {
        let whole = match self.ops.iter().any(|op| matches!(op, ViewOp::AsStrided { .. })) {
            false => grad.contiguous_copy()?,
            true => {
                // `as_strided` counts from the start of the storage: the copy lies in one like the base's.
                let (base, dtype) = (self.base.body(), grad.dtype());
                let storage = Dims::from([base.storage.bytes() / base.dtype.size()]);
                let storage = Body::zeros(storage, dtype, grad.device())?;
                let whole = Tensor::from_body(storage.view(base.shape.clone(), base.strides.clone(), base.offset));
                whole.copy_(grad)?;
                whole
            }
        };
        let part =
            self.ops.iter().try_fold(whole.clone(), |t, op| t.viewed("view", "AsStridedBackward0", op.clone()))?;
        Ok((whole, part))
    }
}

/// Name of the operation that a node records, as PyTorch's texts have it: `Split` for `SplitBackward0`.
fn recorded_as(view: &Tensor) -> Option<&'static str> {
    let (node, _) = view.meta()?.lock().node.clone()?;
    Some(node.op_name())
}

/// PyTorch's refusal to write a view in place, where it has one.
pub(crate) fn refuse_in_place(op: &'static str, target: &Tensor, view: &ViewOf) -> Result<()> {
    refuse(op, target, view, "is being")
}

/// PyTorch's refusal to go on with a view taken without recording, once its base was changed while recording.
pub(crate) fn refuse_stale(op: &'static str, target: &Tensor) -> Result<()> {
    match target.view_of() {
        Some(view) if view.base.requires_grad() && target.with_body(|b| b.storage.version()) != view.version => {
            refuse(op, target, &view, "its base or another view of its base has been")
        }
        _ => Ok(()),
    }
}

fn refuse(op: &'static str, target: &Tensor, view: &ViewOf, changed: &str) -> Result<()> {
    let (mode, normal, context) = match view.origin {
        ViewOrigin::Recorded => return Ok(()),
        ViewOrigin::Inference => ("inference", "in normal mode", "inference_mode"),
        _ => ("no_grad", "with grad mode enabled", "no_grad"),
    };
    let maker = match view.origin {
        ViewOrigin::Returned(name) => Some(name),
        _ => recorded_as(target),
    };
    let head = match (view.origin, maker) {
        (ViewOrigin::Returned(_), Some(maker)) => {
            format!("Output 0 of {maker} is a view and {changed} modified inplace.")
        }
        (ViewOrigin::OneOfMany(index), Some(maker)) => {
            format!("Output {index} of {maker} is a view and {changed} modified inplace.")
        }
        (_, Some(maker)) => format!(
            "Output 0 of {maker} is a view of a view which was created in {mode} mode and {changed} modified inplace {normal}."
        ),
        (_, None) => format!("A view was created in {mode} mode and {changed} modified inplace {normal}."),
    };
    let tail = match view.origin {
        ViewOrigin::OneOfMany(_) => {
            "This view is the output of a function that returns multiple views. Such functions do not allow the output views to be modified inplace. You should replace the inplace operation by an out-of-place one.".to_string()
        }
        ViewOrigin::Returned(_) => {
            "This view was created inside a custom Function (or because an input was returned as-is) and the autograd logic to handle view+inplace would override the custom backward associated with the custom Function, leading to incorrect gradients. This behavior is forbidden. You can fix this by cloning the output of the custom Function.".to_string()
        }
        _ => format!(
            "Given that this use case is ambiguous and error-prone, it is forbidden. You can clarify your code by moving both the view and the inplace either both inside the {context} block (if you don't want the inplace to be tracked) or both outside (if you want the inplace to be tracked)."
        ),
    };
    Err(Error::runtime(op, format!("{head} {tail}")))
}
