//! Element types and PyTorch's promotion between them.

use std::fmt;

/// The element type of a tensor. `Display` is PyTorch's `torch.float32`.
///
/// ```
/// # use firebrick_core::{DType, Tensor};
/// let x = Tensor::new([1.5f32, 2.5])?;
/// assert_eq!(x.to(DType::I64)?.to_vec::<i64>()?, [1, 2]);
/// assert_eq!(DType::BF16.size(), 2);
/// # Ok::<_, firebrick_core::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum DType {
    /// Truth values, one byte each.
    Bool,
    /// Unsigned 8-bit integers.
    U8,
    /// Signed 8-bit integers.
    I8,
    /// Signed 16-bit integers.
    I16,
    /// Signed 32-bit integers.
    I32,
    /// Signed 64-bit integers: indices and labels.
    I64,
    /// IEEE half precision.
    F16,
    /// bfloat16: the upper half of a float32.
    BF16,
    /// Single precision: the default.
    F32,
    /// Double precision.
    F64,
    /// Complex numbers with parts of single precision.
    C64,
    /// Complex numbers with parts of double precision.
    C128,
}

/// How far up the promotion ladder a dtype stands: bool, integer, floating point, complex.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Category {
    /// Truth values.
    Bool,
    /// Integers of any width.
    Integer,
    /// Floating point of any width.
    Float,
    /// Complex numbers of any width.
    Complex,
}

impl DType {
    /// Every dtype.
    pub const ALL: [DType; 12] = [
        DType::Bool,
        DType::U8,
        DType::I8,
        DType::I16,
        DType::I32,
        DType::I64,
        DType::F16,
        DType::BF16,
        DType::F32,
        DType::F64,
        DType::C64,
        DType::C128,
    ];

    /// Bytes of one element.
    ///
    /// ```
    /// # use firebrick_core::DType;
    /// assert_eq!(DType::F64.size(), 8);
    /// ```
    #[inline]
    pub const fn size(self) -> usize {
        match self {
            DType::Bool | DType::U8 | DType::I8 => 1,
            DType::I16 | DType::F16 | DType::BF16 => 2,
            DType::I32 | DType::F32 => 4,
            DType::I64 | DType::F64 | DType::C64 => 8,
            DType::C128 => 16,
        }
    }

    /// Can it hold fractions of real numbers?
    ///
    /// ```
    /// # use firebrick_core::DType;
    /// assert!(DType::BF16.is_floating_point() && !DType::I64.is_floating_point());
    /// ```
    #[inline]
    pub const fn is_floating_point(self) -> bool {
        matches!(self, DType::F16 | DType::BF16 | DType::F32 | DType::F64)
    }

    /// Does it hold complex numbers?
    ///
    /// ```
    /// # use firebrick_core::DType;
    /// assert!(DType::C64.is_complex());
    /// ```
    #[inline]
    pub const fn is_complex(self) -> bool {
        matches!(self, DType::C64 | DType::C128)
    }

    /// Can it hold gradients? Floating point and complex numbers do.
    ///
    /// ```
    /// # use firebrick_core::DType;
    /// assert!(DType::F32.is_differentiable() && !DType::I64.is_differentiable());
    /// ```
    #[inline]
    pub const fn is_differentiable(self) -> bool {
        self.is_floating_point() || self.is_complex()
    }

    /// The dtype of the parts of a complex number; a real dtype itself.
    ///
    /// ```
    /// # use firebrick_core::DType;
    /// assert_eq!(DType::C64.to_real(), DType::F32);
    /// ```
    #[inline]
    pub const fn to_real(self) -> DType {
        match self {
            DType::C64 => DType::F32,
            DType::C128 => DType::F64,
            real => real,
        }
    }

    /// The complex dtype with parts of this one, wide enough for it.
    ///
    /// PyTorch has complex32 for the two small floating dtypes; here they become complex64.
    ///
    /// ```
    /// # use firebrick_core::DType;
    /// assert_eq!(DType::F32.to_complex(), DType::C64);
    /// ```
    #[inline]
    pub const fn to_complex(self) -> DType {
        match self {
            DType::F64 | DType::C128 => DType::C128,
            _ => DType::C64,
        }
    }

    /// Bool, integer, floating point or complex.
    ///
    /// ```
    /// # use firebrick_core::{Category, DType};
    /// assert_eq!(DType::U8.category(), Category::Integer);
    /// ```
    #[inline]
    pub const fn category(self) -> Category {
        match self {
            DType::Bool => Category::Bool,
            DType::U8 | DType::I8 | DType::I16 | DType::I32 | DType::I64 => Category::Integer,
            DType::C64 | DType::C128 => Category::Complex,
            _ => Category::Float,
        }
    }

