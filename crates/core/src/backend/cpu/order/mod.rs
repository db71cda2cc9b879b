//! Elements along a dimension in order: all of them, the foremost, one of them; and places in what is in order.
//!
//! Each element of a row becomes one integer, its [`key`] above its place. Such integers are all different, so that
//! whatever sorts them leaves equal elements in the order of their places.

mod chunks;
mod introsort;
mod key;
mod pick;
mod rows;
mod search;

use super::layout::Walk;
use crate::backend::Order;
use crate::storage::check_list;
use crate::tensor::Body;
use crate::{Element, Result, dispatch, pool};
use key::{Packed, key, key_bits, nan_key};
use smallvec::SmallVec;

pub(crate) use rows::sort_rows;
pub(crate) use search::search;

/// One call: where rows begin, and how their elements follow each other.
struct Job<'a> {
    order: Order,
    input: &'a Body,
    out: &'a Body,
    indices: &'a Body,
    /// The first elements of the rows of the input and of the results.
    firsts: Walk<2>,
    /// Elements of a row, and from one to the next.
    size: usize,
    stride: usize,
    /// The same of the results.
    results: usize,
    results_stride: usize,
}

/// Writes to `out` the elements of each row along `dim` that `order` asks for, and to `indices` where they were.
///
/// # Safety
/// The storages are locked; `out` and `indices` are contiguous and, outside `dim`, have the shape of `input`; along
/// `dim` they are as long as `order` has results.
pub(crate) unsafe fn run(order: Order, input: &Body, dim: usize, out: &Body, indices: &Body) -> Result<()> {
    if out.numel() == 0 {
        return Ok(());
    }
    let without = |list: &[usize]| -> SmallVec<[usize; 6]> {
        list.iter().enumerate().filter(|&(d, _)| d != dim).map(|(_, &v)| v).collect()
    };
    let along = |list: &[usize]| list.get(dim).copied().unwrap_or(1);
    let job = Job {
        order,
        input,
        out,
        indices,
        firsts: Walk::new(&without(&input.shape), [&without(&input.strides), &without(&out.strides)]),
        size: along(&input.shape),
        stride: along(&input.strides),
        results: along(&out.shape),
        results_stride: along(&out.strides),
    };
    dispatch!(input.dtype, T => {
        // Key and place in one machine word where they fit.
        if key_bits::<T>() <= 32 && job.size <= u32::MAX as usize {
            unsafe { job.every_row::<T, u64>() }
        } else {
            unsafe { job.every_row::<T, u128>() }
        }
    })
}

impl Job<'_> {
    /// # Safety
    /// As [`run`]; `T` is the type of the elements.
    unsafe fn every_row<T: Element, P: Packed>(&self) -> Result<()> {
        let rows = self.firsts.numel();
        // Merging takes as much again at most.
        check_list(self.size.saturating_mul(2 * pool::num_threads().min(rows)), size_of::<P>())?;
        pool::parallel_for(rows, (1 << 13) / self.size.max(1) + 1, &|range| {
            let mut items: Vec<P> = vec![P::default(); self.size];
            for ([at, out], length, [step, out_step]) in self.firsts.runs(range.start, range.len()) {
                // SAFETY: the walk names the first elements of rows, and each row belongs to one task.
                (0..length).for_each(|i| unsafe { self.row::<T, P>(at + i * step, out + i * out_step, &mut items) });
            }
        });
        Ok(())
    }

    /// Orders the row that begins at element `at` of the input into that at element `out` of the results.
    ///
    /// # Safety
    /// The elements are there, of type `T`, and the results belong to this task.
    unsafe fn row<T: Element, P: Packed>(&self, at: usize, out: usize, items: &mut [P]) {
        let (from, to) = (self.input.ptr().cast::<T>(), self.out.ptr().cast::<T>());
        let places = self.indices.ptr().cast::<i64>();
        let flip = if self.order.is_descending() { u64::MAX >> (64 - key_bits::<T>()) } else { 0 };
        for (place, item) in items.iter_mut().enumerate() {
            // SAFETY: the place lies in the row.
            *item = P::new(key(unsafe { *from.add(at + place * self.stride) }) ^ flip, place);
        }
        let found = pick::arrange(self.order, items, nan_key::<T>());
        for (k, item) in found.iter().take(self.results).enumerate() {
            let (place, k) = (item.place(), out + k * self.results_stride);
            // SAFETY: as above; there are so many results.
            unsafe {
                *to.add(k) = *from.add(at + place * self.stride);
                *places.add(k) = place as i64;
            }
        }
    }
}
