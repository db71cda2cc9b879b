//! Where values belong in what is in order.

use super::super::layout::Shared;
use crate::tensor::Body;
use crate::{DType, Element, dispatch, pool};

/// Writes for each value how many boundaries of its row are below it; with `right` also those that are equal to it.
/// NaN is above everything. `sorter` names the boundaries in order.
///
/// # Safety
/// The storages are locked and contiguous. `bounds` `[n]`, or `[.., n]` beside values `[.., m]`, has the dtype of
/// `values`; `sorter` is int64, of the shape of `bounds`, with places that are there; `out` is int32 or int64.
pub(crate) unsafe fn search(right: bool, bounds: &Body, sorter: Option<&Body>, values: &Body, out: &Body) {
    let length = bounds.shape.last().copied().unwrap_or(1);
    // Values that share a row of boundaries.
    let shared = if bounds.shape.len() == 1 { values.numel() } else { values.shape.last().copied().unwrap_or(1) };
    let (to_i32, to_i64) = (Shared(out.ptr().cast::<i32>()), Shared(out.ptr().cast::<i64>()));
    dispatch!(bounds.dtype, T => {
        // SAFETY: the bodies are contiguous and locked.
        let (edges, values, order) = unsafe { (all::<T>(bounds), all::<T>(values), sorter.map(|s| all::<i64>(s))) };
        let grain = (1 << 15) / (1 + length.checked_ilog2().unwrap_or(0) as usize);
        pool::parallel_for(values.len(), grain, &|range| {
            for i in range {
                let first = i / shared * length;
                let edges = &edges[first..first + length];
                let order = order.map(|order| &order[first..first + length]);
                let edge = |k: usize| order.map_or(edges[k], |order| edges[order[k] as usize]);
                let found = place(length, |k| !stops(right, edge(k), values[i]));
                // SAFETY: each value has a result of its own.
                unsafe {
                    match out.dtype {
                        DType::I32 => *to_i32.get().add(i) = found as i32,
                        _ => *to_i64.get().add(i) = found as i64,
                    }
                }
            }
        });
    });
}

/// Does the value belong before this edge? Beside NaN every comparison fails: it goes to the end.
#[inline(always)]
fn stops<T: Element>(right: bool, edge: T, value: T) -> bool {
    if right { edge > value } else { edge >= value }
}

/// The first of `length` places that is not `below`.
#[inline(always)]
fn place(length: usize, below: impl Fn(usize) -> bool) -> usize {
    let (mut low, mut high) = (0, length);
    while low < high {
        let middle = low + (high - low) / 2;
        if below(middle) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    low
}

/// # Safety
/// The body is contiguous, locked, and of elements `T`.
unsafe fn all<T>(body: &Body) -> &[T] {
    unsafe { std::slice::from_raw_parts(body.ptr().cast::<T>(), body.numel()) }
}
