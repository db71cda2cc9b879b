//! Reductions: rows along consecutive elements, columns across them, and anything else element by element.
//!
//! Single precision is summed in tiles of lanes, the tiles in double precision: the result is as exact as PyTorch's
//! cascade and does not depend on the number of threads.

use super::layout::{Shared, Walk, convert};
use crate::backend::Reduce;
use crate::tensor::Body;
use crate::{DType, Element, dispatch};
use smallvec::SmallVec;

/// Numbers that are accumulated at once.
const LANES: usize = 16;
/// Elements between two roundings to double precision.
const CHUNK: usize = 512;

/// A number that reductions accumulate in.
trait Accumulator: Element {
    const ZERO: Self;
    const ONE: Self;
    const LOWEST: Self;
    const HIGHEST: Self;
    fn add(self, other: Self) -> Self;
    fn mul(self, other: Self) -> Self;
    fn max(self, other: Self) -> Self;
    fn min(self, other: Self) -> Self;
}

macro_rules! float_accumulator {
    ($($t:ty),*) => { $(
        impl Accumulator for $t {
            const ZERO: Self = 0.0;
            const ONE: Self = 1.0;
            const LOWEST: Self = <$t>::NEG_INFINITY;
            const HIGHEST: Self = <$t>::INFINITY;
            #[inline(always)]
            fn add(self, other: Self) -> Self { self + other }
            #[inline(always)]
            fn mul(self, other: Self) -> Self { self * other }
            #[inline(always)]
            fn max(self, other: Self) -> Self { if other > self || other.is_nan() { other } else { self } }
            #[inline(always)]
            fn min(self, other: Self) -> Self { if other < self || other.is_nan() { other } else { self } }
        }
    )* };
}
float_accumulator!(f32, f64);

impl Accumulator for i64 {
    const ZERO: Self = 0;
    const ONE: Self = 1;
    const LOWEST: Self = i64::MIN;
    const HIGHEST: Self = i64::MAX;
    #[inline(always)]
    fn add(self, other: Self) -> Self {
        self.wrapping_add(other)
    }
    #[inline(always)]
    fn mul(self, other: Self) -> Self {
        self.wrapping_mul(other)
    }
    #[inline(always)]
    fn max(self, other: Self) -> Self {
        Ord::max(self, other)
    }
    #[inline(always)]
    fn min(self, other: Self) -> Self {
        Ord::min(self, other)
    }
}

/// Reduces the dimensions in which `out` has size 1.
///
/// # Safety
/// The storages are locked; ranks are equal; `out` does not overlap itself or `input`.
pub(crate) unsafe fn run(op: Reduce, compute: DType, input: &Body, out: &Body) {
    dispatch!(input.dtype, S => match compute {
        DType::F64 => unsafe { typed::<S, f64>(op, input, out) },
        DType::F32 => unsafe { typed::<S, f32>(op, input, out) },
        _ => unsafe { typed::<S, i64>(op, input, out) },
    });
}

/// The input's dimensions, split into those kept and those reduced.
struct Split {
    kept: Walk<2>,
    reduced: Walk<1>,
    outputs: usize,
    each: usize,
}

fn split(input: &Body, out: &Body) -> Split {
    let pick = |reduced: bool, list: &[usize]| -> SmallVec<[usize; 6]> {
        (0..input.shape.len())
            .filter(|&d| (out.shape[d] == 1 && input.shape[d] != 1) == reduced)
            .map(|d| list[d])
            .collect()
    };
    let (kept_shape, reduced_shape) = (pick(false, &input.shape), pick(true, &input.shape));
    Split {
        outputs: kept_shape.iter().product(),
        each: reduced_shape.iter().product(),
        kept: Walk::new(&kept_shape, [&pick(false, &input.strides), &pick(false, &out.strides)]),
        reduced: Walk::new(&reduced_shape, [&pick(true, &input.strides)]),
    }
}

/// # Safety
/// `S` is the type of `input`; otherwise as [`run`].
unsafe fn typed<S: Element, A: Accumulator>(op: Reduce, input: &Body, out: &Body) {
    let split = split(input, out);
    let from = Shared(input.ptr().cast::<S>());
    // Across rows: each task owns columns and adds whole rows to them.
    let columns = split.each > 1
        && split.kept.strides[0].last() == Some(&1)
        && split.kept.shape.last().is_some_and(|&n| n >= 8)
        && matches!(op, Reduce::Sum | Reduce::SumOfSquares | Reduce::Max | Reduce::Min);
    let grain = (1 << 15) / split.each.max(1) + 1;
    crate::pool::parallel_for(split.outputs, grain, &|range| {
        split.kept.runs(range.start, range.len(), |[at, to], length, [step, out_step]| {
            if columns && step == 1 {
                // SAFETY: the run and the reduced walk stay within the input.
                unsafe {
                    column_run::<S, A>(op, &split, from.get().add(at), length, |i, v| write(out, to + i * out_step, v))
                };
                return;
            }
            for i in 0..length {
                // SAFETY: as above.
                let value = unsafe { row::<S, A>(op, &split, from.get().add(at + i * step)) };
                // SAFETY: the run stays within the output, whose elements belong to this task.
                unsafe { write(out, to + i * out_step, value) };
            }
        });
    });
}

