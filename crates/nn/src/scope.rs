//! Which module is running: recorded nodes remember it, and errors find their path in the model.

use crate::module::identity;
use crate::traverse::join;
use crate::{Member, Module};
use firebrick_core::Error;
use firebrick_core::autograd::swap_current_core;

/// Makes a module the running one of this thread until it is dropped.
pub(crate) struct Scope {
    previous: u64,
}

impl Scope {
    #[inline]
    pub fn enter(core: u64) -> Self {
        Scope { previous: swap_current_core(core) }
    }

    /// Notes that `error` leaves `module`; the outermost call turns the notes into a path.
    #[cold]
    pub fn leave_with(&self, module: &dyn Module, mut error: Error) -> Error {
        error.push_frame(identity(module));
        if self.previous == 0 { locate(module, error) } else { error }
    }
}

impl Drop for Scope {
    #[inline]
    fn drop(&mut self) {
        swap_current_core(self.previous);
    }
}

/// Sets the error's module path to where in `root` its innermost known frame is.
pub(crate) fn locate(root: &dyn Module, mut error: Error) -> Error {
    let (mut path, mut module) = (String::new(), root);
    for &id in error.frames().iter().rev() {
        // A module that is called without being a member has no name here; its members may.
        if let Some((name, below)) = descendant(module, id) {
            path = join(&path, &name);
            module = below;
        }
    }
    if !path.is_empty() {
        error.set_module_path(path);
    }
    error
}

/// The module with this identity below `module`, and its path from there.
fn descendant(module: &dyn Module, id: u64) -> Option<(String, &dyn Module)> {
    let mut found = None;
    module.visit(&mut |name, member| {
        if let (Member::Module(child), None) = (member, &found) {
            found = if identity(child) == id {
                Some((name.to_owned(), child))
            } else {
                descendant(child, id).map(|(below, module)| (join(name, &below), module))
            };
        }
    });
    found
}
