//! One vector type per instruction set and element type, behind one trait, so that each kernel is written once.
//!
//! All methods are inlined into a function that enables the instruction set; that function is the one with the
//! `target_feature` attribute, and the one place that needs to know that the processor has it.
#![allow(unsafe_code)] // Vector instructions on raw pointers.

pub(super) mod portable;
#[cfg(target_arch = "x86_64")]
pub(super) mod x86;

use super::float::Float;
use std::sync::OnceLock;

/// The instructions that kernels are compiled for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Level {
    /// What every processor of the architecture has.
    Baseline,
    /// AVX2 with fused multiply-add.
    Avx2,
    /// AVX-512 with its byte, word, double-word and short vectors.
    Avx512,
}

/// The best level that this processor has. The environment variable `ATEN_CPU_CAPABILITY` can lower it, as in PyTorch: to
/// `avx2` or `default`.
#[inline]
pub(crate) fn level() -> Level {
    static LEVEL: OnceLock<Level> = OnceLock::new();
    *LEVEL.get_or_init(|| match std::env::var("ATEN_CPU_CAPABILITY").as_deref() {
        Ok("default") => Level::Baseline,
        Ok("avx2") => detected().min(Level::Avx2),
        _ => detected(),
    })
}

#[cfg(target_arch = "x86_64")]
fn detected() -> Level {
    let avx2 = is_x86_feature_detected!("avx2") && is_x86_feature_detected!("fma") && is_x86_feature_detected!("f16c");
    let avx512 = is_x86_feature_detected!("avx512f")
        && is_x86_feature_detected!("avx512vl")
        && is_x86_feature_detected!("avx512bw")
        && is_x86_feature_detected!("avx512dq");
    match (avx2, avx512) {
        (true, true) => Level::Avx512,
        (true, false) => Level::Avx2,
        _ => Level::Baseline,
    }
}

#[cfg(not(target_arch = "x86_64"))]
fn detected() -> Level {
    Level::Baseline
}

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
