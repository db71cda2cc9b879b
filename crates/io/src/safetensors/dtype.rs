//! The element types of the format.

use crate::Float8;
use firebrick_core::DType;
use std::fmt;

macro_rules! dtypes {
    ($($(#[$doc:meta])* $variant:ident $name:literal $bits:literal)*) => {
        /// The type of a tensor's elements.
        ///
        /// The order is the one in which a file's tensors are sorted, last first.
        ///
        /// ```
        /// use firebrick_core::DType;
        /// use firebrick_io::Float8;
        /// use firebrick_io::safetensors::Dtype;
        /// let half = Dtype::from_name("F16").expect("a type");
        /// assert_eq!((half, half.name(), half.bits(), half.to_core()), (Dtype::F16, "F16", 16, Some(DType::F16)));
        /// assert_eq!((Dtype::from_core(DType::F16), Dtype::from_core(DType::C128)), (Some(half), None));
        /// assert_eq!(Dtype::F8E5M2.float8(), Some(Float8::E5M2));
        /// ```
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Dtype {
            $($(#[$doc])* $variant,)*
        }

        impl Dtype {
            /// Every type, in order.
            pub const ALL: &[Dtype] = &[$(Dtype::$variant),*];

            /// The name in a file; [`Dtype`] shows it.
            pub fn name(self) -> &'static str {
                match self {
                    $(Dtype::$variant => $name,)*
                }
            }

            /// Bits of one element; the smallest types share bytes. [`Dtype`] shows it.
            pub fn bits(self) -> usize {
                match self {
                    $(Dtype::$variant => $bits,)*
                }
            }
        }
    };
}

dtypes! {
    /// `torch.bool`, a byte that is 0 or 1.
    Bool "BOOL" 8
    /// Four bits: a sign, two of exponent, one of fraction.
    F4 "F4" 4
    /// Six bits: a sign, two of exponent, three of fraction.
    F6E2M3 "F6_E2M3" 6
    /// Six bits: a sign, three of exponent, two of fraction.
    F6E3M2 "F6_E3M2" 6
    /// `torch.uint8`
    U8 "U8" 8
    /// `torch.int8`
    I8 "I8" 8
    /// `torch.float8_e5m2`
    F8E5M2 "F8_E5M2" 8
    /// `torch.float8_e4m3fn`
    F8E4M3 "F8_E4M3" 8
    /// `torch.float8_e8m0fnu`
    F8E8M0 "F8_E8M0" 8
    /// `torch.float8_e4m3fnuz`
    F8E4M3Fnuz "F8_E4M3FNUZ" 8
    /// `torch.float8_e5m2fnuz`
    F8E5M2Fnuz "F8_E5M2FNUZ" 8
    /// `torch.int16`
    I16 "I16" 16
    /// `torch.uint16`
    U16 "U16" 16
    /// `torch.float16`
    F16 "F16" 16
    /// `torch.bfloat16`
    BF16 "BF16" 16
    /// `torch.int32`
    I32 "I32" 32
    /// `torch.uint32`
    U32 "U32" 32
    /// `torch.float32`
    F32 "F32" 32
    /// `torch.complex64`
    C64 "C64" 64
    /// `torch.float64`
    F64 "F64" 64
    /// `torch.int64`
    I64 "I64" 64
    /// `torch.uint64`
    U64 "U64" 64
}

impl Dtype {
    /// The type called `name` in a file; [`Dtype`] shows it.
    pub fn from_name(name: &str) -> Option<Dtype> {
        Self::ALL.iter().copied().find(|dtype| dtype.name() == name)
    }

    /// The eight-bit type of floating point that it is, if PyTorch has it; [`Dtype`] shows it.
    pub fn float8(self) -> Option<Float8> {
        Float8::ALL.into_iter().find(|&float8| Dtype::from(float8) == self)
    }
}

impl From<Float8> for Dtype {
    fn from(float8: Float8) -> Self {
        match float8 {
            Float8::E4M3Fn => Dtype::F8E4M3,
            Float8::E5M2 => Dtype::F8E5M2,
            Float8::E4M3Fnuz => Dtype::F8E4M3Fnuz,
            Float8::E5M2Fnuz => Dtype::F8E5M2Fnuz,
        }
    }
}

impl fmt::Display for Dtype {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

macro_rules! in_both {
    ($($dtype:ident)*) => {
        impl Dtype {
            /// The type of a file for tensors of `dtype`; the format has no complex128.
            pub fn from_core(dtype: DType) -> Option<Dtype> {
                match dtype {
                    $(DType::$dtype => Some(Dtype::$dtype),)*
                    DType::C128 => None,
                }
            }

            /// The dtype of tensors with such elements, if Firebrick has it; [`Dtype`] shows it.
            pub fn to_core(self) -> Option<DType> {
                match self {
                    $(Dtype::$dtype => Some(DType::$dtype),)*
                    _ => None,
                }
            }
        }
    };
}
in_both!(Bool U8 I8 I16 I32 I64 F16 BF16 F32 F64 C64);
