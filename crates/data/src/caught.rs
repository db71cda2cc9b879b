//! Panics of user code become errors.

use firebrick_core::{Error, Result};
use std::panic::{AssertUnwindSafe, catch_unwind};

/// What `f` returns, or its panic as an error: a data set that fails on one item must not take the program with it.
pub(crate) fn caught<T>(f: impl FnOnce() -> Result<T>) -> Result<T> {
    // What a data set left half done is its own affair, as after an error.
    catch_unwind(AssertUnwindSafe(f)).unwrap_or_else(|panic| {
        let text = match (panic.downcast_ref::<&str>(), panic.downcast_ref::<String>()) {
            (Some(text), _) => text,
            (_, Some(text)) => text.as_str(),
            _ => "of a kind that has no text",
        };
        Err(Error::runtime("DataLoader", format!("panicked: {text}")))
    })
}
