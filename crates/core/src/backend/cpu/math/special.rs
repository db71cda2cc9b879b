//! Logistic, entropy and other composed functions, in PyTorch's formulas.

use super::Real;

/// `1 / (1 + e^-x)`. At most 2.4 ulp down to -88; zero below -88.37 in single precision, in PyTorch below -88.72.
#[inline(always)]
pub fn sigmoid<R: Real>(x: R) -> R {
    R::ONE / (R::ONE + (-x).exp_normal())
}

/// `log(sigmoid(x))`, as `min(x, 0) - log1p(e^-|x|)`. At most 1.7 ulp.
#[inline(always)]
pub fn logsigmoid<R: Real>(x: R) -> R {
    let low = if x < R::ZERO { x } else { R::ZERO };
    low - (-x.abs()).exp().log1p()
}

/// `log(x / (1 - x))`: infinite at 0 and 1, NaN outside.
#[inline(always)]
pub fn logit<R: Real>(x: R) -> R {
    (x / (R::ONE - x)).log()
}

/// [`logit`] of `x` kept within `eps` to `1 - eps`.
#[inline(always)]
pub fn logit_eps<R: Real>(x: R, eps: R) -> R {
    let high = R::ONE - eps;
    let kept = if x > high { high } else { x };
    logit(if x < eps { eps } else { kept })
}

/// `sin(pi x) / (pi x)`, 1 at zero; NaN at infinity.
///
/// As in PyTorch, `pi x` is rounded before its sine is taken, so integers give what that rounding leaves.
#[inline(always)]
pub fn sinc<R: Real>(x: R) -> R {
    let angle = x * R::from_f64(std::f64::consts::PI);
    let y = angle.sin() / angle;
    if x == R::ZERO { R::ONE } else { y }
}

/// `-x log(x)`, 0 at zero and `-inf` below.
#[inline(always)]
pub fn entr<R: Real>(x: R) -> R {
    let y = -x * x.log();
    let y = if x == R::ZERO { R::ZERO } else { y };
    if x < R::ZERO { -R::INFINITY } else { y }
}

/// `x log(y)`, 0 where `x` is zero unless `y` is NaN.
#[inline(always)]
pub fn xlogy<R: Real>(x: R, y: R) -> R {
    zero_times(x, y, y.log())
}

/// `x log(1 + y)`, 0 where `x` is zero unless `y` is NaN.
#[inline(always)]
pub fn xlog1py<R: Real>(x: R, y: R) -> R {
    zero_times(x, y, y.log1p())
}

/// `x * log`, where zero wins over everything but a NaN `y`.
#[inline(always)]
pub(super) fn zero_times<R: Real>(x: R, y: R, log: R) -> R {
    let product = if x == R::ZERO { R::ZERO } else { x * log };
    if y.is_nan() { R::NAN } else { product }
}

/// `log(e^x + e^y)` without overflow.
#[inline(always)]
pub fn logaddexp<R: Real>(x: R, y: R) -> R {
    let (max, difference) = ordered(x, y);
    max + (-difference).exp().log1p()
}

/// `log2(2^x + 2^y)` without overflow.
#[inline(always)]
pub fn logaddexp2<R: Real>(x: R, y: R) -> R {
    let (max, difference) = ordered(x, y);
    max + (-difference).exp2().log1p() * R::from_f64(std::f64::consts::LOG2_E)
}

/// The larger number, and by how much; infinitely where the two are the same infinity.
#[inline(always)]
fn ordered<R: Real>(x: R, y: R) -> (R, R) {
    let max = if x > y { x } else { y };
    let difference = (x - y).abs();
    let same = x == y && max.abs() == R::INFINITY;
    (max, if same { R::INFINITY } else { difference })
}
