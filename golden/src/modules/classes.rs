//! Classes: one row each, from PyTorch's name and arguments to a Firebrick module.

use super::{Layer, plain, with};
use crate::functional::{Args, ints};
use crate::value::Value;
use crate::{Failure, Out, not_built, wrong};
use firebrick::Padding;
use firebrick::nn;
use firebrick::nn::functional::PadMode;

/// Constructs one class.
pub type Class = fn(&mut Args) -> Out<Box<dyn Layer>>;

macro_rules! classes {
    ($table:ident; $($name:literal |$a:ident| $layer:expr;)*) => {
        /// The classes of this family.
        pub const $table: &[(&str, $crate::modules::classes::Class)] = &[$(($name, |$a| Ok($layer))),*];
    };
}

pub(super) use classes;

/// The options that convolutions share.
macro_rules! convolution_options {
    ($a:ident, $builder:expr) => {{
        let mut builder = $builder.stride($a.ints_or("stride", &[1])?);
        builder = match $a.take("padding") {
            Some(Value::Text(text)) if text == "same" => builder.padding(Padding::Same),
            Some(Value::Text(text)) if text == "valid" => builder.padding(Padding::Valid),
            Some(Value::Text(text)) => return Err(Failure::Types(format!("padding {text}"))),
            Some(value) => builder.padding(ints("padding", &value)?),
            None => builder,
        };
        builder = builder.dilation($a.ints_or("dilation", &[1])?).groups($a.int_or("groups", 1)?);
        builder = builder.bias($a.bool_or("bias", true)?);
        if let Some(mode) = $a.maybe_text("padding_mode")? {
            builder = builder.padding_mode(pad_mode(&mode)?);
        }
        plain(builder.dtype(dtype($a)?).build()?)
    }};
}

macro_rules! convolution {
    ($a:ident, $class:ident) => {{
        let (inputs, outputs) = (size($a, "in_channels")?, size($a, "out_channels")?);
        convolution_options!($a, nn::$class::builder(inputs, outputs, $a.ints("kernel_size")?))
    }};
}

macro_rules! lazy_convolution {
    ($a:ident, $class:ident) => {{
        let outputs = size($a, "out_channels")?;
        convolution_options!($a, nn::$class::lazy_builder(outputs, $a.ints("kernel_size")?))
    }};
}

macro_rules! transposed {
    ($a:ident, $class:ident, $builder:expr) => {{
        let mut builder = $builder.stride($a.ints_or("stride", &[1])?).padding($a.ints_or("padding", &[0])?);
        builder = builder.output_padding($a.ints_or("output_padding", &[0])?).groups($a.int_or("groups", 1)?);
        builder = builder.bias($a.bool_or("bias", true)?).dilation($a.ints_or("dilation", &[1])?);
        if let Some(mode) = $a.maybe_text("padding_mode")? {
            builder = builder.padding_mode(pad_mode(&mode)?);
        }
        with(builder.dtype(dtype($a)?).build()?, |layer: &nn::$class, a| {
            let x = a.x()?;
            Ok(match a.maybe_ints("output_size")? {
                Some(size) => layer.call_with_size(&x, size)?,
                None => nn::Call::call(layer, x)?,
            })
        })
    }};
}

macro_rules! conv_transpose {
    ($a:ident, $class:ident) => {{
        let (inputs, outputs) = (size($a, "in_channels")?, size($a, "out_channels")?);
        transposed!($a, $class, nn::$class::builder(inputs, outputs, $a.ints("kernel_size")?))
    }};
}

macro_rules! lazy_conv_transpose {
    ($a:ident, $class:ident) => {{
        let outputs = size($a, "out_channels")?;
        transposed!($a, $class, nn::$class::lazy_builder(outputs, $a.ints("kernel_size")?))
    }};
}

macro_rules! max_pool {
    ($a:ident, $class:ident) => {{
        let mut builder = nn::$class::builder($a.ints("kernel_size")?);
        if let Some(stride) = $a.maybe_ints("stride")? {
            builder = builder.stride(stride);
        }
        builder = builder.padding($a.ints_or("padding", &[0])?).dilation($a.ints_or("dilation", &[1])?);
        let indices = $a.flag("return_indices")?;
        let pool = builder.ceil_mode($a.flag("ceil_mode")?).build()?;
        match indices {
            true => with(pool, |pool, a| Ok(pool.call_with_indices(&a.x()?)?)),
            false => plain(pool),
        }
    }};
}

