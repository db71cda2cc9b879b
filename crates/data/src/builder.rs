//! What a [`DataLoader`] is made of.

use crate::batch_sampler::{BatchSampler, check_batch_size};
use crate::collate::collate;
use crate::crew::CrewOptions;
use crate::loader::DataLoader;
use crate::random_sampler::RandomSampler;
use crate::sampler::{Sampler, SequentialSampler};
use crate::source::{Endless, Indexed, Source, Streamed};
use crate::{Collate, Dataset, IterableDataset};
use firebrick_core::{Error, Generator, Result};
use parking_lot::Mutex;
use std::sync::Arc;
use std::time::Duration;

const OP: &str = "DataLoader";

/// Makes the source of batches of this size, dropping a last one of fewer items or not.
type MakeSource<B> = Box<dyn FnOnce(usize, bool) -> Arc<dyn Source<B>>>;

/// Options of a [`DataLoader`]; made by [`DataLoader::builder`], [`DataLoader::iterable`] and their `_with` forms.
///
/// ```
/// use firebrick_core::Result;
/// use firebrick_core::Generator;
/// use firebrick_data::{DataLoader, ListDataset};
/// use std::time::Duration;
/// let loader = DataLoader::builder(ListDataset((0..5i32).collect()))
///     .batch_size(2)
///     .shuffle(true)
///     .drop_last(true)
///     .generator(&Generator::new().manual_seed(0))
///     .num_workers(2)
///     .prefetch_factor(4)
///     .persistent_workers(true)
///     .timeout(Duration::from_secs(60))
///     .worker_init_fn(|id| {
///         assert!(id < 2);
///         Ok(())
///     })
///     .build()?;
/// let batches = loader.iter().map(|batch| batch?.to_vec::<i32>()).collect::<Result<Vec<_>>>()?;
/// assert_eq!(batches, [[3, 1], [0, 4]]);
/// # Ok::<_, firebrick_core::Error>(())
/// ```
pub struct DataLoaderBuilder<D, B> {
    dataset: Arc<D>,
    source: MakeSource<B>,
    /// `None` when the items come as a stream.
    items: Option<usize>,
    batch_size: Option<usize>,
    shuffle: bool,
    drop_last: bool,
    sampler: Option<Box<dyn Sampler<Item = usize>>>,
    batch_sampler: Option<Box<dyn Sampler<Item = Vec<usize>>>>,
    generator: Option<Generator>,
    prefetch_factor: Option<usize>,
    crew: CrewOptions,
}

impl<D: Dataset + 'static> DataLoader<D, <D::Item as Collate>::Batch>
where
    D::Item: Collate + 'static,
    <D::Item as Collate>::Batch: Send + 'static,
{
    /// A loader of `dataset` whose items become batches as [`Collate`] says.
    ///
    /// ```
    /// use firebrick_core::Result;
    /// use firebrick_data::{DataLoader, ListDataset};
    /// let loader = DataLoader::builder(ListDataset(vec![(1.0f32, "one"), (2.0, "two")])).batch_size(2).build()?;
    /// for batch in &loader {
    ///     let (numbers, names) = batch?;
    ///     assert_eq!((numbers.to_vec::<f32>()?, names), (vec![1.0, 2.0], vec!["one", "two"]));
    /// }
    /// # Ok::<_, firebrick_core::Error>(())
    /// ```
    pub fn builder(dataset: D) -> DataLoaderBuilder<D, <D::Item as Collate>::Batch> {
        DataLoader::builder_with(dataset, collate)
    }
}

impl<D: IterableDataset + 'static> DataLoader<D, <D::Item as Collate>::Batch>
where
    D::Item: Collate + 'static,
    <D::Item as Collate>::Batch: Send + 'static,
{
    /// A loader of an [`IterableDataset`] whose items become batches as [`Collate`] says.
    ///
    /// ```
    /// use firebrick_core::Result;
    /// use firebrick_data::{DataLoader, IterableDataset, Order};
    /// struct Countdown;
    /// impl IterableDataset for Countdown {
    ///     type Item = i64;
    ///     fn iter(&self) -> Order<'_, i64> {
    ///         Box::new((0..3).rev().map(Ok))
    ///     }
    /// }
    /// let loader = DataLoader::iterable(Countdown).batch_size(2).build()?;
    /// let batches = loader.iter().map(|batch| batch?.to_vec::<i64>()).collect::<Result<Vec<_>>>()?;
    /// assert_eq!(batches, [vec![2, 1], vec![0]]);
    /// # Ok::<_, firebrick_core::Error>(())
    /// ```
    pub fn iterable(dataset: D) -> DataLoaderBuilder<D, <D::Item as Collate>::Batch> {
        DataLoader::iterable_with(dataset, collate)
    }
}

