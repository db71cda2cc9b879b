//! Linear cross entropy in chunks of rows, whose logits are the only ones that exist at a time.

use super::options::Plan;
use super::{LinearCrossEntropyCall, LinearCrossEntropyOptions, OP};
use firebrick_core::autograd::function::{BackwardContext, ForwardContext, Function, OutputGrads};
use firebrick_core::autograd::is_grad_enabled;
use firebrick_core::{Error, Reduction, Result, Tensor};
use parking_lot::Mutex;

/// The loss in chunks. The arguments have been checked, and fit chunks.
pub(super) fn run(
    input: &Tensor,
    linear_weight: &Tensor,
    target: &Tensor,
    call: &LinearCrossEntropyCall<'_>,
    options: &LinearCrossEntropyOptions,
) -> Result<Tensor> {
    let batched = input.dim() == 2;
    let (input, target) = match batched {
        true => (input.clone(), target.clone()),
        false => (input.unsqueeze(0)?, target.unsqueeze(0)?),
    };
    let (batch, [classes, features]) = (input.size(0)?, [linear_weight.size(0)?, linear_weight.size(1)?]);
    if target.dim() == 1 && target.size(0)? != batch {
        let text = format!("Expected input batch_size ({batch}) to match target batch_size ({}).", target.size(0)?);
        return Err(Error::value(OP, text));
    }
    let probabilities = target.is_floating_point();
    let plan = options.plan([batch, features, classes], input.dtype(), input.device(), probabilities)?;
    let against = Against {
        target: target.detach(),
        weight: call.weight.map(Tensor::detach),
        ignore_index: call.ignore_index.unwrap_or(-100),
    };
    let inputs: Vec<&Tensor> = [&input, linear_weight].into_iter().chain(call.linear_bias).collect();
    let wanted = inputs.iter().map(|x| is_grad_enabled() && x.requires_grad()).collect();
    let loss = match call.reduction {
        Reduction::None => Each { plan, against }.apply(&inputs)?,
        reduction => {
            let (retain, grads) = (options.allow_retain_graph, Mutex::default());
            Reduced { plan, against, mean: reduction == Reduction::Mean, wanted, retain, grads }.apply(&inputs)?
        }
    };
    let loss = loss.into_iter().next().ok_or_else(|| Error::runtime(OP, "there is no loss"))?;
    if batched { Ok(loss) } else { loss.squeeze_dim(0) }
}

/// What the logits are held against.
struct Against {
    /// Classes `[N]`, or probabilities `[N, C]`.
    target: Tensor,
    weight: Option<Tensor>,
    ignore_index: i64,
}

/// [`Against`] with everything that is the same for all chunks.
struct Ready {
    target: Target,
    /// What the loss of each row is multiplied by.
    weights: Tensor,
}

enum Target {
    /// A class for each row, some class where the row does not count.
    Classes(Tensor),
    /// Weighted probabilities.
    Probabilities(Tensor),
}

impl Against {
    fn ready(&self, plan: &Plan, classes: usize) -> Result<Ready> {
        if self.target.is_floating_point() {
            let target = self.target.to(plan.logits)?;
            let target = match &self.weight {
                Some(weight) => target.mul(&weight.to(plan.logits)?)?,
                None => target,
            };
            return Ok(Ready {
                weights: target.to(plan.accumulate)?.sum_dim(1, false)?,
                target: Target::Probabilities(target),
            });
        }
        let ignored = self.target.eq(self.ignore_index)?;
        let known = match (0..classes as i64).contains(&self.ignore_index) {
            true => self.target.clone(),
            false => self.target.masked_fill(&ignored, 0)?,
        };
        let weights = match &self.weight {
            Some(weight) => weight.index_select(0, &known)?.to(plan.accumulate)?.masked_fill(&ignored, 0)?,
            None => ignored.logical_not()?.to(plan.accumulate)?,
        };
        Ok(Ready { target: Target::Classes(known), weights })
    }

