//! Layers over sequences: recurrent ones and attention.

use super::classes::{classes, dtype, size};
use super::{Layer, with};
use crate::functional::Args;
use crate::value::{IntoValue, Value};
use crate::{Failure, Out};
use firebrick::Tensor;
use firebrick::nn::utils::rnn::PackedSequence;
use firebrick::nn::{self, Call};

/// The options that recurrent layers share, in PyTorch's order.
macro_rules! layer {
    ($a:ident, $class:ident $(, $more:expr)?) => {{
        let (inputs, hidden) = (size($a, "input_size")?, size($a, "hidden_size")?);
        let builder = nn::$class::builder(inputs, hidden);
        let builder = builder.num_layers(usize::try_from($a.int_or("num_layers", 1)?).unwrap_or(0));
        $(let builder = $more($a, builder)?;)?
        let builder = builder.bias($a.bool_or("bias", true)?).batch_first($a.flag("batch_first")?);
        builder.dropout($a.float_or("dropout", 0.0)?).bidirectional($a.flag("bidirectional")?)
    }};
}

classes! { CLASSES;
    "RNN" |a| {
        let builder = layer!(a, RNN, nonlinearity);
        single(builder.dtype(dtype(a)?).build()?)
    };
    "GRU" |a| {
        let builder = layer!(a, GRU);
        single(builder.dtype(dtype(a)?).build()?)
    };
    "LSTM" |a| {
        let builder = layer!(a, LSTM);
        let builder = builder.proj_size(usize::try_from(a.int_or("proj_size", 0)?).unwrap_or(0));
        pair(builder.dtype(dtype(a)?).build()?)
    };
    "MultiheadAttention" |a| attention(a)?;
    "RNNCell" |a| {
        let builder = nn::RNNCell::builder(size(a, "input_size")?, size(a, "hidden_size")?);
        let builder = builder.bias(truth(a)?);
        let builder = match a.maybe_text("nonlinearity")? {
            Some(name) => builder.nonlinearity(name.parse()?),
            None => builder,
        };
        cell(builder.dtype(dtype(a)?).build()?)
    };
    "GRUCell" |a| {
        let builder = nn::GRUCell::builder(size(a, "input_size")?, size(a, "hidden_size")?);
        let builder = builder.bias(truth(a)?);
        cell(builder.dtype(dtype(a)?).build()?)
    };
    "LSTMCell" |a| {
        let builder = nn::LSTMCell::builder(size(a, "input_size")?, size(a, "hidden_size")?);
        let builder = builder.bias(truth(a)?);
        with(builder.dtype(dtype(a)?).build()?, |cell: &nn::LSTMCell, a| {
            let call = (a.x()?, state_pair(a)?);
            let next: (Tensor, Tensor) = cell.call(call)?;
            Ok(next)
        })
    };
}

fn attention(a: &mut Args) -> Out<Box<dyn Layer>> {
    let mut builder = nn::MultiheadAttention::builder(size(a, "embed_dim")?, size(a, "num_heads")?);
    builder = builder.dropout(a.float_or("dropout", 0.0)?).bias(a.bool_or("bias", true)?);
    builder = builder.add_bias_kv(a.flag("add_bias_kv")?).add_zero_attn(a.flag("add_zero_attn")?);
    for set in
        [nn::MultiheadAttentionBuilder::kdim, nn::MultiheadAttentionBuilder::vdim].into_iter().zip(["kdim", "vdim"])
    {
        if let Some(features) = a.maybe_int(set.1)? {
            builder = set.0(builder, features as usize);
        }
    }
    let layer = builder.batch_first(a.flag("batch_first")?).dtype(dtype(a)?).build()?;
    Ok(with(layer, |layer: &nn::MultiheadAttention, a| {
        let (query, key, value) = (a.x()?, a.tensor("key")?, a.tensor("value")?);
        let call = nn::AttentionCall {
            key_padding_mask: a.maybe_tensor("key_padding_mask")?,
            need_weights: a.bool_or("need_weights", true)?,
            attn_mask: a.maybe_tensor("attn_mask")?,
            average_attn_weights: a.bool_or("average_attn_weights", true)?,
            is_causal: a.flag("is_causal")?,
        };
        let input = (query, key, value, call);
        Ok(layer.call(input)?)
    }))
}

