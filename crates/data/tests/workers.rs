//! Loaders with workers. Expected numbers are PyTorch 2.15's.
#![allow(clippy::unwrap_used)]

use firebrick_core::{Error, Generator, Result, Tensor};
use firebrick_data::{DataLoader, Dataset, IterableDataset, ListDataset, Order, get_worker_info};
use std::collections::HashSet;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

fn numbers(n: i64) -> ListDataset<i64> {
    ListDataset((0..n).collect())
}

fn seeded<R>(seed: u64, f: impl FnOnce() -> R) -> R {
    Generator::new().manual_seed(seed).scope(f)
}

fn lists(batches: impl Iterator<Item = Result<Tensor>>) -> Vec<Vec<i64>> {
    batches.map(|batch| batch.unwrap().to_vec().unwrap()).collect()
}

fn singles(batches: impl Iterator<Item = Result<Tensor>>) -> Vec<f32> {
    batches.flat_map(|batch| batch.unwrap().to_vec::<f32>().unwrap()).collect()
}

/// Items by a function of the index.
struct By<F>(usize, F);

impl<T, F: Fn(usize) -> Result<T> + Send + Sync> Dataset for By<F> {
    type Item = T;

    fn len(&self) -> usize {
        self.0
    }

    fn get(&self, index: usize) -> Result<T> {
        (self.1)(index)
    }
}

#[test]
fn batches_are_the_same_for_any_number_of_workers() {
    for workers in [0, 1, 2, 3, 5, 16] {
        for prefetch in [1, 2, 7] {
            let mut loader = DataLoader::builder(numbers(23)).batch_size(4).shuffle(true).num_workers(workers);
            if workers > 0 {
                loader = loader.prefetch_factor(prefetch);
            }
            let loader = loader.build().unwrap();
            let passes = seeded(0, || [lists(loader.iter()), lists(loader.iter())]);
            let alone = DataLoader::builder(numbers(23)).batch_size(4).shuffle(true).build().unwrap();
            assert_eq!(passes, seeded(0, || [lists(alone.iter()), lists(alone.iter())]));
        }
    }
}

#[test]
fn workers_begin_the_first_batches_when_the_pass_is_made() {
    let loader = DataLoader::builder(numbers(5)).batch_size(2).shuffle(true).num_workers(2).build().unwrap();
    seeded(0, || {
        let pass = loader.iter();
        assert_eq!(Tensor::rand([1]).unwrap().item::<f32>().unwrap(), 0.307_422_82);
        assert_eq!(lists(pass), [vec![1, 4], vec![2, 3], vec![0]]);
    });
}

#[test]
fn each_worker_draws_from_a_generator_of_its_own() {
    let random = || By(6, |_| Tensor::rand(())?.item::<f32>());
    let builder = |persistent| {
        DataLoader::builder(random()).batch_size(2).num_workers(2).persistent_workers(persistent).build().unwrap()
    };
    let first = [0.782_139_9, 0.053_599, 0.693_817_85, 0.297_958_97, 0.988_786_94, 0.194_859_33];
    let fresh = [0.642_806_65, 0.876_693_4, 0.063_119_65, 0.148_002_03, 0.286_756_34, 0.821_665_17];
    let same = [0.524_179_04, 0.198_717_77, 0.166_854_62, 0.284_719_77, 0.509_400_67, 0.716_646_55];
    seeded(0, || {
        let loader = builder(false);
        assert_eq!([singles(loader.iter()), singles(loader.iter())], [first, fresh]);
    });
    seeded(0, || {
        let loader = builder(true);
        assert_eq!([singles(loader.iter()), singles(loader.iter())], [first, same]);
        // The second pass has drawn nothing.
        assert_eq!(Tensor::rand([1]).unwrap().item::<f32>().unwrap(), 0.088_477_43);
    });
}

