//! Rows are normalized one by one, then scaled and shifted by channel.

use super::super::along::sum_of;
use super::super::layout::Shared;
use super::super::number::{D, DFused, Number, Port, S, SFused, compiled};
use super::super::scratch::Scratch;
use super::{numbers, slice};
use crate::DType;
use crate::backend::{NormGrad, NormRows};
use crate::tensor::Body;
use std::ops::Range;

/// See [`Backend::normalize_rows`](crate::backend::Backend::normalize_rows).
///
/// # Safety
/// The storages are locked; bodies are contiguous and outputs overlap nothing.
pub(crate) unsafe fn forward(norm: &NormRows, x: &Body, out: &Body, mean: &Body, rstd: &Body) {
    let n = x.shape[1];
    let job = Forward { norm, n, x: Port::new(x), out: Port::new(out), mean: Port::new(mean), rstd: Port::new(rstd) };
    crate::pool::parallel_for(x.shape[0], (1 << 14) / n.max(1) + 1, &|range| match x.dtype {
        DType::F64 => forward_f64(&job, range),
        _ => forward_f32(&job, range),
    });
}

struct Forward<'a> {
    norm: &'a NormRows,
    n: usize,
    x: Port,
    out: Port,
    mean: Port,
    rstd: Port,
}

compiled! {
    fn forward_f32(job: &Forward, range: Range<usize>) = forward_rows::<S>, forward_rows::<SFused>;
    fn forward_f64(job: &Forward, range: Range<usize>) = forward_rows::<D>, forward_rows::<DFused>;
    fn grad_f32(job: &Grad, range: Range<usize>) = grad_rows::<S>, grad_rows::<SFused>;
    fn grad_f64(job: &Grad, range: Range<usize>) = grad_rows::<D>, grad_rows::<DFused>;
}

/// The row that starts at `at`: in place where its type is that of the computation.
///
/// # Safety
/// The row lies within the body, and `room` holds `n` numbers.
#[inline(always)]
unsafe fn load<A: Number>(port: Port, at: usize, n: usize, room: &Scratch<A>) -> &[A] {
    match port.direct::<A>(at) {
        // SAFETY: the caller vouches for the row.
        Some(start) => unsafe { std::slice::from_raw_parts(start, n) },
        None => unsafe {
            A::gather(port, at, 1, n, room.as_ptr());
            slice(room, n)
        },
    }
}

/// Where the row that starts at `at` can be written: in place, or in `room` until [`finish`].
///
/// # Safety
/// As [`load`]; the row belongs to this task. All of it is written.
#[inline(always)]
#[allow(clippy::mut_from_ref, reason = "the memory is written by whoever holds it, through its address")]
unsafe fn row_mut<A: Number>(port: Port, at: usize, n: usize, room: &Scratch<A>) -> &mut [A] {
    // SAFETY: the caller vouches for the row.
    unsafe { std::slice::from_raw_parts_mut(port.direct::<A>(at).unwrap_or(room.as_ptr()), n) }
}

/// Brings what [`row_mut`] gave out to its place.
///
/// # Safety
/// The row is that of `at`.
#[inline(always)]
unsafe fn finish<A: Number>(port: Port, at: usize, row: &[A]) {
    if port.direct::<A>(at).is_none() {
        // SAFETY: the caller vouches for the row.
        unsafe { port.store(at, 1, row) }
    }
}

/// Mean, and one over the standard deviation.
#[inline(always)]
fn moments<A: Number>(x: &[A], eps: f64) -> (A, A) {
    let (first, n) = (x[0], x.len() as f64);
    let exact = first.to_f64() + sum_of([x], |[v]| v.sub(first)) / n;
    let mean = A::from_f64(exact);
    let rounding = exact - mean.to_f64();
    let squares = sum_of([x], |[v]| v.sub(mean).mul(v.sub(mean)));
    let variance = (squares / n - rounding * rounding).max(0.0);
    // NaN is lost by `max`.
    let variance = if squares.is_nan() { squares } else { variance };
    (mean, A::from_f64(1.0 / (variance + eps).sqrt()))
}

