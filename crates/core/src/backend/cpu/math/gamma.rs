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

/// The modified Bessel function of the first kind and order one, the derivative of [`i0`]; NaN at infinity.
///
/// The power series, Abramowitz and Stegun 9.6.10, up to 20; the asymptotic series 9.7.1 beyond.
#[inline]
pub fn i1(x: f64) -> f64 {
    let a = x.abs();
    if a == f64::INFINITY || a.is_nan() {
        return f64::NAN;
    }
    let (mut term, mut sum, mut k) = (1.0f64, 1.0f64, 1.0);
    if a <= 20.0 {
        let quarter = 0.25 * a * a;
        while term > sum * 1e-17 {
            term *= quarter / (k * (k + 1.0));
            sum += term;
            k += 1.0;
        }
        return 0.5 * x * sum;
    }
    while term.abs() > sum * 1e-17 && k < 40.0 {
        let odd = 2.0 * k - 1.0;
        term *= (odd * odd - 4.0) / (8.0 * a * k);
        sum += term;
        k += 1.0;
    }
    let half = (0.5 * a).exp();
    (half * (sum / (2.0 * PI * a).sqrt()) * half).copysign(x)
}

/// The derivative of `digamma` of order `n`: `(-1)^(n + 1) n! zeta(n + 1, x)`, and `digamma` itself for 0.
#[inline]
pub fn polygamma(n: u32, x: f64) -> f64 {
    if n == 0 {
        return digamma(x);
    }
    let sign = if n % 2 == 1 { 1.0 } else { -1.0 };
    let factorial: f64 = (1..=n).map(f64::from).product();
    sign * factorial * hurwitz_zeta(n + 1, x)
}

/// The sum of `(k + x)^-s` over all `k` from 0, for a whole `s` above 1; infinite at zero and the negative integers.
fn hurwitz_zeta(s: u32, x: f64) -> f64 {
    if x > 0.0 {
        return hurwitz_zeta_positive(s, x);
    }
    if x == f64::NEG_INFINITY || x.is_nan() {
        return f64::NAN;
    }
    if x == x.floor() {
        return f64::INFINITY;
    }
    // The terms below zero, from the one next to it up to -x, are a difference of two such sums.
    let next = -x - (-x).floor();
    let below = hurwitz_zeta_positive(s, next) - hurwitz_zeta_positive(s, 1.0 - x);
    let sign = if s.is_multiple_of(2) { 1.0 } else { -1.0 };
    sign * below + hurwitz_zeta_positive(s, 1.0 - next)
}

/// Terms up to `k + x = 10`, then Euler and Maclaurin's formula, Abramowitz and Stegun 23.1.30.
fn hurwitz_zeta_positive(s: u32, x: f64) -> f64 {
    /// `B_2k / (2k)!`.
    const BERNOULLI: [f64; 8] = [
        1.0 / 12.0,
        -1.0 / 720.0,
        1.0 / 30_240.0,
        -1.0 / 1_209_600.0,
        1.0 / 47_900_160.0,
        -691.0 / 1_307_674_368_000.0,
        1.0 / 74_724_249_600.0,
        -3617.0 / 10_670_622_842_880_000.0,
    ];
    if x == f64::INFINITY {
        return 0.0;
    }
    let power = s as i32;
    let (mut a, mut sum) = (x, 0.0);
    while a < 10.0 {
        sum += a.powi(-power);
        a += 1.0;
    }
    let s = f64::from(s);
    let last = a.powi(-power);
    sum += last * a / (s - 1.0) + 0.5 * last;
    // s (s + 1) ... (s + 2k - 2) / a^(s + 2k - 1).
    let mut factor = s * last / a;
    for (k, b) in BERNOULLI.iter().enumerate() {
        sum += factor * b;
        let at = s + 2.0 * k as f64;
        factor *= (at + 1.0) * (at + 2.0) / (a * a);
    }
    sum
}

#[cfg(test)]
mod tests {
    use super::*;

    fn close(ours: f64, theirs: f64) {
        assert!((ours - theirs).abs() <= 1e-12 * theirs.abs(), "{ours} and {theirs}");
    }

    /// Closed forms, and values of PyTorch 2.15.
    #[test]
    fn polygamma_and_i1_have_their_tabled_values() {
        close(polygamma(1, 1.0), PI * PI / 6.0);
        close(polygamma(1, 0.5), PI * PI / 2.0);
        close(polygamma(2, 1.0), -2.404_113_806_319_188_6);
        close(polygamma(3, 1.0), PI.powi(4) / 15.0);
        close(polygamma(1, -1.5), PI * PI / 2.0 + 4.0 + 4.0 / 9.0);
        close(polygamma(2, -2.5), -0.108_204_051_641_728_2);
        close(polygamma(1, 30.0), 0.033_895_060_357_740_27);
        close(i1(1.0), 0.565_159_103_992_485);
        close(i1(-2.5), -2.516_716_245_288_698);
        close(i1(30.0), 768_532_038_938.956_9);
    }
}
