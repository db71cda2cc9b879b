//! Reverse-mode differentiation, defined by running.
//!
//! An operation on tensors that require gradients leaves a node behind; `backward` walks the nodes from the
//! youngest to the oldest. [`no_grad`], [`enable_grad`] and [`inference_mode`] switch recording per thread.

mod accumulate;
mod engine;
pub mod function;
mod gradcheck;
mod gradient;
mod hooks;
pub(crate) mod inplace;
mod kept;
mod mode;
mod node;
mod run;
mod saved;
mod saved_hooks;
mod scopes;
mod tensor_hooks;
mod trace;

pub use function::record;
pub use gradcheck::{GradCheck, gradcheck, gradgradcheck};
pub use hooks::TensorHookHandle;
#[doc(hidden)]
pub use kept::{KeptGraph, take_kept};
pub use mode::{
    ModeGuard, detect_anomaly, enable_grad, inference_mode, is_anomaly_check_nan_enabled, is_anomaly_enabled,
    is_grad_enabled, is_inference_mode_enabled, no_grad, set_grad_enabled,
};
#[doc(hidden)]
pub use node::{Grads, Node, swap_current_core};
pub use run::{Backward, Grad, backward, grad};
pub use saved_hooks::{SavedTensorsHooks, saved_tensors_hooks};
#[doc(hidden)]
pub use scopes::{Scope, forget_scope, name_scope, scope};
#[doc(hidden)]
pub use trace::{PathEnd, PathEndKind, Trace, finish_trace, start_trace, take_recorded};

pub use crate::source::SourceLines;
#[doc(hidden)]
pub use crate::source::{Line, Running, module as running_module};

pub(crate) use function::refusing_gradients;
pub(crate) use gradient::Function;
pub(crate) use hooks::Hooks;
pub(crate) use mode::is_recording;
pub(crate) use node::{Edge, OutputInfo, records};
pub(crate) use saved::Saved;
pub(crate) use trace::{detached as note_detach, used as note_use};