#[inline(always)]
fn forward_rows<A: Number>(job: &Forward, range: Range<usize>) {
    let (n, inner, groups) = (job.n, job.norm.inner, job.norm.groups);
    let own = n / inner;
    let rooms: [Scratch<A>; 2] = std::array::from_fn(|_| Scratch::new(n));
    // SAFETY: weight and bias have one number a channel; rows lie within the bodies, and those of `out` belong to this
    // task.
    unsafe {
        let weight = numbers(job.norm.weight.as_ref(), own * groups, A::ONE);
        let bias = numbers(job.norm.bias.as_ref(), own * groups, A::ZERO);
        let (weight, bias) = (slice(&weight, own * groups), slice(&bias, own * groups));
        for r in range {
            let x = load(job.x, r * n, n, &rooms[0]);
            let (mean, rstd) = moments(x, job.norm.eps);
            job.mean.store(r, 1, &[mean]);
            job.rstd.store(r, 1, &[rstd]);
            let first = r % groups * own;
            let (weight, bias) = (&weight[first..first + own], &bias[first..first + own]);
            let out = row_mut(job.out, r * n, n, &rooms[1]);
            if inner == 1 {
                for (((out, &v), &w), &b) in out.iter_mut().zip(x).zip(weight).zip(bias) {
                    *out = v.sub(mean).mul(rstd).mul_add(w, b);
                }
            } else {
                let pieces = out.chunks_exact_mut(inner).zip(x.chunks_exact(inner));
                for ((out, x), (&w, &b)) in pieces.zip(weight.iter().zip(bias)) {
                    let scale = rstd.mul(w);
                    for (out, &v) in out.iter_mut().zip(x) {
                        *out = v.sub(mean).mul_add(scale, b);
                    }
                }
            }
            finish(job.out, r * n, out);
        }
    }
}

/// Rows that go into single-precision sums by channel before these are added to double-precision ones.
const FLUSH: usize = 32;
/// At most so many parts of the rows have sums by channel of their own.
const PARTS: usize = 64;

struct Grad<'a> {
    norm: &'a NormRows,
    n: usize,
    rows: usize,
    rows_of_part: usize,
    g: Port,
    x: Port,
    mean: Port,
    rstd: Port,
    dx: Option<Port>,
    /// By part: the sums for weight, then for bias, of each channel.
    sums: Option<Shared<f64>>,
}

/// See [`Backend::normalize_rows_grad`](crate::backend::Backend::normalize_rows_grad).
///
/// # Safety
/// As [`forward`].
pub(crate) unsafe fn grad(norm: &NormRows, g: &Body, x: &Body, [mean, rstd]: [&Body; 2], out: &NormGrad) {
    let (rows, n) = (x.shape[0], x.shape[1]);
    let channels = n / norm.inner * norm.groups;
    // A whole number of groups for each part; the parts depend on the shape alone.
    let rows_of_part = rows.div_ceil(PARTS).max((1 << 13) / n.max(1) + 1);
    let parts = rows.div_ceil(rows_of_part);
    let by_channel = out.weight.is_some() || out.bias.is_some();
    let mut sums = vec![0f64; if by_channel { parts * 2 * channels } else { 0 }];
    let job = Grad {
        norm,
        n,
        rows,
        rows_of_part,
        g: Port::new(g),
        x: Port::new(x),
        mean: Port::new(mean),
        rstd: Port::new(rstd),
        dx: out.input.as_ref().map(Port::new),
        sums: by_channel.then_some(Shared(sums.as_mut_ptr())),
    };
    crate::pool::parallel_for(parts, 1, &|range| match x.dtype {
        DType::F64 => grad_f64(&job, range),
        _ => grad_f32(&job, range),
    });
    let total = |at: usize| (0..parts).map(|p| sums[p * 2 * channels + at]).sum::<f64>();
    for (body, offset) in [(&out.weight, 0), (&out.bias, channels)] {
        if let Some(body) = body {
            let totals: Vec<D> = (0..channels).map(|c| D::from_f64(total(offset + c))).collect();
            // SAFETY: the body is contiguous with one element a channel.
            unsafe { Port::new(body).store(0, 1, &totals) };
        }
    }
}

