//! Pooling.

use super::{Args, operations};
use crate::value::{IntoValue, Value};
use crate::{Failure, Out};
use firebrick::nn::functional::{self as F, FractionalSize, OutputSize, UnpoolOptions};
use firebrick::{AvgPoolOptions, PoolOptions, Tensor, autograd};

operations! { ROWS;
    "nn.functional.max_pool1d" |a| {
        let (x, kernel, options) = window(a)?;
        match a.flag("return_indices")? {
            true => x.max_pool1d_with_indices(kernel, &options)?.into_value(),
            false => x.max_pool1d(kernel, &options)?.into_value(),
        }
    };
    "nn.functional.max_pool2d" |a| {
        let (x, kernel, options) = window(a)?;
        match a.flag("return_indices")? {
            true => x.max_pool2d_with_indices(kernel, &options)?.into_value(),
            false => x.max_pool2d(kernel, &options)?.into_value(),
        }
    };
    "nn.functional.max_pool3d" |a| {
        let (x, kernel, options) = window(a)?;
        match a.flag("return_indices")? {
            true => x.max_pool3d_with_indices(kernel, &options)?.into_value(),
            false => x.max_pool3d(kernel, &options)?.into_value(),
        }
    };
    "nn.functional.max_pool2d_with_indices" |a| { let (x, kernel, options) = window(a)?; x.max_pool2d_with_indices(kernel, &options)? };
    "nn.functional.avg_pool1d" |a| { let (x, kernel, options) = average(a)?; x.avg_pool1d(kernel, &options)? };
    "nn.functional.lp_pool1d" |a| { let (x, p, kernel, options) = norm(a)?; x.lp_pool1d(p, kernel, &options)? };
    "nn.functional.max_unpool1d" |a| { let (x, indices, kernel, options) = unpool(a)?; F::max_unpool1d(&x, &indices, kernel, &options)? };
    "nn.functional.adaptive_avg_pool1d" |a| { let x = a.x()?; F::adaptive_avg_pool1d(&x, output_size(a)?)? };
    "nn.functional.adaptive_max_pool1d" |a| {
        let (x, size) = (a.x()?, output_size(a)?);
        match a.flag("return_indices")? {
            true => F::adaptive_max_pool1d_with_indices(&x, size)?.into_value(),
            false => F::adaptive_max_pool1d(&x, size)?.into_value(),
        }
    };
    "nn.functional.avg_pool2d" |a| { let (x, kernel, options) = average(a)?; x.avg_pool2d(kernel, &options)? };
    "nn.functional.lp_pool2d" |a| { let (x, p, kernel, options) = norm(a)?; x.lp_pool2d(p, kernel, &options)? };
    "nn.functional.max_unpool2d" |a| { let (x, indices, kernel, options) = unpool(a)?; F::max_unpool2d(&x, &indices, kernel, &options)? };
    "nn.functional.adaptive_avg_pool2d" |a| { let x = a.x()?; F::adaptive_avg_pool2d(&x, output_size(a)?)? };
    "nn.functional.adaptive_max_pool2d" |a| {
        let (x, size) = (a.x()?, output_size(a)?);
        match a.flag("return_indices")? {
            true => F::adaptive_max_pool2d_with_indices(&x, size)?.into_value(),
            false => F::adaptive_max_pool2d(&x, size)?.into_value(),
        }
    };
    "nn.functional.avg_pool3d" |a| { let (x, kernel, options) = average(a)?; x.avg_pool3d(kernel, &options)? };
    "nn.functional.lp_pool3d" |a| { let (x, p, kernel, options) = norm(a)?; x.lp_pool3d(p, kernel, &options)? };
    "nn.functional.max_unpool3d" |a| { let (x, indices, kernel, options) = unpool(a)?; F::max_unpool3d(&x, &indices, kernel, &options)? };
    "nn.functional.adaptive_avg_pool3d" |a| { let x = a.x()?; F::adaptive_avg_pool3d(&x, output_size(a)?)? };
    "nn.functional.adaptive_max_pool3d" |a| {
        let (x, size) = (a.x()?, output_size(a)?);
        match a.flag("return_indices")? {
            true => F::adaptive_max_pool3d_with_indices(&x, size)?.into_value(),
            false => F::adaptive_max_pool3d(&x, size)?.into_value(),
        }
    };
    "nn.functional.fractional_max_pool2d" |a| {
        let (x, kernel, size) = (a.x()?, a.ints("kernel_size")?, fractional_size(a)?);
        let (indices, samples) = (a.flag("return_indices")?, a.maybe_tensor("_random_samples")?);
        match indices {
            true => F::fractional_max_pool2d_with_indices(&x, kernel, size, samples.as_ref())?.into_value(),
            false => F::fractional_max_pool2d(&x, kernel, size, samples.as_ref())?.into_value(),
        }
    };
    "nn.functional.fractional_max_pool3d" |a| {
        let (x, kernel, size) = (a.x()?, a.ints("kernel_size")?, fractional_size(a)?);
        let (indices, samples) = (a.flag("return_indices")?, a.maybe_tensor("_random_samples")?);
        match indices {
            true => F::fractional_max_pool3d_with_indices(&x, kernel, size, samples.as_ref())?.into_value(),
            false => F::fractional_max_pool3d(&x, kernel, size, samples.as_ref())?.into_value(),
        }
    };
    "max_pool2d_with_indices_backward" |a| scattered(a)?;
}

