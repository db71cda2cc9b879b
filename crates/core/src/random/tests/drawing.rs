//! Weighted drawing and the orders of samplers.

use super::super::{Engine, multinomial, random_sampler_order, weighted_sampler_order};
use super::refusal;

const WEIGHTS: [f32; 5] = [0.1, 0.5, 0.2, 0.9, 0.3];

fn draw(weights: &[f32], categories: usize, count: usize, replacement: bool) -> Vec<i64> {
    multinomial(&mut Engine::new(14), weights, categories, count, replacement).unwrap()
}

#[test]
fn multinomial_draws_with_and_without_replacement() {
    assert_eq!(draw(&WEIGHTS, 5, 8, true), [3, 3, 3, 3, 2, 1, 4, 3]);
    assert_eq!(draw(&WEIGHTS, 5, 4, false), [3, 1, 4, 2]);
    assert_eq!(draw(&WEIGHTS, 5, 1, true), [3]);
    let rows: Vec<f32> = WEIGHTS.into_iter().chain(WEIGHTS.into_iter().rev()).collect();
    assert_eq!(draw(&rows, 5, 3, false), [3, 1, 4, 0, 3, 4]);
}

#[test]
fn multinomial_leaves_equal_weights_where_topk_does() {
    let mut weights = [0.0; 40];
    weights.iter_mut().step_by(4).for_each(|weight| *weight = 1.0);
    assert_eq!(
        draw(&weights, 40, 40, false),
        [
            24, 8, 4, 36, 0, 12, 28, 20, 16, 32, 2, 14, 3, 5, 39, 6, 7, 9, 10, 17, 22, 21, 19, 13, 18, 1, 11, 23, 25,
            26, 27, 29, 30, 31, 33, 34, 35, 37, 38, 15
        ]
    );
    let mut weights = [0.0; 400];
    weights.iter_mut().step_by(100).for_each(|weight| *weight = 1.0);
    assert_eq!(draw(&weights, 400, 6, false), [100, 200, 0, 300, 3, 1]);
}

#[test]
fn multinomial_refuses_in_pytorchs_words() {
    for (weights, count, replacement, expected) in [
        ([1.0, 2.0], 0, true, "cannot sample n_sample <= 0 samples"),
        ([1.0, 2.0], 3, false, "cannot sample n_sample > prob_dist.size(-1) samples without replacement"),
        ([1.0, -2.0], 1, false, "probability tensor contains either `inf`, `nan` or element < 0"),
        ([1.0, f32::NAN], 3, true, "invalid multinomial distribution (encountering probability entry < 0)"),
        (
            [1.0, f32::INFINITY],
            3,
            true,
            "invalid multinomial distribution (encountering probability entry = infinity or NaN)",
        ),
        ([0.0, 0.0], 3, true, "invalid multinomial distribution (sum of probabilities <= 0)"),
        ([0.0, 0.0], 2, false, "invalid multinomial distribution (sum of probabilities <= 0)"),
    ] {
        let drawn = multinomial(&mut Engine::new(0), &weights, 2, count, replacement);
        assert_eq!(refusal(drawn), expected);
    }
}

#[test]
fn random_sampler_orders_agree() {
    let order = random_sampler_order(&mut Engine::new(15), 5, 12, false).unwrap();
    assert_eq!(order, [2, 0, 1, 4, 3, 2, 1, 3, 4, 0, 4, 0]);
    let order = random_sampler_order(&mut Engine::new(15), 1000, 36, true).unwrap();
    assert_eq!(order[..4], [232, 429, 140, 373]);
    assert_eq!(order[30..], [869, 623, 334, 911, 424, 258]);
}

#[test]
fn a_random_sampler_read_to_its_end_has_drawn_one_more_permutation() {
    let mut engine = Engine::new(15);
    random_sampler_order(&mut engine, 5, 10, false).unwrap();
    assert_eq!(engine.random() % 1000, 727); // torch.randint(1000) next
}

#[test]
fn weighted_sampler_orders_agree() {
    let weights = [0.1, 0.9, 0.4, 0.7];
    let order = weighted_sampler_order(&mut Engine::new(15), &weights, 8, true).unwrap();
    assert_eq!(order, [1, 1, 1, 1, 0, 1, 2, 2]);
    let order = weighted_sampler_order(&mut Engine::new(15), &weights, 3, false).unwrap();
    assert_eq!(order, [1, 3, 2]);
    let none = weighted_sampler_order(&mut Engine::new(15), &weights, 0, true);
    assert_eq!(refusal(none), "num_samples should be a positive integer value, but got num_samples=0");
}
