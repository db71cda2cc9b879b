//! Every elementwise formula, once, as a loop over a tile.

use super::math::{Lane, Real, activation, activation_grad, binary as two, gamma, int, rounding, special, steps};
use super::number::Computed;
use crate::backend::{Binary, Ternary, Unary, UnarySteps};
use std::marker::PhantomData;

/// Elements that are loaded, computed and stored together: they stay in the first-level cache.
pub(crate) const TILE: usize = 256;

/// A kind of number that formulas are computed in.
pub(crate) trait Class {
    /// One number.
    type T: Computed;
    fn unary(kernel: Unary, x: &[Self::T], out: &mut [Self::T]);
    fn binary(kernel: Binary, x: &[Self::T], y: &[Self::T], out: &mut [Self::T]);
    fn ternary(kernel: Ternary, x: &[Self::T], y: &[Self::T], z: &[Self::T], out: &mut [Self::T]);
}

/// Floating point; `R` says of which width and for which processors.
pub(crate) struct Float<R>(PhantomData<R>);
/// Every integer type, and bool as 0 and 1.
pub(crate) struct Integer;

#[inline(always)]
fn each<R: Real>((x, out): (&[R::Value], &mut [R::Value]), f: impl Fn(R) -> R) {
    for (out, &x) in out.iter_mut().zip(x) {
        *out = f(R::new(x)).value();
    }
}

#[inline(always)]
#[allow(clippy::type_complexity, reason = "one tuple, so that a macro can pass it on")]
fn each2<R: Real>((x, y, out): (&[R::Value], &[R::Value], &mut [R::Value]), f: impl Fn(R, R) -> R) {
    for ((out, &x), &y) in out.iter_mut().zip(x).zip(y) {
        *out = f(R::new(x), R::new(y)).value();
    }
}

/// [`each2`] with one formula for whole blocks of 64 bytes and another for what is left.
///
/// PyTorch's formulas of AVX2 and its scalar ones give equal numbers of different sign, 0 and -0, in different order.
#[inline(always)]
#[allow(clippy::type_complexity, reason = "as above")]
fn each2_blocks<R: Real>(
    (x, y, out): (&[R::Value], &[R::Value], &mut [R::Value]),
    whole: impl Fn(R, R) -> R,
    rest: impl Fn(R, R) -> R,
) {
    let length = out.len().min(x.len()).min(y.len());
    let split = length - length % (64 / size_of::<R::Value>());
    each2((&x[..split], &y[..split], &mut out[..split]), whole);
    each2((&x[split..], &y[split..], &mut out[split..]), rest);
}

#[inline(always)]
#[allow(clippy::type_complexity, reason = "as above")]
fn each3<R: Real>((x, y, z, out): (&[R::Value], &[R::Value], &[R::Value], &mut [R::Value]), f: impl Fn(R, R, R) -> R) {
    for (((out, &x), &y), &z) in out.iter_mut().zip(x).zip(y).zip(z) {
        *out = f(R::new(x), R::new(y), R::new(z)).value();
    }
}

#[inline(always)]
fn truth<R: Real>(on: bool) -> R {
    if on { R::ONE } else { R::ZERO }
}

#[inline(always)]
fn is_true<R: Real>(x: R) -> bool {
    x != R::ZERO
}

/// One arm a formula; the match is outside the loop.
macro_rules! formulas {
    ($each:ident, $kernel:expr, $slices:tt, $enum:ident; $($variant:ident $(($($arg:ident),+))? => $f:expr;)*) => {
        match $kernel {
            $($enum::$variant $(($($arg),+))? => $each($slices, $f),)*
        }
    };
}

