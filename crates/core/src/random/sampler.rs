//! The orders in which data loaders visit a dataset.

use super::engine::Engine;
use super::error::RandomError;
use super::integers::fill_randint;
use super::multinomial::multinomial;
use super::permutation::randperm;

/// Indices drawn at a time with replacement.
const BLOCK: usize = 32;

/// One pass of PyTorch's `RandomSampler` over `0..n`.
///
/// Without replacement: whole permutations, then the beginning of one more. That one is drawn even
/// when nothing of it is needed, as by an iterator read to its end in PyTorch. With replacement:
/// `randint(n)` in blocks of 32, then the rest.
///
/// # Errors
/// `num_samples` = 0; `n` = 0.
///
/// ```
/// # use firebrick_core::random::{self, Engine};
/// assert_eq!(random::random_sampler_order(&mut Engine::new(0), 3, 5, false)?, [2, 0, 1, 2, 1]);
/// # Ok::<_, firebrick_core::random::RandomError>(())
/// ```
pub fn random_sampler_order(
    engine: &mut Engine,
    n: usize,
    num_samples: usize,
    replacement: bool,
) -> Result<Vec<i64>, RandomError> {
    if num_samples == 0 || n == 0 {
        return Err(RandomError::NumSamples(num_samples.min(n)));
    }
    let mut order = vec![0; num_samples];
    if replacement {
        for block in order.chunks_mut(BLOCK) {
            fill_randint(engine, block, 0, n as i64)?;
        }
    } else {
        let mut whole = order.chunks_exact_mut(n);
        for part in &mut whole {
            part.copy_from_slice(&randperm(engine, n)?);
        }
        let rest = whole.into_remainder();
        rest.copy_from_slice(&randperm(engine, n)?[..rest.len()]);
    }
    Ok(order)
}

/// One pass of PyTorch's `WeightedRandomSampler`: `multinomial` of float64 weights.
///
/// # Errors
/// `num_samples` = 0, and those of [`multinomial`].
///
/// ```
/// # use firebrick_core::random::{self, Engine};
/// assert_eq!(random::weighted_sampler_order(&mut Engine::new(1), &[1.0, 0.0, 3.0], 5, true)?, [0, 0, 0, 0, 2]);
/// # Ok::<_, firebrick_core::random::RandomError>(())
/// ```
pub fn weighted_sampler_order(
    engine: &mut Engine,
    weights: &[f64],
    num_samples: usize,
    replacement: bool,
) -> Result<Vec<i64>, RandomError> {
    if num_samples == 0 {
        return Err(RandomError::NumSamples(0));
    }
    multinomial(engine, weights, weights.len(), num_samples, replacement)
}

/// The seed that a data loader takes for each iterator, and a random sampler without a generator
/// of its own for each pass: one 64-bit draw without its top bit.
///
/// ```
/// # use firebrick_core::random::{self, Engine};
/// assert_eq!(random::loader_seed(&mut Engine::new(0)), 900_450_186_894_289_455);
/// ```
pub fn loader_seed(engine: &mut Engine) -> u64 {
    engine.random64() & (u64::MAX >> 1)
}
