//! The line of the program that is running an operation, where somebody wants to know it.
//!
//! Public methods of tensors say where they were called from. Outermost ones count: what an operation calls for itself
//! belongs to the line that called the operation, and what a layer calls to the line that called the layer. Development
//! builds always know the line; others on request, since it costs a few nanoseconds with every operation.

use std::cell::Cell;
use std::panic::Location;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

/// A place in the text of a program; prints as `src/main.rs:12:9`.
pub type Line = &'static Location<'static>;

/// How many guards ask for lines.
static WANTED: AtomicUsize = AtomicUsize::new(0);

#[derive(Clone, Copy)]
struct State {
    line: Option<Line>,
    /// An operation runs: the public methods that it calls are its own doing.
    in_operation: bool,
    /// The library called it, not the user.
    own: bool,
}

thread_local! {
    static STATE: Cell<State> = const { Cell::new(State { line: None, in_operation: false, own: false }) };
}

/// Are lines noted?
#[inline]
pub(crate) fn is_noting() -> bool {
    cfg!(debug_assertions) || WANTED.load(Relaxed) != 0
}

/// Notes, while it lives, the lines that operations and modules are called from, in all threads.
///
/// Errors of the backward pass then name them: where an operation ran, where a tensor was changed in place.
/// Development builds (`debug_assertions`) do so always.
///
/// ```
/// use firebrick_core::{Tensor, autograd};
/// let _lines = autograd::SourceLines::note();
/// let x = Tensor::new([4.0f32])?;
/// x.requires_grad_(true)?;
/// let root = x.sqrt()?;
/// root.detach().mul_(2.0)?;
/// let error = format!("{:#}", root.backward().unwrap_err());
/// assert!(error.contains("saved at ") && error.contains("changed at "), "{error}");
/// # Ok::<_, firebrick_core::Error>(())
/// ```
#[must_use = "lines are noted as long as the guard lives"]
pub struct SourceLines(());

impl SourceLines {
    /// Begins to note lines.
    pub fn note() -> Self {
        WANTED.fetch_add(1, Relaxed);
        SourceLines(())
    }
}

impl Drop for SourceLines {
    fn drop(&mut self) {
        WANTED.fetch_sub(1, Relaxed);
    }
}

/// A public method or a module runs until this is dropped.
#[must_use]
pub struct Running(Option<State>);

impl Drop for Running {
    #[inline]
    fn drop(&mut self) {
        if let Some(before) = self.0 {
            STATE.set(before);
        }
    }
}

/// The caller's caller runs an operation.
#[inline]
#[track_caller]
pub(crate) fn operation() -> Running {
    if is_noting() { begin(Location::caller(), true) } else { Running(None) }
}

/// The caller's caller runs a module, whose operations are told apart by their own lines where these are the user's.
#[doc(hidden)]
#[inline]
#[track_caller]
pub fn module() -> Running {
    if is_noting() { begin(Location::caller(), false) } else { Running(None) }
}

#[inline(never)]
fn begin(caller: Line, in_operation: bool) -> Running {
    let before = STATE.get();
    if !before.in_operation {
        let own = is_own(caller.file());
        STATE.set(State { line: if own { before.line } else { Some(caller) }, in_operation, own });
    }
    Running(Some(before))
}

/// The line of the user's program that is running; `None` where it is not known.
#[inline]
pub(crate) fn current() -> Option<Line> {
    if is_noting() { STATE.get().line } else { None }
}

/// Does an operation run? Known while lines are noted.
pub(crate) fn is_in_operation() -> bool {
    STATE.get().in_operation
}

/// Did the library call what runs, rather than the user? Known while lines are noted.
pub(crate) fn is_own_doing() -> bool {
    STATE.get().own
}

/// Is the file part of this library, whatever folder the library was built in?
pub(crate) fn is_own(file: &str) -> bool {
    const CRATES: [&str; 5] = ["core", "nn", "optim", "data", "io"];
    let folder = file!().strip_suffix("source.rs").unwrap_or_default();
    let Some((before, after)) = folder.rsplit_once("core") else { return false };
    let Some(rest) = file.strip_prefix(before) else { return false };
    CRATES.iter().any(|name| rest.strip_prefix(name).is_some_and(|rest| rest.starts_with(after)))
}

#[cfg(test)]
mod tests {
    use super::is_own;

    #[test]
    fn only_the_sources_of_the_library_are_its_own() {
        assert!(is_own(file!()));
        let of = |name: &str| file!().replace("source.rs", name);
        assert!(is_own(&of("ops/mod.rs")) && is_own(&of("layers/linear.rs").replace("core", "nn")));
        for other in ["src/main.rs", "crates/nn/tests/calls.rs", "examples/tour/main.rs", ""] {
            assert!(!is_own(other), "{other}");
        }
    }
}
