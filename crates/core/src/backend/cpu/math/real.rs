//! The numbers formulas are written over.

use std::fmt::Debug;
use std::ops::{Add, Div, Mul, Neg, Sub};

use super::poly::MulAdd;
use super::{erf, exp_log, gamma, hyperbolic, power, trig};

/// One element of a vector of `f32` or `f64`, with its arithmetic.
///
/// `FMA` says that the function this is inlined into is compiled for a processor with fused multiply-add, which a
/// generic function cannot find out by itself. With `true` elsewhere results stay right and become slow.
/// The two differ by a rounding here and there.
#[derive(Clone, Copy, Debug, Default, PartialEq, PartialOrd)]
#[repr(transparent)]
pub struct Lane<T, const FMA: bool>(pub T);

macro_rules! operators {
    ($($operator:ident $method:ident)*) => { $(
        impl<T: $operator<Output = T>, const FMA: bool> $operator for Lane<T, FMA> {
            type Output = Self;
            #[inline(always)]
            fn $method(self, other: Self) -> Self {
                Lane(self.0.$method(other.0))
            }
        }
    )* };
}
operators!(Add add Sub sub Mul mul Div div);

impl<T: Neg<Output = T>, const FMA: bool> Neg for Lane<T, FMA> {
    type Output = Self;
    #[inline(always)]
    fn neg(self) -> Self {
        Lane(-self.0)
    }
}

/// A real number: a [`Lane`] of `f32` or `f64`. Formulas are generic over this.
///
/// Functions carry PyTorch's names and follow its rules. Bounds of the `f32` forms are with their definitions in
/// the modules of this folder; the `f64` forms are the standard library's and `libm`'s, within 1e-15.
pub trait Real:
    Copy
    + Debug
    + PartialEq
    + PartialOrd
    + Add<Output = Self>
    + Sub<Output = Self>
    + Mul<Output = Self>
    + Div<Output = Self>
    + Neg<Output = Self>
    + Send
    + Sync
    + 'static
{
    /// What a slice of these holds.
    type Value: Copy + Send + Sync + 'static;
    /// 0.
    const ZERO: Self;
    /// 1.
    const ONE: Self;
    /// Not a number.
    const NAN: Self;
    /// Positive infinity.
    const INFINITY: Self;
    /// The largest finite number.
    const MAX: Self;

    /// Wraps an element.
    fn new(value: Self::Value) -> Self;
    /// Unwraps an element.
    fn value(self) -> Self::Value;
    /// The nearest number to `value`.
    fn from_f64(value: f64) -> Self;
    /// The same number, exactly.
    fn to_f64(self) -> f64;
    /// `self * a + b`: one instruction where the processor has it.
    fn mul_add(self, a: Self, b: Self) -> Self;

    /// The number without its sign.
    fn abs(self) -> Self;
    /// The size of this with the sign of `sign`.
    fn copysign(self, sign: Self) -> Self;
    /// Whether this is NaN.
    fn is_nan(self) -> bool;
    /// Whether the sign bit is set, of zeros and NaN too.
    fn signbit(self) -> bool;
    /// The nearest integer not above.
    fn floor(self) -> Self;
    /// The nearest integer not below.
    fn ceil(self) -> Self;
    /// The nearest integer towards zero.
    fn trunc(self) -> Self;
    /// The nearest integer, halves to the even one.
    fn round(self) -> Self;
    /// The square root; NaN below zero.
    fn sqrt(self) -> Self;
    /// The next number after this towards `other`.
    fn nextafter(self, other: Self) -> Self;

    /// `e^self`.
    fn exp(self) -> Self;
    /// `e^self` for sums and quotients; in single precision only normal numbers, zero and infinity.
    fn exp_normal(self) -> Self;
    /// `2^self`.
    fn exp2(self) -> Self;
    /// `e^self - 1`.
    fn expm1(self) -> Self;
    /// The natural logarithm.
    fn log(self) -> Self;
    /// The logarithm to base 2.
    fn log2(self) -> Self;
    /// The logarithm to base 10.
    fn log10(self) -> Self;
    /// `log(1 + self)`.
    fn log1p(self) -> Self;
    /// The sine.
    fn sin(self) -> Self;
    /// The cosine.
    fn cos(self) -> Self;
    /// The tangent.
    fn tan(self) -> Self;
    /// The inverse sine.
    fn asin(self) -> Self;
    /// The inverse cosine.
    fn acos(self) -> Self;
    /// The inverse tangent.
    fn atan(self) -> Self;
    /// The hyperbolic sine.
    fn sinh(self) -> Self;
    /// The hyperbolic cosine.
    fn cosh(self) -> Self;
    /// The hyperbolic tangent.
    fn tanh(self) -> Self;
    /// The inverse hyperbolic sine.
    fn asinh(self) -> Self;
    /// The inverse hyperbolic cosine.
    fn acosh(self) -> Self;
    /// The inverse hyperbolic tangent.
    fn atanh(self) -> Self;
    /// The error function.
    fn erf(self) -> Self;
    /// `1 - erf(self)`, accurate where it is small.
    fn erfc(self) -> Self;
    /// The inverse of the error function.
    fn erfinv(self) -> Self;
    /// The logarithm of the standard normal distribution function.
    fn log_ndtr(self) -> Self;
    /// The standard normal distribution function, in single precision with a bound that is absolute.
    fn ndtr_near(self) -> Self;
    /// `log |Gamma(self)|`.
    fn lgamma(self) -> Self;
    /// The derivative of `lgamma`.
    fn digamma(self) -> Self;
    /// The modified Bessel function of order zero.
    fn i0(self) -> Self;

    /// `self^exponent`.
    fn pow(self, exponent: Self) -> Self;
    /// The angle of the point `(x, self)`.
    fn atan2(self, x: Self) -> Self;
    /// `sqrt(self^2 + other^2)`.
    fn hypot(self, other: Self) -> Self;
    /// The remainder of `self / other` with the sign of `self`.
    fn fmod(self, other: Self) -> Self;
}

