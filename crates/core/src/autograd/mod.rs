//! Reverse-mode differentiation, defined by running.
//!
//! An operation on tensors that require gradients leaves a [`Node`] behind; `backward` walks the nodes from the
//! youngest to the oldest. [`no_grad`], [`enable_grad`] and [`inference_mode`] switch recording per thread.

mod accumulate;
mod engine;
pub mod function;
mod gradcheck;
mod gradient;
mod hooks;
pub(crate) mod inplace;
mod mode;
mod node;
mod run;
mod saved;
mod tensor_hooks;

pub use function::record;
pub use gradcheck::{GradCheck, gradcheck, gradgradcheck};
pub use hooks::TensorHookHandle;
pub use mode::{
    ModeGuard, detect_anomaly, enable_grad, inference_mode, is_anomaly_check_nan_enabled, is_anomaly_enabled,
    is_grad_enabled, is_inference_mode_enabled, no_grad, set_grad_enabled,
};
pub use node::{Grads, Node, swap_current_core};
pub use run::{Backward, Grad, backward, grad};

pub(crate) use function::refusing_gradients;
pub(crate) use gradient::Function;
pub(crate) use hooks::Hooks;
pub(crate) use mode::is_recording;
pub(crate) use node::{Edge, OutputInfo, records};
pub(crate) use saved::Saved;
