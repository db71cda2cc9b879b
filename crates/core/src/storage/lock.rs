//! The second phase of locking: the distinct storages of one kernel, in address order.
//!
//! The first phase copies each tensor's [`Body`] under its own lock and releases it. Then this function
//! locks storages, each once, always by rising address, so that two kernels can never wait for each other
//! and no thread waits for a lock that it holds itself. Nothing of the user's runs while they are held.

use super::{Block, Storage};
use crate::tensor::Body;
use parking_lot::{RwLockReadGuard, RwLockWriteGuard};
use smallvec::SmallVec;

/// Keeps the storages of one kernel locked until it is dropped.
pub(crate) struct Locked<'a> {
    _guards: SmallVec<[Guard<'a>; 4]>,
}

enum Guard<'a> {
    Read { _guard: RwLockReadGuard<'a, Block> },
    Write { _guard: RwLockWriteGuard<'a, Block> },
}

/// Locks every storage of `reads` for reading and of `writes` for writing; one that is in both, for writing.
#[inline]
pub(crate) fn lock<'a>(reads: &[&'a Body], writes: &[&'a Body]) -> Locked<'a> {
    let mut wanted: SmallVec<[(&'a Storage, bool); 6]> = SmallVec::new();
    wanted.extend(reads.iter().map(|body| (&*body.storage, false)));
    wanted.extend(writes.iter().map(|body| (&*body.storage, true)));
    wanted.sort_unstable_by_key(|(storage, _)| std::ptr::from_ref(*storage) as usize);
    wanted.dedup_by(|(later, write), (kept, exclusive)| {
        let same = std::ptr::eq(*later, *kept);
        *exclusive |= same && *write;
        same
    });
    let guard = |(storage, write): (&'a Storage, bool)| match write {
        true => Guard::Write { _guard: storage.data.write() },
        false => Guard::Read { _guard: storage.data.read() },
    };
    Locked { _guards: wanted.into_iter().map(guard).collect() }
}
