//! Attention of several heads, from the projection of its input to that of its output.

mod checks;
mod masks;
mod sources;

pub(crate) use masks::canonical_mask;

use crate::options::options;
use checks::{check_ranks, check_sizes, expect, refuse};
use firebrick_core::{AttentionOptions, Result, Tensor};
use masks::{masks, pair_mask};
use sources::Sources;

const OP: &str = "multi_head_attention_forward";

options! {
    /// Parameters, masks and wishes of [`multi_head_attention_forward`].
    ///
    /// ```
    /// use firebrick::nn::functional as F;
    /// use firebrick::prelude::*;
    /// // A query of zeros sees all keys alike.
    /// let (query, keys) = (Tensor::zeros([1, 2])?, Tensor::new([[1.0f32, 3.0], [3.0, 5.0]])?);
    /// let (stacked, one) = (Tensor::eye(2)?.repeat([3, 1])?, Tensor::eye(2)?);
    /// let attend = |options: F::MultiHeadAttentionOptions<'_>| {
    ///     F::multi_head_attention_forward(&query, &keys, &keys, 2, 1, &one, &options)
    /// };
    /// let output = |options: F::MultiHeadAttentionOptions<'_>| attend(options)?.0.to_vec::<f32>();
    /// let options = F::MultiHeadAttentionOptions::new().in_proj_weight(&stacked);
    /// assert_eq!(output(options)?, [2.0, 4.0]);
    /// // Biases: of queries, keys and values, and of the output.
    /// let (inner, outer) = (Tensor::new([0.0f32, 0.0, 0.0, 0.0, 10.0, 20.0])?, Tensor::new([10.0f32, 20.0])?);
    /// assert_eq!(output(options.in_proj_bias(&inner))?, [12.0, 24.0]);
    /// assert_eq!(output(options.out_proj_bias(&outer))?, [12.0, 24.0]);
    /// // What is not seen: the second key, the first of the pairs.
    /// let (padding, pairs) = (Tensor::new([false, true])?, Tensor::new([[true, false]])?);
    /// assert_eq!(output(options.key_padding_mask(&padding))?, [1.0, 3.0]);
    /// assert_eq!(output(options.attn_mask(&pairs))?, [3.0, 5.0]);
    /// // A third key beside the two, or one in their place.
    /// let (key, value) = (Tensor::zeros([1, 1, 2])?, Tensor::new([[[5.0f32, 4.0]]])?);
    /// assert_eq!(attend(options.add_zero_attn(true))?.0.to_string(), "tensor([[1.3333, 2.6667]])");
    /// assert_eq!(attend(options.bias_k(&key).bias_v(&value))?.0.round()?.to_vec::<f32>()?, [3.0, 4.0]);
    /// assert_eq!(output(options.static_k(&key).static_v(&value))?, [5.0, 4.0]);
    /// // Dropout, in training alone.
    /// assert_eq!(output(options.dropout_p(1.0))?, [0.0, 0.0]);
    /// assert_eq!(output(options.dropout_p(1.0).training(false))?, [2.0, 4.0]);
    /// // The weights: none, or those of each head.
    /// assert!(attend(options.need_weights(false))?.1.is_none());
    /// let weights = attend(options.average_attn_weights(false))?.1.expect("they are wanted");
    /// assert_eq!(weights.to_string(), "tensor([[[0.5000, 0.5000]]])");
    /// // A weight each, which lets keys and values have sizes of their own.
    /// let twice = one.mul(2)?;
    /// let separate = F::MultiHeadAttentionOptions::new().use_separate_proj_weight(true);
    /// let separate = separate.q_proj_weight(&one).k_proj_weight(&one).v_proj_weight(&twice);
    /// assert_eq!(output(separate)?, [4.0, 8.0]);
    /// // The first of two queries sees the first key.
    /// let (queries, causal) = (Tensor::zeros([2, 2])?, Tensor::new([[false, true], [false, false]])?);
    /// let options = options.attn_mask(&causal).is_causal(true);
    /// let (y, _) = F::multi_head_attention_forward(&queries, &keys, &keys, 2, 1, &one, &options)?;
    /// assert_eq!(y.to_vec::<f32>()?, [1.0, 3.0, 2.0, 4.0]);
    /// # Ok::<_, firebrick::Error>(())
    /// ```
    MultiHeadAttentionOptions [
        /// `[3 * embed_dim, embed_dim]`: what makes queries, keys and values of the input.
        in_proj_weight,
        /// `[3 * embed_dim]`: what is added to them.
        in_proj_bias,
        /// `[embed_dim, embed_dim]`: what makes queries, with `use_separate_proj_weight`.
        q_proj_weight,
        /// `[embed_dim, kdim]`: what makes keys, likewise.
        k_proj_weight,
        /// `[embed_dim, vdim]`: what makes values, likewise.
        v_proj_weight,
        /// `[1, 1, embed_dim]`: a key beside those of the input.
        bias_k,
        /// `[1, 1, embed_dim]`: its value.
        bias_v,
        /// `[embed_dim]`: what is added to the output.
        out_proj_bias,
        /// `[N * num_heads, S, embed_dim / num_heads]`: keys to use in the place of those made.
        static_k,
        /// `[N * num_heads, S, embed_dim / num_heads]`: values to use in the place of those made.
        static_v,
        /// `[N, S]` or `[S]`: truth values for keys that are not there, or numbers that are added to their scores.
        key_padding_mask,
        /// `[L, S]` or `[N * num_heads, L, S]`: truth values for pairs that do not see each other, or numbers that are
        /// added to their scores.
        attn_mask,
    ] {
        /// Is there a key of zeros with a value of zeros beside those of the input?
        add_zero_attn: bool = false,
        /// The share of weights that is dropped while training.
        dropout_p: f64 = 0.0,
        /// Is this training?
        training: bool = true,
        /// Are the weights wanted?
        need_weights: bool = true,
        /// Are they wanted averaged over the heads?
        average_attn_weights: bool = true,
        /// Is the mask of pairs the causal one? It then need not be looked at.
        is_causal: bool = false,
        /// Have queries, keys and values a weight of their own each?
        use_separate_proj_weight: bool = false,
    }
}

