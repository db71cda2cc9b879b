//! Warnings, written to standard error as Python's `warnings.warn` does.

/// Writes `UserWarning: message`.
#[doc(hidden)]
pub fn warn(message: &str) {
    eprintln!("UserWarning: {message}");
}
