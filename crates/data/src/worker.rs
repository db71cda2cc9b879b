//! One worker of a loader: a thread that turns indices into batches.

use crate::caught::caught;
use crate::source::{Fetch, Source};
use firebrick_core::{Error, Generator, Result, pool};
use std::cell::Cell;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, Sender};

/// What a worker knows about itself: PyTorch's `get_worker_info()`.
///
/// ```
/// use firebrick_core::Result;
/// use firebrick_data::{DataLoader, Dataset, WorkerInfo, get_worker_info};
/// struct Who;
/// impl Dataset for Who {
///     type Item = Option<usize>;
///     fn len(&self) -> usize {
///         4
///     }
///     fn get(&self, _: usize) -> Result<Option<usize>> {
///         Ok(get_worker_info().map(|WorkerInfo { id, num_workers, .. }| 10 * num_workers + id))
///     }
/// }
/// let loader = DataLoader::builder_with(Who, Ok).batch_size(2).num_workers(2).build()?;
/// let batches = loader.iter().collect::<Result<Vec<_>>>()?;
/// assert_eq!(batches, [[Some(20); 2], [Some(21); 2]]);
/// # Ok::<_, firebrick_core::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct WorkerInfo {
    /// Counts from 0.
    pub id: usize,
    /// Workers of the loader.
    pub num_workers: usize,
    /// The seed of the worker's default generator: the seed of the pass plus `id`.
    pub seed: u64,
}

thread_local! {
    static INFO: Cell<Option<WorkerInfo>> = const { Cell::new(None) };
}

/// The worker that calls this; `None` outside of workers.
///
/// ```
/// use firebrick_core::Result;
/// use firebrick_data::{DataLoader, ListDataset, get_worker_info};
/// assert_eq!(get_worker_info(), None);
/// let who = |_| Ok(get_worker_info().map(|info| info.id));
/// let loader = DataLoader::builder_with(ListDataset(vec![0; 4]), who).num_workers(2).build()?;
/// assert_eq!(loader.iter().collect::<Result<Vec<_>>>()?, [Some(0), Some(1), Some(0), Some(1)]);
/// # Ok::<_, firebrick_core::Error>(())
/// ```
pub fn get_worker_info() -> Option<WorkerInfo> {
    INFO.get()
}

/// Called once in every worker, with the worker's number, before its first batch.
pub(crate) type InitFn = Arc<dyn Fn(usize) -> Result<()> + Send + Sync>;

/// A batch to be made.
pub(crate) struct Task<B> {
    pub indices: Vec<usize>,
    pub answer: Answer<B>,
}

/// What became of a task.
pub(crate) struct Reply<B> {
    /// The pass of the task.
    pub pass: u64,
    /// The number of the task in its pass.
    pub number: usize,
    /// `None`: the worker's stream has ended.
    pub batch: Result<Option<B>>,
}

/// The duty to answer a task. Dropped without an answer, by whatever befell the worker, it answers with an error, so
/// that nobody waits in vain.
pub(crate) struct Answer<B> {
    pub pass: u64,
    pub number: usize,
    pub worker: usize,
    /// `None` once the answer is given.
    pub to: Option<Sender<Reply<B>>>,
}

impl<B> Answer<B> {
    fn give(&mut self, batch: Result<Option<B>>) {
        if let Some(to) = self.to.take() {
            let batch = batch.map_err(|error| error.context(format!("worker {}", self.worker)));
            // Nobody may be listening any more.
            let _ = to.send(Reply { pass: self.pass, number: self.number, batch });
        }
    }
}

impl<B> Drop for Answer<B> {
    fn drop(&mut self) {
        if self.to.is_some() {
            self.give(Err(Error::runtime("DataLoader", "DataLoader worker exited unexpectedly")));
        }
    }
}

/// The life of a worker, which ends when no more tasks can come. Tasks of passes other than `current` are skipped.
pub(crate) fn work<B>(
    source: &dyn Source<B>,
    info: WorkerInfo,
    init: Option<InitFn>,
    tasks: Receiver<Task<B>>,
    current: &AtomicU64,
) {
    INFO.set(Some(info));
    let loop_ = || {
        let ready = init.map_or(Ok(()), |init| caught(|| init(info.id)));
        let mut opened: Option<(u64, Fetch<'_, B>)> = None;
        for Task { indices, mut answer } in tasks {
            if answer.pass != current.load(Ordering::Relaxed) {
                continue;
            }
            let (_, fetch) = match opened.take() {
                Some(same) if same.0 == answer.pass => opened.insert(same),
                _ => opened.insert((answer.pass, source.open())),
            };
            answer.give(ready.clone().and_then(|()| fetch(&indices)));
        }
    };
    // As in PyTorch a worker has a generator of its own and computes on one core.
    Generator::new().manual_seed(info.seed).scope(|| pool::serially(loop_));
}
