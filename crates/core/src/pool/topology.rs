//! How many threads to use by default.

use std::collections::HashSet;

/// `OMP_NUM_THREADS`, or the physical cores that the process may use.
pub(super) fn default_threads() -> usize {
    let wanted = std::env::var("OMP_NUM_THREADS").ok();
    if let Some(n) = wanted.and_then(|s| s.trim().parse::<usize>().ok()).filter(|&n| n > 0) {
        return n;
    }
    // Counts what affinity and container limits leave, in hardware threads.
    let available = std::thread::available_parallelism().map_or(1, usize::from);
    physical_cores().map_or(available, |cores| available.min(cores)).max(1)
}

/// The physical cores of the machine, where the system tells in a file. Two hardware threads of one core share its
/// arithmetic units, which kernels keep busy from one thread.
fn physical_cores() -> Option<usize> {
    let mut cores = HashSet::new();
    for entry in std::fs::read_dir("/sys/devices/system/cpu").ok()? {
        let path = entry.ok()?.path().join("topology/thread_siblings_list");
        if let Ok(siblings) = std::fs::read_to_string(path) {
            cores.insert(siblings);
        }
    }
    (!cores.is_empty()).then_some(cores.len())
}
