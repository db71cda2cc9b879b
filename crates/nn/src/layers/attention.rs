//! Multi-head attention.

use crate::{Args, Call, Core, Custom, Forward, Linear, Module, init};
use firebrick_core::{
    AttentionOptions, DType, Device, Dims, Error, Parameter, Result, Tensor, TensorOptions, default_dtype,
};

const OP: &str = "MultiheadAttention";

/// Attention of several heads: queries, keys and values are projected, each head attends by itself, and what the heads
/// found is projected together.
///
/// Vaswani et al., *Attention Is All You Need* (2017). Parameters start as PyTorch 2.15 draws them.
///
/// # Shapes
/// Query `[L, N, embed_dim]`, key `[S, N, kdim]`, value `[S, N, vdim]`, the batch first with `batch_first`, or all without
/// `N`. Output `[L, N, embed_dim]` and, where wanted, the weights `[N, L, S]`, averaged over heads.
///
/// # Errors
/// Sizes that do not fit, in PyTorch's words.
///
/// ```
/// use firebrick::prelude::*;
/// let attention = nn::MultiheadAttention::new(4, 2)?;
/// let x = Tensor::ones([3, 1, 4])?;
/// let (output, weights) = attention.call((&x, &x, &x))?;
/// assert_eq!(output.shape(), [3, 1, 4]);
/// assert_eq!(weights.map(|w| w.shape().to_vec()), Some(vec![1, 3, 3]));
/// # Ok::<_, firebrick::Error>(())
/// ```
#[derive(Module)]
#[module(custom)]
pub struct MultiheadAttention {
    core: Core,
    /// `[embed_dim, embed_dim]`, where keys or values have a size of their own.
    pub q_proj_weight: Option<Parameter>,
    /// `[embed_dim, kdim]`, likewise.
    pub k_proj_weight: Option<Parameter>,
    /// `[embed_dim, vdim]`, likewise.
    pub v_proj_weight: Option<Parameter>,
    /// `[3 * embed_dim, embed_dim]`, where they have not.
    pub in_proj_weight: Option<Parameter>,
    /// `[3 * embed_dim]`.
    pub in_proj_bias: Option<Parameter>,
    /// `[1, 1, embed_dim]`: a key beside those of the input.
    pub bias_k: Option<Parameter>,
    /// `[1, 1, embed_dim]`: its value.
    pub bias_v: Option<Parameter>,
    /// What joins the heads.
    pub out_proj: Linear,
    #[module(skip)]
    config: MultiheadAttentionBuilder,
}

/// Options of a [`MultiheadAttention`].
#[derive(Clone, Debug)]
pub struct MultiheadAttentionBuilder {
    embed_dim: usize,
    num_heads: usize,
    dropout: f64,
    bias: bool,
    add_bias_kv: bool,
    add_zero_attn: bool,
    kdim: Option<usize>,
    vdim: Option<usize>,
    batch_first: bool,
    dtype: DType,
    device: Device,
}

/// Masks and wishes of one call.
#[derive(Args, Clone, Debug)]
pub struct AttentionCall {
    /// `[N, S]` or `[S]`: truth values for keys that are not there, or numbers that are added to their scores.
    pub key_padding_mask: Option<Tensor>,
    /// Are the weights wanted?
    pub need_weights: bool,
    /// `[L, S]` or `[N * num_heads, L, S]`: truth values for pairs that do not see each other, or numbers that are added.
    pub attn_mask: Option<Tensor>,
    /// Are they wanted averaged over the heads?
    pub average_attn_weights: bool,
    /// Is the mask the causal one? A hint.
    pub is_causal: bool,
}

impl Default for AttentionCall {
    fn default() -> Self {
        AttentionCall {
            key_padding_mask: None,
            need_weights: true,
            attn_mask: None,
            average_attn_weights: true,
            is_causal: false,
        }
    }
}

impl AttentionCall {
    /// No masks; weights averaged over the heads.
    pub fn new() -> Self {
        Self::default()
    }

