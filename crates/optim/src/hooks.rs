//! Hooks around the step of an optimizer.

use crate::OptimizerCore;
use firebrick_core::Result;
use indexmap::IndexMap;
use std::sync::{Arc, Mutex, PoisonError, Weak};

/// Called with an optimizer's groups and state before or after its step.
type Hook = Arc<dyn Fn(&mut OptimizerCore) -> Result<()> + Send + Sync>;

/// Hooks in the order of their registration.
#[derive(Clone, Default)]
pub(crate) struct StepHooks(Arc<Mutex<Table>>);

#[derive(Default)]
struct Table {
    next: u64,
    hooks: IndexMap<u64, Hook>,
}

impl StepHooks {
    pub fn register(&self, hook: impl Fn(&mut OptimizerCore) -> Result<()> + Send + Sync + 'static) -> StepHookHandle {
        let mut table = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let id = table.next;
        table.next += 1;
        table.hooks.insert(id, Arc::new(hook));
        StepHookHandle { id, table: Arc::downgrade(&self.0) }
    }

    /// The hooks of now: one that a hook adds comes with the next step.
    pub fn list(&self) -> Vec<Hook> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).hooks.values().cloned().collect()
    }
}

/// Returned by the registration of a step hook. Dropping it leaves the hook where it is.
///
/// ```
/// use firebrick::prelude::*;
/// let p = Parameter::new(Tensor::new([1.0f32])?);
/// let mut optimizer = optim::SGD::new([&p], 1.0).build()?;
/// let handle = optimizer.register_step_pre_hook(|_| Err(Error::runtime("step", "not yet")));
/// assert_eq!(optimizer.step().unwrap_err().to_string(), "not yet");
/// handle.remove();
/// optimizer.step()?;
/// # Ok::<_, firebrick::Error>(())
/// ```
pub struct StepHookHandle {
    id: u64,
    table: Weak<Mutex<Table>>,
}

impl StepHookHandle {
    /// Takes the hook off. Doing so twice, or after the optimizer is gone, does nothing.
    ///
    /// ```
    /// use firebrick::prelude::*;
    /// let p = Parameter::new(Tensor::new([1.0f32])?);
    /// let mut optimizer = optim::SGD::new([&p], 1.0).build()?;
    /// let handle = optimizer.register_step_post_hook(|core| core.param_groups_mut()[0].set_lr(0.5));
    /// handle.remove();
    /// optimizer.step()?;
    /// assert_eq!(optimizer.param_groups()[0].get_lr()?, 1.0);
    /// # Ok::<_, firebrick::Error>(())
    /// ```
    pub fn remove(&self) {
        if let Some(table) = self.table.upgrade() {
            let gone = table.lock().unwrap_or_else(PoisonError::into_inner).hooks.shift_remove(&self.id);
            drop(gone);
        }
    }
}
