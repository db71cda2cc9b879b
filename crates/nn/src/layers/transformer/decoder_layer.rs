//! One layer of a decoder.

use super::config::{Config, shared_options};
use super::{Activation, TransformerDecoderLayerCall};
use crate::{AttentionCall, Call, Core, Dropout, Forward, LayerNorm, Linear, Module, MultiheadAttention};
use firebrick_core::{Result, Tensor};

/// Self-attention, attention to a memory, and two linear maps with a function between, each added to its input and
/// normalized.
///
/// `x = norm1(x + self_attention(x)); x = norm2(x + attention(x, memory)); y = norm3(x + linear2(activation(linear1(x))))`;
/// with `norm_first` each norm stands before what it normalizes the sum of otherwise. Vaswani et al., *Attention Is All You
/// Need* (2017). Parameters and dropout are drawn as PyTorch 2.15 draws them.
///
/// # Shapes
/// Target `[T, N, d_model]` and memory `[S, N, d_model]`, the batch first with `batch_first`, or both without `N`; the
/// target's shape out. Masks are those of [`TransformerDecoderLayerCall`].
///
/// # Errors
/// Sizes that do not fit, in PyTorch's words.
///
/// ```
/// use firebrick::prelude::*;
/// let layer = nn::TransformerDecoderLayer::builder(4, 2).dim_feedforward(8).build()?;
/// let y = layer.call((Tensor::zeros([3, 1, 4])?, Tensor::zeros([5, 1, 4])?))?;
/// assert_eq!(y.shape(), [3, 1, 4]);
/// # Ok::<_, firebrick::Error>(())
/// ```
#[derive(Module)]
pub struct TransformerDecoderLayer {
    core: Core,
    /// Attention of the target to itself.
    pub self_attn: MultiheadAttention,
    /// Attention of the target to the memory.
    pub multihead_attn: MultiheadAttention,
    /// `d_model` to `dim_feedforward`.
    pub linear1: Linear,
    /// Behind the activation.
    pub dropout: Dropout,
    /// `dim_feedforward` to `d_model`.
    pub linear2: Linear,
    /// Of the self-attention.
    pub norm1: LayerNorm,
    /// Of the attention to the memory.
    pub norm2: LayerNorm,
    /// Of the linear maps.
    pub norm3: LayerNorm,
    /// Behind the self-attention.
    pub dropout1: Dropout,
    /// Behind the attention to the memory.
    pub dropout2: Dropout,
    /// Behind the linear maps.
    pub dropout3: Dropout,
    /// Between the linear maps.
    pub activation: Activation,
    norm_first: bool,
}

/// Options of a [`TransformerDecoderLayer`].
///
/// ```
/// use firebrick::prelude::*;
/// let layer = nn::TransformerDecoderLayer::builder(4, 2).dim_feedforward(8).dropout(0.0).batch_first(true).build()?;
/// assert_eq!(layer.parameters().len(), 18);
/// assert_eq!(layer.dropout.to_string(), "Dropout(p=0.0, inplace=False)");
/// let (target, memory) = (Tensor::ones([3, 6, 4])?, Tensor::ones([3, 5, 4])?);
/// assert_eq!(layer.call((target, memory))?.shape(), [3, 6, 4]);
/// let layer = nn::TransformerDecoderLayer::builder(4, 2)
///     .dim_feedforward(8)
///     .activation("gelu".parse()?)
///     .layer_norm_eps(0.001)
///     .norm_first(true)
///     .bias(false)
///     .build()?;
/// assert!(layer.state_dict().keys().all(|name| name.ends_with("weight")));
/// assert_eq!(format!("{:?} {}", layer.activation, layer.norm_first()), "gelu true");
/// assert!(layer.norm2.to_string().contains("eps=0.001"));
/// # Ok::<_, firebrick::Error>(())
/// ```
#[derive(Debug)]
pub struct TransformerDecoderLayerBuilder {
    config: Config,
}

