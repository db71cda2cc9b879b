//! Lazy modules: their parameters get shapes and values from the first input, or from a checkpoint.

use crate::{Member, Module};
use firebrick_core::autograd::ModeGuard;
use firebrick_core::{Error, Result, Tensor};
use parking_lot::{Condvar, Mutex};

/// Identities of the modules that are being initialized, with the thread that does it.
static RUNNING: Mutex<Vec<(u64, std::thread::ThreadId)>> = Mutex::new(Vec::new());
static FINISHED: Condvar = Condvar::new();

/// Initializes `module` through `initialize` unless another thread has; other threads wait for the first.
///
/// No lock is held while `initialize` runs; a module that calls itself there goes straight on.
pub(crate) fn initialize(module: &dyn Module, initialize: impl FnOnce() -> Result<()>) -> Result<()> {
    let core = module.core();
    let Some(_claim) = Claim::take(core.id()) else { return Ok(()) };
    if !core.is_lazy() {
        return Ok(());
    }
    let _no_grad = ModeGuard::no_grad();
    initialize()?;
    if uninitialized(module) {
        let message = format!("module {} has not been fully initialized", module.display_name());
        return Err(Error::runtime("initialize", message)
            .remedy("give every parameter and buffer its data in `Forward::initialize`"));
    }
    core.set_lazy(false);
    Ok(())
}

/// Ends laziness of a module that a checkpoint has filled.
pub(crate) fn settle(module: &dyn Module) {
    if module.core().is_lazy() && !uninitialized(module) {
        module.core().set_lazy(false);
    }
}

/// Does a parameter or buffer of the module itself wait for its shape?
pub(crate) fn uninitialized(module: &dyn Module) -> bool {
    let mut any = false;
    module.visit(&mut |_, member| {
        let tensor: Option<&Tensor> = match member {
            Member::Parameter(parameter) => Some(parameter),
            Member::Buffer(buffer) => Some(buffer),
            _ => None,
        };
        any |= tensor.is_some_and(Tensor::is_uninitialized);
    });
    any
}

/// The right of one thread to initialize one module.
struct Claim(u64);

impl Claim {
    /// Waits while another thread holds the right; `None` when this thread holds it already.
    fn take(core: u64) -> Option<Claim> {
        let me = std::thread::current().id();
        let mut running = RUNNING.lock();
        while let Some((_, thread)) = running.iter().find(|(id, _)| *id == core) {
            if *thread == me {
                return None;
            }
            FINISHED.wait(&mut running);
        }
        running.push((core, me));
        Some(Claim(core))
    }
}

impl Drop for Claim {
    fn drop(&mut self) {
        RUNNING.lock().retain(|(id, _)| *id != self.0);
        FINISHED.notify_all();
    }
}
