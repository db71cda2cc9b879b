//! Rows in lexicographic order.

use super::introsort::sort;
use crate::tensor::Body;
use crate::{Element, dispatch};

/// Writes the numbers of the rows of a matrix in lexicographic order. NaN counts as equal to everything.
///
/// # Safety
/// The storages are locked; `rows` `[n, m]` and `numbers` (int64, `[n]`) are contiguous.
pub(crate) unsafe fn sort_rows(rows: &Body, numbers: &Body) {
    let (count, columns) = (rows.shape[0], rows.shape[1]);
    if count == 0 {
        return;
    }
    // SAFETY: the body is contiguous, int64, locked for writing and `count` long.
    let order = unsafe { std::slice::from_raw_parts_mut(numbers.ptr().cast::<i64>(), count) };
    order.iter_mut().enumerate().for_each(|(i, number)| *number = i as i64);
    dispatch!(rows.dtype, T => {
        // SAFETY: the body is contiguous and locked.
        let all = unsafe { std::slice::from_raw_parts(rows.ptr().cast::<T>(), rows.numel()) };
        let row = |number: i64| &all[number as usize * columns..(number as usize + 1) * columns];
        sort(order, |&a, &b| comes_before(row(a), row(b)));
    });
}

fn comes_before<T: Element>(a: &[T], b: &[T]) -> bool {
    a.iter().zip(b).find_map(|(a, b)| if a < b { Some(true) } else { (a > b).then_some(false) }).unwrap_or(false)
}
