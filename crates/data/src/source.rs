//! Where a loader's batches come from: items by index, or the next items of a stream.

use crate::caught::caught;
use crate::sampler::Sampler;
use crate::{Dataset, IterableDataset, Order};
use firebrick_core::Result;
use std::sync::Arc;

/// Makes the batch of these indices; `None` when a stream has ended.
pub(crate) type Fetch<'a, B> = Box<dyn FnMut(&[usize]) -> Result<Option<B>> + Send + 'a>;

/// Makes batches, in the loader's thread or in a worker's.
pub(crate) trait Source<B>: Send + Sync {
    /// Starts a pass.
    fn open(&self) -> Fetch<'_, B>;
}

/// The items of a [`Dataset`], put together by `collate`.
pub(crate) struct Indexed<D, C> {
    pub dataset: Arc<D>,
    pub collate: C,
}

impl<D: Dataset, B, C: Fn(Vec<D::Item>) -> Result<B> + Send + Sync> Source<B> for Indexed<D, C> {
    fn open(&self) -> Fetch<'_, B> {
        Box::new(|indices| caught(|| (self.collate)(self.dataset.get_items(indices)?)).map(Some))
    }
}

/// The items of an [`IterableDataset`], put together by `collate`.
pub(crate) struct Streamed<D, C> {
    pub dataset: Arc<D>,
    pub collate: C,
    pub batch_size: usize,
    pub drop_last: bool,
}

impl<D: IterableDataset, B, C: Fn(Vec<D::Item>) -> Result<B> + Send + Sync> Source<B> for Streamed<D, C> {
    fn open(&self) -> Fetch<'_, B> {
        // A stream is opened with its first batch, where an error of it can be told.
        let (mut stream, mut ended, mut read) = (None, false, 0_usize);
        Box::new(move |_| {
            caught(|| {
                let stream = stream.get_or_insert_with(|| self.dataset.iter());
                let mut items = Vec::new();
                while !ended && items.len() < self.batch_size {
                    match caught(|| stream.next().transpose()).map_err(|e| e.context(format!("item {read}")))? {
                        Some(item) => items.push(item),
                        None => ended = true,
                    }
                    read += 1;
                }
                let wanted = if self.drop_last { self.batch_size } else { 1 };
                if items.len() < wanted { Ok(None) } else { (self.collate)(items).map(Some) }
            })
        })
    }
}

/// The batches of a stream, which chooses the items itself: an empty list for each, without end.
pub(crate) struct Endless;

impl Sampler for Endless {
    type Item = Vec<usize>;

    fn iter(&self) -> Order<'_, Vec<usize>> {
        Box::new(std::iter::repeat_with(|| Ok(Vec::new())))
    }

    fn len(&self) -> usize {
        usize::MAX
    }
}
