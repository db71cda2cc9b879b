//! Softmax and its logarithm, forward and backward, each in one kernel.

use super::along::{Along, Columns, Place, largest_of, sum_of, sum_of_exp};
use super::number::{D, DFused, Number, S, SFused, TILE, compiled, tile};
use super::scratch::Scratch;
use crate::DType;
use crate::tensor::Body;
use std::ops::Range;

type Forward = Along<2>;
type Backward = Along<3>;

/// Softmax along `dim`, or its logarithm.
///
/// # Safety
/// The storages are locked; shapes and floating dtypes are equal; `out` overlaps nothing.
pub(crate) unsafe fn forward(log: bool, input: &Body, dim: usize, out: &Body) {
    let job = Along::new([input, out], dim);
    job.parallel(&|range| match input.dtype {
        DType::F64 => forward_f64(&job, range, log),
        _ => forward_f32(&job, range, log),
    });
}

/// The gradient of the input from that of the result and the result itself.
///
/// # Safety
/// As [`forward`].
pub(crate) unsafe fn backward(log: bool, grad: &Body, result: &Body, dim: usize, out: &Body) {
    let job = Along::new([grad, result, out], dim);
    job.parallel(&|range| match out.dtype {
        DType::F64 => backward_f64(&job, range, log),
        _ => backward_f32(&job, range, log),
    });
}

compiled! {
    fn forward_f32(job: &Forward, range: Range<usize>, log: bool) = forward_rows::<S>, forward_rows::<SFused>;
    fn forward_f64(job: &Forward, range: Range<usize>, log: bool) = forward_rows::<D>, forward_rows::<DFused>;
    fn backward_f32(job: &Backward, range: Range<usize>, log: bool) = backward_rows::<S>, backward_rows::<SFused>;
    fn backward_f64(job: &Backward, range: Range<usize>, log: bool) = backward_rows::<D>, backward_rows::<DFused>;
}

#[inline(always)]
fn forward_rows<A: Number>(job: &Forward, range: Range<usize>, log: bool) {
    let (from, to) = (Scratch::<A>::new(job.size), Scratch::<A>::new(job.size));
    for place in job.places(range) {
        match place {
            // SAFETY: rows lie within the bodies; those of the result belong to this task.
            Place::Row([a, b]) => unsafe {
                let (x, out) = (job.row(0, a, &from), job.row_mut(b, &to));
                forward_row(x, out, log);
                job.finish_row(b, out);
            },
            Place::Columns([x, out]) => forward_columns::<A>(job.size, x, out, log),
        }
    }
}

#[inline(always)]
fn forward_row<A: Number>(x: &[A], out: &mut [A], log: bool) {
    let largest = largest_of(x);
    let total = sum_of_exp(x, largest, out);
    if log {
        let total = A::from_f64(total.ln());
        for (out, &v) in out.iter_mut().zip(x) {
            *out = v.sub(largest).sub(total);
        }
    } else {
        let scale = A::from_f64(1.0 / total);
        for v in out {
            *v = v.mul(scale);
        }
    }
}

#[inline(always)]
fn forward_columns<A: Number>(size: usize, x: Columns, out: Columns, log: bool) {
    let mut buffer = tile::<A>();
    let (mut largest, mut total) = ([A::LOWEST; TILE], [A::ZERO; TILE]);
    let mut result = [A::ZERO; TILE];
    // SAFETY (here and below): the rows lie within the bodies; those of the result belong to this task.
    for k in 0..size {
        for (m, &v) in largest.iter_mut().zip(unsafe { x.load(k, &mut buffer) }) {
            *m = m.max(v);
        }
    }
    for k in 0..size {
        for ((t, &m), &v) in total.iter_mut().zip(&largest).zip(unsafe { x.load(k, &mut buffer) }) {
            *t = t.add(v.sub(m).exp());
        }
    }
    let finish = |t: A| A::from_f64(if log { t.to_f64().ln() } else { 1.0 / t.to_f64() });
    total.iter_mut().for_each(|t| *t = finish(*t));
    for k in 0..size {
        for (((out, &t), &m), &v) in result.iter_mut().zip(&total).zip(&largest).zip(unsafe { x.load(k, &mut buffer) })
        {
            let d = v.sub(m);
            *out = if log { d.sub(t) } else { d.exp().mul(t) };
        }
        unsafe { out.store(k, &result) };
    }
}

#[inline(always)]
fn backward_rows<A: Number>(job: &Backward, range: Range<usize>, log: bool) {
    let rooms: [Scratch<A>; 3] = std::array::from_fn(|_| Scratch::new(job.size));
    for place in job.places(range) {
        match place {
            // SAFETY: as in `forward_rows`.
            Place::Row([a, b, c]) => unsafe {
                let (g, y, out) = (job.row(0, a, &rooms[0]), job.row(1, b, &rooms[1]), job.row_mut(c, &rooms[2]));
                let total = A::from_f64(if log { sum_of([g], |[g]| g) } else { sum_of([g, y], |[g, y]| g.mul(y)) });
                for ((out, &g), &y) in out.iter_mut().zip(g).zip(y) {
                    *out = slope(g, y, total, log);
                }
                job.finish_row(c, out);
            },
            Place::Columns(places) => backward_columns::<A>(job.size, places, log),
        }
    }
}

/// One element of the gradient; `total` sums those of the result, weighted by the result itself for softmax.
#[inline(always)]
fn slope<A: Number>(g: A, y: A, total: A, log: bool) -> A {
    if log { g.sub(y.exp().mul(total)) } else { g.sub(total).mul(y) }
}

#[inline(always)]
fn backward_columns<A: Number>(size: usize, [g, y, out]: [Columns; 3], log: bool) {
    let (mut first, mut second) = (tile::<A>(), tile::<A>());
    let (mut total, mut result) = ([A::ZERO; TILE], [A::ZERO; TILE]);
    // SAFETY (here and below): as in `forward_columns`.
    for k in 0..size {
        let (g, y) = (unsafe { g.load(k, &mut first) }, unsafe { y.load(k, &mut second) });
        for ((t, &g), &y) in total.iter_mut().zip(g).zip(y) {
            *t = t.add(if log { g } else { g.mul(y) });
        }
    }
    for k in 0..size {
        let (g, y) = (unsafe { g.load(k, &mut first) }, unsafe { y.load(k, &mut second) });
        for (((out, &t), &g), &y) in result.iter_mut().zip(&total).zip(g).zip(y) {
            *out = slope(g, y, t, log);
        }
        unsafe { out.store(k, &result) };
    }
}
