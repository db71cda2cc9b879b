//! Batches of a data set, pass after pass.

use crate::Dataset;
use crate::crew::{Crew, CrewOptions};
use crate::prefetch::{Home, Prefetch};
use crate::sampler::{Order, Sampler};
use crate::source::{Fetch, Source};
use firebrick_core::random::{current_generator, loader_seed};
use firebrick_core::{Error, Generator, Result};
use std::sync::Arc;

/// Batches of a data set, in its order or shuffled anew in every pass: PyTorch's `DataLoader`.
///
/// Orders are PyTorch 2.15's for the same seed. As there, every pass first draws one 64-bit number, from the loader's
/// generator or else the default one; a shuffling loader without a generator draws a second one for its order. With
/// workers the first batches are begun, and so their order is drawn, when the pass is made; without them when the first
/// batch is asked for.
///
/// # Workers
/// With [`num_workers`](crate::DataLoaderBuilder::num_workers) threads make batches ahead of the loop that uses them.
/// Batches and their order are the same for any number of workers. Each worker has a generator of its own as the
/// default one, seeded with the first number plus the worker's number, so what a data set draws is reproducible too;
/// [`get_worker_info`](crate::get_worker_info) says which worker it runs in. Workers that persist keep the first
/// pass's seed. Dropping a pass waits for the items that its workers are at, and ends them.
///
/// # Errors
/// An item that cannot be made is one `Err` in its batch's place, which names its index and its worker; so is a panic
/// of the data set. Whoever goes on gets the batches after it.
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
///     .num_workers(2)
///     .generator(&generator)
///     .build()?;
/// assert_eq!(loader.len(), 2);
/// let first = loader.iter().next().transpose()?.map(|(x, _)| x.to_vec::<f32>());
/// assert_eq!(first.transpose()?, Some(vec![3.0, 7.0, 5.0, 2.0]));
/// # Ok::<_, firebrick_core::Error>(())
/// ```
pub struct DataLoader<D, B> {
    pub(crate) dataset: Arc<D>,
    pub(crate) source: Arc<dyn Source<B>>,
    pub(crate) batches: Box<dyn Sampler<Item = Vec<usize>>>,
    pub(crate) generator: Option<Generator>,
    /// `None`: batches are made where they are asked for.
    pub(crate) crew: Option<CrewOptions>,
    /// Workers that wait for the next pass.
    pub(crate) home: Home<B>,
}

impl<D: Dataset, B> DataLoader<D, B> {
    /// Number of batches of a pass.
    ///
    /// ```
    /// use firebrick_data::{DataLoader, ListDataset};
    /// let loader = DataLoader::builder(ListDataset(vec![5, 6, 7])).batch_size(2);
    /// assert_eq!(loader.drop_last(true).build()?.len(), 1);
    /// # Ok::<_, firebrick_core::Error>(())
    /// ```
    pub fn len(&self) -> usize {
        self.batches.len()
    }

    /// Whether a pass has no batches.
    ///
    /// ```
    /// use firebrick_data::{DataLoader, ListDataset};
    /// let loader = DataLoader::builder(ListDataset(vec![5, 6, 7])).batch_size(4).drop_last(true).build()?;
    /// assert!(loader.is_empty());
    /// # Ok::<_, firebrick_core::Error>(())
    /// ```
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

impl<D, B: Send + 'static> DataLoader<D, B> {
    /// The data set.
    ///
    /// ```
    /// use firebrick_data::{DataLoader, ListDataset};
    /// let loader = DataLoader::builder(ListDataset(vec![5, 6, 7])).batch_size(2).build()?;
    /// assert_eq!(loader.dataset().0, [5, 6, 7]);
    /// # Ok::<_, firebrick_core::Error>(())
    /// ```
    pub fn dataset(&self) -> &D {
        &self.dataset
    }

    /// One pass.
    ///
    /// ```
    /// use firebrick_data::{DataLoader, ListDataset};
    /// let loader = DataLoader::builder(ListDataset(vec![5i64, 6, 7])).batch_size(2).build()?;
    /// for _epoch in 0..2 {
    ///     let mut sum = 0;
    ///     for batch in loader.iter() {
    ///         sum += batch?.sum()?.item::<i64>()?;
    ///     }
    ///     assert_eq!(sum, 18);
    /// }
    /// # Ok::<_, firebrick_core::Error>(())
    /// ```
    pub fn iter(&self) -> Batches<'_, B> {
        let order = self.batches.iter();
        let Some(options) = &self.crew else {
            // PyTorch seeds its workers with this number, and draws it also without workers.
            self.draw_seed();
            return Batches(Work::Here { fetch: self.source.open(), order });
        };
        let waiting = self.home.lock().take();
        let crew = waiting.map_or_else(|| Crew::start(options, &self.source, self.draw_seed()), Ok);
        Batches(match crew {
            Ok(crew) => {
                let home = options.persistent.then_some(&self.home);
                Work::Elsewhere(Prefetch::new(crew, options, home, order))
            }
            Err(error) => Work::Failed(Some(error)),
        })
    }

    fn draw_seed(&self) -> u64 {
        let generator = self.generator.clone().unwrap_or_else(current_generator);
        let mut engine = generator.lock();
        loader_seed(&mut engine)
    }
}

impl<'a, D, B: Send + 'static> IntoIterator for &'a DataLoader<D, B> {
    type Item = Result<B>;
    type IntoIter = Batches<'a, B>;

    fn into_iter(self) -> Batches<'a, B> {
        self.iter()
    }
}

/// One pass of a [`DataLoader`].
///
/// ```
/// use firebrick_data::{DataLoader, ListDataset};
/// let loader = DataLoader::builder(ListDataset(vec![5, 6, 7])).batch_size(2).build()?;
/// let mut batches: firebrick_data::Batches<'_, firebrick_core::Tensor> = loader.iter();
/// assert_eq!(batches.next().transpose()?.map(|batch| batch.to_vec::<i32>()).transpose()?, Some(vec![5, 6]));
/// assert_eq!(batches.count(), 1);
/// # Ok::<_, firebrick_core::Error>(())
/// ```
pub struct Batches<'a, B>(Work<'a, B>);

enum Work<'a, B> {
    /// Without workers.
    Here { fetch: Fetch<'a, B>, order: Order<'a, Vec<usize>> },
    /// With workers.
    Elsewhere(Prefetch<'a, B>),
    /// No workers could be started, which the first batch tells.
    Failed(Option<Error>),
}

impl<B> Iterator for Batches<'_, B> {
    type Item = Result<B>;

    fn next(&mut self) -> Option<Result<B>> {
        match &mut self.0 {
            Work::Here { fetch, order } => order.next()?.and_then(|indices| fetch(&indices)).transpose(),
            Work::Elsewhere(pass) => pass.next(),
            Work::Failed(error) => error.take().map(Err),
        }
    }
}
