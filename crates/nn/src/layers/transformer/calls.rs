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