macro_rules! batch_norm {
    ($a:ident, $builder:expr) => {
        channel_norm!($a, $builder, true)
    };
}

macro_rules! instance_norm {
    ($a:ident, $builder:expr) => {
        channel_norm!($a, $builder, false)
    };
}

macro_rules! channel_norm {
    ($a:ident, $builder:expr, $usual:literal) => {{
        let mut builder = $builder.eps($a.float_or("eps", 1e-5)?);
        builder = match $a.given("momentum") {
            None => builder,
            Some(Value::None) => builder.momentum(None),
            Some(Value::Float(momentum)) => builder.momentum(momentum),
            Some(other) => return Err(Failure::Types(format!("momentum as {}", other.kind()))),
        };
        builder = builder.affine($a.bool_or("affine", $usual)?);
        builder = builder.track_running_stats($a.bool_or("track_running_stats", $usual)?);
        plain(builder.bias($a.bool_or("bias", true)?).dtype(dtype($a)?).build()?)
    }};
}

classes! { CLASSES;
    "Linear" |a| { let (n, m) = (size(a, "in_features")?, size(a, "out_features")?); plain(nn::Linear::builder(n, m).bias(a.bool_or("bias", true)?).dtype(dtype(a)?).build()?) };
    "LazyLinear" |a| { let m = size(a, "out_features")?; plain(nn::Linear::lazy_builder(m).bias(a.bool_or("bias", true)?).dtype(dtype(a)?).build()?) };
    "Conv1d" |a| convolution!(a, Conv1d);
    "Conv2d" |a| convolution!(a, Conv2d);
    "Conv3d" |a| convolution!(a, Conv3d);
    "LazyConv1d" |a| lazy_convolution!(a, Conv1d);
    "LazyConv2d" |a| lazy_convolution!(a, Conv2d);
    "LazyConv3d" |a| lazy_convolution!(a, Conv3d);
    "ConvTranspose1d" |a| conv_transpose!(a, ConvTranspose1d);
    "LazyConvTranspose1d" |a| lazy_conv_transpose!(a, ConvTranspose1d);
    "ConvTranspose2d" |a| conv_transpose!(a, ConvTranspose2d);
    "LazyConvTranspose2d" |a| lazy_conv_transpose!(a, ConvTranspose2d);
    "ConvTranspose3d" |a| conv_transpose!(a, ConvTranspose3d);
    "LazyConvTranspose3d" |a| lazy_conv_transpose!(a, ConvTranspose3d);
    "MaxPool1d" |a| max_pool!(a, MaxPool1d);
    "MaxPool2d" |a| max_pool!(a, MaxPool2d);
    "MaxPool3d" |a| max_pool!(a, MaxPool3d);
    "BatchNorm1d" |a| { let n = size(a, "num_features")?; batch_norm!(a, nn::BatchNorm1d::builder(n)) };
    "BatchNorm2d" |a| { let n = size(a, "num_features")?; batch_norm!(a, nn::BatchNorm2d::builder(n)) };
    "BatchNorm3d" |a| { let n = size(a, "num_features")?; batch_norm!(a, nn::BatchNorm3d::builder(n)) };
    "LazyBatchNorm1d" |a| batch_norm!(a, nn::BatchNorm1d::lazy_builder());
    "LazyBatchNorm2d" |a| batch_norm!(a, nn::BatchNorm2d::lazy_builder());
    "LazyBatchNorm3d" |a| batch_norm!(a, nn::BatchNorm3d::lazy_builder());
    "InstanceNorm1d" |a| { let n = size(a, "num_features")?; instance_norm!(a, nn::InstanceNorm1d::builder(n)) };
    "LazyInstanceNorm1d" |a| batch_norm!(a, nn::InstanceNorm1d::lazy_builder());
    "InstanceNorm2d" |a| { let n = size(a, "num_features")?; instance_norm!(a, nn::InstanceNorm2d::builder(n)) };
    "LazyInstanceNorm2d" |a| batch_norm!(a, nn::InstanceNorm2d::lazy_builder());
    "InstanceNorm3d" |a| { let n = size(a, "num_features")?; instance_norm!(a, nn::InstanceNorm3d::builder(n)) };
    "LazyInstanceNorm3d" |a| batch_norm!(a, nn::InstanceNorm3d::lazy_builder());
    "GroupNorm" |a| { let (groups, n) = (a.int("num_groups")?, size(a, "num_channels")?); let norm = nn::GroupNorm::builder(groups, n).eps(a.float_or("eps", 1e-5)?); plain(norm.affine(a.bool_or("affine", true)?).bias(a.bool_or("bias", true)?).dtype(dtype(a)?).build()?) };
    "RMSNorm" |a| {
        let mut norm = nn::RMSNorm::builder(a.ints("normalized_shape")?);
        if let Some(eps) = a.maybe_float("eps")? {
            norm = norm.eps(eps);
        }
        plain(norm.elementwise_affine(a.bool_or("elementwise_affine", true)?).dtype(dtype(a)?).build()?)
    };
    "LayerNorm" |a| { let norm = nn::LayerNorm::builder(a.ints("normalized_shape")?).eps(a.float_or("eps", 1e-5)?); plain(norm.elementwise_affine(a.bool_or("elementwise_affine", true)?).bias(a.bool_or("bias", true)?).dtype(dtype(a)?).build()?) };
    "Embedding" |a| plain(embedding(a)?);
    "Identity" |a| { let _ = (a.rest(), a.keyword("unused")); plain(nn::Identity::new()) };
    "Sequential" |a| plain(sequential(a.rest())?);
}