    /// Keys that are not there.
    pub fn key_padding_mask(mut self, mask: Tensor) -> Self {
        self.key_padding_mask = Some(mask);
        self
    }

    /// Are the weights wanted?
    pub fn need_weights(mut self, on: bool) -> Self {
        self.need_weights = on;
        self
    }

    /// Pairs that do not see each other.
    pub fn attn_mask(mut self, mask: Tensor) -> Self {
        self.attn_mask = Some(mask);
        self
    }

    /// Are the weights wanted averaged over the heads?
    pub fn average_attn_weights(mut self, on: bool) -> Self {
        self.average_attn_weights = on;
        self
    }

    /// Is the mask the causal one?
    pub fn is_causal(mut self, on: bool) -> Self {
        self.is_causal = on;
        self
    }
}

impl MultiheadAttention {
    /// Attention of `num_heads` heads that share `embed_dim` numbers.
    ///
    /// # Errors
    /// Heads that do not divide the numbers.
    pub fn new(embed_dim: usize, num_heads: usize) -> Result<Self> {
        Self::builder(embed_dim, num_heads).build()
    }

    /// A layer with options.
    pub fn builder(embed_dim: usize, num_heads: usize) -> MultiheadAttentionBuilder {
        MultiheadAttentionBuilder {
            embed_dim,
            num_heads,
            dropout: 0.0,
            bias: true,
            add_bias_kv: false,
            add_zero_attn: false,
            kdim: None,
            vdim: None,
            batch_first: false,
            dtype: default_dtype(),
            device: Device::Cpu,
        }
    }

    /// Draws new values for the projections of the input; biases are zero.
    ///
    /// # Errors
    /// When memory cannot be written.
    pub fn reset_parameters(&self) -> Result<()> {
        let weights = [&self.in_proj_weight, &self.q_proj_weight, &self.k_proj_weight, &self.v_proj_weight];
        for weight in weights.into_iter().flatten() {
            init::xavier_uniform_(weight, 1.0)?;
        }
        if let (Some(bias), Some(out)) = (&self.in_proj_bias, &self.out_proj.bias) {
            init::zeros_(bias)?;
            init::zeros_(out)?;
        }
        for bias in [&self.bias_k, &self.bias_v].into_iter().flatten() {
            init::xavier_normal_(bias, 1.0)?;
        }
        Ok(())
    }

    /// Query, key and value as the heads see them: `[L, N, embed_dim]` each.
    fn projected(&self, [query, key, value]: [&Tensor; 3]) -> Result<[Tensor; 3]> {
        let biases = match &self.in_proj_bias {
            Some(bias) => bias.chunk(3, 0)?.into_iter().map(Some).collect(),
            None => vec![None; 3],
        };
        let weights = match &self.in_proj_weight {
            Some(weight) => weight.chunk(3, 0)?,
            None => [&self.q_proj_weight, &self.k_proj_weight, &self.v_proj_weight]
                .into_iter()
                .flatten()
                .map(|weight| (**weight).clone())
                .collect(),
        };
        let ([wq, wk, wv], [bq, bk, bv]) = (&weights[..], &biases[..]) else {
            return Err(Error::runtime(OP, "the projections of the input are gone"));
        };
        Ok([query.linear(wq, bq.as_ref())?, key.linear(wk, bk.as_ref())?, value.linear(wv, bv.as_ref())?])
    }

    /// `[L, N, embed_dim]` as `[N * heads, L, head size]`.
    fn split(&self, x: &Tensor, batch: usize) -> Result<Tensor> {
        let head = self.config.embed_dim / self.config.num_heads;
        x.reshape([x.size(0)?, batch * self.config.num_heads, head])?.transpose(0, 1)
    }
}

impl MultiheadAttentionBuilder {
    /// The share of weights that is dropped while training.
    pub fn dropout(mut self, p: f64) -> Self {
        self.dropout = p;
        self
    }

