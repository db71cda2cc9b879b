//! Sequences of different lengths in one batch: PyTorch's `torch.nn.utils.rnn`.
//!
//! | file | what it holds |
//! |---|---|
//! | `packed` | [`PackedSequence`], [`invert_permutation`] |
//! | `pack` | [`pack_padded_sequence`], [`pad_packed_sequence`]: to and fro |
//! | `lists` | [`pad_sequence`], [`unpad_sequence`], [`pack_sequence`], [`unpack_sequence`]: lists of sequences |
//!
//! Recurrent layers take packed sequences and spend no time on padding.

mod lists;
mod pack;
mod packed;

pub use lists::{
    PadSequenceOptions, PaddingSide, pack_sequence, pad_sequence, pad_sequence_with, unpack_sequence, unpad_sequence,
};
pub use pack::{
    PackOptions, UnpackOptions, pack_padded_sequence, pack_padded_sequence_with, pad_packed_sequence,
    pad_packed_sequence_with,
};
pub use packed::{PackedSequence, invert_permutation};
