//! The two element types that the arithmetic kernels are compiled for.

use std::fmt::Debug;
use std::ops::{Add, AddAssign, Div, Mul};

use super::conv::winograd::kernels::{self as winograd, Transforms};
use super::gemm::kernels::Kernels;

/// `f32` or `f64`.
pub trait Float:
    Copy
    + Send
    + Sync
    + Debug
    + Default
    + PartialOrd
    + Add<Output = Self>
    + AddAssign
    + Mul<Output = Self>
    + Div<Output = Self>
    + 'static
{
    /// Zero.
    const ZERO: Self;
    /// One.
    const ONE: Self;
    /// Below every number.
    const NEG_INFINITY: Self;

    /// The nearest value.
    fn from_f64(x: f64) -> Self;

    /// `self * a + b`, rounded once where the processor does so by itself.
    fn mul_add(self, a: Self, b: Self) -> Self;

    /// Whether this is not a number.
    fn is_nan(self) -> bool;

    /// The compiled kernels that suit this processor best.
    #[doc(hidden)]
    fn kernels() -> &'static Kernels<Self>;

    /// The compiled transforms of fast convolution with vectors of `lanes`; none in double precision.
    #[doc(hidden)]
    fn transforms(lanes: usize) -> Option<&'static Transforms<Self>>;
}

/// Whether every target of this build multiplies and adds in one instruction. Elsewhere the standard library calls a
/// function for it, which costs a hundred times as much.
pub(super) const FUSED: bool = cfg!(any(target_arch = "aarch64", target_feature = "fma"));

macro_rules! float {
    ($($type:ident: $transforms:expr),*) => {$(
        impl Float for $type {
            const ZERO: Self = 0.0;
            const ONE: Self = 1.0;
            const NEG_INFINITY: Self = $type::NEG_INFINITY;

            #[inline(always)]
            fn from_f64(x: f64) -> Self {
                x as $type
            }

            #[inline(always)]
            fn mul_add(self, a: Self, b: Self) -> Self {
                if FUSED { $type::mul_add(self, a, b) } else { self * a + b }
            }

            #[inline(always)]
            fn is_nan(self) -> bool {
                $type::is_nan(self)
            }

            fn kernels() -> &'static Kernels<Self> {
                super::gemm::kernels::$type()
            }

            fn transforms(lanes: usize) -> Option<&'static Transforms<Self>> {
                $transforms(lanes)
            }
        }
    )*};
}
float!(f32: winograd::f32, f64: |_| None);
