//! What a [`DataLoader`] is made of.

use crate::batch_sampler::BatchSampler;
use crate::loader::DataLoader;
use crate::random_sampler::RandomSampler;
use crate::sampler::{Sampler, SequentialSampler};
use crate::{Collate, Dataset};
use firebrick_core::{Error, Generator, Result};

const OP: &str = "DataLoader";

/// Puts items together.
pub(crate) type CollateFn<I, B> = Box<dyn Fn(Vec<I>) -> Result<B> + Send + Sync>;

/// Options of a [`DataLoader`]; made by [`DataLoader::builder`] and [`DataLoader::builder_with`].
pub struct DataLoaderBuilder<D: Dataset, B> {
    dataset: D,
    collate: CollateFn<D::Item, B>,
    batch_size: Option<usize>,
    shuffle: bool,
    drop_last: bool,
    sampler: Option<Box<dyn Sampler<Item = usize>>>,
    batch_sampler: Option<Box<dyn Sampler<Item = Vec<usize>>>>,
    generator: Option<Generator>,
}

impl<D: Dataset> DataLoader<D, <D::Item as Collate>::Batch>
where
    D::Item: Collate + 'static,
{
    /// A loader of `dataset` whose items become batches as [`Collate`] says.
    pub fn builder(dataset: D) -> DataLoaderBuilder<D, <D::Item as Collate>::Batch> {
        DataLoader::builder_with(dataset, D::Item::collate)
    }
}

impl<D: Dataset, B> DataLoader<D, B> {
    /// A loader of `dataset` whose items become batches by `collate`: PyTorch's `collate_fn`.
    pub fn builder_with(
        dataset: D,
        collate: impl Fn(Vec<D::Item>) -> Result<B> + Send + Sync + 'static,
    ) -> DataLoaderBuilder<D, B> {
        DataLoaderBuilder {
            dataset,
            collate: Box::new(collate),
            batch_size: None,
            shuffle: false,
            drop_last: false,
            sampler: None,
            batch_sampler: None,
            generator: None,
        }
    }
}

impl<D: Dataset, B> DataLoaderBuilder<D, B> {
    /// Items of a batch; 1 unless set.
    pub fn batch_size(mut self, batch_size: usize) -> Self {
        self.batch_size = Some(batch_size);
        self
    }

    /// Is every pass in another random order?
    pub fn shuffle(mut self, shuffle: bool) -> Self {
        self.shuffle = shuffle;
        self
    }

    /// Is a last batch of fewer items left out?
    pub fn drop_last(mut self, drop_last: bool) -> Self {
        self.drop_last = drop_last;
        self
    }

    /// Visits the data set in this order.
    pub fn sampler(mut self, sampler: impl Sampler<Item = usize> + 'static) -> Self {
        self.sampler = Some(Box::new(sampler));
        self
    }

    /// Makes these batches.
    pub fn batch_sampler(mut self, sampler: impl Sampler<Item = Vec<usize>> + 'static) -> Self {
        self.batch_sampler = Some(Box::new(sampler));
        self
    }

    /// Draws from `generator` instead of the default one.
    pub fn generator(mut self, generator: &Generator) -> Self {
        self.generator = Some(generator.clone());
        self
    }

    /// The loader.
    ///
    /// # Errors
    /// `batch_size` = 0; `shuffle` beside a sampler; a batch sampler beside any other order; `shuffle` of no items.
    pub fn build(self) -> Result<DataLoader<D, B>> {
        if self.sampler.is_some() && self.shuffle {
            return Err(Error::value(OP, "sampler option is mutually exclusive with shuffle"));
        }
        let batches: Box<dyn Sampler<Item = Vec<usize>>> = match self.batch_sampler {
            Some(_)
                if self.batch_size.is_some_and(|size| size != 1)
                    || self.shuffle
                    || self.sampler.is_some()
                    || self.drop_last =>
            {
                return Err(Error::value(
                    OP,
                    "batch_sampler option is mutually exclusive with batch_size, shuffle, sampler, and drop_last",
                ));
            }
            Some(batches) => batches,
            None => {
                let len = self.dataset.len();
                let sampler: Box<dyn Sampler<Item = usize>> = match (self.sampler, self.shuffle) {
                    (Some(sampler), _) => sampler,
                    (None, false) => Box::new(SequentialSampler::new(len)),
                    (None, true) => {
                        let sampler = RandomSampler::new(len)?;
                        Box::new(self.generator.iter().fold(sampler, RandomSampler::generator))
                    }
                };
                Box::new(BatchSampler::new(sampler, self.batch_size.unwrap_or(1), self.drop_last)?)
            }
        };
        Ok(DataLoader::from_parts(self.dataset, batches, self.collate, self.generator))
    }
}
