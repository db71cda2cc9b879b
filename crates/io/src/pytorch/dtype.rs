//! The element types of PyTorch and the storage classes that stand for them in files.

use crate::Float8;
use firebrick_core::DType;
use std::fmt;

macro_rules! dtypes {
    ($($(#[$doc:meta])* $variant:ident $name:literal $size:literal $storage:literal $core:expr;)*) => {
        /// The type of a tensor's elements: every dtype that PyTorch can save.
        ///
        /// Firebrick computes with those that have a [`Dtype::core`]; tensors of the others are kept as they are and can be
        /// written again. `Display` is PyTorch's name, such as `torch.float32`.
        ///
        /// ```
        /// use firebrick_core::DType;
        /// use firebrick_io::pytorch::Dtype;
        /// let half = Dtype::from_name("torch.float16").expect("a dtype");
        /// assert_eq!((half, half.name(), half.size()), (Dtype::F16, "float16", 2));
        /// assert_eq!((half.storage_class(), half.core()), (Some("HalfStorage"), Some(DType::F16)));
        /// assert_eq!((Dtype::U16.storage_class(), Dtype::U16.core(), Dtype::U16.float8()), (None, None, None));
        /// ```
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum Dtype {
            $($(#[$doc])* $variant,)*
        }

        impl Dtype {
            /// Every dtype.
            pub const ALL: &[Dtype] = &[$(Dtype::$variant),*];

            /// PyTorch's name without the `torch.` before it; [`Dtype`] shows it.
            pub const fn name(self) -> &'static str {
                match self {
                    $(Dtype::$variant => $name,)*
                }
            }

            /// Bytes of one element; of several packed ones for the smallest types; [`Dtype`] shows it.
            pub const fn size(self) -> usize {
                match self {
                    $(Dtype::$variant => $size,)*
                }
            }

            /// The class of storages of this dtype, such as `FloatStorage`; newer dtypes have none and are saved by way of
            /// `UntypedStorage`.
            pub const fn storage_class(self) -> Option<&'static str> {
                let class = match self {
                    $(Dtype::$variant => $storage,)*
                };
                if class.is_empty() { None } else { Some(class) }
            }

            /// The dtype that Firebrick computes with; [`Dtype`] shows it.
            pub const fn core(self) -> Option<DType> {
                match self {
                    $(Dtype::$variant => $core,)*
                }
            }
        }
    };
}

dtypes! {
    /// `torch.float64`
    F64 "float64" 8 "DoubleStorage" Some(DType::F64);
    /// `torch.float32`
    F32 "float32" 4 "FloatStorage" Some(DType::F32);
    /// `torch.float16`
    F16 "float16" 2 "HalfStorage" Some(DType::F16);
    /// `torch.bfloat16`
    BF16 "bfloat16" 2 "BFloat16Storage" Some(DType::BF16);
    /// `torch.int64`
    I64 "int64" 8 "LongStorage" Some(DType::I64);
    /// `torch.int32`
    I32 "int32" 4 "IntStorage" Some(DType::I32);
    /// `torch.int16`
    I16 "int16" 2 "ShortStorage" Some(DType::I16);
    /// `torch.int8`
    I8 "int8" 1 "CharStorage" Some(DType::I8);
    /// `torch.uint8`
    U8 "uint8" 1 "ByteStorage" Some(DType::U8);
    /// `torch.bool`
    Bool "bool" 1 "BoolStorage" Some(DType::Bool);
    /// `torch.complex128`
    C128 "complex128" 16 "ComplexDoubleStorage" Some(DType::C128);
    /// `torch.complex64`
    C64 "complex64" 8 "ComplexFloatStorage" Some(DType::C64);
    /// `torch.complex32`
    C32 "complex32" 4 "" None;
    /// `torch.bcomplex32`
    BC32 "bcomplex32" 4 "" None;
    /// `torch.uint16`
    U16 "uint16" 2 "" None;
    /// `torch.uint32`
    U32 "uint32" 4 "" None;
    /// `torch.uint64`
    U64 "uint64" 8 "" None;
    /// `torch.float8_e5m2`
    F8E5M2 "float8_e5m2" 1 "" None;
    /// `torch.float8_e4m3fn`
    F8E4M3Fn "float8_e4m3fn" 1 "" None;
    /// `torch.float8_e5m2fnuz`
    F8E5M2Fnuz "float8_e5m2fnuz" 1 "" None;
    /// `torch.float8_e4m3fnuz`
    F8E4M3Fnuz "float8_e4m3fnuz" 1 "" None;
    /// `torch.float8_e8m0fnu`
    F8E8M0Fnu "float8_e8m0fnu" 1 "" None;
    /// `torch.float4_e2m1fn_x2`, two numbers in a byte
    F4E2M1FnX2 "float4_e2m1fn_x2" 1 "" None;
    /// `torch.qint8`
    QI8 "qint8" 1 "QInt8Storage" None;
    /// `torch.quint8`
    QU8 "quint8" 1 "QUInt8Storage" None;
    /// `torch.qint32`
    QI32 "qint32" 4 "QInt32Storage" None;
    /// `torch.quint4x2`, two numbers in a byte
    QU4X2 "quint4x2" 1 "QUInt4x2Storage" None;
    /// `torch.quint2x4`, four numbers in a byte
    QU2X4 "quint2x4" 1 "QUInt2x4Storage" None;
    /// `torch.bits8`
    Bits8 "bits8" 1 "" None;
    /// `torch.bits16`
    Bits16 "bits16" 2 "" None;
    /// `torch.bits1x8`
    Bits1X8 "bits1x8" 1 "" None;
    /// `torch.bits2x4`
    Bits2X4 "bits2x4" 1 "" None;
    /// `torch.bits4x2`
    Bits4X2 "bits4x2" 1 "" None;
    /// `torch.uint1`
    U1 "uint1" 1 "" None;
    /// `torch.uint2`
    U2 "uint2" 1 "" None;
    /// `torch.uint3`
    U3 "uint3" 1 "" None;
    /// `torch.uint4`
    U4 "uint4" 1 "" None;
    /// `torch.uint5`
    U5 "uint5" 1 "" None;
    /// `torch.uint6`
    U6 "uint6" 1 "" None;
    /// `torch.uint7`
    U7 "uint7" 1 "" None;
    /// `torch.int1`
    I1 "int1" 1 "" None;
    /// `torch.int2`
    I2 "int2" 1 "" None;
    /// `torch.int3`
    I3 "int3" 1 "" None;
    /// `torch.int4`
    I4 "int4" 1 "" None;
    /// `torch.int5`
    I5 "int5" 1 "" None;
    /// `torch.int6`
    I6 "int6" 1 "" None;
    /// `torch.int7`
    I7 "int7" 1 "" None;
}

impl Dtype {
    /// The dtype with this PyTorch name, with or without `torch.`.
    pub fn from_name(name: &str) -> Option<Dtype> {
        let name = name.strip_prefix("torch.").unwrap_or(name);
        Self::ALL.iter().copied().find(|dtype| dtype.name() == name)
    }

    /// The eight-bit type of floating point that it is; [`Dtype`] shows it.
    pub fn float8(self) -> Option<Float8> {
        Float8::from_name(self.name())
    }

    /// The dtype of storages of this class.
    pub(super) fn from_storage_class(class: &str) -> Option<Dtype> {
        Self::ALL.iter().copied().find(|dtype| dtype.storage_class() == Some(class))
    }

    /// Can tensors of it need a gradient, in PyTorch?
    pub(super) fn can_require_grad(self) -> bool {
        let name = self.name();
        ["float", "bfloat", "complex", "bcomplex"].iter().any(|kind| name.starts_with(kind))
    }

    /// What the bytes of a storage are in memory: bools, which are 0 or 1, or any bytes.
    pub(super) fn in_memory(self) -> DType {
        if self == Dtype::Bool { DType::Bool } else { DType::U8 }
    }

    /// Bytes that are reversed together where the order of bytes differs: complex numbers by their parts.
    pub(super) fn swapped(self) -> usize {
        match self {
            Dtype::C128 | Dtype::C64 | Dtype::C32 | Dtype::BC32 => self.size() / 2,
            _ => self.size(),
        }
    }
}

impl From<DType> for Dtype {
    fn from(dtype: DType) -> Self {
        match dtype {
            DType::Bool => Dtype::Bool,
            DType::U8 => Dtype::U8,
            DType::I8 => Dtype::I8,
            DType::I16 => Dtype::I16,
            DType::I32 => Dtype::I32,
            DType::I64 => Dtype::I64,
            DType::F16 => Dtype::F16,
            DType::BF16 => Dtype::BF16,
            DType::F32 => Dtype::F32,
            DType::F64 => Dtype::F64,
            DType::C64 => Dtype::C64,
            DType::C128 => Dtype::C128,
        }
    }
}

impl From<Float8> for Dtype {
    fn from(float8: Float8) -> Self {
        match float8 {
            Float8::E4M3Fn => Dtype::F8E4M3Fn,
            Float8::E5M2 => Dtype::F8E5M2,
            Float8::E4M3Fnuz => Dtype::F8E4M3Fnuz,
            Float8::E5M2Fnuz => Dtype::F8E5M2Fnuz,
        }
    }
}

impl fmt::Display for Dtype {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "torch.{}", self.name())
    }
}
