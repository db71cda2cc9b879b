//! `ModuleExt`: the methods of every module that have type parameters or return the module itself.

use crate::backward_hooks::{Gradient, Gradients, ModuleInfo};
use crate::hooks::{HookHandle, HookOptions, PostHook, insert};
use crate::load_state_dict::IncompatibleKeys;
use crate::module::exclusive;
use crate::{Args, Memo, Module, conversion, extra, scope, submodule, traverse};
use firebrick_core::{DType, Device, Error, Result, StateDict, To};
use std::sync::Arc;

/// Methods of every module, concrete or `dyn`, that could not be called through `dyn Module` otherwise.
///
/// Implemented for every [`Module`]; the prelude brings it in.
pub trait ModuleExt: Module {
    /// Sets training mode here and in everything below: PyTorch's `train(mode)`.
    ///
    /// ```
    /// use firebrick::prelude::*;
    /// let net = nn::Sequential::new().add(nn::ReLU::new());
    /// assert!(!net.eval().is_training());
    /// assert!(net.train(true).is_training());
    /// ```
    fn train(&self, mode: bool) -> &Self {
        traverse::walk("", self.as_dyn(), &mut |_, module| {
            module.core().set_training(mode);
            true
        });
        self
    }

    /// Sets evaluation mode here and in everything below: `train(false)`.
    fn eval(&self) -> &Self {
        self.train(false)
    }

    /// Makes every parameter record gradients, or none of them.
    ///
    /// # Errors
    /// When a parameter's dtype cannot have gradients.
    fn requires_grad_(&self, requires_grad: bool) -> Result<&Self> {
        for parameter in self.parameters() {
            parameter.requires_grad_(requires_grad)?;
        }
        Ok(self)
    }

    /// Moves every parameter and buffer to a device, casts the floating-point ones to a dtype, or both.
    /// Each keeps its identity, so optimizers stay linked; gradients go along.
    ///
    /// # Errors
    /// A `TypeError` for a dtype that is neither floating point nor complex; a failing copy.
    ///
    /// ```
    /// use firebrick::prelude::*;
    /// let linear = nn::Linear::new(3, 2)?;
    /// linear.to(DType::F64)?;
    /// assert_eq!(linear.weight.dtype(), DType::F64);
    /// # Ok::<_, firebrick::Error>(())
    /// ```
    fn to(&self, to: impl Into<To>) -> Result<&Self> {
        conversion::convert(self.as_dyn(), to.into())?;
        Ok(self)
    }

    /// Casts floating-point parameters and buffers to `f32`.
    ///
    /// # Errors
    /// A failing copy.
    fn float(&self) -> Result<&Self> {
        self.to(DType::F32)
    }
    /// Casts floating-point parameters and buffers to `f64`.
    ///
    /// # Errors
    /// A failing copy.
    fn double(&self) -> Result<&Self> {
        self.to(DType::F64)
    }
    /// Casts floating-point parameters and buffers to `f16`.
    ///
    /// # Errors
    /// A failing copy.
    fn half(&self) -> Result<&Self> {
        self.to(DType::F16)
    }
    /// Casts floating-point parameters and buffers to `bf16`.
    ///
    /// # Errors
    /// A failing copy.
    fn bfloat16(&self) -> Result<&Self> {
        self.to(DType::BF16)
    }
    /// Moves every parameter and buffer to main memory.
    ///
    /// # Errors
    /// A failing copy.
    fn cpu(&self) -> Result<&Self> {
        self.to(Device::Cpu)
    }

    /// Calls `f` on everything below and then on the module itself, as PyTorch's `apply`.
    ///
    /// # Errors
    /// The first error of `f`.
    fn apply(&self, mut f: impl FnMut(&dyn Module) -> Result<()>) -> Result<&Self> {
        apply(self.as_dyn(), &mut f)?;
        Ok(self)
    }

    /// Python's `copy.deepcopy`: tensors and hooks of its own, ties kept inside the copy.
    ///
    /// # Errors
    /// When a parameter or buffer has a history.
    fn deep_clone(&self) -> Result<Self>
    where
        Self: Sized,
    {
        self.clone_with(&mut Memo::new())
    }

    /// Registers a child under a name that is no field.
    ///
    /// # Errors
    /// A `KeyError` for a malformed or taken name.
    fn add_module(&mut self, name: &str, module: impl Module) -> Result<()> {
        extra::add_module(exclusive(self.as_dyn_mut(), "add_module")?, name, Some(Box::new(module)))
    }

    /// PyTorch's other name of [`ModuleExt::add_module`].
    ///
    /// # Errors
    /// As there.
    fn register_module(&mut self, name: &str, module: impl Module) -> Result<()> {
        self.add_module(name, module)
    }

    /// Registers a name that holds no child, as PyTorch's `add_module(name, None)`: it prints as `None`.
    ///
    /// # Errors
    /// A `KeyError` for a malformed or taken name.
    fn add_empty_module(&mut self, name: &str) -> Result<()> {
        extra::add_module(exclusive(self.as_dyn_mut(), "add_module")?, name, None)
    }

    /// Takes off a member that was registered by name at run time; `false` when there is none.
    fn unregister(&mut self, name: &str) -> bool {
        self.as_dyn_mut().is_some_and(|module| extra::unregister(module, name))
    }