impl<D: Dataset + 'static, B: Send + 'static> DataLoader<D, B> {
    /// A loader of `dataset` whose items become batches by `collate`: PyTorch's `collate_fn`.
    ///
    /// ```
    /// use firebrick_core::Result;
    /// use firebrick_data::{DataLoader, ListDataset};
    /// let words = ListDataset(vec!["fire", "brick", "wall"]);
    /// let loader = DataLoader::builder_with(words, |words| Ok(words.join(" "))).batch_size(2).build()?;
    /// assert_eq!(loader.iter().collect::<Result<Vec<_>>>()?, ["fire brick", "wall"]);
    /// # Ok::<_, firebrick_core::Error>(())
    /// ```
    pub fn builder_with(
        dataset: D,
        collate: impl Fn(Vec<D::Item>) -> Result<B> + Send + Sync + 'static,
    ) -> DataLoaderBuilder<D, B> {
        let dataset = Arc::new(dataset);
        let (shared, items) = (dataset.clone(), dataset.len());
        let source = move |_, _| Arc::new(Indexed { dataset: shared, collate }) as Arc<dyn Source<B>>;
        DataLoaderBuilder::new(dataset, Some(items), Box::new(source))
    }
}

impl<D: IterableDataset + 'static, B: Send + 'static> DataLoader<D, B> {
    /// A loader of an [`IterableDataset`] whose items become batches by `collate`.
    ///
    /// ```
    /// use firebrick_core::Result;
    /// use firebrick_data::{DataLoader, IterableDataset, Order};
    /// struct UpTo(i64);
    /// impl IterableDataset for UpTo {
    ///     type Item = i64;
    ///     fn iter(&self) -> Order<'_, i64> {
    ///         Box::new((0..self.0).map(Ok))
    ///     }
    /// }
    /// let loader = DataLoader::iterable_with(UpTo(5), |items| Ok(items.iter().sum::<i64>())).batch_size(2).build()?;
    /// assert_eq!(loader.iter().collect::<Result<Vec<_>>>()?, [1, 5, 4]);
    /// # Ok::<_, firebrick_core::Error>(())
    /// ```
    pub fn iterable_with(
        dataset: D,
        collate: impl Fn(Vec<D::Item>) -> Result<B> + Send + Sync + 'static,
    ) -> DataLoaderBuilder<D, B> {
        let dataset = Arc::new(dataset);
        let shared = dataset.clone();
        let source = move |batch_size, drop_last| {
            Arc::new(Streamed { dataset: shared, collate, batch_size, drop_last }) as Arc<dyn Source<B>>
        };
        DataLoaderBuilder::new(dataset, None, Box::new(source))
    }
}

impl<D, B> DataLoaderBuilder<D, B> {
    fn new(dataset: Arc<D>, items: Option<usize>, source: MakeSource<B>) -> Self {
        let timeout = Duration::ZERO;
        DataLoaderBuilder {
            dataset,
            source,
            items,
            batch_size: None,
            shuffle: false,
            drop_last: false,
            sampler: None,
            batch_sampler: None,
            generator: None,
            prefetch_factor: None,
            crew: CrewOptions { num_workers: 0, prefetch_factor: 2, persistent: false, timeout, init: None },
        }
    }

    /// Items of a batch; 1 unless set.
    pub fn batch_size(mut self, batch_size: usize) -> Self {
        self.batch_size = Some(batch_size);
        self
    }

    /// Is every pass in another random order? Off unless set.
    pub fn shuffle(mut self, shuffle: bool) -> Self {
        self.shuffle = shuffle;
        self
    }

