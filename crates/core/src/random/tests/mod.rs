//! Expected values were printed by PyTorch 2.15 (CPU, x86-64 with AVX2), unless a test computes
//! them from a rule it states.

#![allow(clippy::unwrap_used)] // a failing test should stop at the spot

mod discrete;
mod drawing;
mod generator;
mod real;

use super::{Engine, RandomError};

/// `n` values of `fill` after seeding with `seed`.
fn filled<T: Copy + Default>(
    seed: u64,
    n: usize,
    fill: impl FnOnce(&mut Engine, &mut [T]) -> Result<(), RandomError>,
) -> Vec<T> {
    let mut out = vec![T::default(); n];
    fill(&mut Engine::new(seed), &mut out).unwrap();
    out
}

fn refusal<T>(result: Result<T, RandomError>) -> String {
    result.err().map(|error| error.to_string()).unwrap_or_default()
}
