//! An allocator that counts.
#![allow(unsafe_code)] // Allocators are unsafe.

use std::alloc::{GlobalAlloc, Layout, System};
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

static LIVE: AtomicUsize = AtomicUsize::new(0);
static PEAK: AtomicUsize = AtomicUsize::new(0);

/// More than this at a time is refused, so that a reader that asks for everything fails rather than the machine.
const MOST: usize = 2 << 30;

/// The system's allocator, counted.
pub struct Counting;

// SAFETY: every call is the system allocator's own with the same arguments, whose promises are passed on; a refusal is a
// null pointer, as the trait allows.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        if !add(layout.size()) {
            return std::ptr::null_mut();
        }
        // SAFETY: the caller keeps what the trait asks of it.
        counted(unsafe { System.alloc(layout) }, layout.size())
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        if !add(layout.size()) {
            return std::ptr::null_mut();
        }
        // SAFETY: as above.
        counted(unsafe { System.alloc_zeroed(layout) }, layout.size())
    }

    unsafe fn dealloc(&self, block: *mut u8, layout: Layout) {
        LIVE.fetch_sub(layout.size(), Relaxed);
        // SAFETY: as above.
        unsafe { System.dealloc(block, layout) }
    }
}

fn add(size: usize) -> bool {
    let live = LIVE.fetch_add(size, Relaxed).saturating_add(size);
    PEAK.fetch_max(live, Relaxed);
    let granted = size <= MOST && live <= 2 * MOST;
    if !granted {
        LIVE.fetch_sub(size, Relaxed);
    }
    granted
}

fn counted(block: *mut u8, size: usize) -> *mut u8 {
    if block.is_null() {
        LIVE.fetch_sub(size, Relaxed);
    }
    block
}

/// What `f` returns, and the most bytes that were held at a time beyond those held before. Of all threads: nothing else
/// should run meanwhile. Nothing is counted unless [`Counting`] is the program's allocator.
pub fn peak<R>(f: impl FnOnce() -> R) -> (R, usize) {
    let before = LIVE.load(Relaxed);
    PEAK.store(before, Relaxed);
    let result = f();
    (result, PEAK.load(Relaxed).saturating_sub(before))
}