    /// Replaces the module at a dotted path, or adds one there when the name is free.
    ///
    /// A field takes its own type only: for a `Box<dyn Forward>`, as in `Sequential`, pass [`boxed`](crate::boxed).
    ///
    /// # Errors
    /// An empty path, a path through something that is no module, or a field of another type.
    ///
    /// ```
    /// use firebrick::prelude::*;
    /// let mut net = nn::Sequential::new().add(nn::Linear::new(3, 2)?).add(nn::ReLU::new());
    /// net.set_submodule("1", nn::boxed(nn::Identity::new()))?;
    /// assert_eq!(net.get_submodule("1")?.type_name(), "Identity");
    /// # Ok::<_, firebrick::Error>(())
    /// ```
    fn set_submodule(&mut self, target: &str, module: impl Module) -> Result<()> {
        submodule::set(exclusive(self.as_dyn_mut(), "set_submodule")?, target, module, false)
    }

    /// [`ModuleExt::set_submodule`] that only replaces: PyTorch's `strict=True`.
    ///
    /// # Errors
    /// As there, and when nothing is at the path.
    fn set_submodule_strict(&mut self, target: &str, module: impl Module) -> Result<()> {
        submodule::set(exclusive(self.as_dyn_mut(), "set_submodule")?, target, module, true)
    }

    /// Names the module below this one in which `error` arose, for one that came out of `backward`.
    ///
    /// Errors of `call` have their path already.
    fn locate(&self, error: Error) -> Error {
        scope::locate(self.as_dyn(), error)
    }

    /// A forward pre-hook for any input type.
    fn register_forward_pre_hook_any(
        &self,
        options: HookOptions,
        hook: impl Fn(&dyn Module, &mut dyn Args) -> Result<()> + Send + Sync + 'static,
    ) -> HookHandle {
        let table = self.core().hooks_for_adding();
        table.add(|hooks, id| insert(&mut hooks.pre, id, Arc::new(hook), options.prepend))
    }

    /// A forward hook for any input and output type; the output is `None` only with `always_call`, after an error.
    fn register_forward_hook_any(
        &self,
        options: HookOptions,
        hook: impl Fn(&dyn Module, &dyn Args, Option<&mut dyn Args>) -> Result<()> + Send + Sync + 'static,
    ) -> HookHandle {
        let hook = PostHook { run: Arc::new(hook), always: options.always_call };
        let table = self.core().hooks_for_adding();
        table.add(|hooks, id| insert(&mut hooks.post, id, hook, options.prepend))
    }

    /// Runs `hook` in backward when the gradients of the module's outputs are known; it may return others.
    fn register_full_backward_pre_hook(
        &self,
        options: HookOptions,
        hook: impl Fn(&ModuleInfo, &Gradients) -> Result<Option<Vec<Gradient>>> + Send + Sync + 'static,
    ) -> HookHandle {
        let table = self.core().hooks_for_adding();
        table.add(|hooks, id| insert(&mut hooks.backward_pre, id, Arc::new(hook), options.prepend))
    }

    /// Runs `hook(module, grad_input, grad_output)` in backward when the gradients of the module's inputs are
    /// known; it may return other input gradients.
    fn register_full_backward_hook(
        &self,
        options: HookOptions,
        hook: impl Fn(&ModuleInfo, &Gradients, &Gradients) -> Result<Option<Vec<Gradient>>> + Send + Sync + 'static,
    ) -> HookHandle {
        let table = self.core().hooks_for_adding();
        table.add(|hooks, id| insert(&mut hooks.backward, id, Arc::new(hook), options.prepend))
    }

    /// Runs `hook(module, prefix)` before the module's entries are collected by `state_dict`.
    fn register_state_dict_pre_hook(&self, hook: impl Fn(&dyn Module, &str) + Send + Sync + 'static) -> HookHandle {
        let table = self.core().hooks_for_adding();
        table.add(|hooks, id| insert(&mut hooks.state_dict_pre, id, Arc::new(hook), false))
    }

    /// Runs `hook(module, state, prefix)` after the module's entries were collected; it may change them.
    fn register_state_dict_post_hook(
        &self,
        hook: impl Fn(&dyn Module, &mut StateDict, &str) + Send + Sync + 'static,
    ) -> HookHandle {
        let table = self.core().hooks_for_adding();
        table.add(|hooks, id| insert(&mut hooks.state_dict_post, id, Arc::new(hook), false))
    }

    /// Runs `hook(module, state, prefix)` before the module's entries are looked up; it may change the copy of the
    /// checkpoint that is being loaded.
    fn register_load_state_dict_pre_hook(
        &self,
        hook: impl Fn(&dyn Module, &mut StateDict, &str) -> Result<()> + Send + Sync + 'static,
    ) -> HookHandle {
        let table = self.core().hooks_for_adding();
        table.add(|hooks, id| insert(&mut hooks.load_pre, id, Arc::new(hook), false))
    }

    /// Runs `hook(module, keys)` when missing and unexpected keys are known; what it removes is no error.
    ///
    /// It runs before anything is written, where PyTorch 2.15 runs it after.
    fn register_load_state_dict_post_hook(
        &self,
        hook: impl Fn(&dyn Module, &mut IncompatibleKeys) -> Result<()> + Send + Sync + 'static,
    ) -> HookHandle {
        let table = self.core().hooks_for_adding();
        table.add(|hooks, id| insert(&mut hooks.load_post, id, Arc::new(hook), false))
    }
}

impl<M: Module + ?Sized> ModuleExt for M {}

fn apply(module: &dyn Module, f: &mut dyn FnMut(&dyn Module) -> Result<()>) -> Result<()> {
    for child in module.children() {
        apply(child, f)?;
    }
    f(module)
}
