//! Functions that run around `forward`, in backward, and around `state_dict`, and the handles that take them off.

use crate::backward_hooks::{BackwardHook, BackwardPreHook};
use crate::load_state_dict::{IncompatibleKeys, Loading};
use crate::{Args, Module};
use firebrick_core::{Result, StateDict};
use indexmap::IndexMap;
use parking_lot::Mutex;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, Weak};

/// Sees a module and its input before `forward`, and may replace the tensors in it.
pub(crate) type PreHook = Arc<dyn Fn(&dyn Module, &mut dyn Args) -> Result<()> + Send + Sync>;
/// Sees a module, its input and its output, which is `None` when `forward` failed.
pub(crate) type PostHookFn = Arc<dyn Fn(&dyn Module, &dyn Args, Option<&mut dyn Args>) -> Result<()> + Send + Sync>;

/// A forward hook, and whether it also runs after an error.
#[derive(Clone)]
pub(crate) struct PostHook {
    pub run: PostHookFn,
    pub always: bool,
}

pub(crate) type StateDictPreHook = Arc<dyn Fn(&dyn Module, &str, bool) + Send + Sync>;
pub(crate) type StateDictPostHook = Arc<dyn Fn(&dyn Module, &mut StateDict, &str) + Send + Sync>;
pub(crate) type LoadPreHook = Arc<dyn Fn(&dyn Module, &mut Loading<'_>) -> Result<()> + Send + Sync>;
pub(crate) type LoadPostHook = Arc<dyn Fn(&dyn Module, &mut IncompatibleKeys) -> Result<()> + Send + Sync>;

/// Every hook of one module, or every global one, in the order in which they run.
#[derive(Clone, Default)]
pub(crate) struct Hooks {
    pub pre: IndexMap<u64, PreHook>,
    pub post: IndexMap<u64, PostHook>,
    pub backward_pre: IndexMap<u64, BackwardPreHook>,
    pub backward: IndexMap<u64, BackwardHook>,
    pub state_dict_pre: IndexMap<u64, StateDictPreHook>,
    pub state_dict_post: IndexMap<u64, StateDictPostHook>,
    pub load_pre: IndexMap<u64, LoadPreHook>,
    pub load_post: IndexMap<u64, LoadPostHook>,
}

impl Hooks {
    fn remove(&mut self, id: u64) {
        self.pre.shift_remove(&id);
        self.post.shift_remove(&id);
        self.backward_pre.shift_remove(&id);
        self.backward.shift_remove(&id);
        self.state_dict_pre.shift_remove(&id);
        self.state_dict_post.shift_remove(&id);
        self.load_pre.shift_remove(&id);
        self.load_post.shift_remove(&id);
    }

    fn any(&self) -> bool {
        !(self.pre.is_empty()
            && self.post.is_empty()
            && self.backward_pre.is_empty()
            && self.backward.is_empty()
            && self.state_dict_pre.is_empty()
            && self.state_dict_post.is_empty()
            && self.load_pre.is_empty()
            && self.load_post.is_empty())
    }
}

/// Puts a hook behind the others, or before them.
pub(crate) fn insert<H>(hooks: &mut IndexMap<u64, H>, id: u64, hook: H, prepend: bool) {
    if prepend {
        hooks.shift_insert(0, id, hook);
    } else {
        hooks.insert(id, hook);
    }
}

/// Hooks that may change while they run: a call takes a snapshot, so no lock is held in user code.
#[derive(Default)]
pub(crate) struct HookTable(Arc<Shared>);

#[derive(Default)]
struct Shared {
    hooks: Mutex<Arc<Hooks>>,
    any: AtomicBool,
}

impl Shared {
    fn change(&self, change: impl FnOnce(&mut Hooks)) {
        let mut hooks = self.hooks.lock();
        // Kept past the lock: hooks that are taken off here run their `Drop` after it is released.
        let before = hooks.clone();
        change(Arc::make_mut(&mut hooks));
        self.any.store(hooks.any(), Relaxed);
        drop(hooks);
        drop(before);
    }
}

impl HookTable {
    /// Is any hook registered now?
    #[inline]
    pub fn any(&self) -> bool {
        self.0.any.load(Relaxed)
    }

    /// The hooks as they are now.
    pub fn snapshot(&self) -> Arc<Hooks> {
        self.0.hooks.lock().clone()
    }

    /// Adds one hook through `add`, which gets its number.
    pub fn add(&self, add: impl FnOnce(&mut Hooks, u64)) -> HookHandle {
        static NEXT: AtomicU64 = AtomicU64::new(0);
        let id = NEXT.fetch_add(1, Relaxed);
        self.0.change(|hooks| add(hooks, id));
        HookHandle { id, table: Arc::downgrade(&self.0) }
    }

    /// A table of its own with the same hooks.
    pub fn copy(&self) -> HookTable {
        let copy = HookTable::default();
        copy.0.change(|hooks| *hooks = (*self.snapshot()).clone());
        copy
    }
}

/// Where a hook runs among others, and when.
///
/// ```
/// use firebrick::nn::HookOptions;
/// use firebrick::prelude::*;
/// let relu = nn::ReLU::new();
/// relu.register_forward_hook(|_, _, y| Ok(Some(y.add(1.0)?)));
/// let first = HookOptions::new().prepend(true).always_call(false);
/// relu.register_forward_hook_with(first, |_, _, y| y.map(|y| y.mul(10.0)).transpose());
/// assert_eq!(relu.call(Tensor::new([2.0f32])?)?.to_vec::<f32>()?, [21.0]); // 10 * 2 + 1
/// # Ok::<_, firebrick::Error>(())
/// ```
#[derive(Clone, Copy, Debug, Default)]
pub struct HookOptions {
    pub(crate) prepend: bool,
    pub(crate) always_call: bool,
}

impl HookOptions {
    /// Behind the hooks that are there, and only after success.
    pub fn new() -> Self {
        Self::default()
    }
    /// Before the hooks that are there; behind them unless set.
    pub fn prepend(mut self, prepend: bool) -> Self {
        self.prepend = prepend;
        self
    }
    /// A forward hook runs even when `forward` or another hook failed; its output is then `None`. Only after success unless
    /// set.
    pub fn always_call(mut self, always_call: bool) -> Self {
        self.always_call = always_call;
        self
    }
}

/// Returned by every hook registration. Dropping it leaves the hook where it is.
///
/// ```
/// use firebrick::prelude::*;
/// let (relu, x) = (nn::ReLU::new(), Tensor::new([2.0f32])?);
/// let hook = relu.register_forward_hook(|_, _, y| Ok(Some(y.add(1.0)?)));
/// assert_eq!(relu.call(&x)?.to_vec::<f32>()?, [3.0]);
/// hook.remove();
/// assert_eq!(relu.call(&x)?.to_vec::<f32>()?, [2.0]);
/// # Ok::<_, firebrick::Error>(())
/// ```
#[derive(Debug)]
pub struct HookHandle {
    id: u64,
    table: Weak<Shared>,
}

impl std::fmt::Debug for Shared {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Hooks")
    }
}

