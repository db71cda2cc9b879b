//! `ModuleExt`: the methods of every module that have type parameters or return the module itself.

use crate::backward_hooks::{Gradient, Gradients, ModuleInfo};
use crate::extra::exclusive;
use crate::hooks::{HookHandle, HookOptions, PostHook, insert};
use crate::load_state_dict::{IncompatibleKeys, Loading};
use crate::{Args, Memo, Module, conversion, extra, scope, submodule, traverse};
use firebrick_core::{DType, Device, Error, Result, StateDict, Tensor, To};
use std::sync::Arc;

/// Methods of every module, concrete or `dyn`, that could not be called through `dyn Module` otherwise.
///
/// Implemented for every [`Module`]; the prelude brings it in.
///
/// ```
/// use firebrick::prelude::*;
/// let net = nn::Sequential::new().add(nn::Linear::new(3, 2)?).add(nn::Dropout::new(0.5)?);
/// net.to(DType::F64)?.eval().requires_grad_(false)?;
/// assert_eq!(net.call(Tensor::ones_with([1, 3], DType::F64)?)?.dtype(), DType::F64);
/// # Ok::<_, firebrick::Error>(())
/// ```
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
    ///
    /// ```
    /// use firebrick::prelude::*;
    /// let net = nn::Sequential::new().add(nn::Dropout::new(0.5)?);
    /// assert!(net.eval().modules().iter().all(|module| !module.is_training()));
    /// # Ok::<_, firebrick::Error>(())
    /// ```
    fn eval(&self) -> &Self {
        self.train(false)
    }

    /// Makes every parameter record gradients, or none of them.
    ///
    /// # Errors
    /// When a parameter's dtype cannot have gradients.
    ///
    /// ```
    /// use firebrick::prelude::*;
    /// let linear = nn::Linear::new(3, 2)?;
    /// linear.requires_grad_(false)?;
    /// assert!(!linear.call(Tensor::ones([1, 3])?)?.requires_grad());
    /// # Ok::<_, firebrick::Error>(())
    /// ```
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
    ///
    /// ```
    /// use firebrick::prelude::*;
    /// let linear = nn::Linear::new(3, 2)?;
    /// assert_eq!(linear.double()?.float()?.weight.dtype(), DType::F32);
    /// # Ok::<_, firebrick::Error>(())
    /// ```
    fn float(&self) -> Result<&Self> {
        self.to(DType::F32)
    }
    /// Casts floating-point parameters and buffers to `f64`.
    ///
    /// # Errors
    /// A failing copy.
    ///
    /// ```
    /// use firebrick::prelude::*;
    /// let (linear, input) = (nn::Linear::new(3, 2)?, Tensor::ones_with([1, 3], DType::F64)?);
    /// assert_eq!(linear.double()?.call(input)?.dtype(), DType::F64);
    /// # Ok::<_, firebrick::Error>(())
    /// ```
    fn double(&self) -> Result<&Self> {
        self.to(DType::F64)
    }
    /// Casts floating-point parameters and buffers to `f16`.
    ///
    /// # Errors
    /// A failing copy.
    ///
    /// ```
    /// use firebrick::prelude::*;
    /// assert_eq!(nn::Linear::new(3, 2)?.half()?.weight.dtype(), DType::F16);
    /// # Ok::<_, firebrick::Error>(())
    /// ```
    fn half(&self) -> Result<&Self> {
        self.to(DType::F16)
    }
    /// Casts floating-point parameters and buffers to `bf16`.
    ///
    /// # Errors
    /// A failing copy.
    ///
    /// ```
    /// use firebrick::prelude::*;
    /// let norm = nn::BatchNorm1d::new(2)?;
    /// norm.bfloat16()?;
    /// let dtypes: Vec<_> = norm.buffers().iter().map(|buffer| buffer.dtype()).collect();
    /// assert_eq!(dtypes, [DType::BF16, DType::BF16, DType::I64]); // counts stay integers
    /// # Ok::<_, firebrick::Error>(())
    /// ```
    fn bfloat16(&self) -> Result<&Self> {
        self.to(DType::BF16)
    }
    /// Moves every parameter and buffer to main memory.
    ///
    /// # Errors
    /// A failing copy.
    ///
    /// ```
    /// use firebrick::prelude::*;
    /// assert_eq!(nn::Linear::new(3, 2)?.cpu()?.weight.device(), Device::Cpu);
    /// # Ok::<_, firebrick::Error>(())
    /// ```
    fn cpu(&self) -> Result<&Self> {
        self.to(Device::Cpu)
    }

    /// Casts every parameter and buffer to `dtype`, those of integers as well: PyTorch's `type(dtype)`.
    ///
    /// # Errors
    /// A parameter that requires grad and a dtype without fractions; a failing copy.
    ///
    /// ```
    /// use firebrick::prelude::*;
    /// let norm = nn::BatchNorm1d::new(2)?;
    /// norm.type_(DType::F64)?;
    /// assert!(norm.buffers().iter().all(|buffer| buffer.dtype() == DType::F64));
    /// # Ok::<_, firebrick::Error>(())
    /// ```
    fn type_(&self, dtype: DType) -> Result<&Self> {
        conversion::cast_all(self.as_dyn(), dtype)?;
        Ok(self)
    }

    /// Gives every parameter and buffer memory on `device` without copying its values, which are arbitrary then.
    ///
    /// # Errors
    /// When the memory cannot be had.
    ///
    /// ```
    /// use firebrick::prelude::*;
    /// let linear = nn::Linear::builder(3, 2).device(Device::Meta).build()?;
    /// linear.to_empty(Device::Cpu)?;
    /// assert_eq!((linear.weight.device(), linear.weight.shape()?), (Device::Cpu, [2, 3].into()));
    /// # Ok::<_, firebrick::Error>(())
    /// ```
    fn to_empty(&self, device: Device) -> Result<&Self> {
        self.to_empty_with(device, true)
    }

    /// [`ModuleExt::to_empty`] for the module's own parameters and buffers only, with `recurse` false.
    ///
    /// # Errors
    /// As there.
    ///
    /// ```
    /// use firebrick::prelude::*;
    /// let net = nn::Sequential::new().add(nn::Linear::builder(3, 2).device(Device::Meta).build()?);
    /// net.to_empty_with(Device::Cpu, false)?;
    /// assert!(net.get_parameter("0.weight")?.is_meta());
    /// # Ok::<_, firebrick::Error>(())
    /// ```
    fn to_empty_with(&self, device: Device, recurse: bool) -> Result<&Self> {
        conversion::empty_all(self.as_dyn(), device, recurse)?;
        Ok(self)
    }

    /// Puts what `f` makes of every parameter, gradient and buffer behind its handle: PyTorch's `_apply`, from which
    /// `to` and its like are made.
    ///
    /// # Errors
    /// The first error of `f`; a tensor without fractions for a parameter that requires grad.
    ///
    /// ```
    /// use firebrick::prelude::*;
    /// let linear = nn::Linear::new(2, 2)?;
    /// linear.map_tensors(|tensor| tensor.zeros_like())?;
    /// assert_eq!(linear.weight.to_vec::<f32>()?, [0.0; 4]);
    /// # Ok::<_, firebrick::Error>(())
    /// ```
    fn map_tensors(&self, mut f: impl FnMut(&Tensor) -> Result<Tensor>) -> Result<&Self> {
        conversion::change_all(self.as_dyn(), true, &mut f)?;
        Ok(self)
    }

    /// PyTorch's `share_memory`, which lets several processes train one model. The threads of one process do so with
    /// any model, through `Arc` or a reference, so there is nothing to do; other processes do not see the memory.
    ///
    /// # Errors
    /// A lazy module's parameters before the first call, as in PyTorch.
    ///
    /// ```
    /// use firebrick::prelude::*;
    /// let linear = nn::Linear::new(3, 2)?;
    /// linear.share_memory()?;
    /// let shape = std::thread::scope(|threads| threads.spawn(|| linear.weight.shape()).join());
    /// assert_eq!(shape.expect("the thread ends well")?, [2, 3]);
    /// # Ok::<_, firebrick::Error>(())
    /// ```
    fn share_memory(&self) -> Result<&Self> {
        conversion::check_initialized(self.as_dyn())?;
        Ok(self)
    }

    /// Calls `f` on everything below and then on the module itself, as PyTorch's `apply`.
    ///
    /// # Errors
    /// The first error of `f`.
    ///
    /// ```
    /// use firebrick::prelude::*;
    /// let net = nn::Sequential::new().add(nn::Linear::new(3, 2)?).add(nn::Linear::new(2, 1)?);
    /// net.apply(|module| match module.downcast_ref::<nn::Linear>() {
    ///     Some(linear) => nn::init::ones_(&linear.weight).map(drop),
    ///     None => Ok(()),
    /// })?;
    /// assert_eq!(net.get_parameter("1.weight")?.to_vec::<f32>()?, [1.0, 1.0]);
    /// # Ok::<_, firebrick::Error>(())
    /// ```
    fn apply(&self, mut f: impl FnMut(&dyn Module) -> Result<()>) -> Result<&Self> {
        traverse::apply(self.as_dyn(), &mut f)?;
        Ok(self)
    }

    /// Python's `copy.deepcopy`: tensors and hooks of its own, ties kept inside the copy.
    ///
    /// # Errors
    /// When a parameter or buffer has a history.
    ///
    /// ```
    /// use firebrick::prelude::*;
    /// let linear = nn::Linear::new(3, 2)?;
    /// let copy = linear.deep_clone()?;
    /// autograd::no_grad(|| linear.weight.zero_())?;
    /// assert_ne!(copy.weight.to_vec::<f32>()?, [0.0; 6]);
    /// # Ok::<_, firebrick::Error>(())
    /// ```
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
    ///
    /// ```
    /// use firebrick::prelude::*;
    /// let mut relu = nn::ReLU::new();
    /// relu.add_module("probe", nn::Linear::new(3, 2)?)?;
    /// assert_eq!(relu.named_parameters()[0].0, "probe.weight");
    /// # Ok::<_, firebrick::Error>(())
    /// ```
    fn add_module(&mut self, name: &str, module: impl Module) -> Result<()> {
        extra::add_module(exclusive(self.as_dyn_mut(), "add_module")?, name, Some(Box::new(module)))
    }

    /// PyTorch's other name of [`ModuleExt::add_module`].
    ///
    /// # Errors
    /// As there.
    ///
    /// ```
    /// use firebrick::prelude::*;
    /// let mut relu = nn::ReLU::new();
    /// relu.register_module("probe", nn::Linear::new(3, 2)?)?;
    /// assert_eq!(relu.get_submodule("probe")?.type_name(), "Linear");
    /// # Ok::<_, firebrick::Error>(())
    /// ```
    fn register_module(&mut self, name: &str, module: impl Module) -> Result<()> {
        self.add_module(name, module)
    }

    /// Registers a name that holds no child, as PyTorch's `add_module(name, None)`: it prints as `None`.
    ///
    /// # Errors
    /// A `KeyError` for a malformed or taken name.
    ///
    /// ```
    /// use firebrick::prelude::*;
    /// let mut relu = nn::ReLU::new();
    /// relu.add_empty_module("downsample")?;
    /// assert!(relu.children().is_empty());
    /// # Ok::<_, firebrick::Error>(())
    /// ```
    fn add_empty_module(&mut self, name: &str) -> Result<()> {
        extra::add_module(exclusive(self.as_dyn_mut(), "add_module")?, name, None)
    }

    /// Takes off a member that was registered by name at run time; `false` when there is none.
    ///
    /// ```
    /// use firebrick::prelude::*;
    /// let mut relu = nn::ReLU::new();
    /// relu.add_module("probe", nn::Identity::new())?;
    /// assert!(relu.unregister("probe") && !relu.unregister("probe"));
    /// # Ok::<_, firebrick::Error>(())
    /// ```
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
    ///
    /// ```
    /// use firebrick::prelude::*;
    /// let mut net = nn::Sequential::new().add(nn::ReLU::new());
    /// net.set_submodule_strict("0", nn::boxed(nn::Tanh::new()))?;
    /// assert_eq!(net.children()[0].type_name(), "Tanh");
    /// assert!(net.set_submodule_strict("1", nn::boxed(nn::Tanh::new())).is_err());
    /// # Ok::<_, firebrick::Error>(())
    /// ```
    fn set_submodule_strict(&mut self, target: &str, module: impl Module) -> Result<()> {
        submodule::set(exclusive(self.as_dyn_mut(), "set_submodule")?, target, module, true)
    }

    /// Names the module below this one in which `error` arose, as this model names it.
    ///
    /// Errors of `call` and of `backward` have their path already: in the outermost module that was called.
    ///
    /// ```
    /// use firebrick::prelude::*;
    /// let net = nn::Sequential::new().add(nn::Sequential::new().add(nn::Linear::new(3, 2)?));
    /// let error = net.get_submodule("0")?.downcast_ref::<nn::Sequential>().expect("it is one").call(Tensor::ones([1, 4])?);
    /// let error = error.unwrap_err();
    /// assert_eq!(error.module_path(), Some("0"));
    /// assert_eq!(net.locate(error).module_path(), Some("0.0"));
    /// # Ok::<_, firebrick::Error>(())
    /// ```
    fn locate(&self, error: Error) -> Error {
        scope::locate(self.as_dyn(), error)
    }

    /// A forward pre-hook for any input type; [`Args`] shows one.
    fn register_forward_pre_hook_any(
        &self,
        options: HookOptions,
        hook: impl Fn(&dyn Module, &mut dyn Args) -> Result<()> + Send + Sync + 'static,
    ) -> HookHandle {
        self.core().add_hook(|hooks, id| insert(&mut hooks.pre, id, Arc::new(hook), options.prepend))
    }

    /// A forward hook for any input and output type; the output is `None` only with `always_call`, after an error.
    ///
    /// ```
    /// use firebrick::prelude::*;
    /// let net = nn::Sequential::new().add(nn::Linear::new(3, 2)?).add(nn::ReLU::new());
    /// net.register_forward_hook_any(nn::HookOptions::new(), |_, input, output| {
    ///     assert_eq!(input.tensors()[0].shape(), [1, 3]);
    ///     assert_eq!(output.map(|output| output.tensors()[0].shape().to_vec()), Some(vec![1, 2]));
    ///     Ok(())
    /// });
    /// net.call(Tensor::ones([1, 3])?)?;
    /// # Ok::<_, firebrick::Error>(())
    /// ```
    fn register_forward_hook_any(
        &self,
        options: HookOptions,
        hook: impl Fn(&dyn Module, &dyn Args, Option<&mut dyn Args>) -> Result<()> + Send + Sync + 'static,
    ) -> HookHandle {
        let hook = PostHook { run: Arc::new(hook), always: options.always_call };
        self.core().add_hook(|hooks, id| insert(&mut hooks.post, id, hook, options.prepend))
    }

    /// Runs `hook` in backward when the gradients of the module's outputs are known; it may return others.
    /// [`ModuleInfo`] shows one.
    fn register_full_backward_pre_hook(
        &self,
        options: HookOptions,
        hook: impl Fn(&ModuleInfo, &Gradients) -> Result<Option<Vec<Gradient>>> + Send + Sync + 'static,
    ) -> HookHandle {
        self.core().add_hook(|hooks, id| insert(&mut hooks.backward_pre, id, Arc::new(hook), options.prepend))
    }

    /// Runs `hook(module, grad_input, grad_output)` in backward when the gradients of the module's inputs are
    /// known; it may return other input gradients. [`ModuleInfo`] shows one.
    fn register_full_backward_hook(
        &self,
        options: HookOptions,
        hook: impl Fn(&ModuleInfo, &Gradients, &Gradients) -> Result<Option<Vec<Gradient>>> + Send + Sync + 'static,
    ) -> HookHandle {
        self.core().add_hook(|hooks, id| insert(&mut hooks.backward, id, Arc::new(hook), options.prepend))
    }

    /// Runs `hook(module, prefix, keep_vars)` before the module's entries are collected by `state_dict`.
    ///
    /// ```
    /// use firebrick::prelude::*;
    /// let linear = nn::Linear::new(3, 2)?;
    /// linear.register_state_dict_pre_hook(|_, prefix, keep_vars| assert_eq!((prefix, keep_vars), ("0.", false)));
    /// nn::Sequential::new().add(linear).state_dict();
    /// # Ok::<_, firebrick::Error>(())
    /// ```
    fn register_state_dict_pre_hook(
        &self,
        hook: impl Fn(&dyn Module, &str, bool) + Send + Sync + 'static,
    ) -> HookHandle {
        self.core().add_hook(|hooks, id| insert(&mut hooks.state_dict_pre, id, Arc::new(hook), false))
    }

    /// Runs `hook(module, state, prefix)` after the module's entries were collected; it may change them, and the module's
    /// version in `state.metadata`.
    ///
    /// ```
    /// use firebrick::prelude::*;
    /// let linear = nn::Linear::new(3, 2)?;
    /// linear.register_state_dict_post_hook(|_, state, prefix| {
    ///     state.remove(&format!("{prefix}bias"));
    /// });
    /// assert_eq!(linear.state_dict().keys().collect::<Vec<_>>(), ["weight"]);
    /// # Ok::<_, firebrick::Error>(())
    /// ```
    fn register_state_dict_post_hook(
        &self,
        hook: impl Fn(&dyn Module, &mut StateDict, &str) + Send + Sync + 'static,
    ) -> HookHandle {
        self.core().add_hook(|hooks, id| insert(&mut hooks.state_dict_post, id, Arc::new(hook), false))
    }

    /// Runs `hook(module, loading)` before the module's entries are looked up; it may change the copy of the checkpoint
    /// that is being loaded, and add to what does not match. [`Loading`] shows one.
    fn register_load_state_dict_pre_hook(
        &self,
        hook: impl Fn(&dyn Module, &mut Loading<'_>) -> Result<()> + Send + Sync + 'static,
    ) -> HookHandle {
        self.core().add_hook(|hooks, id| insert(&mut hooks.load_pre, id, Arc::new(hook), false))
    }

    /// Runs `hook(module, keys)` when missing and unexpected keys are known; what it removes is no error.
    ///
    /// It runs before anything is written, where PyTorch 2.15 runs it after.
    ///
    /// ```
    /// use firebrick::prelude::*;
    /// let linear = nn::Linear::new(3, 2)?;
    /// linear.register_load_state_dict_post_hook(|_, keys| {
    ///     keys.missing_keys.retain(|key| key != "bias");
    ///     Ok(())
    /// });
    /// linear.load_state_dict(&StateDict::from_iter([("weight", Tensor::zeros([2, 3])?)]))?;
    /// # Ok::<_, firebrick::Error>(())
    /// ```
    fn register_load_state_dict_post_hook(
        &self,
        hook: impl Fn(&dyn Module, &mut IncompatibleKeys) -> Result<()> + Send + Sync + 'static,
    ) -> HookHandle {
        self.core().add_hook(|hooks, id| insert(&mut hooks.load_post, id, Arc::new(hook), false))
    }
}

impl<M: Module + ?Sized> ModuleExt for M {}
