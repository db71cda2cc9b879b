//! Multi-head attention.

use super::placement::placement;
use crate::call::standing_in;
use crate::functional::{MultiHeadAttentionOptions, canonical_mask, multi_head_attention_forward};
use crate::{Args, Core, Custom, Forward, Linear, Module, init};
use firebrick_core::{DType, Device, Error, Parameter, Result, Tensor, TensorOptions, default_device, default_dtype};

const OP: &str = "MultiheadAttention";

/// Attention of several heads: queries, keys and values are projected, each head attends by itself, and what the heads
/// found is projected together.
///
/// Vaswani et al., *Attention Is All You Need* (2017). Parameters start as PyTorch 2.15 draws them. Its fused kernel, which
/// runs in evaluation mode while nothing is recorded, takes `is_causal` without a mask for no mask, where this is the error
/// that it is while training, and gives NaN for a query that sees no key, where this gives zeros unless weights are wanted.
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

/// Options of a [`MultiheadAttention`]; [`MultiheadAttention::builder`] shows them.
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
///
/// ```
/// use firebrick::prelude::*;
/// let attention = nn::MultiheadAttention::builder(4, 2).batch_first(true).build()?;
/// let x = Tensor::ones([1, 2, 4])?;
/// let call = nn::AttentionCall::new()
///     .key_padding_mask(Tensor::new([[false, true]])?)
///     .need_weights(true)
///     .average_attn_weights(false);
/// let (_, weights) = attention.call((&x, &x, &x, call))?;
/// let weights = weights.expect("they were wanted");
/// assert_eq!(weights.shape(), [1, 2, 2, 2]); // of two heads
/// assert_eq!(weights.to_vec::<f32>()?, [1.0, 0.0, 1.0, 0.0, 1.0, 0.0, 1.0, 0.0]);
/// # Ok::<_, firebrick::Error>(())
/// ```
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
    /// Is the mask the causal one? Then it is not looked at, unless weights are wanted or keys are not there.
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

    /// Keys that are not there; all are unless set.
    pub fn key_padding_mask(mut self, mask: Tensor) -> Self {
        self.key_padding_mask = Some(mask);
        self
    }

    /// Are the weights wanted? They are unless set.
    pub fn need_weights(mut self, on: bool) -> Self {
        self.need_weights = on;
        self
    }

    /// Pairs that do not see each other; all do unless set.
    ///
    /// ```
    /// use firebrick::prelude::*;
    /// let attention = nn::MultiheadAttention::new(4, 2)?;
    /// let x = Tensor::ones([2, 4])?;
    /// let causal = nn::AttentionCall::new().attn_mask(Tensor::new([[false, true], [false, false]])?).is_causal(true);
    /// let (_, weights) = attention.call((&x, &x, &x, causal))?;
    /// assert_eq!(weights.map(|w| w.to_vec::<f32>()).transpose()?, Some(vec![1.0, 0.0, 0.5, 0.5]));
    /// # Ok::<_, firebrick::Error>(())
    /// ```
    pub fn attn_mask(mut self, mask: Tensor) -> Self {
        self.attn_mask = Some(mask);
        self
    }

    /// Are the weights wanted averaged over the heads? They are unless set.
    pub fn average_attn_weights(mut self, on: bool) -> Self {
        self.average_attn_weights = on;
        self
    }

    /// Is the mask the causal one? It is looked at unless set.
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
    ///
    /// ```
    /// use firebrick::prelude::*;
    /// let attention = nn::MultiheadAttention::builder(4, 2)
    ///     .dropout(0.1)
    ///     .bias(true)
    ///     .add_bias_kv(true)
    ///     .add_zero_attn(true)
    ///     .kdim(3)
    ///     .vdim(5)
    ///     .batch_first(true)
    ///     .dtype(DType::F64)
    ///     .device(Device::Cpu)
    ///     .build()?;
    /// assert_eq!(attention.get_parameter("k_proj_weight")?.shape()?, [4, 3]);
    /// assert_eq!(attention.get_parameter("v_proj_weight")?.shape()?, [4, 5]);
    /// # Ok::<_, firebrick::Error>(())
    /// ```
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
            device: default_device(),
        }
    }

    /// Draws new values for the projections of the input; biases are zero.
    ///
    /// # Errors
    /// When memory cannot be written.
    ///
    /// ```
    /// use firebrick::prelude::*;
    /// let attention = nn::MultiheadAttention::new(4, 2)?;
    /// let weight = attention.get_parameter("in_proj_weight")?;
    /// let before = weight.to_vec::<f32>()?;
    /// attention.reset_parameters()?;
    /// assert_ne!(weight.to_vec::<f32>()?, before);
    /// # Ok::<_, firebrick::Error>(())
    /// ```
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

    /// Does the batch come first, rather than the sequence?
    pub fn batch_first(&self) -> bool {
        self.config.batch_first
    }

    /// How many heads there are.
    ///
    /// ```
    /// use firebrick::prelude::*;
    /// assert_eq!(nn::MultiheadAttention::new(4, 2)?.num_heads(), 2);
    /// # Ok::<_, firebrick::Error>(())
    /// ```
    pub fn num_heads(&self) -> usize {
        self.config.num_heads
    }
}

