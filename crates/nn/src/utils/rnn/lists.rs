//! Lists of sequences: padded, packed, and taken apart again.

use super::{PackOptions, PackedSequence, UnpackOptions, pack_padded_sequence_with, pad_packed_sequence_with};
use crate::options::options;
use firebrick_core::{Error, Lengths, Result, Scalar, Tensor};
use std::borrow::Borrow;
use std::str::FromStr;

const PAD: &str = "pad_sequence";

/// The end at which padding stands.
///
/// ```
/// use firebrick::prelude::*;
/// use firebrick::nn::utils::rnn::PaddingSide;
/// let side: PaddingSide = "left".parse()?;
/// assert_eq!((side, PaddingSide::default()), (PaddingSide::Left, PaddingSide::Right));
/// # Ok::<_, firebrick::Error>(())
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum PaddingSide {
    /// Behind the sequence.
    #[default]
    Right,
    /// In front of it.
    Left,
}

impl FromStr for PaddingSide {
    type Err = Error;

    fn from_str(name: &str) -> Result<Self> {
        match name {
            "right" => Ok(PaddingSide::Right),
            "left" => Ok(PaddingSide::Left),
            other => {
                let text = format!("Expected padding_side to be one of left or right, but got {other}.");
                Err(Error::runtime(PAD, text))
            }
        }
    }
}

options! {
    /// Options of [`pad_sequence_with`]; PyTorch's defaults unless set. That function shows them.
    PadSequenceOptions {
        /// Does the batch come first, rather than the sequence?
        batch_first: bool = false,
        /// What the padding is.
        padding_value: Scalar as impl Into<Scalar> = Scalar::from(0.0),
        /// Where the padding is.
        padding_side: PaddingSide = PaddingSide::Right,
    }
}

/// One tensor `[T, B, *]` of sequences `[L, *]`, padded with zeros to the longest.
///
/// # Errors
/// No sequences; sizes that differ beyond the first dimension.
///
/// ```
/// use firebrick::prelude::*;
/// let padded = nn::utils::rnn::pad_sequence(&[Tensor::new([1, 2])?, Tensor::new([3])?])?;
/// assert_eq!(padded.to_vec::<i32>()?, [1, 3, 2, 0]);
/// # Ok::<_, firebrick::Error>(())
/// ```
pub fn pad_sequence<T: Borrow<Tensor>>(sequences: &[T]) -> Result<Tensor> {
    pad_sequence_with(sequences, PadSequenceOptions::new())
}

/// [`pad_sequence`] with options.
///
/// # Errors
/// As [`pad_sequence`].
///
/// ```
/// use firebrick::prelude::*;
/// use firebrick::nn::utils::rnn::{PadSequenceOptions, PaddingSide, pad_sequence_with};
/// let options = PadSequenceOptions::new().batch_first(true).padding_value(-1).padding_side(PaddingSide::Left);
/// let padded = pad_sequence_with(&[Tensor::new([1, 2])?, Tensor::new([3])?], options)?;
/// assert_eq!(padded.to_vec::<i32>()?, [1, 2, -1, 3]);
/// # Ok::<_, firebrick::Error>(())
/// ```
pub fn pad_sequence_with<T: Borrow<Tensor>>(sequences: &[T], options: PadSequenceOptions) -> Result<Tensor> {
    let Some(first) = sequences.first().map(Borrow::borrow) else {
        return Err(Error::runtime(PAD, "received an empty list of sequences"));
    };
    let lengths = sequences.iter().map(|s| length(s.borrow())).collect::<Result<Vec<i64>>>()?;
    let longest = lengths.iter().copied().max().unwrap_or(0);
    let mut padded = Vec::with_capacity(sequences.len());
    for (sequence, &length) in sequences.iter().map(Borrow::borrow).zip(&lengths) {
        // The first sequence decides on dtype and trailing sizes, to which the others are stretched.
        let mut shape = first.shape().iter().map(|&n| n as i64).collect::<Vec<_>>();
        shape[0] = longest - length;
        let padding = first.detach().new_full(&shape[..], options.padding_value)?;
        shape[0] = length;
        let own = sequence.to(first.dtype())?.expand(&shape[..])?;
        let both = match options.padding_side {
            PaddingSide::Right => [own, padding],
            PaddingSide::Left => [padding, own],
        };
        padded.push(Tensor::cat(&both, 0)?);
    }
    Tensor::stack(&padded, if options.batch_first { 0 } else { 1 })
}

