//! The state every module carries: PyTorch's `super().__init__()`.

use crate::extra::Extra;
use crate::hooks::{HookHandle, HookTable, Hooks};
use crate::{Member, MemberMut, Memo, VisitorMut};
use firebrick_core::autograd::forget_scope;
use firebrick_core::{Buffer, Parameter, Result};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, AtomicU8, AtomicU64, Ordering::Acquire, Ordering::Relaxed, Ordering::Release};

/// Parameters wait for the first input.
const LAZY: u8 = 1;
/// Hooks are registered, or were.
const HOOKED: u8 = 2;
/// Was not called yet.
const FRESH: u8 = 8;
/// Members of the module are computed for each call, see [`Core::stand_in`].
const STANDING_IN: u8 = 4;

/// Train/eval flag, hooks, and members registered by name: one field of every module.
///
/// A module that has no hooks, no run-time members and nothing lazy allocates nothing here.
///
/// ```
/// use firebrick::prelude::*;
/// #[derive(Module)]
/// struct Double { core: Core }
///
/// impl nn::Forward for Double {
///     fn forward(&self, x: Tensor) -> Result<Tensor> {
///         x.mul(2)
///     }
/// }
///
/// let (one, other) = (Double { core: Core::new() }, Double { core: Core::new() });
/// assert!(one.core.is_training());
/// assert_ne!(one.core.id(), other.core.id()); // two modules
/// one.core.set_training(false);
/// assert!(!one.is_training() && other.is_training());
/// ```
pub struct Core {
    id: CoreId,
    evaluating: AtomicBool,
    flags: AtomicU8,
    hooks: OnceLock<HookTable>,
    extra: Option<Box<Extra>>,
}

/// A number of its own for every core; copies get new ones.
struct CoreId {
    number: u64,
    /// Is it noted where the module is?
    named: AtomicBool,
}

impl Default for CoreId {
    fn default() -> Self {
        static NEXT: AtomicU64 = AtomicU64::new(1);
        CoreId { number: NEXT.fetch_add(1, Relaxed), named: AtomicBool::new(false) }
    }
}

impl Drop for CoreId {
    fn drop(&mut self) {
        if *self.named.get_mut() {
            forget_scope(self.number);
        }
    }
}

impl Default for Core {
    fn default() -> Self {
        Core {
            id: CoreId::default(),
            evaluating: AtomicBool::new(false),
            flags: AtomicU8::new(FRESH),
            hooks: OnceLock::new(),
            extra: None,
        }
    }
}

impl Core {
    /// The core of a new module, in training mode.
    pub fn new() -> Self {
        Self::default()
    }

    /// The core of a module whose parameters are uninitialized until its first call; see
    /// [`Forward::initialize`](crate::Forward::initialize).
    ///
    /// ```
    /// use firebrick::prelude::*;
    /// let core = Core::lazy();
    /// assert!(core.is_lazy());
    /// core.set_lazy(false);
    /// assert!(!core.is_lazy());
    /// ```
    pub fn lazy() -> Self {
        let core = Self::new();
        core.set_flag(LAZY, true);
        core
    }

    /// Identity of the module: two names with one core are one module. [`Core`] shows it.
    #[inline]
    pub fn id(&self) -> u64 {
        self.id.number
    }

    /// Is the module in training mode? [`Core`] shows it.
    #[inline]
    pub fn is_training(&self) -> bool {
        !self.evaluating.load(Relaxed)
    }

    /// Sets the mode of this module alone; [`ModuleExt::train`](crate::ModuleExt::train) sets a whole tree. [`Core`] shows it.
    pub fn set_training(&self, on: bool) {
        self.evaluating.store(!on, Relaxed);
    }

    /// Does the module wait for its first input? [`Core::lazy`] shows it.
    #[inline]
    pub fn is_lazy(&self) -> bool {
        self.flags.load(Acquire) & LAZY != 0
    }

    /// Says whether the module waits for its first input. Calls and loading do this by themselves. [`Core::lazy`] shows it.
    pub fn set_lazy(&self, on: bool) {
        self.set_flag(LAZY, on);
    }

    /// Was the module called?
    pub(crate) fn was_called(&self) -> bool {
        self.flags.load(Relaxed) & FRESH == 0
    }

    /// Notes that the module was called; was this the first time, and is it not known yet where it is?
    pub(crate) fn leave_fresh(&self) -> bool {
        self.flags.fetch_and(!FRESH, Release) & FRESH != 0 && !self.id.named.load(Relaxed)
    }

    /// Notes that it is known where the module is.
    pub(crate) fn set_named(&self) {
        self.id.named.store(true, Relaxed);
    }

    /// Nothing to do around `forward`: no hooks, not lazy, nothing standing in, and not the first call.
    #[inline]
    pub(crate) fn is_plain(&self) -> bool {
        self.flags.load(Relaxed) == 0
    }

    fn set_flag(&self, flag: u8, on: bool) {
        if on {
            self.flags.fetch_or(flag, Release);
        } else {
            self.flags.fetch_and(!flag, Release);
        }
    }

    /// The hooks, if any were ever registered.
    pub(crate) fn hooks(&self) -> Option<&HookTable> {
        self.hooks.get()
    }

    /// Adds one hook through `add`, which gets its number.
    pub(crate) fn add_hook(&self, add: impl FnOnce(&mut Hooks, u64)) -> HookHandle {
        let table = self.hooks.get_or_init(HookTable::default);
        self.set_flag(HOOKED, true);
        table.add(add)
    }

