//! A line that shows how far long work is, on terminals only.

use indicatif::{ProgressBar, ProgressStyle};

/// Less work than this is done before anyone could read the line.
const SHORT: usize = 64 << 20;

/// The line; it goes away when this is dropped.
pub struct Progress(ProgressBar);

impl Progress {
    /// Work on so many bytes.
    pub fn new(bytes: usize) -> Self {
        if bytes < SHORT {
            return Progress(ProgressBar::hidden());
        }
        let style = ProgressStyle::with_template("{bar:30} {percent:>3} % {decimal_bytes_per_sec:>12} {wide_msg}");
        Progress(ProgressBar::new(bytes as u64).with_style(style.unwrap_or_else(|_| ProgressStyle::default_bar())))
    }

    /// Work on the tensor `name` begins.
    pub fn at(&self, name: &str) {
        self.0.set_message(super::output::shown(name).into_owned());
    }

    /// So many bytes are done.
    pub fn done(&self, bytes: usize) {
        self.0.inc(bytes as u64);
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        self.0.finish_and_clear();
    }
}
