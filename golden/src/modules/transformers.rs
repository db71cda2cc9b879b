//! Transformers.

use super::classes::{classes, construct, dtype, size};
use super::{Layer, with};
use crate::functional::Args;
use crate::value::Value;
use crate::{Failure, Out, not_built};
use firebrick::Tensor;
use firebrick::nn::{self, Activation, Call, Forward};

/// The options that all builders share, in PyTorch's order; `$between` stands between the activation and the rest.
macro_rules! shared {
    ($a:ident, $builder:expr $(, $between:expr)?) => {{
        let mut builder = $builder;
        if let Some(features) = $a.maybe_int("dim_feedforward")? {
            builder = builder.dim_feedforward(features as usize);
        }
        builder = builder.dropout($a.float_or("dropout", 0.1)?).activation(activation($a)?);
        $($between?;)?
        builder = builder.layer_norm_eps($a.float_or("layer_norm_eps", 1e-5)?).batch_first($a.flag("batch_first")?);
        builder = builder.norm_first($a.flag("norm_first")?).bias($a.bool_or("bias", true)?);
        builder.dtype(dtype($a)?).build()?
    }};
}

classes! { CLASSES;
    "TransformerEncoderLayer" |a| with(encoder_layer(a)?, |layer: &nn::TransformerEncoderLayer, a| {
        let src = a.tensor("src")?;
        let call = nn::TransformerEncoderLayerCall {
            src_mask: a.maybe_tensor("src_mask")?,
            src_key_padding_mask: a.maybe_tensor("src_key_padding_mask")?,
            is_causal: a.flag("is_causal")?,
        };
        Ok(layer.call((src, call))?)
    });
    "TransformerDecoderLayer" |a| with(decoder_layer(a)?, |layer: &nn::TransformerDecoderLayer, a| {
        let (tgt, memory) = (a.tensor("tgt")?, a.tensor("memory")?);
        let call = nn::TransformerDecoderLayerCall {
            tgt_mask: a.maybe_tensor("tgt_mask")?,
            memory_mask: a.maybe_tensor("memory_mask")?,
            tgt_key_padding_mask: a.maybe_tensor("tgt_key_padding_mask")?,
            memory_key_padding_mask: a.maybe_tensor("memory_key_padding_mask")?,
            tgt_is_causal: a.flag("tgt_is_causal")?,
            memory_is_causal: a.flag("memory_is_causal")?,
        };
        Ok(layer.call((tgt, memory, call))?)
    });
    "TransformerEncoder" |a| encoder(a)?;
    "TransformerDecoder" |a| decoder(a)?;
    "Transformer" |a| model(a)?;
}

fn encoder_layer(a: &mut Args) -> Out<nn::TransformerEncoderLayer> {
    Ok(shared!(a, nn::TransformerEncoderLayer::builder(size(a, "d_model")?, size(a, "nhead")?)))
}

fn decoder_layer(a: &mut Args) -> Out<nn::TransformerDecoderLayer> {
    Ok(shared!(a, nn::TransformerDecoderLayer::builder(size(a, "d_model")?, size(a, "nhead")?)))
}

fn activation(a: &mut Args) -> Out<Activation> {
    Ok(match a.take("activation") {
        None => Activation::ReLU,
        Some(Value::Text(name)) => name.parse()?,
        Some(Value::Function(name)) => match name.rsplit('.').next() {
            Some("relu") => Activation::ReLU,
            Some("gelu") => Activation::GELU,
            _ => return not_built(format!("the activation {name}")),
        },
        Some(Value::Construct(made)) => {
            Activation::Module(construct(&made.class, &mut Args::new(made.args, made.kwargs))?.into_forward()?)
        }
        Some(other) => return Err(Failure::Types(format!("activation as {}", other.kind()))),
    })
}

/// The arguments of the layer that is copied.
fn layer_arguments(a: &mut Args, name: &str) -> Out<Args> {
    match a.value(name)? {
        Value::Construct(made) => {
            let mut args = Args::new(made.args, made.kwargs);
            args.keyword("device");
            Ok(args)
        }
        other => Err(Failure::Types(format!("{name} as {}", other.kind()))),
    }
}

