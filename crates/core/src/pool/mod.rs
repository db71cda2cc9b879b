//! The process-wide thread pool: [`parallel_for`] splits a range of items over a few threads and joins them.
//!
//! # Why a pool of our own
//! Most kernels last microseconds. Forking into a general scheduler from outside costs 20 to 50 us; handing a job to a
//! worker that is still spinning from the previous one costs a fraction of a microsecond. So the caller takes part in
//! its own job, and workers spin for at most 200 us after their last job, then park.
//!
//! # What is split, and how
//! `Split` cuts `0..items` into chunks, and groups the chunks into one block per participant. Both depend on
//! `(items, grain, threads)` alone. Every chunk starts at a multiple of `grain` and holds at least `grain` items, so a
//! kernel whose vectors divide `grain` puts every item in the same lane whatever the number of threads, and elementwise
//! results do not depend on it. Which thread runs a chunk is *not* fixed: a participant runs the chunks of its own block
//! first (the part of a tensor that its cache saw in the previous operation) and then helps with the blocks of others.
//! No result may depend on who ran what.
//!
//! # The protocol
//! One mutex guards the list of workers. Whoever holds it is *the* caller; `try_lock` failing means that the pool is
//! busy, and the second caller runs its items itself, without waiting. A call made inside a task finds the pool busy
//! with the job it belongs to, so nesting needs no rule of its own.
//!
//! A worker owns a mailbox, one atomic pointer with three kinds of value:
//!
//! | value    | meaning                            | leaves it                                                     |
//! |----------|------------------------------------|---------------------------------------------------------------|
//! | `EMPTY`  | the worker is spinning or working  | caller: `swap(job)`; worker: `EMPTY -> PARKED` when it is tired |
//! | `PARKED` | the worker sleeps or is about to   | caller: `swap(job)`, then `unpark`                              |
//! | a job    | posted, not yet taken              | worker: `job -> EMPTY` takes it; caller: `job -> EMPTY` retracts |
//!
//! 1. The caller builds a `Job` on its stack, posts its address to the mailboxes it needs and starts running chunks.
//! 2. A worker that takes the job runs chunks until none is left, then increments `finished` *as its last access*.
//! 3. When the caller finds no chunk left it retracts the job from every mailbox that still holds it, and waits until
//!    `finished` equals the number of jobs that were taken. Only then does the job's stack frame end.
//!
//! Retracting is what makes parked workers harmless: a caller whose worker wakes late has run all chunks itself and
//! leaves. Taking and retracting are compare-and-swaps from the same value, so exactly one of them wins, and a worker
//! that lost never looks at the job. Should a new job be posted at the same address between a worker's look and its
//! swap, the swap takes the new job, which is as good.
//!
//! Orderings: posting (`AcqRel` swap) publishes the job and the claim counters to the taker (`Acquire` swap). `finished`
//! is incremented with `Release` and read with `Acquire`, so all writes of tasks happen before [`parallel_for`] returns.
//! Claims are `Relaxed`: a counter only hands out numbers. No wake-up is lost: the worker goes to sleep by a
//! compare-and-swap on the very word that the caller swaps, and `unpark` leaves a token if it comes before `park`.
//!
//! # Panics
//! A panic in a task stops the handing out of further chunks; every participant still finishes in order, and the caller
//! resumes the first panic. The pool stays usable.

mod topology;
mod worker;

#[cfg(all(test, loom))]
mod model;
#[cfg(all(test, not(loom)))]
mod tests;

use std::cell::Cell;
use std::ops::Range;
use std::sync::atomic::{AtomicUsize, Ordering};

use parking_lot::Mutex;
use worker::{Job, Worker};

/// Zero threads were asked for: the error of [`set_num_threads`], which shows it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("set_num_threads expects a positive integer")]
pub struct ZeroThreads;

/// The number of threads in use; 0 until it is first asked for.
static THREADS: AtomicUsize = AtomicUsize::new(0);

/// The workers started so far. Holding the lock is holding the pool.
static WORKERS: Mutex<Vec<Worker>> = Mutex::new(Vec::new());

/// Sets the number of threads that operations use, the calling thread included.
///
/// Workers start when first needed. After a reduction the surplus ones stay parked.
///
/// # Errors
/// `n` is zero.
///
/// ```
/// # use firebrick_core::pool;
/// pool::set_num_threads(1).map_err(|e| firebrick_core::Error::value("threads", e.to_string()))?;
/// assert_eq!(pool::num_threads(), 1);
/// assert_eq!(pool::set_num_threads(0), Err(pool::ZeroThreads));
/// # Ok::<_, firebrick_core::Error>(())
/// ```
pub fn set_num_threads(n: usize) -> Result<(), ZeroThreads> {
    if n == 0 {
        return Err(ZeroThreads);
    }
    THREADS.store(n, Ordering::Relaxed);
    Ok(())
}

