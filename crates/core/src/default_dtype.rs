//! The dtype of new floating-point tensors.

use crate::{DType, Error, Result};
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};

static DOUBLE: AtomicBool = AtomicBool::new(false);

/// `torch.get_default_dtype()`: float32 unless set otherwise.
///
/// ```
/// # use firebrick_core::{DType, default_dtype};
/// assert_eq!(default_dtype(), DType::F32);
/// ```
#[inline]
pub fn default_dtype() -> DType {
    if DOUBLE.load(Relaxed) { DType::F64 } else { DType::F32 }
}

/// `torch.set_default_dtype(dtype)` for float32 and float64.
///
/// # Errors
/// Any other dtype.
///
/// ```
/// # use firebrick_core::{DType, Tensor, set_default_dtype};
/// set_default_dtype(DType::F64)?;
/// assert_eq!(Tensor::zeros([1])?.dtype(), DType::F64);
/// # Ok::<_, firebrick_core::Error>(())
/// ```
pub fn set_default_dtype(dtype: DType) -> Result<()> {
    if !matches!(dtype, DType::F32 | DType::F64) {
        return Err(Error::type_("set_default_dtype", "only floating-point types are supported as the default type")
            .given(dtype.to_string())
            .expected("torch.float32 or torch.float64"));
    }
    DOUBLE.store(dtype == DType::F64, Relaxed);
    Ok(())
}
