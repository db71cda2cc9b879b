//! Tensors that cannot be differentiated.

use crate::autograd::gradient::Function;
use crate::autograd::node::{Edge, Grads, Node, OutputInfo};
use crate::autograd::records;
use crate::{Error, Result, Tensor};
use smallvec::{SmallVec, smallvec};
use std::sync::Arc;

/// The same elements with a history that leads to `inputs` by way of an error: PyTorch's `DelayedError`.
pub(crate) fn refusing_gradients(x: &Tensor, inputs: &[&Tensor], text: &'static str) -> Result<Tensor> {
    let out = x.detach();
    if !records(inputs.iter().copied()) {
        return Ok(out);
    }
    let edges: SmallVec<[Option<Edge>; 2]> = inputs.iter().map(|t| t.edge()).collect();
    let function = Function::new(move |node: &Arc<Node>, _: &[Option<Tensor>], _: &[bool]| -> Result<Grads> {
        Err(Error::runtime(node.name(), text))
    });
    out.set_node(Node::new("Error", edges, smallvec![OutputInfo::of(&out)], true, function), 0);
    Ok(out)
}
