//! Reusable working memory, one small stock per thread.
#![allow(unsafe_code)] // Uninitialized memory is handed out by pointer.

use crate::storage::pages;
use std::alloc::{Layout, handle_alloc_error};
use std::cell::RefCell;
use std::marker::PhantomData;
use std::ptr::NonNull;

/// Blocks a thread keeps: a product holds two at a time, a convolution three.
const KEPT: usize = 4;

/// Blocks larger than this go back to the system.
const KEPT_BYTES: usize = 64 << 20;

thread_local! {
    static STOCK: RefCell<Vec<Block>> = const { RefCell::new(Vec::new()) };
}

/// Owned memory.
struct Block {
    start: NonNull<u8>,
    bytes: usize,
}

impl Drop for Block {
    fn drop(&mut self) {
        // SAFETY: the block was taken with this size and is given back once, here.
        unsafe { pages::give(self.start, self.bytes) }
    }
}

/// Uninitialized memory for values of type `T`, aligned to 64 bytes; given back to the thread's stock when dropped.
pub(crate) struct Scratch<T> {
    block: Option<Block>,
    of: PhantomData<T>,
}

impl<T: Copy> Scratch<T> {
    /// Memory for at least `len` values.
    pub(crate) fn new(len: usize) -> Self {
        let bytes = len.saturating_mul(size_of::<T>()).max(1);
        // The smallest block that fits; the stock is gone while a thread ends.
        let stocked = STOCK.try_with(|stock| {
            let mut stock = stock.borrow_mut();
            let fits = (0..stock.len()).filter(|&i| stock[i].bytes >= bytes);
            let best = fits.min_by_key(|&i| stock[i].bytes);
            best.map(|i| stock.swap_remove(i))
        });
        let block = stocked.ok().flatten().unwrap_or_else(|| allocate(bytes));
        Scratch { block: Some(block), of: PhantomData }
    }

    /// The first value.
    pub(crate) fn as_ptr(&self) -> *mut T {
        self.block.as_ref().map_or(std::ptr::null_mut(), |b| b.start.as_ptr().cast())
    }
}

fn allocate(bytes: usize) -> Block {
    let rounded = bytes.checked_next_power_of_two().unwrap_or(bytes).max(4096);
    match pages::take(rounded) {
        Some(start) => Block { start, bytes: rounded },
        None => handle_alloc_error(Layout::from_size_align(rounded, 64).unwrap_or(Layout::new::<u8>())),
    }
}

impl<T> Drop for Scratch<T> {
    fn drop(&mut self) {
        let Some(block) = self.block.take() else {
            return;
        };
        if block.bytes > KEPT_BYTES {
            return;
        }
        let _ = STOCK.try_with(|stock| {
            let mut stock = stock.borrow_mut();
            stock.push(block);
            if stock.len() > KEPT {
                let smallest = (0..stock.len()).min_by_key(|&i| stock[i].bytes);
                smallest.map(|i| stock.swap_remove(i));
            }
        });
    }
}
