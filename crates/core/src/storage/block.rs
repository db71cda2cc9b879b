//! Raw memory, recycled: fresh pages cost more than most kernels, so freed blocks are kept by size class.
//!
//! Each thread keeps its own free lists. A block goes to the list of the thread that drops it; when that
//! thread has ended, or its lists are full, the block goes back to the system. Counting is per thread too: a shared
//! counter would cost as much as the rest of an allocation.
//!
//! A block may also be memory that something else keeps, such as a mapped file: it goes back to its keeper. And it may be
//! absent: bytes of which only the number is known.

use super::pages;
use super::room::{check_room, out_of_memory};
use crate::Result;
use parking_lot::Mutex;
use std::any::Any;
use std::cell::RefCell;
use std::num::NonZeroUsize;
use std::ptr::NonNull;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::sync::{Arc, Weak};

/// Bytes that one thread's free lists hold at most.
const KEEP: usize = 512 << 20;
/// Classes per power of two: a block is at most a fifth larger than asked for.
const STEPS: usize = 4;
const CLASSES: usize = (usize::BITS as usize - 6) * STEPS;

/// Bytes taken from the system, in use or cached.
static TAKEN: AtomicUsize = AtomicUsize::new(0);
/// What each thread's free lists hold; only that thread writes its number.
static CACHED: Mutex<Vec<Weak<AtomicUsize>>> = Mutex::new(Vec::new());

/// What keeps the memory of a foreign block, and frees it when it is dropped.
pub type Keeper = Arc<dyn Any + Send + Sync>;

/// A piece of memory with a fixed address and one owner: from the cache, aligned to 64 bytes, or foreign.
pub struct Block {
    start: NonNull<u8>,
    bytes: usize,
    owner: Owner,
}

/// Where the memory of a block goes when the block is dropped.
enum Owner {
    /// Back to the cache.
    Cache,
    /// To what keeps it.
    Foreign(#[allow(dead_code, reason = "kept, not looked at")] Keeper),
    /// Nowhere: there is none.
    Absent,
}

// SAFETY: a block is plain memory with one owner, and what keeps foreign memory may be dropped anywhere; access to the
// memory is guarded by the storage's lock.
unsafe impl Send for Block {}
// SAFETY: as above: a shared block hands out only its address.
unsafe impl Sync for Block {}

struct FreeLists {
    lists: Vec<Vec<NonNull<u8>>>,
    bytes: usize,
    /// `bytes` for the other threads to see, once there are lists.
    published: Option<Arc<AtomicUsize>>,
}

thread_local! {
    static FREE: RefCell<FreeLists> = const { RefCell::new(FreeLists { lists: Vec::new(), bytes: 0, published: None }) };
}

/// Size class of a request, and the bytes that a block of the class has.
#[inline]
fn class_of(bytes: usize) -> (usize, usize) {
    if bytes <= 64 {
        return (0, 64);
    }
    // The power of two below, cut into STEPS steps.
    let log = usize::BITS as usize - 1 - (bytes - 1).leading_zeros() as usize;
    let step = (1usize << log) / STEPS;
    let index = ((bytes - 1) - (1 << log)) / step + 1;
    ((log - 6) * STEPS + index, (1 << log) + index * step)
}

impl Block {
    /// Memory for `bytes` bytes, with whatever the memory held before.
    #[inline]
    pub fn new(bytes: usize) -> Result<Block> {
        if bytes > isize::MAX as usize / 2 {
            return Err(out_of_memory(bytes));
        }
        let (class, size) = class_of(bytes);
        let recycled = FREE
            .try_with(|free| {
                let mut free = free.try_borrow_mut().ok()?;
                let start = free.lists.get_mut(class)?.pop()?;
                let left = free.bytes - size;
                free.set_bytes(left);
                Some(start)
            })
            .ok()
            .flatten();
        let start = match recycled {
            Some(start) => start,
            None => {
                check_room(size)?;
                let start = pages::take(size).ok_or_else(|| out_of_memory(bytes))?;
                TAKEN.fetch_add(size, Relaxed);
                start
            }
        };
        Ok(Block { start, bytes, owner: Owner::Cache })
    }

    /// A block over memory that `keeper` keeps: what lies there is used as it is, without a copy.
    ///
    /// # Safety
    /// As long as `keeper` or a clone of it lives, the `bytes` bytes from `start` on are initialized, may be read and
    /// written by any thread, stay where they are, and are used by nobody else.
    pub unsafe fn foreign(start: NonNull<u8>, bytes: usize, keeper: Keeper) -> Block {
        Block { start, bytes, owner: Owner::Foreign(keeper) }
    }

    /// A block without memory, for a device without data: nothing may be read or written at its address, which is aligned
    /// as that of any other.
    pub(crate) fn absent(bytes: usize) -> Block {
        const NOWHERE: NonNull<u8> = NonNull::without_provenance(NonZeroUsize::new(64).expect("64 is not zero"));
        Block { start: NOWHERE, bytes, owner: Owner::Absent }
    }

    /// Memory for `bytes` bytes, all zero.
    pub fn zeroed(bytes: usize) -> Result<Block> {
        let block = Block::new(bytes)?;
        // SAFETY: the block has at least `bytes` bytes and no other owner yet.
        unsafe { block.start.as_ptr().write_bytes(0, bytes) };
        Ok(block)
    }

    /// The address of the first byte.
    #[inline]
    pub fn as_ptr(&self) -> *mut u8 {
        self.start.as_ptr()
    }

    /// Bytes asked for.
    #[inline]
    pub fn bytes(&self) -> usize {
        self.bytes
    }

