//! Recording an operation by hand: several results, or gradients of several inputs from one kernel.

use super::record::Edges;
use crate::autograd::{Function, Grads, Node, OutputInfo, Saved, records};
use crate::{Result, Tensor};
use smallvec::SmallVec;
use std::sync::Arc;

/// What an operation remembered, in the order in which it was given.
pub(crate) type Seen = SmallVec<[Option<Tensor>; 6]>;

/// An operation and its results.
pub(crate) struct Recorded<'a> {
    /// What `grad_fn` prints.
    pub name: &'static str,
    /// The inputs that gradients go to; an optional one may be absent.
    pub inputs: &'a [Option<&'a Tensor>],
    /// What the gradient needs: inputs, and results that are not differentiable.
    pub saved: &'a [Option<&'a Tensor>],
    /// The differentiable results.
    pub outputs: &'a [&'a Tensor],
    /// Does the gradient need the differentiable results, too? They follow `saved`.
    pub saves_outputs: bool,
}

impl Recorded<'_> {
    /// Makes the outputs results of one node where something is to be recorded. `formula` makes the gradients of the
    /// inputs from what was saved, the gradients of the outputs and which inputs want one.
    pub fn with(
        self,
        formula: impl Fn(&Seen, &[Option<Tensor>], &[bool]) -> Result<Grads> + Send + Sync + 'static,
    ) -> Result<()> {
        if !records(self.inputs.iter().copied().flatten()) || !self.outputs.iter().any(|t| t.is_differentiable()) {
            return Ok(());
        }
        let edges: Edges = self.inputs.iter().map(|t| t.and_then(|t| t.edge())).collect();
        let mut saved: SmallVec<[Option<Saved>; 6]> =
            self.saved.iter().map(|t| t.map(Saved::input).transpose()).collect::<Result<_>>()?;
        if self.saves_outputs {
            saved.extend(self.outputs.iter().enumerate().map(|(i, t)| Some(Saved::output(t, i))));
        }
        let keeps_nothing = saved.is_empty();
        let function = Function::new(move |node: &Arc<Node>, grads: &[Option<Tensor>], needs: &[bool]| {
            if grads.iter().all(Option::is_none) {
                return Ok(Grads::from_elem(None, needs.len()));
            }
            let unpack = |s: &Option<Saved>| s.as_ref().map(|s| s.unpack(node)).transpose();
            formula(&saved.iter().map(unpack).collect::<Result<_>>()?, grads, needs)
        });
        let infos = self.outputs.iter().map(|t| OutputInfo::of(t)).collect();
        let node = Node::new(self.name, edges, infos, keeps_nothing, function);
        for (index, output) in self.outputs.iter().enumerate() {
            output.set_node(node.clone(), index);
        }
        Ok(())
    }
}

/// Records `out` as the result of an operation on `x` alone that saves what `saved` lists, and `out` itself last where
/// `saves_out` is set.
pub(crate) fn of_one(
    name: &'static str,
    x: &Tensor,
    saved: &[&Tensor],
    saves_out: bool,
    out: Tensor,
    formula: impl Fn(&[&Tensor], &Tensor) -> Result<Tensor> + Send + Sync + 'static,
) -> Result<Tensor> {
    let saved: SmallVec<[Option<&Tensor>; 2]> = saved.iter().map(|&t| Some(t)).collect();
    let recorded = Recorded { name, inputs: &[Some(x)], saved: &saved, outputs: &[&out], saves_outputs: saves_out };
    recorded.with(move |seen, grads, _| {
        let seen: SmallVec<[&Tensor; 4]> = seen.iter().flatten().collect();
        grads.iter().map(|g| g.as_ref().map(|g| formula(&seen, g)).transpose()).collect::<Result<Grads>>()
    })?;
    Ok(out)
}

/// [`of_one`] with a formula of real numbers for a function that has a complex derivative; see
/// [`complex`](crate::ops::complex).
pub(crate) fn analytic(
    name: &'static str,
    x: &Tensor,
    saved: &[&Tensor],
    saves_out: bool,
    out: Tensor,
    formula: impl Fn(&[&Tensor], &Tensor) -> Result<Tensor> + Send + Sync + 'static,
) -> Result<Tensor> {
    of_one(name, x, saved, saves_out, out, move |seen, g| match g.is_complex() {
        true => formula(seen, &g.conj()?)?.conj(),
        false => formula(seen, g),
    })
}
