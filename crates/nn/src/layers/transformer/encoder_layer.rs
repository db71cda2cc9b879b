//! One layer of an encoder.

use super::config::{Config, shared_options};
use super::{Activation, TransformerEncoderLayerCall};
use crate::functional::canonical_mask;
use crate::{AttentionCall, Call, Core, Dropout, Forward, LayerNorm, Linear, Module, MultiheadAttention};
use firebrick_core::{Result, Tensor};

/// Self-attention and two linear maps with a function between, each added to its input and normalized.
///
/// `x = norm1(x + attention(x)); y = norm2(x + linear2(activation(linear1(x))))`, or with `norm_first`
/// `x = x + attention(norm1(x)); y = x + linear2(activation(linear1(norm2(x))))`. Vaswani et al., *Attention Is All You
/// Need* (2017); Xiong et al., *On Layer Normalization in the Transformer Architecture* (2020). Parameters and dropout are
/// drawn as PyTorch 2.15 draws them.
///
/// PyTorch runs a fused kernel in evaluation mode while nothing is recorded. Here the layers run either way. Where PyTorch
/// 2.15's two ways differ by more than rounding, this is the one that trains: `is_causal` without a mask is an error, with
/// one it decides; a place that sees no key is no NaN; masks of numbers are added, not taken for truth values;
/// `GELU(approximate='tanh')` is what it says.
///
/// # Shapes
/// `[S, N, d_model]`, the batch first with `batch_first`, or `[S, d_model]`; same shape out. Masks are those of
/// [`TransformerEncoderLayerCall`].
///
/// # Errors
/// Sizes that do not fit, in PyTorch's words.
///
/// ```
/// use firebrick::nn::TransformerEncoderLayerCall;
/// use firebrick::prelude::*;
/// let layer = nn::TransformerEncoderLayer::builder(4, 2).dim_feedforward(8).build()?;
/// let x = Tensor::zeros([3, 1, 4])?;
/// assert_eq!(layer.call(&x)?.shape(), [3, 1, 4]);
/// let mask = nn::Transformer::generate_square_subsequent_mask(3)?;
/// let y = layer.call((x, TransformerEncoderLayerCall::new().src_mask(mask)))?;
/// assert_eq!(y.shape(), [3, 1, 4]);
/// # Ok::<_, firebrick::Error>(())
/// ```
#[derive(Module)]
pub struct TransformerEncoderLayer {
    core: Core,
    /// Attention of the input to itself.
    pub self_attn: MultiheadAttention,
    /// `d_model` to `dim_feedforward`.
    pub linear1: Linear,
    /// Behind the activation.
    pub dropout: Dropout,
    /// `dim_feedforward` to `d_model`.
    pub linear2: Linear,
    /// Of the attention.
    pub norm1: LayerNorm,
    /// Of the linear maps.
    pub norm2: LayerNorm,
    /// Behind the attention.
    pub dropout1: Dropout,
    /// Behind the linear maps.
    pub dropout2: Dropout,
    /// Between the linear maps.
    pub activation: Activation,
    norm_first: bool,
}

/// Options of a [`TransformerEncoderLayer`].
///
/// ```
/// use firebrick::prelude::*;
/// let layer = nn::TransformerEncoderLayer::builder(4, 2)
///     .dim_feedforward(8)
///     .dropout(0.0)
///     .activation("gelu".parse()?)
///     .layer_norm_eps(1e-3)
///     .batch_first(true)
///     .norm_first(true)
///     .bias(false)
///     .dtype(DType::F64)
///     .device(Device::Cpu)
///     .build()?;
/// assert_eq!(layer.linear1.to_string(), "Linear(in_features=4, out_features=8, bias=False)");
/// assert_eq!(layer.norm1.to_string(), "LayerNorm((4,), eps=0.001, elementwise_affine=True, bias=False)");
/// assert_eq!(layer.parameters().iter().map(|p| p.numel()).sum::<Result<usize>>()?, 136);
/// # Ok::<_, firebrick::Error>(())
/// ```
#[derive(Debug)]
pub struct TransformerEncoderLayerBuilder {
    config: Config,
}