#[inline(always)]
fn grad_rows<A: Number>(job: &Grad, parts: Range<usize>) {
    let (n, inner, groups) = (job.n, job.norm.inner, job.norm.groups);
    let own = n / inner;
    let channels = own * groups;
    let rooms: [Scratch<A>; 3] = std::array::from_fn(|_| Scratch::new(n));
    let mut cells = vec![A::ZERO; if job.sums.is_some() { 2 * channels } else { 0 }];
    // SAFETY: as in `forward_rows`; each part has sums of its own.
    unsafe {
        let weight = numbers(job.norm.weight.as_ref(), channels, A::ONE);
        let weight = slice(&weight, channels);
        let (means, rstds) = (Scratch::<A>::new(1), Scratch::<A>::new(1));
        for part in parts {
            let rows = part * job.rows_of_part..((part + 1) * job.rows_of_part).min(job.rows);
            for (done, r) in rows.enumerate() {
                let row = Row {
                    x: load(job.x, r * n, n, &rooms[0]),
                    g: load(job.g, r * n, n, &rooms[1]),
                    mean: load(job.mean, r, 1, &means)[0],
                    rstd: load(job.rstd, r, 1, &rstds)[0],
                    weight: &weight[r % groups * own..][..own],
                    inner,
                };
                if !cells.is_empty() {
                    let (for_weight, for_bias) = cells.split_at_mut(channels);
                    let first = r % groups * own;
                    row.add_sums(&mut for_weight[first..first + own], &mut for_bias[first..first + own]);
                    if done % FLUSH == FLUSH - 1 {
                        flush(job, part, &mut cells);
                    }
                }
                if let Some(dx) = job.dx {
                    let out = row_mut(dx, r * n, n, &rooms[2]);
                    row.input_grad(out);
                    finish(dx, r * n, out);
                }
            }
            flush(job, part, &mut cells);
        }
    }
}

/// Moves the sums by channel into those of double precision.
#[inline(always)]
fn flush<A: Number>(job: &Grad, part: usize, cells: &mut [A]) {
    let Some(sums) = job.sums else { return };
    let count = cells.len();
    // SAFETY: each part has sums of its own.
    let sums = unsafe { std::slice::from_raw_parts_mut(sums.get().add(part * count), count) };
    for (sum, cell) in sums.iter_mut().zip(cells) {
        *sum += std::mem::replace(cell, A::ZERO).to_f64();
    }
}

struct Row<'a, A> {
    x: &'a [A],
    g: &'a [A],
    mean: A,
    rstd: A,
    weight: &'a [A],
    inner: usize,
}

impl<A: Number> Row<'_, A> {
    /// Adds what the gradients of weight and bias get from this row.
    #[inline(always)]
    fn add_sums(&self, for_weight: &mut [A], for_bias: &mut [A]) {
        let (mean, rstd) = (self.mean, self.rstd);
        if self.inner == 1 {
            for (((w, b), &x), &g) in for_weight.iter_mut().zip(for_bias).zip(self.x).zip(self.g) {
                *w = w.add(g.mul(x.sub(mean).mul(rstd)));
                *b = b.add(g);
            }
            return;
        }
        let pieces = self.x.chunks_exact(self.inner).zip(self.g.chunks_exact(self.inner));
        for ((w, b), (x, g)) in for_weight.iter_mut().zip(for_bias).zip(pieces) {
            *w = w.add(A::from_f64(sum_of([g, x], |[g, x]| g.mul(x.sub(mean)))).mul(rstd));
            *b = b.add(A::from_f64(sum_of([g], |[g]| g)));
        }
    }

    /// `rstd (gw - mean(gw) - x^ mean(gw x^))` with `gw` the gradient times the weight and `x^` the normalized row.
    #[inline(always)]
    fn input_grad(&self, out: &mut [A]) {
        let (mean, rstd, n) = (self.mean, self.rstd, self.x.len() as f64);
        let (mut sum, mut product) = (0.0, 0.0);
        if self.inner == 1 {
            sum = sum_of([self.g, self.weight], |[g, w]| g.mul(w));
            product = sum_of([self.g, self.weight, self.x], |[g, w, x]| g.mul(w).mul(x.sub(mean)));
        } else {
            let pieces = self.x.chunks_exact(self.inner).zip(self.g.chunks_exact(self.inner));
            for ((x, g), &w) in pieces.zip(self.weight) {
                sum += w.to_f64() * sum_of([g], |[g]| g);
                product += w.to_f64() * sum_of([g, x], |[g, x]| g.mul(x.sub(mean)));
            }
        }
        let level = A::from_f64(sum / n);
        let slope = A::from_f64(product / n * rstd.to_f64() * rstd.to_f64());
        let one = |g: A, w: A, x: A| g.mul(w).sub(level).sub(x.sub(mean).mul(slope)).mul(rstd);
        if self.inner == 1 {
            for (((out, &g), &w), &x) in out.iter_mut().zip(self.g).zip(self.weight).zip(self.x) {
                *out = one(g, w, x);
            }
            return;
        }
        let pieces = self.x.chunks_exact(self.inner).zip(self.g.chunks_exact(self.inner));
        for ((out, (x, g)), &w) in out.chunks_exact_mut(self.inner).zip(pieces).zip(self.weight) {
            for ((out, &g), &x) in out.iter_mut().zip(g).zip(x) {
                *out = one(g, w, x);
            }
        }
    }
}
