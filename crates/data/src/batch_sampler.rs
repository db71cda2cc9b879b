//! Indices in batches.

use crate::sampler::{Order, Sampler};
use firebrick_core::{Error, Result};

pub(crate) fn check_batch_size(batch_size: usize) -> Result<()> {
    if batch_size == 0 {
        let text = "batch_size should be a positive integer value, but got batch_size=0";
        return Err(Error::value("BatchSampler", text));
    }
    Ok(())
}

/// The order of another sampler cut into batches.
///
/// ```
/// use firebrick_data::{BatchSampler, Sampler, SequentialSampler};
/// let batches = BatchSampler::new(SequentialSampler::new(5), 2, false)?;
/// let lists = batches.iter().collect::<firebrick_core::Result<Vec<_>>>()?;
/// assert_eq!(lists, [vec![0, 1], vec![2, 3], vec![4]]);
/// # Ok::<_, firebrick_core::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct BatchSampler<S> {
    sampler: S,
    batch_size: usize,
    drop_last: bool,
}

impl<S: Sampler<Item = usize>> BatchSampler<S> {
    /// Batches of `batch_size`; a last one of fewer is left out for `drop_last`.
    ///
    /// # Errors
    /// `batch_size` = 0.
    ///
    /// ```
    /// use firebrick_data::{BatchSampler, Sampler, SequentialSampler};
    /// let batches = BatchSampler::new(SequentialSampler::new(5), 2, true)?;
    /// assert_eq!(batches.len(), 2);
    /// assert!(BatchSampler::new(SequentialSampler::new(5), 0, false).is_err());
    /// # Ok::<_, firebrick_core::Error>(())
    /// ```
    pub fn new(sampler: S, batch_size: usize, drop_last: bool) -> Result<Self> {
        check_batch_size(batch_size)?;
        Ok(BatchSampler { sampler, batch_size, drop_last })
    }
}

impl<S: Sampler<Item = usize>> Sampler for BatchSampler<S> {
    type Item = Vec<usize>;

    fn iter(&self) -> Order<'_, Vec<usize>> {
        let mut order = self.sampler.iter();
        let batch = move || order.by_ref().take(self.batch_size).collect::<Result<Vec<usize>>>();
        let complete = move |batch: &Result<Vec<usize>>| match batch {
            Ok(batch) => batch.len() == self.batch_size || (!self.drop_last && !batch.is_empty()),
            Err(_) => true,
        };
        Box::new(std::iter::repeat_with(batch).take_while(complete))
    }

    fn len(&self) -> usize {
        let items = self.sampler.len();
        if self.drop_last { items / self.batch_size } else { items.div_ceil(self.batch_size) }
    }
}
