//! A number beside a tensor.

use crate::{DType, default_dtype};

/// A Python-like number: it takes part in type promotion by its category only.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Scalar {
    /// A truth value.
    Bool(bool),
    /// An integer.
    Int(i64),
    /// A floating-point number.
    Float(f64),
}

impl Scalar {
    /// The dtype a 0-dimensional tensor of this number has in PyTorch.
    pub fn dtype(self) -> DType {
        match self {
            Scalar::Bool(_) => DType::Bool,
            Scalar::Int(_) => DType::I64,
            Scalar::Float(_) => default_dtype(),
        }
    }

    /// As a floating-point number.
    #[inline]
    pub fn to_f64(self) -> f64 {
        match self {
            Scalar::Bool(v) => v as u8 as f64,
            Scalar::Int(v) => v as f64,
            Scalar::Float(v) => v,
        }
    }

    /// As an integer; fractions are cut off.
    #[inline]
    pub fn to_i64(self) -> i64 {
        match self {
            Scalar::Bool(v) => v as i64,
            Scalar::Int(v) => v,
            Scalar::Float(v) => v as i64,
        }
    }
}

macro_rules! scalars {
    ($($t:ty => $variant:ident as $as:ty),* $(,)?) => { $(
        impl From<$t> for Scalar {
            #[inline]
            fn from(value: $t) -> Self {
                Scalar::$variant(value as $as)
            }
        }
    )* };
}
scalars!(bool => Bool as bool, i8 => Int as i64, i16 => Int as i64, i32 => Int as i64, i64 => Int as i64, u8 => Int as i64,
    u32 => Int as i64, usize => Int as i64, f32 => Float as f64, f64 => Float as f64);
