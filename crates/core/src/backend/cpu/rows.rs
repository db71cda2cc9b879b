//! Rows of a table by number: looked up, and added to.

use super::layout::Shared;
use crate::tensor::Body;
use crate::{Element, Error, Result, dispatch};
use std::collections::HashMap;
use std::slice::{from_raw_parts, from_raw_parts_mut};

/// The numbers, once all of them are known to name a row.
///
/// # Safety
/// `numbers` is contiguous int64 and locked.
unsafe fn checked(numbers: &Body, rows: usize) -> Result<&[i64]> {
    let list = unsafe { from_raw_parts(numbers.ptr().cast::<i64>(), numbers.numel()) };
    match list.iter().find(|&&n| n < 0 || n as usize >= rows) {
        Some(n) => Err(Error::index("embedding", "index out of range in self")
            .given(format!("index {n}"))
            .expected(format!("0 <= index < {rows}"))),
        None => Ok(list),
    }
}

/// # Safety
/// Bodies are contiguous and locked; `table` and `out` have one dtype and equally long rows.
pub(crate) unsafe fn take(table: &Body, numbers: &Body, out: &Body) -> Result<()> {
    let (rows, columns) = (table.shape[0], table.shape[1]);
    let numbers = unsafe { checked(numbers, rows)? };
    // Without rows to look up, a row may be longer than memory.
    let bytes = columns.saturating_mul(table.dtype.size());
    let (from, to) = (Shared(table.ptr()), Shared(out.ptr()));
    crate::pool::parallel_for(numbers.len(), (1 << 16) / bytes.max(1) + 1, &|range| {
        for i in range {
            let row = numbers[i] as usize;
            // SAFETY: the number was checked; each task writes rows of its own.
            unsafe { std::ptr::copy_nonoverlapping(from.get().add(row * bytes), to.get().add(i * bytes), bytes) };
        }
    });
    Ok(())
}

/// # Safety
/// Bodies are contiguous and locked; `rows` and `out` have one dtype and equally long rows.
pub(crate) unsafe fn add(rows: &Body, numbers: &Body, skip: Option<i64>, by_frequency: bool, out: &Body) -> Result<()> {
    // The parts of complex numbers are columns, too.
    let columns = out.shape[1..].iter().fold(1, |product: usize, &size| product.saturating_mul(size));
    let numbers = unsafe { checked(numbers, out.shape[0])? };
    let mut frequency: HashMap<i64, usize> = HashMap::new();
    if by_frequency {
        numbers.iter().for_each(|&n| *frequency.entry(n).or_default() += 1);
    }
    dispatch!(out.dtype, T => {
        let (from, to) = (Shared(rows.ptr().cast::<T>()), Shared(out.ptr().cast::<T>()));
        // Split by columns: rows may name the same place, and their order fixes the rounding.
        crate::pool::parallel_for(columns, (1 << 15) / numbers.len().max(1) + FEW_COLUMNS, &|range| {
            for (i, &n) in numbers.iter().enumerate().filter(|&(_, &n)| Some(n) != skip) {
                let scale = if by_frequency { 1.0 / frequency.get(&n).map_or(1.0, |&times| times as f64) } else { 1.0 };
                // SAFETY: the number was checked; each task has columns of its own.
                let (sums, values) = unsafe {
                    let sums = to.get().add(n as usize * columns + range.start);
                    let values = from.get().add(i * columns + range.start);
                    (from_raw_parts_mut(sums, range.len()), from_raw_parts(values, range.len()))
                };
                sums.iter_mut().zip(values).for_each(|(sum, &value)| *sum = plus(*sum, value, scale));
            }
        });
    });
    Ok(())
}

/// Columns that a task has at least: a few lines of memory, so that it reads on.
const FEW_COLUMNS: usize = 128;

#[inline(always)]
fn plus<T: Element>(sum: T, value: T, scale: f64) -> T {
    match T::DTYPE {
        crate::DType::F64 => T::from_f64(sum.to_f64() + value.to_f64() * scale),
        t if t.is_floating_point() => T::from_f32(sum.to_f32() + value.to_f32() * scale as f32),
        _ => T::from_i64(sum.to_i64().wrapping_add(value.to_i64())),
    }
}
