//! Gamma and Bessel functions. One call per element, in `f64`; the `f32` forms round once.

use std::f64::consts::PI;

/// `log |Gamma(x)|`, infinite at zero and the negative integers.
#[inline]
pub fn lgamma(x: f64) -> f64 {
    libm::lgamma(x)
}

/// The derivative of `lgamma`: infinite with the opposite sign at zeros, NaN at negative integers and negative
/// infinity, as in PyTorch.
///
/// Recurrence up to 10, then the asymptotic series, Abramowitz and Stegun 6.3.18; reflection 6.3.7 below zero.
#[inline]
pub fn digamma(x: f64) -> f64 {
    if x == 0.0 {
        return f64::INFINITY.copysign(-x);
    }
    if x < 0.0 {
        if x == x.trunc() {
            return f64::NAN;
        }
        let fraction = x - x.trunc();
        return digamma_positive(1.0 - x) - PI / (PI * fraction).tan();
    }
    digamma_positive(x)
}

/// `digamma` above zero.
fn digamma_positive(x: f64) -> f64 {
    if x == f64::INFINITY {
        return x;
    }
    let (mut x, mut sum) = (x, 0.0);
    while x < 10.0 {
        sum -= 1.0 / x;
        x += 1.0;
    }
    let z = 1.0 / (x * x);
    let bernoulli = [-1.0 / 12.0, 691.0 / 32760.0, -1.0 / 132.0, 1.0 / 240.0, -1.0 / 252.0, 1.0 / 120.0, -1.0 / 12.0];
    let series = bernoulli.iter().fold(0.0, |sum, b| (sum + b) * z);
    sum + x.ln() - 0.5 / x + series
}

/// The modified Bessel function of the first kind and order zero; NaN at infinity, as in PyTorch.
///
/// The power series, Abramowitz and Stegun 9.6.10, up to 20; the asymptotic series 9.7.1 beyond.
#[inline]
pub fn i0(x: f64) -> f64 {
    let a = x.abs();
    if a == f64::INFINITY || a.is_nan() {
        return f64::NAN;
    }
    let (mut term, mut sum, mut k) = (1.0, 1.0, 1.0);
    if a <= 20.0 {
        let quarter = 0.25 * a * a;
        while term > sum * 1e-17 {
            term *= quarter / (k * k);
            sum += term;
            k += 1.0;
        }
        return sum;
    }
    while term > sum * 1e-17 && k < 40.0 {
        let odd = 2.0 * k - 1.0;
        term *= odd * odd / (8.0 * a * k);
        sum += term;
        k += 1.0;
    }
    // In two factors: the exponential alone would overflow too early.
    let half = (0.5 * a).exp();
    half * (sum / (2.0 * PI * a).sqrt()) * half
}
