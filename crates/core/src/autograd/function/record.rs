//! Recording by hand, with a closure for the gradient.

use super::apply::wrong_count;
use crate::autograd::gradient::Function;
use crate::autograd::node::{Edge, Grads, Node, OutputInfo, records};
use crate::tensor::ViewOrigin;
use crate::views::ViewOp;
use crate::{Result, Tensor};
use smallvec::SmallVec;
use std::sync::Arc;

/// Records `outputs` as the results of an operation on `inputs` whose gradient is `backward`: from the gradients
/// of the outputs (`None` where none arrived) to those of the inputs (`None` where there is none).
///
/// Each output becomes a new tensor over the same memory; one that is an input may not be changed in place. Where nothing is recorded the outputs come back as they
/// are. `name` is what `grad_fn` prints.
///
/// # Errors
/// In the backward pass, when `backward` fails or returns another number of gradients than there are inputs.
///
/// ```
/// # use firebrick_core::{Parameter, Tensor, autograd};
/// let x = Parameter::new(Tensor::new([2.0f32])?);
/// let cube = autograd::no_grad(|| x.pow(3))?;
/// let slope = autograd::no_grad(|| x.square()?.mul(3))?;
/// let backward = move |grads: &[Option<Tensor>]| {
///     Ok(vec![grads[0].as_ref().map(|grad| grad.mul(&slope)).transpose()?])
/// };
/// let cube = autograd::function::record("CubeBackward", &[&x], vec![cube], backward)?;
/// cube[0].backward()?;
/// assert_eq!(x.grad().map(|grad| grad.to_vec::<f32>()).transpose()?, Some(vec![12.0]));
/// # Ok::<_, firebrick_core::Error>(())
/// ```
pub fn record(
    name: &'static str,
    inputs: &[&Tensor],
    outputs: Vec<Tensor>,
    backward: impl Fn(&[Option<Tensor>]) -> Result<Vec<Option<Tensor>>> + Send + Sync + 'static,
) -> Result<Vec<Tensor>> {
    if !records(inputs.iter().copied()) {
        return Ok(outputs);
    }
    let outputs = outputs.iter().map(|output| returned(name, inputs, output)).collect::<Result<Vec<Tensor>>>()?;
    let edges: SmallVec<[Option<Edge>; 2]> = inputs.iter().map(|t| t.edge()).collect();
    let count = inputs.len();
    let function = move |_: &Arc<Node>, grads: &[Option<Tensor>], _: &[bool]| -> Result<Grads> {
        let grads = backward(grads)?;
        if grads.len() != count {
            return Err(wrong_count(name, count, grads.len()));
        }
        Ok(grads.into_iter().collect())
    };
    let infos = outputs.iter().map(OutputInfo::of).collect();
    let node = Node::new(name, edges, infos, false, Function::new(function));
    for (index, output) in outputs.iter().enumerate().filter(|(_, t)| t.is_differentiable()) {
        output.set_node(node.clone(), index);
    }
    Ok(outputs)
}

/// The tensor that becomes an output: an input that was returned as it is is a view of that input.
pub(super) fn returned(name: &'static str, inputs: &[&Tensor], output: &Tensor) -> Result<Tensor> {
    if !inputs.iter().any(|input| input.ptr_eq(output)) {
        return Ok(output.detach());
    }
    let origin = ViewOrigin::Returned(name.strip_suffix("Backward").unwrap_or(name));
    output.viewed_from("alias", name, ViewOp::Alias, origin)
}
