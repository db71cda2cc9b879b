//! Loaders, samplers and splits. Expected orders are PyTorch 2.15's.
#![allow(clippy::unwrap_used)]

use firebrick_core::{Error, ErrorKind, Generator, Result, Tensor};
use firebrick_data::{
    Collate, ConcatDataset, DataLoader, Dataset, DistributedSampler, ListDataset, Order, RandomSampler, Sampler,
    SequentialSampler, StackDataset, Subset, SubsetRandomSampler, TensorDataset, WeightedRandomSampler, random_split,
};
use indexmap::IndexMap;
use std::sync::Arc;

fn numbers(n: i64) -> ListDataset<i64> {
    ListDataset((0..n).collect())
}

fn seeded<R>(seed: u64, f: impl FnOnce() -> R) -> R {
    Generator::new().manual_seed(seed).scope(f)
}

fn lists(batches: impl Iterator<Item = Result<Tensor>>) -> Vec<Vec<i64>> {
    batches.map(|batch| batch.unwrap().to_vec().unwrap()).collect()
}

#[test]
fn a_loader_draws_its_base_seed_at_once_and_its_order_with_the_first_batch() {
    let loader = DataLoader::builder(numbers(5)).batch_size(2).shuffle(true).build().unwrap();
    seeded(0, || {
        let mut pass = loader.iter();
        assert_eq!(Tensor::rand([1]).unwrap().item::<f32>().unwrap(), 0.088_477_43);
        assert_eq!(lists(&mut pass), [vec![1, 3], vec![2, 0], vec![4]]);
        assert_eq!(Tensor::rand([1]).unwrap().item::<f32>().unwrap(), 0.634_078_7);
    });
}

#[test]
fn a_pass_left_early_has_drawn_only_its_order() {
    let generator = Generator::new().manual_seed(3);
    let loader = DataLoader::builder(numbers(5)).batch_size(2).shuffle(true).generator(&generator).build().unwrap();
    loader.iter().next().unwrap().unwrap();
    assert_eq!(lists(loader.iter()), [vec![1, 4], vec![3, 0], vec![2]]);
}

#[test]
fn a_sequential_loader_keeps_the_order_and_may_drop_the_rest() {
    let loader = |drop_last| DataLoader::builder(numbers(5)).batch_size(2).drop_last(drop_last).build().unwrap();
    assert_eq!(lists(loader(false).iter()), [vec![0, 1], vec![2, 3], vec![4]]);
    assert_eq!(lists(loader(true).iter()), [vec![0, 1], vec![2, 3]]);
    assert_eq!((loader(false).len(), loader(true).len()), (3, 2));
}

#[test]
fn samplers_without_a_generator_draw_from_the_default_one() {
    let sampler = SubsetRandomSampler::new(vec![7, 8, 9]);
    assert_eq!(seeded(0, || sampler.iter().collect::<Result<Vec<_>>>()).unwrap(), [9, 7, 8]);
}

#[test]
fn batches_are_stacked_tensors() {
    let x = Tensor::new([[1.0f32, 2.0], [3.0, 4.0], [5.0, 6.0]]).unwrap();
    let y = Tensor::new([0i64, 1, 2]).unwrap();
    let loader = DataLoader::builder(TensorDataset::new((x, y)).unwrap()).batch_size(2).build().unwrap();
    let batches = loader.iter().collect::<Result<Vec<_>>>().unwrap();
    assert_eq!(batches[0].0.shape(), [2, 2]);
    assert_eq!(batches[1].0.to_vec::<f32>().unwrap(), [5.0, 6.0]);
    assert_eq!(batches[1].1.to_vec::<i64>().unwrap(), [2]);
}

#[test]
fn items_of_every_kind_are_collated() {
    let (numbers, names, truths) =
        Collate::collate(vec![(1.5f64, "a".to_owned(), true), (2.5, "b".to_owned(), false)]).unwrap();
    assert_eq!(numbers.to_vec::<f64>().unwrap(), [1.5, 2.5]);
    assert_eq!(names, ["a", "b"]);
    assert_eq!(truths.to_vec::<bool>().unwrap(), [true, false]);
    let places = Vec::<i64>::collate(vec![vec![1, 2], vec![3, 4]]).unwrap();
    assert_eq!(places[1].to_vec::<i64>().unwrap(), [2, 4]);
}

