//! Losses.

use super::{Args, ints, operations};
use crate::value::Value;
use crate::{Failure, Out};
use firebrick::nn::functional::{self as F, KLDivReduction, LinearCrossEntropyCall, LinearCrossEntropyOptions};
use firebrick::ops::Reduction;
use firebrick::{Lengths, Tensor};

operations! { ROWS;
    "nn.functional.mse_loss" |a| { let (x, y) = pair(a)?; x.mse_loss(&y, reduction(a)?)? };
    "nn.functional.l1_loss" |a| { let (x, y) = pair(a)?; x.l1_loss(&y, reduction(a)?)? };
    "nn.functional.smooth_l1_loss" |a| { let (x, y) = pair(a)?; let reduction = reduction(a)?; x.smooth_l1_loss(&y, reduction, a.float_or("beta", 1.0)?)? };
    "nn.functional.huber_loss" |a| { let (x, y) = pair(a)?; let reduction = reduction(a)?; x.huber_loss(&y, reduction, a.float_or("delta", 1.0)?)? };
    "nn.functional.kl_div" |a| { let (x, y) = pair(a)?; let reduction = divergence(a)?; F::kl_div_with(&x, &y, reduction, a.flag("log_target")?)? };
    "nn.functional.binary_cross_entropy" |a| { let (x, y) = pair(a)?; let weight = a.maybe_tensor("weight")?; x.binary_cross_entropy(&y, weight.as_ref(), reduction(a)?)? };
    "nn.functional.binary_cross_entropy_with_logits" |a| { let (x, y) = pair(a)?; let weight = a.maybe_tensor("weight")?; let reduction = reduction(a)?; x.binary_cross_entropy_with_logits(&y, weight.as_ref(), a.maybe_tensor("pos_weight")?.as_ref(), reduction)? };
    "nn.functional.nll_loss" |a| { let (x, y) = pair(a)?; let weight = a.maybe_tensor("weight")?; let ignored = a.int_or("ignore_index", -100)?; x.nll_loss(&y, weight.as_ref(), ignored, reduction(a)?)? };
    "nn.functional.cross_entropy" |a| { let (x, y) = pair(a)?; let weight = a.maybe_tensor("weight")?; let ignored = a.int_or("ignore_index", -100)?; let reduction = reduction(a)?; x.cross_entropy(&y, weight.as_ref(), ignored, reduction, a.float_or("label_smoothing", 0.0)?)? };
    "nn.functional.ctc_loss" |a| {
        let (x, targets) = (a.x()?, a.tensor("targets")?);
        let (inputs, labels) = (lengths(a, "input_lengths")?, lengths(a, "target_lengths")?);
        let (blank, reduction) = (a.int_or("blank", 0)?, reduction(a)?);
        F::ctc_loss(&x, &targets, inputs, labels, blank, reduction, a.flag("zero_infinity")?)?
    };
    "nn.functional.linear_cross_entropy" |a| {
        let (x, linear_weight, target) = (a.x()?, a.tensor("linear_weight")?, a.tensor("target")?);
        let (bias, weight) = (a.maybe_tensor("linear_bias")?, a.maybe_tensor("weight")?);
        let call = LinearCrossEntropyCall {
            linear_bias: bias.as_ref(),
            weight: weight.as_ref(),
            reduction: reduction(a)?,
            ignore_index: a.maybe_int("ignore_index")?,
            label_smoothing: a.float_or("label_smoothing", 0.0)?,
            options: chunks(a)?,
        };
        F::linear_cross_entropy_with(&x, &linear_weight, &target, &call)?
    };
}

/// Input and target.
pub fn pair(a: &mut Args) -> Out<(Tensor, Tensor)> {
    Ok((a.x()?, a.tensor("target")?))
}

/// How elements become one number.
pub fn reduction(a: &mut Args) -> Out<Reduction> {
    Ok(Reduction::from_name(&a.text_or("reduction", "mean")?)?)
}

/// [`reduction`], or the one that only a divergence has.
pub fn divergence(a: &mut Args) -> Out<KLDivReduction> {
    match a.text_or("reduction", "mean")?.as_str() {
        "batchmean" => Ok(KLDivReduction::BatchMean),
        name => Ok(Reduction::from_name(name)?.into()),
    }
}

/// Lengths as a tensor or a list.
pub fn lengths(a: &mut Args, name: &str) -> Out<Lengths> {
    match a.value(name)? {
        Value::Tensor(x) => Ok(x.into()),
        list => Ok(ints(name, &list)?.into()),
    }
}

/// The options of chunks, where they are given.
pub fn chunks(a: &mut Args) -> Out<Option<LinearCrossEntropyOptions>> {
    let object = match a.take("options") {
        None => return Ok(None),
        Some(Value::Construct(object)) => object,
        Some(other) => return Err(Failure::Types(format!("options as {}", other.kind()))),
    };
    let mut fields = Args::new(object.args, object.kwargs);
    let mut options = LinearCrossEntropyOptions::new().allow_retain_graph(fields.flag("allow_retain_graph")?);
    if let Some(rows) = fields.maybe_int("batch_chunk_size")? {
        options = options.batch_chunk_size(rows as usize)?;
    }
    options = match fields.given("chunking_method") {
        Some(Value::Text(name)) => options.chunking_method(name.parse::<F::ChunkingMethod>()?),
        Some(Value::None) => options.chunking_method(None),
        _ => options,
    };
    options = options.acc_policy(fields.text_or("acc_policy", "auto")?.parse()?);
    if let Some(dtype) = fields.maybe_dtype("acc_dtype")? {
        options = options.acc_dtype(dtype)?;
    }
    fields.finish()?;
    Ok(Some(options))
}