    /// Do the projections have biases? They do by default.
    pub fn bias(mut self, bias: bool) -> Self {
        self.bias = bias;
        self
    }

    /// Is there a trained key with its value beside those of the input?
    pub fn add_bias_kv(mut self, on: bool) -> Self {
        self.add_bias_kv = on;
        self
    }

    /// Is there a key of zeros with a value of zeros beside those of the input?
    pub fn add_zero_attn(mut self, on: bool) -> Self {
        self.add_zero_attn = on;
        self
    }

    /// Features of the keys; `embed_dim` unless set.
    pub fn kdim(mut self, size: usize) -> Self {
        self.kdim = Some(size);
        self
    }

    /// Features of the values; `embed_dim` unless set.
    pub fn vdim(mut self, size: usize) -> Self {
        self.vdim = Some(size);
        self
    }

    /// Does the batch come first, rather than the sequence?
    pub fn batch_first(mut self, on: bool) -> Self {
        self.batch_first = on;
        self
    }

    /// The dtype of the parameters.
    pub fn dtype(mut self, dtype: DType) -> Self {
        self.dtype = dtype;
        self
    }

    /// The device of the parameters.
    pub fn device(mut self, device: Device) -> Self {
        self.device = device;
        self
    }

    /// The layer.
    ///
    /// # Errors
    /// Sizes of zero; heads that do not divide the numbers.
    pub fn build(self) -> Result<MultiheadAttention> {
        let (embed, heads) = (self.embed_dim, self.num_heads);
        if embed == 0 || heads == 0 {
            return Err(Error::value(
                OP,
                format!(
                    "embed_dim and num_heads must be greater than 0, got embed_dim={embed} and num_heads={heads} instead"
                ),
            ));
        }
        if !embed.is_multiple_of(heads) {
            return Err(Error::value(OP, "embed_dim must be divisible by num_heads"));
        }
        let options = TensorOptions::new().dtype(self.dtype).device(self.device);
        let parameter = |wanted: bool, shape: &[usize]| {
            wanted.then(|| Tensor::empty_with(shape, options).map(Parameter::new)).transpose()
        };
        let (kdim, vdim) = (self.kdim.unwrap_or(embed), self.vdim.unwrap_or(embed));
        let separate = kdim != embed || vdim != embed;
        let mut out_proj =
            Linear::builder(embed, embed).bias(self.bias).dtype(self.dtype).device(self.device).build()?;
        // PyTorch's subclass of `Linear` that its quantization leaves alone.
        if let Some(core) = out_proj.core_mut() {
            core.rename(Some("NonDynamicallyQuantizableLinear".to_owned()));
        }
        let layer = MultiheadAttention {
            core: Core::new(),
            q_proj_weight: parameter(separate, &[embed, embed])?,
            k_proj_weight: parameter(separate, &[embed, kdim])?,
            v_proj_weight: parameter(separate, &[embed, vdim])?,
            in_proj_weight: parameter(!separate, &[embed.saturating_mul(3), embed])?,
            in_proj_bias: parameter(self.bias, &[embed.saturating_mul(3)])?,
            bias_k: parameter(self.add_bias_kv, &[1, 1, embed])?,
            bias_v: parameter(self.add_bias_kv, &[1, 1, embed])?,
            out_proj,
            config: self,
        };
        layer.reset_parameters()?;
        Ok(layer)
    }
}

/// A mask as numbers that are added to the scores.
fn additive(name: &str, mask: &Tensor, dtype: DType) -> Result<Tensor> {
    match mask.dtype() {
        DType::Bool => Tensor::zeros_with(mask.shape(), dtype)?.to(mask.device())?.masked_fill(mask, f64::NEG_INFINITY),
        _ if mask.is_floating_point() => Ok(mask.clone()),
        _ => Err(Error::value(OP, format!("only bool and floating types of {name} are supported"))),
    }
}

/// A mask for `count` further keys, which are seen.
fn with_further(mask: Option<Tensor>, count: i64) -> Result<Option<Tensor>> {
    mask.map(|mask| mask.constant_pad_nd([0, count], 0)).transpose()
}

