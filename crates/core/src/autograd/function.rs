//! Operations whose gradient the caller writes.

use super::node::{Edge, Grads, Node, OutputInfo, records};
use crate::{Error, Result, Tensor};
use smallvec::SmallVec;
use std::sync::Arc;

/// Records `outputs` as the results of an operation on `inputs` whose gradient is `backward`: from the gradients
/// of the outputs (`None` where none arrived) to those of the inputs (`None` where there is none).
///
/// Each output becomes a new tensor over the same memory. Where nothing is recorded the outputs come back as they
/// are. `name` is what `grad_fn` prints.
///
/// # Errors
/// In the backward pass, when `backward` fails or returns another number of gradients than there are inputs.
pub fn record(
    name: &'static str,
    inputs: &[&Tensor],
    outputs: Vec<Tensor>,
    backward: impl Fn(&[Option<Tensor>]) -> Result<Vec<Option<Tensor>>> + Send + Sync + 'static,
) -> Result<Vec<Tensor>> {
    if !records(inputs.iter().copied()) {
        return Ok(outputs);
    }
    let outputs: Vec<Tensor> = outputs.iter().map(Tensor::detach).collect();
    let edges: SmallVec<[Option<Edge>; 2]> = inputs.iter().map(|t| t.edge()).collect();
    let count = inputs.len();
    let function = move |_: &Arc<Node>, grads: &[Option<Tensor>], _: &[bool]| -> Result<Grads> {
        let grads = backward(grads)?;
        if grads.len() != count {
            return Err(Error::runtime(
                name,
                format!("returned an incorrect number of gradients (expected {count}, got {})", grads.len()),
            ));
        }
        Ok(grads.into_iter().collect())
    };
    let infos = outputs.iter().map(OutputInfo::of).collect();
    let node = Node::new(name, edges, infos, false, Arc::new(function));
    for (index, output) in outputs.iter().enumerate().filter(|(_, t)| t.is_floating_point()) {
        output.set_node(node.clone(), index);
    }
    Ok(outputs)
}