type Options<'t> = MultiHeadAttentionOptions<'t>;

/// Attention of several heads: what [`MultiheadAttention`](crate::MultiheadAttention) computes.
///
/// # Shapes
/// Query `[L, N, embed_dim]`, key `[S, N, kdim]`, value `[S, N, vdim]`, or all without `N`; output `[L, N, embed_dim]`
/// and, where wanted, the weights `[N, L, S]` (`[N, num_heads, L, S]` unless averaged).
///
/// # Errors
/// Sizes that do not fit, weights that are missing, in PyTorch's words.
///
/// ```
/// use firebrick::nn::functional as F;
/// use firebrick::prelude::*;
/// let x = Tensor::new([[1.0f32, 2.0], [1.0, 2.0]])?;
/// let (stacked, one) = (Tensor::eye(2)?.repeat([3, 1])?, Tensor::eye(2)?);
/// let options = F::MultiHeadAttentionOptions::new().in_proj_weight(&stacked);
/// let (y, weights) = F::multi_head_attention_forward(&x, &x, &x, 2, 1, &one, &options)?;
/// assert_eq!(y.to_vec::<f32>()?, [1.0, 2.0, 1.0, 2.0]);
/// assert_eq!(weights.map(|w| w.to_vec::<f32>()).transpose()?, Some(vec![0.5; 4]));
/// # Ok::<_, firebrick::Error>(())
/// ```
pub fn multi_head_attention_forward(
    query: &Tensor,
    key: &Tensor,
    value: &Tensor,
    embed_dim_to_check: usize,
    num_heads: usize,
    out_proj_weight: &Tensor,
    options: &MultiHeadAttentionOptions<'_>,
) -> Result<(Tensor, Option<Tensor>)> {
    let sizes = [embed_dim_to_check, num_heads];
    if check_ranks([query, key, value], num_heads, options)? {
        return attend([query, key, value], sizes, out_proj_weight, options);
    }
    let [q, k, v] = [query.unsqueeze(1)?, key.unsqueeze(1)?, value.unsqueeze(1)?];
    let padding = options.key_padding_mask.map(|mask| mask.unsqueeze(0)).transpose()?;
    let options = Options { key_padding_mask: padding.as_ref(), ..*options };
    let (output, weights) = attend([&q, &k, &v], sizes, out_proj_weight, &options)?;
    Ok((output.squeeze_dim(1)?, weights.map(|weights| weights.squeeze_dim(0)).transpose()?))
}

