//! Running and recording a custom operation.

use super::context::{BackwardContext, ForwardContext, OutputGrads};
use super::record::returned;
use super::refuse::refusing_gradients;
use crate::autograd::gradient::Function as NodeFunction;
use crate::autograd::node::{Edge, Grads, Node, OutputInfo, records};
use crate::autograd::saved::Saved;
use crate::autograd::{inplace, is_grad_enabled, no_grad};
use crate::tensor::ViewOrigin;
use crate::{Error, Result, Tensor};
use smallvec::SmallVec;
use std::sync::Arc;

type Edges = SmallVec<[Option<Edge>; 2]>;

pub(super) fn apply<F: super::Function>(mut function: F, inputs: &[&Tensor]) -> Result<Vec<Tensor>> {
    let inputs = inputs.iter().map(|t| t.resolve(F::NAME)).collect::<Result<Vec<_>>>()?;
    let recording = records(&inputs);
    let edges: Edges = if recording { inputs.iter().map(Tensor::edge).collect() } else { Edges::new() };
    let needs: SmallVec<[bool; 4]> = inputs.iter().map(Tensor::requires_grad).collect();
    let mut ctx = ForwardContext::new(needs.clone());
    let outputs = no_grad(|| function.forward(&mut ctx, &inputs))?;
    check_dirty(F::NAME, &ctx, &inputs, &outputs)?;
    let finished = |(i, output)| finished(F::NAME, &ctx, &inputs, (i, output), outputs.len(), recording);
    let results = outputs.iter().enumerate().map(finished).collect::<Result<Vec<_>>>()?;
    ctx.dirty.iter().for_each(Tensor::changed);
    if !recording {
        return Ok(results);
    }
    let save = |t: &Tensor| match outputs.iter().position(|output| output.ptr_eq(t)) {
        Some(index) if ctx.is_dirty(t) || !is_one_of(t, &inputs) => Ok(Saved::output(&results[index], index)),
        _ => Saved::input(t),
    };
    let saved = ctx.to_save.iter().map(save).collect::<Result<Vec<_>>>()?;
    let keeps_nothing = saved.is_empty();
    let formula = formula(function, saved, needs, ctx.materialize);
    let differentiable = |t: &Tensor| t.is_differentiable() && !ctx.non_differentiable.iter().any(|n| n.ptr_eq(t));
    if let Some(target) = ctx.dirty.iter().find(|t| t.view_of().is_some()) {
        let at = inputs.iter().position(|input| input.ptr_eq(target)).unwrap_or(0);
        rebase_view(target, F::NAME, edges, keeps_nothing, formula, at);
        return Ok(results);
    }
    let node = Node::new(F::NAME, edges, results.iter().map(OutputInfo::of).collect(), keeps_nothing, formula);
    for (i, (output, result)) in outputs.iter().zip(&results).enumerate().filter(|(_, (t, _))| differentiable(t)) {
        match ctx.is_dirty(output) {
            true => inplace::replaced(result, node.clone(), i),
            false => result.set_node(node.clone(), i),
        }
    }
    Ok(results)
}

fn is_one_of(tensor: &Tensor, list: &[Tensor]) -> bool {
    list.iter().any(|t| t.ptr_eq(tensor))
}

/// What was changed in place must be an input, be returned, and be allowed to change.
fn check_dirty(name: &'static str, ctx: &ForwardContext, inputs: &[Tensor], outputs: &[Tensor]) -> Result<()> {
    for tensor in &ctx.dirty {
        if !is_one_of(tensor, outputs) {
            return Err(Error::runtime(
                name,
                "Some elements marked as dirty during the forward method were not returned as output. The inputs that are modified inplace must all be outputs of the Function.",
            ));
        }
        if !is_grad_enabled() {
            continue;
        }
        let is_view = tensor.view_of().is_some();
        if tensor.requires_grad() && tensor.is_leaf() && !is_view {
            return Err(Error::runtime(
                name,
                "a leaf Variable that requires grad has been used in an in-place operation.",
            ));
        }
        inplace::check(name, tensor, &inputs.iter().collect::<Vec<_>>())?;
        if is_view && outputs.len() > 1 && records(inputs) {
            return Err(Error::runtime(
                name,
                "If your Function modifies inplace an input that is a view of another Tensor, your Function cannot return more than one Tensor. This is not supported by the current autograd engine. You should either make sure the input is not a view (using .clone() for example) or make your Function only return one Tensor (potentially splitting it into two Functions: one doing the inplace that returns a single Tensor and a second one that does the other operations). You can ask on the forum https://discuss.pytorch.org/ if you need help to do this change.",
            ));
        }
    }
    Ok(())
}

