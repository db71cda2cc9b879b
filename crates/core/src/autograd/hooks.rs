//! Functions that run when a gradient arrives.

use crate::{Error, Result, Tensor};
use indexmap::IndexMap;
use parking_lot::Mutex;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, Weak};

/// Sees a gradient and may replace it.
pub type TensorHook = Arc<dyn Fn(&Tensor) -> Result<Option<Tensor>> + Send + Sync>;
/// Sees a leaf after its gradient was accumulated.
pub type AccumulateHook = Arc<dyn Fn(&Tensor) -> Result<()> + Send + Sync>;

/// The hooks of one tensor, in the order of registration.
#[derive(Default)]
pub struct Hooks {
    gradient: Mutex<IndexMap<u64, (&'static str, TensorHook)>>,
    accumulated: Mutex<IndexMap<u64, AccumulateHook>>,
}

impl Hooks {
    /// Passes `grad` through every hook; no lock is held while one runs.
    pub(crate) fn run(&self, mut grad: Tensor) -> Result<Tensor> {
        let hooks: Vec<(&str, TensorHook)> = self.gradient.lock().values().cloned().collect();
        for (name, hook) in hooks {
            if let Some(new) = hook(&grad)? {
                check_replacement(name, &grad, &new)?;
                grad = new;
            }
        }
        Ok(grad)
    }

    pub(crate) fn run_accumulated(&self, leaf: &Tensor) -> Result<()> {
        let hooks: Vec<AccumulateHook> = self.accumulated.lock().values().cloned().collect();
        hooks.iter().try_for_each(|hook| hook(leaf))
    }

    pub(crate) fn add(self: &Arc<Self>, name: &'static str, hook: TensorHook) -> TensorHookHandle {
        let id = next_id();
        self.gradient.lock().insert(id, (name, hook));
        TensorHookHandle { id, hooks: Arc::downgrade(self) }
    }

    pub(crate) fn add_accumulated(self: &Arc<Self>, hook: AccumulateHook) -> TensorHookHandle {
        let id = next_id();
        self.accumulated.lock().insert(id, hook);
        TensorHookHandle { id, hooks: Arc::downgrade(self) }
    }
}

/// What a hook returns must fit where the gradient was to go.
fn check_replacement(name: &str, grad: &Tensor, new: &Tensor) -> Result<()> {
    const OP: &str = "hook";
    let (was, got) = (grad.body(), new.resolve(OP)?.body());
    if was.dtype != got.dtype {
        let (was, got) = (grad.type_text(), new.type_text());
        return Err(Error::runtime(OP, format!("hook '{name}' has changed the type of value (was {was} got {got})")));
    }
    if was.device() != got.device() {
        return Err(Error::runtime(OP, format!("hook '{name}' has changed the device of value"))
            .given(got.device().to_string())
            .expected(was.device().to_string()));
    }
    if was.shape != got.shape {
        return Err(Error::runtime(OP, format!("hook '{name}' has changed the size of value"))
            .given(format!("{:?}", got.shape))
            .expected(format!("{:?}", was.shape)));
    }
    Ok(())
}

/// The name of a function as Python would give it: its own, or `<lambda>` for a closure.
pub(crate) fn python_name<F>() -> &'static str {
    match std::any::type_name::<F>().rsplit("::").next() {
        Some(name) if !name.starts_with('{') => name,
        _ => "<lambda>",
    }
}

fn next_id() -> u64 {
    static NEXT: AtomicU64 = AtomicU64::new(0);
    NEXT.fetch_add(1, Relaxed)
}

/// Returned by hook registration; [`TensorHookHandle::remove`] takes the hook off again.
///
/// ```
/// # use firebrick_core::{Parameter, Tensor};
/// let x = Parameter::new(Tensor::new([1.0f32])?);
/// let handle = x.register_hook(|grad| grad.mul(10).map(Some))?;
/// x.mul(2)?.backward()?;
/// handle.remove();
/// x.mul(2)?.backward()?;
/// assert_eq!(x.grad().map(|g| g.to_vec::<f32>()).transpose()?, Some(vec![22.0]));
/// # Ok::<_, firebrick_core::Error>(())
/// ```
pub struct TensorHookHandle {
    id: u64,
    hooks: Weak<Hooks>,
}

impl TensorHookHandle {
    /// Takes the hook off. Doing so twice, or after the tensor is gone, does nothing.
    pub fn remove(&self) {
        if let Some(hooks) = self.hooks.upgrade() {
            let gone = hooks.gradient.lock().shift_remove(&self.id);
            drop(gone);
            let gone = hooks.accumulated.lock().shift_remove(&self.id);
            drop(gone);
        }
    }
}
