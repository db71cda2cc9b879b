//! Images: shuffled channels, patches, interpolation, grids; and what else works on neighbours.

use super::{Args, operations};
use crate::value::Value;
use crate::{Failure, Out};
use firebrick::nn::functional as F;
use firebrick::{BagMode, BagOptions, FoldOptions, GridMode, GridPadding, InterpolateMode, InterpolateOptions, Tensor};

operations! { ROWS;
    "nn.functional.pixel_shuffle" |a| { let x = a.x()?; x.pixel_shuffle(a.int("upscale_factor")?)? };
    "nn.functional.pixel_unshuffle" |a| { let x = a.x()?; x.pixel_unshuffle(a.int("downscale_factor")?)? };
    "nn.functional.channel_shuffle" |a| { let x = a.x()?; x.channel_shuffle(a.int("groups")?)? };
    "nn.functional.unfold" |a| { let (x, kernel) = (a.x()?, a.ints("kernel_size")?); F::unfold(&x, kernel, &fold_options(a)?)? };
    "nn.functional.fold" |a| { let (x, size, kernel) = (a.x()?, a.ints("output_size")?, a.ints("kernel_size")?); F::fold(&x, size, kernel, &fold_options(a)?)? };
    "nn.functional.interpolate" |a| { let x = a.x()?; x.interpolate(&interpolation(a)?)? };
    "nn.functional.upsample_nearest" |a| { let x = a.x()?; x.interpolate(&scale(a)?)? };
    "nn.functional.upsample_bilinear" |a| { let x = a.x()?; x.interpolate(&scale(a)?.mode(InterpolateMode::Bilinear).align_corners(true))? };
    "nn.functional.grid_sample" |a| {
        let (x, grid) = (a.x()?, a.tensor("grid")?);
        let (mode, padding) = (a.text_or("mode", "bilinear")?.parse()?, a.text_or("padding_mode", "zeros")?.parse()?);
        x.grid_sample(&grid, mode, padding, a.flag("align_corners")?)?
    };
    "grid_sampler_2d" |a| grid_sampler(a)?;
    "grid_sampler_3d" |a| grid_sampler(a)?;
    "nn.functional.affine_grid" |a| { let (theta, size) = (a.x()?, a.ints("size")?); F::affine_grid(&theta, size, a.flag("align_corners")?)? };
    "nn.functional.bilinear" |a| { let (x, y, w) = (a.x()?, a.tensor("input2")?, a.tensor("weight")?); x.bilinear(&y, &w, a.maybe_tensor("bias")?.as_ref())? };
    "nn.functional.local_response_norm" |a| {
        let (x, size) = (a.x()?, a.int("size")?);
        x.local_response_norm(size, a.float_or("alpha", 1e-4)?, a.float_or("beta", 0.75)?, a.float_or("k", 1.0)?)?
    };
    "nn.functional.embedding_bag" |a| embedding_bag(a)?;
}

/// Dilation, padding and stride.
pub fn fold_options(a: &mut Args) -> Out<FoldOptions> {
    let options = FoldOptions::new().dilation(a.ints_or("dilation", &[1])?).padding(a.ints_or("padding", &[0])?);
    Ok(options.stride(a.ints_or("stride", &[1])?))
}

/// Size and scale of an interpolation.
pub fn scale(a: &mut Args) -> Out<InterpolateOptions> {
    let mut options = InterpolateOptions::new();
    options.size = a.maybe_ints("size")?.map(Into::into);
    let number = |value: &Value| match value {
        Value::Float(scale) => Ok(*scale),
        Value::Int(scale) => Ok(*scale as f64),
        other => Err(Failure::Types(format!("scale_factor with a {}", other.kind()))),
    };
    options.scale_factor = match a.take("scale_factor") {
        None => None,
        Some(Value::List(list) | Value::Tuple(list)) => Some(list.iter().map(number).collect::<Out<_>>()?),
        Some(value) => Some(vec![number(&value)?]),
    };
    Ok(options)
}

/// Everything that an interpolation is told.
pub fn interpolation(a: &mut Args) -> Out<InterpolateOptions> {
    let mut options = scale(a)?.mode(a.text_or("mode", "nearest")?.parse()?);
    options.align_corners = a.maybe_bool("align_corners")?;
    options.recompute_scale_factor = a.maybe_bool("recompute_scale_factor")?;
    Ok(options.antialias(a.flag("antialias")?))
}

/// The kernel behind `grid_sample`, with numbers for its modes.
fn grid_sampler(a: &mut Args) -> Out<Tensor> {
    let (x, grid) = (a.x()?, a.tensor("grid")?);
    let mode = match a.int("interpolation_mode")? {
        0 => GridMode::Bilinear,
        1 => GridMode::Nearest,
        _ => GridMode::Bicubic,
    };
    let padding = match a.int("padding_mode")? {
        0 => GridPadding::Zeros,
        1 => GridPadding::Border,
        _ => GridPadding::Reflection,
    };
    Ok(x.grid_sample(&grid, mode, padding, a.flag("align_corners")?)?)
}

/// The samples call it with the table first.
fn embedding_bag(a: &mut Args) -> Out<Tensor> {
    let (weight, indices, offsets) = (a.x()?, a.tensor("input")?, a.maybe_tensor("offsets")?);
    let (max_norm, norm_type) = (a.maybe_float("max_norm")?, a.float_or("norm_type", 2.0)?);
    let scale_grad_by_freq = a.flag("scale_grad_by_freq")?;
    let mode: BagMode = a.text_or("mode", "mean")?.parse()?;
    let _sparse = a.flag("sparse")?;
    let weights = a.maybe_tensor("per_sample_weights")?;
    let mut options = BagOptions::new().mode(mode).scale_grad_by_freq(scale_grad_by_freq);
    options.per_sample_weights = weights.as_ref();
    options = options.include_last_offset(a.flag("include_last_offset")?);
    options.padding_idx = a.maybe_int("padding_idx")?;
    let max_norm = max_norm.map(|limit| (limit, norm_type));
    Ok(F::embedding_bag_with(&indices, &weight, offsets.as_ref(), max_norm, &options)?)
}
