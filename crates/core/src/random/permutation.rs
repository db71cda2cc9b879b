//! Random permutations: `randperm`.

use super::engine::Engine;
use super::error::RandomError;
use super::sample::Sample;
use crate::storage::check_list;

/// From this length on 64-bit draws are taken: 2^32 - 1 divided by 20.
const LARGE: usize = 214_748_364;
/// Draws taken at a time.
const CHUNK: usize = 512;

/// Fills `out` with a random permutation of `0..out.len()`: PyTorch's `randperm(n)`.
///
/// # Errors
/// A permutation longer than `T` can number; `bool`.
///
/// ```
/// # use firebrick_core::random::{self, Engine};
/// let mut out = [0_i32; 5];
/// random::fill_randperm(&mut Engine::new(0), &mut out)?;
/// assert_eq!(out, [4, 0, 1, 3, 2]);
/// # Ok::<_, firebrick_core::random::RandomError>(())
/// ```
pub fn fill_randperm<T: Sample>(engine: &mut Engine, out: &mut [T]) -> Result<(), RandomError> {
    if T::NAME == bool::NAME {
        return Err(RandomError::NotImplemented { kernel: "randperm", dtype: T::NAME });
    }
    if let Some((longest, refusal)) = T::LONGEST_PERMUTATION
        && out.len() as u64 > longest
    {
        return Err(RandomError::PermutationLength(refusal));
    }
    if out.len() < LARGE {
        shuffle(engine, out)
    } else {
        shuffle_large(engine, out)
    }
    Ok(())
}

/// A random permutation of `0..n` as indices: PyTorch's `randperm(n).tolist()`.
///
/// # Errors
/// More indices than there is memory for.
///
/// ```
/// # use firebrick_core::random::{self, Engine};
/// assert_eq!(random::randperm(&mut Engine::new(0), 5)?, [4, 0, 1, 3, 2]);
/// # Ok::<_, firebrick_core::random::RandomError>(())
/// ```
pub fn randperm(engine: &mut Engine, n: usize) -> Result<Vec<i64>, RandomError> {
    check_list(n, size_of::<i64>()).map_err(|_| RandomError::Room(n))?;
    let mut out = vec![0; n];
    if n < LARGE {
        shuffle(engine, &mut out)
    } else {
        shuffle_large(engine, &mut out)
    }
    Ok(out)
}

/// Fisher and Yates's shuffle from the front; the last element takes no draw.
fn shuffle<T: Sample>(engine: &mut Engine, out: &mut [T]) {
    for (i, value) in out.iter_mut().enumerate() {
        *value = T::from_i64(i as i64);
    }
    let n = out.len();
    let mut draws = [0; CHUNK];
    for start in (0..n.saturating_sub(1)).step_by(CHUNK) {
        let draws = &mut draws[..CHUNK.min(n - 1 - start)];
        engine.twister.fill(draws);
        for (i, &draw) in (start..).zip(&*draws) {
            out.swap(i, i + (draw % (n - i) as u32) as usize);
        }
    }
}

/// The inside-out shuffle, with a 64-bit draw for every element.
pub(super) fn shuffle_large<T: Sample>(engine: &mut Engine, out: &mut [T]) {
    for i in 0..out.len() {
        let at = (engine.random64() % (i as u64 + 1)) as usize;
        out[i] = out[at];
        out[at] = T::from_i64(i as i64);
    }
}
