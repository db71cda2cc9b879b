//! What the two directions of a custom operation know and say.

use crate::autograd::node::{Node, OutputInfo};
use crate::autograd::saved::Saved;
use crate::tensor::Body;
use crate::{Error, Result, Tensor};
use smallvec::SmallVec;
use std::sync::Arc;

/// What [`Function::forward`](super::Function::forward) knows, and tells about its results.
pub struct ForwardContext {
    needs_input_grad: SmallVec<[bool; 4]>,
    pub(super) to_save: Vec<Tensor>,
    pub(super) dirty: Vec<Tensor>,
    pub(super) non_differentiable: Vec<Tensor>,
    pub(super) materialize: bool,
}

fn owned(tensors: &[&Tensor]) -> Vec<Tensor> {
    tensors.iter().map(|&t| t.clone()).collect()
}

impl ForwardContext {
    pub(super) fn new(needs_input_grad: SmallVec<[bool; 4]>) -> Self {
        let (to_save, dirty, non_differentiable) = (Vec::new(), Vec::new(), Vec::new());
        ForwardContext { needs_input_grad, to_save, dirty, non_differentiable, materialize: true }
    }

    /// Keeps tensors for the backward pass: inputs, results, or others, which count as constants there. A later call
    /// replaces what an earlier one kept.
    pub fn save_for_backward(&mut self, tensors: &[&Tensor]) {
        self.to_save = owned(tensors);
    }

    /// Says which inputs were changed in place. They must be among the results.
    pub fn mark_dirty(&mut self, tensors: &[&Tensor]) {
        self.dirty = owned(tensors);
    }

    /// Says which results have no gradient. Those of integers never have one.
    pub fn mark_non_differentiable(&mut self, tensors: &[&Tensor]) {
        self.non_differentiable = owned(tensors);
    }

    /// Are gradients that did not arrive given to `backward` as zeros? They are unless this turns it off.
    pub fn set_materialize_grads(&mut self, on: bool) {
        self.materialize = on;
    }

    /// Which inputs require grad.
    pub fn needs_input_grad(&self) -> &[bool] {
        &self.needs_input_grad
    }

    pub(super) fn is_dirty(&self, tensor: &Tensor) -> bool {
        self.dirty.iter().any(|t| t.ptr_eq(tensor))
    }
}

/// What [`Function::backward`](super::Function::backward) knows.
pub struct BackwardContext<'a> {
    pub(super) node: &'a Arc<Node>,
    pub(super) saved: &'a [Saved],
    pub(super) needs_input_grad: &'a [bool],
}

impl BackwardContext<'_> {
    /// The tensors that `forward` saved, in its order.
    ///
    /// # Errors
    /// One was changed in place since.
    pub fn saved_tensors(&self) -> Result<Vec<Tensor>> {
        self.saved.iter().map(|saved| saved.unpack(self.node)).collect()
    }

    /// Which inputs required grad.
    pub fn needs_input_grad(&self) -> &[bool] {
        self.needs_input_grad
    }
}

/// The gradients of the outputs, one for each.
pub struct OutputGrads {
    name: &'static str,
    grads: SmallVec<[Option<Tensor>; 2]>,
}

impl OutputGrads {
    pub(super) fn new(
        name: &'static str,
        arrived: &[Option<Tensor>],
        outputs: &[OutputInfo],
        materialize: bool,
    ) -> Result<Self> {
        let grad = |(grad, info): (&Option<Tensor>, &OutputInfo)| match grad {
            None if materialize => {
                let zeros = Body::zeros(info.shape.clone(), info.dtype, info.device)?;
                Ok(Some(Tensor::from_body(zeros)))
            }
            grad => Ok(grad.clone()),
        };
        Ok(OutputGrads { name, grads: arrived.iter().zip(outputs).map(grad).collect::<Result<_>>()? })
    }

    /// How many outputs there are.
    #[allow(clippy::len_without_is_empty, reason = "an operation has outputs")]
    pub fn len(&self) -> usize {
        self.grads.len()
    }

    /// The gradient of one output.
    ///
    /// # Errors
    /// There is no such output; no gradient arrived and [`ForwardContext::set_materialize_grads`] is off.
    pub fn get(&self, output: usize) -> Result<&Tensor> {
        self.maybe(output).ok_or_else(|| {
            Error::runtime(self.name, format!("there is no gradient of output {output}"))
                .given(format!("{} outputs", self.grads.len()))
                .remedy("ask `maybe` where gradients are not materialized")
        })
    }

    /// The gradient of one output; `None` where none arrived.
    pub fn maybe(&self, output: usize) -> Option<&Tensor> {
        self.grads.get(output)?.as_ref()
    }

    pub(super) fn any_requires_grad(&self) -> bool {
        self.grads.iter().flatten().any(Tensor::requires_grad)
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &Tensor> {
        self.grads.iter().flatten()
    }
}
