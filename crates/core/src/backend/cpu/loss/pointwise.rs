//! Losses of an element and its target, one by one or summed on the way.

use super::super::layout::{Shared, Walk};
use super::super::number::{D, DFused, Number, Port, S, SFused, TILE, compiled, tile};
use crate::backend::PointwiseLoss;
use crate::tensor::Body;
use crate::{DType, Error, Result};
use std::ops::Range;

/// Elements that are summed together; a whole number of tiles.
const PART: usize = 1 << 14;

struct Job {
    loss: PointwiseLoss,
    numel: usize,
    /// The gradient, in a backward pass.
    g: Option<Port>,
    x: Port,
    y: Port,
    weight: Option<Port>,
    pos_weight: Option<Port>,
    /// Strides of `g`, `x`, `y`, `weight` and `pos_weight`, in this order, those of the contiguous output for what is absent.
    walk: Walk<5>,
    out: Port,
    scale: f64,
    /// The sum of each part; elements are written where there is none.
    sums: Option<Shared<f64>>,
}

/// Elements and targets; factors and factors of positive targets.
type Inputs<'a> = ([&'a Body; 2], [Option<&'a Body>; 2]);

fn job(loss: PointwiseLoss, g: Option<&Body>, inputs: Inputs, out: Port, scale: f64) -> Job {
    let ([x, y], [weight, pos_weight]) = inputs;
    let plain = x.shape.contiguous_strides();
    let strides = |body: Option<&Body>| body.map_or(plain.clone(), |b| b.strides.clone());
    let lists = [strides(g), strides(Some(x)), strides(Some(y)), strides(weight), strides(pos_weight)];
    Job {
        loss,
        numel: x.numel(),
        g: g.map(Port::new),
        x: Port::new(x),
        y: Port::new(y),
        weight: weight.map(Port::new),
        pos_weight: pos_weight.map(Port::new),
        walk: Walk::new(&x.shape, std::array::from_fn(|i| &lists[i][..])),
        out,
        scale,
        sums: None,
    }
}

fn run(job: &Job, dtype: DType) {
    let parts = job.numel.div_ceil(PART);
    crate::pool::parallel_for(parts, 1, &|range| match dtype {
        DType::F64 => parts_f64(job, range),
        _ => parts_f32(job, range),
    });
}

/// See [`Backend::pointwise_loss`](crate::backend::Backend::pointwise_loss).
///
/// # Safety
/// The storages are locked; shapes are equal; `out` is contiguous and overlaps nothing.
pub(crate) unsafe fn forward(loss: PointwiseLoss, inputs: Inputs, scale: Option<f64>, out: &Body) -> Result<()> {
    let mut job = job(loss, None, inputs, Port::new(out), scale.unwrap_or(1.0));
    if loss == PointwiseLoss::BinaryCrossEntropy {
        check_unit(&job, "input", |job, i, n, buffer| job.load(1, Some(job.x), i, n, buffer))?;
        check_unit(&job, "target", |job, i, n, buffer| job.load(2, Some(job.y), i, n, buffer))?;
    }
    let mut sums = vec![0f64; if scale.is_some() { job.numel.div_ceil(PART) } else { 0 }];
    job.sums = scale.map(|_| Shared(sums.as_mut_ptr()));
    run(&job, out.dtype);
    if let Some(scale) = scale {
        let total = D::from_f64(sums.iter().sum::<f64>() * scale);
        // SAFETY: the output has one element.
        unsafe { Port::new(out).store(0, 1, &[total]) };
    }
    Ok(())
}

/// See [`Backend::pointwise_loss_grad`](crate::backend::Backend::pointwise_loss_grad).
///
/// # Safety
/// As [`forward`].
pub(crate) unsafe fn grad(loss: PointwiseLoss, g: &Body, inputs: Inputs, scale: f64, out: &Body) {
    run(&job(loss, Some(g), inputs, Port::new(out), scale), out.dtype);
}

/// Refuses numbers outside of 0 to 1; NaN passes, as in PyTorch.
fn check_unit(
    job: &Job,
    what: &str,
    load: impl for<'b> Fn(&Job, usize, usize, &'b mut [D; TILE]) -> &'b [D],
) -> Result<()> {
    let mut buffer = [D::ZERO; TILE];
    for start in (0..job.numel).step_by(TILE) {
        let values = load(job, start, TILE.min(job.numel - start), &mut buffer);
        if values.iter().any(|v| v.0 < 0.0 || v.0 > 1.0) {
            return Err(Error::runtime(
                "binary_cross_entropy",
                format!("all elements of {what} should be between 0 and 1"),
            ));
        }
    }
    Ok(())
}

compiled! {
    fn parts_f32(job: &Job, range: Range<usize>) = parts::<S>, parts::<SFused>;
    fn parts_f64(job: &Job, range: Range<usize>) = parts::<D>, parts::<DFused>;
}

impl Job {
    /// `n` elements of operand `index` from row-major index `start` on; ones where it is absent.
    #[inline(always)]
    fn load<'b, A: Number>(
        &self,
        index: usize,
        port: Option<Port>,
        start: usize,
        n: usize,
        buffer: &'b mut [A; TILE],
    ) -> &'b [A] {
        let Some(port) = port else {
            buffer[..n].fill(A::ONE);
            return &buffer[..n];
        };
        if let (true, Some(first)) = (self.walk.is_flat(index), port.direct::<A>(start)) {
            // SAFETY: the elements lie within the body, one after the other.
            return unsafe { std::slice::from_raw_parts(first, n) };
        }
        let mut done = 0;
        let mut room = tile::<A>();
        for (at, length, strides) in self.walk.runs(start, n) {
            // SAFETY: the walk stays within the body.
            let values = unsafe { port.load::<A>(at[index], strides[index], length, &mut room) };
            buffer[done..done + length].copy_from_slice(values);
            done += length;
        }
        &buffer[..n]
    }
}

