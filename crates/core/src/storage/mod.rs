//! The memory behind tensors: shared by views, versioned, locked.
#![allow(unsafe_code, reason = "owns raw memory")]

mod block;
mod elements;
mod lock;
pub(crate) mod pages;
mod room;

pub use block::{Block, Keeper, MemoryStats, empty_cache, memory_stats};
pub(crate) use elements::with_elements_mut;
pub(crate) use lock::lock;
pub(crate) use room::check_list;

use crate::Device;
use crate::source::{self, Line};
use crate::sync::{RawLock, unlocked};
use std::panic::Location;
use std::sync::atomic::{AtomicPtr, AtomicU32, Ordering::Relaxed};

/// Memory on one device. Every in-place operation on any view of it raises `version`.
pub struct Storage {
    device: Device,
    /// Held, through [`lock`], by whoever reads or writes what is in the block; the block itself is never replaced.
    lock: RawLock,
    block: Block,
    version: AtomicU32,
    /// The line of the program that changed it last, where lines are noted.
    changed_at: AtomicPtr<Location<'static>>,
}

impl Storage {
    /// A storage around `block`.
    #[inline]
    pub fn new(device: Device, block: Block) -> Self {
        Storage { device, lock: unlocked(), block, version: AtomicU32::new(0), changed_at: AtomicPtr::default() }
    }

    /// Where the memory is.
    #[inline]
    pub fn device(&self) -> Device {
        self.device
    }

    /// Bytes of memory.
    pub fn bytes(&self) -> usize {
        self.block.bytes()
    }

    /// How often it was changed in place.
    #[inline]
    pub fn version(&self) -> u32 {
        self.version.load(Relaxed)
    }

    #[inline]
    pub(crate) fn bump(&self) {
        self.version.fetch_add(1, Relaxed);
        if source::is_noting() {
            let line = source::current().map_or(std::ptr::null(), std::ptr::from_ref);
            self.changed_at.store(line.cast_mut(), Relaxed);
        }
    }

    /// The line of the program that changed it last, where it was noted.
    pub(crate) fn changed_at(&self) -> Option<Line> {
        // SAFETY: null, or made from a `&'static Location` by `bump`, and never written through.
        unsafe { self.changed_at.load(Relaxed).as_ref() }
    }

    /// The first byte. Reading or writing there needs the storage's lock.
    #[inline]
    pub(crate) fn ptr(&self) -> *mut u8 {
        self.block.as_ptr()
    }
}
