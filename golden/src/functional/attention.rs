//! Attention.

use super::{Args, operations};
use crate::Out;
use firebrick::nn::functional as F;
use firebrick::{AttentionOptions, Tensor};

operations! { ROWS;
    "nn.functional.scaled_dot_product_attention" |a| attention(a)?;
    "nn.functional.multi_head_attention_forward" |a| heads(a)?;
}

fn attention(a: &mut Args) -> Out<Tensor> {
    // The samples drop weights after this seed.
    firebrick::manual_seed(42);
    let (query, key, value) = (a.x()?, a.tensor("key")?, a.tensor("value")?);
    let mask = a.maybe_tensor("attn_mask")?;
    let mut options = AttentionOptions::new().dropout_p(a.float_or("dropout_p", 0.0)?).is_causal(a.flag("is_causal")?);
    options.attn_mask = mask.as_ref();
    options.scale = a.maybe_float("scale")?;
    Ok(query.scaled_dot_product_attention(&key, &value, &options.enable_gqa(a.flag("enable_gqa")?))?)
}

fn heads(a: &mut Args) -> Out<(Tensor, Option<Tensor>)> {
    // As above.
    firebrick::manual_seed(42);
    let (query, key, value) = (a.x()?, a.tensor("key")?, a.tensor("value")?);
    let (embed, heads) = (a.int("embed_dim_to_check")? as usize, a.int("num_heads")? as usize);
    let first = ["in_proj_weight", "in_proj_bias", "bias_k", "bias_v"];
    let [in_weight, in_bias, bias_k, bias_v] = maybe_tensors(a, first)?;
    let (zeros, dropout) = (a.bool("add_zero_attn")?, a.float("dropout_p")?);
    let (out_weight, [out_bias]) = (a.tensor("out_proj_weight")?, maybe_tensors(a, ["out_proj_bias"])?);
    let mut options = F::MultiHeadAttentionOptions::new().add_zero_attn(zeros).dropout_p(dropout);
    options = options.training(a.bool_or("training", true)?);
    let [padding] = maybe_tensors(a, ["key_padding_mask"])?;
    options = options.need_weights(a.bool_or("need_weights", true)?);
    let [mask] = maybe_tensors(a, ["attn_mask"])?;
    options = options.use_separate_proj_weight(a.flag("use_separate_proj_weight")?);
    let rest = ["q_proj_weight", "k_proj_weight", "v_proj_weight", "static_k", "static_v"];
    let [q_weight, k_weight, v_weight, static_k, static_v] = maybe_tensors(a, rest)?;
    options = options.average_attn_weights(a.bool_or("average_attn_weights", true)?).is_causal(a.flag("is_causal")?);
    let options = F::MultiHeadAttentionOptions {
        in_proj_weight: in_weight.as_ref(),
        in_proj_bias: in_bias.as_ref(),
        q_proj_weight: q_weight.as_ref(),
        k_proj_weight: k_weight.as_ref(),
        v_proj_weight: v_weight.as_ref(),
        bias_k: bias_k.as_ref(),
        bias_v: bias_v.as_ref(),
        out_proj_bias: out_bias.as_ref(),
        static_k: static_k.as_ref(),
        static_v: static_v.as_ref(),
        key_padding_mask: padding.as_ref(),
        attn_mask: mask.as_ref(),
        ..options
    };
    Ok(F::multi_head_attention_forward(&query, &key, &value, embed, heads, &out_weight, &options)?)
}

fn maybe_tensors<const N: usize>(a: &mut Args, names: [&str; N]) -> Out<[Option<Tensor>; N]> {
    let mut found = [const { None }; N];
    for (place, name) in found.iter_mut().zip(names) {
        *place = a.maybe_tensor(name)?;
    }
    Ok(found)
}
