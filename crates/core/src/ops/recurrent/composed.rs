//! Long short-term memory by operations that have gradients.

use super::Inputs;
use crate::autograd::{Grad, Grads};
use crate::{Error, Result, Tensor};

/// Hidden state and next cell, from the gates and the cell.
pub(super) fn step(gates: &Tensor, cell: &Tensor) -> Result<(Tensor, Tensor)> {
    let parts = gates.chunk(4, -1)?;
    let [input, forget, new, output] = &parts[..] else {
        let given = format!("{:?}", gates.shape());
        return Err(Error::runtime("lstm", "the gates are no four blocks").given(given));
    };
    let next = forget.sigmoid()?.mul(cell)?.add(&input.sigmoid()?.mul(&new.tanh()?)?)?;
    Ok((output.sigmoid()?.mul(&next.tanh()?)?, next))
}

/// The hidden states in the input's order, and hidden state and cell after the last step.
pub(super) fn layer(inputs: &Inputs<'_>, reverse: bool) -> Result<[Tensor; 3]> {
    // What the input gives to the gates is one product for all steps.
    let gates = inputs.x.linear(inputs.weights.input, inputs.weights.input_bias)?.unbind(0)?;
    let (mut hidden, mut cell) = (inputs.hidden.clone(), inputs.cell.clone());
    let mut all = Vec::with_capacity(gates.len());
    for i in 0..gates.len() {
        let given = &gates[if reverse { gates.len() - 1 - i } else { i }];
        let carried = hidden.linear(inputs.weights.hidden, inputs.weights.hidden_bias)?;
        (hidden, cell) = step(&given.add(&carried)?, &cell)?;
        if let Some(projection) = inputs.weights.projection {
            hidden = hidden.linear(projection, None)?;
        }
        all.push(hidden.clone());
    }
    if reverse {
        all.reverse();
    }
    Ok([Tensor::stack(&all, 0)?, hidden, cell])
}

/// The gradients of [`layer`], of the inputs that want one, from those of its results; recorded.
pub(super) fn grads(inputs: &Inputs<'_>, reverse: bool, grads: &[Option<Tensor>], needs: &[bool]) -> Result<Grads> {
    // Of copies, because an input may have been computed from another one, which is no business of this gradient.
    let copies = inputs.list().into_iter().map(|x| x.map(Tensor::copy).transpose()).collect::<Result<Vec<_>>>()?;
    let nothing = || Ok(Grads::from_elem(None, needs.len()));
    let Some(own) = Inputs::of(&copies) else { return nothing() };
    let results = layer(&own, reverse)?;
    let given = results.iter().zip(grads).filter(|(_, grad)| grad.is_some());
    let (outputs, given): (Vec<&Tensor>, Vec<Option<Tensor>>) = given.map(|(out, grad)| (out, grad.clone())).unzip();
    let inputs: Vec<&Tensor> = copies.iter().zip(needs).filter_map(wanted).collect();
    if inputs.is_empty() {
        return nothing();
    }
    let found = Grad::new(&outputs, &inputs).grad_outputs(&given).create_graph(true).run_allow_unused()?;
    let mut found = found.into_iter();
    Ok(copies.iter().zip(needs).map(|pair| wanted(pair).and_then(|_| found.next().flatten())).collect())
}

/// An input whose gradient is wanted.
fn wanted<'a>((x, &need): (&'a Option<Tensor>, &bool)) -> Option<&'a Tensor> {
    x.as_ref().filter(|_| need)
}