    /// What a mean divides by.
    fn divisor(&self, ready: &Ready) -> Result<Tensor> {
        match &ready.target {
            Target::Classes(_) => ready.weights.sum(),
            Target::Probabilities(target) => ready.weights.new_full((), target.size(0)? as f64),
        }
    }
}

impl Target {
    /// Those of some rows; classes stand in a column.
    fn rows(&self, at: i64, count: i64) -> Result<Target> {
        Ok(match self {
            Target::Classes(target) => Target::Classes(target.narrow(0, at, count)?.unsqueeze(1)?),
            Target::Probabilities(target) => Target::Probabilities(target.narrow(0, at, count)?),
        })
    }
}

/// The sums of the gradients of the input, the weight and the bias, as far as they are wanted.
type Totals = Vec<Option<Tensor>>;

/// Runs chunk by chunk: the loss of each row, and the gradients of `inputs` that are `wanted`, where the gradient of the
/// loss of a row is its element of `factors`.
fn pass(
    plan: &Plan,
    ready: &Ready,
    inputs: &[Tensor],
    factors: Option<(&Tensor, &[bool])>,
) -> Result<(Tensor, Totals)> {
    let (x, batch) = (&inputs[0], inputs[0].size(0)? as i64);
    let weight = inputs[1].to(plan.logits)?;
    let bias = inputs.get(2).map(|bias| bias.to(plan.logits)).transpose()?;
    let losses = ready.weights.new_zeros([batch])?;
    let total = |(input, wanted): (&Tensor, &bool)| {
        wanted.then(|| input.detach().new_zeros(input.shape())?.to(x.dtype())).transpose()
    };
    let totals: Totals = match factors {
        Some((_, wanted)) => inputs.iter().zip(wanted).map(total).collect::<Result<_>>()?,
        None => Totals::new(),
    };
    let mut at = 0;
    while at < batch {
        let count = (batch - at).min(plan.rows as i64);
        let rows = x.narrow(0, at, count)?.to(plan.logits)?;
        let log_probs = rows.linear(&weight, bias.as_ref())?.log_softmax(1)?;
        let (weights, target) = (ready.weights.narrow(0, at, count)?, ready.target.rows(at, count)?);
        let chosen = match &target {
            Target::Classes(class) => log_probs.gather(1, class)?.squeeze_dim(1)?.to(plan.accumulate)?.mul(&weights)?,
            Target::Probabilities(target) => target.mul(&log_probs)?.to(plan.accumulate)?.sum_dim(1, false)?,
        };
        losses.narrow(0, at, count)?.copy_(&chosen.neg()?)?;
        if let Some((factors, _)) = factors {
            let factors = factors.narrow(0, at, count)?;
            let slope = slope(&log_probs, &target, &weights, &factors)?;
            add(&totals, &slope, &rows, &weight, at)?;
        }
        at += count;
    }
    Ok((losses, totals))
}

/// The gradient of the logits: their softmax less the target, times the weight and the factor of the row.
fn slope(log_probs: &Tensor, target: &Target, weights: &Tensor, factors: &Tensor) -> Result<Tensor> {
    let dtype = log_probs.dtype();
    let scale = weights.mul(factors)?.to(dtype)?.unsqueeze(1)?;
    let slope = log_probs.exp()?.mul(&scale)?;
    match target {
        Target::Classes(class) => slope.scatter_add_(1, class, &scale.neg()?)?,
        Target::Probabilities(target) => slope.sub_(&target.mul(&factors.to(dtype)?.unsqueeze(1)?)?)?,
    };
    Ok(slope)
}

/// Adds what a chunk from row `at` on gives to the gradients.
fn add(totals: &Totals, slope: &Tensor, rows: &Tensor, weight: &Tensor, at: i64) -> Result<()> {
    if let Some(Some(input)) = totals.first() {
        input.narrow(0, at, slope.size(0)? as i64)?.copy_(&slope.mm(weight)?)?;
    }
    if let Some(Some(total)) = totals.get(1) {
        match total.dtype() == slope.dtype() {
            true => total.addmm_(&slope.t()?, rows, 1.0, 1.0)?,
            false => total.add_(&slope.t()?.mm(rows)?)?,
        };
    }
    if let Some(Some(total)) = totals.get(2) {
        total.add_(&slope.sum_dim(0, false)?)?;
    }
    Ok(())
}