    /// PyTorch's name without the `torch.` before it.
    ///
    /// ```
    /// # use firebrick_core::DType;
    /// assert_eq!(DType::F32.name(), "float32");
    /// ```
    pub const fn name(self) -> &'static str {
        match self {
            DType::Bool => "bool",
            DType::U8 => "uint8",
            DType::I8 => "int8",
            DType::I16 => "int16",
            DType::I32 => "int32",
            DType::I64 => "int64",
            DType::F16 => "float16",
            DType::BF16 => "bfloat16",
            DType::F32 => "float32",
            DType::F64 => "float64",
            DType::C64 => "complex64",
            DType::C128 => "complex128",
        }
    }

    /// The C++ name that PyTorch's error texts use, such as `Float` or `Long`.
    ///
    /// ```
    /// # use firebrick_core::DType;
    /// assert_eq!(DType::I64.scalar_name(), "Long");
    /// ```
    pub const fn scalar_name(self) -> &'static str {
        match self {
            DType::Bool => "Bool",
            DType::U8 => "Byte",
            DType::I8 => "Char",
            DType::I16 => "Short",
            DType::I32 => "Int",
            DType::I64 => "Long",
            DType::F16 => "Half",
            DType::BF16 => "BFloat16",
            DType::F32 => "Float",
            DType::F64 => "Double",
            DType::C64 => "ComplexFloat",
            DType::C128 => "ComplexDouble",
        }
    }

    /// The C++ name of one element in PyTorch's error texts, such as `float` or `long int`.
    ///
    /// ```
    /// # use firebrick_core::DType;
    /// assert_eq!(DType::I64.c_name(), "long int");
    /// ```
    pub const fn c_name(self) -> &'static str {
        match self {
            DType::Bool => "bool",
            DType::U8 => "unsigned char",
            DType::I8 => "signed char",
            DType::I16 => "short int",
            DType::I32 => "int",
            DType::I64 => "long int",
            DType::F16 => "c10::Half",
            DType::BF16 => "c10::BFloat16",
            DType::F32 => "float",
            DType::F64 => "double",
            DType::C64 => "c10::complex<float>",
            DType::C128 => "c10::complex<double>",
        }
    }

    /// The dtype with this PyTorch name, with or without `torch.`.
    ///
    /// ```
    /// # use firebrick_core::DType;
    /// assert_eq!(DType::from_name("torch.bfloat16"), Some(DType::BF16));
    /// assert_eq!(DType::from_name("float"), None);
    /// ```
    pub fn from_name(name: &str) -> Option<DType> {
        let name = name.strip_prefix("torch.").unwrap_or(name);
        DType::ALL.into_iter().find(|d| d.name() == name)
    }

    /// `torch.promote_types`: the smallest dtype that holds both, by PyTorch's table.
    ///
    /// ```
    /// # use firebrick_core::DType;
    /// assert_eq!(DType::I64.promote(DType::F16), DType::F16);
    /// assert_eq!(DType::U8.promote(DType::I8), DType::I16);
    /// ```
    pub fn promote(self, other: DType) -> DType {
        use DType::*;
        match (self.min(other), self.max(other)) {
            (a, b) if a == b => a,
            (Bool, b) => b,
            (U8, I8) => I16,
            (F16, BF16) => F32,
            (F64, C64) => C128,
            // The order of the variants is the order of promotion everywhere else.
            (_, b) => b,
        }
    }

    /// `torch.can_cast`: is casting from this dtype to `to` allowed by the promotion rules?
    ///
    /// ```
    /// # use firebrick_core::DType;
    /// assert!(DType::I64.can_cast(DType::F16) && !DType::F32.can_cast(DType::I64));
    /// ```
    pub fn can_cast(self, to: DType) -> bool {
        self.category() <= to.category()
    }

    /// This dtype when it is a floating or complex one, else float32: what `exp` or `mean` compute in.
    ///
    /// ```
    /// # use firebrick_core::DType;
    /// assert_eq!((DType::I64.to_float(), DType::F64.to_float()), (DType::F32, DType::F64));
    /// ```
    pub fn to_float(self) -> DType {
        if self.is_differentiable() { self } else { crate::default_dtype() }
    }
}

impl fmt::Display for DType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "torch.{}", self.name())
    }
}
