//! Between padded batches and packed sequences.

use super::PackedSequence;
use crate::options::options;
use firebrick_core::{DType, Device, Error, Lengths, Result, Scalar, Tensor};

const PACK: &str = "pack_padded_sequence";
const PAD: &str = "pad_packed_sequence";

options! {
    /// Options of [`pack_padded_sequence_with`]; PyTorch's defaults unless set. That function shows them.
    PackOptions {
        /// Does the batch come first, rather than the sequence?
        batch_first: bool = false,
        /// Do the sequences come from the longest to the shortest? They are sorted when this is false.
        enforce_sorted: bool = true,
    }
}

/// Packs a padded batch `[T, B, *]` whose sequences have these lengths, from the longest to the shortest.
///
/// # Errors
/// Lengths that are not sorted, below one, or more or fewer than the batch. Lengths beyond `T` are refused, where PyTorch
/// counts elements that are not there.
///
/// ```
/// use firebrick::nn::utils::rnn::pack_padded_sequence;
/// use firebrick::prelude::*;
/// let padded = Tensor::new([[1, 4], [2, 5], [3, 0]])?;
/// let packed = pack_padded_sequence(&padded, [3, 2])?;
/// assert_eq!(packed.data.to_vec::<i32>()?, [1, 4, 2, 5, 3]);
/// assert_eq!(packed.batch_sizes.to_vec::<i64>()?, [2, 2, 1]);
/// # Ok::<_, firebrick::Error>(())
/// ```
pub fn pack_padded_sequence(input: &Tensor, lengths: impl Into<Lengths>) -> Result<PackedSequence> {
    pack_padded_sequence_with(input, lengths, PackOptions::new())
}

/// [`pack_padded_sequence`] with options.
///
/// # Errors
/// As [`pack_padded_sequence`].
///
/// ```
/// use firebrick::prelude::*;
/// use firebrick::nn::utils::rnn::{PackOptions, pack_padded_sequence_with};
/// let padded = Tensor::new([[4, 0], [1, 2]])?;
/// let options = PackOptions::new().batch_first(true).enforce_sorted(false);
/// let packed = pack_padded_sequence_with(&padded, [1, 2], options)?;
/// assert_eq!(packed.data.to_vec::<i32>()?, [1, 4, 2]);
/// assert_eq!(packed.sorted_indices.map(|order| order.to_vec::<i64>()).transpose()?, Some(vec![1, 0]));
/// # Ok::<_, firebrick::Error>(())
/// ```
pub fn pack_padded_sequence_with(
    input: &Tensor,
    lengths: impl Into<Lengths>,
    options: PackOptions,
) -> Result<PackedSequence> {
    let mut lengths = match lengths.into() {
        Lengths::List(list) => Tensor::from_slice_with(&list, [list.len()], Device::Cpu)?,
        Lengths::Tensor(lengths) => lengths.to(DType::I64)?,
    };
    let batch_dim = if options.batch_first { 0 } else { 1 };
    let mut sorted_indices = None;
    if !options.enforce_sorted {
        let (sorted, order) = lengths.sort(-1, true)?;
        input.size(batch_dim)?;
        if order.dim() != 1 {
            return Err(Error::index("index_select", "index_select(): Index is supposed to be a vector"));
        }
        lengths = sorted;
        sorted_indices = Some(order);
    }
    let order = sorted_indices.as_ref().map(Tensor::to_vec::<i64>).transpose()?;
    let layout = Layout::of(input, options.batch_first)?;
    let lengths = checked(&lengths, &layout)?;
    let sizes: Vec<i64> = (0..lengths[0]).map(|t| lengths.iter().filter(|&&n| n > t).count() as i64).collect();
    let order = order.unwrap_or_else(|| (0..layout.batch).collect());
    let rows: Vec<i64> = steps(&sizes).map(|(t, b)| layout.row(t, order[b as usize])).collect();
    let rows = Tensor::from_slice_with(&rows, [rows.len()], input.device())?;
    let data = input.flatten(0, 1)?.index_select(0, &rows)?;
    let sorted_indices = sorted_indices.map(|order| order.to(input.device())).transpose()?;
    PackedSequence::new(data, Tensor::from_slice_with(&sizes, [sizes.len()], Device::Cpu)?, sorted_indices)
}

