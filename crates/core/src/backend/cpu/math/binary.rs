//! Functions of two numbers.

use super::Real;

/// The larger number, or NaN if either is; the second of two equal ones.
#[inline(always)]
pub fn maximum<R: Real>(x: R, y: R) -> R {
    // A comparison with NaN is false, which lets a NaN y through.
    let max = if x > y { x } else { y };
    if x.is_nan() { x } else { max }
}

/// The smaller number, or NaN if either is; the second of two equal ones.
#[inline(always)]
pub fn minimum<R: Real>(x: R, y: R) -> R {
    let min = if x < y { x } else { y };
    if x.is_nan() { x } else { min }
}

/// The larger number, or the one that is not NaN; the first of two equal ones.
#[inline(always)]
pub fn fmax<R: Real>(x: R, y: R) -> R {
    if x >= y || y.is_nan() { x } else { y }
}

/// The smaller number, or the one that is not NaN; the first of two equal ones.
#[inline(always)]
pub fn fmin<R: Real>(x: R, y: R) -> R {
    if x <= y || y.is_nan() { x } else { y }
}

/// The remainder of `x / y` with the sign of `y`, as Python's `%`.
#[inline(always)]
pub fn remainder<R: Real>(x: R, y: R) -> R {
    let rest = x.fmod(y);
    if wrong_sign(rest, y) { rest + y } else { rest }
}

/// `floor(x / y)` of the exact quotient, as Python's `//`; IEEE division by zero.
///
/// The remainder is subtracted first, so the division is nearly exact and rounds to what `floor` should see.
#[inline(always)]
pub fn floor_divide<R: Real>(x: R, y: R) -> R {
    let rest = x.fmod(y);
    let quotient = (x - rest) / y;
    let quotient = if wrong_sign(rest, y) { quotient - R::ONE } else { quotient };
    let floor = quotient.floor();
    let half = R::from_f64(0.5);
    let floor = if quotient - floor > half { floor + R::ONE } else { floor };
    let zero = R::ZERO.copysign(x / y);
    let floor = if quotient == R::ZERO { zero } else { floor };
    if y == R::ZERO { x / y } else { floor }
}

/// Whether a remainder must move by one divisor to get the divisor's sign.
#[inline(always)]
fn wrong_sign<R: Real>(rest: R, divisor: R) -> bool {
    rest != R::ZERO && (rest < R::ZERO) != (divisor < R::ZERO)
}

/// `trunc(x / y)`.
#[inline(always)]
pub fn trunc_divide<R: Real>(x: R, y: R) -> R {
    (x / y).trunc()
}

/// 0 below zero and at NaN, 1 above, `value` at zero.
#[inline(always)]
pub fn heaviside<R: Real>(x: R, value: R) -> R {
    let step = if x > R::ZERO { R::ONE } else { R::ZERO };
    if x == R::ZERO { value } else { step }
}

/// `x * 2^exponent`, where PyTorch's exponent may be any number and the power rounds by itself.
#[inline(always)]
pub fn ldexp<R: Real>(x: R, exponent: R) -> R {
    x * exponent.exp2()
}

/// `start + weight (end - start)`, from the nearer end, so that `weight = 1` is exactly `end`.
#[inline(always)]
pub fn lerp<R: Real>(start: R, end: R, weight: R) -> R {
    let difference = end - start;
    let near_start = weight.abs() < R::from_f64(0.5);
    if near_start { weight.mul_add(difference, start) } else { (weight - R::ONE).mul_add(difference, end) }
}
