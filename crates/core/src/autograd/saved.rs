//! Tensors remembered for the backward pass.

use super::node::Node;
use super::saved_hooks::{self, Packed};
use crate::tensor::Body;
use crate::{Error, Result, Tensor};
use std::sync::Arc;

/// An input kept as it was: the body it had, with the version its storage had, beside the handle for its edge.
///
/// A change in place, or `set_data`, between forward and backward is an error rather than a wrong gradient.
/// PyTorch notices the first only. Where [`saved_tensors_hooks`](super::saved_tensors_hooks) are in force, what they made
/// of it is kept in its place.
pub(crate) enum Saved {
    Kept(Kept),
    Packed(Box<Packed>),
}

/// A tensor that is kept itself.
pub(crate) struct Kept {
    tensor: Tensor,
    seen: Body,
    version: u32,
    /// `Some` for a result: it is kept without its node, which would otherwise own itself.
    output: Option<usize>,
}

impl Saved {
    #[inline]
    pub fn input(tensor: &Tensor) -> Result<Self> {
        refuse_inference(tensor)?;
        if saved_hooks::any() {
            return Packed::input(tensor).map(|packed| Saved::Packed(Box::new(packed)));
        }
        let seen = tensor.body();
        Ok(Saved::Kept(Kept { tensor: tensor.clone(), version: seen.storage.version(), seen, output: None }))
    }

    /// Output `index` of the node being made.
    pub fn output(tensor: &Tensor, index: usize) -> Result<Self> {
        if saved_hooks::any() {
            return Packed::output(tensor, index).map(|packed| Saved::Packed(Box::new(packed)));
        }
        let seen = tensor.body();
        let tensor = Tensor::from_body(seen.clone());
        Ok(Saved::Kept(Kept { tensor, version: seen.storage.version(), seen, output: Some(index) }))
    }

    /// The tensor, after checking that it still has the values it had.
    pub fn unpack(&self, node: &Arc<Node>) -> Result<Tensor> {
        match self {
            Saved::Kept(kept) => kept.unpack(node),
            Saved::Packed(packed) => packed.unpack(node),
        }
    }
}

impl Kept {
    fn unpack(&self, node: &Arc<Node>) -> Result<Tensor> {
        let now = self.seen.storage.version();
        if now != self.version {
            return Err(self.changed(node, now));
        }
        if let Some(index) = self.output {
            let tensor = Tensor::from_body(self.seen.clone());
            if self.seen.dtype.is_differentiable() && super::is_grad_enabled() {
                tensor.set_node(node.clone(), index);
            }
            return Ok(tensor);
        }
        if !self.tensor.with_body(|b| b.same_elements(&self.seen)) {
            return Err(Error::runtime(
                node.name(),
                "one of the variables needed for gradient computation was given other data by set_data between forward and backward",
            )
            .given(format!("{:?}", self.tensor.shape()))
            .remedy("call set_data (or load, or move the module) before the forward pass or after backward"));
        }
        Ok(self.tensor.clone())
    }

    #[cold]
    fn changed(&self, node: &Node, now: u32) -> Error {
        let origin = match self.output {
            Some(index) => format!("which is output {index} of {}, ", node.op_name()),
            None => match self.tensor.grad_node() {
                Some((maker, index)) => format!("which is output {index} of {}, ", maker.op_name()),
                None => String::new(),
            },
        };
        let device = match self.seen.device() {
            crate::Device::Cpu => "torch",
            crate::Device::Meta => "torch.meta",
            crate::Device::Mock(_) => "torch.mock",
        };
        let error = Error::runtime(
            node.name(),
            format!(
                "one of the variables needed for gradient computation has been modified by an inplace operation: [{device}.{}Tensor {:?}], {origin}is at version {now}; expected version {} instead. Hint: enable anomaly detection to find the operation that failed to compute its gradient, with torch.autograd.set_detect_anomaly(True, check_nan=False).",
                self.seen.dtype.scalar_name(),
                self.seen.shape,
                self.version
            ),
        );
        let changed = self.seen.storage.changed_at();
        match node.line().zip(changed) {
            Some((saved, changed)) => {
                error.given(format!("saved at {saved} by {}, changed at {changed}", node.op_name()))
            }
            None => error.remedy("note the lines with autograd::SourceLines::note() to see where"),
        }
    }
}

fn refuse_inference(tensor: &Tensor) -> Result<()> {
    if !tensor.is_inference() {
        return Ok(());
    }
    Err(Error::runtime(
        "save for backward",
        "Inference tensors cannot be saved for backward. Please do not use Tensors created in inference mode in computation tracked by autograd. To work around this, you can make a clone to get a normal tensor and use it in autograd, or use `torch.no_grad()` instead of `torch.inference_mode()`.",
    ))
}