/// Queries, keys and values: `[L, N, embed_dim]` each.
fn projected([query, key, value]: [&Tensor; 3], options: &Options<'_>) -> Result<[Tensor; 3]> {
    let given = |weight: Option<&Tensor>, name: &str| match weight {
        Some(weight) => Ok(weight.clone()),
        None => {
            let separate = if options.use_separate_proj_weight { "True" } else { "False" };
            refuse(format!("use_separate_proj_weight is {separate} but {name} is None"))
        }
    };
    let weights = match options.use_separate_proj_weight {
        false => given(options.in_proj_weight, "in_proj_weight")?.chunk(3, 0)?,
        true => vec![
            given(options.q_proj_weight, "q_proj_weight")?,
            given(options.k_proj_weight, "k_proj_weight")?,
            given(options.v_proj_weight, "v_proj_weight")?,
        ],
    };
    let biases = match options.in_proj_bias {
        Some(bias) => bias.chunk(3, 0)?.into_iter().map(Some).collect(),
        None => vec![None; 3],
    };
    let ([wq, wk, wv], [bq, bk, bv]) = (&weights[..], &biases[..]) else {
        return refuse("the weight and the bias of the input do not consist of three parts");
    };
    Ok([query.linear(wq, bq.as_ref())?, key.linear(wk, bk.as_ref())?, value.linear(wv, bv.as_ref())?])
}

/// Attention of `[L, N, *]` inputs.
fn attend(
    inputs: [&Tensor; 3],
    sizes: [usize; 2],
    out_proj_weight: &Tensor,
    options: &Options<'_>,
) -> Result<(Tensor, Option<Tensor>)> {
    let (query, heads) = (inputs[0], sizes[1]);
    let (targets, batch, embed) = (query.size(0)?, query.size(1)?, query.size(2)?);
    let (pairs, padding, causal) = masks(query.dtype(), options)?;
    let head = check_sizes(inputs, sizes, options.use_separate_proj_weight)?;
    let [q, key, value] = projected(inputs, options)?;
    let pairs = pair_mask(pairs, [batch * heads, targets, inputs[1].size(0)?])?;
    let mut sources = Sources { key, value, pairs, padding };
    sources.push_bias(batch, options)?;
    let split = |x: &Tensor| x.reshape([x.size(0)?, batch * heads, head])?.transpose(0, 1);
    let chosen = |made: &Tensor, fixed: Option<&Tensor>, name: &str| match fixed {
        None => split(made),
        Some(fixed) => {
            for (dim, size) in [(0, batch * heads), (2, head)] {
                let got = fixed.size(dim)?;
                expect(got == size, || format!("expecting {name}.size({dim}) of {size}, but got {got}"))?;
            }
            Ok(fixed.clone())
        }
    };
    let q = split(&q)?;
    sources.key = chosen(&sources.key, options.static_k, "static_k")?;
    sources.value = chosen(&sources.value, options.static_v, "static_v")?;
    if options.add_zero_attn {
        let zeros = |x: &Tensor| x.detach().new_zeros([batch * heads, 1, head]);
        let (key, value) = (zeros(&sources.key)?, zeros(&sources.value)?);
        sources.push(&key, &value, 1)?;
    }
    let mask = sources.mask([batch, heads])?;
    let (found, weights) = weighed(&q, &sources, mask.as_ref(), causal, options)?;
    let output = found.transpose(0, 1)?.reshape([targets, batch, embed])?;
    let output = output.linear(out_proj_weight, options.out_proj_bias)?;
    let Some(weights) = weights else { return Ok((output, None)) };
    let weights = weights.reshape([batch, heads, targets, sources.key.size(1)?])?;
    let weights = if options.average_attn_weights { weights.mean_dim(1, false)? } else { weights };
    Ok((output, Some(weights)))
}

/// What each head finds, with its weights where they are wanted.
fn weighed(
    q: &Tensor,
    sources: &Sources,
    mask: Option<&Tensor>,
    causal: bool,
    options: &Options<'_>,
) -> Result<(Tensor, Option<Tensor>)> {
    let dropout_p = if options.training { options.dropout_p } else { 0.0 };
    if !options.need_weights {
        let attention = AttentionOptions { attn_mask: mask, dropout_p, is_causal: causal, ..Default::default() };
        return Ok((q.scaled_dot_product_attention(&sources.key, &sources.value, &attention)?, None));
    }
    let scaled = q.mul((1.0 / q.size(-1)? as f64).sqrt())?;
    let mut scores = scaled.bmm(&sources.key.transpose(-2, -1)?)?;
    if let Some(mask) = mask {
        scores = scores.add(mask)?;
    }
    let mut weights = scores.softmax(-1)?;
    if dropout_p > 0.0 {
        weights = weights.dropout(dropout_p, true)?;
    }
    Ok((weights.bmm(&sources.value)?, Some(weights)))
}
