//! Reductions: rows along consecutive elements, or tiles of columns across them.
//!
//! Elements are gathered in vector lanes of their own precision for a short stretch, the stretches in double precision:
//! the result is at least as exact as PyTorch's cascade. How the work is cut depends on the shape alone, so that
//! results do not depend on the number of threads.

mod index;
mod op;
mod walk;

pub(crate) use index::with_index;

use super::layout::{Shared, Walk};
use super::number::{D, DFused, Number, Port, S, SFused, Sum, compiled};
use crate::DType;
use crate::backend::Reduce;
use crate::tensor::Body;
use op::{Folding, Summing};
use smallvec::SmallVec;
use std::ops::Range;

/// A reduction, cut into items: one part of one output each.
struct Job<'a> {
    op: Reduce,
    from: Port,
    out: Port,
    kept: Walk<1>,
    reduced: Walk<1>,
    outputs: usize,
    /// Elements that become one.
    each: usize,
    /// Elements of one part; all parts of an output but the last have as many.
    part: usize,
    parts: usize,
    /// Outputs lie closer together than the elements of one.
    columns: bool,
    /// A number for each output, such as its mean.
    shifts: Option<&'a [f64]>,
    /// Totals by part and output, where there are several parts.
    totals: Shared<u64>,
}

/// Reduces the dimensions in which `out` has size 1.
///
/// # Safety
/// The storages are locked; ranks are equal; `out` is contiguous and does not overlap `input`.
pub(crate) unsafe fn run(op: Reduce, compute: DType, input: &Body, out: &Body) {
    let mut job = plan(op, input, out);
    // What distances from the mean, or differences to the largest exponent, are taken from comes first.
    let first = match op {
        Reduce::Var { .. } | Reduce::Std { .. } => Some(Reduce::Mean),
        Reduce::LogSumExp => Some(Reduce::Max),
        _ => None,
    };
    let mut shifts: Vec<f64> = Vec::new();
    if let Some(first) = first {
        shifts.resize(job.outputs, 0.0);
        let mut before = plan(first, input, out);
        before.out = Port::raw(shifts.as_mut_ptr());
        execute(&mut before, compute);
        if op == Reduce::LogSumExp {
            shifts.iter_mut().filter(|s| s.is_infinite()).for_each(|s| *s = 0.0);
        }
        job.shifts = Some(&shifts);
    }
    execute(&mut job, compute);
}

fn plan<'a>(op: Reduce, input: &Body, out: &Body) -> Job<'a> {
    let dims = |reduced: bool| (0..input.shape.len()).filter(move |&d| (out.shape[d] != input.shape[d]) == reduced);
    let pick = |dims: &[usize], list: &[usize]| -> SmallVec<[usize; 6]> { dims.iter().map(|&d| list[d]).collect() };
    let kept: SmallVec<[usize; 6]> = dims(false).collect();
    // The order of the elements does not matter, so they are taken as they lie in memory.
    let mut reduced: SmallVec<[usize; 6]> = dims(true).collect();
    reduced.sort_by_key(|&d| std::cmp::Reverse(input.strides[d]));
    let walk = |dims: &[usize]| Walk::new(&pick(dims, &input.shape), [&pick(dims, &input.strides)]);
    let (kept, reduced) = (walk(&kept), walk(&reduced));
    let (outputs, each) = (out.numel(), reduced.numel());
    let (run, across) = (kept.shape[kept.shape.len() - 1], kept.strides[0][kept.shape.len() - 1]);
    let along = reduced.strides[0][reduced.shape.len() - 1];
    let columns = each > 1 && ((run >= 4 && across < along) || (run >= 64 && each < 16));
    // Many outputs are shared out among threads; the elements of few are.
    let few = if columns { 4 * walk::WIDTH } else { 128 };
    let parts = if outputs < few { (outputs.saturating_mul(each) >> 16).clamp(1, 64) } else { 1 };
    let part = each.div_ceil(parts).max(1).next_multiple_of(walk::CHUNK);
    let parts = each.div_ceil(part).max(1);
    Job {
        op,
        from: Port::new(input),
        out: Port::new(out),
        kept,
        reduced,
        outputs,
        each,
        part,
        parts,
        columns,
        shifts: None,
        totals: Shared(std::ptr::null_mut()),
    }
}

fn execute(job: &mut Job, compute: DType) {
    let mut totals = vec![0u64; if job.parts > 1 { job.parts * job.outputs } else { 0 }];
    job.totals = Shared(totals.as_mut_ptr());
    let least = if job.columns { walk::WIDTH.min(job.outputs) } else { 1 };
    let grain = ((1 << 15) / job.part.min(job.each).max(1)).max(least);
    let job = &*job;
    let work = |range: Range<usize>, finish: bool| match compute {
        DType::F64 => reduce_f64(job, range, finish),
        DType::F32 => reduce_f32(job, range, finish),
        _ => reduce_i64(job, range, finish),
    };
    crate::pool::parallel_for(job.outputs * job.parts, grain, &|range| work(range, false));
    if job.parts > 1 {
        work(0..job.outputs, true);
    }
}

