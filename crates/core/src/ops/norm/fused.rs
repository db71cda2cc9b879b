//! Normalizations as fused operations: a kernel computes the gradient where nothing is recorded; where the pass itself
//! is, the gradient is that of the composed formula.

use crate::autograd::{Grad, Grads, is_grad_enabled};
use crate::ops::record_all::Recorded;
use crate::{Error, Result, Tensor};

/// The inputs of a normalization that gradients go to.
#[derive(Clone, Copy)]
pub(super) struct Inputs<'a> {
    pub x: &'a Tensor,
    pub weight: Option<&'a Tensor>,
    pub bias: Option<&'a Tensor>,
}

/// Records `out` as a normalization of `inputs`. `kernel` makes the three gradients from that of the result, the input,
/// `statistics` and the weight; `composed` is the formula made of differentiable operations.
pub(super) fn record(
    name: &'static str,
    inputs: Inputs<'_>,
    statistics: [&Tensor; 2],
    out: &Tensor,
    kernel: impl Fn(&Tensor, &Tensor, [&Tensor; 2], Option<&Tensor>) -> Result<[Tensor; 3]> + Send + Sync + 'static,
    composed: impl Fn(Inputs<'_>, [&Tensor; 2]) -> Result<Tensor> + Send + Sync + 'static,
) -> Result<()> {
    let recorded = Recorded {
        name,
        inputs: &[Some(inputs.x), inputs.weight, inputs.bias],
        saved: &[Some(inputs.x), inputs.weight, inputs.bias, Some(statistics[0]), Some(statistics[1])],
        outputs: &[out],
        saves_outputs: false,
    };
    recorded.with(move |seen, grads, needs| {
        let missing = || Error::runtime(name, "a saved tensor is missing");
        let saved = |i: usize| seen[i].as_ref().ok_or_else(missing);
        let (x, weight, bias) = (saved(0)?, seen[1].as_ref(), seen[2].as_ref());
        let statistics = [saved(3)?, saved(4)?];
        let Some(g) = &grads[0] else { return Ok(Grads::from_elem(None, needs.len())) };
        if !is_grad_enabled() {
            let [gx, gw, gb] = kernel(g, x, statistics, weight)?;
            return Ok([Some(gx), weight.map(|_| gw), bias.map(|_| gb)].into_iter().collect());
        }
        let out = composed(Inputs { x, weight, bias }, statistics)?;
        let wanted: Vec<&Tensor> =
            [Some(x), weight, bias].into_iter().zip(needs).filter_map(|(t, &need)| t.filter(|_| need)).collect();
        let grads = Grad::new(&[&out], &wanted).grad_outputs(&[Some(g.clone())]).create_graph(true).run_allow_unused()?;
        let mut grads = grads.into_iter();
        Ok(needs.iter().map(|&need| if need { grads.next().flatten() } else { None }).collect())
    })
}
