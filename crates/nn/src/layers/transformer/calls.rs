//! Masks and hints of one call.

use crate::Args;
use firebrick_core::Tensor;

/// The keyword arguments of a call: masks, hints that may be left to a look at the mask, and plain hints. Each is a
/// public field and a method.
macro_rules! calls {
    ($(
        $(#[$doc:meta])*
        $name:ident [$($(#[$mask_doc:meta])* $mask:ident,)*] [$($(#[$hint_doc:meta])* $hint:ident,)*]
            [$($(#[$flag_doc:meta])* $flag:ident,)*];
    )*) => { $(
        $(#[$doc])*
        #[derive(Args, Clone, Debug, Default)]
        pub struct $name {
            $($(#[$mask_doc])* pub $mask: Option<Tensor>,)*
            $($(#[$hint_doc])* pub $hint: Option<bool>,)*
            $($(#[$flag_doc])* pub $flag: bool,)*
        }

        impl $name {
            /// No masks.
            pub fn new() -> Self {
                Self::default()
            }

            $(
                $(#[$mask_doc])*
                pub fn $mask(mut self, mask: Tensor) -> Self {
                    self.$mask = Some(mask);
                    self
                }
            )*

            $(
                $(#[$hint_doc])*
                pub fn $hint(mut self, on: bool) -> Self {
                    self.$hint = Some(on);
                    self
                }
            )*

            $(
                $(#[$flag_doc])*
                pub fn $flag(mut self, on: bool) -> Self {
                    self.$flag = on;
                    self
                }
            )*
        }
    )* };
}

calls! {
    /// Masks of one call of a [`TransformerEncoderLayer`](crate::TransformerEncoderLayer): truth values for what is not
    /// seen, or numbers that are added to the scores.
    ///
    /// ```
    /// use firebrick::prelude::*;
    /// let layer = nn::TransformerEncoderLayer::builder(4, 2).dim_feedforward(8).batch_first(true).build()?;
    /// layer.eval();
    /// let x = Tensor::arange(8.0f32)?.view([1, 2, 4])?;
    /// let call = nn::TransformerEncoderLayerCall::new().src_key_padding_mask(Tensor::new([[false, true]])?);
    /// let (padded, alone) = (layer.call((&x, call))?, layer.call(x.narrow(1, 0, 1)?)?);
    /// assert!(padded.narrow(1, 0, 1)?.allclose(&alone, 1e-4, 1e-6, false)?); // the second place is not seen
    /// let causal = nn::Transformer::generate_square_subsequent_mask(2)?;
    /// let causal = layer.call((&x, nn::TransformerEncoderLayerCall::new().src_mask(causal).is_causal(true)))?;
    /// assert!(causal.narrow(1, 0, 1)?.allclose(&alone, 1e-4, 1e-6, false)?);
    /// # Ok::<_, firebrick::Error>(())
    /// ```
    TransformerEncoderLayerCall [
        /// `[S, S]` or `[N * nhead, S, S]`: pairs that do not see each other.
        src_mask,
        /// `[N, S]` or `[S]`: places that are not there.
        src_key_padding_mask,
    ] [] [
        /// Is `src_mask` the causal one? It then need not be looked at.
        is_causal,
    ];

    /// Masks of one call of a [`TransformerDecoderLayer`](crate::TransformerDecoderLayer): truth values for what is not
    /// seen, or numbers that are added to the scores.
    ///
    /// ```
    /// use firebrick::prelude::*;
    /// let layer = nn::TransformerDecoderLayer::builder(4, 2).dim_feedforward(8).batch_first(true).build()?;
    /// layer.eval();
    /// let (target, memory) = (Tensor::arange(8.0f32)?.view([1, 2, 4])?, Tensor::arange(12.0f32)?.view([1, 3, 4])?);
    /// let call = nn::TransformerDecoderLayerCall::new()
    ///     .tgt_mask(nn::Transformer::generate_square_subsequent_mask(2)?)
    ///     .tgt_is_causal(true)
    ///     .memory_key_padding_mask(Tensor::new([[false, false, true]])?);
    /// let y = layer.call((&target, &memory, call))?;
    /// let first = layer.call((target.narrow(1, 0, 1)?, memory.narrow(1, 0, 2)?))?;
    /// assert!(y.narrow(1, 0, 1)?.allclose(&first, 1e-4, 1e-6, false)?);
    /// let memory = memory.narrow(1, 0, 2)?;
    /// let call = nn::TransformerDecoderLayerCall::new()
    ///     .tgt_key_padding_mask(Tensor::new([[false, true]])?)
    ///     .memory_mask(nn::Transformer::generate_square_subsequent_mask(2)?)
    ///     .memory_is_causal(true);
    /// let y = layer.call((&target, &memory, call))?;
    /// let first = layer.call((target.narrow(1, 0, 1)?, memory.narrow(1, 0, 1)?))?;
    /// assert!(y.narrow(1, 0, 1)?.allclose(&first, 1e-4, 1e-6, false)?);
    /// # Ok::<_, firebrick::Error>(())
    /// ```
    TransformerDecoderLayerCall [
        /// `[T, T]` or `[N * nhead, T, T]`: pairs of the target that do not see each other.
        tgt_mask,
        /// `[T, S]` or `[N * nhead, T, S]`: what the target does not see of the memory.
        memory_mask,
        /// `[N, T]` or `[T]`: places of the target that are not there.
        tgt_key_padding_mask,
        /// `[N, S]` or `[S]`: places of the memory that are not there.
        memory_key_padding_mask,
    ] [] [
        /// Is `tgt_mask` the causal one? It then need not be looked at.
        tgt_is_causal,
        /// Is `memory_mask` the causal one? It then need not be looked at.
        memory_is_causal,
    ];

    /// Masks of one call of a [`TransformerEncoder`](crate::TransformerEncoder): truth values for what is not seen, or
    /// numbers that are added to the scores.
    ///
    /// ```
    /// use firebrick::prelude::*;
    /// let layer = nn::TransformerEncoderLayer::builder(4, 2).dim_feedforward(8).dropout(0.0).build()?;
    /// let encoder = nn::TransformerEncoder::with_nested_tensor(&layer, 2, false)?;
    /// let x = Tensor::arange(8.0f32)?.view([2, 1, 4])?;
    /// let mask = nn::Transformer::generate_square_subsequent_mask(2)?;
    /// let y = encoder.call((&x, nn::TransformerEncoderCall::new().mask(mask).is_causal(true)))?;
    /// let alone = encoder.call(x.narrow(0, 0, 1)?)?;
    /// assert!(y.narrow(0, 0, 1)?.allclose(&alone, 1e-4, 1e-6, false)?); // the first place sees itself alone
    /// let call = nn::TransformerEncoderCall::new().src_key_padding_mask(Tensor::new([[false, true]])?);
    /// assert!(encoder.call((&x, call))?.narrow(0, 0, 1)?.allclose(&alone, 1e-4, 1e-6, false)?);
    /// # Ok::<_, firebrick::Error>(())
    /// ```
    TransformerEncoderCall [
        /// `[S, S]` or `[N * nhead, S, S]`: pairs that do not see each other.
        mask,
        /// `[N, S]` or `[S]`: places that are not there.
        src_key_padding_mask,
    ] [
        /// Is `mask` the causal one? Unless said, it is looked at.
        is_causal,
    ] [];

    /// Masks of one call of a [`TransformerDecoder`](crate::TransformerDecoder): truth values for what is not seen, or
    /// numbers that are added to the scores.
    ///
    /// ```
    /// use firebrick::prelude::*;
    /// let layer = nn::TransformerDecoderLayer::builder(4, 2).dim_feedforward(8).dropout(0.0).build()?;
    /// let decoder = nn::TransformerDecoder::new(&layer, 2)?;
    /// let (target, memory) = (Tensor::arange(8.0f32)?.view([2, 1, 4])?, Tensor::arange(12.0f32)?.view([3, 1, 4])?);
    /// let mask = Tensor::new([[false, false, true], [false, false, true]])?; // the last place is not seen
    /// let y = decoder.call((&target, &memory, nn::TransformerDecoderCall::new().memory_mask(mask)))?;
    /// let without = decoder.call((&target, memory.narrow(0, 0, 2)?))?;
    /// assert!(y.allclose(&without, 1e-4, 1e-6, false)?);
    /// let first = decoder.call((target.narrow(0, 0, 1)?, memory.narrow(0, 0, 1)?))?;
    /// let causal = nn::Transformer::generate_square_subsequent_mask(2)?;
    /// let call = nn::TransformerDecoderCall::new()
    ///     .tgt_mask(causal.clone())
    ///     .tgt_is_causal(true)
    ///     .memory_mask(causal)
    ///     .memory_is_causal(true);
    /// let y = decoder.call((&target, memory.narrow(0, 0, 2)?, call))?;
    /// assert!(y.narrow(0, 0, 1)?.allclose(&first, 1e-4, 1e-6, false)?);
    /// let call = nn::TransformerDecoderCall::new()
    ///     .tgt_key_padding_mask(Tensor::new([[false, true]])?)
    ///     .memory_key_padding_mask(Tensor::new([[false, true, true]])?);
    /// assert!(decoder.call((&target, &memory, call))?.narrow(0, 0, 1)?.allclose(&first, 1e-4, 1e-6, false)?);
    /// # Ok::<_, firebrick::Error>(())
    /// ```
    TransformerDecoderCall [
        /// `[T, T]` or `[N * nhead, T, T]`: pairs of the target that do not see each other.
        tgt_mask,
        /// `[T, S]` or `[N * nhead, T, S]`: what the target does not see of the memory.
        memory_mask,
        /// `[N, T]` or `[T]`: places of the target that are not there.
        tgt_key_padding_mask,
        /// `[N, S]` or `[S]`: places of the memory that are not there.
        memory_key_padding_mask,
    ] [
        /// Is `tgt_mask` the causal one? Unless said, it is looked at.
        tgt_is_causal,
    ] [
        /// Is `memory_mask` the causal one? It then need not be looked at.
        memory_is_causal,
    ];

    /// Masks of one call of a [`Transformer`](crate::Transformer): truth values for what is not seen, or numbers that
    /// are added to the scores.
    ///
    /// ```
    /// use firebrick::prelude::*;
    /// let model = nn::Transformer::builder(4, 2).num_encoder_layers(1).num_decoder_layers(1).build()?;
    /// model.eval();
    /// let (source, target) = (Tensor::arange(12.0f32)?.view([3, 1, 4])?, Tensor::arange(8.0f32)?.view([2, 1, 4])?);
    /// let padding = Tensor::new([[false, false, true]])?; // the last place is not seen
    /// let call = nn::TransformerCall::new().src_key_padding_mask(padding.clone()).memory_key_padding_mask(padding);
    /// let y = model.call((&source, &target, call))?;
    /// let source = source.narrow(0, 0, 2)?;
    /// assert!(y.allclose(&model.call((&source, &target))?, 1e-4, 1e-6, false)?);
    /// let first = model.call((source.narrow(0, 0, 1)?, target.narrow(0, 0, 1)?))?;
    /// let causal = nn::Transformer::generate_square_subsequent_mask(2)?;
    /// let call = nn::TransformerCall::new()
    ///     .src_mask(causal.clone())
    ///     .src_is_causal(true)
    ///     .tgt_mask(causal.clone())
    ///     .tgt_is_causal(true)
    ///     .memory_mask(causal)
    ///     .memory_is_causal(true);
    /// let y = model.call((&source, &target, call))?;
    /// assert!(y.narrow(0, 0, 1)?.allclose(&first, 1e-4, 1e-6, false)?);
    /// let padding = Tensor::new([[false, true]])?;
    /// let call = nn::TransformerCall::new()
    ///     .src_key_padding_mask(padding.clone())
    ///     .tgt_key_padding_mask(padding.clone())
    ///     .memory_key_padding_mask(padding);
    /// assert!(model.call((&source, &target, call))?.narrow(0, 0, 1)?.allclose(&first, 1e-4, 1e-6, false)?);
    /// # Ok::<_, firebrick::Error>(())
    /// ```
    TransformerCall [
        /// `[S, S]` or `[N * nhead, S, S]`: pairs of the source that do not see each other.
        src_mask,
        /// `[T, T]` or `[N * nhead, T, T]`: pairs of the target that do not see each other.
        tgt_mask,
        /// `[T, S]` or `[N * nhead, T, S]`: what the target does not see of the encoded source.
        memory_mask,
        /// `[N, S]` or `[S]`: places of the source that are not there.
        src_key_padding_mask,
        /// `[N, T]` or `[T]`: places of the target that are not there.
        tgt_key_padding_mask,
        /// `[N, S]` or `[S]`: places of the encoded source that are not there.
        memory_key_padding_mask,
    ] [
        /// Is `src_mask` the causal one? Unless said, it is looked at.
        src_is_causal,
        /// Is `tgt_mask` the causal one? Unless said, it is looked at.
        tgt_is_causal,
    ] [
        /// Is `memory_mask` the causal one? It then need not be looked at.
        memory_is_causal,
    ];
}