    /// Is the memory kept by something else?
    pub fn is_foreign(&self) -> bool {
        matches!(self.owner, Owner::Foreign(_))
    }
}

impl Drop for Block {
    fn drop(&mut self) {
        if !matches!(self.owner, Owner::Cache) {
            return;
        }
        let (class, size) = class_of(self.bytes);
        let kept = FREE.try_with(|free| {
            let Ok(mut free) = free.try_borrow_mut() else { return false };
            if free.bytes + size > KEEP {
                return false;
            }
            if free.lists.is_empty() {
                free.start();
            }
            free.lists[class].push(self.start);
            let held = free.bytes + size;
            free.set_bytes(held);
            true
        });
        if kept != Ok(true) {
            TAKEN.fetch_sub(size, Relaxed);
            // SAFETY: the block was taken with the size of its class and has no other owner.
            unsafe { pages::give(self.start, size) }
        }
    }
}

impl FreeLists {
    #[cold]
    fn start(&mut self) {
        self.lists.resize_with(CLASSES, Vec::new);
        let published = Arc::new(AtomicUsize::new(0));
        let mut all = CACHED.lock();
        all.retain(|other| other.strong_count() > 0);
        all.push(Arc::downgrade(&published));
        self.published = Some(published);
    }

    #[inline]
    fn set_bytes(&mut self, bytes: usize) {
        self.bytes = bytes;
        if let Some(published) = &self.published {
            published.store(bytes, Relaxed);
        }
    }

    fn release(&mut self) {
        for (class, list) in self.lists.iter_mut().enumerate() {
            for start in list.drain(..) {
                let size = class_size(class);
                TAKEN.fetch_sub(size, Relaxed);
                // SAFETY: every listed block was taken with the size of its class.
                unsafe { pages::give(start, size) }
            }
        }
        self.set_bytes(0);
    }
}

impl Drop for FreeLists {
    fn drop(&mut self) {
        self.release();
    }
}

/// Bytes of a block in `class`: the inverse of [`class_of`].
fn class_size(class: usize) -> usize {
    let (log, index) = (class / STEPS + 6, class % STEPS);
    (1 << log) + index * ((1 << log) / STEPS)
}

/// Bytes in use by tensors and bytes kept for reuse, over all threads.
///
/// ```
/// # use firebrick_core::{MemoryStats, Tensor, memory_stats};
/// let x = Tensor::zeros([1024])?;
/// let MemoryStats { in_use, .. } = memory_stats();
/// assert!(in_use >= 4 * x.numel());
/// # Ok::<_, firebrick_core::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MemoryStats {
    /// Held by living tensors, rounded up to their size classes.
    pub in_use: usize,
    /// Free, kept for the next tensors.
    pub cached: usize,
}

/// How much memory tensors use and how much the block cache keeps.
///
/// ```
/// let before = firebrick_core::memory_stats().in_use;
/// let x = firebrick_core::Tensor::zeros([1024])?;
/// assert!(firebrick_core::memory_stats().in_use >= before + 4096);
/// # drop(x);
/// # Ok::<_, firebrick_core::Error>(())
/// ```
pub fn memory_stats() -> MemoryStats {
    let cached: usize = CACHED.lock().iter().filter_map(Weak::upgrade).map(|bytes| bytes.load(Relaxed)).sum();
    // The two are read one after the other, while other threads may allocate.
    MemoryStats { in_use: TAKEN.load(Relaxed).saturating_sub(cached), cached }
}

/// Gives the calling thread's free blocks back to the system.
///
/// ```
/// # use firebrick_core::{Tensor, empty_cache, memory_stats};
/// drop(Tensor::zeros([1000])?);
/// empty_cache();
/// assert_eq!(memory_stats().cached, 0);
/// # Ok::<_, firebrick_core::Error>(())
/// ```
pub fn empty_cache() {
    FREE.with_borrow_mut(FreeLists::release);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn classes_hold_their_requests_and_waste_little() {
        for bytes in (1..5000).chain([65_536, 65_537, 1 << 20, (1 << 20) + 1, 3 << 30]) {
            let (class, size) = class_of(bytes);
            assert!(size >= bytes && class_size(class) == size, "{bytes}: class {class}, size {size}");
            assert!(bytes <= 64 || size as f64 <= bytes as f64 * 1.25 + 16.0, "{bytes}: {size}");
            assert!(class < CLASSES);
        }
    }

    #[test]
    fn a_dropped_block_is_used_again_on_its_thread() {
        let first = Block::new(100_000).expect("memory").as_ptr();
        assert_eq!(Block::new(99_999).expect("memory").as_ptr(), first);
        empty_cache();
    }

    #[test]
    fn foreign_memory_goes_back_to_its_keeper() {
        let keeper: Keeper = Arc::new([7u8; 4]);
        let start = NonNull::from(keeper.downcast_ref::<[u8; 4]>().expect("made above")).cast();
        // SAFETY: nobody else uses the array; it is only read.
        let block = unsafe { Block::foreign(start, 4, keeper.clone()) };
        assert!(block.is_foreign() && block.bytes() == 4 && block.as_ptr() == start.as_ptr());
        assert_eq!(Arc::strong_count(&keeper), 2);
        drop(block);
        assert_eq!(Arc::strong_count(&keeper), 1);
    }

    #[test]
    fn an_absent_block_takes_no_memory_whatever_its_size() {
        let block = Block::absent(usize::MAX);
        assert!(block.bytes() == usize::MAX && !block.is_foreign() && block.as_ptr().addr().is_multiple_of(64));
    }

    #[test]
    fn sizes_beyond_memory_are_errors() {
        assert!(Block::new(usize::MAX).is_err());
        assert!(Block::new(isize::MAX as usize / 2).is_err());
    }
}