/// # Safety
/// `at` lies within the body, whose storage is locked for writing.
unsafe fn write<A: Element>(out: &Body, at: usize, value: A) {
    dispatch!(out.dtype, D => unsafe { *out.ptr().cast::<D>().add(at) = convert::<A, D>(value) });
}

/// One output from all elements that belong to it.
///
/// # Safety
/// `from` is the first of them, and the reduced walk stays within the input.
#[inline]
unsafe fn row<S: Element, A: Accumulator>(op: Reduce, split: &Split, from: *const S) -> A {
    let fold = |start: A, f: fn(A, A) -> A, map: fn(A) -> A| unsafe { fold_row::<S, A>(split, from, start, f, map) };
    match op {
        Reduce::Sum => unsafe { sum::<S, A>(split, from, |v| v) },
        Reduce::SumOfSquares => unsafe { sum::<S, A>(split, from, |v| v.mul(v)) },
        Reduce::Prod => fold(A::ONE, A::mul, |v| v),
        Reduce::Max => fold(A::LOWEST, A::max, |v| v),
        Reduce::Min => fold(A::HIGHEST, A::min, |v| v),
        Reduce::Any => fold(A::ZERO, A::max, |v| if v == A::ZERO { A::ZERO } else { A::ONE }),
        Reduce::All => fold(A::ONE, A::min, |v| if v == A::ZERO { A::ZERO } else { A::ONE }),
        Reduce::SquaredDeviations => {
            let total: f64 = unsafe { total::<S, A>(split, from, |v| v.to_f64()) };
            let mean = total / split.each as f64;
            A::from_f64(unsafe { total_f64::<S>(split, from, |v| (v - mean) * (v - mean)) })
        }
    }
}

/// # Safety
/// As [`row`].
#[inline(always)]
unsafe fn fold_row<S: Element, A: Accumulator>(
    split: &Split,
    from: *const S,
    start: A,
    f: impl Fn(A, A) -> A,
    map: impl Fn(A) -> A,
) -> A {
    let mut lanes = [start; LANES];
    split.reduced.runs(0, split.each, |[at], length, [stride]| {
        let load = |i: usize| map(convert::<S, A>(unsafe { *from.add(at + i * stride) }));
        let whole = length / LANES * LANES;
        for base in (0..whole).step_by(LANES) {
            for (lane, slot) in lanes.iter_mut().enumerate() {
                *slot = f(*slot, load(base + lane));
            }
        }
        (whole..length).for_each(|i| lanes[0] = f(lanes[0], load(i)));
    });
    lanes.into_iter().reduce(&f).unwrap_or(start)
}

/// # Safety
/// As [`row`].
#[inline(always)]
unsafe fn sum<S: Element, A: Accumulator>(split: &Split, from: *const S, map: impl Fn(A) -> A) -> A {
    if A::DTYPE == DType::I64 {
        return unsafe { fold_row::<S, A>(split, from, A::ZERO, A::add, map) };
    }
    A::from_f64(unsafe { total::<S, A>(split, from, |v| map(v).to_f64()) })
}

/// The sum over all elements, in double precision between chunks of lanes.
///
/// # Safety
/// As [`row`].
#[inline(always)]
unsafe fn total<S: Element, A: Accumulator>(split: &Split, from: *const S, map: impl Fn(A) -> f64) -> f64 {
    let mut sum = 0.0;
    split.reduced.runs(0, split.each, |[at], length, [stride]| {
        for chunk in (0..length).step_by(CHUNK) {
            let n = CHUNK.min(length - chunk);
            let load = |i: usize| map(convert::<S, A>(unsafe { *from.add(at + (chunk + i) * stride) }));
            sum += lanes_sum::<A>(n, load);
        }
    });
    sum
}

/// # Safety
/// As [`row`].
#[inline(always)]
unsafe fn total_f64<S: Element>(split: &Split, from: *const S, map: impl Fn(f64) -> f64) -> f64 {
    unsafe { total::<S, f64>(split, from, map) }
}

