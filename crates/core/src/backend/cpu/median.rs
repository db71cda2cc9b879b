//! Medians along a dimension.

use super::layout::{Shared, Walk};
use super::number::{D, Number, Port};
use crate::tensor::Body;
use smallvec::SmallVec;

/// The lower median along a dimension, and where it is; NaN where there is one, unless `skip_nan` is set.
///
/// # Safety
/// The storages are locked; `out` and `indices` are contiguous, with the shape of `input` but size 1 at `dim`.
pub(crate) unsafe fn run(skip_nan: bool, input: &Body, dim: usize, out: &Body, indices: &Body) {
    let mut strides: SmallVec<[usize; 6]> = input.strides.iter().copied().collect();
    let (size, stride) = match strides.get_mut(dim) {
        Some(stride) => (input.shape[dim], std::mem::take(stride)),
        None => (1, 1),
    };
    let kept = Walk::new(&out.shape, [&strides]);
    let (from, out_at, places_at) = (Port::new(input), Port::new(out), Shared(indices.ptr().cast::<i64>()));
    let float = input.dtype.is_floating_point();
    crate::pool::parallel_for(out.numel(), (1 << 12) / size.max(1) + 1, &|range| {
        let mut output = range.start;
        for ([at], length, [step]) in kept.runs(range.start, range.len()) {
            for i in 0..length {
                // SAFETY: the walk stays within the input; the outputs are contiguous and belong to this task.
                unsafe {
                    let row = (from, at + i * step, stride, size);
                    let place = if float {
                        median_row::<D>(row, skip_nan, out_at, output)
                    } else {
                        median_row::<i64>(row, skip_nan, out_at, output)
                    };
                    places_at.get().add(output).write(place as i64);
                }
                output += 1;
            }
        }
    });
}

/// # Safety
/// The row lies within the input; element `output` of `out` belongs to this task.
unsafe fn median_row<A: Number>(
    (from, at, stride, size): (Port, usize, usize, usize),
    skip_nan: bool,
    out: Port,
    output: usize,
) -> usize {
    let mut values = vec![A::ZERO; size];
    unsafe { A::gather(from, at, stride, size, values.as_mut_ptr()) };
    let place = match values.iter().position(|v| v.is_nan()) {
        Some(first) if !skip_nan => first,
        _ => {
            let mut order: Vec<usize> = (0..size).filter(|&i| !values[i].is_nan()).collect();
            let middle = order.len().saturating_sub(1) / 2;
            let by_value =
                |&a: &usize, &b: &usize| values[a].partial_cmp(&values[b]).unwrap_or(std::cmp::Ordering::Equal);
            match order.is_empty() {
                true => 0,
                false => *order.select_nth_unstable_by(middle, |a, b| by_value(a, b).then(a.cmp(b))).1,
            }
        }
    };
    unsafe { out.store(output, 1, &values[place..=place]) };
    place
}
