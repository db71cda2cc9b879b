//! A data set in random parts.

use crate::{Dataset, Subset};
use firebrick_core::random::{current_generator, randperm};
use firebrick_core::{Error, Result};
use std::sync::Arc;

const OP: &str = "random_split";

/// What [`random_split`] takes: numbers of items, or fractions that add up to 1.
///
/// ```
/// use firebrick_data::{ListDataset, Dataset, random_split};
/// let by_number = random_split(ListDataset((0..10).collect::<Vec<i64>>()), [7, 3])?;
/// let by_fraction = random_split(ListDataset((0..10).collect::<Vec<i64>>()), [0.75, 0.25])?;
/// assert_eq!((by_number[0].len(), by_fraction[0].len()), (7, 8));
/// # Ok::<_, firebrick_core::Error>(())
/// ```
pub trait SplitLengths {
    /// The number of items of each part of `len` items.
    ///
    /// # Errors
    /// A fraction outside `[0, 1]`; fractions that do not add up to 1.
    ///
    /// ```
    /// use firebrick_data::SplitLengths;
    /// assert_eq!([0.5, 0.25, 0.25].lengths(10)?, [6, 2, 2]); // the two items left over go to the first parts
    /// assert!([0.5, 0.6].lengths(10).is_err());
    /// # Ok::<_, firebrick_core::Error>(())
    /// ```
    fn lengths(&self, len: usize) -> Result<Vec<usize>>;
}

impl SplitLengths for [usize] {
    fn lengths(&self, _: usize) -> Result<Vec<usize>> {
        Ok(self.to_vec())
    }
}

impl SplitLengths for [f64] {
    /// The whole items of each fraction, and one more for the first ones until none is left.
    fn lengths(&self, len: usize) -> Result<Vec<usize>> {
        let sum: f64 = self.iter().sum();
        // Python's math.isclose
        if !(sum <= 1.0 && 1.0 - sum <= 1e-9) {
            return Err(mismatch().given(format!("fractions that add up to {sum}")));
        }
        if let Some(i) = self.iter().position(|fraction| !(0.0..=1.0).contains(fraction)) {
            return Err(Error::value(OP, format!("Fraction at index {i} is not between 0 and 1")));
        }
        let mut lengths: Vec<usize> = self.iter().map(|fraction| (len as f64 * fraction).floor() as usize).collect();
        let (taken, parts) = (sum_of(&lengths), lengths.len());
        // Numbers beyond 53 bits are rounded as fractions are taken of them.
        let Some(rest) = taken.and_then(|taken| len.checked_sub(taken)) else {
            return Err(mismatch().given(format!("{lengths:?} of {len} items")));
        };
        (0..rest).for_each(|i| lengths[i % parts] += 1);
        Ok(lengths)
    }
}

macro_rules! by_slice {
    ($($number:ty),*) => { $(
        impl SplitLengths for Vec<$number> {
            fn lengths(&self, len: usize) -> Result<Vec<usize>> {
                self[..].lengths(len)
            }
        }

        impl<const N: usize> SplitLengths for [$number; N] {
            fn lengths(&self, len: usize) -> Result<Vec<usize>> {
                self[..].lengths(len)
            }
        }
    )* };
}
by_slice!(usize, f64);

fn sum_of(lengths: &[usize]) -> Option<usize> {
    lengths.iter().try_fold(0_usize, |sum, &length| sum.checked_add(length))
}

fn mismatch() -> Error {
    Error::value(OP, "Sum of input lengths does not equal the length of the input dataset!")
}

/// Splits `dataset` at random into parts of these lengths, or of these fractions of its items.
///
/// The parts share the data set. The permutation is PyTorch 2.15's for the same seed; it comes from the default
/// generator, within [`Generator::scope`](firebrick_core::Generator::scope) from that one.
///
/// # Errors
/// Lengths that do not add up to the data set's length; fractions that do not add up to 1.
///
/// ```
/// use firebrick_core::Generator;
/// use firebrick_data::{ListDataset, random_split};
/// let items = ListDataset((0..10).collect());
/// let parts = Generator::new().manual_seed(0).scope(|| random_split(items, [0.7, 0.3]))?;
/// assert_eq!(parts[1].indices(), [8, 6, 2]);
/// # Ok::<_, firebrick_core::Error>(())
/// ```
pub fn random_split<D: Dataset>(dataset: D, lengths: impl SplitLengths) -> Result<Vec<Subset<Arc<D>>>> {
    let lengths = lengths.lengths(dataset.len())?;
    if sum_of(&lengths) != Some(dataset.len()) {
        return Err(mismatch().given(format!("{lengths:?} of {} items", dataset.len())));
    }
    let order = randperm(&mut current_generator().lock(), dataset.len())?;
    let mut order = order.into_iter().map(|index| index as usize);
    let dataset = Arc::new(dataset);
    let part = |&length: &usize| Subset::new(dataset.clone(), order.by_ref().take(length).collect());
    Ok(lengths.iter().map(part).collect())
}