impl<R: Real> Class for Float<R>
where
    R::Value: Computed,
{
    type T = R::Value;

    #[inline(always)]
    fn unary(kernel: Unary, x: &[Self::T], out: &mut [Self::T]) {
        if let Unary::Steps(formula @ UnarySteps::Rsqrt, small) = kernel {
            // PyTorch's formula of AVX2, for whole blocks of 32, rounds once.
            let split = out.len() - out.len() % 32;
            each((&x[..split], &mut out[..split]), rounding::rsqrt::<R>);
            return each((&x[split..], &mut out[split..]), |x: R| steps::unary(formula, small, x));
        }
        formulas! { each, kernel, (x, out), Unary;
            Neg => |x: R| -x;
            Abs => R::abs;
            Sign => rounding::sign::<R>;
            Square => rounding::square::<R>;
            Cube => rounding::cube::<R>;
            InverseSquare => |x: R| R::ONE / (x * x);
            Sqrt => R::sqrt;
            Rsqrt => rounding::rsqrt::<R>;
            Reciprocal => rounding::reciprocal::<R>;
            Exp => R::exp;
            Exp2 => R::exp2;
            Expm1 => R::expm1;
            Log => R::log;
            Log2 => R::log2;
            Log10 => R::log10;
            Log1p => R::log1p;
            Sin => R::sin;
            Cos => R::cos;
            Tan => R::tan;
            Asin => R::asin;
            Acos => R::acos;
            Atan => R::atan;
            Sinh => R::sinh;
            Cosh => R::cosh;
            Tanh => R::tanh;
            Asinh => R::asinh;
            Acosh => R::acosh;
            Atanh => R::atanh;
            Erf => R::erf;
            Erfc => R::erfc;
            Erfinv => R::erfinv;
            Lgamma => R::lgamma;
            Digamma => R::digamma;
            Polygamma(n) => |x: R| R::from_f64(gamma::polygamma(n, x.to_f64()));
            I0 => R::i0;
            I1 => |x: R| R::from_f64(gamma::i1(x.to_f64()));
            Sinc => special::sinc::<R>;
            Entr => special::entr::<R>;
            LogNdtr => R::log_ndtr;
            Logit => special::logit::<R>;
            LogitEps(eps) => |x: R| special::logit_eps(x, R::from_f64(eps));
            Sigmoid => special::sigmoid::<R>;
            Floor => R::floor;
            Ceil => R::ceil;
            Round => R::round;
            RoundDecimals(decimals) => |x: R| rounding::round_decimals(x, decimals);
            Trunc => R::trunc;
            Frac => rounding::frac::<R>;
            Angle => rounding::angle::<R>;
            Deg2rad => rounding::deg2rad::<R>;
            Rad2deg => rounding::rad2deg::<R>;
            NanToNum(nan, positive, negative) =>
                |x: R| rounding::nan_to_num(x, R::from_f64(nan), R::from_f64(positive), R::from_f64(negative));
            LogicalNot => |x: R| truth(!is_true(x));
            BitwiseNot => |x: R| x;
            IsNan => |x: R| truth(x.is_nan());
            IsInf => |x: R| truth(x.abs() == R::INFINITY);
            IsPosInf => |x: R| truth(x == R::INFINITY);
            IsNegInf => |x: R| truth(x == -R::INFINITY);
            IsFinite => |x: R| truth(x.abs() <= R::MAX);
            Signbit => |x: R| truth(x.signbit());
            Relu => activation::relu::<R>;
            Hardtanh(low, high) => |x: R| activation::hardtanh(x, R::from_f64(low), R::from_f64(high));
            LeakyRelu(slope) => |x: R| activation::leaky_relu(x, R::from_f64(slope));
            Threshold(threshold, value) => |x: R| activation::threshold(x, R::from_f64(threshold), R::from_f64(value));
            Elu(alpha, scale, input_scale) =>
                |x: R| activation::elu(x, R::from_f64(alpha), R::from_f64(scale), R::from_f64(input_scale));
            Gelu => activation::gelu::<R>;
            GeluTanh => activation::gelu_tanh::<R>;
            Silu => activation::silu::<R>;
            Mish => activation::mish::<R>;
            Softplus(beta, threshold) => |x: R| activation::softplus(x, R::from_f64(beta), R::from_f64(threshold));
            LogSigmoid => special::logsigmoid::<R>;
            Hardsigmoid => activation::hardsigmoid::<R>;
            Hardswish => activation::hardswish::<R>;
            Hardshrink(lambda) => |x: R| activation::hardshrink(x, R::from_f64(lambda));
            Softshrink(lambda) => |x: R| activation::softshrink(x, R::from_f64(lambda));
            Steps(formula, small) => |x: R| steps::unary(formula, small, x);
        }
    }

    #[inline(always)]
    fn binary(kernel: Binary, x: &[Self::T], y: &[Self::T], out: &mut [Self::T]) {
        match kernel {
            Binary::Maximum => {
                return each2_blocks::<R>((x, y, out), two::maximum, |x, y| two::maximum(y, x));
            }
            Binary::Minimum => {
                return each2_blocks::<R>((x, y, out), two::minimum, |x, y| two::minimum(y, x));
            }
            _ => {}
        }
        formulas! { each2, kernel, (x, y, out), Binary;
            Add => |x: R, y: R| x + y;
            Sub => |x: R, y: R| x - y;
            AddScaled(alpha) => |x: R, y: R| y.mul_add(R::from_f64(alpha), x);
            AddScaledInt(alpha) => |x: R, y: R| y.mul_add(R::from_f64(alpha as f64), x);
            Mul => |x: R, y: R| x * y;
            Div => |x: R, y: R| x / y;
            FloorDivide => two::floor_divide::<R>;
            TruncDivide => two::trunc_divide::<R>;
            Remainder => two::remainder::<R>;
            Fmod => R::fmod;
            Pow => R::pow;
            Atan2 => R::atan2;
            Hypot => R::hypot;
            Copysign => R::copysign;
            Nextafter => R::nextafter;
            Maximum => two::maximum::<R>;
            Minimum => two::minimum::<R>;
            Fmax => two::fmax::<R>;
            Fmin => two::fmin::<R>;
            ClampMin => two::maximum::<R>;
            ClampMax => two::minimum::<R>;
            Heaviside => two::heaviside::<R>;
            LogAddExp => special::logaddexp::<R>;
            LogAddExp2 => special::logaddexp2::<R>;
            Xlogy => special::xlogy::<R>;
            Xlog1py => special::xlog1py::<R>;
            Ldexp => two::ldexp::<R>;
            Gcd => |x: R, _: R| x;
            Lcm => |x: R, _: R| x;
            Eq => |x: R, y: R| truth(x == y);
            Ne => |x: R, y: R| truth(x != y);
            Lt => |x: R, y: R| truth(x < y);
            Le => |x: R, y: R| truth(x <= y);
            Gt => |x: R, y: R| truth(x > y);
            Ge => |x: R, y: R| truth(x >= y);
            LogicalAnd => |x: R, y: R| truth(is_true(x) && is_true(y));
            LogicalOr => |x: R, y: R| truth(is_true(x) || is_true(y));
            LogicalXor => |x: R, y: R| truth(is_true(x) != is_true(y));
            BitwiseAnd => |x: R, _: R| x;
            BitwiseOr => |x: R, _: R| x;
            BitwiseXor => |x: R, _: R| x;
            LeftShift(_bits) => |x: R, _: R| x;
            RightShift(_bits) => |x: R, _: R| x;
            SigmoidGrad => |g: R, out: R| g * (R::ONE - out) * out;
            TanhGrad => |g: R, out: R| g * (R::ONE - out * out);
            ReluGrad => |g: R, out: R| if out <= R::ZERO { R::ZERO } else { g };
            HardtanhGrad(low, high) =>
                |g: R, x: R| if x > R::from_f64(low) && x < R::from_f64(high) { g } else { R::ZERO };
            LeakyReluGrad(slope) => |g: R, x: R| if x > R::ZERO { g } else { g * R::from_f64(slope) };
            ThresholdGrad(threshold) => |g: R, x: R| if x <= R::from_f64(threshold) { R::ZERO } else { g };
            EluGrad(alpha, scale, input_scale) =>
                |g: R, x: R| g * activation_grad::elu_grad(x, R::from_f64(alpha), R::from_f64(scale), R::from_f64(input_scale));
            GeluGrad => |g: R, x: R| g * activation_grad::gelu_grad(x);
            GeluTanhGrad => |g: R, x: R| g * activation_grad::gelu_tanh_grad(x);
            SiluGrad => |g: R, x: R| g * activation_grad::silu_grad(x);
            MishGrad => |g: R, x: R| g * activation_grad::mish_grad(x);
            SoftplusGrad(beta, threshold) =>
                |g: R, x: R| g * activation_grad::softplus_grad(x, R::from_f64(beta), R::from_f64(threshold));
            LogSigmoidGrad => |g: R, x: R| g * activation_grad::logsigmoid_grad(x);
            HardsigmoidGrad => |g: R, x: R| g * activation_grad::hardsigmoid_grad(x);
            HardswishGrad => |g: R, x: R| g * activation_grad::hardswish_grad(x);
            ShrinkGrad(lambda) => |g: R, x: R| if x > R::from_f64(lambda) || x < -R::from_f64(lambda) { g } else { R::ZERO };
            Steps(formula, small) => |x: R, y: R| steps::binary(formula, small, x, y);
        }
    }

    #[inline(always)]
    fn ternary(kernel: Ternary, x: &[Self::T], y: &[Self::T], z: &[Self::T], out: &mut [Self::T]) {
        formulas! { each3, kernel, (x, y, z, out), Ternary;
            Where => |c: R, x: R, y: R| if is_true(c) { x } else { y };
            MaskedFill => |x: R, mask: R, value: R| if is_true(mask) { value } else { x };
            Lerp => two::lerp::<R>;
            Addcmul(value) => |x: R, y: R, z: R| x + R::from_f64(value) * y * z;
            Addcdiv(value) => |x: R, y: R, z: R| x + R::from_f64(value) * y / z;
            Clamp => |x: R, low: R, high: R| two::minimum(two::maximum(x, low), high);
        }
    }
}

