//! Workers, their mailboxes, and the job they share with the caller. The protocol is described in [`super`].
#![allow(unsafe_code)] // A job lives on the caller's stack and is reached by workers through a pointer.

use std::any::Any;
use std::ops::Range;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::ptr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use parking_lot::Mutex;

use super::Split;
use crate::sync::{AtomicBool, AtomicPtr, AtomicUsize, Builder, Ordering, Thread, park, spin_loop, yield_now};

/// How long a worker looks for the next job before it parks.
const SPIN: Duration = Duration::from_micros(200);

/// How many times a waiting thread looks before it looks at the clock, or gives up its time slice.
const LOOKS: u32 = if cfg!(loom) { 1 } else { 64 };

/// Guards alive that ask workers not to spin.
pub(super) static YIELDING: std::sync::atomic::AtomicUsize = std::sync::atomic::AtomicUsize::new(0);

type Panic = Box<dyn Any + Send>;
type Task<'a> = &'a (dyn Fn(Range<usize>) + Sync);

/// The mailbox holds no job and its worker is awake.
const EMPTY: *mut Job<'static> = ptr::null_mut();

/// The mailbox holds no job and its worker sleeps.
fn parked() -> *mut Job<'static> {
    // Jobs are aligned, so none has this address; it is only compared, never followed.
    ptr::without_provenance_mut(1)
}

/// A mailbox, alone on its cache lines: a worker spins on it while others work.
#[repr(align(128))]
pub(super) struct Mailbox(AtomicPtr<Job<'static>>);

/// The next chunk of one block, alone on its cache lines.
#[repr(align(128))]
struct Claim(AtomicUsize);

/// A started worker, seen from the caller.
pub(super) struct Worker {
    mailbox: Arc<Mailbox>,
    thread: Thread,
    /// Reused from job to job; the caller's own block is claimed through the job.
    claim: Arc<Claim>,
}

/// Starts workers until there are `wanted`, or until the system refuses: fewer workers do the same work.
pub(super) fn grow(workers: &mut Vec<Worker>, wanted: usize) {
    while workers.len() < wanted {
        let mailbox = Mailbox::new();
        let own = Arc::clone(&mailbox);
        let seat = workers.len() + 1;
        let builder = Builder::new().name(format!("firebrick-{seat}"));
        let Ok(handle) = builder.spawn(move || work(&own, seat, || true)) else {
            return;
        };
        workers.push(Worker::new(mailbox, handle.thread().clone()));
    }
}

impl Mailbox {
    pub(super) fn new() -> Arc<Self> {
        Arc::new(Mailbox(AtomicPtr::new(EMPTY)))
    }
}

impl Worker {
    pub(super) fn new(mailbox: Arc<Mailbox>, thread: Thread) -> Self {
        Worker { mailbox, thread, claim: Arc::new(Claim(AtomicUsize::new(0))) }
    }

    /// Makes a worker that sleeps look up.
    #[cfg(loom)]
    pub(super) fn wake(&self) {
        if swap(&self.mailbox, parked(), EMPTY) {
            self.thread.unpark();
        }
    }
}

/// The life of a worker: nothing in it unwinds, and it does not end unless `stays` says so between jobs.
pub(super) fn work(mailbox: &Mailbox, seat: usize, stays: impl Fn() -> bool) {
    while let Some(job) = take(mailbox, &stays) {
        // SAFETY: the job was taken from the mailbox, so its caller waits for `finished` before the job's frame ends,
        // and the acquiring swap saw everything the caller wrote before posting.
        let job = unsafe { &*job };
        job.participate(seat);
        job.finished.fetch_add(1, Ordering::Release);
    }
}

/// Waits for a job and takes it: spins first, then parks.
fn take(mailbox: &Mailbox, stays: impl Fn() -> bool) -> Option<*const Job<'static>> {
    let mut idle_since = None;
    while stays() {
        for _ in 0..LOOKS {
            let seen = mailbox.0.load(Ordering::Relaxed);
            let is_job = seen != EMPTY && seen != parked();
            // Fails if the caller has just retracted the job.
            if is_job && swap(mailbox, seen, EMPTY) {
                return Some(seen);
            }
            spin_loop();
        }
        let since = *idle_since.get_or_insert_with(Instant::now);
        let tired = cfg!(loom) || since.elapsed() > SPIN || YIELDING.load(Ordering::Relaxed) > 0;
        if tired && swap(mailbox, EMPTY, parked()) {
            while mailbox.0.load(Ordering::Relaxed) == parked() {
                park();
            }
            idle_since = None;
        }
    }
    None
}

