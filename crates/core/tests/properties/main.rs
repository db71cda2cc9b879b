//! What holds of every view, index and broadcast: random ones against slow arrays that are obviously right.
#![allow(clippy::unwrap_used)]

mod indices;
mod places;
mod steps;

use firebrick_core::autograd::Grad;
use firebrick_core::{Result, Tensor};
use indices::{Index, broadcast, parts};
use places::{Places, each_index};
use proptest::prelude::*;
use steps::{Step, chain, numbers, positions, shape};

fn viewed(x: &Tensor, slow: &Places, steps: &[Step]) -> Result<(Tensor, Places)> {
    steps.iter().try_fold((x.clone(), slow.clone()), |(x, slow), step| step.apply(&x, &slow))
}

fn shows(x: &Tensor, slow: &Places) -> std::result::Result<(), TestCaseError> {
    prop_assert_eq!(x.shape().to_vec(), slow.shape.clone());
    let expected: Vec<f64> = slow.at.iter().map(|&at| at as f64).collect();
    prop_assert_eq!(x.to_vec::<f64>().unwrap(), expected);
    Ok(())
}

/// The gradient of a leaf's positions for cotangents of what was made of it.
fn gradient(leaf: &Tensor, out: &Tensor, cotangent: &[f64]) -> Vec<f64> {
    let cotangent = Tensor::from_vec(cotangent.to_vec(), out.shape()).unwrap();
    Grad::new(&[out], &[leaf]).grad_outputs(&[Some(cotangent)]).run().unwrap()[0].to_vec().unwrap()
}

fn leaf(shape: &[usize]) -> Tensor {
    let x = positions(shape).unwrap();
    x.requires_grad_(true).unwrap();
    x
}

