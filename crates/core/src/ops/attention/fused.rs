//! Attention by one kernel.

use super::{AttentionOptions, OP, composed};
use crate::autograd::{Grads, is_grad_enabled, records};
use crate::backend::{self, Attention};
use crate::dims::broadcast_shapes;
use crate::ops::record_all::{Recorded, Seen};
use crate::tensor::copy::expanded;
use crate::tensor::layout::preserved_strides;
use crate::{Body, DType, Dims, Result, Tensor};
use smallvec::smallvec;

/// The result, or `None` where the kernel does not do what is asked, or operands do not fit: then the operations that
/// attention is composed of say why.
pub(super) fn attention(inputs: [&Tensor; 3], options: &AttentionOptions<'_>, scale: f64) -> Result<Option<Tensor>> {
    let [query, key, value] = inputs;
    let plain = |x: &Tensor| x.device() == query.device() && matches!(x.dtype(), DType::F32 | DType::F64);
    let mask_counts = options.attn_mask.is_some_and(|m| m.device() != query.device() || records([m]));
    if options.dropout_p > 0.0 || mask_counts || !inputs.iter().all(|x| plain(x)) {
        return Ok(None);
    }
    if options.enable_gqa && query.dim() > 2 {
        return grouped(inputs, options, scale);
    }
    let [q, k, v] = [query.shape(), key.shape(), value.shape()];
    let last = |shape: &Dims| [shape[shape.len() - 2], shape[shape.len() - 1]];
    let ([queries, width], [keys, key_width], [values, value_width]) = (last(&q), last(&k), last(&v));
    let batch = |shape: &Dims| Dims::from_slice(&shape[..shape.len() - 2]);
    let together =
        broadcast_shapes(OP, &batch(&q), &batch(&k)).and_then(|both| broadcast_shapes(OP, &both, &batch(&v)));
    let Ok(together) = together else { return Ok(None) };
    let with = |rows: usize, columns: usize| together.iter().copied().chain([rows, columns]).collect::<Dims>();
    let empty = [queries, keys, width, value_width].contains(&0) || together.contains(&0);
    if empty || width != key_width || keys != values {
        return Ok(None);
    }
    let Some(mask) = added(options.attn_mask, query.dtype(), &with(queries, keys))? else { return Ok(None) };
    let shapes = [with(queries, width), with(keys, width), with(keys, value_width)];
    let mut stretched = Vec::with_capacity(3);
    for (x, shape) in inputs.into_iter().zip(&shapes) {
        stretched.push(if x.shape() == *shape { x.clone() } else { x.expand(shape.clone())? });
    }
    let [query, key, value] = &stretched[..] else { return Ok(None) };
    let call = Call { causal: options.is_causal, scale };
    call.run([query, key, value], mask.as_ref(), with(queries, value_width)).map(Some)
}

/// Heads of queries that share those of keys and values, as one more dimension of the batch.
fn grouped(inputs: [&Tensor; 3], options: &AttentionOptions<'_>, scale: f64) -> Result<Option<Tensor>> {
    let [query, key, value] = inputs;
    let heads = query.size(-3)?;
    let (Ok(own), Ok(other)) = (key.size(-3), value.size(-3)) else { return Ok(None) };
    if own == 0 || own != other || !heads.is_multiple_of(own) {
        return Ok(None);
    }
    let groups = [own as i64, (heads / own) as i64];
    let mask = match options.attn_mask {
        Some(mask) if mask.dim() > 2 && mask.size(-3)? == heads => Some(mask.unflatten(-3, groups)?),
        Some(mask) if mask.dim() > 2 => Some(mask.unsqueeze(-3)?),
        mask => mask.cloned(),
    };
    let query = query.unflatten(-3, groups)?;
    let (key, value) = (key.unsqueeze(-3)?, value.unsqueeze(-3)?);
    let options = AttentionOptions { attn_mask: mask.as_ref(), enable_gqa: false, ..*options };
    let out = attention([&query, &key, &value], &options, scale)?;
    out.map(|out| out.flatten(-4, -3)).transpose()
}

