//! One number everywhere, in place.

use super::Tensor;
use crate::autograd::{Edge, Function, Node, inplace, records};
use crate::{Result, Scalar, backend};
use smallvec::{SmallVec, smallvec};
use std::sync::Arc;

impl Tensor {
    /// Sets every element to `value`, converted to the dtype.
    ///
    /// # Errors
    /// The tensor is a leaf that requires grad, outside `no_grad`.
    pub fn fill_(&self, value: impl Into<Scalar>) -> Result<&Tensor> {
        self.filled("fill_", "FillBackward2", value.into())
    }

    /// Sets every element to zero.
    pub fn zero_(&self) -> Result<&Tensor> {
        self.filled("zero_", "ZeroBackward0", Scalar::Int(0))
    }

    fn filled(&self, op: &'static str, name: &'static str, value: Scalar) -> Result<&Tensor> {
        let target = self.resolve(op)?;
        inplace::check(op, &target, &[])?;
        let body = target.body();
        backend::of(body.device())?.fill(&body, value)?;
        target.changed();
        if records([&target]) {
            let edges: SmallVec<[Option<Edge>; 2]> = smallvec![target.edge()];
            let function: Function = Arc::new(|_: &Arc<Node>, grads: &[Option<Tensor>], _: &[bool]| {
                Ok(smallvec![grads[0].as_ref().map(Tensor::zeros_like).transpose()?])
            });
            inplace::rebase(&target, name, edges, true, function);
        }
        Ok(self)
    }
}
