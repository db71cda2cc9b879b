//! The largest or smallest element along a dimension, with its first index.

use super::super::layout::Walk;
use super::super::number::{D, DFused, Number, Port, S, SFused, TILE, compiled, tile};
use crate::DType;
use crate::tensor::Body;
use smallvec::SmallVec;
use std::ops::Range;

struct Job {
    largest: bool,
    from: Port,
    values: Port,
    indices: Port,
    kept: Walk<1>,
    size: usize,
    stride: usize,
}

/// NaN counts as larger and as smaller than every number.
///
/// # Safety
/// The storages are locked; `out` and `indices` are contiguous, with the shape of `input` but size 1 at `dim`.
pub(crate) unsafe fn with_index(largest: bool, input: &Body, dim: usize, out: &Body, indices: &Body) {
    let mut strides: SmallVec<[usize; 6]> = input.strides.iter().copied().collect();
    let (size, stride) = match strides.get_mut(dim) {
        Some(stride) => (input.shape[dim], std::mem::take(stride)),
        None => (1, 1),
    };
    let job = Job {
        largest,
        from: Port::new(input),
        values: Port::new(out),
        indices: Port::new(indices),
        kept: Walk::new(&out.shape, [&strides]),
        size,
        stride,
    };
    crate::pool::parallel_for(out.numel(), (1 << 14) / size.max(1) + 1, &|range| match input.dtype {
        DType::F64 => index_f64(&job, range),
        dtype if dtype.is_floating_point() => index_f32(&job, range),
        _ => index_i64(&job, range),
    });
}

compiled! {
    fn index_f32(job: &Job, range: Range<usize>) = work::<S>, work::<SFused>;
    fn index_f64(job: &Job, range: Range<usize>) = work::<D>, work::<DFused>;
    fn index_i64(job: &Job, range: Range<usize>) = work::<i64>, work::<i64>;
}

#[inline(always)]
fn work<A: Number>(job: &Job, range: Range<usize>) {
    if job.largest {
        outputs::<A>(job, range, A::max, |a, b| a > b);
    } else {
        outputs::<A>(job, range, A::min, |a, b| a < b);
    }
}

#[inline(always)]
fn outputs<A: Number>(
    job: &Job,
    range: Range<usize>,
    better: impl Fn(A, A) -> A + Copy,
    beats: impl Fn(A, A) -> bool + Copy,
) {
    let mut output = range.start;
    for ([at], length, [step]) in job.kept.runs(range.start, range.len()) {
        let columns = length >= 4 && step < job.stride;
        for base in (0..length).step_by(TILE) {
            let n = TILE.min(length - base);
            let (mut values, mut places) = ([A::ZERO; TILE], [0i64; TILE]);
            if columns {
                across(job, at + base * step, step, (&mut values[..n], &mut places[..n]), beats);
            } else {
                for i in 0..n {
                    (values[i], places[i]) = along(job, at + (base + i) * step, better, beats);
                }
            }
            // SAFETY: the outputs are contiguous, and these belong to this task.
            unsafe {
                job.values.store(output, 1, &values[..n]);
                job.indices.store(output, 1, &places[..n]);
            }
            output += n;
        }
    }
}

/// One output: where a stretch of elements holds something better, it is looked for.
#[inline(always)]
fn along<A: Number>(job: &Job, from: usize, better: impl Fn(A, A) -> A, beats: impl Fn(A, A) -> bool) -> (A, i64) {
    const LANES: usize = 32;
    let mut best: Option<(A, i64)> = None;
    let mut buffer = tile::<A>();
    for start in (0..job.size).step_by(TILE) {
        let n = TILE.min(job.size - start);
        // SAFETY: the elements lie within the input.
        let values = unsafe { job.from.load::<A>(from + start * job.stride, job.stride, n, &mut buffer) };
        let mut lanes = [values[0]; LANES];
        let (whole, rest) = values.as_chunks::<LANES>();
        for values in whole {
            for (lane, &v) in lanes.iter_mut().zip(values) {
                *lane = better(*lane, v);
            }
        }
        for (lane, &v) in lanes.iter_mut().zip(rest) {
            *lane = better(*lane, v);
        }
        let top = lanes.into_iter().reduce(&better).unwrap_or(values[0]);
        if best.is_none_or(|(value, _)| !value.is_nan() && (top.is_nan() || beats(top, value))) {
            let place = values.iter().position(|&v| v == top || (v.is_nan() && top.is_nan())).unwrap_or(0);
            best = Some((values[place], (start + place) as i64));
        }
    }
    best.unwrap_or((A::ZERO, 0))
}

/// Outputs that lie closer together than the elements of one.
#[inline(always)]
fn across<A: Number>(
    job: &Job,
    from: usize,
    step: usize,
    (best, places): (&mut [A], &mut [i64]),
    beats: impl Fn(A, A) -> bool,
) {
    let n = best.len();
    let mut buffer = tile::<A>();
    for k in 0..job.size {
        // SAFETY: the elements lie within the input.
        let values = unsafe { job.from.load::<A>(from + k * job.stride, step, n, &mut buffer) };
        if k == 0 {
            best.copy_from_slice(values);
            continue;
        }
        for ((best, place), &v) in best.iter_mut().zip(places.iter_mut()).zip(values) {
            let wins = beats(v, *best) || (v.is_nan() && !best.is_nan());
            *best = if wins { v } else { *best };
            *place = if wins { k as i64 } else { *place };
        }
    }
}
