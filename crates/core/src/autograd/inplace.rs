//! In-place operations on tensors that record: what is refused, and how history is rewritten.

use super::gradient::Function;
use super::node::{Edge, Node, OutputInfo};
use super::{Grads, is_inference_mode_enabled, is_recording, records};
use crate::tensor::ViewOf;
use crate::views::refuse_in_place;
use crate::{Error, Result, Tensor};
use smallvec::{SmallVec, smallvec};
use std::sync::Arc;

impl Tensor {
    /// The node that made this tensor and which of its outputs it is; for a view of a tensor that was changed in
    /// place since, a new one.
    pub(crate) fn grad_node(&self) -> Option<(Arc<Node>, usize)> {
        let meta = self.meta()?;
        let (node, view) = {
            let meta = meta.lock();
            (meta.node.clone(), meta.view_of.clone())
        };
        let Some(view) = view else { return node };
        let version = self.with_body(|b| b.storage.version());
        if version == view.version || !view.base.requires_grad() {
            return node;
        }
        let fresh = (view.regenerate(self).ok()?, 0);
        let mut meta = meta.lock();
        let stale = meta.node.replace(fresh.clone());
        if let Some(view) = &mut meta.view_of {
            view.version = version;
        }
        drop(meta);
        drop(stale);
        Some(fresh)
    }
}

/// Checks that `target` may be changed in place by an operation that also reads `others`.
pub(crate) fn check(op: &'static str, target: &Tensor, others: &[&Tensor]) -> Result<()> {
    if target.is_inference() && !is_inference_mode_enabled() {
        return Err(Error::runtime(
            op,
            "Inplace update to inference tensor outside InferenceMode is not allowed.You can make a clone to get a normal tensor before doing inplace update.See https://github.com/pytorch/rfcs/pull/17 for more details.",
        ));
    }
    if target.with_body(crate::tensor::Body::has_internal_overlap) {
        return Err(Error::runtime(
            op,
            "unsupported operation: more than one element of the written-to tensor refers to a single memory location. Please clone() the tensor before performing the operation.",
        ));
    }
    if !is_recording() {
        return Ok(());
    }
    if let Some(view) = target.view_of() {
        if target.requires_grad() || others.iter().any(|t| t.requires_grad()) {
            refuse_in_place(op, target, &view)?;
        }
        if target.requires_grad() && view.base.is_leaf() {
            return Err(Error::runtime(
                op,
                "a view of a leaf Variable that requires grad is being used in an in-place operation.",
            ));
        }
    }
    if target.requires_grad() && target.is_leaf() {
        return Err(Error::runtime(op, "a leaf Variable that requires grad is being used in an in-place operation.")
            .remedy("change it inside no_grad, or work on a clone"));
    }
    Ok(())
}

/// Notes that every element of `target` was just replaced by something that does not depend on it.
pub(crate) fn overwritten(target: &Tensor, name: &'static str) {
    target.changed();
    if records([target]) {
        let function = Function::new(|_: &Arc<Node>, grads: &[Option<Tensor>], _: &[bool]| {
            Ok(smallvec![grads[0].as_ref().map(Tensor::zeros_like).transpose()?])
        });
        rebase(target, name, smallvec![target.edge()], true, function);
    }
}

/// Makes `target`, just changed in place, the result of a new operation with these edges; `edges[0]` is that of
/// the target's former value.
pub(crate) fn rebase(
    target: &Tensor,
    name: &'static str,
    edges: SmallVec<[Option<Edge>; 2]>,
    keeps_nothing: bool,
    function: Function,
) -> Arc<Node> {
    match target.view_of() {
        None => {
            let node = Node::new(name, edges, smallvec![OutputInfo::of(target)], keeps_nothing, function);
            replaced(target, node.clone(), 0);
            node
        }
        Some(view) => rebase_base(target, &view, name, edges, keeps_nothing, function),
    }
}

/// A view changed: its base's history gets a `CopySlices` node, which runs `function` on the view's part.
fn rebase_base(
    target: &Tensor,
    view: &ViewOf,
    name: &'static str,
    mut edges: SmallVec<[Option<Edge>; 2]>,
    keeps_nothing: bool,
    function: Function,
) -> Arc<Node> {
    // Saved results name the node that made the view's new value; it stands inside CopySlices.
    let inner_edges = edges.clone();
    let inner = Node::new(name, inner_edges, smallvec![OutputInfo::of(target)], keeps_nothing, function.clone());
    edges[0] = view.base.edge();
    let (replay, part) = (view.clone(), inner.clone());
    let copy_slices = move |_: &Arc<Node>, grads: &[Option<Tensor>], needs: &[bool]| -> Result<Grads> {
        let Some(grad) = &grads[0] else { return Ok(SmallVec::from_elem(None, needs.len())) };
        let (whole, slice) = replay.replay(grad)?;
        let mut needs: SmallVec<[bool; 4]> = SmallVec::from_slice(needs);
        let wants_base = std::mem::replace(&mut needs[0], true);
        let mut inner = function.run(&part, &[Some(slice.copy()?)], &needs)?;
        match inner[0].take() {
            Some(part) => slice.copy_(&part.sum_to_size(slice.shape())?)?,
            None => slice.zero_()?,
        };
        inner[0] = wants_base.then_some(whole);
        Ok(inner)
    };
    let node = Node::new(
        "CopySlices",
        edges,
        smallvec![OutputInfo::of(&view.base)],
        keeps_nothing,
        Function::new(copy_slices),
    );
    replaced(&view.base, node, 0);
    target.set_flag_requires_grad();
    inner
}

/// Makes `target`, just changed in place, output `index` of `node`. Where it keeps its gradient it keeps that of its new
/// value.
pub(crate) fn replaced(target: &Tensor, node: Arc<Node>, index: usize) {
    move_retained(target, &node, index);
    target.set_node(node, index);
}

fn move_retained(target: &Tensor, node: &Arc<Node>, index: usize) {
    let Some(meta) = target.meta() else { return };
    let old = {
        let meta = meta.lock();
        if !meta.retain_grad {
            return;
        }
        meta.node.clone()
    };
    if let Some((old, was)) = old {
        old.with_output_hooks(was, |hooks| hooks.retain = None);
    }
    node.with_output_hooks(index, |hooks| hooks.retain = Some(Arc::downgrade(&target.0)));
}
