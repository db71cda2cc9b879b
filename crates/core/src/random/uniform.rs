//! Uniform numbers of `[from, to)`.

use super::engine::{Engine, unit_f32, unit_f64};
use super::error::{Number, RandomError};
use super::fused::fused_kernel;
use super::real::Real;

/// Fills `out` with uniforms of `[from, to)`: PyTorch's `uniform_(from, to)`, and `rand` for 0, 1.
///
/// `x * (to - from) + from` with one rounding, in float32 for the two small types; a value that
/// rounding brings up to `to` becomes `from`.
///
/// # Errors
/// `from > to`; a bound, or the distance between them, that `T` cannot hold.
///
/// ```
/// # use firebrick_core::random::{self, Engine};
/// let mut out = [0.0f32; 2];
/// random::fill_uniform(&mut Engine::new(0), &mut out, -1.0, 1.0)?;
/// assert_eq!(out, [-0.007_486_82, 0.536_443_6]);
/// # Ok::<_, firebrick_core::random::RandomError>(())
/// ```
pub fn fill_uniform<T: Real>(engine: &mut Engine, out: &mut [T], from: f64, to: f64) -> Result<(), RandomError> {
    let (least, greatest) = T::BOUNDS;
    for (argument, value) in [("from", from), ("to", to)] {
        if !(least..=greatest).contains(&value) {
            return Err(RandomError::OutOfBounds { argument, dtype: T::C_NAME });
        }
    }
    if from > to {
        return Err(RandomError::UniformOrder { from: Number(from), to: Number(to) });
    }
    if to - from > greatest {
        return Err(RandomError::UniformSpan { dtype: T::NAME, from: Number(from), to: Number(to) });
    }
    T::uniform(engine, out, from, to);
    Ok(())
}

pub(super) fn fill_f64(engine: &mut Engine, out: &mut [f64], from: f64, to: f64) {
    engine.map64(out, unit_f64);
    if (from, to) != (0.0, 1.0) {
        scale_f64(out, to - from, from);
        wrap_upper_end(out, from, to);
    }
}

pub(super) fn fill_f32(engine: &mut Engine, out: &mut [f32], from: f32, to: f32) {
    engine.map32(out, unit_f32);
    if (from, to) != (0.0, 1.0) {
        scale_f32(out, to - from, from);
        wrap_upper_end(out, from, to);
    }
}

/// The small types: computed in float32, rounded, and only then compared with the upper end.
pub(super) fn fill_small<T: Real<Sum = f32>>(engine: &mut Engine, out: &mut [T], from: f32, to: f32) {
    let mut wide = [0.0; 512];
    for part in out.chunks_mut(wide.len()) {
        let wide = &mut wide[..part.len()];
        engine.map32(wide, unit_f32);
        scale_f32(wide, to - from, from);
        for (out, &value) in part.iter_mut().zip(&*wide) {
            *out = T::narrow(value);
        }
    }
    wrap_upper_end(out, T::narrow(from), T::narrow(to));
}

fn wrap_upper_end<T: Copy + PartialEq>(out: &mut [T], from: T, to: T) {
    for value in out {
        *value = if *value == to { from } else { *value };
    }
}

fused_kernel! {
    /// `x * factor + offset`, rounded once.
    pub(super) fn scale_f32(values: &mut [f32], factor: f32, offset: f32) {
        for value in values {
            *value = value.mul_add(factor, offset);
        }
    }
}

fused_kernel! {
    /// `x * factor + offset`, rounded once.
    pub(super) fn scale_f64(values: &mut [f64], factor: f64, offset: f64) {
        for value in values {
            *value = value.mul_add(factor, offset);
        }
    }
}