#[inline(always)]
fn each_int((x, out): (&[i64], &mut [i64]), f: impl Fn(i64) -> i64) {
    out.iter_mut().zip(x).for_each(|(out, &x)| *out = f(x));
}

#[inline(always)]
fn each_int2((x, y, out): (&[i64], &[i64], &mut [i64]), f: impl Fn(i64, i64) -> i64) {
    out.iter_mut().zip(x).zip(y).for_each(|((out, &x), &y)| *out = f(x, y));
}

#[inline(always)]
fn each_int3((x, y, z, out): (&[i64], &[i64], &[i64], &mut [i64]), f: impl Fn(i64, i64, i64) -> i64) {
    out.iter_mut().zip(x).zip(y).zip(z).for_each(|(((out, &x), &y), &z)| *out = f(x, y, z));
}

macro_rules! integer_formulas {
    ($each:ident, $kernel:expr, $slices:tt, $enum:ident, $otherwise:expr; $($variant:ident $(($($arg:ident),+))? => $f:expr;)*) => {
        match $kernel {
            $($enum::$variant $(($($arg),+))? => $each($slices, $f),)*
            // A formula of floating point: operations never ask for it on integers.
            _ => $otherwise,
        }
    };
}

impl Class for Integer {
    type T = i64;

    #[inline(always)]
    fn unary(kernel: Unary, x: &[i64], out: &mut [i64]) {
        integer_formulas! { each_int, kernel, (x, out), Unary, out.copy_from_slice(x);
            Neg => int::neg;
            Abs => int::abs;
            Sign => int::sign;
            Square => |x| int::mul(x, x);
            Cube => |x| int::mul(x, int::mul(x, x));
            Relu => |x: i64| x.max(0);
            LogicalNot => |x| i64::from(x == 0);
            BitwiseNot => |x: i64| !x;
            IsNan => |_| 0;
            IsInf => |_| 0;
            IsPosInf => |_| 0;
            IsNegInf => |_| 0;
            IsFinite => |_| 1;
            Signbit => |x| i64::from(x < 0);
            Hardtanh(low, high) => |x: i64| x.max(low as i64).min(high as i64);
            Threshold(threshold, value) => |x: i64| if x <= threshold as i64 { value as i64 } else { x };
        }
    }