    /// Is a last batch of fewer items left out? Off unless set.
    pub fn drop_last(mut self, drop_last: bool) -> Self {
        self.drop_last = drop_last;
        self
    }

    /// Visits the data set in this order; from first to last unless set.
    ///
    /// ```
    /// use firebrick_core::Result;
    /// use firebrick_data::{DataLoader, DistributedSampler, ListDataset};
    /// let share = DistributedSampler::new(4, 2, 1)?.shuffle(false);
    /// let loader = DataLoader::builder(ListDataset(vec![5i32, 6, 7, 8])).sampler(share).batch_size(2).build()?;
    /// let batches = loader.iter().map(|batch| batch?.to_vec::<i32>()).collect::<Result<Vec<_>>>()?;
    /// assert_eq!(batches, [[6, 8]]);
    /// # Ok::<_, firebrick_core::Error>(())
    /// ```
    pub fn sampler(mut self, sampler: impl Sampler<Item = usize> + 'static) -> Self {
        self.sampler = Some(Box::new(sampler));
        self
    }

    /// Makes these batches.
    ///
    /// ```
    /// use firebrick_core::Result;
    /// use firebrick_data::{BatchSampler, DataLoader, ListDataset, SequentialSampler};
    /// let batches = BatchSampler::new(SequentialSampler::new(3), 2, false)?;
    /// let loader = DataLoader::builder(ListDataset(vec![5i32, 6, 7])).batch_sampler(batches).build()?;
    /// let batches = loader.iter().map(|batch| batch?.to_vec::<i32>()).collect::<Result<Vec<_>>>()?;
    /// assert_eq!(batches, [vec![5, 6], vec![7]]);
    /// # Ok::<_, firebrick_core::Error>(())
    /// ```
    pub fn batch_sampler(mut self, sampler: impl Sampler<Item = Vec<usize>> + 'static) -> Self {
        self.batch_sampler = Some(Box::new(sampler));
        self
    }

    /// Draws from `generator` instead of the default one.
    pub fn generator(mut self, generator: &Generator) -> Self {
        self.generator = Some(generator.clone());
        self
    }

    /// Threads that make batches; 0 (batches are made where they are asked for) unless set.
    pub fn num_workers(mut self, num_workers: usize) -> Self {
        self.crew.num_workers = num_workers;
        self
    }

    /// Batches that each worker makes ahead; 2 unless set.
    pub fn prefetch_factor(mut self, prefetch_factor: usize) -> Self {
        self.prefetch_factor = Some(prefetch_factor);
        self
    }

    /// Do workers live on from pass to pass? Off unless set.
    pub fn persistent_workers(mut self, persistent: bool) -> Self {
        self.crew.persistent = persistent;
        self
    }

