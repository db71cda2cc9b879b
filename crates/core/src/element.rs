//! The Rust types that tensors are made of.

use crate::{Complex, DType};
use half::{bf16, f16};

mod sealed {
    pub trait Sealed {}
}

/// A Rust type that can be an element of a tensor.
///
/// Conversions follow C++, as PyTorch's casts do: to a smaller integer by wrapping, from floating point
/// to integer by cutting off, to `bool` by comparison with zero. Of a complex number the real part is converted.
///
/// ```
/// # use firebrick_core::{DType, Element};
/// assert_eq!((f32::DTYPE, u8::from_i64(257), i32::from_f64(-2.7)), (DType::F32, 1, -2));
/// assert_eq!((bool::from_f64(0.5), true.to_f64(), 2.5f64.to_f32(), 2.5f32.to_i64()), (true, 1.0, 2.5, 2));
/// assert_eq!(i16::from_f32(70_000.5), 4464);
/// ```
pub trait Element:
    sealed::Sealed + Copy + Default + PartialEq + PartialOrd + Send + Sync + std::fmt::Debug + 'static
{
    /// The matching dtype.
    const DTYPE: DType;
    /// From double precision.
    fn from_f64(value: f64) -> Self;
    /// To double precision.
    fn to_f64(self) -> f64;
    /// From single precision.
    fn from_f32(value: f32) -> Self;
    /// To single precision.
    fn to_f32(self) -> f32;
    /// From a 64-bit integer.
    fn from_i64(value: i64) -> Self;
    /// To a 64-bit integer.
    fn to_i64(self) -> i64;
}

/// C++'s conversion of a floating-point number to a 64-bit integer on x86: out of range gives the smallest one.
#[inline(always)]
fn float_to_i64(value: f64) -> i64 {
    if (-9_223_372_036_854_775_808.0..9_223_372_036_854_775_808.0).contains(&value) { value as i64 } else { i64::MIN }
}

/// C++'s conversion to an integer of up to 32 bits on x86: out of range gives the smallest 32-bit one, then cut down.
#[inline(always)]
fn float_to_i32(value: f64) -> i32 {
    if value > -2_147_483_649.0 && value < 2_147_483_648.0 { value as i32 } else { i32::MIN }
}

macro_rules! integers {
    ($($t:ty => $dtype:ident, $from_float:ident);*) => { $(
        impl sealed::Sealed for $t {}
        impl Element for $t {
            const DTYPE: DType = DType::$dtype;
            #[inline(always)]
            fn from_f64(value: f64) -> Self { $from_float(value) as $t }
            #[inline(always)]
            fn to_f64(self) -> f64 { self as f64 }
            #[inline(always)]
            fn from_f32(value: f32) -> Self { $from_float(value as f64) as $t }
            #[inline(always)]
            fn to_f32(self) -> f32 { self as f32 }
            #[inline(always)]
            fn from_i64(value: i64) -> Self { value as $t }
            #[inline(always)]
            fn to_i64(self) -> i64 { self as i64 }
        }
    )* };
}
integers!(u8 => U8, float_to_i32; i8 => I8, float_to_i32; i16 => I16, float_to_i32; i32 => I32, float_to_i32; i64 => I64, float_to_i64);

impl sealed::Sealed for bool {}
impl Element for bool {
    const DTYPE: DType = DType::Bool;
    #[inline(always)]
    fn from_f64(value: f64) -> Self {
        value != 0.0
    }
    #[inline(always)]
    fn to_f64(self) -> f64 {
        self as u8 as f64
    }
    #[inline(always)]
    fn from_f32(value: f32) -> Self {
        value != 0.0
    }
    #[inline(always)]
    fn to_f32(self) -> f32 {
        self as u8 as f32
    }
    #[inline(always)]
    fn from_i64(value: i64) -> Self {
        value != 0
    }
    #[inline(always)]
    fn to_i64(self) -> i64 {
        self as i64
    }
}

