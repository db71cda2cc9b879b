//! Batches of a data set, pass after pass.

use crate::Dataset;
use crate::builder::CollateFn;
use crate::sampler::{Order, Sampler};
use firebrick_core::random::{current_generator, loader_seed};
use firebrick_core::{Generator, Result};

/// Batches of a data set, in its order or shuffled anew in every pass: PyTorch's `DataLoader`.
///
/// Orders are PyTorch 2.15's for the same seed. As there, every pass first draws one 64-bit number, from the loader's
/// generator or else the default one; a shuffling loader without a generator draws a second one for its order.
///
/// ```
/// use firebrick_core::{Generator, Tensor};
/// use firebrick_data::{DataLoader, TensorDataset};
/// let x = Tensor::new([0.0f32, 1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0, 9.0])?;
/// let generator = Generator::new().manual_seed(0);
/// let loader = DataLoader::builder(TensorDataset::new((x.copy()?, x))?)
///     .batch_size(4)
///     .shuffle(true)
///     .drop_last(true)
///     .generator(&generator)
///     .build()?;
/// assert_eq!(loader.len(), 2);
/// let first = loader.iter().next().transpose()?.map(|(x, _)| x.to_vec::<f32>());
/// assert_eq!(first.transpose()?, Some(vec![3.0, 7.0, 5.0, 2.0]));
/// # Ok::<_, firebrick_core::Error>(())
/// ```
pub struct DataLoader<D: Dataset, B> {
    dataset: D,
    batches: Box<dyn Sampler<Item = Vec<usize>>>,
    collate: CollateFn<D::Item, B>,
    generator: Option<Generator>,
}

impl<D: Dataset, B> DataLoader<D, B> {
    pub(crate) fn from_parts(
        dataset: D,
        batches: Box<dyn Sampler<Item = Vec<usize>>>,
        collate: CollateFn<D::Item, B>,
        generator: Option<Generator>,
    ) -> Self {
        DataLoader { dataset, batches, collate, generator }
    }

    /// Number of batches of a pass.
    pub fn len(&self) -> usize {
        self.batches.len()
    }

    /// Whether a pass has no batches.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The data set.
    pub fn dataset(&self) -> &D {
        &self.dataset
    }

    /// One pass.
    pub fn iter(&self) -> Batches<'_, D, B> {
        // PyTorch seeds its workers with this number, and draws it also without workers.
        let generator = self.generator.clone().unwrap_or_else(current_generator);
        loader_seed(&mut generator.lock());
        Batches { loader: self, order: self.batches.iter() }
    }
}

impl<'a, D: Dataset, B> IntoIterator for &'a DataLoader<D, B> {
    type Item = Result<B>;
    type IntoIter = Batches<'a, D, B>;

    fn into_iter(self) -> Batches<'a, D, B> {
        self.iter()
    }
}

/// One pass of a [`DataLoader`].
pub struct Batches<'a, D: Dataset, B> {
    loader: &'a DataLoader<D, B>,
    order: Order<'a, Vec<usize>>,
}

impl<D: Dataset, B> Iterator for Batches<'_, D, B> {
    type Item = Result<B>;

    fn next(&mut self) -> Option<Result<B>> {
        let load = |indices: Vec<usize>| (self.loader.collate)(self.loader.dataset.get_items(&indices)?);
        Some(self.order.next()?.and_then(load))
    }
}