fn nonlinearity(a: &mut Args, builder: nn::RNNBuilder) -> Out<nn::RNNBuilder> {
    Ok(match a.maybe_text("nonlinearity")? {
        Some(name) => builder.nonlinearity(name.parse()?),
        None => builder,
    })
}

/// A truth value, where cells take any value for one.
fn truth(a: &mut Args) -> Out<bool> {
    match a.given("bias") {
        None => Ok(true),
        Some(Value::Bool(on)) => Ok(on),
        Some(Value::Text(text)) => Ok(!text.is_empty()),
        Some(other) => Err(Failure::Types(format!("bias as {}", other.kind()))),
    }
}

/// A layer whose state is one tensor.
fn single<M>(layer: M) -> Box<dyn Layer>
where
    M: nn::Forward<(Tensor, Option<Tensor>), (Tensor, Tensor)>
        + nn::Forward<(PackedSequence, Option<Tensor>), (PackedSequence, Tensor)>,
{
    with(layer, |layer: &M, a| {
        if let Some(sequence) = packed(a)? {
            let result: (PackedSequence, Tensor) = layer.call((sequence, a.maybe_tensor("hx")?))?;
            return Ok(result.into_value());
        }
        let call = (a.x()?, a.maybe_tensor("hx")?);
        let result: (Tensor, Tensor) = layer.call(call)?;
        Ok(result.into_value())
    })
}

/// The first argument, where it is a packed sequence.
fn packed(a: &mut Args) -> Out<Option<PackedSequence>> {
    if !matches!(a.peek(), Some(Value::Packed(_))) {
        return Ok(None);
    }
    let Some(Value::Packed(parts)) = a.take("input") else { return Ok(None) };
    match *parts {
        [Value::Tensor(data), Value::Tensor(batch_sizes), sorted_indices, unsorted_indices] => {
            let optional = |value: Value| value.tensors().pop();
            let (sorted_indices, unsorted_indices) = (optional(sorted_indices), optional(unsorted_indices));
            Ok(Some(PackedSequence { data, batch_sizes, sorted_indices, unsorted_indices }))
        }
        _ => Err(Failure::Types("a packed sequence without tensors".into())),
    }
}

/// A cell whose state is one tensor.
fn cell<M: nn::Forward<(Tensor, Option<Tensor>)>>(cell: M) -> Box<dyn Layer> {
    with(cell, |cell: &M, a| {
        let call = (a.x()?, a.maybe_tensor("hx")?);
        Ok(cell.call(call)?)
    })
}

/// A layer whose state is a pair.
fn pair(layer: nn::LSTM) -> Box<dyn Layer> {
    with(layer, |layer: &nn::LSTM, a| {
        if let Some(sequence) = packed(a)? {
            let result: (PackedSequence, (Tensor, Tensor)) = layer.call((sequence, state_pair(a)?))?;
            return Ok(result.into_value());
        }
        let call = (a.x()?, state_pair(a)?);
        let result: (Tensor, (Tensor, Tensor)) = layer.call(call)?;
        Ok(result.into_value())
    })
}

/// Hidden state and cell.
fn state_pair(a: &mut Args) -> Out<Option<(Tensor, Tensor)>> {
    let Some(list) = a.maybe_list("hx")? else { return Ok(None) };
    match &list[..] {
        [Value::Tensor(hidden), Value::Tensor(cell)] => Ok(Some((hidden.clone(), cell.clone()))),
        _ => Err(Failure::Types("hx that is no pair of tensors".into())),
    }
}