impl HookHandle {
    /// Takes the hook off. Doing so twice, or after the module is gone, does nothing. [`HookHandle`]
    /// shows it.
    pub fn remove(&self) {
        if let Some(table) = self.table.upgrade() {
            table.change(|hooks| hooks.remove(self.id));
        }
    }

    /// Takes the hook off at the end of the scope: Python's `with handle:`.
    ///
    /// ```
    /// use firebrick::prelude::*;
    /// let (relu, x) = (nn::ReLU::new(), Tensor::new([2.0f32])?);
    /// {
    ///     let _hook = relu.register_forward_hook(|_, _, y| Ok(Some(y.add(1.0)?))).scoped();
    ///     assert_eq!(relu.call(&x)?.to_vec::<f32>()?, [3.0]);
    /// }
    /// assert_eq!(relu.call(&x)?.to_vec::<f32>()?, [2.0]);
    /// # Ok::<_, firebrick::Error>(())
    /// ```
    pub fn scoped(self) -> ScopedHook {
        ScopedHook(self)
    }
}

/// Takes its hook off when it is dropped; made by [`HookHandle::scoped`].
#[must_use = "the hook is taken off when this is dropped"]
#[derive(Debug)]
pub struct ScopedHook(HookHandle);

impl Drop for ScopedHook {
    fn drop(&mut self) {
        self.0.remove();
    }
}
