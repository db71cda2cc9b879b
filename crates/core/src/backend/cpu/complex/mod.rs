//! Complex numbers: formulas of one element, and copies by the parts.
//!
//! Everything is computed in double precision, element by element, and nothing here is tuned. What moves data or sums it up
//! needs no kernels of its own: a complex body is one of real numbers with a further dimension of size 2.

mod formula;
mod inverse;
mod map;
mod math;

pub(crate) use formula::formula;
pub(super) use map::run;

use super::{copy, layout};
use crate::tensor::Body;
use crate::{DType, Scalar};

/// Copies and converts where one side at least is complex: a real number gets an imaginary part of zero, of a complex
/// one the real part is kept, and bool is true where either part is not zero.
///
/// # Safety
/// The storages are locked; shapes are equal.
pub(super) unsafe fn copy(src: &Body, out: &Body) {
    // SAFETY: the parts are elements of the same locked storages.
    unsafe {
        match (src.dtype.is_complex(), out.dtype.is_complex()) {
            (true, true) => copy::copy(&src.as_real(), &out.as_real()),
            (true, false) if out.dtype == DType::Bool => map::truth(src, out),
            (true, false) => copy::copy(&src.part(0), out),
            (false, _) => {
                copy::copy(src, &out.part(0));
                fill(&out.part(1), 0.0);
            }
        }
    }
}

/// Sets every element.
///
/// # Safety
/// The storage is locked for writing.
pub(super) unsafe fn fill_all(out: &Body, value: Scalar) {
    let value = value.to_complex();
    // SAFETY: the parts are elements of the same locked storage.
    unsafe {
        fill(&out.part(0), value.re);
        fill(&out.part(1), value.im);
    }
}

unsafe fn fill(part: &Body, value: f64) {
    // SAFETY: the caller has locked the storage; the type is the part's.
    unsafe {
        match part.dtype {
            DType::F64 => layout::fill(part, value),
            _ => layout::fill(part, value as f32),
        }
    }
}
