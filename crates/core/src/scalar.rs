//! A number beside a tensor.

use crate::{Complex, DType, Error, Result, default_dtype};

/// A Python-like number: it takes part in type promotion by its category only.
///
/// ```
/// # use firebrick_core::{Scalar, Tensor};
/// let x = Tensor::new([1, 2])?;
/// assert_eq!(x.mul(Scalar::Int(3))?.to_vec::<i32>()?, [3, 6]);
/// assert_eq!(x.mul(Scalar::Float(0.5))?.to_vec::<f32>()?, [0.5, 1.0]);
/// # Ok::<_, firebrick_core::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Scalar {
    /// A truth value.
    Bool(bool),
    /// An integer.
    Int(i64),
    /// A floating-point number.
    Float(f64),
    /// A complex number.
    Complex(Complex<f64>),
}

impl Scalar {
    /// The dtype a 0-dimensional tensor of this number has in PyTorch.
    ///
    /// ```
    /// # use firebrick_core::{DType, Scalar};
    /// assert_eq!((Scalar::Int(1).dtype(), Scalar::Float(1.0).dtype()), (DType::I64, DType::F32));
    /// ```
    pub fn dtype(self) -> DType {
        match self {
            Scalar::Bool(_) => DType::Bool,
            Scalar::Int(_) => DType::I64,
            Scalar::Float(_) => default_dtype(),
            Scalar::Complex(_) => default_dtype().to_complex(),
        }
    }

    /// Refuses a number that lies beyond what `dtype` holds. Unsigned integers take negative numbers that wrap once.
    pub(crate) fn check_range(self, op: &'static str, dtype: DType) -> Result<()> {
        let (low, high) = match dtype {
            DType::Bool => return Ok(()),
            DType::U8 => (-255.0, 255.0),
            DType::I8 => (-128.0, 127.0),
            DType::I16 => (-32768.0, 32767.0),
            DType::I32 => (i32::MIN as f64, i32::MAX as f64),
            DType::I64 => (i64::MIN as f64, i64::MAX as f64),
            DType::F16 => (-65504.0, 65504.0),
            DType::BF16 => (half::bf16::MIN.to_f64(), half::bf16::MAX.to_f64()),
            DType::F32 => (f32::MIN as f64, f32::MAX as f64),
            DType::F64 => (f64::MIN, f64::MAX),
            DType::C64 | DType::C128 => return Ok(()),
        };
        let value = self.to_f64();
        let special = dtype.is_floating_point() && !value.is_finite();
        if self.is_real() && (special || (value >= low && value <= high)) {
            return Ok(());
        }
        let name = match dtype {
            DType::U8 => "uint8_t",
            DType::I8 => "int8_t",
            DType::I16 => "int16_t",
            DType::I64 => "int64_t",
            other => other.c_name(),
        };
        Err(Error::runtime(op, format!("value cannot be converted to type {name} without overflow"))
            .given(format!("{self:?}")))
    }

    /// Has it no imaginary part, or one of zero?
    ///
    /// ```
    /// # use firebrick_core::{Complex, Scalar};
    /// assert!(Scalar::Float(1.0).is_real() && !Scalar::Complex(Complex::new(0.0, 1.0)).is_real());
    /// ```
    pub fn is_real(self) -> bool {
        !matches!(self, Scalar::Complex(v) if v.im != 0.0)
    }

    /// As a floating-point number; the real part of a complex one.
    ///
    /// ```
    /// # use firebrick_core::Scalar;
    /// assert_eq!(Scalar::Int(2).to_f64(), 2.0);
    /// ```
    #[inline]
    pub fn to_f64(self) -> f64 {
        match self {
            Scalar::Bool(v) => v as u8 as f64,
            Scalar::Int(v) => v as f64,
            Scalar::Float(v) => v,
            Scalar::Complex(v) => v.re,
        }
    }

    /// As a complex number.
    ///
    /// ```
    /// # use firebrick_core::{Complex, Scalar};
    /// assert_eq!(Scalar::Int(2).to_complex(), Complex::new(2.0, 0.0));
    /// ```
    #[inline]
    pub fn to_complex(self) -> Complex<f64> {
        match self {
            Scalar::Complex(v) => v,
            real => Complex::from(real.to_f64()),
        }
    }

    /// As an integer; fractions are cut off.
    ///
    /// ```
    /// # use firebrick_core::Scalar;
    /// assert_eq!(Scalar::Float(-2.9).to_i64(), -2);
    /// ```
    #[inline]
    pub fn to_i64(self) -> i64 {
        match self {
            Scalar::Bool(v) => v as i64,
            Scalar::Int(v) => v,
            Scalar::Float(v) => v as i64,
            Scalar::Complex(v) => v.re as i64,
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

impl From<Complex<f64>> for Scalar {
    fn from(value: Complex<f64>) -> Self {
        Scalar::Complex(value)
    }
}

impl From<Complex<f32>> for Scalar {
    fn from(value: Complex<f32>) -> Self {
        Scalar::Complex(Complex::new(value.re as f64, value.im as f64))
    }
}
