//! The element types random numbers are made of, and how each holds a value.

use half::{bf16, f16};

use super::engine::Engine;

/// An element type of PyTorch's that random numbers can be written to: the floating types, the
/// signed integers, `u8` and `bool`. [`fill_randint`](super::fill_randint) shows one.
pub trait Sample: Copy + Send + Sync + 'static {
    /// The name in a kernel's error (`Half`).
    #[doc(hidden)]
    const NAME: &'static str;
    /// The name in an error about bounds (`c10::Half`).
    #[doc(hidden)]
    const C_NAME: &'static str;
    /// The least and the greatest value.
    #[doc(hidden)]
    const BOUNDS: (f64, f64);
    /// The greatest integer up to which the type counts one by one: the inclusive end of
    /// `random_(from, None)`.
    #[doc(hidden)]
    const LAST_INTEGER: i64;
    /// Bits of the significand of a floating type, 0 for the others.
    #[doc(hidden)]
    const DIGITS: u32;
    /// The longest permutation the type can hold, and how PyTorch refuses a longer one.
    #[doc(hidden)]
    const LONGEST_PERMUTATION: Option<(u64, &'static str)>;

    /// The value of an integer, rounded or wrapped as C++ converts it.
    #[doc(hidden)]
    fn from_i64(value: i64) -> Self;
    /// The integer that `value` becomes in this type.
    #[doc(hidden)]
    fn rounded(value: i64) -> i64;
    /// The value of a float64, rounded or cut off as C++ converts it.
    #[doc(hidden)]
    fn from_f64(value: f64) -> Self;
    /// `random_()` without arguments: integers of the type's whole non-negative range.
    #[doc(hidden)]
    fn random(engine: &mut Engine, out: &mut [Self]);
}

macro_rules! integers {
    ($($ty:ty: $name:literal, $c_name:literal, $too_long:expr, $map:ident |$draw:ident| $random:expr;)*) => {
        $(impl Sample for $ty {
            const NAME: &'static str = $name;
            const C_NAME: &'static str = $c_name;
            const BOUNDS: (f64, f64) = (<$ty>::MIN as f64, <$ty>::MAX as f64);
            const LAST_INTEGER: i64 = <$ty>::MAX as i64;
            const DIGITS: u32 = 0;
            const LONGEST_PERMUTATION: Option<(u64, &'static str)> = $too_long;

            fn from_i64(value: i64) -> Self {
                value as $ty
            }

            fn rounded(value: i64) -> i64 {
                value as $ty as i64
            }

            fn from_f64(value: f64) -> Self {
                // By way of i64, so that a value out of range wraps as it does in PyTorch.
                value as i64 as $ty
            }

            fn random(engine: &mut Engine, out: &mut [Self]) {
                engine.$map(out, |$draw| $random);
            }
        })*
    };
}

integers! {
    u8: "Byte", "unsigned char",
        Some((1 << 8, "value cannot be converted to type uint8_t without overflow")),
        map32 |draw| draw as u8;
    i8: "Char", "signed char",
        Some((1 << 7, "value cannot be converted to type int8_t without overflow")),
        map32 |draw| (draw & 0x7F) as i8;
    i16: "Short", "short int",
        Some((1 << 15, "value cannot be converted to type int16_t without overflow")),
        map32 |draw| (draw & 0x7FFF) as i16;
    i32: "Int", "int",
        Some((1 << 31, "value cannot be converted to type int32_t without overflow")),
        map32 |draw| (draw & 0x7FFF_FFFF) as i32;
    i64: "Long", "long", None, map64 |draw| (draw & (u64::MAX >> 1)) as i64;
}

impl Sample for bool {
    const NAME: &'static str = "Bool";
    const C_NAME: &'static str = "bool";
    const BOUNDS: (f64, f64) = (0.0, 1.0);
    const LAST_INTEGER: i64 = 1;
    const DIGITS: u32 = 0;
    const LONGEST_PERMUTATION: Option<(u64, &'static str)> = None;

    fn from_i64(value: i64) -> Self {
        value != 0
    }

    fn rounded(value: i64) -> i64 {
        i64::from(value != 0)
    }

    fn from_f64(value: f64) -> Self {
        value != 0.0
    }

    fn random(engine: &mut Engine, out: &mut [Self]) {
        engine.map32(out, |draw| draw & 1 == 1);
    }
}

macro_rules! floats {
    ($($ty:ty: $name:literal, $c_name:literal, $max:expr, $digits:literal, $too_long:expr,
       |$value:ident| $from_f64:expr, $map:ident |$draw:ident| $random:expr;)*) => {
        $(impl Sample for $ty {
            const NAME: &'static str = $name;
            const C_NAME: &'static str = $c_name;
            const BOUNDS: (f64, f64) = (-$max, $max);
            const LAST_INTEGER: i64 = 1 << $digits;
            const DIGITS: u32 = $digits;
            const LONGEST_PERMUTATION: Option<(u64, &'static str)> = $too_long;

            fn from_i64(value: i64) -> Self {
                let $value = value;
                $from_f64
            }

            fn rounded(value: i64) -> i64 {
                let value = f64::from(Self::from_i64(value));
                // x86 converts what does not fit to the least integer.
                if value < i64::MAX as f64 { value as i64 } else { i64::MIN }
            }

            fn from_f64($value: f64) -> Self {
                $from_f64
            }

            fn random(engine: &mut Engine, out: &mut [Self]) {
                engine.$map(out, |$draw| $random);
            }
        })*
    };
}

// The two small types are reached through float32, with its rounding, as PyTorch's conversions do.
floats! {
    f64: "Double", "double", f64::MAX, 53,
        Some(((1 << 53) + 1, "n cannot be greater than 2^53+1 for Double type.")),
        |value| value as f64,
        map64 |draw| (draw % ((1 << 53) + 1)) as f64;
    f32: "Float", "float", f32::MAX as f64, 24,
        Some(((1 << 24) + 1, "n cannot be greater than 2^24+1 for Float type.")),
        |value| value as f32,
        map32 |draw| (draw % ((1 << 24) + 1)) as f32;
    f16: "Half", "c10::Half", 65504.0, 11,
        Some(((1 << 11) + 1, "n cannot be greater than 2049 for Half type.")),
        |value| f16::from_f32(value as f32),
        map32 |draw| f16::from_f32((draw % ((1 << 11) + 1)) as f32);
    bf16: "BFloat16", "c10::BFloat16", 3.389_531_389_251_535_5e38, 8, None,
        |value| bf16::from_f32(value as f32),
        map32 |draw| bf16::from_f32((draw % ((1 << 8) + 1)) as f32);
}