fn norm(a: &mut Args) -> Out<Option<Box<dyn Forward>>> {
    match a.take("norm") {
        None => Ok(None),
        Some(Value::Construct(made)) => {
            construct(&made.class, &mut Args::new(made.args, made.kwargs))?.into_forward().map(Some)
        }
        Some(other) => Err(Failure::Types(format!("norm as {}", other.kind()))),
    }
}

fn encoder(a: &mut Args) -> Out<Box<dyn Layer>> {
    let layer = encoder_layer(&mut layer_arguments(a, "encoder_layer")?)?;
    let (count, norm) = (size(a, "num_layers")?, norm(a)?);
    let mut encoder =
        nn::TransformerEncoder::with_nested_tensor(&layer, count, a.bool_or("enable_nested_tensor", true)?)?;
    encoder.norm = norm;
    // It says how the padding that is dropped is looked at, here always with care.
    a.bool_or("mask_check", true)?;
    Ok(with(encoder, |encoder: &nn::TransformerEncoder, a| {
        let src: Tensor = a.tensor("src")?;
        let call = nn::TransformerEncoderCall {
            mask: a.maybe_tensor("mask")?,
            src_key_padding_mask: a.maybe_tensor("src_key_padding_mask")?,
            is_causal: a.maybe_bool("is_causal")?,
        };
        Ok(encoder.call((src, call))?)
    }))
}

fn decoder(a: &mut Args) -> Out<Box<dyn Layer>> {
    let layer = decoder_layer(&mut layer_arguments(a, "decoder_layer")?)?;
    let mut decoder = nn::TransformerDecoder::new(&layer, size(a, "num_layers")?)?;
    decoder.norm = norm(a)?;
    Ok(with(decoder, |decoder: &nn::TransformerDecoder, a| {
        let (tgt, memory) = (a.tensor("tgt")?, a.tensor("memory")?);
        let call = nn::TransformerDecoderCall {
            tgt_mask: a.maybe_tensor("tgt_mask")?,
            memory_mask: a.maybe_tensor("memory_mask")?,
            tgt_key_padding_mask: a.maybe_tensor("tgt_key_padding_mask")?,
            memory_key_padding_mask: a.maybe_tensor("memory_key_padding_mask")?,
            tgt_is_causal: a.maybe_bool("tgt_is_causal")?,
            memory_is_causal: a.flag("memory_is_causal")?,
        };
        Ok(decoder.call((tgt, memory, call))?)
    }))
}

fn model(a: &mut Args) -> Out<Box<dyn Layer>> {
    let sizes = [a.int_or("d_model", 512)?, a.int_or("nhead", 8)?].map(|size| size as usize);
    let layers = [a.int_or("num_encoder_layers", 6)?, a.int_or("num_decoder_layers", 6)?].map(|count| count as usize);
    let builder = nn::Transformer::builder(sizes[0], sizes[1]).num_encoder_layers(layers[0]);
    let model = shared!(a, builder.num_decoder_layers(layers[1]), no_custom_parts(a));
    Ok(with(model, |model: &nn::Transformer, a| {
        let (src, tgt) = (a.tensor("src")?, a.tensor("tgt")?);
        let call = nn::TransformerCall {
            src_mask: a.maybe_tensor("src_mask")?,
            tgt_mask: a.maybe_tensor("tgt_mask")?,
            memory_mask: a.maybe_tensor("memory_mask")?,
            src_key_padding_mask: a.maybe_tensor("src_key_padding_mask")?,
            tgt_key_padding_mask: a.maybe_tensor("tgt_key_padding_mask")?,
            memory_key_padding_mask: a.maybe_tensor("memory_key_padding_mask")?,
            src_is_causal: a.maybe_bool("src_is_causal")?,
            tgt_is_causal: a.maybe_bool("tgt_is_causal")?,
            memory_is_causal: a.flag("memory_is_causal")?,
        };
        Ok(model.call((src, tgt, call))?)
    }))
}

fn no_custom_parts(a: &mut Args) -> Out<()> {
    match (a.take("custom_encoder"), a.take("custom_decoder")) {
        (None, None) => Ok(()),
        _ => not_built("a custom encoder or decoder"),
    }
}