compiled! {
    fn reduce_f32(job: &Job, range: Range<usize>, finish: bool) = work::<S>, work::<SFused>;
    fn reduce_f64(job: &Job, range: Range<usize>, finish: bool) = work::<D>, work::<DFused>;
    fn reduce_i64(job: &Job, range: Range<usize>, finish: bool) = work::<i64>, work::<i64>;
}

/// Truth as a number.
#[inline(always)]
fn truth<A: Number>(on: bool) -> A {
    if on { A::ONE } else { A::ZERO }
}

/// Sums what `map` makes of an element and the output's shift.
#[inline(always)]
fn summing<A: Number>(
    job: &Job,
    range: Range<usize>,
    done: bool,
    map: impl Fn(A, A) -> A + Copy + Sync,
    finish: impl Fn(A::Sum, A) -> A + Copy + Sync,
) {
    walk::items::<A, _>(job, range, done, Summing { map, finish });
}

/// Joins what `map` makes of the elements.
#[inline(always)]
fn folding<A: Number>(
    job: &Job,
    range: Range<usize>,
    done: bool,
    start: A,
    map: impl Fn(A) -> A + Copy + Sync,
    join: impl Fn(A, A) -> A + Copy + Sync,
) {
    walk::items::<A, _>(job, range, done, Folding { start, map, join });
}

#[inline(always)]
fn work<A: Number>(job: &Job, range: Range<usize>, done: bool) {
    let count = job.each as f64;
    let sum = |total: A::Sum, _: A| A::narrow(total);
    let of_f64 = A::from_f64;
    let squares = |v: A, mean: A| v.sub(mean).mul(v.sub(mean));
    let variance = move |total: A::Sum, correction: f64| total.to_f64() / (count - correction).max(0.0);
    match job.op {
        Reduce::Sum => summing::<A>(job, range, done, |v, _| v, sum),
        Reduce::NanSum => summing::<A>(job, range, done, |v, _| if v.is_nan() { A::ZERO } else { v }, sum),
        Reduce::Mean => summing::<A>(job, range, done, |v, _| v, move |t, _| of_f64(t.to_f64() / count)),
        Reduce::CountNonzero => summing::<A>(job, range, done, |v, _| truth(v != A::ZERO), sum),
        Reduce::CountNumbers => summing::<A>(job, range, done, |v, _| truth(!v.is_nan()), sum),
        Reduce::Var { correction } => {
            summing::<A>(job, range, done, squares, move |t, _| of_f64(variance(t, correction)));
        }
        Reduce::Std { correction } => {
            summing::<A>(job, range, done, squares, move |t, _| of_f64(variance(t, correction).sqrt()));
        }
        Reduce::LogSumExp => {
            let finish = move |t: A::Sum, largest: A| of_f64(t.to_f64().ln() + largest.to_f64());
            summing::<A>(job, range, done, |v, largest| v.sub(largest).exp(), finish);
        }
        Reduce::Norm(1.0) => summing::<A>(job, range, done, |v, _| v.abs(), sum),
        Reduce::Norm(2.0) => {
            summing::<A>(job, range, done, |v, _| v.mul(v), move |t, _| of_f64(t.to_f64().sqrt()));
        }
        Reduce::Norm(p) if p == f64::INFINITY => folding::<A>(job, range, done, A::ZERO, A::abs, A::max),
        Reduce::Norm(p) if p == f64::NEG_INFINITY => folding::<A>(job, range, done, A::HIGHEST, A::abs, A::min),
        Reduce::Norm(p) => {
            let exponent = of_f64(p);
            let root = move |t: A::Sum, _: A| of_f64(t.to_f64().powf(1.0 / p));
            summing::<A>(job, range, done, move |v, _| v.abs().pow(exponent), root);
        }
        Reduce::Prod => folding::<A>(job, range, done, A::ONE, |v| v, A::mul),
        Reduce::Max => folding::<A>(job, range, done, A::LOWEST, |v| v, A::max),
        Reduce::Min => folding::<A>(job, range, done, A::HIGHEST, |v| v, A::min),
        Reduce::Any => folding::<A>(job, range, done, A::ZERO, |v| truth(v != A::ZERO), A::max),
        Reduce::All => folding::<A>(job, range, done, A::ONE, |v| truth(v != A::ZERO), A::min),
    }
}