fn swap(mailbox: &Mailbox, from: *mut Job<'static>, to: *mut Job<'static>) -> bool {
    mailbox.0.compare_exchange(from, to, Ordering::AcqRel, Ordering::Relaxed).is_ok()
}

/// One call of `parallel_for`, on the caller's stack.
pub(super) struct Job<'a> {
    task: Task<'a>,
    split: Split,
    workers: &'a [Worker],
    /// The caller's claim counter; block `i` of worker `i - 1` has its own.
    claim: Claim,
    /// Workers that took the job and will not look at it again.
    finished: AtomicUsize,
    panicked: AtomicBool,
    panic: Mutex<Option<Panic>>,
}

impl Job<'_> {
    /// Runs the task on every chunk of `split` with the help of `workers`, one for each block but the first; the first panic of the task, if any, is the
    /// error. The workers must be idle, which holding the pool's lock ensures.
    pub(super) fn run(split: Split, task: Task<'_>, workers: &[Worker]) -> Result<(), Panic> {
        let job = Job {
            task,
            split,
            workers,
            claim: Claim(AtomicUsize::new(0)),
            finished: AtomicUsize::new(0),
            panicked: AtomicBool::new(false),
            panic: Mutex::new(None),
        };
        for (i, worker) in workers.iter().enumerate() {
            worker.claim.0.store(split.block(i + 1).start, Ordering::Relaxed);
        }
        let address = (&raw const job).cast_mut().cast::<Job<'static>>();
        for worker in workers {
            if worker.mailbox.0.swap(address, Ordering::AcqRel) == parked() {
                worker.thread.unpark();
            }
        }
        job.participate(0);
        let retracted = workers.iter().filter(|w| swap(&w.mailbox, address, EMPTY)).count();
        let mut looks = 0;
        while job.finished.load(Ordering::Acquire) < workers.len() - retracted {
            looks += 1;
            // A helper that lost its core cannot finish while we spin on the only one left.
            if looks % (LOOKS * LOOKS) == 0 { yield_now() } else { spin_loop() }
        }
        job.panic.into_inner().map_or(Ok(()), Err)
    }

    /// Runs chunks until none is left: those of the participant's own block first, then those of the others. Never
    /// unwinds.
    fn participate(&self, seat: usize) {
        for turn in 0..self.split.blocks {
            let block = (seat + turn) % self.split.blocks;
            while let Some(chunk) = self.next(block) {
                let outcome = catch_unwind(AssertUnwindSafe(|| (self.task)(self.split.chunk(chunk))));
                if let Err(panic) = outcome {
                    self.panicked.store(true, Ordering::Relaxed);
                    self.keep_first(panic);
                }
            }
        }
    }

    /// Keeps the first panic, and drops others.
    fn keep_first(&self, panic: Panic) {
        let mut first = self.panic.lock();
        if first.is_none() {
            *first = Some(panic);
            return;
        }
        drop(first);
        // Dropping a payload may itself panic, and a worker must not unwind.
        if let Err(of_drop) = catch_unwind(AssertUnwindSafe(|| drop(panic))) {
            std::mem::forget(of_drop);
        }
    }

    /// Claims a chunk of a block.
    fn next(&self, block: usize) -> Option<usize> {
        if self.panicked.load(Ordering::Relaxed) {
            return None;
        }
        let claim = match block {
            0 => &self.claim,
            _ => &self.workers[block - 1].claim,
        };
        let chunks = self.split.block(block);
        // Looking first keeps counters of finished blocks in every cache, and from running away.
        if claim.0.load(Ordering::Relaxed) >= chunks.end {
            return None;
        }
        let chunk = claim.0.fetch_add(1, Ordering::Relaxed);
        (chunk < chunks.end).then_some(chunk)
    }
}
