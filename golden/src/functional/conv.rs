//! Convolutions and embeddings.

use super::{Args, operations};
use crate::Out;
use crate::value::Value;
use firebrick::{ConvOptions, ConvTransposeOptions, Padding, Tensor};

operations! { ROWS;
    "nn.functional.conv1d" |a| { let (x, w, b) = convolution(a)?; x.conv1d(&w, b.as_ref(), &options(a)?)? };
    "nn.functional.conv2d" |a| { let (x, w, b) = convolution(a)?; x.conv2d(&w, b.as_ref(), &options(a)?)? };
    "nn.functional.conv3d" |a| { let (x, w, b) = convolution(a)?; x.conv3d(&w, b.as_ref(), &options(a)?)? };
    "nn.functional.conv_transpose1d" |a| { let (x, w, b) = convolution(a)?; x.conv_transpose1d(&w, b.as_ref(), &transposed(a)?)? };
    "nn.functional.conv_transpose2d" |a| { let (x, w, b) = convolution(a)?; x.conv_transpose2d(&w, b.as_ref(), &transposed(a)?)? };
    "nn.functional.conv_transpose3d" |a| { let (x, w, b) = convolution(a)?; x.conv_transpose3d(&w, b.as_ref(), &transposed(a)?)? };
    "nn.functional.embedding" |a| { let (weight, indices) = (a.x()?, a.tensor("indices")?); let padding = a.maybe_int("padding_idx")?; a.maybe_float("max_norm")?; a.float_or("norm_type", 2.0)?; weight.embedding(&indices, padding, a.flag("scale_grad_by_freq")?)? };
}

/// Input, weight and bias.
fn convolution(a: &mut Args) -> Out<(Tensor, Tensor, Option<Tensor>)> {
    Ok((a.x()?, a.tensor("weight")?, a.maybe_tensor("bias")?))
}

/// Stride, padding, output padding, groups and dilation.
fn transposed(a: &mut Args) -> Out<ConvTransposeOptions> {
    let options = ConvTransposeOptions::new().stride(a.ints_or("stride", &[1])?).padding(a.ints_or("padding", &[0])?);
    let options = options.output_padding(a.ints_or("output_padding", &[0])?).groups(a.int_or("groups", 1)?);
    Ok(options.dilation(a.ints_or("dilation", &[1])?))
}

/// Stride, padding, dilation and groups.
fn options(a: &mut Args) -> Out<ConvOptions> {
    let mut options = ConvOptions::new().stride(a.ints_or("stride", &[1])?);
    options = match a.take("padding") {
        Some(Value::Text(text)) if text == "same" => options.padding(Padding::Same),
        Some(Value::Text(_)) => options.padding(Padding::Valid),
        Some(value) => options.padding(super::ints("padding", &value)?),
        None => options,
    };
    let options = options.dilation(a.ints_or("dilation", &[1])?);
    Ok(options.groups(a.int_or("groups", 1)?))
}