/// A mask as numbers that are added to scores of `shape`, one for each key; truth values as zero and minus infinity.
/// `None` if it does not fit.
#[allow(clippy::option_option, reason = "no mask is no misfit")]
fn added(mask: Option<&Tensor>, dtype: DType, shape: &Dims) -> Result<Option<Option<Tensor>>> {
    let Some(mask) = mask else { return Ok(Some(None)) };
    if !broadcast_shapes(OP, &mask.shape(), shape).is_ok_and(|both| both == *shape) {
        return Ok(None);
    }
    let mask = match mask.dtype() {
        DType::Bool => {
            let hidden = mask.logical_not()?;
            hidden.to(dtype)?.masked_fill(&hidden, f64::NEG_INFINITY)?
        }
        _ => mask.detach().to(dtype)?,
    };
    let mut own = mask.shape();
    let keys = shape[shape.len() - 1];
    match own.last_mut() {
        Some(last) => *last = keys,
        None => own.push(keys),
    }
    let mask = mask.expand(own)?;
    Ok(Some(Some(Tensor::from_body(with_columns(&mask)?))))
}

/// A call of the kernel.
#[derive(Clone, Copy)]
struct Call {
    causal: bool,
    scale: f64,
}

impl Call {
    fn run(self, inputs: [&Tensor; 3], mask: Option<&Tensor>, shape: Dims) -> Result<Tensor> {
        let bodies = inputs.map(Tensor::body);
        let (dtype, device) = (bodies[0].dtype, bodies[0].device());
        let totals = Body::alloc(Dims::from_slice(&shape[..shape.len() - 1]), dtype, device)?;
        // As in PyTorch, the result lies as the queries do.
        let out = if shape == bodies[0].shape { dense(&bodies[0])? } else { Body::alloc(shape, dtype, device)? };
        let attention = self.description(mask, &bodies)?;
        backend::of(device)?.attention(&attention, bodies.each_ref(), &out, &totals)?;
        let (out, totals) = (Tensor::from_body(out), Tensor::from_body(totals));
        let recorded = Recorded {
            name: "ScaledDotProductFlashAttentionForCpuBackward0",
            inputs: &inputs.map(Some),
            saved: &[Some(inputs[0]), Some(inputs[1]), Some(inputs[2]), mask, Some(&totals)],
            outputs: &[&out],
            saves_outputs: true,
        };
        recorded.with(move |seen, grads, _| match &grads[0] {
            Some(grad) => self.grads(grad, seen),
            None => Ok(smallvec![None; 3]),
        })?;
        Ok(out)
    }

    /// What the kernel is told.
    fn description(self, mask: Option<&Tensor>, [query, key, _]: &[Body; 3]) -> Result<Attention> {
        let mut scores = query.shape.clone();
        let last = scores.len() - 1;
        scores[last] = key.shape[last - 1];
        let mask = mask.map(|mask| expanded(OP, &mask.body(), &scores)).transpose()?;
        Ok(Attention { scale: self.scale, causal: self.causal, mask })
    }

    fn grads(self, grad: &Tensor, seen: &Seen) -> Result<Grads> {
        let [Some(query), Some(key), Some(value), mask, Some(totals), Some(out)] = &seen[..] else {
            return Ok(smallvec![None; 3]);
        };
        if is_grad_enabled() {
            return composed::grads(grad, [query, key, value], mask.as_ref(), self.causal, self.scale);
        }
        let bodies = [query, key, value].map(Tensor::body);
        let grads = [dense(&bodies[0])?, dense(&bodies[1])?, dense(&bodies[2])?];
        backend::of(query.device())?.attention_grad(
            &self.description(mask.as_ref(), &bodies)?,
            &with_columns(grad)?,
            bodies.each_ref(),
            [&out.body(), &totals.body()],
            grads.each_ref(),
        )?;
        Ok(grads.into_iter().map(|grad| Some(Tensor::from_body(grad))).collect())
    }
}

/// A body whose columns are neighbours in memory.
fn with_columns(x: &Tensor) -> Result<Body> {
    let body = x.body();
    if body.strides.last() == Some(&1) { Ok(body) } else { Ok(x.detach().contiguous_copy()?.body()) }
}

/// Fresh memory for the shape of `like`, in the order of its dimensions if columns are neighbours there.
fn dense(like: &Body) -> Result<Body> {
    let strides = preserved_strides(like).filter(|strides| strides.last() == Some(&1));
    Body::alloc_in(like.shape.clone(), strides, like.dtype, like.device())
}