const TABLES: &[&[(&str, Class)]] = &[
    CLASSES,
    super::activations::CLASSES,
    super::images::CLASSES,
    super::losses::CLASSES,
    super::pools::CLASSES,
    super::recurrent::CLASSES,
    super::transformers::CLASSES,
];

/// The names of all classes.
pub fn names() -> impl Iterator<Item = &'static str> {
    TABLES.iter().flat_map(|table| table.iter()).map(|(name, _)| *name)
}

/// Constructs a module of this class.
pub fn construct(class: &str, args: &mut Args) -> Out<Box<dyn Layer>> {
    let mut all = TABLES.iter().flat_map(|table| table.iter());
    let Some((_, build)) = all.find(|(name, _)| *name == class) else { return not_built(class) };
    args.keyword("device");
    let layer = build(args);
    let named = |what: String| format!("{what} of {class}");
    match layer.and_then(|layer| std::mem::take(args).finish().map(|()| layer)) {
        Err(Failure::NotBuilt(what)) => not_built(named(what)),
        Err(Failure::Types(what)) => Err(Failure::Types(named(what))),
        other => other,
    }
}

/// A size; a negative one cannot be given in Rust.
pub fn size(a: &mut Args, name: &str) -> Out<usize> {
    usize::try_from(a.int(name)?).map_err(|_| Failure::Types(format!("a negative {name}")))
}

/// The dtype of the parameters.
pub fn dtype(a: &mut Args) -> Out<firebrick::DType> {
    match a.keyword("dtype") {
        None | Some(Value::None) => Ok(firebrick::default_dtype()),
        Some(Value::DType(dtype)) => Ok(dtype),
        Some(other) => Err(Failure::Types(format!("dtype as {}", other.kind()))),
    }
}

fn embedding(a: &mut Args) -> Out<nn::Embedding> {
    let mut builder = nn::Embedding::builder(size(a, "num_embeddings")?, size(a, "embedding_dim")?);
    if let Some(row) = a.maybe_int("padding_idx")? {
        builder = builder.padding_idx(row);
    }
    if let Some(norm) = a.maybe_float("max_norm")? {
        builder = builder.max_norm(norm);
    }
    builder = builder.norm_type(a.float_or("norm_type", 2.0)?).scale_grad_by_freq(a.flag("scale_grad_by_freq")?);
    builder = builder.sparse(a.flag("sparse")?);
    Ok(builder.dtype(dtype(a)?).build()?)
}

fn sequential(layers: Vec<Value>) -> Out<nn::Sequential> {
    let mut all = nn::Sequential::new();
    for layer in layers {
        let Value::Construct(made) = layer else { return wrong("a layer that is no module") };
        let layer = construct(&made.class, &mut Args::new(made.args, made.kwargs))?;
        all = all.add(layer.into_forward()?);
    }
    Ok(all)
}

/// How the input of a convolution is padded.
fn pad_mode(name: &str) -> Out<PadMode> {
    let modes = [PadMode::Zeros, PadMode::Reflect, PadMode::Replicate, PadMode::Circular];
    let found = modes.into_iter().find(|mode| mode.name() == name);
    found.ok_or_else(|| Failure::Types(format!("padding_mode {name}")))
}
