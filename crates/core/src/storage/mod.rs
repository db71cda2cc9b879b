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
use crate::sync::{RawLock, unlocked};
use std::sync::atomic::{AtomicU32, Ordering::Relaxed};

/// Memory on one device. Every in-place operation on any view of it raises `version`.
pub struct Storage {
    device: Device,
    /// Held, through [`lock`], by whoever reads or writes what is in the block; the block itself is never replaced.
    lock: RawLock,
    block: Block,
    version: AtomicU32,
}

impl Storage {
    /// A storage around `block`.
    #[inline]
    pub fn new(device: Device, block: Block) -> Self {
        Storage { device, lock: unlocked(), block, version: AtomicU32::new(0) }
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
    }

    /// The first byte. Reading or writing there needs the storage's lock.
    #[inline]
    pub(crate) fn ptr(&self) -> *mut u8 {
        self.block.as_ptr()
    }
}
