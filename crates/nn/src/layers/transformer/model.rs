//! Encoder and decoder.

use super::causal::square_subsequent_mask;
use super::config::{Config, shared_options};
use super::{
    TransformerCall, TransformerDecoder, TransformerDecoderCall, TransformerDecoderLayer, TransformerEncoder,
    TransformerEncoderCall, TransformerEncoderLayer,
};
use crate::{Call, Core, Forward, Module, init};
use firebrick_core::{Error, Result, Tensor, TensorOptions};

const OP: &str = "Transformer";

/// An encoder of a source, and a decoder of a target that attends to what the encoder made.
///
/// Vaswani et al., *Attention Is All You Need* (2017). Parameters and dropout are drawn as PyTorch 2.15 draws them: every
/// parameter of two or more dimensions is drawn anew by [`init::xavier_uniform_`] at the end.
///
/// # Shapes
/// Source `[S, N, d_model]` and target `[T, N, d_model]`, the batch first with `batch_first`, or both without `N`; the
/// target's shape out. Masks are those of [`TransformerCall`].
///
/// # Errors
/// Sizes that do not fit, in PyTorch's words.
///
/// ```
/// use firebrick::nn::TransformerCall;
/// use firebrick::prelude::*;
/// let model = nn::Transformer::builder(4, 2).num_encoder_layers(1).num_decoder_layers(1).dim_feedforward(8).build()?;
/// let (source, target) = (Tensor::zeros([5, 1, 4])?, Tensor::zeros([3, 1, 4])?);
/// let mask = nn::Transformer::generate_square_subsequent_mask(3)?;
/// let y = model.call((source, target, TransformerCall::new().tgt_mask(mask)))?;
/// assert_eq!(y.shape(), [3, 1, 4]);
/// # Ok::<_, firebrick::Error>(())
/// ```
#[derive(Module)]
pub struct Transformer<E: Module = TransformerEncoder, D: Module = TransformerDecoder> {
    core: Core,
    /// Of the source.
    pub encoder: E,
    /// Of the target.
    pub decoder: D,
    d_model: usize,
    batch_first: bool,
}

/// Options of a [`Transformer`].
///
/// ```
/// use firebrick::prelude::*;
/// let model = nn::Transformer::builder(4, 2)
///     .num_encoder_layers(1)
///     .num_decoder_layers(2)
///     .dim_feedforward(8)
///     .batch_first(true)
///     .build()?;
/// assert_eq!((model.encoder.layers.len(), model.decoder.layers.len()), (1, 2));
/// assert_eq!(model.call((Tensor::ones([3, 5, 4])?, Tensor::ones([3, 6, 4])?))?.shape(), [3, 6, 4]);
/// let model = nn::Transformer::builder(4, 2)
///     .dim_feedforward(8)
///     .dropout(0.0)
///     .activation("gelu".parse()?)
///     .layer_norm_eps(0.001)
///     .norm_first(true)
///     .bias(false)
///     .build()?;
/// assert!(model.state_dict().keys().all(|name| name.ends_with("weight")));
/// let layer = model.decoder.layers.get(5)?;
/// assert_eq!(layer.dropout.to_string(), "Dropout(p=0.0, inplace=False)");
/// assert_eq!(format!("{:?} {}", layer.activation, layer.norm_first()), "gelu true");
/// assert!(layer.norm2.to_string().contains("eps=0.001"));
/// # Ok::<_, firebrick::Error>(())
/// ```
#[derive(Debug)]
pub struct TransformerBuilder {
    config: Config,
    num_encoder_layers: usize,
    num_decoder_layers: usize,
}

impl Transformer {
    /// Six layers each of `nhead` heads over `d_model` features, with PyTorch's defaults (which has 512 features and 8
    /// heads unless told).
    ///
    /// # Errors
    /// Heads that do not divide the features.
    ///
    /// ```
    /// use firebrick::prelude::*;
    /// let model = nn::Transformer::new(4, 2)?;
    /// assert_eq!((model.encoder.layers.len(), model.decoder.layers.len()), (6, 6));
    /// # Ok::<_, firebrick::Error>(())
    /// ```
    pub fn new(d_model: usize, nhead: usize) -> Result<Self> {
        Self::builder(d_model, nhead).build()
    }

    /// A model with options; [`TransformerBuilder`] shows them.
    pub fn builder(d_model: usize, nhead: usize) -> TransformerBuilder {
        TransformerBuilder { config: Config::new(d_model, nhead), num_encoder_layers: 6, num_decoder_layers: 6 }
    }

    /// The mask under which nothing sees what comes after it: minus infinity above the diagonal, zero elsewhere.
    ///
    /// # Errors
    /// When memory cannot be had.
    ///
    /// ```
    /// use firebrick::prelude::*;
    /// let mask = nn::Transformer::generate_square_subsequent_mask(2)?;
    /// assert_eq!(mask.to_vec::<f32>()?, [0.0, f32::NEG_INFINITY, 0.0, 0.0]);
    /// # Ok::<_, firebrick::Error>(())
    /// ```
    pub fn generate_square_subsequent_mask(size: usize) -> Result<Tensor> {
        Self::generate_square_subsequent_mask_with(size, TensorOptions::new())
    }

    /// [`Transformer::generate_square_subsequent_mask`] of another dtype or on another device.
    ///
    /// # Errors
    /// When memory cannot be had; a dtype without infinity.
    ///
    /// ```
    /// use firebrick::prelude::*;
    /// let mask = nn::Transformer::generate_square_subsequent_mask_with(2, DType::F64)?;
    /// assert_eq!(mask.to_vec::<f64>()?, [0.0, f64::NEG_INFINITY, 0.0, 0.0]);
    /// # Ok::<_, firebrick::Error>(())
    /// ```
    pub fn generate_square_subsequent_mask_with(size: usize, options: impl Into<TensorOptions>) -> Result<Tensor> {
        square_subsequent_mask(size, options.into())
    }
}

