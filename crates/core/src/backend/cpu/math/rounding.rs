//! Signs, fractions and other functions of one number that are exact or one operation.

use super::Real;

/// -1, 0 or 1 by the sign of `x`; 0 for both zeros and NaN. PyTorch's `sgn` is the same on real numbers.
#[inline(always)]
pub fn sign<R: Real>(x: R) -> R {
    let positive = if x > R::ZERO { R::ONE } else { R::ZERO };
    if x < R::ZERO { -R::ONE } else { positive }
}

/// `x - trunc(x)`: the sign of `x` where it is not zero; NaN at infinity.
#[inline(always)]
pub fn frac<R: Real>(x: R) -> R {
    x - x.trunc()
}

/// `x` rounded to `decimals` digits after the point, halves to even; before it, if negative.
///
/// As in PyTorch the scaling rounds, so `2.675` to two digits is what `267.5` rounds to.
#[inline(always)]
pub fn round_decimals<R: Real>(x: R, decimals: i32) -> R {
    let power = R::from_f64(power_of_ten(decimals.unsigned_abs()));
    if decimals >= 0 { (x * power).round() / power } else { (x / power).round() * power }
}

/// Out of line: the compiler would compute it ahead of every kernel's choice of formula.
#[inline(never)]
fn power_of_ten(exponent: u32) -> f64 {
    10f64.powi(exponent.min(400) as i32)
}

/// `x * x`.
#[inline(always)]
pub fn square<R: Real>(x: R) -> R {
    x * x
}

/// `x * x * x`, which is how PyTorch raises to the number 3.
#[inline(always)]
pub fn cube<R: Real>(x: R) -> R {
    x * x * x
}

/// `1 / x`.
#[inline(always)]
pub fn reciprocal<R: Real>(x: R) -> R {
    R::ONE / x
}

/// `1 / sqrt(x)`: infinite at zero with its sign, NaN below.
#[inline(always)]
pub fn rsqrt<R: Real>(x: R) -> R {
    R::ONE / x.sqrt()
}

/// Degrees to radians.
#[inline(always)]
pub fn deg2rad<R: Real>(x: R) -> R {
    x * R::from_f64(std::f64::consts::PI / 180.0)
}

/// Radians to degrees.
#[inline(always)]
pub fn rad2deg<R: Real>(x: R) -> R {
    x * R::from_f64(180.0 / std::f64::consts::PI)
}

/// Replaces NaN and the infinities; PyTorch's defaults are zero and the ends of the finite range.
#[inline(always)]
pub fn nan_to_num<R: Real>(x: R, nan: R, positive: R, negative: R) -> R {
    let y = if x == R::INFINITY { positive } else { x };
    let y = if x == -R::INFINITY { negative } else { y };
    if x.is_nan() { nan } else { y }
}

/// The argument of `x` as a complex number: pi below zero, 0 above, NaN at NaN.
#[inline(always)]
pub fn angle<R: Real>(x: R) -> R {
    let y = if x < R::ZERO { R::from_f64(std::f64::consts::PI) } else { R::ZERO };
    if x.is_nan() { x } else { y }
}