/// Where the elements of a padded batch are once steps and sequences are one dimension.
struct Layout {
    batch_first: bool,
    steps: i64,
    batch: i64,
}

impl Layout {
    fn of(input: &Tensor, batch_first: bool) -> Result<Self> {
        let (first, second) = (input.size(0)? as i64, input.size(1)? as i64);
        if input.numel() == 0 {
            return Err(Error::runtime(PACK, "Cannot pack empty tensors."));
        }
        let (steps, batch) = if batch_first { (second, first) } else { (first, second) };
        Ok(Layout { batch_first, steps, batch })
    }

    fn row(&self, step: i64, sequence: i64) -> i64 {
        if self.batch_first { sequence * self.steps + step } else { step * self.batch + sequence }
    }
}

/// Every step with every sequence it has, in the packed order.
fn steps(sizes: &[i64]) -> impl Iterator<Item = (i64, i64)> {
    sizes.iter().enumerate().flat_map(|(t, &size)| (0..size).map(move |b| (t as i64, b)))
}

/// The lengths, which fit the batch and never grow.
fn checked(lengths: &Tensor, layout: &Layout) -> Result<Vec<i64>> {
    let refuse = |text: String| Err(Error::runtime(PACK, text));
    if lengths.dim() != 1 {
        let dim = lengths.dim();
        return refuse(format!("'lengths' argument should be a 1D CPU int64 tensor, but got {dim}D cpu Long tensor"));
    }
    let lengths = lengths.to_vec::<i64>()?;
    let (count, batch, steps) = (lengths.len(), layout.batch, layout.steps);
    if count as i64 != batch {
        return refuse(format!(
            "Expected `len(lengths)` to be equal to batch_size, but got {count} (batch_size={batch})"
        ));
    }
    // The order of PyTorch's checks: each pair from the end, then the shortest.
    if lengths.last().is_some_and(|&n| n <= 0) {
        return refuse(
            "Length of all samples has to be greater than 0, but found an element in 'lengths' that is <= 0".into(),
        );
    }
    if lengths.is_sorted_by(|a, b| a >= b) {
        return match lengths[0] > steps {
            false => Ok(lengths),
            true => refuse(format!("a length of {} is beyond the {steps} steps of the input", lengths[0])),
        };
    }
    refuse("`lengths` array must be sorted in decreasing order when `enforce_sorted` is True. You can pass `enforce_sorted=False` to pack_padded_sequence and/or pack_sequence to sidestep this requirement if you do not need ONNX exportability.".into())
}

options! {
    /// Options of [`pad_packed_sequence_with`]; PyTorch's defaults unless set. That function shows them.
    UnpackOptions {
        /// Does the batch come first, rather than the sequence?
        batch_first: bool = false,
        /// What stands beyond the end of a sequence.
        padding_value: Scalar as impl Into<Scalar> = Scalar::from(0.0),
        /// How many steps the result has; those of the longest sequence if there is none.
        total_length: Option<usize> as impl Into<Option<usize>> = None,
    }
}

/// Undoes [`pack_padded_sequence`]: the padded batch `[T, B, *]` in its original order, and the lengths.
///
/// # Errors
/// A packed sequence whose parts do not fit each other.
///
/// ```
/// use firebrick::nn::utils::rnn::{pack_sequence, pad_packed_sequence};
/// use firebrick::prelude::*;
/// let packed = pack_sequence(&[Tensor::new([1, 2])?, Tensor::new([3])?], true)?;
/// let (padded, lengths) = pad_packed_sequence(&packed)?;
/// assert_eq!(padded.to_vec::<i32>()?, [1, 3, 2, 0]);
/// assert_eq!(lengths.to_vec::<i64>()?, [2, 1]);
/// # Ok::<_, firebrick::Error>(())
/// ```
pub fn pad_packed_sequence(sequence: &PackedSequence) -> Result<(Tensor, Tensor)> {
    pad_packed_sequence_with(sequence, UnpackOptions::new())
}

