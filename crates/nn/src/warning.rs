//! Warnings, written to standard error as Python's `warnings.warn` does.

pub(crate) fn warn(message: &str) {
    eprintln!("UserWarning: {message}");
}
