//! Random integers, in any element type: `random_` and `randint`.

use super::engine::Engine;
use super::error::RandomError;
use super::sample::Sample;

/// Ranges from here on take a 64-bit draw an element, in every element type.
const WIDE_RANGE: u64 = 1 << 28;
const FULL_RANGE_KERNEL: &str = "random_full_64_bits_range_kernel_cpu";

/// Fills `out` with integers of the type's whole non-negative range (for a floating type, those it
/// counts one by one): PyTorch's `random_()`.
///
/// ```
/// # use firebrick_core::random::{self, Engine};
/// let mut out = [0_u8; 4];
/// random::fill_random(&mut Engine::new(0), &mut out);
/// assert_eq!(out, [172, 47, 117, 192]);
/// ```
pub fn fill_random<T: Sample>(engine: &mut Engine, out: &mut [T]) {
    T::random(engine, out);
}

/// Fills `out` with integers of `[from, to)`: PyTorch's `randint(from, to)` and
/// `random_(from, to)`.
///
/// # Errors
/// An empty range, or bounds `T` cannot hold.
///
/// ```
/// # use firebrick_core::random::{self, Engine};
/// let mut out = [0_i64; 5];
/// random::fill_randint(&mut Engine::new(0), &mut out, -3, 3)?;
/// assert_eq!(out, [-1, 0, 2, -3, -2]);
/// # Ok::<_, firebrick_core::random::RandomError>(())
/// ```
pub fn fill_randint<T: Sample>(engine: &mut Engine, out: &mut [T], from: i64, to: i64) -> Result<(), RandomError> {
    if from >= to {
        return Err(RandomError::EmptyRange { from, to });
    }
    let (from, to) = (least_from::<T>(from), greatest_to::<T>(to));
    if from >= to {
        return Err(RandomError::EmptyRoundedRange { from, to });
    }
    check_bound::<T>("from", from)?;
    check_bound::<T>("to - 1", to - 1)?;
    fill_range(engine, out, from, to.wrapping_sub(from) as u64);
    Ok(())
}

/// Fills `out` with integers from `from` up to the last one `T` counts: PyTorch's
/// `random_(from, None)`. The least `i64` asks for all 64 bits.
///
/// # Errors
/// `from` that `T` cannot hold or that lies above its last integer.
///
/// ```
/// # use firebrick_core::random::{self, Engine};
/// let mut out = [0_u8; 3];
/// random::fill_random_from(&mut Engine::new(0), &mut out, 200)?;
/// assert_eq!(out, [204, 231, 221]);
/// # Ok::<_, firebrick_core::random::RandomError>(())
/// ```
pub fn fill_random_from<T: Sample>(engine: &mut Engine, out: &mut [T], from: i64) -> Result<(), RandomError> {
    if from == i64::MIN {
        return fill_all_bits(engine, out);
    }
    let from = least_from::<T>(from);
    let to_inc = T::LAST_INTEGER;
    if T::DIGITS > 0 && from >= to_inc {
        return Err(RandomError::AboveIntegers { from, to_inc });
    }
    check_bound::<T>("from", from)?;
    let range = (to_inc.wrapping_sub(from) as u64).wrapping_add(1);
    fill_range(engine, out, from, range);
    Ok(())
}

fn fill_all_bits<T: Sample>(engine: &mut Engine, out: &mut [T]) -> Result<(), RandomError> {
    let (least, greatest) = T::BOUNDS;
    let too_small = least > i64::MIN as f64 || greatest < i64::MAX as f64;
    if too_small && !out.is_empty() {
        let integer = T::DIGITS == 0 && T::NAME != bool::NAME;
        return Err(if integer {
            RandomError::FullRange
        } else {
            RandomError::NotImplemented { kernel: FULL_RANGE_KERNEL, dtype: T::NAME }
        });
    }
    engine.map64(out, |draw| T::from_i64(draw as i64));
    Ok(())
}

fn fill_range<T: Sample>(engine: &mut Engine, out: &mut [T], from: i64, range: u64) {
    if range >= WIDE_RANGE {
        engine.map64(out, |draw| T::from_i64(from.wrapping_add((draw % range) as i64)));
    } else {
        let range = range as u32;
        engine.map32(out, |draw| T::from_i64(from + i64::from(draw % range)));
    }
}

fn check_bound<T: Sample>(argument: &'static str, value: i64) -> Result<(), RandomError> {
    let (least, greatest) = T::BOUNDS;
    if (least..=greatest).contains(&(value as f64)) {
        Ok(())
    } else {
        Err(RandomError::OutOfBounds { argument, dtype: T::C_NAME })
    }
}

/// The lower end once the element type has rounded it: moved up where rounding would lead below.
fn least_from<T: Sample>(from: i64) -> i64 {
    if T::DIGITS == 0 {
        return from;
    }
    let next = from.wrapping_add(1);
    let rounded = T::rounded(next);
    if rounded < from { rounded.wrapping_add(spacing::<T>(next)) } else { from }
}

/// The upper end once the element type has rounded it: moved down where rounding would reach it.
fn greatest_to<T: Sample>(to: i64) -> i64 {
    if T::DIGITS == 0 {
        return to;
    }
    let last = to.wrapping_sub(1);
    let rounded = T::rounded(last);
    if rounded >= to { rounded.wrapping_sub(spacing::<T>(last)) } else { to }
}

/// The distance of the numbers of a floating type around an integer beyond its significand.
fn spacing<T: Sample>(value: i64) -> i64 {
    let exponent = value.unsigned_abs().checked_ilog2().unwrap_or(0);
    1 << (exponent + 1).saturating_sub(T::DIGITS)
}
