//! `Call`: PyTorch's `module(x)`, which is `forward` with everything around it.

use crate::backward_hooks::BackwardPass;
use crate::hooks::{HookHandle, HookOptions, Hooks, PostHook, insert};
use crate::scope::{self, Scope};
use crate::{Args, Forward, IntoArgs, Module, global_hooks, lazy};
use firebrick_core::{Parameter, Result, Tensor, substitute};
use std::sync::Arc;

/// PyTorch's `module(x)`: `forward` with hooks, lazy initialization and the names that errors print.
///
/// Implemented for everything that has a [`Forward`]. A module without hooks costs a few nanoseconds beside its
/// `forward`. Hooks registered here are typed: they run for the `Forward` of these inputs and outputs, and are
/// passed over when another `Forward` of the same module is called.
///
/// ```
/// use firebrick::prelude::*;
/// let relu = nn::ReLU::new();
/// let double = relu.register_forward_hook(|_, _, y| Ok(Some(y.add(y)?)));
/// let x = Tensor::from_slice(&[-1.0f32, 2.0], [2])?;
/// assert_eq!(relu.call(&x)?.to_vec::<f32>()?, [0.0, 4.0]);
/// double.remove();
/// assert_eq!(relu.call(&x)?.to_vec::<f32>()?, [0.0, 2.0]);
/// # Ok::<_, firebrick::Error>(())
/// ```
pub trait Call<I: Args + Clone, O: Args>: Forward<I, O> {
    /// Runs the module. Takes `x` or `&x` for a tensor; several inputs are one tuple.
    ///
    /// # Errors
    /// The error of `forward` or of a hook, with the path of the module in which it happened.
    #[inline]
    #[track_caller]
    fn call(&self, input: impl IntoArgs<I>) -> Result<O> {
        let input = input.into_args();
        let core = self.core();
        let scope = Scope::enter(core.id());
        let result = if core.is_plain() && !global_hooks::any() { self.forward(input) } else { run(self, input) };
        if scope.has_unnamed() {
            scope::name_all(self.as_dyn());
        }
        result.map_err(|error| scope.leave_with(self.as_dyn(), error))
    }

    /// Runs `hook` before every `forward`; it may return another input.
    ///
    /// ```
    /// use firebrick::prelude::*;
    /// let relu = nn::ReLU::new();
    /// relu.register_forward_pre_hook(|_, x| Ok(Some(x.add(4.0)?)));
    /// assert_eq!(relu.call(Tensor::new([-1.0f32])?)?.to_vec::<f32>()?, [3.0]);
    /// # Ok::<_, firebrick::Error>(())
    /// ```
    fn register_forward_pre_hook(
        &self,
        hook: impl Fn(&dyn Module, &I) -> Result<Option<I>> + Send + Sync + 'static,
    ) -> HookHandle {
        self.register_forward_pre_hook_with(HookOptions::new(), hook)
    }

    /// [`Call::register_forward_pre_hook`], before the other hooks with `prepend`.
    ///
    /// ```
    /// use firebrick::prelude::*;
    /// let relu = nn::ReLU::new();
    /// relu.register_forward_pre_hook(|_, x| Ok(Some(x.add(4.0)?)));
    /// relu.register_forward_pre_hook_with(nn::HookOptions::new().prepend(true), |_, x| Ok(Some(x.mul(2.0)?)));
    /// assert_eq!(relu.call(Tensor::new([1.0f32])?)?.to_vec::<f32>()?, [6.0]); // 2 * 1 + 4
    /// # Ok::<_, firebrick::Error>(())
    /// ```
    fn register_forward_pre_hook_with(
        &self,
        options: HookOptions,
        hook: impl Fn(&dyn Module, &I) -> Result<Option<I>> + Send + Sync + 'static,
    ) -> HookHandle {
        let hook = move |module: &dyn Module, input: &mut dyn Args| {
            if let Some(input) = input.downcast_mut::<I>()
                && let Some(new) = hook(module, input)?
            {
                *input = new;
            }
            Ok(())
        };
        self.core().add_hook(|hooks, id| insert(&mut hooks.pre, id, Arc::new(hook), options.prepend))
    }

    /// Runs `hook` after every `forward`; it may return another output.
    ///
    /// ```
    /// use firebrick::prelude::*;
    /// let relu = nn::ReLU::new();
    /// relu.register_forward_hook(|_, x, y| Ok(Some(y.add(x)?)));
    /// assert_eq!(relu.call(Tensor::new([-1.0f32, 2.0])?)?.to_vec::<f32>()?, [-1.0, 4.0]);
    /// # Ok::<_, firebrick::Error>(())
    /// ```
    fn register_forward_hook(
        &self,
        hook: impl Fn(&dyn Module, &I, &O) -> Result<Option<O>> + Send + Sync + 'static,
    ) -> HookHandle {
        self.register_forward_hook_with(HookOptions::new(), move |module, input, output| match output {
            Some(output) => hook(module, input, output),
            None => Ok(None),
        })
    }

