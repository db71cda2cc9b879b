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
///
/// ```
/// use firebrick::prelude::*;
/// let hook = nn::register_module_forward_pre_hook(|module, _| match module.type_name() {
///     "Identity" => Err(Error::runtime("check", "not here")),
///     _ => Ok(()),
/// });
/// assert!(nn::Identity::new().call(Tensor::ones([1])?).is_err());
/// hook.remove();
/// assert!(nn::Identity::new().call(Tensor::ones([1])?).is_ok());
/// # Ok::<_, firebrick::Error>(())
/// ```
pub fn register_module_forward_pre_hook(
    hook: impl Fn(&dyn Module, &mut dyn Args) -> Result<()> + Send + Sync + 'static,
) -> HookHandle {
    table().add(|hooks, id| insert(&mut hooks.pre, id, Arc::new(hook), false))
}

/// Runs after `forward` of every module; with `always_call` also after an error, with no output.
///
/// ```
/// use firebrick::prelude::*;
/// use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
/// static CALLS: AtomicUsize = AtomicUsize::new(0);
/// let hook = nn::register_module_forward_hook(nn::HookOptions::new(), |_, _, _| {
///     CALLS.fetch_add(1, Relaxed);
///     Ok(())
/// });
/// nn::Sequential::new().add(nn::ReLU::new()).add(nn::Tanh::new()).call(Tensor::ones([1])?)?;
/// assert_eq!(CALLS.load(Relaxed), 3); // of the list, too
/// hook.remove();
/// # Ok::<_, firebrick::Error>(())
/// ```
pub fn register_module_forward_hook(
    options: HookOptions,
    hook: impl Fn(&dyn Module, &dyn Args, Option<&mut dyn Args>) -> Result<()> + Send + Sync + 'static,
) -> HookHandle {
    let hook = PostHook { run: Arc::new(hook), always: options.always_call };
    table().add(|hooks, id| insert(&mut hooks.post, id, hook, options.prepend))
}

/// Runs in backward when the gradients of a module's outputs are known, for every module.
///
/// ```
/// use firebrick::prelude::*;
/// let hook = nn::register_module_full_backward_pre_hook(|module, grad_output| {
///     assert_eq!((module.type_name(), grad_output.len()), ("Linear", 1));
///     Ok(None)
/// });
/// nn::Linear::new(3, 2)?.call(Tensor::ones([1, 3])?)?.sum()?.backward()?;
/// hook.remove();
/// # Ok::<_, firebrick::Error>(())
/// ```
pub fn register_module_full_backward_pre_hook(
    hook: impl Fn(&ModuleInfo, &Gradients) -> Result<Option<Vec<crate::Gradient>>> + Send + Sync + 'static,
) -> HookHandle {
    table().add(|hooks, id| insert(&mut hooks.backward_pre, id, Arc::new(hook), false))
}

/// Runs in backward when the gradients of a module's inputs are known, for every module.
///
/// ```
/// use firebrick::prelude::*;
/// let hook = nn::register_module_full_backward_hook(|_, grad_input, _| {
///     Ok(Some(grad_input.iter().map(|grad| grad.as_ref().map(|grad| grad.neg()).transpose()).collect::<Result<_>>()?))
/// });
/// let x = Parameter::new(Tensor::ones([1])?);
/// nn::Identity::new().call(&x)?.backward()?;
/// assert_eq!(x.grad().map(|grad| grad.item::<f32>()).transpose()?, Some(-1.0));
/// hook.remove();
/// # Ok::<_, firebrick::Error>(())
/// ```
pub fn register_module_full_backward_hook(
    hook: impl Fn(&ModuleInfo, &Gradients, &Gradients) -> Result<Option<Vec<crate::Gradient>>> + Send + Sync + 'static,
) -> HookHandle {
    table().add(|hooks, id| insert(&mut hooks.backward, id, Arc::new(hook), false))
}
