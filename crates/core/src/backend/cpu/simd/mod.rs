//! One vector type per instruction set and element type, behind one trait, so that each kernel is written once.
//!
//! All methods are inlined into a function that enables the instruction set; that function is the one with the
//! `target_feature` attribute, and the one place that needs to know that the processor has it.
#![allow(unsafe_code)] // Vector instructions on raw pointers.

#[cfg(target_arch = "x86_64")]
mod level;
pub(super) mod portable;
#[cfg(target_arch = "x86_64")]
pub(super) mod x86;

use super::float::Float;
#[cfg(target_arch = "x86_64")]
pub(crate) use level::{Level, level};

/// A vector of [`Float`]s.
///
/// # Safety
/// Every method requires that the processor has the instruction set of the type; those that take pointers, that the
/// elements they name can be read or written.
pub(crate) trait Simd: Copy {
    /// The element type.
    type Elem: Float;
    /// Elements in a vector.
    const LANES: usize;
    /// Rows and columns of the square that [`Simd::transpose`] handles.
    const SQUARE: usize;

    /// All lanes `x`.
    unsafe fn splat(x: Self::Elem) -> Self;
    /// Reads `LANES` elements.
    unsafe fn load(from: *const Self::Elem) -> Self;
    /// Reads the first `count <= LANES` elements only; the other lanes are zero.
    unsafe fn load_first(from: *const Self::Elem, count: usize) -> Self;
    /// Writes `LANES` elements.
    unsafe fn store(self, to: *mut Self::Elem);
    /// Writes the first `count <= LANES` elements only.
    unsafe fn store_first(self, to: *mut Self::Elem, count: usize);
    /// `self + other`.
    unsafe fn add(self, other: Self) -> Self;
    /// `self * a + b`.
    unsafe fn mul_add(self, a: Self, b: Self) -> Self;
    /// `max(self, 0)`; not-a-number stays.
    unsafe fn relu(self) -> Self;
    /// The sum of all lanes.
    unsafe fn sum(self) -> Self::Elem;
    /// Reads `SQUARE` elements at `from`, `from + across`, ... and writes them as the `count <= SQUARE` columns of
    /// `SQUARE` rows that are `row` elements apart.
    unsafe fn transpose(from: *const Self::Elem, across: isize, count: usize, to: *mut Self::Elem, row: usize);
}