#[test]
fn a_worker_knows_itself() {
    let dataset = By(4, |_| get_worker_info().map(|info| info.seed as i64).ok_or_else(|| Error::value("get", "none")));
    let loader = DataLoader::builder(dataset).batch_size(2).num_workers(2).build().unwrap();
    let seed = 900_450_186_894_289_455;
    assert_eq!(seeded(0, || lists(loader.iter())), [vec![seed; 2], vec![seed + 1; 2]]);
    assert_eq!(get_worker_info(), None);
}

/// Each worker counts `100 * id, 100 * id + 1, ..` as far as its number says.
struct Counts(Vec<i64>);

impl IterableDataset for Counts {
    type Item = i64;

    fn iter(&self) -> Order<'_, i64> {
        let id = get_worker_info().map_or(0, |info| info.id);
        Box::new((0..self.0[id]).map(move |k| Ok(100 * id as i64 + k)))
    }
}

/// Whether the last batches are dropped, the counts of the workers, and the batches.
type Stream = (bool, &'static [i64], &'static [&'static [i64]]);

#[test]
fn streams_are_read_in_turn_until_the_last_one_ends() {
    let cases: [Stream; 6] = [
        (false, &[3, 7, 2], &[&[0, 1], &[100, 101], &[200, 201], &[2], &[102, 103], &[104, 105], &[106]]),
        (false, &[1, 9], &[&[0], &[100, 101], &[102, 103], &[104, 105], &[106, 107], &[108]]),
        (false, &[5], &[&[0, 1], &[2, 3], &[4]]),
        (true, &[3, 7, 2], &[&[0, 1], &[100, 101], &[200, 201], &[102, 103], &[104, 105]]),
        (true, &[1, 9], &[&[100, 101], &[102, 103], &[104, 105], &[106, 107]]),
        (true, &[5], &[&[0, 1], &[2, 3]]),
    ];
    for (drop_last, counts, expected) in cases {
        for persistent in [false, true] {
            let loader = DataLoader::iterable(Counts(counts.to_vec())).batch_size(2).drop_last(drop_last);
            let loader = loader.num_workers(counts.len()).persistent_workers(persistent).build().unwrap();
            for _ in 0..2 {
                assert_eq!(lists(loader.iter()), expected);
            }
        }
    }
    let alone = DataLoader::iterable(Counts(vec![5])).batch_size(2).build().unwrap();
    assert_eq!(lists(alone.iter()), [vec![0, 1], vec![2, 3], vec![4]]);
}

/// What an item does instead of being there.
type Fail = fn() -> Result<i64>;

fn faulty(fail: Fail) -> By<impl Fn(usize) -> Result<i64> + Send + Sync> {
    By(8, move |index| if index == 5 { fail() } else { Ok(index as i64) })
}

#[test]
fn an_item_that_fails_or_panics_is_one_error_that_names_it() {
    let fails: [(Fail, &str); 2] = [
        (|| Err(Error::value("read", "cannot decode")), "cannot decode"),
        (|| panic!("index {}", 9), "panicked: index 9"),
    ];
    for (fail, text) in fails {
        for workers in [0, 1, 3] {
            let loader = DataLoader::builder(faulty(fail)).batch_size(2).num_workers(workers).build().unwrap();
            let results: Vec<_> = loader.iter().collect();
            assert_eq!(results.iter().map(Result::is_ok).collect::<Vec<_>>(), [true, true, false, true]);
            let error = results[2].as_ref().err().unwrap();
            assert_eq!(error.to_string(), text);
            assert!(format!("{error:#}").contains("dataset index 5"), "{error:#}");
            let worker = format!("worker {}", if workers == 3 { 2 } else { 0 });
            assert_eq!(format!("{error:#}").contains(&worker), workers > 0, "{error:#}");
        }
    }
}

struct Broken;

impl IterableDataset for Broken {
    type Item = i64;

    fn iter(&self) -> Order<'_, i64> {
        Box::new((0..6).map(|i| if i == 3 { panic!("torn page") } else { Ok(i) }))
    }
}

#[test]
fn a_stream_that_panics_is_an_error_in_its_place() {
    for workers in [0, 1] {
        let loader = DataLoader::iterable(Broken).batch_size(2).num_workers(workers).build().unwrap();
        let mut pass = loader.iter();
        assert!(pass.next().unwrap().is_ok());
        let error = pass.next().unwrap().err().unwrap();
        assert_eq!(error.to_string(), "panicked: torn page");
        assert!(format!("{error:#}").contains("item 3"), "{error:#}");
    }
}

#[test]
fn what_a_worker_cannot_prepare_is_the_error_of_its_batches() {
    let called = Arc::new(Mutex::new(HashSet::new()));
    let seen = called.clone();
    let init = move |id| match seen.lock().unwrap().insert(id) && id == 1 {
        true => Err(Error::value("init", "no such device")),
        false => Ok(()),
    };
    let loader = DataLoader::builder(numbers(4)).num_workers(2).worker_init_fn(init).build().unwrap();
    let results: Vec<_> = loader.iter().collect();
    assert_eq!(results.iter().map(Result::is_ok).collect::<Vec<_>>(), [true, false, true, false]);
    let error = results[1].as_ref().err().unwrap();
    assert!(error.to_string() == "no such device" && format!("{error:#}").contains("worker 1"), "{error:#}");
    assert_eq!(*called.lock().unwrap(), HashSet::from([0, 1]));
}

#[test]
fn collating_happens_in_the_workers_and_may_fail() {
    let uneven = By(4, |index| Tensor::zeros([if index == 3 { 2 } else { 1 }]));
    let loader = DataLoader::builder(uneven).batch_size(2).num_workers(2).build().unwrap();
    let results: Vec<_> = loader.iter().collect();
    assert!(results[0].is_ok());
    assert!(results[1].as_ref().err().unwrap().to_string().starts_with("stack expects each tensor to be equal size"));
    let count = |items: Vec<i64>| Ok((items.len(), get_worker_info().map(|info| info.id)));
    let loader = DataLoader::builder_with(numbers(3), count).batch_size(2).num_workers(2).build().unwrap();
    assert_eq!(loader.iter().collect::<Result<Vec<_>>>().unwrap(), [(2, Some(0)), (1, Some(1))]);
}

#[test]
fn dropping_a_pass_ends_its_workers() {
    let running = Arc::new(AtomicUsize::new(0));
    for taken in [0, 1, 3] {
        let counter = running.clone();
        let slow = By(1000, move |index| {
            counter.fetch_add(1, Ordering::SeqCst);
            std::thread::sleep(Duration::from_millis(2));
            counter.fetch_sub(1, Ordering::SeqCst);
            Ok(index as i64)
        });
        let loader = DataLoader::builder(slow).num_workers(3).prefetch_factor(100).build().unwrap();
        let start = Instant::now();
        let mut pass = loader.iter();
        (0..taken).for_each(|_| drop(pass.next().unwrap().unwrap()));
        drop(pass);
        assert_eq!(running.load(Ordering::SeqCst), 0);
        // A thousand items would take 600 ms and more.
        assert!(start.elapsed() < Duration::from_millis(400), "the tasks that were asked for were not skipped");
    }
}

#[test]
fn workers_that_persist_are_the_same_threads_and_forget_what_was_left() {
    let thread = By(40, |index| Ok((index, std::thread::current().id())));
    let keep = |items: Vec<_>| Ok(items);
    let loader = DataLoader::builder_with(thread, keep)
        .num_workers(2)
        .persistent_workers(true)
        .prefetch_factor(8)
        .build()
        .unwrap();
    let pass = |n: usize| -> Vec<_> { loader.iter().take(n).map(|batch| batch.unwrap()[0]).collect() };
    let (first, second) = (pass(3), pass(40));
    let threads: HashSet<_> = first.iter().chain(&second).map(|(_, thread)| *thread).collect();
    assert_eq!(threads.len(), 2);
    assert_eq!(second.iter().map(|(index, _)| *index).collect::<Vec<_>>(), (0..40).collect::<Vec<_>>());
    // Two passes at a time do not mix.
    let both: Vec<_> = loader.iter().zip(loader.iter()).map(|(a, b)| (a.unwrap()[0].0, b.unwrap()[0].0)).collect();
    assert_eq!(both, (0..40).map(|i| (i, i)).collect::<Vec<_>>());
}

#[test]
fn a_batch_that_is_late_is_an_error_that_ends_the_pass() {
    let (release, held) = std::sync::mpsc::channel::<()>();
    let held = Mutex::new(held);
    let stuck = By(3, move |index| {
        if index == 1 {
            // Until the test ends.
            let _ = held.lock().unwrap().recv();
        }
        Ok(index as i64)
    });
    let loader = DataLoader::builder(stuck).num_workers(1).persistent_workers(true);
    let loader = loader.timeout(Duration::from_millis(250)).build().unwrap();
    let mut pass = loader.iter();
    assert!(pass.next().unwrap().is_ok());
    assert_eq!(pass.next().unwrap().err().unwrap().to_string(), "DataLoader timed out after 0.25 seconds");
    assert!(pass.next().is_none());
    drop(pass);
    drop(loader);
    drop(release);
}

#[test]
fn options_that_need_workers_are_refused_without_them() {
    let builder = || DataLoader::builder(numbers(3));
    let stream = || DataLoader::iterable(Counts(vec![1]));
    let unspecified = "DataLoader with IterableDataset: expected unspecified";
    let cases = [
        (
            builder().prefetch_factor(2).build().err(),
            "prefetch_factor option could only be specified in multiprocessing.let num_workers > 0 to enable multiprocessing, otherwise set prefetch_factor to None.".to_owned(),
        ),
        (builder().persistent_workers(true).build().err(), "persistent_workers option needs num_workers > 0".to_owned()),
        (builder().timeout(Duration::from_secs(1)).build().err(), "timeout option needs num_workers > 0".to_owned()),
        (
            builder().num_workers(1).prefetch_factor(0).build().err(),
            "prefetch_factor option should be positive".to_owned(),
        ),
        (stream().shuffle(true).build().err(), format!("{unspecified} shuffle option, but got shuffle=True")),
        (
            stream().batch_size(0).build().err(),
            "batch_size should be a positive integer value, but got batch_size=0".to_owned(),
        ),
    ];
    for (error, text) in cases {
        assert_eq!(error.map(|e| e.to_string()), Some(text));
    }
}

/// Passes that are made, read in part and dropped, by several threads, with items that are quick, slow, failing and
/// panicking: whatever the timing, every pass gives its batches in order, and all of it ends.
#[test]
fn no_timing_hangs_a_loader_or_changes_its_batches() {
    let silent = std::panic::take_hook();
    std::panic::set_hook(Box::new(|_| {}));
    let racing = |seed: usize| {
        for round in 0..60 {
            let (n, workers) = (1 + (seed * 7 + round) % 13, 1 + round % 4);
            let dataset = By(n, move |index| match (index * 31 + round) % 7 {
                0 => Err(Error::value("get", "failed")),
                1 => panic!("failed"),
                2 => {
                    std::thread::sleep(Duration::from_micros(50 * (round as u64 % 5)));
                    Ok(index as i64)
                }
                _ => Ok(index as i64),
            });
            let loader = DataLoader::builder(dataset).num_workers(workers).persistent_workers(round % 2 == 0);
            let loader = loader.prefetch_factor(1 + round % 3).timeout(Duration::from_secs(60)).build().unwrap();
            for taken in [n, round % (n + 1), n + 1] {
                for (index, batch) in loader.iter().take(taken).enumerate() {
                    match (index * 31 + round) % 7 {
                        0 | 1 => assert!(batch.err().unwrap().to_string().ends_with("failed")),
                        _ => assert_eq!(batch.unwrap().item::<i64>().unwrap(), index as i64),
                    }
                }
            }
        }
    };
    std::thread::scope(|scope| {
        let threads: Vec<_> = (0..4).map(|seed| scope.spawn(move || racing(seed))).collect();
        threads.into_iter().for_each(|thread| thread.join().unwrap());
    });
    std::panic::set_hook(silent);
}
