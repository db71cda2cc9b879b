//! Mixed precision: operations that choose their own dtype, PyTorch's `torch.amp`.
//!
//! | file | what it holds |
//! |---|---|
//! | `autocast` | [`autocast`], [`Autocast`]: where it is on, and in which dtype |
//! | `cast` | operands as an operation wants them |
//! | `cache` | casts of parameters, made once |
//! | `lists` | which operation does what |
//!
//! Inside of [`autocast`], products and convolutions compute in the lower dtype and losses and factorizations in single
//! precision, whatever dtype their operands have; the rest follows its operands. The casts are recorded, so that
//! gradients arrive in the dtype of the parameters. Scaling of losses is `GradScaler` of the crate of optimizers.
//!
//! ```
//! use firebrick_core::{DType, Device, Tensor, amp::autocast};
//! let (x, w) = (Tensor::ones([2, 3])?, Tensor::ones([3, 2])?);
//! let y = autocast(Device::Cpu).scope(|| x.mm(&w))?;
//! assert_eq!(y.dtype(), DType::BF16);
//! # Ok::<_, firebrick_core::Error>(())
//! ```

mod autocast;
mod cache;
mod cast;
mod lists;

pub use autocast::{
    Autocast, AutocastGuard, autocast, autocast_dtype, is_autocast_available, is_autocast_cache_enabled,
    is_autocast_enabled, set_autocast_dtype,
};
pub use cache::clear_autocast_cache;
pub use cast::autocast_cast;

pub(crate) use autocast::Suspended;
pub(crate) use cast::{cast, promote};
