#![allow(clippy::unwrap_used)]

use std::collections::HashSet;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Mutex;
use std::sync::atomic::{AtomicU32, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use super::*;

/// Counts how often each item is visited.
fn visits(items: usize, grain: usize) -> Vec<u32> {
    let counts: Vec<AtomicU32> = (0..items).map(|_| AtomicU32::new(0)).collect();
    parallel_for(items, grain, &|range| {
        for i in range {
            counts[i].fetch_add(1, Ordering::Relaxed);
        }
    });
    counts.into_iter().map(AtomicU32::into_inner).collect()
}

/// Tests that change the number of threads, or need the pool to themselves, take turns.
static TURN: Mutex<()> = Mutex::new(());

fn with_threads<R>(threads: usize, f: impl FnOnce() -> R) -> R {
    let _turn = TURN.lock().unwrap_or_else(|e| e.into_inner());
    let before = num_threads();
    set_num_threads(threads).unwrap();
    let result = catch_unwind(AssertUnwindSafe(f));
    set_num_threads(before).unwrap();
    result.unwrap()
}

#[test]
fn every_item_is_visited_once_for_any_split() {
    for threads in [1, 2, 3, 5, 8] {
        with_threads(threads, || {
            for items in [0, 1, 2, 3, 7, 16, 63, 64, 65, 1000] {
                for grain in [0, 1, 2, 5, 64, 2000] {
                    assert!(visits(items, grain).iter().all(|&n| n == 1), "{threads} {items} {grain}");
                }
            }
        });
    }
}

#[test]
fn chunks_cover_the_items_in_order_start_at_grains_and_hold_at_least_one_grain() {
    for items in 1..200 {
        for grain in [1, 3, 8, 64] {
            for threads in [1, 2, 3, 7, 64] {
                let split = Split::new(items, grain, threads);
                assert!(split.blocks <= threads);
                let mut end = 0;
                for block in 0..split.blocks {
                    for chunk in split.block(block).map(|c| split.chunk(c)) {
                        assert_eq!(chunk.start, end);
                        assert_eq!(chunk.start % grain, 0);
                        assert!(chunk.len() >= grain.min(items));
                        end = chunk.end;
                    }
                }
                assert_eq!(end, items);
            }
        }
    }
}

#[test]
fn zero_threads_is_pytorchs_error() {
    let error = set_num_threads(0).unwrap_err();
    assert_eq!(error.to_string(), "set_num_threads expects a positive integer");
}

#[test]
fn writes_of_tasks_are_seen_after_the_join() {
    with_threads(4, || {
        for round in 0..2000_u32 {
            let values: Vec<AtomicU32> = (0..16).map(|_| AtomicU32::new(0)).collect();
            parallel_for(16, 1, &|range| {
                for i in range {
                    values[i].store(round, Ordering::Relaxed);
                }
            });
            assert!(values.iter().all(|v| v.load(Ordering::Relaxed) == round));
        }
    });
}

#[test]
fn several_threads_take_part() {
    with_threads(2, || {
        // Each attempt holds its chunk until another thread has run one. Other tests may hold the pool: try again.
        let start = Instant::now();
        let mut most = 0;
        while most < 2 && start.elapsed() < Duration::from_secs(30) {
            let seen = Mutex::new(HashSet::new());
            let attempt = Instant::now();
            parallel_for(2, 1, &|_| {
                seen.lock().unwrap().insert(std::thread::current().id());
                while seen.lock().unwrap().len() < 2 && attempt.elapsed() < Duration::from_millis(50) {
                    std::thread::yield_now();
                }
            });
            most = most.max(seen.into_inner().unwrap().len());
        }
        assert_eq!(most, 2);
    });
}

#[test]
fn nested_calls_run_inline() {
    with_threads(3, || {
        let total = AtomicUsize::new(0);
        parallel_for(6, 1, &|outer| {
            for _ in outer {
                let here = std::thread::current().id();
                parallel_for(100, 1, &|inner| {
                    assert_eq!(std::thread::current().id(), here);
                    assert_eq!(inner, 0..100);
                    total.fetch_add(inner.len(), Ordering::Relaxed);
                });
            }
        });
        assert_eq!(total.into_inner(), 600);
    });
}

#[test]
fn many_callers_at_once_all_get_their_work_done() {
    with_threads(3, || {
        std::thread::scope(|scope| {
            for caller in 0..6 {
                scope.spawn(move || {
                    for i in 0..500 {
                        assert!(visits(50 + caller + i % 7, 1).iter().all(|&n| n == 1));
                    }
                });
            }
        });
    });
}

#[test]
fn a_panic_reaches_the_caller_and_the_pool_goes_on() {
    with_threads(3, || {
        for round in 0..200 {
            let outcome = catch_unwind(AssertUnwindSafe(|| {
                parallel_for(30, 1, &|range| assert!(!range.contains(&(round % 30)), "item {round}"));
            }));
            let message = outcome.unwrap_err();
            assert_eq!(message.downcast_ref::<String>().unwrap(), &format!("item {round}"));
            assert!(visits(30, 1).iter().all(|&n| n == 1));
        }
    });
}

#[test]
fn panics_of_all_participants_at_once_are_carried_as_one() {
    with_threads(4, || {
        for _ in 0..100 {
            let outcome = catch_unwind(|| parallel_for(16, 1, &|_| panic!("all")));
            assert_eq!(*outcome.unwrap_err().downcast_ref::<&str>().unwrap(), "all");
        }
    });
}

#[test]
fn resizing_between_jobs_and_while_others_run_loses_nothing() {
    with_threads(2, || {
        std::thread::scope(|scope| {
            scope.spawn(|| {
                for i in 0..300 {
                    set_num_threads(1 + i % 5).unwrap();
                    std::thread::yield_now();
                }
            });
            for i in 0..300 {
                assert!(visits(40 + i, 1).iter().all(|&n| n == 1));
            }
        });
    });
}

#[test]
fn parked_workers_wake_again() {
    with_threads(2, || {
        for pause in [0, 100, 250, 400, 2000] {
            for _ in 0..5 {
                std::thread::sleep(Duration::from_micros(pause));
                assert!(visits(64, 1).iter().all(|&n| n == 1));
            }
        }
        let _guard = yield_cores();
        for _ in 0..50 {
            assert!(visits(64, 1).iter().all(|&n| n == 1));
            std::thread::sleep(Duration::from_micros(20));
        }
    });
}