/// [`pad_packed_sequence`] with options.
///
/// # Errors
/// A total length below that of the longest sequence; as [`pad_packed_sequence`].
///
/// ```
/// use firebrick::prelude::*;
/// use firebrick::nn::utils::rnn::{UnpackOptions, pack_sequence, pad_packed_sequence_with};
/// let packed = pack_sequence(&[Tensor::new([1, 2])?, Tensor::new([3])?], true)?;
/// let options = UnpackOptions::new().batch_first(true).padding_value(-1).total_length(3);
/// let (padded, _) = pad_packed_sequence_with(&packed, options)?;
/// assert_eq!(padded.to_vec::<i32>()?, [1, 2, -1, 3, -1, -1]);
/// # Ok::<_, firebrick::Error>(())
/// ```
pub fn pad_packed_sequence_with(sequence: &PackedSequence, options: UnpackOptions) -> Result<(Tensor, Tensor)> {
    let sizes: Vec<i64> = sequence.sizes(PAD)?.iter().map(|&n| n as i64).collect();
    let longest = sizes.len();
    let steps_wanted = options.total_length.unwrap_or(longest);
    if steps_wanted < longest {
        let text = format!(
            "Expected total_length to be at least the length of the longest sequence in input, but got total_length={steps_wanted} and max sequence length being {longest}"
        );
        return Err(Error::value(PAD, text));
    }
    check_rows(sequence, &sizes)?;
    let batch = sizes[0];
    let order = match &sequence.sorted_indices {
        Some(order) => order.to_vec::<i64>()?,
        None => (0..batch).collect(),
    };
    if order.len() as i64 != batch || order.iter().any(|place| !(0..batch).contains(place)) {
        let text = format!("sorted_indices are no order of {batch} sequences");
        return Err(Error::runtime(PAD, text).given(format!("{order:?}")));
    }
    let layout = Layout { batch_first: options.batch_first, steps: steps_wanted as i64, batch };
    let rows: Vec<i64> = steps(&sizes).map(|(t, b)| layout.row(t, order[b as usize])).collect();
    let data = &sequence.data;
    let rows = Tensor::from_slice_with(&rows, [rows.len()], data.device())?;
    let mut shape = data.shape().to_vec();
    shape[0] = steps_wanted.checked_mul(batch as usize).ok_or_else(|| Error::runtime(PAD, "too many elements"))?;
    let filled = data.detach().new_full(&shape[..], options.padding_value)?.index_copy(0, &rows, data)?;
    let (first, second) = if options.batch_first { (batch, layout.steps) } else { (layout.steps, batch) };
    let lengths: Vec<i64> = (0..batch).map(|b| sizes.iter().filter(|&&size| size > b).count() as i64).collect();
    let mut original = lengths.clone();
    for (&place, length) in order.iter().zip(lengths) {
        original[place as usize] = length;
    }
    Ok((filled.unflatten(0, [first, second])?, Tensor::from_slice_with(&original, [original.len()], Device::Cpu)?))
}

/// The data has a row for each sequence of each step, and no step has more sequences than the one before.
fn check_rows(sequence: &PackedSequence, sizes: &[i64]) -> Result<()> {
    let rows = sequence.data.size(0)? as i64;
    if let Some(pair) = sizes.windows(2).find(|pair| pair[1] > pair[0]) {
        let [before, after] = [pair[0], pair[1]];
        let text = format!("output with shape [1, {before}] doesn't match the broadcast shape [1, {after}]");
        return Err(Error::runtime(PAD, text).expected("batch_sizes that never grow"));
    }
    if sizes.iter().sum::<i64>() != rows {
        let text = format!("batch_sizes add up to {} elements, the data has {rows}", sizes.iter().sum::<i64>());
        return Err(Error::runtime(PAD, text));
    }
    Ok(())
}