#[test]
fn a_custom_function_may_put_items_together() {
    let sum = |items: Vec<i64>| Ok(items.iter().sum::<i64>());
    let loader = DataLoader::builder_with(numbers(5), sum).batch_size(3).build().unwrap();
    assert_eq!(loader.iter().collect::<Result<Vec<_>>>().unwrap(), [3, 7]);
}

struct Faulty;

impl Dataset for Faulty {
    type Item = i64;

    fn len(&self) -> usize {
        4
    }

    fn get(&self, index: usize) -> Result<i64> {
        if index == 2 { Err(Error::value("read", "cannot decode").given("a broken image")) } else { Ok(index as i64) }
    }
}

#[test]
fn the_error_of_an_item_names_its_index() {
    let loader = DataLoader::builder(Faulty).batch_size(3).build().unwrap();
    let mut pass = loader.iter();
    let error = pass.next().unwrap().err().unwrap();
    assert_eq!(error.to_string(), "cannot decode");
    assert!(format!("{error:#}").contains("given: a broken image; dataset index 2"), "{error:#}");
    assert_eq!(lists(pass), [[3]]);
}

#[test]
fn fractions_are_rounded_down_and_the_rest_goes_round() {
    let lengths = |fractions: &[f64]| -> Vec<usize> {
        random_split(numbers(10), fractions.to_vec()).unwrap().iter().map(Dataset::len).collect()
    };
    assert_eq!(lengths(&[0.33, 0.33, 0.34]), [4, 3, 3]);
    assert_eq!(lengths(&[0.1; 10]), [1; 10]);
    let parts = random_split(numbers(10), [7, 3]).unwrap();
    let mut all: Vec<i64> = parts.iter().flat_map(|part| (0..part.len()).map(|i| part.get(i).unwrap())).collect();
    all.sort_unstable();
    assert_eq!(all, (0..10).collect::<Vec<_>>());
}

/// Items, replicas, rank, shuffled, dropping the rest; and the items of the share.
type Share = (usize, usize, usize, bool, bool, &'static [usize]);

#[test]
fn distributed_shares_are_equally_long() {
    let cases: [Share; 8] = [
        (5, 2, 1, true, false, &[0, 4, 2]),
        (5, 2, 1, true, true, &[0, 4]),
        (5, 3, 0, true, false, &[2, 4]),
        (5, 3, 0, true, true, &[2]),
        (2, 5, 4, true, false, &[1]),
        (2, 5, 4, true, true, &[]),
        (10, 4, 1, false, false, &[1, 5, 9]),
        (10, 4, 1, false, true, &[1, 5]),
    ];
    for (len, replicas, rank, shuffle, drop_last, expected) in cases {
        let sampler = DistributedSampler::new(len, replicas, rank).unwrap();
        let sampler = Arc::new(sampler.shuffle(shuffle).seed(7).drop_last(drop_last));
        sampler.set_epoch(3);
        assert_eq!(sampler.iter().collect::<Result<Vec<_>>>().unwrap(), expected);
        assert_eq!(sampler.len(), expected.len());
    }
    assert_eq!(DistributedSampler::new(0, 2, 0).unwrap().iter().count(), 0);
}

#[test]
fn data_sets_stand_side_by_side() {
    let map = IndexMap::from([("x".to_owned(), numbers(3)), ("y".to_owned(), numbers(3))]);
    assert_eq!(StackDataset::new(map).unwrap().get(2).unwrap().values().sum::<i64>(), 4);
    assert_eq!(StackDataset::new(vec![numbers(3); 4]).unwrap().get(1).unwrap(), [1; 4]);
}

#[test]
fn missing_items_are_missing_together() {
    assert_eq!(Collate::collate(vec![Some(1_i64), Some(2)]).unwrap().unwrap().to_vec::<i64>().unwrap(), [1, 2]);
    assert!(Collate::collate(vec![None::<i64>, None]).unwrap().is_none());
}

#[test]
fn a_batch_of_no_items_is_an_error_in_its_place() {
    struct Holes;
    impl Sampler for Holes {
        type Item = Vec<usize>;
        fn iter(&self) -> Order<'_, Vec<usize>> {
            Box::new([vec![0, 1], vec![], vec![2]].into_iter().map(Ok))
        }
        fn len(&self) -> usize {
            3
        }
    }
    for workers in [0, 1] {
        let loader = DataLoader::builder(numbers(3)).batch_sampler(Holes).num_workers(workers).build().unwrap();
        let batches: Vec<Result<Tensor>> = loader.iter().collect();
        assert_eq!(batches.iter().map(Result::is_ok).collect::<Vec<_>>(), [true, false, true]);
        let error = batches[1].as_ref().unwrap_err();
        assert!(error.kind() == ErrorKind::Index && error.to_string() == "list index out of range", "{error:#}");
    }
}

