//! Normalization.

use super::{Args, operations};
use crate::Out;
use crate::value::Value;
use firebrick::Tensor;
use firebrick::nn::functional::{self as F, BatchNormOptions, LayerNormOptions};

operations! { ROWS;
    "nn.functional.batch_norm" |a| {
        let (x, mean, var) = (a.x()?, a.maybe_tensor("running_mean")?, a.maybe_tensor("running_var")?);
        let (weight, bias) = (a.maybe_tensor("weight")?, a.maybe_tensor("bias")?);
        let options = BatchNormOptions { weight: weight.as_ref(), bias: bias.as_ref(), ..BatchNormOptions::new() };
        let options = options.training(a.flag("training")?).momentum(a.float_or("momentum", 0.1)?);
        F::batch_norm_with(&x, mean.as_ref(), var.as_ref(), &options.eps(a.float_or("eps", 1e-5)?))?
    };
    "nn.functional.instance_norm" |a| {
        let (x, mean, var) = (a.x()?, a.maybe_tensor("running_mean")?, a.maybe_tensor("running_var")?);
        let (weight, bias) = (a.maybe_tensor("weight")?, a.maybe_tensor("bias")?);
        let (own, momentum) = (a.bool_or("use_input_stats", true)?, a.float_or("momentum", 0.1)?);
        let eps = a.float_or("eps", 1e-5)?;
        x.instance_norm(mean.as_ref(), var.as_ref(), weight.as_ref(), bias.as_ref(), own, momentum, eps)?
    };
    "nn.functional.layer_norm" |a| {
        let (x, shape) = (a.x()?, a.ints("normalized_shape")?);
        let (weight, bias) = (a.maybe_tensor("weight")?, a.maybe_tensor("bias")?);
        let options = LayerNormOptions { weight: weight.as_ref(), bias: bias.as_ref(), ..LayerNormOptions::new() };
        F::layer_norm_with(&x, shape, &options.eps(a.float_or("eps", 1e-5)?))?
    };
    "nn.functional.group_norm" |a| {
        let (x, groups) = (a.x()?, a.int("num_groups")?);
        let (weight, bias) = (a.maybe_tensor("weight")?, a.maybe_tensor("bias")?);
        x.group_norm(groups, weight.as_ref(), bias.as_ref(), a.float_or("eps", 1e-5)?)?
    };
    "nn.functional.rms_norm" |a| {
        let (x, shape, weight) = (a.x()?, a.ints("normalized_shape")?, a.maybe_tensor("weight")?);
        x.rms_norm(shape, weight.as_ref(), a.maybe_float("eps")?)?
    };
    "native_batch_norm" |a| {
        let (x, weight, bias) = affine(a)?;
        let (mean, var) = (a.maybe_tensor("running_mean")?, a.maybe_tensor("running_var")?);
        let (training, momentum) = (a.bool("training")?, a.float("momentum")?);
        x.native_batch_norm(weight.as_ref(), bias.as_ref(), mean.as_ref(), var.as_ref(), training, momentum, a.float("eps")?)?
    };
    "native_layer_norm" |a| {
        let (x, shape) = (a.x()?, a.ints("normalized_shape")?);
        let (weight, bias) = (a.maybe_tensor("weight")?, a.maybe_tensor("bias")?);
        x.native_layer_norm(shape, weight.as_ref(), bias.as_ref(), a.float("eps")?)?
    };
    "native_group_norm" |a| {
        let (x, weight, bias) = affine(a)?;
        // The shape of the input, which says so itself.
        for name in ["N", "C", "HxW"] {
            a.int(name)?;
        }
        x.native_group_norm(a.int("group")?, weight.as_ref(), bias.as_ref(), a.float("eps")?)?
    };
    "nn.functional.normalize" |a| {
        let (x, p) = (a.x()?, a.float_or("p", 2.0)?);
        let dim = a.maybe_ints("dim")?.unwrap_or_else(|| vec![1]);
        F::normalize(&x, p, dim, a.float_or("eps", 1e-12)?)?
    };
    "nn.functional.pad" |a| padded(a)?;
}

/// Input, weight and bias.
fn affine(a: &mut Args) -> Out<(Tensor, Option<Tensor>, Option<Tensor>)> {
    Ok((a.x()?, a.maybe_tensor("weight")?, a.maybe_tensor("bias")?))
}

fn padded(a: &mut Args) -> Out<Tensor> {
    let (x, pad) = (a.x()?, a.ints("pad")?);
    let mode = match a.text_or("mode", "constant")?.as_str() {
        "constant" => F::PadMode::Zeros,
        name => name.parse::<F::PadMode>()?,
    };
    let options = F::PadOptions::new().mode(mode);
    Ok(F::pad_with(
        &x,
        pad,
        &match a.take("value") {
            None => options,
            Some(value @ (Value::Int(_) | Value::Float(_) | Value::Bool(_))) => options.value(super::number(&value)?),
            Some(other) => return Err(crate::Failure::Types(format!("value as {}", other.kind()))),
        },
    )?)
}
