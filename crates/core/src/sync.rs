//! Where threads meet: primitives of the standard library and `parking_lot`, or, for the model checker (`--cfg loom`),
//! loom's, with which it tries every order of events.
//!
//! ```text
//! RUSTFLAGS="--cfg loom" cargo test -p firebrick-core --lib --target-dir target/loom model
//! ```
//! The target directory is its own, because other flags would make everything anew in the usual one.

#[cfg(loom)]
pub(crate) use self::model::*;
#[cfg(not(loom))]
pub(crate) use self::real::*;

#[cfg(not(loom))]
mod real {
    pub(crate) use parking_lot::RawRwLock as RawLock;
    pub(crate) use parking_lot::lock_api::RawRwLock as Lock;
    pub(crate) use std::hint::spin_loop;
    pub(crate) use std::sync::atomic::{AtomicBool, AtomicPtr, AtomicUsize, Ordering, fence};
    pub(crate) use std::thread::{Builder, Thread, park, yield_now};

    /// A lock that nobody holds.
    pub(crate) const fn unlocked() -> RawLock {
        <RawLock as Lock>::INIT
    }
}

#[cfg(loom)]
#[allow(unsafe_code, reason = "the trait has unsafe methods, as the one it stands for")]
mod model {
    pub(crate) use loom::hint::spin_loop;
    pub(crate) use loom::sync::atomic::{AtomicBool, AtomicPtr, AtomicUsize, Ordering, fence};
    pub(crate) use loom::thread::{Builder, Thread, park, yield_now};

    use loom::sync::{Mutex, MutexGuard};

    /// A lock as `parking_lot` has it: a reader waits behind a waiting writer.
    pub(crate) struct RawLock(Mutex<State>);

    #[derive(Default)]
    struct State {
        readers: usize,
        writing: bool,
        writers_waiting: usize,
    }

    /// A lock that nobody holds.
    pub(crate) fn unlocked() -> RawLock {
        RawLock(Mutex::new(State::default()))
    }

    impl RawLock {
        fn state(&self) -> MutexGuard<'_, State> {
            self.0.lock().expect("no thread panics while it holds the state")
        }

        /// Changes the state as soon as it is `ready`.
        fn wait(&self, ready: impl Fn(&State) -> bool, change: impl Fn(&mut State)) {
            loop {
                let mut state = self.state();
                if ready(&state) {
                    return change(&mut state);
                }
                drop(state);
                yield_now();
            }
        }
    }

    /// The methods of `parking_lot`'s trait.
    pub(crate) trait Lock {
        fn lock_shared(&self);
        fn lock_exclusive(&self);
        /// # Safety
        /// The caller holds the lock for reading.
        unsafe fn unlock_shared(&self);
        /// # Safety
        /// The caller holds the lock for writing.
        unsafe fn unlock_exclusive(&self);
    }

    impl Lock for RawLock {
        fn lock_shared(&self) {
            self.wait(|s| !s.writing && s.writers_waiting == 0, |s| s.readers += 1);
        }

        fn lock_exclusive(&self) {
            self.state().writers_waiting += 1;
            self.wait(
                |s| !s.writing && s.readers == 0,
                |s| {
                    s.writers_waiting -= 1;
                    s.writing = true;
                },
            );
        }

        unsafe fn unlock_shared(&self) {
            self.state().readers -= 1;
        }

        unsafe fn unlock_exclusive(&self) {
            self.state().writing = false;
        }
    }
}