impl TransformerEncoderLayer {
    /// A layer of `nhead` heads over `d_model` features, with PyTorch's defaults.
    ///
    /// # Errors
    /// Heads that do not divide the features.
    ///
    /// ```
    /// use firebrick::prelude::*;
    /// let layer = nn::TransformerEncoderLayer::new(4, 2)?;
    /// assert_eq!((layer.linear1.out_features(), layer.norm_first()), (2048, false));
    /// let refused = nn::TransformerEncoderLayer::new(4, 3).unwrap_err();
    /// assert_eq!(refused.to_string(), "embed_dim must be divisible by num_heads");
    /// # Ok::<_, firebrick::Error>(())
    /// ```
    pub fn new(d_model: usize, nhead: usize) -> Result<Self> {
        Self::builder(d_model, nhead).build()
    }

    /// A layer with options.
    pub fn builder(d_model: usize, nhead: usize) -> TransformerEncoderLayerBuilder {
        TransformerEncoderLayerBuilder { config: Config::new(d_model, nhead) }
    }

    pub(super) fn from_config(config: Config) -> Result<Self> {
        Ok(TransformerEncoderLayer {
            core: Core::new(),
            self_attn: config.attention()?,
            linear1: config.widen()?,
            dropout: config.dropout()?,
            linear2: config.narrow()?,
            norm1: config.norm()?,
            norm2: config.norm()?,
            dropout1: config.dropout()?,
            dropout2: config.dropout()?,
            norm_first: config.norm_first,
            activation: config.activation,
        })
    }

    /// Do norms stand before attention and the linear maps? [`new`](Self::new) shows it.
    pub fn norm_first(&self) -> bool {
        self.norm_first
    }

    fn attend(&self, x: Tensor, call: AttentionCall) -> Result<Tensor> {
        let (output, _) = self.self_attn.call((&x, &x, &x, call))?;
        self.dropout1.call(output)
    }

    fn feed_forward(&self, x: Tensor) -> Result<Tensor> {
        let wide = self.activation.apply(&self.linear1.call(x)?)?;
        self.dropout2.call(self.linear2.call(self.dropout.call(wide)?)?)
    }
}

impl TransformerEncoderLayerBuilder {
    shared_options!(TransformerEncoderLayer);

    /// The layer.
    ///
    /// # Errors
    /// Sizes of zero; heads that do not divide the features; a dropout outside `[0, 1]`.
    pub fn build(self) -> Result<TransformerEncoderLayer> {
        TransformerEncoderLayer::from_config(self.config)
    }
}

impl Forward<(Tensor, TransformerEncoderLayerCall)> for TransformerEncoderLayer {
    fn forward(&self, (x, call): (Tensor, TransformerEncoderLayerCall)) -> Result<Tensor> {
        let (mask, padding, dtype) = (call.src_mask.as_ref(), call.src_key_padding_mask.as_ref(), x.dtype());
        let other = mask.map(|mask| ("src_mask", mask));
        let attention = AttentionCall {
            key_padding_mask: canonical_mask("src_key_padding_mask", padding, other, dtype)?,
            attn_mask: canonical_mask("src_mask", mask, None, dtype)?,
            need_weights: false,
            is_causal: call.is_causal,
            ..AttentionCall::new()
        };
        if self.norm_first {
            let x = x.add(&self.attend(self.norm1.call(&x)?, attention)?)?;
            return x.add(&self.feed_forward(self.norm2.call(&x)?)?);
        }
        let x = self.norm1.call(x.add(&self.attend(x.clone(), attention)?)?)?;
        self.norm2.call(x.add(&self.feed_forward(x.clone())?)?)
    }
}

impl Forward for TransformerEncoderLayer {
    fn forward(&self, x: Tensor) -> Result<Tensor> {
        self.forward((x, TransformerEncoderLayerCall::new()))
    }
}
