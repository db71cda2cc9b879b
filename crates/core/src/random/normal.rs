//! Normal numbers: PyTorch's scalar path and its path in blocks of 16.

use super::cephes;
use super::engine::{Engine, unit_f32, unit_f64};
use super::error::{Number, RandomError};
use super::real::Real;
use super::uniform::scale_f64;

/// Elements transformed together, and the fewest that take the block path.
const BLOCK: usize = 16;

/// Fills `out` with normal numbers: PyTorch's `normal_(mean, std)`, and `randn` for 0, 1.
///
/// `contiguous` says whether the tensor these elements belong to is laid out without gaps. 16 or
/// more contiguous elements are made in blocks, from other draws than fewer or strided ones,
/// which come one by one from float64 pairs.
///
/// # Errors
/// `std` negative or NaN.
///
/// ```
/// # use firebrick_core::random::{self, Engine};
/// let mut out = [0.0f32; 2];
/// random::fill_normal(&mut Engine::new(0), &mut out, 0.0, 1.0, true)?;
/// assert_eq!(out, [1.540_996_1, -0.293_428_9]);
/// # Ok::<_, firebrick_core::random::RandomError>(())
/// ```
pub fn fill_normal<T: Real>(
    engine: &mut Engine,
    out: &mut [T],
    mean: f64,
    std: f64,
    contiguous: bool,
) -> Result<(), RandomError> {
    if std.is_nan() || std < 0.0 {
        return Err(RandomError::NormalStd(Number(std)));
    }
    if contiguous && out.len() >= BLOCK {
        T::normal_blocks(engine, out, mean, std);
    } else {
        for value in out {
            *value = T::from_f64(engine.standard_normal().mul_add(std, mean));
        }
    }
    Ok(())
}

pub(super) fn blocks_f32(engine: &mut Engine, out: &mut [f32], mean: f32, std: f32) {
    engine.map32(out, unit_f32);
    let (whole, rest) = out.split_at_mut(out.len() / BLOCK * BLOCK);
    cephes::box_muller(whole, mean, std);
    if !rest.is_empty() {
        // New draws for the last 16 places; what they held is lost.
        let last = last_block(out);
        engine.map32(last, unit_f32);
        cephes::box_muller(last, mean, std);
    }
}

pub(super) fn blocks_f64(engine: &mut Engine, out: &mut [f64], mean: f64, std: f64) {
    engine.map64(out, unit_f64);
    let (whole, rest) = out.split_at_mut(out.len() / BLOCK * BLOCK);
    whole.chunks_exact_mut(BLOCK).for_each(box_muller_f64);
    scale_f64(whole, std, mean);
    if !rest.is_empty() {
        let last = last_block(out);
        engine.map64(last, unit_f64);
        box_muller_f64(last);
        scale_f64(last, std, mean);
    }
}

/// The two small types: float32 blocks in stream order, rounded. Unlike float32, nothing is drawn
/// for the ragged end before its block.
pub(super) fn blocks_small<T: Real<Sum = f32>>(engine: &mut Engine, out: &mut [T], mean: f32, std: f32) {
    let mut wide = [0.0; 32 * BLOCK];
    let mut fill = |out: &mut [T]| {
        let wide = &mut wide[..out.len()];
        engine.map32(wide, unit_f32);
        cephes::box_muller(wide, mean, std);
        for (out, &value) in out.iter_mut().zip(&*wide) {
            *out = T::narrow(value);
        }
    };
    let (whole, rest) = out.split_at_mut(out.len() / BLOCK * BLOCK);
    whole.chunks_mut(32 * BLOCK).for_each(&mut fill);
    if !rest.is_empty() {
        fill(last_block(out));
    }
}

/// A block of float64 uniforms as standard normal numbers, by the C library's functions.
fn box_muller_f64(block: &mut [f64]) {
    let (first, second) = block.split_at_mut(BLOCK / 2);
    for (a, b) in first.iter_mut().zip(second) {
        let radius = (-2.0 * (1.0 - *a).ln()).sqrt();
        let theta = 2.0 * std::f64::consts::PI * *b;
        *a = radius * theta.cos();
        *b = radius * theta.sin();
    }
}

fn last_block<T>(out: &mut [T]) -> &mut [T] {
    let start = out.len() - BLOCK;
    &mut out[start..]
}
