//! Memory from the system, large pieces in large pages: with pages of 4 KiB a walk over some megabytes waits for
//! address translation more than for the data, and the first touch of each page costs more than most kernels.

use std::alloc::{Layout, alloc, dealloc};
use std::ptr::NonNull;

/// Every piece starts at a multiple of this, which is a cache line and the widest vector register.
const ALIGN: usize = 64;
/// A large page of x86-64 and, where pages have 4 KiB, of AArch64.
const LARGE_PAGE: usize = 2 << 20;
/// Pieces from this size on are given at least one large page.
const LARGE: usize = LARGE_PAGE / 4 * 3;

/// The layout of a piece of `size` bytes, which is not zero; `None` beyond what an address can reach.
fn layout(size: usize) -> Option<Layout> {
    let large = size >= LARGE;
    let (size, align) = if large { (size.max(LARGE_PAGE), LARGE_PAGE) } else { (size, ALIGN) };
    Layout::from_size_align(size, align).ok()
}

/// `size` bytes, with whatever they held before; `None` where the system has no such piece.
pub(crate) fn take(size: usize) -> Option<NonNull<u8>> {
    let layout = layout(size.max(1))?;
    // SAFETY: the layout is not empty.
    let start = NonNull::new(unsafe { alloc(layout) })?;
    if layout.align() == LARGE_PAGE {
        advise(start, layout.size());
    }
    Some(start)
}

/// Gives a piece back.
///
/// # Safety
/// It came from [`take`] with this size, and nobody uses it any more.
pub(crate) unsafe fn give(start: NonNull<u8>, size: usize) {
    if let Some(layout) = layout(size.max(1)) {
        // SAFETY: `take` allocated it with the same layout.
        unsafe { dealloc(start.as_ptr(), layout) }
    }
}

/// Asks for large pages. A system that has none to give, or does not know the request, uses small ones.
#[cfg(target_os = "linux")]
fn advise(start: NonNull<u8>, size: usize) {
    // SAFETY: the range lies in memory of our own, starts at a page, and the advice changes no content.
    unsafe { libc::madvise(start.as_ptr().cast(), size, libc::MADV_HUGEPAGE) };
}

#[cfg(not(target_os = "linux"))]
fn advise(_: NonNull<u8>, _: usize) {}