    /// How long a batch is waited for; zero, the default, is for ever. Being late is an error that ends the pass, and
    /// the workers are no longer waited for.
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.crew.timeout = timeout;
        self
    }

    /// Calls `init` with its number in every worker before the worker's first batch. Its error is that of every batch
    /// of the worker.
    ///
    /// ```
    /// use firebrick_core::Result;
    /// use firebrick_core::Error;
    /// use firebrick_data::{DataLoader, ListDataset};
    /// let ready = |id: usize| match id {
    ///     0 => Ok(()),
    ///     id => Err(Error::runtime("init", format!("no camera for worker {id}"))),
    /// };
    /// let loader = DataLoader::builder(ListDataset(vec![5, 6])).num_workers(2).worker_init_fn(ready).build()?;
    /// let batches: Vec<_> = loader.iter().collect();
    /// assert!(batches[0].is_ok());
    /// assert_eq!(batches[1].as_ref().unwrap_err().to_string(), "no camera for worker 1");
    /// # Ok::<_, firebrick_core::Error>(())
    /// ```
    pub fn worker_init_fn(mut self, init: impl Fn(usize) -> Result<()> + Send + Sync + 'static) -> Self {
        self.crew.init = Some(Arc::new(init));
        self
    }

    /// The loader.
    ///
    /// # Errors
    /// `batch_size` = 0; `shuffle` beside a sampler; a batch sampler beside any other order; `shuffle` of no items; an
    /// order for a data set that is iterable; workers' options without workers; `prefetch_factor` = 0, with which
    /// PyTorch 2.15 gives no batches at all.
    ///
    /// ```
    /// use firebrick_data::{DataLoader, ListDataset};
    /// assert_eq!(DataLoader::builder(ListDataset(vec![5, 6, 7])).batch_size(2).build()?.len(), 2);
    /// let refused = DataLoader::builder(ListDataset(vec![5, 6, 7])).batch_size(0).build().err();
    /// let text = "batch_size should be a positive integer value, but got batch_size=0";
    /// assert_eq!(refused.map(|error| error.to_string()).as_deref(), Some(text));
    /// # Ok::<_, firebrick_core::Error>(())
    /// ```
    pub fn build(mut self) -> Result<DataLoader<D, B>> {
        let crew = self.crew()?;
        let (batch_size, drop_last) = (self.batch_size.unwrap_or(1), self.drop_last);
        let batches = self.batches()?;
        Ok(DataLoader {
            dataset: self.dataset,
            source: (self.source)(batch_size, drop_last),
            batches,
            generator: self.generator,
            crew,
            home: Mutex::new(None),
        })
    }

    fn crew(&mut self) -> Result<Option<CrewOptions>> {
        let none =
            CrewOptions { num_workers: 0, prefetch_factor: 0, persistent: false, timeout: Duration::ZERO, init: None };
        let mut crew = std::mem::replace(&mut self.crew, none);
        let workers = crew.num_workers > 0;
        let refusal = match self.prefetch_factor {
            Some(_) if !workers => {
                "prefetch_factor option could only be specified in multiprocessing.let num_workers > 0 to enable \
                 multiprocessing, otherwise set prefetch_factor to None."
            }
            Some(0) => "prefetch_factor option should be positive",
            _ if crew.persistent && !workers => "persistent_workers option needs num_workers > 0",
            _ if !crew.timeout.is_zero() && !workers => "timeout option needs num_workers > 0",
            factor => {
                crew.prefetch_factor = factor.unwrap_or(crew.prefetch_factor);
                return Ok(workers.then_some(crew));
            }
        };
        Err(Error::value(OP, refusal))
    }

    /// The order in batches.
    fn batches(&mut self) -> Result<Box<dyn Sampler<Item = Vec<usize>>>> {
        let Some(items) = self.items else { return self.stream() };
        if self.sampler.is_some() && self.shuffle {
            return Err(Error::value(OP, "sampler option is mutually exclusive with shuffle"));
        }
        if let Some(batches) = self.batch_sampler.take() {
            let other = self.batch_size.is_some_and(|size| size != 1) || self.shuffle || self.drop_last;
            if other || self.sampler.is_some() {
                return Err(Error::value(
                    OP,
                    "batch_sampler option is mutually exclusive with batch_size, shuffle, sampler, and drop_last",
                ));
            }
            return Ok(batches);
        }
        let sampler: Box<dyn Sampler<Item = usize>> = match (self.sampler.take(), self.shuffle) {
            (Some(sampler), _) => sampler,
            (None, false) => Box::new(SequentialSampler::new(items)),
            (None, true) => {
                let sampler = RandomSampler::new(items)?;
                Box::new(self.generator.iter().fold(sampler, RandomSampler::generator))
            }
        };
        Ok(Box::new(BatchSampler::new(sampler, self.batch_size.unwrap_or(1), self.drop_last)?))
    }

    /// The batches of a stream, whose order is its own.
    fn stream(&self) -> Result<Box<dyn Sampler<Item = Vec<usize>>>> {
        let given = [
            ("shuffle", "shuffle=True", self.shuffle),
            ("sampler", "a sampler", self.sampler.is_some()),
            ("batch_sampler", "a batch sampler", self.batch_sampler.is_some()),
        ];
        if let Some((option, what, _)) = given.into_iter().find(|(_, _, given)| *given) {
            return Err(Error::value(
                OP,
                format!("DataLoader with IterableDataset: expected unspecified {option} option, but got {what}"),
            ));
        }
        check_batch_size(self.batch_size.unwrap_or(1))?;
        Ok(Box::new(Endless))
    }
}
