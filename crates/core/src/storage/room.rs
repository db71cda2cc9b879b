//! Is there memory for a request? Asked before large ones, because a system that promises more than it has ends the
//! process when the memory is first written, where PyTorch users expect an error.

use super::block::memory_stats;
use crate::{Error, Result};

/// Requests below this are simply made: asking costs some microseconds.
const LARGE: usize = 256 << 20;

/// PyTorch's error for memory that is not there.
#[cold]
pub(super) fn out_of_memory(bytes: usize) -> Error {
    Error::runtime(
        "allocate",
        format!(
            "[enforce fail at alloc_cpu.cpp] DefaultCPUAllocator: can't allocate memory: you tried to allocate {bytes} bytes."
        ),
    )
}

/// Refuses a request for more bytes than this machine can give.
///
/// # Errors
/// PyTorch's, as its allocator words it.
#[inline]
pub(super) fn check_room(bytes: usize) -> Result<()> {
    if bytes < LARGE || room().is_none_or(|room| bytes <= room) { Ok(()) } else { Err(out_of_memory(bytes)) }
}

/// [`check_room`] for a list of `count` entries of `each` bytes.
#[inline]
pub(crate) fn check_list(count: usize, each: usize) -> Result<()> {
    check_room(count.saturating_mul(each))
}

/// Bytes that can still be had; `None` where the system does not tell.
fn room() -> Option<usize> {
    let available = available()?;
    let stats = memory_stats();
    // Blocks kept for reuse may be of use for this request, or be given back.
    let limited = limit().map(|limit| limit.saturating_sub(stats.in_use));
    Some(limited.map_or(available, |limited| limited.min(available)))
}

/// Memory that the system could hand out without swapping, and its swap.
#[cfg(target_os = "linux")]
fn available() -> Option<usize> {
    let text = std::fs::read_to_string("/proc/meminfo").ok()?;
    let kib = |name: &str| -> Option<usize> {
        let line = text.lines().find_map(|line| line.strip_prefix(name))?;
        line.trim_start_matches(':').trim().trim_end_matches("kB").trim().parse().ok()
    };
    Some((kib("MemAvailable")? + kib("SwapFree").unwrap_or(0)) << 10)
}

#[cfg(not(target_os = "linux"))]
fn available() -> Option<usize> {
    None
}

/// The limit of this process's control group, version 2 or 1.
fn limit() -> Option<usize> {
    let files = ["/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory/memory.limit_in_bytes"];
    files.iter().find_map(|file| std::fs::read_to_string(file).ok()?.trim().parse().ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn requests_beyond_the_machine_are_refused_and_small_ones_are_not() {
        assert!(check_room(1 << 20).is_ok());
        #[cfg(target_os = "linux")]
        assert!(check_room(1 << 50).is_err() && check_list(usize::MAX, 8).is_err());
    }
}
