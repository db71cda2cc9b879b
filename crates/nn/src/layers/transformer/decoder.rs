//! Several decoder layers, and a norm.

use super::causal::{is_causal, sequence_length};
use super::{TransformerDecoderCall, TransformerDecoderLayer, TransformerDecoderLayerCall, copies};
use crate::{Call, Core, Forward, Module, ModuleList};
use firebrick_core::{Result, Tensor};

/// Decoder layers, one behind the other, and a norm behind the last one.
///
/// The layers are copies of the one given: all start equal, as in PyTorch 2.15.
///
/// # Shapes
/// Target `[T, N, d_model]` and memory `[S, N, d_model]`, the batch first with `batch_first`, or both without `N`; the
/// target's shape out. Masks are those of [`TransformerDecoderCall`].
///
/// # Errors
/// Sizes that do not fit, in PyTorch's words; a decoder without layers, when called.
///
/// ```
/// use firebrick::prelude::*;
/// let layer = nn::TransformerDecoderLayer::builder(4, 2).dim_feedforward(8).build()?;
/// let decoder = nn::TransformerDecoder::new(&layer, 2)?;
/// let y = decoder.call((Tensor::zeros([3, 1, 4])?, Tensor::zeros([5, 1, 4])?))?;
/// assert_eq!(y.shape(), [3, 1, 4]);
/// # Ok::<_, firebrick::Error>(())
/// ```
#[derive(Module)]
pub struct TransformerDecoder {
    core: Core,
    /// The layers.
    pub layers: ModuleList<TransformerDecoderLayer>,
    /// Behind the last layer.
    pub norm: Option<Box<dyn Forward>>,
}

impl TransformerDecoder {
    /// A decoder of `num_layers` copies of a layer.
    ///
    /// # Errors
    /// When memory for the copies cannot be had.
    pub fn new(layer: &TransformerDecoderLayer, num_layers: usize) -> Result<Self> {
        let layers = copies(layer, num_layers)?;
        Ok(TransformerDecoder { core: Core::new(), layers, norm: None })
    }

    /// Puts a norm behind the last layer; there is none unless set.
    ///
    /// ```
    /// use firebrick::prelude::*;
    /// let layer = nn::TransformerDecoderLayer::builder(4, 2).dim_feedforward(8).build()?;
    /// let decoder = nn::TransformerDecoder::new(&layer, 1)?.norm(nn::LayerNorm::new(4)?);
    /// assert!(decoder.norm.is_some_and(|norm| norm.type_name() == "LayerNorm"));
    /// # Ok::<_, firebrick::Error>(())
    /// ```
    pub fn norm(mut self, norm: impl Forward) -> Self {
        self.norm = Some(Box::new(norm));
        self
    }
}

impl Forward<(Tensor, Tensor, TransformerDecoderCall)> for TransformerDecoder {
    fn forward(&self, (tgt, memory, call): (Tensor, Tensor, TransformerDecoderCall)) -> Result<Tensor> {
        let length = sequence_length(&tgt, self.layers.get(0)?.self_attn.batch_first())?;
        let call = TransformerDecoderLayerCall {
            tgt_is_causal: is_causal(call.tgt_mask.as_ref(), call.tgt_is_causal, length)?,
            tgt_mask: call.tgt_mask,
            memory_mask: call.memory_mask,
            tgt_key_padding_mask: call.tgt_key_padding_mask,
            memory_key_padding_mask: call.memory_key_padding_mask,
            memory_is_causal: call.memory_is_causal,
        };
        let mut output = tgt;
        for layer in &self.layers {
            output = layer.call((output, &memory, call.clone()))?;
        }
        match &self.norm {
            Some(norm) => norm.call(output),
            None => Ok(output),
        }
    }
}

impl Forward<(Tensor, Tensor)> for TransformerDecoder {
    fn forward(&self, (tgt, memory): (Tensor, Tensor)) -> Result<Tensor> {
        self.forward((tgt, memory, TransformerDecoderCall::new()))
    }
}
