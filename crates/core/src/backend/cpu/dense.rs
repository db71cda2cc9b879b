//! Contiguous bodies as slices, for kernels that want them whole.

use crate::tensor::Body;

/// # Safety
/// The body is contiguous, of type `T`, and locked.
pub(super) unsafe fn slice<T>(body: &Body) -> &[T] {
    unsafe { std::slice::from_raw_parts(body.ptr().cast(), body.numel()) }
}

/// # Safety
/// As [`slice`], locked for writing and seen by nobody else.
#[allow(clippy::mut_from_ref, reason = "the exclusive lock stands for the exclusive borrow")]
pub(super) unsafe fn slice_mut<T>(body: &Body) -> &mut [T] {
    unsafe { std::slice::from_raw_parts_mut(body.ptr().cast(), body.numel()) }
}

macro_rules! by_type {
    ($out:expr, $T:ident => $body:expr) => {
        // SAFETY: the caller's promise: contiguous, locked, of one type.
        unsafe {
            if $out.dtype == $crate::DType::F64 {
                type $T = f64;
                $body
            } else {
                type $T = f32;
                $body
            }
        }
    };
}

pub(super) use by_type;