/// The input, the window's size and the other options.
fn window(a: &mut Args) -> Out<(Tensor, Vec<i64>, PoolOptions)> {
    let (x, kernel) = (a.x()?, a.ints("kernel_size")?);
    let mut options = PoolOptions::new();
    if let Some(stride) = a.maybe_ints("stride")?.filter(|stride| !stride.is_empty()) {
        options = options.stride(stride);
    }
    options = options.padding(a.ints_or("padding", &[0])?).dilation(a.ints_or("dilation", &[1])?);
    Ok((x, kernel, options.ceil_mode(a.flag("ceil_mode")?)))
}

/// The gradient of the input where that of every maximum is one, as a function of the input: piecewise constant.
fn scattered(a: &mut Args) -> Out<Tensor> {
    let (x, kernel, options) = window(a)?;
    a.flag("return_indices")?;
    let (values, _) = x.max_pool2d_with_indices(kernel, &options)?;
    let ones = values.ones_like()?;
    ones.requires_grad_(true)?;
    let grads = autograd::Grad::new(&[&values], &[&x]).grad_outputs(&[Some(ones)]).create_graph(true).run()?;
    // PyTorch records the backward kernel against its input as well, with a gradient of zero.
    Ok(grads[0].add(&x.mul(0)?)?)
}

/// Input, window and options of an average.
fn average(a: &mut Args) -> Out<(Tensor, Vec<i64>, AvgPoolOptions)> {
    let (x, kernel) = (a.x()?, a.ints("kernel_size")?);
    let mut options = AvgPoolOptions::new();
    if let Some(stride) = a.maybe_ints("stride")?.filter(|stride| !stride.is_empty()) {
        options = options.stride(stride);
    }
    options = options.padding(a.ints_or("padding", &[0])?).ceil_mode(a.flag("ceil_mode")?);
    options = options.count_include_pad(a.bool_or("count_include_pad", true)?);
    options.divisor_override = a.maybe_int("divisor_override")?;
    Ok((x, kernel, options))
}

/// Input, order, window and options of a norm.
fn norm(a: &mut Args) -> Out<(Tensor, f64, Vec<i64>, AvgPoolOptions)> {
    let (x, p, kernel) = (a.x()?, a.float("norm_type")?, a.ints("kernel_size")?);
    let mut options = AvgPoolOptions::new();
    options.stride = a.maybe_ints("stride")?.map(Into::into);
    Ok((x, p, kernel, options.ceil_mode(a.flag("ceil_mode")?)))
}

/// Input, indices, window and options of an unpooling.
fn unpool(a: &mut Args) -> Out<(Tensor, Tensor, Vec<i64>, UnpoolOptions)> {
    let (x, indices, kernel) = (a.x()?, a.tensor("indices")?, a.ints("kernel_size")?);
    let mut options = UnpoolOptions::new();
    options.stride = a.maybe_ints("stride")?.map(Into::into);
    options = options.padding(a.ints_or("padding", &[0])?);
    options.output_size = a.maybe_ints("output_size")?.map(Into::into);
    Ok((x, indices, kernel, options))
}

/// A size of which parts may be the input's.
pub fn output_size(a: &mut Args) -> Out<OutputSize> {
    let part = |value: &Value| match value {
        Value::None => Ok(None),
        Value::Int(size) => Ok(Some(*size)),
        other => Err(Failure::Types(format!("output_size with a {}", other.kind()))),
    };
    match a.given("output_size") {
        Some(Value::List(list) | Value::Tuple(list)) => Ok(list.iter().map(part).collect::<Out<Vec<_>>>()?.into()),
        Some(value) => Ok(vec![part(&value)?].into()),
        None => Err(Failure::Types("output_size is missing".into())),
    }
}

/// A size or a part of the input's.
pub fn fractional_size(a: &mut Args) -> Out<FractionalSize> {
    match (a.maybe_ints("output_size")?, a.take("output_ratio")) {
        (Some(size), None) => Ok(size.into()),
        (None, Some(Value::Float(ratio))) => Ok(FractionalSize::Ratio(vec![ratio])),
        (None, Some(Value::List(list) | Value::Tuple(list))) => {
            let ratios = list.iter().map(|value| match value {
                Value::Float(ratio) => Ok(*ratio),
                other => Err(Failure::Types(format!("output_ratio with a {}", other.kind()))),
            });
            Ok(FractionalSize::Ratio(ratios.collect::<Out<_>>()?))
        }
        _ => Err(Failure::Types("not one of output_size and output_ratio".into())),
    }
}