#[test]
fn an_item_that_is_not_there_is_named_with_how_many_there_are() {
    let both = ConcatDataset::new(vec![numbers(2), numbers(1)]).unwrap();
    let part = Subset::new(numbers(9), vec![4, 5, 6]);
    let errors = [numbers(3).get(7), both.get(7), part.get(7), part.get_items(&[0, 7]).map(|items| items[0])];
    for error in errors.map(Result::unwrap_err) {
        assert_eq!(error.to_string(), "list index out of range");
        let text = format!("{error:#}");
        assert!(text.contains("given: 7") && text.contains("expected: below 3"), "{text}");
    }
}

#[test]
fn more_items_than_can_be_counted_are_an_error() {
    struct Endless;
    impl Dataset for Endless {
        type Item = i64;
        fn len(&self) -> usize {
            usize::MAX
        }
        fn get(&self, index: usize) -> Result<i64> {
            Ok(index as i64)
        }
    }
    let error = ConcatDataset::new(vec![Endless, Endless]).err().unwrap();
    assert_eq!(error.to_string(), "the data sets have more items than can be counted");
    let error = random_split(Endless, [0.5, 0.5]).err().unwrap();
    assert_eq!(error.to_string(), "Sum of input lengths does not equal the length of the input dataset!");
}

#[test]
fn refusals_are_pytorchs() {
    let builder = || DataLoader::builder(numbers(3));
    let uneven = vec![Tensor::ones([2]).unwrap(), Tensor::ones([3]).unwrap()];
    let tensors = TensorDataset::new(Tensor::ones([2]).unwrap()).unwrap();
    let cases = [
        (builder().batch_size(0).build().err(), "batch_size should be a positive integer value, but got batch_size=0"),
        (
            builder().shuffle(true).sampler(SequentialSampler::new(3)).build().err(),
            "sampler option is mutually exclusive with shuffle",
        ),
        (
            DataLoader::builder(numbers(0)).shuffle(true).build().err(),
            "num_samples should be a positive integer value, but got num_samples=0",
        ),
        (
            WeightedRandomSampler::new(&[1.0], 0, true).err(),
            "num_samples should be a positive integer value, but got num_samples=0",
        ),
        (
            RandomSampler::new(3).unwrap().num_samples(0).err(),
            "num_samples should be a positive integer value, but got num_samples=0",
        ),
        (
            random_split(numbers(10), [0.3, 0.3]).err(),
            "Sum of input lengths does not equal the length of the input dataset!",
        ),
        (random_split(numbers(10), [1.5, -0.5]).err(), "Fraction at index 0 is not between 0 and 1"),
        (
            Tensor::collate(uneven).err(),
            "stack expects each tensor to be equal size, but got [2] at entry 0 and [3] at entry 1",
        ),
        (Vec::<i64>::collate(vec![vec![1, 2], vec![3]]).err(), "each element in list of batch should be of equal size"),
        (
            Collate::collate(vec![Some(1_i64), None]).err(),
            "default_collate: batch must contain tensors, numpy arrays, numbers, dicts or lists; found <class 'NoneType'>",
        ),
        (DistributedSampler::new(5, 2, 2).err(), "Invalid rank 2, rank should be in the interval [0, 1]"),
        (StackDataset::new((numbers(3), numbers(2))).err(), "Size mismatch between datasets"),
        (StackDataset::new(Vec::<ListDataset<i64>>::new()).err(), "At least one dataset should be passed"),
        (tensors.get(5).err(), "index 5 is out of bounds for dimension 0 with size 2"),
    ];
    for (error, text) in cases {
        assert_eq!(error.map(|e| e.to_string()).as_deref(), Some(text));
    }
}

#[test]
fn an_order_that_memory_does_not_hold_is_an_error() {
    let most = usize::MAX;
    let refused = |order: Result<usize>| order.unwrap_err().to_string();
    let text = format!("not enough memory for {most} indices");
    assert!(refused(RandomSampler::new(most).unwrap().iter().next().unwrap()).contains(&text));
    let share = DistributedSampler::new(most, 2, 1).unwrap();
    assert!(refused(share.iter().next().unwrap()).contains(&text));
    let last = share.shuffle(false).iter().nth(1).unwrap().unwrap();
    assert_eq!(last, 3);
}