    /// What is registered at run time, if anything is.
    pub(crate) fn extra(&self) -> Option<&Extra> {
        self.extra.as_deref()
    }

    pub(crate) fn extra_mut(&mut self) -> &mut Extra {
        self.extra.get_or_insert_default()
    }

    /// A parameter that was registered by name, for use in `forward`.
    ///
    /// ```
    /// use firebrick::prelude::*;
    /// let mut relu = nn::ReLU::new();
    /// relu.register_parameter("gain", Some(Parameter::new(Tensor::new([2.0f32])?)))?;
    /// relu.register_buffer("calls", Some(Buffer::new(Tensor::new([3.0f32])?)))?;
    /// relu.add_module("probe", nn::Identity::new())?;
    /// assert_eq!(relu.core().parameter("gain").map(|gain| gain.to_vec::<f32>()).transpose()?, Some(vec![2.0]));
    /// assert_eq!(relu.core().buffer("calls").map(|calls| calls.to_vec::<f32>()).transpose()?, Some(vec![3.0]));
    /// assert!(relu.core().module("probe").is_some() && relu.core().module("gain").is_none());
    /// # Ok::<_, firebrick::Error>(())
    /// ```
    pub fn parameter(&self, name: &str) -> Option<&Parameter> {
        match self.extra()?.usable(name)? {
            Member::Parameter(parameter) => Some(parameter),
            _ => None,
        }
    }

    /// A buffer that was registered by name, for use in `forward`; as [`Core::parameter`].
    pub fn buffer(&self, name: &str) -> Option<&Buffer> {
        match self.extra()?.usable(name)? {
            Member::Buffer(buffer) => Some(buffer),
            _ => None,
        }
    }

    /// A module that was registered by name; as [`Core::parameter`].
    pub fn module(&self, name: &str) -> Option<&dyn crate::Module> {
        match self.extra()?.member(name)? {
            Member::Module(module) => Some(module),
            _ => None,
        }
    }

    /// Another printed name for this one module.
    ///
    /// ```
    /// use firebrick::prelude::*;
    /// let mut core = Core::new();
    /// core.rename(Some("Twice".to_owned()));
    /// assert_eq!(core.renamed(), Some("Twice"));
    /// ```
    pub fn rename(&mut self, name: Option<String>) {
        self.extra_mut().set_name(name);
    }

    /// The name given by [`Core::rename`].
    pub fn renamed(&self) -> Option<&str> {
        self.extra()?.name()
    }

    /// Leaves the declared member `name` out of every listing, or puts it back.
    ///
    /// Its field still works; other members, registered under names of their own, can stand for it in
    /// `state_dict` and `parameters`.
    ///
    /// ```
    /// use firebrick::prelude::*;
    /// let mut linear = nn::Linear::new(3, 2)?;
    /// linear.core_mut().expect("it has one owner").hide("bias", true);
    /// assert_eq!(linear.state_dict().keys().collect::<Vec<_>>(), ["weight"]);
    /// assert_eq!(linear.call(Tensor::ones([1, 3])?)?.shape(), [1, 2]); // the field still works
    /// # Ok::<_, firebrick::Error>(())
    /// ```
    pub fn hide(&mut self, name: &str, hidden: bool) {
        self.extra_mut().hide(name, hidden);
    }

    /// Computes tensors that take the places of parameters during every call of the module; `None` ends it.
    ///
    /// `compute` runs at the start of each call and gives pairs of a parameter and the tensor, with its gradient
    /// history, that every operation on that parameter sees until the call returns. Several go by several names.
    ///
    /// ```
    /// use firebrick::prelude::*;
    /// use std::sync::Arc;
    /// let mut linear = nn::Linear::builder(2, 1).bias(false).build()?;
    /// let weight = linear.weight.clone();
    /// let compute = move |_: &dyn Module| Ok(vec![(weight.clone(), weight.full_like(3.0)?)]);
    /// linear.core_mut().expect("it has one owner").stand_in("constant", Some(Arc::new(compute)));
    /// assert_eq!(linear.call(Tensor::ones([1, 2])?)?.item::<f32>()?, 6.0);
    /// # Ok::<_, firebrick::Error>(())
    /// ```
    pub fn stand_in(&mut self, name: &str, compute: Option<crate::extra::StandIn>) {
        self.extra_mut().set_stand_in(name, compute);
        let any = self.extra_mut().is_standing_in();
        self.set_flag(STANDING_IN, any);
    }

    /// Reports the places of members registered at run time. For generated code.
    #[doc(hidden)]
    pub fn visit_mut<'m>(&'m mut self, f: VisitorMut<'_, 'm>) {
        if let Some(extra) = &mut self.extra {
            extra.visit_mut(&mut |name, member: MemberMut<'m>| f(name, member));
        }
    }

    /// A copy with the same mode, hooks and run-time members, and an identity of its own. For generated code.
    ///
    /// # Errors
    /// When memory for a member's copy cannot be had.
    #[doc(hidden)]
    pub fn clone_with(&self, memo: &mut Memo) -> Result<Self> {
        let copy = Core::new();
        copy.set_training(self.is_training());
        copy.flags.store(self.flags.load(Acquire) | FRESH, Release);
        if let Some(table) = self.hooks() {
            let _ = copy.hooks.set(table.copy());
        }
        let extra = self.extra.as_ref().map(|extra| extra.clone_with(memo).map(Box::new)).transpose()?;
        Ok(Core { extra, ..copy })
    }
}