/// The number of threads that operations use, the calling thread included.
///
/// By default `OMP_NUM_THREADS` if it is set, as in PyTorch, and else the number of physical cores available to the
/// process.
///
/// ```
/// # use firebrick_core::pool;
/// assert!(pool::num_threads() >= 1);
/// ```
pub fn num_threads() -> usize {
    match THREADS.load(Ordering::Relaxed) {
        0 => {
            let n = topology::default_threads();
            // Another thread may have set a number meanwhile: that one stands.
            match THREADS.compare_exchange(0, n, Ordering::Relaxed, Ordering::Relaxed) {
                Ok(_) => n,
                Err(set) => set,
            }
        }
        n => n,
    }
}

/// While one of these lives, idle workers park at once instead of spinning, which leaves the cores to others, such as
/// the threads that load data.
#[doc(hidden)]
#[derive(Debug)]
pub struct YieldCores(());

/// Makes idle workers park at once until the returned guard is dropped.
#[doc(hidden)]
#[must_use = "workers spin again when the guard is dropped"]
pub fn yield_cores() -> YieldCores {
    worker::YIELDING.fetch_add(1, Ordering::Relaxed);
    YieldCores(())
}

impl Drop for YieldCores {
    fn drop(&mut self) {
        worker::YIELDING.fetch_sub(1, Ordering::Relaxed);
    }
}

thread_local! {
    /// Does this thread keep its work to itself?
    static SERIAL: Cell<bool> = const { Cell::new(false) };
}

/// Runs `f` with this thread's operations on this thread alone: for threads that are many already, such as those that
/// load data.
///
/// ```
/// # use firebrick_core::pool;
/// assert_eq!(pool::serially(|| 1 + 1), 2);
/// ```
pub fn serially<R>(f: impl FnOnce() -> R) -> R {
    struct Restore(bool);
    impl Drop for Restore {
        fn drop(&mut self) {
            SERIAL.set(self.0);
        }
    }
    let _restored = Restore(SERIAL.replace(true));
    f()
}

/// Calls `f` on contiguous ranges that together cover `0..items` exactly once, on several threads where that is allowed.
///
/// Ranges start at multiples of `grain` and hold at least `grain` items (the last one up to `2 * grain - 1` more than
/// its share; all of them if `items < 2 * grain`). Choose `grain` so that a range outlasts the hand-over, which is about
/// a microsecond. With one thread, with one chunk, inside a task of the pool, within [`serially`], and while the pool
/// works for another caller, `f` runs once, here, on the whole range. Returns when all items are done.
///
/// # Panics
/// With the first panic of `f`.
///
/// ```
/// use std::sync::atomic::{AtomicUsize, Ordering};
/// let sum = AtomicUsize::new(0);
/// firebrick_core::pool::parallel_for(1000, 10, &|range| {
///     sum.fetch_add(range.sum::<usize>(), Ordering::Relaxed);
/// });
/// assert_eq!(sum.into_inner(), 499_500);
/// ```
pub fn parallel_for(items: usize, grain: usize, f: &(dyn Fn(Range<usize>) + Sync)) {
    if items == 0 {
        return;
    }
    if items < grain.saturating_mul(2) || SERIAL.get() {
        return f(0..items);
    }
    let split = Split::new(items, grain, num_threads());
    if split.blocks == 1 {
        return f(0..items);
    }
    let Some(mut workers) = WORKERS.try_lock() else {
        return f(0..items);
    };
    worker::grow(&mut workers, split.blocks - 1);
    // The system may have refused some.
    let split = if workers.len() < split.blocks - 1 { Split::new(items, grain, workers.len() + 1) } else { split };
    let outcome = Job::run(split, f, &workers[..split.blocks - 1]);
    drop(workers);
    if let Err(panic) = outcome {
        std::panic::resume_unwind(panic);
    }
}

/// Chunks a participant can have of its own: enough for others to help a slow one, few enough to stay contiguous.
const CHUNKS_PER_BLOCK: usize = 4;

/// How a range of items is cut: a function of the number of items, the grain and the number of threads alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Split {
    items: usize,
    grain: usize,
    /// Whole grains in `items`; what is left over goes to the last chunk.
    grains: usize,
    /// Participants.
    blocks: usize,
    chunks: usize,
}

impl Split {
    fn new(items: usize, grain: usize, threads: usize) -> Split {
        let grain = grain.max(1);
        let grains = (items / grain).max(1);
        let blocks = threads.clamp(1, grains);
        let chunks = blocks * (grains / blocks).min(CHUNKS_PER_BLOCK);
        Split { items, grain, grains, blocks, chunks }
    }

    /// The items of one chunk.
    fn chunk(&self, index: usize) -> Range<usize> {
        let (each, extra) = (self.grains / self.chunks, self.grains % self.chunks);
        let start = |c: usize| (c * each + c.min(extra)) * self.grain;
        let end = if index + 1 == self.chunks { self.items } else { start(index + 1) };
        start(index)..end
    }

    /// The chunks of one participant.
    fn block(&self, index: usize) -> Range<usize> {
        let each = self.chunks / self.blocks;
        index * each..(index + 1) * each
    }
}