/// Sums `n` loads, in lanes of the accumulator's own precision.
#[inline(always)]
fn lanes_sum<A: Accumulator>(n: usize, load: impl Fn(usize) -> f64) -> f64 {
    let mut lanes = [A::ZERO; LANES];
    let whole = n / LANES * LANES;
    for base in (0..whole).step_by(LANES) {
        for (lane, slot) in lanes.iter_mut().enumerate() {
            *slot = slot.add(A::from_f64(load(base + lane)));
        }
    }
    let tail: f64 = (whole..n).map(load).sum();
    lanes.into_iter().map(Element::to_f64).sum::<f64>() + tail
}

/// `length` outputs whose elements lie in rows: the rows are added up, tile by tile of columns.
///
/// # Safety
/// `from` is the first element of the first output, and rows stay within the input.
unsafe fn column_run<S: Element, A: Accumulator>(
    op: Reduce,
    split: &Split,
    from: *const S,
    length: usize,
    mut write: impl FnMut(usize, A),
) {
    const WIDTH: usize = 64;
    for base in (0..length).step_by(WIDTH) {
        let n = WIDTH.min(length - base);
        let mut totals = [0f64; WIDTH];
        let start = match op {
            Reduce::Max => A::LOWEST,
            Reduce::Min => A::HIGHEST,
            _ => A::ZERO,
        };
        let mut lanes = [start; WIDTH];
        let mut rows = 0;
        split.reduced.runs(0, split.each, |[at], count, [stride]| {
            for r in 0..count {
                let row = unsafe { std::slice::from_raw_parts(from.add(at + r * stride + base), n) };
                let cells = lanes[..n].iter_mut().zip(row);
                match op {
                    Reduce::Max => cells.for_each(|(a, &v)| *a = a.max(convert::<S, A>(v))),
                    Reduce::Min => cells.for_each(|(a, &v)| *a = a.min(convert::<S, A>(v))),
                    Reduce::SumOfSquares => cells.for_each(|(a, &v)| {
                        let v = convert::<S, A>(v);
                        *a = a.add(v.mul(v));
                    }),
                    _ => cells.for_each(|(a, &v)| *a = a.add(convert::<S, A>(v))),
                }
                rows += 1;
                if A::DTYPE == DType::F32 && rows % 32 == 0 && matches!(op, Reduce::Sum | Reduce::SumOfSquares) {
                    // Short stretches in single precision keep the error of long columns small.
                    totals.iter_mut().zip(&mut lanes).for_each(|(t, a)| {
                        *t += a.to_f64();
                        *a = A::ZERO;
                    });
                }
            }
        });
        for i in 0..n {
            let value = if totals[i] == 0.0 { lanes[i] } else { A::from_f64(totals[i] + lanes[i].to_f64()) };
            write(base + i, value);
        }
    }
}

/// Largest or smallest element along one dimension, with its first index. NaN wins.
///
/// # Safety
/// The storages are locked; `out` and `indices` have the shape of `input` with size 1 at `dim`.
pub(crate) unsafe fn with_index(largest: bool, input: &Body, dim: usize, out: &Body, indices: &Body) {
    let walk = Walk::new(&out.shape, [&kept(input, dim), &out.strides, &indices.strides]);
    let (size, stride) = (input.shape[dim], input.strides[dim]);
    dispatch!(input.dtype, T => {
        let from = Shared(input.ptr().cast::<T>());
        let (values, places) = (Shared(out.ptr().cast::<T>()), Shared(indices.ptr().cast::<i64>()));
        crate::pool::parallel_for(out.numel(), (1 << 14) / size.max(1) + 1, &|range| {
            walk.runs(range.start, range.len(), |[a, b, c], length, [s, t, u]| {
                for i in 0..length {
                    // SAFETY: walks stay within the bodies; outputs belong to this task.
                    unsafe {
                        let first = from.get().add(a + i * s);
                        let (mut best, mut place) = (*first, 0);
                        for k in 1..size {
                            let value = *first.add(k * stride);
                            let wins = if largest { value > best } else { value < best };
                            let is_nan = |v: T| v.partial_cmp(&v).is_none();
                            if !is_nan(best) && (wins || is_nan(value)) {
                                (best, place) = (value, k as i64);
                            }
                        }
                        *values.get().add(b + i * t) = best;
                        *places.get().add(c + i * u) = place;
                    }
                }
            });
        });
    });
}

/// Strides of `input` over the kept dimensions: none along `dim`, whose size in the output is 1.
fn kept(input: &Body, dim: usize) -> SmallVec<[usize; 6]> {
    let mut strides: SmallVec<[usize; 6]> = input.strides.iter().copied().collect();
    if let Some(stride) = strides.get_mut(dim) {
        *stride = 0;
    }
    strides
}
