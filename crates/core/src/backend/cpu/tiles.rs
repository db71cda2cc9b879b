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

// The loops are macros, and no functions of a formula: a closure, or a function as a value, is a function of its own, and
// a long one is not put into the loop, but called, and compiled for the oldest processor.

/// A loop over a tile. Of two formulas, the first is for whole blocks of 64 bytes, the second for what is left: PyTorch's
/// formulas of AVX2 and its scalar ones give equal numbers of different sign, 0 and -0, in different order.
macro_rules! each {
    (($xs:expr, $out:expr), |$x:pat_param| $f:expr) => {
        for (out, &x) in $out.iter_mut().zip($xs) {
            let $x = R::new(x);
            let y: R = $f;
            *out = y.value();
        }
    };
    (($xs:expr, $ys:expr, $out:expr), |$x:pat_param, $y:pat_param| $f:expr) => {
        for ((out, &x), &y) in $out.iter_mut().zip($xs).zip($ys) {
            let ($x, $y) = (R::new(x), R::new(y));
            let y: R = $f;
            *out = y.value();
        }
    };
    (($xs:expr, $ys:expr, $out:expr), |$x:pat_param, $y:pat_param| $whole:expr, $rest:expr) => {{
        let split = $out.len() - $out.len() % (64 / size_of::<R::Value>());
        let ((x, xs), (y, ys), (out, outs)) = ($xs.split_at(split), $ys.split_at(split), $out.split_at_mut(split));
        each!((x, y, out), |$x, $y| $whole);
        each!((xs, ys, outs), |$x, $y| $rest);
    }};
    (($xs:expr, $ys:expr, $zs:expr, $out:expr), |$x:pat_param, $y:pat_param, $z:pat_param| $f:expr) => {
        for (((out, &x), &y), &z) in $out.iter_mut().zip($xs).zip($ys).zip($zs) {
            let ($x, $y, $z) = (R::new(x), R::new(y), R::new(z));
            let y: R = $f;
            *out = y.value();
        }
    };
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
    ($kernel:expr, $slices:tt, $enum:ident; $($variant:ident $(($($arg:ident),+))? => |$($x:pat_param),+| $f:expr $(, $rest:expr)?;)*) => {
        match $kernel {
            $($enum::$variant $(($($arg),+))? => each!($slices, |$($x),+| $f $(, $rest)?),)*
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
            let ((x, xs), (out, outs)) = (x.split_at(split), out.split_at_mut(split));
            each!((x, out), |x| rounding::rsqrt(x));
            each!((xs, outs), |x| steps::unary(formula, small, x));
            return;
        }
        formulas! { kernel, (x, out), Unary;
            Neg => |x| -x;
            Abs => |x| x.abs();
            Sign => |x| rounding::sign(x);
            Square => |x| rounding::square(x);
            Cube => |x| rounding::cube(x);
            InverseSquare => |x| R::ONE / (x * x);
            Sqrt => |x| x.sqrt();
            Rsqrt => |x| rounding::rsqrt(x);
            Reciprocal => |x| rounding::reciprocal(x);
            Exp => |x| x.exp();
            Exp2 => |x| x.exp2();
            Expm1 => |x| x.expm1();
            Log => |x| x.log();
            Log2 => |x| x.log2();
            Log10 => |x| x.log10();
            Log1p => |x| x.log1p();
            Sin => |x| x.sin();
            Cos => |x| x.cos();
            Tan => |x| x.tan();
            Asin => |x| x.asin();
            Acos => |x| x.acos();
            Atan => |x| x.atan();
            Sinh => |x| x.sinh();
            Cosh => |x| x.cosh();
            Tanh => |x| x.tanh();
            Asinh => |x| x.asinh();
            Acosh => |x| x.acosh();
            Atanh => |x| x.atanh();
            Erf => |x| x.erf();
            Erfc => |x| x.erfc();
            Erfinv => |x| x.erfinv();
            Lgamma => |x| x.lgamma();
            Digamma => |x| x.digamma();
            Polygamma(n) => |x| R::from_f64(gamma::polygamma(n, x.to_f64()));
            I0 => |x| x.i0();
            I1 => |x| R::from_f64(gamma::i1(x.to_f64()));
            Sinc => |x| special::sinc(x);
            Entr => |x| special::entr(x);
            LogNdtr => |x| x.log_ndtr();
            Logit => |x| special::logit(x);
            LogitEps(eps) => |x| special::logit_eps(x, R::from_f64(eps));
            Sigmoid => |x| special::sigmoid(x);
            Floor => |x| x.floor();
            Ceil => |x| x.ceil();
            Round => |x| x.round();
            RoundDecimals(decimals) => |x| rounding::round_decimals(x, decimals);
            Trunc => |x| x.trunc();
            Frac => |x| rounding::frac(x);
            Angle => |x| rounding::angle(x);
            Deg2rad => |x| rounding::deg2rad(x);
            Rad2deg => |x| rounding::rad2deg(x);
            NanToNum(nan, positive, negative) =>
                |x| rounding::nan_to_num(x, R::from_f64(nan), R::from_f64(positive), R::from_f64(negative));
            LogicalNot => |x| truth(!is_true(x));
            BitwiseNot => |x| x;
            IsNan => |x| truth(x.is_nan());
            IsInf => |x| truth(x.abs() == R::INFINITY);
            IsPosInf => |x| truth(x == R::INFINITY);
            IsNegInf => |x| truth(x == -R::INFINITY);
            IsFinite => |x| truth(x.abs() <= R::MAX);
            Signbit => |x| truth(x.signbit());
            Relu => |x| activation::relu(x);
            Hardtanh(low, high) => |x| activation::hardtanh(x, R::from_f64(low), R::from_f64(high));
            LeakyRelu(slope) => |x| activation::leaky_relu(x, R::from_f64(slope));
            Threshold(threshold, value) => |x| activation::threshold(x, R::from_f64(threshold), R::from_f64(value));
            Elu(alpha, scale, input_scale) =>
                |x| activation::elu(x, R::from_f64(alpha), R::from_f64(scale), R::from_f64(input_scale));
            Gelu => |x| activation::gelu(x);
            GeluTanh => |x| activation::gelu_tanh(x);
            Silu => |x| activation::silu(x);
            Mish => |x| activation::mish(x);
            Softplus(beta, threshold) => |x| activation::softplus(x, R::from_f64(beta), R::from_f64(threshold));
            LogSigmoid => |x| special::logsigmoid(x);
            Hardsigmoid => |x| activation::hardsigmoid(x);
            Hardswish => |x| activation::hardswish(x);
            Hardshrink(lambda) => |x| activation::hardshrink(x, R::from_f64(lambda));
            Softshrink(lambda) => |x| activation::softshrink(x, R::from_f64(lambda));
            Steps(formula, small) => |x| steps::unary(formula, small, x);
        }
    }

    #[inline(always)]
    fn binary(kernel: Binary, x: &[Self::T], y: &[Self::T], out: &mut [Self::T]) {
        formulas! { kernel, (x, y, out), Binary;
            Add => |x, y| x + y;
            Sub => |x, y| x - y;
            AddScaled(alpha) => |x, y| y.mul_add(R::from_f64(alpha), x);
            AddScaledInt(alpha) => |x, y| y.mul_add(R::from_f64(alpha as f64), x);
            Mul => |x, y| x * y;
            Div => |x, y| x / y;
            FloorDivide => |x, y| two::floor_divide(x, y);
            TruncDivide => |x, y| two::trunc_divide(x, y);
            Remainder => |x, y| two::remainder(x, y);
            Fmod => |x, y| x.fmod(y);
            Pow => |x, y| x.pow(y);
            Atan2 => |x, y| x.atan2(y);
            Hypot => |x, y| x.hypot(y);
            Copysign => |x, y| x.copysign(y);
            Nextafter => |x, y| x.nextafter(y);
            Maximum => |x, y| two::maximum(x, y), two::maximum(y, x);
            Minimum => |x, y| two::minimum(x, y), two::minimum(y, x);
            Fmax => |x, y| two::fmax(x, y);
            Fmin => |x, y| two::fmin(x, y);
            ClampMin => |x, y| two::maximum(x, y);
            ClampMax => |x, y| two::minimum(x, y);
            Heaviside => |x, y| two::heaviside(x, y);
            LogAddExp => |x, y| special::logaddexp(x, y);
            LogAddExp2 => |x, y| special::logaddexp2(x, y);
            Xlogy => |x, y| special::xlogy(x, y);
            Xlog1py => |x, y| special::xlog1py(x, y);
            Ldexp => |x, y| two::ldexp(x, y);
            Gcd => |x, _| x;
            Lcm => |x, _| x;
            Eq => |x, y| truth(x == y);
            Ne => |x, y| truth(x != y);
            Lt => |x, y| truth(x < y);
            Le => |x, y| truth(x <= y);
            Gt => |x, y| truth(x > y);
            Ge => |x, y| truth(x >= y);
            LogicalAnd => |x, y| truth(is_true(x) && is_true(y));
            LogicalOr => |x, y| truth(is_true(x) || is_true(y));
            LogicalXor => |x, y| truth(is_true(x) != is_true(y));
            BitwiseAnd => |x, _| x;
            BitwiseOr => |x, _| x;
            BitwiseXor => |x, _| x;
            LeftShift(_bits) => |x, _| x;
            RightShift(_bits) => |x, _| x;
            SigmoidGrad => |g, out| g * (R::ONE - out) * out;
            TanhGrad => |g, out| g * (R::ONE - out * out);
            ReluGrad => |g, out| if out <= R::ZERO { R::ZERO } else { g };
            HardtanhGrad(low, high) =>
                |g, x| if x > R::from_f64(low) && x < R::from_f64(high) { g } else { R::ZERO };
            LeakyReluGrad(slope) => |g, x| if x > R::ZERO { g } else { g * R::from_f64(slope) };
            ThresholdGrad(threshold) => |g, x| if x <= R::from_f64(threshold) { R::ZERO } else { g };
            EluGrad(alpha, scale, input_scale) =>
                |g, x| g * activation_grad::elu_grad(x, R::from_f64(alpha), R::from_f64(scale), R::from_f64(input_scale));
            GeluGrad => |g, x| g * activation_grad::gelu_grad(x);
            GeluTanhGrad => |g, x| g * activation_grad::gelu_tanh_grad(x);
            SiluGrad => |g, x| g * activation_grad::silu_grad(x);
            MishGrad => |g, x| g * activation_grad::mish_grad(x);
            SoftplusGrad(beta, threshold) =>
                |g, x| g * activation_grad::softplus_grad(x, R::from_f64(beta), R::from_f64(threshold));
            LogSigmoidGrad => |g, x| g * activation_grad::logsigmoid_grad(x);
            HardsigmoidGrad => |g, x| g * activation_grad::hardsigmoid_grad(x);
            HardswishGrad => |g, x| g * activation_grad::hardswish_grad(x);
            ShrinkGrad(lambda) => |g, x| if x > R::from_f64(lambda) || x < -R::from_f64(lambda) { g } else { R::ZERO };
            Steps(formula, small) => |x, y| steps::binary(formula, small, x, y);
        }
    }

    #[inline(always)]
    fn ternary(kernel: Ternary, x: &[Self::T], y: &[Self::T], z: &[Self::T], out: &mut [Self::T]) {
        formulas! { kernel, (x, y, z, out), Ternary;
            Where => |c, x, y| if is_true(c) { x } else { y };
            MaskedFill => |x, mask, value| if is_true(mask) { value } else { x };
            Lerp => |x, y, z| two::lerp(x, y, z);
            Addcmul(value) => |x, y, z| x + R::from_f64(value) * y * z;
            Addcdiv(value) => |x, y, z| x + R::from_f64(value) * y / z;
            Clamp => |x, low, high| two::minimum(two::maximum(x, low), high);
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