    #[inline(always)]
    fn binary(kernel: Binary, x: &[i64], y: &[i64], out: &mut [i64]) {
        // Zero divisors were refused before: see `map::run`.
        integer_formulas! { each_int2, kernel, (x, y, out), Binary, out.copy_from_slice(x);
            Add => int::add;
            Sub => int::sub;
            AddScaledInt(alpha) => |x, y| int::add(x, int::mul(alpha, y));
            Mul => int::mul;
            FloorDivide => |x, y| int::floor_divide(x, y).unwrap_or(0);
            TruncDivide => |x, y| int::trunc_divide(x, y).unwrap_or(0);
            Remainder => |x, y| int::remainder(x, y).unwrap_or(0);
            Fmod => |x, y| int::fmod(x, y).unwrap_or(0);
            Pow => int::pow;
            Maximum => int::maximum;
            Minimum => int::minimum;
            Fmax => int::maximum;
            Fmin => int::minimum;
            ClampMin => int::maximum;
            ClampMax => int::minimum;
            Gcd => int::gcd;
            Lcm => int::lcm;
            Heaviside => |x: i64, y: i64| match x.signum() { 0 => y, s => i64::from(s > 0) };
            Eq => |x, y| i64::from(x == y);
            Ne => |x, y| i64::from(x != y);
            Lt => |x, y| i64::from(x < y);
            Le => |x, y| i64::from(x <= y);
            Gt => |x, y| i64::from(x > y);
            Ge => |x, y| i64::from(x >= y);
            LogicalAnd => |x: i64, y: i64| i64::from(x != 0 && y != 0);
            LogicalOr => |x: i64, y: i64| i64::from(x != 0 || y != 0);
            LogicalXor => |x: i64, y: i64| i64::from((x != 0) != (y != 0));
            BitwiseAnd => |x: i64, y: i64| x & y;
            BitwiseOr => |x: i64, y: i64| x | y;
            BitwiseXor => |x: i64, y: i64| x ^ y;
            LeftShift(bits) => |x, y| int::left_shift(x, y, bits);
            RightShift(bits) => |x, y| int::right_shift(x, y, bits);
        }
    }

    #[inline(always)]
    fn ternary(kernel: Ternary, x: &[i64], y: &[i64], z: &[i64], out: &mut [i64]) {
        integer_formulas! { each_int3, kernel, (x, y, z, out), Ternary, out.copy_from_slice(x);
            Where => |c: i64, x: i64, y: i64| if c != 0 { x } else { y };
            MaskedFill => |x: i64, mask: i64, value: i64| if mask != 0 { value } else { x };
            Addcmul(value) => |x: i64, y: i64, z: i64| int::add(x, int::mul(value as i64, int::mul(y, z)));
            Clamp => |x: i64, low: i64, high: i64| x.max(low).min(high);
        }
    }
}

/// The classes that a processor without fused multiply-add uses, and those for one with it.
pub(crate) type Plain<T> = Float<Lane<T, false>>;
/// See [`Plain`].
pub(crate) type Fused<T> = Float<Lane<T, true>>;
