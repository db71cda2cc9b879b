//! Which module is running: recorded nodes remember it, and errors find their path in the model.

use crate::traverse::{identity, join, walk};
use crate::{Member, Module};
use firebrick_core::Error;
use firebrick_core::autograd::{self, Running, name_scope, swap_current_core};
use std::cell::Cell;

thread_local! {
    /// Modules were called for the first time: the outermost call that runs will note where they are.
    static UNNAMED: Cell<bool> = const { Cell::new(false) };
}

/// Makes a module the running one of this thread until it is dropped.
pub(crate) struct Scope {
    previous: u64,
    _line: Running,
}

impl Scope {
    #[inline]
    #[track_caller]
    pub fn enter(core: u64) -> Self {
        Scope { previous: swap_current_core(core), _line: autograd::running_module() }
    }

    /// Notes that `error` leaves `module`; the outermost call turns the notes into a path.
    #[cold]
    pub fn leave_with(&self, module: &dyn Module, mut error: Error) -> Error {
        error.push_frame(identity(module));
        if error.module().is_none() {
            error.set_module(String::new(), describe(module));
        }
        if self.previous == 0 { locate(module, error) } else { error }
    }

    /// Is this the end of an outermost call in which modules ran for the first time?
    #[inline]
    pub fn has_unnamed(&self) -> bool {
        self.previous == 0 && UNNAMED.get()
    }
}

impl Drop for Scope {
    #[inline]
    fn drop(&mut self) {
        swap_current_core(self.previous);
    }
}

/// Notes that `module` runs for the first time.
pub(crate) fn introduce(module: &dyn Module) {
    if module.core().leave_fresh() {
        UNNAMED.set(true);
    }
}

/// Notes where everything below `root` is, for errors that arise when no call is there to say so: those of backward.
#[cold]
pub(crate) fn name_all(root: &dyn Module) {
    UNNAMED.set(false);
    walk("", root, &mut |path, module| {
        let core = module.core();
        core.set_named();
        name_scope(core.id(), autograd::Scope { path: path.to_owned(), text: describe(module) });
        true
    });
}

/// What a module is, on one line: its class and options, without its children.
pub(crate) fn describe(module: &dyn Module) -> String {
    let options: Vec<String> = module.extra_repr().lines().map(|line| line.trim().to_owned()).collect();
    let mut children = 0;
    module.visit(&mut |_, member| children += usize::from(matches!(member, Member::Module(_))));
    let name = module.display_name();
    let options = options.join(", ");
    if children > 0 && options.is_empty() { name } else { format!("{name}({options})") }
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
        let text = error.module().map_or_else(|| describe(module), str::to_owned);
        error.set_module(path, text);
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