/// A mean or a sum, which knows its gradients before it is asked for them.
struct Reduced {
    plan: Plan,
    against: Against,
    mean: bool,
    wanted: Vec<bool>,
    /// Do gradients outlive their use?
    retain: bool,
    grads: Mutex<Option<Totals>>,
}

impl Function for Reduced {
    const NAME: &'static str = "GeneratedBackwardFor_torch_nn__linear_cross_entropy_batch_chunked_defaultBackward";
    const ONCE_DIFFERENTIABLE: bool = true;

    fn forward(&mut self, _: &mut ForwardContext, inputs: &[Tensor]) -> Result<Vec<Tensor>> {
        let ready = self.against.ready(&self.plan, inputs[1].size(0)?)?;
        let divisor = if self.mean { self.against.divisor(&ready)? } else { ready.weights.new_ones(())? };
        let each = divisor.reciprocal()?.expand(ready.weights.shape())?;
        let wanted = self.wanted.contains(&true).then_some((&each, &self.wanted[..]));
        let (losses, totals) = pass(&self.plan, &ready, inputs, wanted)?;
        self.grads = Mutex::new(Some(totals));
        Ok(vec![losses.sum()?.div(&divisor)?.to(inputs[0].dtype())?])
    }

    fn backward(&self, ctx: &BackwardContext<'_>, grads: &OutputGrads) -> Result<Vec<Option<Tensor>>> {
        let g = grads.get(0)?;
        let known = if self.retain { self.grads.lock().clone() } else { self.grads.lock().take() };
        let Some(known) = known else {
            return Err(Error::runtime(
                Self::NAME,
                "linear_cross_entropy chunked backward called twice; retain_graph=True / double backward are not supported.",
            )
            .remedy("set `allow_retain_graph` in the options"));
        };
        let scaled = |grad: Option<Tensor>| {
            grad.map(|grad| match self.retain {
                true => grad.mul(g),
                false => grad.mul_(g).cloned(),
            })
        };
        let mut result = known.into_iter().map(|grad| scaled(grad).transpose()).collect::<Result<Vec<_>>>()?;
        result.resize(ctx.needs_input_grad().len(), None);
        Ok(result)
    }
}

/// The loss of each row, whose gradients are computed when they are asked for.
struct Each {
    plan: Plan,
    against: Against,
}

impl Function for Each {
    const NAME: &'static str =
        "GeneratedBackwardFor_torch_nn__linear_cross_entropy_batch_chunked_no_reduction_defaultBackward";
    const ONCE_DIFFERENTIABLE: bool = true;

    fn forward(&mut self, ctx: &mut ForwardContext, inputs: &[Tensor]) -> Result<Vec<Tensor>> {
        let against = [Some(&self.against.target), self.against.weight.as_ref()];
        ctx.save_for_backward(&inputs.iter().chain(against.into_iter().flatten()).collect::<Vec<_>>());
        let ready = self.against.ready(&self.plan, inputs[1].size(0)?)?;
        let (losses, _) = pass(&self.plan, &ready, inputs, None)?;
        Ok(vec![losses.to(inputs[0].dtype())?])
    }

    fn backward(&self, ctx: &BackwardContext<'_>, grads: &OutputGrads) -> Result<Vec<Option<Tensor>>> {
        let wanted = ctx.needs_input_grad();
        let saved = ctx.saved_tensors()?;
        let inputs: Vec<Tensor> = saved.iter().take(wanted.len()).map(Tensor::detach).collect();
        let ready = self.against.ready(&self.plan, inputs[1].size(0)?)?;
        let factors = grads.get(0)?.to(self.plan.accumulate)?;
        Ok(pass(&self.plan, &ready, &inputs, Some((&factors, wanted)))?.1)
    }
}