impl TransformerDecoderLayer {
    /// A layer of `nhead` heads over `d_model` features, with PyTorch's defaults.
    ///
    /// # Errors
    /// Heads that do not divide the features.
    ///
    /// ```
    /// use firebrick::prelude::*;
    /// let layer = nn::TransformerDecoderLayer::new(4, 2)?;
    /// assert_eq!((layer.linear1.out_features(), layer.norm_first()), (2048, false));
    /// # Ok::<_, firebrick::Error>(())
    /// ```
    pub fn new(d_model: usize, nhead: usize) -> Result<Self> {
        Self::builder(d_model, nhead).build()
    }

    /// A layer with options.
    pub fn builder(d_model: usize, nhead: usize) -> TransformerDecoderLayerBuilder {
        TransformerDecoderLayerBuilder { config: Config::new(d_model, nhead) }
    }

    pub(super) fn from_config(config: Config) -> Result<Self> {
        Ok(TransformerDecoderLayer {
            core: Core::new(),
            self_attn: config.attention()?,
            multihead_attn: config.attention()?,
            linear1: config.widen()?,
            dropout: config.dropout()?,
            linear2: config.narrow()?,
            norm1: config.norm()?,
            norm2: config.norm()?,
            norm3: config.norm()?,
            dropout1: config.dropout()?,
            dropout2: config.dropout()?,
            dropout3: config.dropout()?,
            norm_first: config.norm_first,
            activation: config.activation,
        })
    }

    /// Do norms stand before attention and the linear maps? [`new`](Self::new) shows it.
    pub fn norm_first(&self) -> bool {
        self.norm_first
    }

    fn attend(&self, x: Tensor, call: &TransformerDecoderLayerCall) -> Result<Tensor> {
        let call = AttentionCall {
            key_padding_mask: call.tgt_key_padding_mask.clone(),
            attn_mask: call.tgt_mask.clone(),
            need_weights: false,
            is_causal: call.tgt_is_causal,
            ..AttentionCall::new()
        };
        let (output, _) = self.self_attn.call((&x, &x, &x, call))?;
        self.dropout1.call(output)
    }

    fn attend_to(&self, memory: &Tensor, x: Tensor, call: &TransformerDecoderLayerCall) -> Result<Tensor> {
        let call = AttentionCall {
            key_padding_mask: call.memory_key_padding_mask.clone(),
            attn_mask: call.memory_mask.clone(),
            need_weights: false,
            is_causal: call.memory_is_causal,
            ..AttentionCall::new()
        };
        let (output, _) = self.multihead_attn.call((x, memory, memory, call))?;
        self.dropout2.call(output)
    }

    fn feed_forward(&self, x: Tensor) -> Result<Tensor> {
        let wide = self.activation.apply(&self.linear1.call(x)?)?;
        self.dropout3.call(self.linear2.call(self.dropout.call(wide)?)?)
    }
}

impl TransformerDecoderLayerBuilder {
    shared_options!(TransformerDecoderLayer);

    /// The layer.
    ///
    /// # Errors
    /// Sizes of zero; heads that do not divide the features; a dropout outside `[0, 1]`.
    pub fn build(self) -> Result<TransformerDecoderLayer> {
        TransformerDecoderLayer::from_config(self.config)
    }
}

impl Forward<(Tensor, Tensor, TransformerDecoderLayerCall)> for TransformerDecoderLayer {
    fn forward(&self, (x, memory, call): (Tensor, Tensor, TransformerDecoderLayerCall)) -> Result<Tensor> {
        if self.norm_first {
            let x = x.add(&self.attend(self.norm1.call(&x)?, &call)?)?;
            let x = x.add(&self.attend_to(&memory, self.norm2.call(&x)?, &call)?)?;
            return x.add(&self.feed_forward(self.norm3.call(&x)?)?);
        }
        let x = self.norm1.call(x.add(&self.attend(x.clone(), &call)?)?)?;
        let x = self.norm2.call(x.add(&self.attend_to(&memory, x.clone(), &call)?)?)?;
        self.norm3.call(x.add(&self.feed_forward(x.clone())?)?)
    }
}

impl Forward<(Tensor, Tensor)> for TransformerDecoderLayer {
    fn forward(&self, (x, memory): (Tensor, Tensor)) -> Result<Tensor> {
        self.forward((x, memory, TransformerDecoderLayerCall::new()))
    }
}
