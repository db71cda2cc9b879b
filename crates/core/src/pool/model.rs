//! The pool's protocol under the model checker: every order in which the caller and its workers can meet.

use super::Split;
use super::worker::{Job, Mailbox, Worker, work};
use loom::cell::UnsafeCell;
use loom::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::Arc;

/// A cell that tasks write and the caller reads; the checker fails where the two are not in order.
struct Cell(UnsafeCell<usize>);

// SAFETY: the checker itself refuses accesses that race.
#[allow(unsafe_code)]
unsafe impl Sync for Cell {}

/// Lets a caller run `jobs` jobs one after the other with the help of `count` workers, with at most `preemptions`
/// switches that no thread asks for.
fn run(count: usize, jobs: usize, preemptions: usize) {
    let mut model = loom::model::Builder::new();
    model.preemption_bound = Some(preemptions);
    model.check(move || {
        let (stop, ended) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicUsize::new(0)));
        let workers: Vec<Worker> = (1..=count)
            .map(|seat| {
                let (mailbox, stop, ended) = (Mailbox::new(), Arc::clone(&stop), Arc::clone(&ended));
                let own = Arc::clone(&mailbox);
                let handle = loom::thread::spawn(move || {
                    work(&own, seat, || !stop.load(Ordering::Acquire));
                    ended.fetch_add(1, Ordering::Release);
                });
                Worker::new(mailbox, handle.thread().clone())
            })
            .collect();
        for _ in 0..jobs {
            let split = Split::new(count + 1, 1, count + 1);
            let cells: Vec<Cell> = (0..split.items).map(|_| Cell(UnsafeCell::new(0))).collect();
            let task = |range: std::ops::Range<usize>| {
                for i in range {
                    #[allow(unsafe_code)]
                    // SAFETY: as for `Cell`.
                    cells[i].0.with_mut(|cell| unsafe { *cell += 1 });
                }
            };
            assert!(Job::run(split, &task, &workers).is_ok());
            #[allow(unsafe_code)]
            // SAFETY: as for `Cell`.
            let counts: Vec<usize> = cells.iter().map(|cell| cell.0.with(|cell| unsafe { *cell })).collect();
            assert_eq!(counts, vec![1; split.items], "each item is visited once, and seen by the caller");
        }
        stop.store(true, Ordering::Release);
        // A worker may have looked at `stop` before, and be about to sleep.
        while ended.load(Ordering::Acquire) < count {
            for worker in &workers {
                worker.wake();
            }
            loom::thread::yield_now();
        }
    });
}

#[test]
fn one_worker_and_the_caller_share_a_job() {
    run(1, 1, 3);
}

#[test]
fn a_worker_that_slept_through_one_job_joins_the_next() {
    run(1, 2, 3);
}

#[test]
fn two_workers_and_the_caller_share_a_job() {
    run(2, 1, 1);
}