/// What a formula may use of one element.
#[derive(Clone, Copy)]
struct At<A> {
    x: A,
    y: A,
    pos_weight: A,
}

#[inline(always)]
fn parts<A: Number>(job: &Job, range: Range<usize>) {
    use PointwiseLoss as L;
    let (half, one) = (A::from_f64(0.5), A::ONE);
    let smallest = A::from_f64(-100.0);
    let log = |v: A| A::max(v.log(), smallest);
    let log1p = |v: A| A::max(v.log1p(), smallest);
    let difference = |a: At<A>| a.x.sub(a.y);
    let limited = |d: A, limit: A| {
        let low = if d < A::ZERO.sub(limit) { A::ZERO.sub(limit) } else { d };
        if low > limit { limit } else { low }
    };
    match (job.loss, job.g.is_some()) {
        (L::Mse, false) => each(job, range, |a: At<A>| difference(a).mul(difference(a))),
        (L::Mse, true) => each(job, range, |a: At<A>| difference(a).add(difference(a))),
        (L::SmoothL1(beta), false) => {
            let (beta, inverse) = (A::from_f64(beta), A::from_f64(0.5 / beta));
            each(job, range, |a: At<A>| {
                let d = difference(a).abs();
                if d < beta { d.mul(d).mul(inverse) } else { d.sub(beta.mul(half)) }
            });
        }
        (L::SmoothL1(beta), true) => {
            let inverse = A::from_f64(1.0 / beta);
            each(job, range, |a: At<A>| limited(difference(a).mul(inverse), one));
        }
        (L::Huber(delta), false) => {
            let delta = A::from_f64(delta);
            each(job, range, |a: At<A>| {
                let d = difference(a).abs();
                if d <= delta { d.mul(d).mul(half) } else { delta.mul(d.sub(delta.mul(half))) }
            });
        }
        (L::Huber(delta), true) => {
            let delta = A::from_f64(delta);
            each(job, range, |a: At<A>| limited(difference(a), delta));
        }
        (L::BinaryCrossEntropy, false) => each(job, range, |a: At<A>| {
            // (y - 1) log(1 - x) - y log(x)
            a.y.sub(one).mul(log1p(A::ZERO.sub(a.x))).sub(a.y.mul(log(a.x)))
        }),
        (L::BinaryCrossEntropy, true) => {
            let least = A::from_f64(1e-12);
            each(job, range, |a: At<A>| {
                let spread = a.x.mul(one.sub(a.x));
                a.x.sub(a.y).div(if spread < least { least } else { spread })
            });
        }
        (L::BinaryCrossEntropyWithLogits, false) => each(job, range, |a: At<A>| {
            let scale = a.pos_weight.sub(one).mul_add(a.y, one);
            one.sub(a.y).mul(a.x).sub(scale.mul(log_sigmoid(a.x)))
        }),
        (L::BinaryCrossEntropyWithLogits, true) => each(job, range, |a: At<A>| {
            let t = a.pos_weight.mul(a.y);
            t.add(one).sub(a.y).mul(sigmoid(a.x)).sub(t)
        }),
    }
}

#[inline(always)]
fn log_sigmoid<A: Number>(x: A) -> A {
    let low = if x < A::ZERO { x } else { A::ZERO };
    let tail = A::ZERO.sub(x.abs()).exp().log1p();
    // NaN is lost by the comparison but kept by the tail.
    low.sub(tail)
}

#[inline(always)]
fn sigmoid<A: Number>(x: A) -> A {
    let e = A::ZERO.sub(x.abs()).exp();
    let top = if x < A::ZERO { e } else { A::ONE };
    top.div(A::ONE.add(e))
}

#[inline(always)]
fn each<A: Number>(job: &Job, range: Range<usize>, f: impl Fn(At<A>) -> A) {
    let mut rooms = [[A::ZERO; TILE]; 5];
    let mut result = [A::ZERO; TILE];
    let scale = A::from_f64(job.scale);
    for part in range {
        let mut sum = 0.0;
        let end = ((part + 1) * PART).min(job.numel);
        for start in (part * PART..end).step_by(TILE) {
            let n = TILE.min(end - start);
            let [g, x, y, weight, pos_weight] = &mut rooms;
            let g = job.load(0, job.g, start, n, g);
            let x = job.load(1, Some(job.x), start, n, x);
            let y = job.load(2, Some(job.y), start, n, y);
            let weight = job.load(3, job.weight, start, n, weight);
            let pos_weight = job.load(4, job.pos_weight, start, n, pos_weight);
            for ((((out, &x), &y), &w), &p) in result.iter_mut().zip(x).zip(y).zip(weight).zip(pos_weight) {
                *out = f(At { x, y, pos_weight: p }).mul(w);
            }
            if job.sums.is_some() {
                sum += super::super::along::sum_of([&result[..n]], |[v]| v);
                continue;
            }
            if job.g.is_some() {
                for (out, &g) in result.iter_mut().zip(g) {
                    *out = out.mul(g.mul(scale));
                }
            }
            // SAFETY: the output is contiguous, and these elements belong to this task.
            unsafe { job.out.store(start, 1, &result[..n]) };
        }
        if let Some(sums) = job.sums {
            // SAFETY: each part has a sum of its own.
            unsafe { sums.get().add(part).write(sum) };
        }
    }
}
