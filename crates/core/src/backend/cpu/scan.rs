//! Running sums, products and extremes along a dimension.

use super::along::{Along, Columns, Place};
use super::number::{D, DFused, Number, Port, TILE, compiled, tile};
use crate::DType;
use crate::backend::Scan;
use crate::tensor::Body;
use std::ops::Range;

struct Job {
    op: Scan,
    indices: Option<Port>,
    /// The input and the output, which the indices are laid out like.
    along: Along<2>,
}

/// Writes to element `k` along `dim` what the elements up to `k` come to; for extremes, `indices` says where they were.
///
/// # Safety
/// The storages are locked; `out` and `indices` are contiguous and have the shape of `input`.
pub(crate) unsafe fn run(op: Scan, compute: DType, input: &Body, dim: usize, out: &Body, indices: Option<&Body>) {
    if out.numel() == 0 {
        return;
    }
    let job = Job { op, indices: indices.map(Port::new), along: Along::new([input, out], dim) };
    job.along.parallel(&|range| match compute {
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
        Scan::Sum => scan::<A, false>(job, range, A::ZERO, |carry, _, v, _| (carry.add(v), 0)),
        Scan::Prod => scan::<A, false>(job, range, A::ONE, |carry, _, v, _| (carry.mul(v), 0)),
        // Among equals the last one counts.
        Scan::Max => scan::<A, true>(job, range, A::LOWEST, |carry, place, v, k| pick(carry, place, v, k, v >= carry)),
        Scan::Min => scan::<A, true>(job, range, A::HIGHEST, |carry, place, v, k| pick(carry, place, v, k, v <= carry)),
        Scan::LogSumExp => scan::<A, false>(job, range, A::LOWEST, |carry, _, v, _| {
            (A::from_f64(log_add_exp(carry.to_f64(), v.to_f64())), 0)
        }),
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

/// `INDEXED` says whether places are asked for.
#[inline(always)]
fn scan<A: Number, const INDEXED: bool>(
    job: &Job,
    range: Range<usize>,
    start: A,
    next: impl Fn(A, i64, A, i64) -> (A, i64) + Copy,
) {
    for place in job.along.places(range) {
        match place {
            Place::Row(at) => along::<A, INDEXED>(job, at, start, next),
            Place::Columns(places) => across(job, places, start, next),
        }
    }
}

/// Several rows side by side.
#[inline(always)]
fn across<A: Number>(job: &Job, [from, to]: [Columns; 2], start: A, next: impl Fn(A, i64, A, i64) -> (A, i64)) {
    let (mut carry, mut places) = ([start; TILE], [0i64; TILE]);
    let mut buffer = tile::<A>();
    for k in 0..job.along.size {
        // SAFETY: the elements lie within the input.
        let values = unsafe { from.load::<A>(k, &mut buffer) };
        for ((carry, place), &v) in carry.iter_mut().zip(&mut places).zip(values) {
            (*carry, *place) = next(*carry, *place, v, k as i64);
        }
        // SAFETY: the elements lie within the outputs and belong to this task.
        unsafe { write(job, to.at + k * to.down, to.step, &carry[..to.n], &places[..to.n]) };
    }
}

/// One row, a stretch at a time.
#[inline(always)]
fn along<A: Number, const INDEXED: bool>(
    job: &Job,
    [from, to]: [usize; 2],
    start: A,
    next: impl Fn(A, i64, A, i64) -> (A, i64),
) {
    let (mut carry, mut place) = (start, 0);
    let (mut out, mut places) = ([start; TILE], [0i64; TILE]);
    let mut buffer = tile::<A>();
    let Along { ports: [port, _], size, strides: [stride, out_stride], .. } = job.along;
    for first in (0..size).step_by(TILE) {
        let n = TILE.min(size - first);
        // SAFETY: the elements lie within the input.
        let values = unsafe { port.load::<A>(from + first * stride, stride, n, &mut buffer) };
        for (i, ((&v, out), to)) in values.iter().zip(&mut out).zip(&mut places).enumerate() {
            (carry, place) = next(carry, place, v, (first + i) as i64);
            *out = carry;
            if INDEXED {
                *to = place;
            }
        }
        // SAFETY: as above.
        unsafe { write(job, to + first * out_stride, out_stride, &out[..n], &places[..n]) };
    }
}

/// # Safety
/// The elements lie within the outputs and belong to this task.
#[inline(always)]
unsafe fn write<A: Number>(job: &Job, at: usize, stride: usize, values: &[A], places: &[i64]) {
    unsafe {
        job.along.ports[1].store(at, stride, values);
        if let Some(indices) = job.indices {
            indices.store(at, stride, places);
        }
    }
}
