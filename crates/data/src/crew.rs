//! The workers of a loader: starting, feeding and ending them.

use crate::source::Source;
use crate::worker::{Answer, InitFn, Reply, Task, WorkerInfo, work};
use firebrick_core::{Error, Result, pool};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError, Sender};
use std::thread::JoinHandle;
use std::time::Duration;

const OP: &str = "DataLoader";

/// The pass of no task.
const NONE: u64 = 0;

/// How a loader's workers are run.
pub(crate) struct CrewOptions {
    pub num_workers: usize,
    /// Batches for each worker that are made before they are asked for.
    pub prefetch_factor: usize,
    pub persistent: bool,
    /// How long a batch is waited for; zero: for ever.
    pub timeout: Duration,
    pub init: Option<InitFn>,
}

/// Running workers.
pub(crate) struct Crew<B> {
    tasks: Vec<Sender<Task<B>>>,
    replies: Receiver<Reply<B>>,
    /// Cloned into every task.
    reply_to: Sender<Reply<B>>,
    threads: Vec<JoinHandle<()>>,
    /// The pass whose tasks are worth doing.
    current: Arc<AtomicU64>,
    /// Passes begun so far.
    passes: u64,
    timeout: Duration,
    /// A worker did not answer in time, so it may never end.
    stuck: bool,
    /// The compute pool's workers leave the cores to these.
    _quiet: pool::YieldCores,
}

impl<B: Send + 'static> Crew<B> {
    /// Starts the workers, which draw from generators seeded with `seed` plus their number.
    pub fn start(options: &CrewOptions, source: &Arc<dyn Source<B>>, seed: u64) -> Result<Self> {
        let (reply_to, replies) = mpsc::channel();
        let mut crew = Crew {
            tasks: Vec::new(),
            replies,
            reply_to,
            threads: Vec::new(),
            current: Arc::new(AtomicU64::new(NONE)),
            passes: NONE,
            timeout: options.timeout,
            stuck: false,
            _quiet: pool::yield_cores(),
        };
        for id in 0..options.num_workers {
            let info = WorkerInfo { id, num_workers: options.num_workers, seed: seed.wrapping_add(id as u64) };
            let (task_to, tasks) = mpsc::channel();
            let (source, init, current) = (source.clone(), options.init.clone(), crew.current.clone());
            let builder = std::thread::Builder::new().name(format!("loader-{id}"));
            let thread = builder.spawn(move || work(&*source, info, init, tasks, &current));
            crew.threads.push(thread.map_err(|error| {
                Error::runtime(OP, format!("cannot start worker {id}: {error}")).remedy("take a smaller num_workers")
            })?);
            crew.tasks.push(task_to);
        }
        Ok(crew)
    }
}

impl<B> Crew<B> {
    /// Begins a pass.
    pub fn begin(&mut self) {
        self.passes += 1;
        self.current.store(self.passes, Ordering::Relaxed);
    }

    /// Ends the pass: tasks that nobody has begun are skipped.
    pub fn rest(&mut self) {
        self.current.store(NONE, Ordering::Relaxed);
        while self.replies.try_recv().is_ok() {}
    }

    /// Gives a worker the task of this number.
    pub fn send(&self, worker: usize, number: usize, indices: Vec<usize>) {
        let answer = Answer { pass: self.passes, number, worker, to: Some(self.reply_to.clone()) };
        // A task that cannot be sent is dropped here, and so answered.
        let _ = self.tasks[worker].send(Task { indices, answer });
    }

    /// Waits for the next answer of this pass: the task's number and its batch.
    pub fn receive(&mut self) -> Result<(usize, Result<Option<B>>)> {
        loop {
            let reply = match self.timeout {
                // Not disconnected, since `reply_to` is here.
                Duration::ZERO => self.replies.recv().map_err(|_| RecvTimeoutError::Disconnected),
                timeout => self.replies.recv_timeout(timeout),
            };
            match reply {
                Ok(reply) if reply.pass == self.passes => return Ok((reply.number, reply.batch)),
                Ok(_) => {}
                Err(_) => {
                    self.stuck = true;
                    let seconds = self.timeout.as_secs_f64();
                    return Err(Error::runtime(OP, format!("DataLoader timed out after {seconds} seconds")));
                }
            }
        }
    }

    /// Is a worker perhaps lost?
    pub fn is_stuck(&self) -> bool {
        self.stuck
    }
}

impl<B> Drop for Crew<B> {
    /// Ends the workers and waits for them, but not for one that has not answered in time.
    fn drop(&mut self) {
        self.rest();
        self.tasks.clear();
        for thread in self.threads.drain(..).filter(|_| !self.stuck) {
            // Its panic, if it had one, has been answered as an error.
            let _ = thread.join();
        }
    }
}
