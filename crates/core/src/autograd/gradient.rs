//! How a node computes the gradients of its inputs.

use super::node::{Grads, Node};
use crate::{Result, Tensor};
use std::sync::Arc;

type Run = dyn Fn(&Arc<Node>, &[Option<Tensor>], &[bool]) -> Result<Grads> + Send + Sync;

/// Computes the gradients of a node's inputs from those of its outputs, and from what it keeps.
#[derive(Clone)]
pub(crate) enum Function {
    /// It keeps nothing, so it needs no memory.
    Bare(&'static Run),
    Keeping(Arc<Run>),
}

impl Function {
    /// `run` gets the node, the gradients of its outputs, and for each input whether its gradient is wanted.
    #[inline]
    pub fn new<F>(run: F) -> Self
    where
        F: Fn(&Arc<Node>, &[Option<Tensor>], &[bool]) -> Result<Grads> + Send + Sync + 'static,
    {
        if size_of::<F>() == 0 {
            // A box of nothing allocates nothing, so nothing leaks.
            Function::Bare(Box::leak(Box::new(run)))
        } else {
            Function::Keeping(Arc::new(run))
        }
    }

    pub fn run(&self, node: &Arc<Node>, grads: &[Option<Tensor>], needs: &[bool]) -> Result<Grads> {
        match self {
            Function::Bare(run) => run(node, grads, needs),
            Function::Keeping(run) => run(node, grads, needs),
        }
    }
}