proptest! {
    // A failure prints its input, which belongs into a test of its own.
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn views_show_the_right_places(shape in shape(), steps in chain()) {
        let (x, slow) = (positions(&shape).unwrap(), Places::base(&shape));
        let (x, slow) = viewed(&x, &slow, &steps).unwrap();
        shows(&x, &slow)?;
        shows(&x.contiguous().unwrap(), &slow)?;
    }

    #[test]
    fn gradients_of_views_go_to_the_right_places(shape in shape(), steps in chain()) {
        let x = leaf(&shape);
        let (out, slow) = viewed(&x, &Places::base(&shape), &steps).unwrap();
        let cotangent = numbers(slow.at.len());
        prop_assert_eq!(gradient(&x, &out, &cotangent), slow.summed(&cotangent, x.numel()));
    }

    #[test]
    fn writing_a_view_changes_its_places_and_their_history_alone(shape in shape(), steps in chain()) {
        let steps: Vec<Step> = steps.into_iter().filter(|s| !s.may_copy()).collect();
        let x = leaf(&shape);
        let base = x.mul(1).unwrap();
        let (view, slow) = viewed(&base, &Places::base(&shape), &steps).unwrap();
        let written = view.mul_(3);
        if !slow.are_distinct() {
            // Elements that share a place are refused where that is certain, else they are not tested.
            return Ok(());
        }
        written.unwrap();
        let touched = |at: usize| if slow.at.contains(&at) { 3.0 } else { 1.0 };
        let expected: Vec<f64> = (0..x.numel()).map(|at| at as f64 * touched(at)).collect();
        prop_assert_eq!(base.to_vec::<f64>().unwrap(), expected);
        let cotangent = numbers(x.numel());
        let expected: Vec<f64> = cotangent.iter().enumerate().map(|(at, g)| g * touched(at)).collect();
        prop_assert_eq!(gradient(&x, &base, &cotangent), expected);
    }

    #[test]
    fn indices_pick_the_right_places(shape in shape(), steps in chain(), parts in parts()) {
        let x = leaf(&shape);
        let (view, slow) = viewed(&x, &Places::base(&shape), &steps).unwrap();
        let index = Index::new(&slow, &parts).unwrap();
        let out = view.i(index.items.clone());
        let Some(slow) = index.picked() else {
            let text = out.err().unwrap().to_string();
            prop_assert!(text.starts_with("shape mismatch: indexing tensors could not be broadcast"), "{}", text);
            return Ok(());
        };
        let out = out.unwrap();
        shows(&out, &slow)?;
        let cotangent = numbers(slow.at.len());
        prop_assert_eq!(gradient(&x, &out, &cotangent), slow.summed(&cotangent, x.numel()));
    }

    #[test]
    fn what_is_written_by_index_arrives_and_has_its_gradient(shape in shape(), parts in parts()) {
        let x = leaf(&shape);
        let base = x.mul(1).unwrap();
        let index = Index::new(&Places::base(&shape), &parts).unwrap();
        let Some(slow) = index.picked() else { return Ok(()) };
        let value = Tensor::from_vec(numbers(slow.at.len()).iter().map(|v| -v).collect(), &slow.shape[..]).unwrap();
        value.requires_grad_(true).unwrap();
        base.set(index.items.clone(), &value).unwrap();
        let (before, given) = (x.to_vec::<f64>().unwrap(), value.to_vec::<f64>().unwrap());
        let now = base.to_vec::<f64>().unwrap();
        for (at, &now) in now.iter().enumerate() {
            // Where several values go to one place, one of them stays.
            let here: Vec<f64> = slow.at.iter().zip(&given).filter(|(a, _)| **a == at).map(|(_, &v)| v).collect();
            let right = if here.is_empty() { now == before[at] } else { here.contains(&now) };
            prop_assert!(right, "place {} holds {}", at, now);
        }
        let cotangent = numbers(x.numel());
        let kept = cotangent.iter().enumerate().map(|(at, g)| if slow.at.contains(&at) { 0.0 } else { *g });
        prop_assert_eq!(gradient(&x, &base, &cotangent), kept.collect::<Vec<f64>>());
        let arrived: Vec<f64> = slow.at.iter().map(|&at| cotangent[at]).collect();
        let out = x.detach().copy().unwrap();
        out.set(index.items.clone(), &value).unwrap();
        prop_assert_eq!(gradient(&value, &out, &cotangent), arrived);
    }

    #[test]
    fn what_is_accumulated_by_index_adds_up(shape in shape(), seed in 0usize..100, count in 0usize..7) {
        prop_assume!(!shape.is_empty() && shape[0] > 0);
        let index: Vec<i64> = (0..count).map(|k| ((seed + k * k) % shape[0]) as i64).collect();
        let index = Tensor::from_vec(index.clone(), [count]).unwrap();
        let slow = Places::base(&shape);
        let mut wanted = shape.clone();
        wanted[0] = count;
        let rows = index.to_vec::<i64>().unwrap();
        let slow = slow.picked(wanted.clone(), |i| [&[rows[i[0]] as usize], &i[1..]].concat());
        let (x, value) = (leaf(&shape), Tensor::from_vec(numbers(slow.at.len()), &wanted[..]).unwrap());
        value.requires_grad_(true).unwrap();
        let out = x.index_put(&[Some(index.clone())], &value, true).unwrap();
        let sums = slow.summed(&value.to_vec::<f64>().unwrap(), x.numel());
        let expected: Vec<f64> = sums.iter().enumerate().map(|(at, sum)| at as f64 + sum).collect();
        prop_assert_eq!(out.to_vec::<f64>().unwrap(), expected.clone());
        prop_assert_eq!(x.index_add(0, &index, &value, 1).unwrap().to_vec::<f64>().unwrap(), expected);
        let cotangent = numbers(x.numel());
        prop_assert_eq!(gradient(&x, &out, &cotangent), cotangent.clone());
        let arrived: Vec<f64> = slow.at.iter().map(|&at| cotangent[at]).collect();
        prop_assert_eq!(gradient(&value, &out, &cotangent), arrived);
    }

    #[test]
    fn broadcasting_pairs_the_right_elements(a in shape(), b in shape(), shared in any::<u8>()) {
        // Every second time the shapes are made to fit.
        let mut b = b;
        let common = a.len().min(b.len());
        for k in 1..=common {
            let (n, m) = (a[a.len() - k], b.len() - k);
            if shared & 1 == 1 && b[m] != 1 && n != 1 {
                b[m] = n;
            }
        }
        let (x, y) = (leaf(&a), leaf(&b));
        let out = x.mul(100).and_then(|x| x.add(&y));
        let Some(shape) = broadcast(&a, &b) else {
            let text = out.err().unwrap().to_string();
            prop_assert!(text.starts_with("The size of tensor a ("), "{}", text);
            return Ok(());
        };
        let out = out.unwrap();
        let stretched = |own: &[usize]| {
            let front = shape.len() - own.len();
            Places::base(own).picked(shape.clone(), |i| {
                i[front..].iter().zip(own).map(|(&at, &n)| if n == 1 { 0 } else { at }).collect()
            })
        };
        let (left, right) = (stretched(&a), stretched(&b));
        prop_assert_eq!(out.shape().to_vec(), shape.clone());
        let expected: Vec<f64> = left.at.iter().zip(&right.at).map(|(&l, &r)| (100 * l + r) as f64).collect();
        prop_assert_eq!(out.to_vec::<f64>().unwrap(), expected);
        let cotangent = numbers(left.at.len());
        prop_assert_eq!(gradient(&y, &out, &cotangent), right.summed(&cotangent, y.numel()));
        let scaled: Vec<f64> = left.summed(&cotangent, x.numel()).iter().map(|g| g * 100.0).collect();
        prop_assert_eq!(gradient(&x, &out, &cotangent), scaled);
    }
}

#[test]
fn the_slow_array_is_right() {
    let mut seen = Vec::new();
    each_index(&[2, 2], |i| seen.push(i.to_vec()));
    assert_eq!(seen, [[0, 0], [0, 1], [1, 0], [1, 1]]);
    let transposed = Places::base(&[2, 3]).picked(vec![3, 2], |i| vec![i[1], i[0]]);
    assert_eq!(transposed.at, [0, 3, 1, 4, 2, 5]);
    assert_eq!(broadcast(&[2, 1], &[3]), Some(vec![2, 3]));
    assert_eq!(broadcast(&[2], &[3]), None);
}
