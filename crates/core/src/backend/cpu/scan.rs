//! Running sums, products and extremes along a dimension.

use super::layout::Walk;
use super::number::{D, DFused, Number, Port, TILE, compiled, tile};
use crate::DType;
use crate::backend::Scan;
use crate::tensor::Body;
use smallvec::SmallVec;
use std::ops::Range;

struct Job {
    op: Scan,
    from: Port,
    out: Port,
    indices: Option<Port>,
    /// Everything but the scanned dimension: the input, and the contiguous output.
    rows: Walk<2>,
    size: usize,
    along: [usize; 2],
}

/// Writes to element `k` along `dim` what the elements up to `k` come to; for extremes, `indices` says where they were.
///
/// # Safety
/// The storages are locked; `out` and `indices` are contiguous and have the shape of `input`.
pub(crate) unsafe fn run(op: Scan, compute: DType, input: &Body, dim: usize, out: &Body, indices: Option<&Body>) {
    let without = |list: &[usize]| -> SmallVec<[usize; 6]> {
        list.iter().enumerate().filter(|&(d, _)| d != dim).map(|(_, &v)| v).collect()
    };
    let rows = Walk::new(&without(&input.shape), [&without(&input.strides), &without(&out.strides)]);
    let (size, along) = match input.shape.get(dim) {
        Some(&size) => (size, [input.strides[dim], out.strides[dim]]),
        None => (1, [1, 1]),
    };
    let job =
        Job { op, from: Port::new(input), out: Port::new(out), indices: indices.map(Port::new), rows, size, along };
    if out.numel() == 0 {
        return;
    }
    crate::pool::parallel_for(job.rows.numel(), (1 << 14) / size.max(1) + 1, &|range| match compute {
        // Sums and products of single precision are carried in double, as in PyTorch.
        dtype if dtype.is_floating_point() => scan_f64(&job, range),
        _ => scan_i64(&job, range),
    });
}

compiled! {
    fn scan_f64(job: &Job, range: Range<usize>) = work::<D>, work::<DFused>;
    fn scan_i64(job: &Job, range: Range<usize>) = work::<i64>, work::<i64>;
}

#[inline(always)]
fn work<A: Number>(job: &Job, range: Range<usize>) {
    match job.op {
        Scan::Sum => scan::<A>(job, range, A::ZERO, |carry, _, v, _| (carry.add(v), 0)),
        Scan::Prod => scan::<A>(job, range, A::ONE, |carry, _, v, _| (carry.mul(v), 0)),
        // Among equals the last one counts.
        Scan::Max => scan::<A>(job, range, A::LOWEST, |carry, place, v, k| pick(carry, place, v, k, v >= carry)),
        Scan::Min => scan::<A>(job, range, A::HIGHEST, |carry, place, v, k| pick(carry, place, v, k, v <= carry)),
        Scan::LogSumExp => {
            scan::<A>(job, range, A::LOWEST, |carry, _, v, _| (A::from_f64(log_add_exp(carry.to_f64(), v.to_f64())), 0))
        }
    }
}

#[inline(always)]
fn pick<A: Number>(carry: A, place: i64, v: A, k: i64, wins: bool) -> (A, i64) {
    if v.is_nan() || (!carry.is_nan() && wins) { (v, k) } else { (carry, place) }
}

fn log_add_exp(a: f64, b: f64) -> f64 {
    if a.is_nan() || b.is_nan() {
        return f64::NAN;
    }
    let (low, high) = (a.min(b), a.max(b));
    if low == high && low.is_infinite() { low } else { (low - high).exp().ln_1p() + high }
}

#[inline(always)]
fn scan<A: Number>(job: &Job, range: Range<usize>, start: A, next: impl Fn(A, i64, A, i64) -> (A, i64) + Copy) {
    job.rows.runs(range.start, range.len(), |[from, to], length, [step, out_step]| {
        if length >= 4 && step < job.along[0].max(2) {
            for base in (0..length).step_by(TILE) {
                let n = TILE.min(length - base);
                across(job, [from + base * step, to + base * out_step], [step, out_step], n, start, next);
            }
        } else {
            (0..length).for_each(|i| along(job, [from + i * step, to + i * out_step], start, next));
        }
    });
}

/// `n` rows side by side.
#[inline(always)]
fn across<A: Number>(
    job: &Job,
    [from, to]: [usize; 2],
    [step, out_step]: [usize; 2],
    n: usize,
    start: A,
    next: impl Fn(A, i64, A, i64) -> (A, i64),
) {
    let (mut carry, mut places) = ([start; TILE], [0i64; TILE]);
    let mut buffer = tile::<A>();
    for k in 0..job.size {
        // SAFETY: the elements lie within the input.
        let values = unsafe { job.from.load::<A>(from + k * job.along[0], step, n, &mut buffer) };
        for ((carry, place), &v) in carry.iter_mut().zip(&mut places).zip(values) {
            (*carry, *place) = next(*carry, *place, v, k as i64);
        }
        // SAFETY: the elements lie within the outputs and belong to this task.
        unsafe { write(job, to + k * job.along[1], out_step, &carry[..n], &places[..n]) };
    }
}

/// One row, a stretch at a time.
#[inline(always)]
fn along<A: Number>(job: &Job, [from, to]: [usize; 2], start: A, next: impl Fn(A, i64, A, i64) -> (A, i64)) {
    let (mut carry, mut place) = (start, 0);
    let mut buffer = tile::<A>();
    for first in (0..job.size).step_by(TILE) {
        let n = TILE.min(job.size - first);
        // SAFETY: the elements lie within the input.
        let values = unsafe { job.from.load::<A>(from + first * job.along[0], job.along[0], n, &mut buffer) };
        let (mut out, mut places) = ([start; TILE], [0i64; TILE]);
        for (i, &v) in values.iter().enumerate() {
            (carry, place) = next(carry, place, v, (first + i) as i64);
            (out[i], places[i]) = (carry, place);
        }
        // SAFETY: as above.
        unsafe { write(job, to + first * job.along[1], job.along[1], &out[..n], &places[..n]) };
    }
}

/// # Safety
/// The elements lie within the outputs and belong to this task.
#[inline(always)]
unsafe fn write<A: Number>(job: &Job, at: usize, stride: usize, values: &[A], places: &[i64]) {
    unsafe {
        job.out.store(at, stride, values);
        if let Some(indices) = job.indices {
            indices.store(at, stride, places);
        }
    }
}