/// Methods of the same name on the number within.
macro_rules! unary {
    ($($method:ident)*) => { $(
        #[inline(always)]
        fn $method(self) -> Self {
            Lane(self.0.$method())
        }
    )* };
}

/// Methods both kinds of lane take from the standard library.
macro_rules! common {
    ($float:ident) => {
        type Value = $float;
        const ZERO: Self = Lane(0.0);
        const ONE: Self = Lane(1.0);
        const NAN: Self = Lane($float::NAN);
        const INFINITY: Self = Lane($float::INFINITY);
        const MAX: Self = Lane($float::MAX);

        #[inline(always)]
        fn new(value: $float) -> Self {
            Lane(value)
        }
        #[inline(always)]
        fn value(self) -> $float {
            self.0
        }
        #[inline(always)]
        fn from_f64(value: f64) -> Self {
            Lane(value as $float)
        }
        #[inline(always)]
        fn to_f64(self) -> f64 {
            self.0 as f64
        }
        #[inline(always)]
        fn mul_add(self, a: Self, b: Self) -> Self {
            Lane(MulAdd::fma::<FMA>(self.0, a.0, b.0))
        }
        #[inline(always)]
        fn copysign(self, sign: Self) -> Self {
            Lane(self.0.copysign(sign.0))
        }
        #[inline(always)]
        fn is_nan(self) -> bool {
            self.0.is_nan()
        }
        #[inline(always)]
        fn signbit(self) -> bool {
            self.0.is_sign_negative()
        }
        #[inline(always)]
        fn round(self) -> Self {
            Lane(self.0.round_ties_even())
        }
        #[inline(always)]
        fn nextafter(self, other: Self) -> Self {
            let (x, y) = (self.0, other.0);
            let step = if y > x { x.next_up() } else { x.next_down() };
            let y = if x == y { y } else { step };
            Lane(if x.is_nan() || other.0.is_nan() { $float::NAN } else { y })
        }
        unary!(abs floor ceil trunc sqrt);
    };
}

/// Functions of a module of this folder.
macro_rules! vectorized {
    ($($module:ident: $($function:ident)*;)*) => { $($(
        #[inline(always)]
        fn $function(self) -> Self {
            Lane($module::$function::<FMA>(self.0))
        }
    )*)* };
}

/// Functions of an `f64` that both kinds of lane call.
macro_rules! called {
    ($float:ident; $($method:ident = $function:path;)*) => { $(
        #[inline(always)]
        fn $method(self) -> Self {
            Lane($function(self.0 as f64) as $float)
        }
    )* };
}

impl<const FMA: bool> Real for Lane<f32, FMA> {
    common!(f32);
    vectorized! {
        exp_log: exp exp_normal exp2 expm1 log log2 log10 log1p tanh;
        trig: sin cos tan asin acos atan;
        hyperbolic: sinh cosh asinh acosh atanh;
        erf: erf erfc erfinv ndtr_near log_ndtr;
    }
    called!(f32; lgamma = gamma::lgamma; digamma = gamma::digamma; i0 = gamma::i0;);

    #[inline(always)]
    fn pow(self, exponent: Self) -> Self {
        Lane(power::pow::<FMA>(self.0, exponent.0))
    }
    #[inline(always)]
    fn atan2(self, x: Self) -> Self {
        Lane(trig::atan2::<FMA>(self.0, x.0))
    }
    #[inline(always)]
    fn hypot(self, other: Self) -> Self {
        Lane(power::hypot(self.0, other.0))
    }
    #[inline(always)]
    fn fmod(self, other: Self) -> Self {
        Lane(power::fmod(self.0, other.0))
    }
}

impl<const FMA: bool> Real for Lane<f64, FMA> {
    common!(f64);
    unary!(exp exp2 log2 log10 sin cos tan asin acos atan sinh cosh tanh);
    called! { f64;
        exp_normal = f64::exp; expm1 = f64::exp_m1; log = f64::ln; log1p = f64::ln_1p;
        asinh = libm::asinh; acosh = hyperbolic::acosh_f64; atanh = libm::atanh;
        erf = libm::erf; erfc = libm::erfc; erfinv = erf::erfinv_f64;
        ndtr_near = erf::ndtr_f64; log_ndtr = erf::log_ndtr_f64;
        lgamma = gamma::lgamma; digamma = gamma::digamma; i0 = gamma::i0;
    }

    #[inline(always)]
    fn pow(self, exponent: Self) -> Self {
        Lane(self.0.powf(exponent.0))
    }
    #[inline(always)]
    fn atan2(self, x: Self) -> Self {
        Lane(self.0.atan2(x.0))
    }
    #[inline(always)]
    fn hypot(self, other: Self) -> Self {
        Lane(self.0.hypot(other.0))
    }
    #[inline(always)]
    fn fmod(self, other: Self) -> Self {
        Lane(self.0 % other.0)
    }
}
