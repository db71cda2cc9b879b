//! The time that this thread was at work: on a busy machine, less than what passes on the wall.

use std::fs;
use std::sync::LazyLock;
use std::time::{Duration, Instant};

/// Time at work so far, or on the wall where the system does not count the other.
pub fn now() -> Duration {
    static BEGIN: LazyLock<Instant> = LazyLock::new(Instant::now);
    at_work().unwrap_or_else(|| BEGIN.elapsed())
}

fn at_work() -> Option<Duration> {
    let text = fs::read_to_string("/proc/thread-self/schedstat").ok()?;
    text.split_whitespace().next()?.parse().ok().map(Duration::from_nanos)
}
