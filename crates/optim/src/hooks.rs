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
pub struct StepHookHandle {
    id: u64,
    table: Weak<Mutex<Table>>,
}

impl StepHookHandle {
    /// Takes the hook off. Doing so twice, or after the optimizer is gone, does nothing.
    pub fn remove(&self) {
        if let Some(table) = self.table.upgrade() {
            let gone = table.lock().unwrap_or_else(PoisonError::into_inner).hooks.shift_remove(&self.id);
            drop(gone);
        }
    }
}
