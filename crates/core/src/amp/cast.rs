//! Operands as an operation wants them under autocast.

use super::autocast::{State, is_autocast_available, state};
use super::cache;
use super::lists::{PROMOTED, Policy, policy};
use crate::{DType, Error, Result, Tensor};

/// `x` as `op` wants it under autocast; `None` where that is `x` itself.
#[cold]
pub(crate) fn cast(op: &str, x: &Tensor) -> Result<Option<Tensor>> {
    let Some(policy) = policy(op) else { return Ok(None) };
    if !eligible(x) || x.is_wrapped_number() {
        return Ok(None);
    }
    let (dtype, state) = (x.dtype(), state());
    match policy {
        Policy::Lower if dtype == state.dtype => Ok(None),
        Policy::Lower if is_cached(x, &state) => cache::cast(x, state.dtype).map(Some),
        Policy::Lower => x.to(state.dtype).map(Some),
        Policy::Single if dtype == DType::F32 => Ok(None),
        Policy::Single => x.to(DType::F32).map(Some),
    }
}

/// Is it on a device and of a dtype that autocast works on? Double precision stays.
fn eligible(x: &Tensor) -> bool {
    is_autocast_available(x.device()) && matches!(x.dtype(), DType::F32 | DType::F16 | DType::BF16)
}

/// Is its cast kept: is it a parameter in single precision?
fn is_cached(x: &Tensor, state: &State) -> bool {
    state.caches && x.dtype() == DType::F32 && x.requires_grad() && x.is_leaf() && x.view_of().is_none()
}

/// `x` as PyTorch's operation `op` wants it under autocast, for functions that are several operations here.
///
/// # Errors
/// When memory for the cast cannot be had.
///
/// ```
/// use firebrick_core::{DType, Device, Tensor, amp};
/// let x = Tensor::ones_with([2], DType::BF16)?;
/// assert_eq!(amp::autocast_cast("kl_div", &x)?.dtype(), DType::BF16);
/// let cast = amp::autocast(Device::Cpu).scope(|| amp::autocast_cast("kl_div", &x))?;
/// assert_eq!(cast.dtype(), DType::F32);
/// # Ok::<_, firebrick_core::Error>(())
/// ```
pub fn autocast_cast(op: &str, x: &Tensor) -> Result<Tensor> {
    let cast = if state().on { cast(op, x)? } else { None };
    Ok(cast.unwrap_or_else(|| x.clone()))
}

/// Operands of an operation that PyTorch lifts to the widest dtype among them: the lower one or single precision.
///
/// # Errors
/// One of the other 16-bit dtype while none is of single precision, as in PyTorch.
pub(crate) fn promote(op: &'static str, operands: Vec<Tensor>) -> Result<Vec<Tensor>> {
    let state = state();
    if !state.on || !PROMOTED.contains(&op) {
        return Ok(operands);
    }
    let mut widest = state.dtype;
    for x in operands.iter().filter(|x| eligible(x)) {
        if x.dtype() == DType::F32 {
            widest = DType::F32;
        } else if widest != DType::F32 && x.dtype() != widest {
            return Err(Error::runtime(op, "Unexpected floating ScalarType in at::autocast::prioritize"));
        }
    }
    operands.into_iter().map(|x| if eligible(&x) { x.to(widest) } else { Ok(x) }).collect()
}