    /// [`Call::register_forward_hook`], before the other hooks with `prepend`, and with `always_call` also after an
    /// error, when the output is `None`.
    ///
    /// ```
    /// use firebrick::prelude::*;
    /// use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
    /// static FAILED: AtomicBool = AtomicBool::new(false);
    /// let linear = nn::Linear::new(3, 2)?;
    /// linear.register_forward_hook_with(nn::HookOptions::new().always_call(true), |_, _, y| {
    ///     FAILED.store(y.is_none(), Relaxed);
    ///     Ok(None)
    /// });
    /// assert!(linear.call(Tensor::ones([1, 4])?).is_err() && FAILED.load(Relaxed));
    /// # Ok::<_, firebrick::Error>(())
    /// ```
    fn register_forward_hook_with(
        &self,
        options: HookOptions,
        hook: impl Fn(&dyn Module, &I, Option<&O>) -> Result<Option<O>> + Send + Sync + 'static,
    ) -> HookHandle {
        let run = move |module: &dyn Module, input: &dyn Args, output: Option<&mut dyn Args>| {
            let Some(input) = input.downcast_ref::<I>() else { return Ok(()) };
            let Some(output) = output else { return hook(module, input, None).map(drop) };
            if let Some(output) = output.downcast_mut::<O>()
                && let Some(new) = hook(module, input, Some(output))?
            {
                *output = new;
            }
            Ok(())
        };
        let hook = PostHook { run: Arc::new(run), always: options.always_call };
        self.core().add_hook(|hooks, id| insert(&mut hooks.post, id, hook, options.prepend))
    }
}

impl<I: Args + Clone, O: Args, M: Forward<I, O> + ?Sized> Call<I, O> for M {}

/// A call with something around `forward`.
#[cold]
#[inline(never)]
fn run<I: Args + Clone, O: Args, M: Forward<I, O> + ?Sized>(this: &M, input: I) -> Result<O> {
    scope::introduce(this.as_dyn());
    // An enum's `forward` calls the module it holds, and that call does the rest.
    if this.delegates() || nothing_around(this.as_dyn()) {
        return this.forward(input);
    }
    let mut call = Running { this, module: this.as_dyn(), input, output: None, passed: Vec::new() };
    match call.steps() {
        Ok(output) => Ok(output),
        Err(error) => {
            call.run_always_called();
            Err(error)
        }
    }
}

/// Were the hooks taken off again, and is there nothing else?
fn nothing_around(module: &dyn Module) -> bool {
    let core = module.core();
    let hooked = core.hooks().is_some_and(|table| table.any()) || global_hooks::any();
    !hooked && !core.is_lazy() && core.extra().is_none_or(|extra| !extra.is_standing_in())
}

/// Runs `f` with computed tensors in the places of the module's parameters, when its core asks for that.
pub(crate) fn standing_in<T>(module: &dyn Module, f: impl FnOnce() -> Result<T>) -> Result<T> {
    let Some(extra) = module.core().extra().filter(|extra| extra.is_standing_in()) else { return f() };
    let mut computed: Vec<(Parameter, Tensor)> = Vec::new();
    for compute in extra.stand_ins() {
        computed.extend(compute(module)?);
    }
    let pairs: Vec<(&Tensor, &Tensor)> = computed.iter().map(|(p, t)| (&**p, t)).collect();
    let _standing_in = substitute(&pairs);
    f()
}

struct Running<'m, I, O, M: ?Sized> {
    this: &'m M,
    module: &'m dyn Module,
    input: I,
    output: Option<O>,
    /// Forward hooks that have begun to run: global ones first, then the module's.
    passed: Vec<u64>,
}

/// The hooks as they are now: global ones, then the module's.
fn snapshots(module: &dyn Module) -> [Option<Arc<Hooks>>; 2] {
    [global_hooks::get(), module.core().hooks().filter(|t| t.any())].map(|table| table.map(|t| t.snapshot()))
}

impl<I: Args + Clone, O: Args, M: Forward<I, O> + ?Sized> Running<'_, I, O, M> {
    fn steps(&mut self) -> Result<O> {
        let [global, own] = snapshots(self.module);
        self.run_pre_hooks(global.as_deref())?;
        if self.module.core().is_lazy() {
            lazy::initialize(self.module, || self.this.initialize(&self.input))?;
        }
        self.run_pre_hooks(own.as_deref())?;
        let tables: Vec<&Hooks> = [&global, &own].into_iter().flatten().map(|t| &**t).collect();
        let backward = BackwardPass::begin(self.module, &tables, &mut self.input)?;
        self.output = Some(self.forward()?);
        for hooks in snapshots(self.module).into_iter().flatten() {
            self.run_post_hooks(&hooks)?;
        }
        let mut output = self.output.take().expect("set above, and only hooks have run since");
        if let Some(pass) = backward {
            pass.end(&mut output)?;
        }
        Ok(output)
    }

    fn forward(&self) -> Result<O> {
        standing_in(self.module, || self.this.forward(self.input.clone())) // handles, not data
    }

    fn run_pre_hooks(&mut self, hooks: Option<&Hooks>) -> Result<()> {
        let Some(hooks) = hooks else { return Ok(()) };
        hooks.pre.values().try_for_each(|hook| hook(self.module, &mut self.input))
    }

    fn run_post_hooks(&mut self, hooks: &Hooks) -> Result<()> {
        for (&id, hook) in &hooks.post {
            self.passed.push(id);
            let output = self.output.as_mut().map(|output| output as &mut dyn Args);
            (hook.run)(self.module, &self.input, output)?;
        }
        Ok(())
    }

    /// After an error: the hooks with `always_call` that have not run. Their own errors give way to the first.
    fn run_always_called(&mut self) {
        for hooks in snapshots(self.module).into_iter().flatten() {
            for (_, hook) in hooks.post.iter().filter(|(id, hook)| hook.always && !self.passed.contains(id)) {
                let output = self.output.as_mut().map(|output| output as &mut dyn Args);
                if let Err(error) = (hook.run)(self.module, &self.input, output) {
                    crate::warn(&format!(
                        "module forward hook with ``always_call=True`` raised an exception that was silenced as another error was raised in forward: {error}"
                    ));
                }
            }
        }
    }
}
