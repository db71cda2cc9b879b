//! Warnings, written to standard error as Python's `warnings.warn` does.

use std::cell::RefCell;

thread_local! {
    /// Where this thread's warnings go instead, innermost last.
    static CAUGHT: RefCell<Vec<Vec<String>>> = const { RefCell::new(Vec::new()) };
}

/// Tells the user of something that is no error but probably not meant.
///
/// ```
/// # use firebrick_core::{catch_warnings, warn};
/// let ((), said) = catch_warnings(|| warn("the learning rate is zero"));
/// assert_eq!(said, ["the learning rate is zero"]);
/// ```
pub fn warn(message: &str) {
    let caught = CAUGHT.with_borrow_mut(|lists| lists.last_mut().map(|list| list.push(message.to_owned())));
    if caught.is_none() {
        eprintln!("UserWarning: {message}");
    }
}

/// Runs `f` and returns what this thread warned of meanwhile, instead of printing it: Python's
/// `warnings.catch_warnings(record=True)`.
///
/// ```
/// use firebrick_core::{catch_warnings, warn};
/// let (sum, warnings) = catch_warnings(|| {
///     warn("the sum is small");
///     1 + 1
/// });
/// assert_eq!((sum, warnings), (2, vec!["the sum is small".to_owned()]));
/// ```
pub fn catch_warnings<T>(f: impl FnOnce() -> T) -> (T, Vec<String>) {
    /// Ends the catching even when `f` unwinds.
    struct Catching;
    impl Drop for Catching {
        fn drop(&mut self) {
            CAUGHT.with_borrow_mut(|lists| lists.pop());
        }
    }
    CAUGHT.with_borrow_mut(|lists| lists.push(Vec::new()));
    let _catching = Catching;
    let value = f();
    let warnings = CAUGHT.with_borrow_mut(|lists| lists.last_mut().map(std::mem::take).unwrap_or_default());
    (value, warnings)
}
