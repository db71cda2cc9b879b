//! Hooks on every module of the process: PyTorch's `torch.nn.modules.module.register_module_*`.
//!
//! They run before the module's own. For logging and profiling; a layer should not depend on them.

use crate::backward_hooks::{Gradients, ModuleInfo};
use crate::hooks::{HookHandle, HookOptions, HookTable, PostHook, insert};
use crate::{Args, Module};
use firebrick_core::Result;
use std::sync::{Arc, OnceLock};

static TABLE: OnceLock<HookTable> = OnceLock::new();

fn table() -> &'static HookTable {
    TABLE.get_or_init(HookTable::default)
}

/// Is any global hook registered now?
#[inline]
pub(crate) fn any() -> bool {
    TABLE.get().is_some_and(HookTable::any)
}

/// The global hooks, if there are any.
pub(crate) fn get() -> Option<&'static HookTable> {
    TABLE.get().filter(|table| table.any())
}

/// Runs before `forward` of every module.
pub fn register_module_forward_pre_hook(
    hook: impl Fn(&dyn Module, &mut dyn Args) -> Result<()> + Send + Sync + 'static,
) -> HookHandle {
    table().add(|hooks, id| insert(&mut hooks.pre, id, Arc::new(hook), false))
}

/// Runs after `forward` of every module; with `always_call` also after an error, with no output.
pub fn register_module_forward_hook(
    options: HookOptions,
    hook: impl Fn(&dyn Module, &dyn Args, Option<&mut dyn Args>) -> Result<()> + Send + Sync + 'static,
) -> HookHandle {
    let hook = PostHook { run: Arc::new(hook), always: options.always_call };
    table().add(|hooks, id| insert(&mut hooks.post, id, hook, options.prepend))
}

/// Runs in backward when the gradients of a module's outputs are known, for every module.
pub fn register_module_full_backward_pre_hook(
    hook: impl Fn(&ModuleInfo, &Gradients) -> Result<Option<Vec<crate::Gradient>>> + Send + Sync + 'static,
) -> HookHandle {
    table().add(|hooks, id| insert(&mut hooks.backward_pre, id, Arc::new(hook), false))
}

/// Runs in backward when the gradients of a module's inputs are known, for every module.
pub fn register_module_full_backward_hook(
    hook: impl Fn(&ModuleInfo, &Gradients, &Gradients) -> Result<Option<Vec<crate::Gradient>>> + Send + Sync + 'static,
) -> HookHandle {
    table().add(|hooks, id| insert(&mut hooks.backward, id, Arc::new(hook), false))
}
