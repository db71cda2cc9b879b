//! Activation functions, under the names and with the defaults of `torch.nn.functional`.

use super::Real;

/// The scale of SELU below zero, as the `alpha` of [`elu`]: Klambauer et al., *Self-Normalizing Neural Networks*, NIPS 2017.
pub const SELU_ALPHA: f64 = 1.673_263_242_354_377_2;
/// The scale of SELU, as that of [`elu`].
pub const SELU_SCALE: f64 = 1.050_700_987_355_480_5;

/// `max(x, 0)`; keeps `-0` and NaN.
#[inline(always)]
pub fn relu<R: Real>(x: R) -> R {
    if x < R::ZERO { R::ZERO } else { x }
}

/// `x` within `low` to `high`, which are numbers; NaN stays NaN.
#[inline(always)]
pub fn hardtanh<R: Real>(x: R, low: R, high: R) -> R {
    let x = if x < low { low } else { x };
    if x > high { high } else { x }
}

/// `min(max(x, 0), 6)`.
#[inline(always)]
pub fn relu6<R: Real>(x: R) -> R {
    hardtanh(x, R::ZERO, R::from_f64(6.0))
}

/// `x`, times `negative_slope` below zero.
#[inline(always)]
pub fn leaky_relu<R: Real>(x: R, negative_slope: R) -> R {
    if x > R::ZERO { x } else { x * negative_slope }
}

/// `x` above `threshold`, else `value`.
#[inline(always)]
pub fn threshold<R: Real>(x: R, threshold: R, value: R) -> R {
    if x <= threshold { value } else { x }
}

/// `scale x` above zero and `scale alpha (e^(input_scale x) - 1)` below: ELU with `(alpha, 1, 1)`, CELU with
/// `(alpha, 1, 1 / alpha)`, SELU with its two constants.
#[inline(always)]
pub fn elu<R: Real>(x: R, alpha: R, scale: R, input_scale: R) -> R {
    let below = (x * input_scale).expm1() * (alpha * scale);
    if x < R::ZERO { below } else { x * scale }
}

/// `x P(Z < x)` for a standard normal `Z`. In single precision the error is at most `2.3e-7 |x|` (`3e-7 |x|` without FMA; PyTorch's
/// is `3.6e-7 |x|`), and 4.5 ulp from -1 up.
///
/// Hendrycks and Gimpel, *Gaussian Error Linear Units* (2016). Infinity stays infinite, as in PyTorch's scalar code; NaN at
/// negative infinity, as in both.
#[inline(always)]
pub fn gelu<R: Real>(x: R) -> R {
    x * x.ndtr_near()
}

/// `x / (1 + e^-v)` with `v = 2 sqrt(2 / pi) (x + 0.044715 x^3)`: [`gelu`] with `approximate="tanh"`. In single precision the
/// error is at most `1.5e-7 |x|`, and 4 ulp from -1 up.
#[inline(always)]
pub fn gelu_tanh<R: Real>(x: R) -> R {
    x / (R::ONE + gelu_tanh_exp(x))
}

/// `e^-v` with the `v` of [`gelu_tanh`].
#[inline(always)]
pub(super) fn gelu_tanh_exp<R: Real>(x: R) -> R {
    let slope = (x * x).mul_add(R::from_f64(-GELU_SCALE * GELU_CUBE), R::from_f64(-GELU_SCALE));
    (x * slope).exp_normal()
}

/// `2 sqrt(2 / pi)`.
pub(super) const GELU_SCALE: f64 = std::f64::consts::SQRT_2 * std::f64::consts::FRAC_2_SQRT_PI;
/// The factor of the cube in [`gelu_tanh`].
pub(super) const GELU_CUBE: f64 = 0.044_715;

/// `x sigmoid(x)`. At most 2.5 ulp down to -88; `-0` below -88.37 and NaN at negative infinity, as in PyTorch.
#[inline(always)]
pub fn silu<R: Real>(x: R) -> R {
    x / (R::ONE + (-x).exp_normal())
}

/// `x tanh(softplus(x))`. At most 3.6 ulp down to -87; NaN at negative infinity, as in PyTorch.
///
/// Misra, *Mish* (2019). With `n = e^x (e^x + 2)` the hyperbolic tangent is `n / (n + 2)`.
#[inline(always)]
pub fn mish<R: Real>(x: R) -> R {
    let n = mish_ratio(x).1;
    x * (n / (n + R::from_f64(2.0)))
}

/// `e^x` and `e^x (e^x + 2)`, with `x` kept below where their ratio to the next larger number is 1.
#[inline(always)]
pub(super) fn mish_ratio<R: Real>(x: R) -> (R, R) {
    let limit = R::from_f64(20.0);
    let e = (if x > limit { limit } else { x }).exp_normal();
    (e, e.mul_add(e, e + e))
}

/// `log(1 + e^(beta x)) / beta`, and `x` where `beta x` is above `threshold`. At most 1.7 ulp with the defaults 1 and 20.
#[inline(always)]
pub fn softplus<R: Real>(x: R, beta: R, threshold: R) -> R {
    let scaled = x * beta;
    let y = scaled.exp().log1p() / beta;
    if scaled > threshold { x } else { y }
}

/// `min(max(x + 3, 0), 6) / 6`.
#[inline(always)]
pub fn hardsigmoid<R: Real>(x: R) -> R {
    relu6(x + R::from_f64(3.0)) / R::from_f64(6.0)
}

/// `x min(max(x + 3, 0), 6) / 6`; NaN at negative infinity.
#[inline(always)]
pub fn hardswish<R: Real>(x: R) -> R {
    x * relu6(x + R::from_f64(3.0)) / R::from_f64(6.0)
}

/// `x`, but 0 from `-lambda` to `lambda`.
#[inline(always)]
pub fn hardshrink<R: Real>(x: R, lambda: R) -> R {
    if x >= -lambda && x <= lambda { R::ZERO } else { x }
}

/// `x` moved towards zero by `lambda`, and 0 from `-lambda` to `lambda`.
#[inline(always)]
pub fn softshrink<R: Real>(x: R, lambda: R) -> R {
    let y = if x >= -lambda && x <= lambda { R::ZERO } else { x + lambda };
    if x > lambda { x - lambda } else { y }
}