/// The number of elements of one sequence.
fn length(sequence: &Tensor) -> Result<i64> {
    if sequence.dim() == 0 {
        return Err(Error::runtime(PAD, "ArrayRef: invalid slice, N = 1; size = 0").expected("at least one dimension"));
    }
    Ok(sequence.size(0)? as i64)
}

/// Takes a padded batch apart: each sequence to its length.
///
/// # Errors
/// More lengths than sequences, or fewer. PyTorch passes over sequences without a length.
///
/// ```
/// use firebrick::prelude::*;
/// let padded = Tensor::new([[1, 3], [2, 0]])?;
/// let parts = nn::utils::rnn::unpad_sequence(&padded, [2, 1], false)?;
/// assert_eq!(parts[1].to_vec::<i32>()?, [3]);
/// # Ok::<_, firebrick::Error>(())
/// ```
pub fn unpad_sequence(padded: &Tensor, lengths: impl Into<Lengths>, batch_first: bool) -> Result<Vec<Tensor>> {
    const OP: &str = "unpad_sequence";
    let padded = if batch_first { padded.clone() } else { padded.transpose(0, 1)? };
    let lengths = match lengths.into() {
        Lengths::List(list) => list,
        Lengths::Tensor(lengths) => lengths.to_vec::<i64>()?,
    };
    let (count, steps) = (padded.size(0)?, padded.size(1)? as i64);
    if lengths.len() != count {
        return Err(Error::value(OP, "zip() argument 2 is shorter than argument 1")
            .given(format!("{} lengths of {count} sequences", lengths.len())));
    }
    let part = |(sequence, &length): (&Tensor, &i64)| sequence.narrow(0, 0, length.clamp(0, steps));
    padded.unbind(0)?.iter().zip(&lengths).map(part).collect()
}

/// Packs sequences `[L, *]`, which come from the longest to the shortest unless `enforce_sorted` is false.
///
/// # Errors
/// Empty sequences, ones that are not sorted, sizes that differ beyond the first dimension.
///
/// ```
/// use firebrick::prelude::*;
/// let packed = nn::utils::rnn::pack_sequence(&[Tensor::new([1])?, Tensor::new([2, 3])?], false)?;
/// assert_eq!(packed.data.to_vec::<i32>()?, [2, 1, 3]);
/// # Ok::<_, firebrick::Error>(())
/// ```
pub fn pack_sequence<T: Borrow<Tensor>>(sequences: &[T], enforce_sorted: bool) -> Result<PackedSequence> {
    let lengths = sequences.iter().map(|s| length(s.borrow())).collect::<Result<Vec<i64>>>()?;
    let padded = pad_sequence(sequences)?;
    pack_padded_sequence_with(&padded, lengths, PackOptions::new().enforce_sorted(enforce_sorted))
}

/// Undoes [`pack_sequence`].
///
/// # Errors
/// A packed sequence whose parts do not fit each other.
///
/// ```
/// use firebrick::nn::utils::rnn::{pack_sequence, unpack_sequence};
/// use firebrick::prelude::*;
/// let packed = pack_sequence(&[Tensor::new([1])?, Tensor::new([2, 3])?], false)?;
/// assert_eq!(unpack_sequence(&packed)?[1].to_vec::<i32>()?, [2, 3]);
/// # Ok::<_, firebrick::Error>(())
/// ```
pub fn unpack_sequence(packed: &PackedSequence) -> Result<Vec<Tensor>> {
    let (padded, lengths) = pad_packed_sequence_with(packed, UnpackOptions::new().batch_first(true))?;
    unpad_sequence(&padded, &lengths, true)
}