impl MultiheadAttentionBuilder {
    /// The share of weights that is dropped while training; 0 unless set.
    pub fn dropout(mut self, p: f64) -> Self {
        self.dropout = p;
        self
    }

    /// Do the projections have biases? They do by default.
    pub fn bias(mut self, bias: bool) -> Self {
        self.bias = bias;
        self
    }

    /// Is there a trained key with its value beside those of the input? There is none unless set.
    pub fn add_bias_kv(mut self, on: bool) -> Self {
        self.add_bias_kv = on;
        self
    }

    /// Is there a key of zeros with a value of zeros beside those of the input? There is none unless set.
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

    placement!(MultiheadAttention::builder(4, 2));

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

impl Forward<(Tensor, Tensor, Tensor, AttentionCall), (Tensor, Option<Tensor>)> for MultiheadAttention {
    fn forward(
        &self,
        (query, key, value, call): (Tensor, Tensor, Tensor, AttentionCall),
    ) -> Result<(Tensor, Option<Tensor>)> {
        let (pairs, padding) = (call.attn_mask.as_ref(), call.key_padding_mask.as_ref());
        let other = pairs.map(|mask| ("attn_mask", mask));
        let padding = canonical_mask("key_padding_mask", padding, other, query.dtype())?;
        let pairs = canonical_mask("attn_mask", pairs, None, query.dtype())?;
        let turn = self.config.batch_first && query.dim() == 3;
        let turned = |x: &Tensor| if turn { x.transpose(1, 0) } else { Ok(x.clone()) };
        let [query, key, value] = [turned(&query)?, turned(&key)?, turned(&value)?];
        let options = MultiHeadAttentionOptions {
            in_proj_weight: self.in_proj_weight.as_deref(),
            in_proj_bias: self.in_proj_bias.as_deref(),
            q_proj_weight: self.q_proj_weight.as_deref(),
            k_proj_weight: self.k_proj_weight.as_deref(),
            v_proj_weight: self.v_proj_weight.as_deref(),
            bias_k: self.bias_k.as_deref(),
            bias_v: self.bias_v.as_deref(),
            out_proj_bias: self.out_proj.bias.as_deref(),
            key_padding_mask: padding.as_ref(),
            attn_mask: pairs.as_ref(),
            add_zero_attn: self.config.add_zero_attn,
            dropout_p: self.config.dropout,
            training: self.is_training(),
            need_weights: call.need_weights,
            average_attn_weights: call.average_attn_weights,
            is_causal: call.is_causal,
            use_separate_proj_weight: self.in_proj_weight.is_none(),
            ..MultiHeadAttentionOptions::new()
        };
        let (embed, heads) = (self.config.embed_dim, self.config.num_heads);
        // PyTorch reads the parameters of `out_proj` without calling it: its hooks do not run.
        let (output, weights) = standing_in(&self.out_proj, || {
            multi_head_attention_forward(&query, &key, &value, embed, heads, &self.out_proj.weight, &options)
        })?;
        Ok((turned(&output)?, weights))
    }
}

impl Forward<(Tensor, Tensor, Tensor), (Tensor, Option<Tensor>)> for MultiheadAttention {
    fn forward(&self, (query, key, value): (Tensor, Tensor, Tensor)) -> Result<(Tensor, Option<Tensor>)> {
        self.forward((query, key, value, AttentionCall::new()))
    }
}

impl Custom for MultiheadAttention {}
