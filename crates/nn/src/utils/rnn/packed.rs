//! The packed form of a batch of sequences.

use crate::Args;
use firebrick_core::{DType, Error, Result, Tensor, TensorOptions, To};

/// Sequences of different lengths without padding: the first elements of all, then the second ones, and so on.
///
/// Made by [`pack_padded_sequence`](super::pack_padded_sequence) and [`pack_sequence`](super::pack_sequence). Of the sequences
/// `abc` and `x`, `data` is `axbc` and `batch_sizes` is `[2, 1, 1]`.
///
/// ```
/// use firebrick::prelude::*;
/// use firebrick::nn::utils::rnn::pack_sequence;
/// let packed = pack_sequence(&[Tensor::new([1, 2, 3])?, Tensor::new([9])?], true)?;
/// assert_eq!(packed.data.to_vec::<i32>()?, [1, 9, 2, 3]);
/// assert_eq!(packed.batch_sizes.to_vec::<i64>()?, [2, 1, 1]);
/// let rnn = nn::RNN::new(1, 4)?;
/// let (output, state) = rnn.call(pack_sequence(&[Tensor::ones([3, 1])?, Tensor::ones([1, 1])?], true)?)?;
/// assert_eq!((output.data.shape().to_vec(), state.shape().to_vec()), (vec![4, 4], vec![1, 2, 4]));
/// # Ok::<_, firebrick::Error>(())
/// ```
#[derive(Args, Clone, Debug)]
pub struct PackedSequence {
    /// The elements, `[sum of the lengths, *]`.
    pub data: Tensor,
    /// How many sequences there are at each step, of int64 and on the CPU: it never grows.
    pub batch_sizes: Tensor,
    /// The original place of each sequence, where they were sorted.
    pub sorted_indices: Option<Tensor>,
    /// The place to which each original sequence was sorted.
    pub unsorted_indices: Option<Tensor>,
}

impl PackedSequence {
    /// From parts; the inverse of `sorted_indices` is computed.
    ///
    /// # Errors
    /// `batch_sizes` on another device than the CPU; indices that are no permutation.
    ///
    /// ```
    /// use firebrick::prelude::*;
    /// use firebrick::nn::utils::rnn::PackedSequence;
    /// let order = Tensor::new([2i64, 0, 1])?;
    /// let packed = PackedSequence::new(Tensor::new([1, 2, 3])?, Tensor::new([3i64])?, Some(order))?;
    /// assert_eq!(packed.unsorted_indices.map(|order| order.to_vec::<i64>()).transpose()?, Some(vec![1, 2, 0]));
    /// # Ok::<_, firebrick::Error>(())
    /// ```
    pub fn new(data: Tensor, batch_sizes: Tensor, sorted_indices: Option<Tensor>) -> Result<Self> {
        if batch_sizes.device() != firebrick_core::Device::Cpu {
            return Err(Error::value(
                "PackedSequence",
                "batch_sizes should always be on CPU. Instances of PackedSequence should never be created manually. They should be instantiated by functions like pack_sequence and pack_padded_sequences in nn.utils.rnn. https://pytorch.org/docs/stable/nn.html#torch.nn.utils.rnn.pack_sequence",
            ));
        }
        let unsorted_indices = sorted_indices.as_ref().map(invert_permutation).transpose()?;
        Ok(PackedSequence { data, batch_sizes, sorted_indices, unsorted_indices })
    }

    /// The data in another dtype or on another device, where its indices follow.
    ///
    /// # Errors
    /// When memory cannot be had.
    ///
    /// ```
    /// use firebrick::prelude::*;
    /// use firebrick::nn::utils::rnn::pack_sequence;
    /// let packed = pack_sequence(&[Tensor::new([1, 2])?], true)?.to(DType::F64)?;
    /// assert_eq!((packed.data.dtype(), packed.batch_sizes.dtype()), (DType::F64, DType::I64));
    /// # Ok::<_, firebrick::Error>(())
    /// ```
    pub fn to(&self, to: impl Into<To>) -> Result<Self> {
        let data = self.data.to(to)?;
        let moved = |t: &Option<Tensor>| t.as_ref().map(|t| t.to(data.device())).transpose();
        let (sorted_indices, unsorted_indices) = (moved(&self.sorted_indices)?, moved(&self.unsorted_indices)?);
        Ok(PackedSequence { data, batch_sizes: self.batch_sizes.clone(), sorted_indices, unsorted_indices })
    }

    /// The same sequences with other elements.
    pub(crate) fn with_data(&self, data: Tensor) -> Self {
        PackedSequence { data, ..self.clone() }
    }

    /// How many sequences there are at each step.
    pub(crate) fn sizes(&self, op: &'static str) -> Result<Vec<usize>> {
        let sizes = &self.batch_sizes;
        if sizes.dim() != 1 || sizes.dtype() != DType::I64 {
            let text = format!(
                "'lengths' argument should be a 1D CPU int64 tensor, but got {}D {} {} tensor",
                sizes.dim(),
                sizes.device(),
                sizes.dtype().scalar_name()
            );
            return Err(Error::runtime(op, text));
        }
        let sizes = sizes.to_vec::<i64>()?;
        if sizes.is_empty() {
            return Err(Error::runtime(op, "batch_sizes can not be empty"));
        }
        let size = |n: &i64| usize::try_from(*n).map_err(|_| Error::runtime(op, "batch_sizes cannot be negative"));
        sizes.iter().map(size).collect()
    }
}

/// The inverse of a permutation, of int64.
///
/// # Errors
/// A tensor that is no vector of int64, or indices that are out of bounds.
///
/// ```
/// use firebrick::prelude::*;
/// let inverse = nn::utils::rnn::invert_permutation(&Tensor::new([2i64, 0, 1])?)?;
/// assert_eq!(inverse.to_vec::<i64>()?, [1, 2, 0]);
/// # Ok::<_, firebrick::Error>(())
/// ```
pub fn invert_permutation(permutation: &Tensor) -> Result<Tensor> {
    let count = permutation.numel() as i64;
    let places = Tensor::arange_with(0, count, 1, TensorOptions::from(DType::I64).device(permutation.device()))?;
    permutation.new_zeros(permutation.shape())?.scatter(0, permutation, &places)
}