/// The tensor that becomes output `i` of `count`.
fn finished(
    name: &'static str,
    ctx: &ForwardContext,
    inputs: &[Tensor],
    (i, output): (usize, &Tensor),
    count: usize,
    recording: bool,
) -> Result<Tensor> {
    if ctx.is_dirty(output) {
        return Ok(output.clone());
    }
    if is_one_of(output, inputs) {
        let differentiable = !ctx.non_differentiable.iter().any(|t| t.ptr_eq(output));
        let inputs: Vec<&Tensor> = inputs.iter().collect();
        return if recording && differentiable { returned(name, &inputs, output) } else { Ok(output.detach()) };
    }
    if output.has_node() {
        return Ok(output.detach());
    }
    let op = name.strip_suffix("Backward").unwrap_or(name);
    if recording {
        output.set_view_origin(if count > 1 { ViewOrigin::OneOfMany(i) } else { ViewOrigin::Returned(op) });
    }
    Ok(output.clone())
}

/// The gradient as the engine calls it.
fn formula<F: super::Function>(
    function: F,
    saved: Vec<Saved>,
    needs_input_grad: SmallVec<[bool; 4]>,
    materialize: bool,
) -> NodeFunction {
    NodeFunction::new(move |node: &Arc<Node>, grads: &[Option<Tensor>], _: &[bool]| {
        let ctx = BackwardContext { node, saved: &saved, needs_input_grad: &needs_input_grad };
        let grads = OutputGrads::new(F::NAME, grads, node.outputs(), materialize)?;
        let mut results = match F::ONCE_DIFFERENTIABLE {
            true => once(&grads, || function.backward(&ctx, &grads))?,
            false => function.backward(&ctx, &grads)?,
        };
        let expected = needs_input_grad.len();
        // PyTorch lets `None` stand for inputs that do not exist.
        while results.len() > expected && matches!(results.last(), Some(None)) {
            results.pop();
        }
        if results.len() != expected {
            return Err(wrong_count(F::NAME, expected, results.len()));
        }
        Ok(results.into_iter().collect::<Grads>())
    })
}

/// PyTorch's words for a backward that does not fit its inputs.
pub(super) fn wrong_count(name: &'static str, expected: usize, got: usize) -> Error {
    let text = format!("function {name} returned an incorrect number of gradients (expected {expected}, got {got})");
    Error::runtime(name, text)
}

/// Runs a backward that may not be recorded; what it returns refuses to be differentiated.
fn once(grads: &OutputGrads, run: impl FnOnce() -> Result<Vec<Option<Tensor>>>) -> Result<Vec<Option<Tensor>>> {
    let results = no_grad(run)?;
    if !is_grad_enabled() || !grads.any_requires_grad() {
        return Ok(results);
    }
    let inputs: Vec<&Tensor> = grads.iter().collect();
    let text = "trying to differentiate twice a function that was marked with @once_differentiable";
    let refusing = |grad: Option<Tensor>| grad.map(|g| refusing_gradients(&g, &inputs, text)).transpose();
    results.into_iter().map(refusing).collect()
}

/// Writes the change of a view into its base's history. There the view's own edge comes first.
fn rebase_view(
    target: &Tensor,
    name: &'static str,
    mut edges: Edges,
    keeps_nothing: bool,
    formula: NodeFunction,
    at: usize,
) {
    edges.swap(0, at);
    let swapped = NodeFunction::new(move |node: &Arc<Node>, grads: &[Option<Tensor>], needs: &[bool]| {
        let mut results = formula.run(node, grads, needs)?;
        results.swap(0, at);
        Ok(results)
    });
    inplace::rebase(target, name, edges, keeps_nothing, swapped);
}
