//! Derivatives of the activation functions, for fused backward kernels. Each takes the input unless it says `out`.
//!
//! At kinks they are PyTorch 2.15's choice, and so are the values at NaN and infinity. (Its vectorized and scalar loops
//! disagree on NaN for `elu` and `hardswish`, where these follow the first.)

use super::Real;
use super::activation::{GELU_CUBE, GELU_SCALE, gelu_tanh_exp, mish_ratio};

/// 1 where `inside`, else 0.
#[inline(always)]
fn indicator<R: Real>(inside: bool) -> R {
    if inside { R::ONE } else { R::ZERO }
}

/// Of `hardtanh`; 0 at its ends and at NaN. With 0 and 6, of `relu6`.
#[inline(always)]
pub fn hardtanh_grad<R: Real>(x: R, low: R, high: R) -> R {
    indicator(x > low && x < high)
}

/// Of `elu` and with its parameters of `celu` and `selu`; the lower side at zero.
#[inline(always)]
pub fn elu_grad<R: Real>(x: R, alpha: R, scale: R, input_scale: R) -> R {
    let below = input_scale * (alpha * scale) * (x * input_scale).exp();
    if x <= R::ZERO { below } else { x_or(x, scale) }
}

/// `value`, or NaN where `x` is.
#[inline(always)]
fn x_or<R: Real>(x: R, value: R) -> R {
    if x.is_nan() { x } else { value }
}

/// Of `gelu`: `P(Z < x) + x p(x)` with the normal density `p`; NaN at infinity.
#[inline(always)]
pub fn gelu_grad<R: Real>(x: R) -> R {
    const FRAC_1_SQRT_2PI: f64 = 0.398_942_280_401_432_7;
    let density = (R::from_f64(-0.5) * x * x).exp_normal() * R::from_f64(FRAC_1_SQRT_2PI);
    x.mul_add(density, x.ndtr_near())
}

/// Of `gelu_tanh`: `s + x s (1 - s) v'` with `s = sigmoid(v)`; NaN at infinity.
#[inline(always)]
pub fn gelu_tanh_grad<R: Real>(x: R) -> R {
    let a = x.abs();
    let e = gelu_tanh_exp(a);
    let p = R::ONE / (R::ONE + e);
    let s = if x < R::ZERO { e * p } else { p };
    // Beyond 15 the factor is zero, whatever the slope, and the slope must not overflow.
    let limit = R::from_f64(15.0);
    let a = if a > limit { limit } else { a };
    let slope = (a * a).mul_add(R::from_f64(3.0 * GELU_CUBE * GELU_SCALE), R::from_f64(GELU_SCALE));
    (x * (e * p * p)).mul_add(slope, s)
}

/// Of `silu`: `s (1 + x (1 - s))` with `s = sigmoid(x)`; NaN at infinity.
#[inline(always)]
pub fn silu_grad<R: Real>(x: R) -> R {
    let s = super::special::sigmoid(x);
    s * (x * (R::ONE - s) + R::ONE)
}

/// Of `mish`: `t + x sigmoid(x) (1 - t^2)` with `t = n / (n + 2)`; NaN at infinity.
#[inline(always)]
pub fn mish_grad<R: Real>(x: R) -> R {
    let two = R::from_f64(2.0);
    let (e, n) = mish_ratio(x);
    let inverse = R::ONE / (n + two);
    let t = n * inverse;
    // 1 - t^2 = 4 (n + 1) / (n + 2)^2, and n + 1 = (e + 1)^2 cancels the sigmoid's denominator.
    let slope = R::from_f64(4.0) * e * (e + R::ONE) * inverse * inverse;
    let slope = if x > R::from_f64(20.0) { R::ZERO } else { slope };
    x * slope + t
}

/// Of `softplus`: `sigmoid(beta x)`, and 1 above the threshold.
#[inline(always)]
pub fn softplus_grad<R: Real>(x: R, beta: R, threshold: R) -> R {
    let scaled = x * beta;
    let e = (-scaled.abs()).exp();
    let y = (if scaled < R::ZERO { e } else { R::ONE }) / (R::ONE + e);
    if scaled > threshold { R::ONE } else { y }
}

/// Of `logsigmoid`: `sigmoid(-x)`.
#[inline(always)]
pub fn logsigmoid_grad<R: Real>(x: R) -> R {
    let e = (-x.abs()).exp_normal();
    (if x < R::ZERO { R::ONE } else { e }) / (R::ONE + e)
}

/// Of `hardsigmoid`; 0 at -3, 3 and NaN. In `f64` too PyTorch's sixth is that of an `f32`.
#[inline(always)]
pub fn hardsigmoid_grad<R: Real>(x: R) -> R {
    let three = R::from_f64(3.0);
    hardtanh_grad(x, -three, three) * R::from_f64((1.0f32 / 6.0) as f64)
}

/// Of `hardswish`: `x / 3 + 1 / 2` between -3 and 3; 0 at -3 and 1 at 3.
#[inline(always)]
pub fn hardswish_grad<R: Real>(x: R) -> R {
    let three = R::from_f64(3.0);
    let middle = x / three + R::from_f64(0.5);
    let y = if x <= -three { R::ZERO } else { middle };
    if x >= three { R::ONE } else { y }
}