impl<E: Module, D: Module> Transformer<E, D> {
    /// A model of an encoder and a decoder of your own, over `d_model` features: PyTorch's `custom_encoder` and
    /// `custom_decoder`.
    ///
    /// # Errors
    /// When memory cannot be written.
    ///
    /// ```
    /// use firebrick::prelude::*;
    /// let encoder = nn::TransformerEncoderLayer::builder(4, 2).dim_feedforward(8).build()?;
    /// let decoder = nn::TransformerDecoderLayer::builder(4, 2).dim_feedforward(8).build()?;
    /// let encoder = nn::TransformerEncoder::new(&encoder, 1)?.norm(nn::LayerNorm::new(4)?);
    /// let model = nn::Transformer::custom(encoder, nn::TransformerDecoder::new(&decoder, 3)?, 4, false)?;
    /// assert_eq!(model.call((Tensor::ones([5, 1, 4])?, Tensor::ones([6, 1, 4])?))?.shape(), [6, 1, 4]);
    /// # Ok::<_, firebrick::Error>(())
    /// ```
    pub fn custom(encoder: E, decoder: D, d_model: usize, batch_first: bool) -> Result<Self> {
        let model = Transformer { core: Core::new(), encoder, decoder, d_model, batch_first };
        model.reset_parameters()?;
        Ok(model)
    }

    /// Draws new values for every parameter of two or more dimensions.
    ///
    /// # Errors
    /// When memory cannot be written.
    ///
    /// ```
    /// use firebrick::prelude::*;
    /// let model = nn::Transformer::builder(4, 2).num_encoder_layers(1).num_decoder_layers(1).build()?;
    /// let weight = model.encoder.layers.get(0)?.linear1.weight.clone();
    /// let before = weight.to_vec::<f32>()?;
    /// model.reset_parameters()?;
    /// assert_ne!(weight.to_vec::<f32>()?, before);
    /// # Ok::<_, firebrick::Error>(())
    /// ```
    pub fn reset_parameters(&self) -> Result<()> {
        for parameter in self.parameters() {
            if parameter.dim() > 1 {
                init::xavier_uniform_(&parameter, 1.0)?;
            }
        }
        Ok(())
    }

    /// PyTorch's checks.
    fn check(&self, src: &Tensor, tgt: &Tensor) -> Result<()> {
        let batch = if self.batch_first { 0 } else { 1 };
        if src.size(batch)? != tgt.size(batch)? && src.dim() == 3 {
            return Err(Error::runtime(OP, "the batch number of src and tgt must be equal"));
        }
        if src.size(-1)? != self.d_model || tgt.size(-1)? != self.d_model {
            return Err(Error::runtime(OP, "the feature number of src and tgt must be equal to d_model"));
        }
        Ok(())
    }
}

impl TransformerBuilder {
    /// Layers of the encoder; 6 unless set.
    pub fn num_encoder_layers(mut self, count: usize) -> Self {
        self.num_encoder_layers = count;
        self
    }

    /// Layers of the decoder; 6 unless set.
    pub fn num_decoder_layers(mut self, count: usize) -> Self {
        self.num_decoder_layers = count;
        self
    }

    shared_options!(Transformer);

    /// The model.
    ///
    /// # Errors
    /// Sizes of zero; heads that do not divide the features; a dropout outside `[0, 1]`.
    pub fn build(self) -> Result<Transformer> {
        let config = self.config;
        let (d_model, batch_first) = (config.d_model, config.batch_first);
        let layer = TransformerEncoderLayer::from_config(config.copy()?)?;
        let encoder = TransformerEncoder::new(&layer, self.num_encoder_layers)?.norm(config.norm()?);
        let norm = config.norm()?;
        let layer = TransformerDecoderLayer::from_config(config)?;
        let decoder = TransformerDecoder::new(&layer, self.num_decoder_layers)?.norm(norm);
        Transformer::custom(encoder, decoder, d_model, batch_first)
    }
}

impl<E, D> Forward<(Tensor, Tensor, TransformerCall)> for Transformer<E, D>
where
    E: Forward<(Tensor, TransformerEncoderCall)>,
    D: Forward<(Tensor, Tensor, TransformerDecoderCall)>,
{
    fn forward(&self, (src, tgt, call): (Tensor, Tensor, TransformerCall)) -> Result<Tensor> {
        self.check(&src, &tgt)?;
        let encoding = TransformerEncoderCall {
            mask: call.src_mask,
            src_key_padding_mask: call.src_key_padding_mask,
            is_causal: call.src_is_causal,
        };
        let memory = self.encoder.call((src, encoding))?;
        let decoding = TransformerDecoderCall {
            tgt_mask: call.tgt_mask,
            memory_mask: call.memory_mask,
            tgt_key_padding_mask: call.tgt_key_padding_mask,
            memory_key_padding_mask: call.memory_key_padding_mask,
            tgt_is_causal: call.tgt_is_causal,
            memory_is_causal: call.memory_is_causal,
        };
        self.decoder.call((tgt, memory, decoding))
    }
}

impl<E, D> Forward<(Tensor, Tensor)> for Transformer<E, D>
where
    E: Forward<(Tensor, TransformerEncoderCall)>,
    D: Forward<(Tensor, Tensor, TransformerDecoderCall)>,
{
    fn forward(&self, (src, tgt): (Tensor, Tensor)) -> Result<Tensor> {
        self.forward((src, tgt, TransformerCall::new()))
    }
}