impl MultiheadAttention {
    /// The mask of pairs as `[1 or N * heads, L, S]`.
    fn pair_mask(&self, call: &AttentionCall, query: &Tensor, sizes: [usize; 3]) -> Result<Option<Tensor>> {
        let [targets, batch, sources] = sizes;
        let Some(mask) = &call.attn_mask else {
            return match call.is_causal {
                true => Err(Error::runtime(
                    OP,
                    "Need attn_mask if specifying the is_causal hint. You may use the Transformer module method `generate_square_subsequent_mask` to create this mask.",
                )),
                false => Ok(None),
            };
        };
        let mask = additive("attn_mask", mask, query.dtype())?;
        let heads = batch * self.config.num_heads;
        let (rank, shape) = (mask.dim(), mask.shape());
        let expected = match rank {
            2 => Dims::from([targets, sources]),
            3 => Dims::from([heads, targets, sources]),
            _ => return Err(Error::runtime(OP, format!("attn_mask's dimension {rank} is not supported"))),
        };
        if shape != expected {
            let sizes: Vec<i64> = expected.iter().map(|&size| size as i64).collect();
            let text = format!(
                "The shape of the {rank}D attn_mask is {shape}, but should be {}.",
                firebrick_core::text::python_tuple(&sizes)
            );
            return Err(Error::runtime(OP, text));
        }
        if rank == 2 { mask.unsqueeze(0).map(Some) } else { Ok(Some(mask)) }
    }

    /// Both masks in one.
    fn joined_mask(&self, pairs: Option<Tensor>, keys: Option<Tensor>, batch: usize) -> Result<Option<Tensor>> {
        let Some(keys) = keys else { return Ok(pairs) };
        let sources = keys.size(-1)?;
        let heads = self.config.num_heads;
        let wide = keys.reshape([batch, 1, 1, sources])?.expand([batch, heads, 1, sources])?;
        let keys = wide.reshape([batch * heads, 1, sources])?;
        match pairs {
            Some(pairs) => pairs.add(&keys).map(Some),
            None => Ok(Some(keys)),
        }
    }

    /// Attention of `[L, N, *]` inputs.
    fn attend(&self, inputs: [&Tensor; 3], call: &AttentionCall) -> Result<(Tensor, Option<Tensor>)> {
        let config = &self.config;
        let query = inputs[0];
        let (targets, batch, embed) = (query.size(0)?, query.size(1)?, query.size(2)?);
        if embed != config.embed_dim {
            let text = format!("was expecting embedding dimension of {}, but got {embed}", config.embed_dim);
            return Err(Error::value(OP, text));
        }
        let mut pairs = self.pair_mask(call, query, [targets, batch, inputs[1].size(0)?])?;
        let keys = call.key_padding_mask.as_ref();
        let mut padding = keys.map(|mask| additive("key_padding_mask", mask, query.dtype())).transpose()?;
        let [q, mut k, mut v] = self.projected(inputs)?;
        let mut further = 0;
        if let (Some(bias_k), Some(bias_v)) = (&self.bias_k, &self.bias_v) {
            k = Tensor::cat(&[k, bias_k.repeat([1, batch as i64, 1])?], 0)?;
            v = Tensor::cat(&[v, bias_v.repeat([1, batch as i64, 1])?], 0)?;
            further += 1;
        }
        let (q, mut k, mut v) = (self.split(&q, batch)?, self.split(&k, batch)?, self.split(&v, batch)?);
        if config.add_zero_attn {
            let zeros = k.detach().new_zeros([k.size(0)?, 1, k.size(2)?])?;
            (k, v) = (Tensor::cat(&[k, zeros.clone()], 1)?, Tensor::cat(&[v, zeros], 1)?);
            further += 1;
        }
        if further > 0 {
            (pairs, padding) = (with_further(pairs, further)?, with_further(padding, further)?);
        }
        let mask = self.joined_mask(pairs, padding, batch)?;
        let dropout = if self.is_training() { config.dropout } else { 0.0 };
        let (found, weights) = match call.need_weights {
            true => weighed(&q, &k, &v, mask.as_ref(), dropout)?,
            false => {
                let options = AttentionOptions { attn_mask: mask.as_ref(), dropout_p: dropout, ..Default::default() };
                (q.scaled_dot_product_attention(&k, &v, &options)?, None)
            }
        };
        let output = self.out_proj.call(found.transpose(0, 1)?.reshape([targets, batch, embed])?)?;
        let Some(weights) = weights else { return Ok((output, None)) };
        let weights = weights.reshape([batch, config.num_heads, targets, k.size(1)?])?;
        let weights = if call.average_attn_weights { weights.mean_dim(1, false)? } else { weights };
        Ok((output, Some(weights)))
    }
}

