//! Drawing indices by weight: `multinomial`.

use super::distributions::fill_exponential;
use super::engine::Engine;
use super::error::RandomError;
use super::real::Real;
use super::selection::select;

/// More categories float32 could not number.
const MOST_CATEGORIES: usize = 1 << 24;
const ZERO_SUM: &str = "invalid multinomial distribution (sum of probabilities <= 0)";

/// Draws `num_samples` indices from each row of `categories` weights: PyTorch's
/// `multinomial(weights, num_samples, replacement)`, the indices row after row.
///
/// With replacement each sample is the first index at which the normalized cumulative weight
/// reaches a float64 uniform. Without it, and for a single sample, the indices of the largest
/// `weight / exponential` are taken, largest first.
///
/// # Errors
/// No samples; more samples than categories without replacement; more than 2^24 categories; a
/// weight that is negative or not finite; a row that is empty or sums to zero.
///
/// ```
/// # use firebrick_core::random::{self, Engine};
/// let weights = [1.0f32, 0.0, 3.0, 4.0];
/// assert_eq!(random::multinomial(&mut Engine::new(0), &weights, 4, 5, true)?, [3, 3, 2, 3, 3]);
/// assert_eq!(random::multinomial(&mut Engine::new(0), &weights, 4, 2, false)?, [2, 3]);
/// # Ok::<_, firebrick_core::random::RandomError>(())
/// ```
pub fn multinomial<T: Real>(
    engine: &mut Engine,
    weights: &[T],
    categories: usize,
    num_samples: usize,
    replacement: bool,
) -> Result<Vec<i64>, RandomError> {
    multinomial_in_order(engine, weights, categories, num_samples, replacement, false)
}

/// [`multinomial`] of weights that lie in memory column after column, for `by_column`: without replacement PyTorch
/// draws in the order of the memory. `weights` itself is given row after row.
pub(crate) fn multinomial_in_order<T: Real>(
    engine: &mut Engine,
    weights: &[T],
    categories: usize,
    num_samples: usize,
    replacement: bool,
    by_column: bool,
) -> Result<Vec<i64>, RandomError> {
    if num_samples == 0 {
        return Err(RandomError::Multinomial("cannot sample n_sample <= 0 samples"));
    }
    if !replacement && num_samples > categories {
        return Err(RandomError::Multinomial(
            "cannot sample n_sample > prob_dist.size(-1) samples without replacement",
        ));
    }
    if categories > MOST_CATEGORIES {
        return Err(RandomError::Multinomial("number of categories cannot exceed 2^24"));
    }
    if categories == 0 {
        return Err(RandomError::Multinomial(ZERO_SUM));
    }
    if replacement && num_samples > 1 {
        with_replacement(engine, weights, categories, num_samples)
    } else {
        without_replacement(engine, weights, categories, num_samples, by_column)
    }
}

fn with_replacement<T: Real>(
    engine: &mut Engine,
    weights: &[T],
    categories: usize,
    num_samples: usize,
) -> Result<Vec<i64>, RandomError> {
    let mut indices = Vec::new();
    for row in weights.chunks(categories) {
        let cumulative = cumulative(row)?;
        for _ in 0..num_samples {
            let u = engine.uniform_f64();
            indices.push(cumulative.partition_point(|&c| c.into() < u) as i64);
        }
    }
    Ok(indices)
}

/// The running sums of a row divided by the last.
fn cumulative<T: Real>(row: &[T]) -> Result<Vec<T::Sum>, RandomError> {
    let mut sum = T::Sum::from(0.0);
    let mut sums = Vec::with_capacity(row.len());
    for weight in row {
        let weight = weight.widen();
        let value: f64 = weight.into();
        if value.is_nan() || value < 0.0 {
            return Err(RandomError::Multinomial(
                "invalid multinomial distribution (encountering probability entry < 0)",
            ));
        }
        if value.is_infinite() {
            return Err(RandomError::Multinomial(
                "invalid multinomial distribution (encountering probability entry = infinity or NaN)",
            ));
        }
        sum += weight;
        sums.push(sum);
    }
    if sum.into() <= 0.0 {
        return Err(RandomError::Multinomial(ZERO_SUM));
    }
    for value in &mut sums {
        *value = *value / sum;
    }
    if let Some(last) = sums.last_mut() {
        *last = T::Sum::from(1.0);
    }
    Ok(sums)
}

fn without_replacement<T: Real>(
    engine: &mut Engine,
    weights: &[T],
    categories: usize,
    num_samples: usize,
    by_column: bool,
) -> Result<Vec<i64>, RandomError> {
    let value = |weight: &T| -> f64 { weight.widen().into() };
    if weights.iter().map(value).any(|w| !(0.0..f64::INFINITY).contains(&w)) {
        return Err(RandomError::Multinomial("probability tensor contains either `inf`, `nan` or element < 0"));
    }
    let rows = || weights.chunks(categories);
    if rows().any(|row| row.iter().all(|weight| value(weight) == 0.0)) {
        return Err(RandomError::Multinomial(ZERO_SUM));
    }
    let mut drawn = vec![T::from_i64(0); weights.len()];
    fill_exponential(engine, &mut drawn, 1.0)?;
    let row_count = weights.len() / categories;
    let place = |i: usize| if by_column { i % categories * row_count + i / categories } else { i };
    let score = |(i, weight): (usize, &T)| T::narrow(weight.widen() / drawn[place(i)].widen());
    let scores: Vec<T> = weights.iter().enumerate().map(score).collect();
    let mut indices = Vec::new();
    for row in scores.chunks(categories) {
        largest(row, num_samples, &mut indices);
    }
    Ok(indices)
}

/// The indices of the `count` largest, as PyTorch's `argmax` and `topk` choose them: NaN counts as
/// the largest.
fn largest<T: Real>(row: &[T], count: usize, indices: &mut Vec<i64>) {
    let mut scored: Vec<(T, i64)> = row.iter().copied().zip(0..).collect();
    let is_nan = |score: &T| score.partial_cmp(score).is_none();
    let above = |a: &T, b: &T| a > b || (is_nan(a) && !is_nan(b));
    if count == 1 {
        let first = scored.iter().copied().reduce(|best, next| if above(&next.0, &best.0) { next } else { best });
        indices.extend(first.map(|(_, index)| index));
        return;
    }
    select(&mut scored, count, |a, b| above(&a.0, &b.0));
    indices.extend(scored[..count].iter().map(|&(_, index)| index));
}
