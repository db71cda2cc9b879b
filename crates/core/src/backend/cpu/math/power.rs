//! Powers, lengths and remainders of `f32`, computed in `f64`.

use super::wide;

/// `x^y` by C's rules. At most 0.51 ulp, and exact wherever the result is an `f32`.
///
/// PyTorch computes a power by a number differently for some exponents: 2 as `x * x`, 3 as `x * x * x`, -2 as `1 / (x * x)`,
/// 0.5 as `sqrt(x)`, -0.5 as `rsqrt(x)`, -1 as `1 / x`. These differ at `-0` and `-inf` under 0.5 and are faster: a caller that knows the
/// exponent picks them.
#[inline(always)]
pub fn pow<const FMA: bool>(x: f32, y: f32) -> f32 {
    let (ax, wide_y) = (x.abs() as f64, y as f64);
    let log = wide_y * wide::log::<FMA>(ax);
    let log = if log < -150.0 { -150.0 } else { log };
    let log = if log > 150.0 { 150.0 } else { log };
    let size = wide::exp::<FMA>(log) as f32;
    // 0 * inf above, and anything to the power of zero.
    let size = if y == 0.0 || (ax == 1.0 && !y.is_nan()) { 1.0 } else { size };
    let integer = y.trunc() == y;
    // Above 2^24 every number is even.
    let half = 0.5 * y;
    let odd = integer && half.trunc() != half;
    let y_sign = if odd && x.is_sign_negative() { -size } else { size };
    let undefined = x < 0.0 && x != f32::NEG_INFINITY && !integer;
    let result = if undefined { f32::NAN } else { y_sign };
    if x == 1.0 { 1.0 } else { result }
}

/// `sqrt(x^2 + y^2)` without overflow; infinite if either is, even beside NaN. At most 0.51 ulp.
#[inline(always)]
pub fn hypot(x: f32, y: f32) -> f32 {
    let (wx, wy) = (x as f64, y as f64);
    let length = (wx * wx + wy * wy).sqrt() as f32;
    if x.is_infinite() || y.is_infinite() { f32::INFINITY } else { length }
}

/// The remainder of `x / y` with the sign of `x`, exact.
///
/// PyTorch's vectorized loop returns NaN where the quotient is huge and zero or a subnormal divisor is too small
/// for it; this is C's `fmodf` everywhere.
#[inline(always)]
pub fn fmod(x: f32, y: f32) -> f32 {
    let (ax, ay) = (x.abs() as f64, y.abs() as f64);
    let quotient = ax / ay;
    if quotient < 268_435_456.0 && ay < f64::INFINITY {
        // The quotient has at most 28 bits and the divisor 24, so the product is exact; a quotient rounded up to
        // an integer shows as a negative remainder.
        let rest = ax - quotient.trunc() * ay;
        let rest = if rest < 0.0 { rest + ay } else { rest };
        (rest as f32).copysign(x)
    } else {
        x % y
    }
}
