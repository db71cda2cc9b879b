//! A lock for the time of a copy.
#![allow(unsafe_code, reason = "hands out what it guards")]

use crate::sync::{AtomicBool, Ordering, spin_loop, yield_now};
use std::cell::UnsafeCell;

/// A value that is looked at for some nanoseconds only: whoever finds it held spins. Taking it is one atomic exchange
/// and leaving it one store, where a lock that can sleep costs two exchanges.
pub(crate) struct Latch<T> {
    held: AtomicBool,
    value: UnsafeCell<T>,
}

// SAFETY: only the thread that holds the latch reaches the value.
unsafe impl<T: Send> Sync for Latch<T> {}

/// Leaves the latch, also when what it was taken for unwinds.
struct Held<'a>(&'a AtomicBool);

impl Drop for Held<'_> {
    #[inline]
    fn drop(&mut self) {
        self.0.store(false, Ordering::Release);
    }
}

impl<T> Latch<T> {
    #[inline]
    pub fn new(value: T) -> Self {
        Latch { held: AtomicBool::new(false), value: UnsafeCell::new(value) }
    }

    #[inline]
    fn hold(&self) -> Held<'_> {
        if self.held.swap(true, Ordering::Acquire) {
            self.wait();
        }
        Held(&self.held)
    }

    #[cold]
    fn wait(&self) {
        let mut looks = 0u32;
        while self.held.swap(true, Ordering::Acquire) {
            while self.held.load(Ordering::Relaxed) {
                looks += 1;
                // The holder may have lost its core.
                if looks.is_multiple_of(64) { yield_now() } else { spin_loop() }
            }
        }
    }

    /// Looks at the value. `f` is short, and does not come back to this latch.
    #[inline]
    pub fn with<R>(&self, f: impl FnOnce(&T) -> R) -> R {
        let _held = self.hold();
        // SAFETY: the latch is held.
        f(unsafe { &*self.value.get() })
    }

    /// Puts another value in its place and returns the one before.
    pub fn replace(&self, value: T) -> T {
        let _held = self.hold();
        // SAFETY: the latch is held.
        std::mem::replace(unsafe { &mut *self.value.get() }, value)
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::Latch;

    #[test]
    fn threads_see_whole_values() {
        let latch = Latch::new((0u64, 0u64));
        std::thread::scope(|scope| {
            for thread in 0..4 {
                let latch = &latch;
                scope.spawn(move || {
                    for i in 0..10_000u64 {
                        let n = i * 4 + thread;
                        let (a, b) = latch.replace((n, !n));
                        assert!(a == !b || (a, b) == (0, 0));
                        assert!(latch.with(|&(a, b)| a == !b));
                    }
                });
            }
        });
    }
}
