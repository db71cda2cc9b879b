//! What ran, by number: names for errors that arise when whoever ran is out of reach, as in the backward pass.

use crate::Error;
use parking_lot::Mutex;
use std::collections::HashMap;

/// Where in a model something is, and what it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Scope {
    /// The dotted path; empty for the outermost.
    pub path: String,
    /// What it is, on one line: `Linear(in_features=3, out_features=8, bias=True)`.
    pub text: String,
}

static SCOPES: Mutex<Option<HashMap<u64, Scope>>> = Mutex::new(None);

/// Notes where the scope of this number is. Of several paths the longest is kept: a part may have run on its own.
pub fn name_scope(id: u64, scope: Scope) {
    let mut scopes = SCOPES.lock();
    let known = scopes.get_or_insert_default();
    if known.get(&id).is_none_or(|old| old.path.len() < scope.path.len()) {
        known.insert(id, scope);
    }
}

/// Forgets a scope that is gone.
pub fn forget_scope(id: u64) {
    let gone = SCOPES.lock().as_mut().and_then(|known| known.remove(&id));
    drop(gone);
}

/// The scope of this number, where it was named and is not gone.
pub fn scope(id: u64) -> Option<Scope> {
    SCOPES.lock().as_ref()?.get(&id).cloned()
}

/// Says in which scope the error arose, unless it says so already.
pub(crate) fn located(mut error: Error, id: u64) -> Error {
    if id == 0 || !error.frames().is_empty() {
        return error;
    }
    error.push_frame(id);
    if let Some(scope) = scope(id) {
        error.set_module(scope.path, scope.text);
    }
    error
}
