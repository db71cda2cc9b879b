//! The second phase of locking: the distinct storages of one kernel, in address order.
//!
//! The first phase copies each tensor's [`Body`] under its own lock and releases it. Then this function
//! locks storages, each once, always by rising address, so that two kernels can never wait for each other
//! and no thread waits for a lock that it holds itself. Nothing of the user's runs while they are held.

use super::{Block, Storage};
use crate::tensor::Body;
use parking_lot::{RwLockReadGuard, RwLockWriteGuard};
use smallvec::SmallVec;
use std::sync::Arc;

/// Keeps the storages of one kernel locked until it is dropped.
pub(crate) struct Locked<'a> {
    _guards: SmallVec<[Guard<'a>; 4]>,
}

enum Guard<'a> {
    Read { _guard: RwLockReadGuard<'a, Block> },
    Write { _guard: RwLockWriteGuard<'a, Block> },
}

/// Locks every storage of `reads` for reading and of `writes` for writing; one that is in both, for writing.
///
/// A storage that only one body knows, such as that of a fresh result, needs no lock.
#[inline]
pub(crate) fn lock<'a>(reads: &[&'a Body], writes: &[&'a Body]) -> Locked<'a> {
    let mut wanted: SmallVec<[(&'a Storage, bool); 4]> = SmallVec::new();
    for (bodies, write) in [(reads, false), (writes, true)] {
        for body in bodies {
            if Arc::strong_count(&body.storage) == 1 {
                continue;
            }
            insert(&mut wanted, &body.storage, write);
        }
    }
    let mut guards = SmallVec::new();
    for (storage, write) in wanted {
        guards.push(match write {
            true => Guard::Write { _guard: storage.data.write() },
            false => Guard::Read { _guard: storage.data.read() },
        });
    }
    Locked { _guards: guards }
}

/// Keeps the list in the order of addresses, each storage once.
#[inline]
fn insert<'a>(wanted: &mut SmallVec<[(&'a Storage, bool); 4]>, storage: &'a Storage, write: bool) {
    let address = std::ptr::from_ref(storage);
    let at = wanted.iter().position(|(s, _)| std::ptr::from_ref(*s) >= address).unwrap_or(wanted.len());
    match wanted.get_mut(at) {
        Some((s, exclusive)) if std::ptr::eq(*s, storage) => *exclusive |= write,
        _ => wanted.insert(at, (storage, write)),
    }
}
