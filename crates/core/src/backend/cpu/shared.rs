//! A pointer into a slice that the tasks of one job share.
#![allow(unsafe_code)] // Tasks write disjoint parts of one slice.

use std::ops::Range;

/// The start of elements of which each task uses its own part, or which all only read.
#[derive(Clone, Copy)]
pub(crate) struct Shared<T>(pub(crate) *mut T);

// SAFETY: the parts that tasks use are disjoint: `take` is where that is promised, or the user of `at`.
unsafe impl<T: Send> Send for Shared<T> {}
// SAFETY: as above.
unsafe impl<T: Send> Sync for Shared<T> {}

impl<T> Shared<T> {
    /// A slice whose parts are taken by tasks.
    pub(crate) fn new(all: &mut [T]) -> Self {
        Shared(all.as_mut_ptr())
    }

    /// The address of an element.
    pub(crate) fn at(&self, index: usize) -> *mut T {
        self.0.wrapping_add(index)
    }

    /// A part.
    ///
    /// # Safety
    /// The range lies in the slice, which is not used otherwise meanwhile, and overlaps no other part in use.
    #[expect(clippy::mut_from_ref, reason = "parts are disjoint")]
    pub(crate) unsafe fn take(&self, range: Range<usize>) -> &mut [T] {
        // SAFETY: the caller's promise.
        unsafe { std::slice::from_raw_parts_mut(self.0.add(range.start), range.len()) }
    }
}