/// Attention that tells its weights.
fn weighed(
    q: &Tensor,
    k: &Tensor,
    v: &Tensor,
    mask: Option<&Tensor>,
    dropout: f64,
) -> Result<(Tensor, Option<Tensor>)> {
    let scaled = q.mul((1.0 / q.size(-1)? as f64).sqrt())?;
    let mut scores = scaled.bmm(&k.transpose(-2, -1)?)?;
    if let Some(mask) = mask {
        scores = scores.add(mask)?;
    }
    let mut weights = scores.softmax(-1)?;
    if dropout > 0.0 {
        weights = weights.dropout(dropout, true)?;
    }
    Ok((weights.bmm(v)?, Some(weights)))
}

/// Refuses ranks that do not go together.
fn check_ranks([query, key, value]: [&Tensor; 3]) -> Result<bool> {
    let (q, k, v) = (query.dim(), key.dim(), value.dim());
    let kind = match q {
        3 => "batched (3-D)",
        2 => "unbatched (2-D)",
        _ => {
            let text = format!("query should be unbatched 2D or batched 3D tensor but received {q}-D query tensor");
            return Err(Error::value(OP, text));
        }
    };
    if k != q || v != q {
        let text = format!(
            "For {kind} `query`, expected `key` and `value` to be {q}-D but found {k}-D and {v}-D tensors respectively"
        );
        return Err(Error::value(OP, text));
    }
    Ok(q == 3)
}

impl Forward<(Tensor, Tensor, Tensor, AttentionCall), (Tensor, Option<Tensor>)> for MultiheadAttention {
    fn forward(
        &self,
        (query, key, value, call): (Tensor, Tensor, Tensor, AttentionCall),
    ) -> Result<(Tensor, Option<Tensor>)> {
        let inputs = [&query, &key, &value];
        if !check_ranks(inputs)? {
            let batched = |x: &Tensor| x.unsqueeze(1);
            let [q, k, v] = [batched(&query)?, batched(&key)?, batched(&value)?];
            let mask = call.key_padding_mask.as_ref().map(|mask| mask.unsqueeze(0)).transpose()?;
            let call = AttentionCall { key_padding_mask: mask, ..call };
            let (output, weights) = self.attend([&q, &k, &v], &call)?;
            let weights = weights.map(|weights| weights.squeeze_dim(0)).transpose()?;
            return Ok((output.squeeze_dim(1)?, weights));
        }
        if !self.config.batch_first {
            return self.attend(inputs, &call);
        }
        let turned = |x: &Tensor| x.transpose(0, 1);
        let (output, weights) = self.attend([&turned(&query)?, &turned(&key)?, &turned(&value)?], &call)?;
        Ok((turned(&output)?, weights))
    }
}

impl Forward<(Tensor, Tensor, Tensor), (Tensor, Option<Tensor>)> for MultiheadAttention {
    fn forward(&self, (query, key, value): (Tensor, Tensor, Tensor)) -> Result<(Tensor, Option<Tensor>)> {
        self.forward((query, key, value, AttentionCall::new()))
    }
}

impl Custom for MultiheadAttention {}
