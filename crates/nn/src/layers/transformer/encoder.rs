//! Several encoder layers, and a norm.

use super::causal::{is_causal, sequence_length};
use super::{TransformerEncoderCall, TransformerEncoderLayer, TransformerEncoderLayerCall, copies};
use crate::functional::canonical_mask;
use crate::{Call, Core, Forward, Module, ModuleList, warn};
use firebrick_core::{Result, Tensor, autograd};

/// Encoder layers, one behind the other, and a norm behind the last one.
///
/// The layers are copies of the one given: all start equal, as in PyTorch 2.15.
///
/// In evaluation mode, while nothing is recorded, PyTorch drops the places that `src_key_padding_mask` says are not
/// there (where they are the last ones of each sequence), and puts zeros there before the norm. So does this encoder,
/// unless `enable_nested_tensor(false)`; the warning of PyTorch tells when that cannot be.
///
/// # Shapes
/// `[S, N, d_model]`, the batch first with `batch_first`, or `[S, d_model]`; same shape out. Masks are those of
/// [`TransformerEncoderCall`].
///
/// # Errors
/// Sizes that do not fit, in PyTorch's words; an encoder without layers, when called.
///
/// ```
/// use firebrick::prelude::*;
/// let layer = nn::TransformerEncoderLayer::builder(4, 2).dim_feedforward(8).batch_first(true).build()?;
/// let encoder = nn::TransformerEncoder::new(&layer, 2)?.norm(nn::LayerNorm::new(4)?);
/// assert_eq!(encoder.call(Tensor::zeros([1, 3, 4])?)?.shape(), [1, 3, 4]);
/// # Ok::<_, firebrick::Error>(())
/// ```
#[derive(Module)]
pub struct TransformerEncoder {
    core: Core,
    /// The layers.
    pub layers: ModuleList<TransformerEncoderLayer>,
    /// Behind the last layer.
    pub norm: Option<Box<dyn Forward>>,
    use_nested_tensor: bool,
}

impl TransformerEncoder {
    /// An encoder of `num_layers` copies of a layer.
    ///
    /// # Errors
    /// When memory for the copies cannot be had.
    pub fn new(layer: &TransformerEncoderLayer, num_layers: usize) -> Result<Self> {
        Self::with_nested_tensor(layer, num_layers, true)
    }

    /// An encoder that says whether padding may be dropped in evaluation mode: PyTorch's `enable_nested_tensor`.
    ///
    /// # Errors
    /// As [`TransformerEncoder::new`].
    ///
    /// ```
    /// use firebrick::prelude::*;
    /// let layer = nn::TransformerEncoderLayer::builder(4, 2).dim_feedforward(8).build()?;
    /// let encoder = nn::TransformerEncoder::with_nested_tensor(&layer, 3, false)?;
    /// assert_eq!((encoder.layers.len(), encoder.norm.is_some()), (3, false));
    /// # Ok::<_, firebrick::Error>(())
    /// ```
    pub fn with_nested_tensor(layer: &TransformerEncoderLayer, num_layers: usize, enable: bool) -> Result<Self> {
        let reason = if enable { why_not_nested(layer) } else { None };
        if let Some(reason) = reason {
            warn(&format!(
                "enable_nested_tensor is True, but self.use_nested_tensor is False because encoder_layer.{reason}"
            ));
        }
        let layers = copies(layer, num_layers)?;
        Ok(TransformerEncoder { core: Core::new(), layers, norm: None, use_nested_tensor: enable && reason.is_none() })
    }

    /// Puts a norm behind the last layer; there is none unless set.
    pub fn norm(mut self, norm: impl Forward) -> Self {
        self.norm = Some(Box::new(norm));
        self
    }

    /// The places that PyTorch drops: those not there, when they are the last ones of each sequence.
    fn dropped(&self, src: &Tensor, mask: Option<&Tensor>, padding: Option<&Tensor>) -> Result<Option<Tensor>> {
        let first = self.layers.get(0)?;
        let Some(padding) = padding else { return Ok(None) };
        if !self.use_nested_tensor || first.is_training() || src.dim() != 3 || mask.is_some() {
            return Ok(None);
        }
        let recorded = || src.requires_grad() || first.parameters().iter().any(|p| p.requires_grad());
        if autograd::is_grad_enabled() && recorded() {
            return Ok(None);
        }
        let gone = padding.isneginf()?;
        let places = gone.values_or(false)?;
        let at_the_end = places.chunks(src.size(1)?.max(1)).all(|row| row.is_sorted());
        Ok(at_the_end.then_some(gone))
    }
}

/// Why PyTorch would not drop padding, if it would not.
fn why_not_nested(layer: &TransformerEncoderLayer) -> Option<&'static str> {
    let attention = &layer.self_attn;
    let reasons = [
        (layer.norm_first(), "norm_first was True"),
        (
            !attention.batch_first(),
            "self_attn.batch_first was not True(use batch_first for better inference performance)",
        ),
        (attention.in_proj_weight.is_none(), "self_attn._qkv_same_embed_dim was not True"),
        (attention.in_proj_bias.is_none(), "self_attn was passed bias=False"),
        (!layer.activation.is_relu_or_gelu(), "activation_relu_or_gelu was not True"),
        (!attention.num_heads().is_multiple_of(2), "self_attn.num_heads is odd"),
    ];
    reasons.into_iter().find_map(|(holds, reason)| holds.then_some(reason))
}

impl Forward<(Tensor, TransformerEncoderCall)> for TransformerEncoder {
    fn forward(&self, (src, call): (Tensor, TransformerEncoderCall)) -> Result<Tensor> {
        let (mask, padding, dtype) = (call.mask.as_ref(), call.src_key_padding_mask.as_ref(), src.dtype());
        let other = mask.map(|mask| ("mask", mask));
        let padding = canonical_mask("src_key_padding_mask", padding, other, dtype)?;
        let mask = canonical_mask("mask", mask, None, dtype)?;
        let dropped = self.dropped(&src, mask.as_ref(), padding.as_ref())?;
        let length = sequence_length(&src, self.layers.get(0)?.self_attn.batch_first())?;
        let call = TransformerEncoderLayerCall {
            is_causal: is_causal(mask.as_ref(), call.is_causal, length)?,
            src_mask: mask,
            src_key_padding_mask: padding,
        };
        let mut output = src;
        for layer in &self.layers {
            output = layer.call((output, call.clone()))?;
        }
        if let Some(dropped) = dropped {
            output = output.masked_fill(&dropped.unsqueeze(-1)?, 0.0)?;
        }
        match &self.norm {
            Some(norm) => norm.call(output),
            None => Ok(output),
        }
    }
}

impl Forward for TransformerEncoder {
    fn forward(&self, src: Tensor) -> Result<Tensor> {
        self.forward((src, TransformerEncoderCall::new()))
    }
}
