//! The second phase of locking: the distinct storages of one kernel, in address order.
//!
//! The first phase copies each tensor's [`Body`] under its own lock and releases it. Then this function
//! locks storages, each once, always by rising address, so that two kernels can never wait for each other
//! and no thread waits for a lock that it holds itself. Nothing of the user's runs while they are held.

use super::Storage;
use crate::sync::{Lock as _, Ordering, fence};
use crate::tensor::Body;
use smallvec::SmallVec;
use std::sync::Arc;

/// Distinct storages, by address, and whether each is to be written.
type Wanted<'a> = SmallVec<[(&'a Storage, bool); 4]>;

/// Keeps the storages of one kernel locked until it is dropped.
pub(crate) struct Locked<'a> {
    storages: Wanted<'a>,
}

/// Locks every storage of `reads` for reading and of `writes` for writing; one that is in both, for writing.
///
/// A storage that only one body knows, such as that of a fresh result, needs no lock; what the bodies before did to it
/// happened before.
#[inline]
pub(crate) fn lock<'a>(reads: &[&'a Body], writes: &[&'a Body]) -> Locked<'a> {
    let mut storages = Wanted::new();
    for (bodies, write) in [(reads, false), (writes, true)] {
        for body in bodies {
            debug_assert!(body.device() != crate::Device::Meta, "a kernel got a body without memory");
            if Arc::strong_count(&body.storage) > 1 {
                insert(&mut storages, &body.storage, write);
            } else {
                fence(Ordering::Acquire);
            }
        }
    }
    for &(storage, write) in &storages {
        if write { storage.lock.lock_exclusive() } else { storage.lock.lock_shared() }
    }
    Locked { storages }
}

impl Drop for Locked<'_> {
    #[inline]
    fn drop(&mut self) {
        for &(storage, write) in &self.storages {
            // SAFETY: `lock` locked it in this mode, and nothing has unlocked it since.
            unsafe { if write { storage.lock.unlock_exclusive() } else { storage.lock.unlock_shared() } }
        }
    }
}

/// Keeps the list in the order of addresses, each storage once.
#[inline]
fn insert<'a>(storages: &mut Wanted<'a>, storage: &'a Storage, write: bool) {
    let address = std::ptr::from_ref(storage);
    let at = storages.iter().position(|(s, _)| std::ptr::from_ref(*s) >= address).unwrap_or(storages.len());
    match storages.get_mut(at) {
        Some((s, exclusive)) if std::ptr::eq(*s, storage) => *exclusive |= write,
        _ => storages.insert(at, (storage, write)),
    }
}

#[cfg(all(test, loom))]
mod model {
    use super::lock;
    use crate::storage::{Block, Storage};
    use crate::tensor::Body;
    use crate::{DType, Device, Dims};
    use std::sync::Arc;

    fn body() -> Body {
        let block = Block::new(4).expect("memory");
        let storage = Arc::new(Storage::new(Device::Cpu, block));
        Body { storage, shape: Dims::from([1]), strides: Dims::from([1]), offset: 0, dtype: DType::F32 }
    }

    /// Two kernels that need the same storages in opposite roles, one of them twice. Were they to wait for each other,
    /// the checker would find no end.
    #[test]
    fn kernels_never_wait_for_each_other() {
        let mut model = loom::model::Builder::new();
        model.preemption_bound = Some(3);
        model.check(|| {
            let (a, b) = (body(), body());
            let (x, y) = (a.clone(), b.clone());
            let second = loom::thread::spawn(move || drop(lock(&[&y, &y], &[&x])));
            drop(lock(&[&a, &a], &[&b]));
            assert!(second.join().is_ok());
        });
    }
}