macro_rules! floats {
    ($($t:ty => $dtype:ident, $from64:expr, $to64:expr, $from32:expr, $to32:expr, $from_int:expr;)*) => { $(
        impl sealed::Sealed for $t {}
        impl Element for $t {
            const DTYPE: DType = DType::$dtype;
            #[inline(always)]
            fn from_f64(value: f64) -> Self { $from64(value) }
            #[inline(always)]
            fn to_f64(self) -> f64 { $to64(self) }
            #[inline(always)]
            fn from_f32(value: f32) -> Self { $from32(value) }
            #[inline(always)]
            fn to_f32(self) -> f32 { $to32(self) }
            #[inline(always)]
            fn from_i64(value: i64) -> Self { $from_int(value) }
            #[inline(always)]
            fn to_i64(self) -> i64 { float_to_i64(self.to_f64()) }
        }
    )* };
}
// PyTorch converts to the two small types by way of float32.
floats! {
    f64 => F64, |v| v, |v| v, |v: f32| v as f64, |v: f64| v as f32, |v: i64| v as f64;
    f32 => F32, |v: f64| v as f32, |v: f32| v as f64, |v| v, |v| v, |v: i64| v as f32;
    f16 => F16, |v: f64| f16::from_f32(v as f32), |v: f16| v.to_f64(), f16::from_f32, |v: f16| v.to_f32(), |v: i64| f16::from_f32(v as f32);
    bf16 => BF16, |v: f64| bf16::from_f32(v as f32), |v: bf16| v.to_f64(), bf16::from_f32, |v: bf16| v.to_f32(), |v: i64| bf16::from_f32(v as f32);
}

macro_rules! complex {
    ($($t:ty => $dtype:ident;)*) => { $(
        impl sealed::Sealed for Complex<$t> {}
        impl Element for Complex<$t> {
            const DTYPE: DType = DType::$dtype;
            #[inline(always)]
            fn from_f64(value: f64) -> Self { Complex::from(value as $t) }
            #[inline(always)]
            fn to_f64(self) -> f64 { self.re as f64 }
            #[inline(always)]
            fn from_f32(value: f32) -> Self { Complex::from(value as $t) }
            #[inline(always)]
            fn to_f32(self) -> f32 { self.re as f32 }
            #[inline(always)]
            fn from_i64(value: i64) -> Self { Complex::from(value as $t) }
            #[inline(always)]
            fn to_i64(self) -> i64 { float_to_i64(self.re as f64) }
        }
    )* };
}
complex! { f32 => C64; f64 => C128; }

/// What a kernel of real numbers does with complex ones, which no operation hands to it.
#[cold]
#[doc(hidden)]
pub fn no_complex_kernel() -> ! {
    unreachable!("complex numbers are computed by kernels of their own, or by their parts")
}

/// Runs `$body` with the type name `$T` bound to the Rust type of `$dtype`, a real one: kernels are not compiled for complex
/// numbers.
#[macro_export]
#[doc(hidden)]
macro_rules! dispatch {
    ($dtype:expr, $T:ident => $body:expr) => {
        match $dtype {
            $crate::DType::Bool => {
                type $T = bool;
                $body
            }
            $crate::DType::U8 => {
                type $T = u8;
                $body
            }
            $crate::DType::I8 => {
                type $T = i8;
                $body
            }
            $crate::DType::I16 => {
                type $T = i16;
                $body
            }
            $crate::DType::I32 => {
                type $T = i32;
                $body
            }
            $crate::DType::I64 => {
                type $T = i64;
                $body
            }
            $crate::DType::F16 => {
                type $T = ::half::f16;
                $body
            }
            $crate::DType::BF16 => {
                type $T = ::half::bf16;
                $body
            }
            $crate::DType::F32 => {
                type $T = f32;
                $body
            }
            $crate::DType::F64 => {
                type $T = f64;
                $body
            }
            $crate::DType::C64 | $crate::DType::C128 => $crate::no_complex_kernel(),
        }
    };
}
