//! Hyperbolic functions and their inverses for `f32`, computed in `f64` and rounded once; `tanh` is in
//! [`exp_log`](super::exp_log), beside the exponential it shares.
//!
//! Each is within 0.51 ulp of the correctly rounded value over the whole range.

use super::poly::MulAdd;
use super::wide;

/// `exp(|x|)`, past the range of `f32` but within that of `f64`.
#[inline(always)]
fn exp_abs<const FMA: bool>(x: f64) -> f64 {
    let a = x.abs();
    wide::exp::<FMA>(if a > 100.0 { 100.0 } else { a })
}

/// The hyperbolic sine.
#[inline(always)]
pub fn sinh<const FMA: bool>(x: f32) -> f32 {
    let x = x as f64;
    let z = x * x;
    // Below 1 the difference of exponentials cancels.
    let small = z.poly::<FMA, _>([
        2.552_982_517_604_440_8e-8,
        2.755_206_390_545_17e-6,
        0.000_198_412_960_470_977_3,
        0.008_333_333_276_334_52,
        0.166_666_666_670_691_83,
        1.0,
    ]);
    let e = exp_abs::<FMA>(x);
    let large = (0.5 * e - 0.5 / e).copysign(x);
    (if x.abs() < 1.0 { x * small } else { large }) as f32
}

/// The hyperbolic cosine.
#[inline(always)]
pub fn cosh<const FMA: bool>(x: f32) -> f32 {
    let e = exp_abs::<FMA>(x as f64);
    (0.5 * e + 0.5 / e) as f32
}

/// The inverse hyperbolic sine, `log(|x| + sqrt(x^2 + 1))` with the sign of `x`.
#[inline(always)]
pub fn asinh<const FMA: bool>(x: f32) -> f32 {
    let x = x as f64;
    let a = x.abs();
    let z = a * a;
    let u = a + z / (1.0 + (z + 1.0).sqrt());
    let u = if a == f64::INFINITY { a } else { u };
    wide::log1p::<FMA>(u).copysign(x) as f32
}

/// The inverse hyperbolic cosine, `log(x + sqrt(x^2 - 1))`; NaN below 1.
#[inline(always)]
pub fn acosh<const FMA: bool>(x: f32) -> f32 {
    let t = x as f64 - 1.0;
    let y = wide::log1p::<FMA>(t + (t * (t + 2.0)).sqrt()) as f32;
    if t >= 0.0 { y } else { f32::NAN }
}

/// The inverse hyperbolic tangent, `log((1 + x) / (1 - x)) / 2`; infinite at 1 and -1, NaN beyond.
#[inline(always)]
pub fn atanh<const FMA: bool>(x: f32) -> f32 {
    let x = x as f64;
    let a = x.abs();
    (0.5 * wide::log1p::<FMA>(2.0 * a / (1.0 - a))).copysign(x) as f32
}

/// The inverse hyperbolic cosine in `f64`; NaN below 1.
#[inline]
pub fn acosh_f64(x: f64) -> f64 {
    if x < 1.0 { f64::NAN } else { libm::acosh(x) }
}
