//! Updates of parameters: each is walked once, and all of them in one parallel pass.
//!
//! A tile of the parameter, the gradient and the buffers is loaded, goes through PyTorch's operations one after the
//! other, each rounded to the dtype as PyTorch's is, and is stored.

use super::layout::{Shared, Walk, convert};
use super::math::Real;
use super::number::{D, DFused, S, SFused, compiled};
use super::tiles::TILE;
use crate::backend::{AdamRule, GRAD, Rule, SgdRule, Update};
use crate::tensor::Body;
use crate::{DType, Element};
use half::{bf16, f16};
use smallvec::SmallVec;
use std::ops::Range;

/// Most bodies of a rule.
const MOST: usize = 5;
/// Elements worth a core of their own.
const GRAIN: usize = 1 << 13;

/// One update with the addresses of its bodies.
struct Job {
    rule: Rule,
    dtype: DType,
    starts: SmallVec<[Shared<u8>; MOST]>,
    /// `None` when every body is contiguous.
    walk: Option<Walk<MOST>>,
}

/// Runs all updates.
///
/// # Safety
/// The storages are locked; the bodies of each update have one shape and dtype.
pub(super) unsafe fn run(updates: &[Update]) {
    let jobs: Vec<Job> = updates.iter().map(Job::new).collect();
    // Element numbers, over all updates, at which each one ends.
    let mut total = 0;
    let ends: Vec<usize> = updates
        .iter()
        .map(|update| {
            total += update.bodies[0].numel();
            total
        })
        .collect();
    if !disjoint(updates) {
        // What one update writes another one reads: they happen in order, as PyTorch's do.
        jobs.iter().zip(updates).for_each(|(job, update)| job.run(0..update.bodies[0].numel()));
        return;
    }
    crate::pool::parallel_for(total, GRAIN, &|range| {
        let mut at = range.start;
        let mut index = ends.partition_point(|&end| end <= at);
        while at < range.end {
            let begin = if index == 0 { 0 } else { ends[index - 1] };
            let end = ends[index].min(range.end);
            jobs[index].run(at - begin..end - begin);
            (at, index) = (end, index + 1);
        }
    });
}

/// Does no body that is written share bytes with another one?
fn disjoint(updates: &[Update]) -> bool {
    let bodies = updates.iter().flat_map(|update| update.bodies.iter().enumerate());
    let mut spans: Vec<(usize, usize, usize, bool)> = bodies
        .filter_map(|(slot, body)| {
            let (start, end) = body.byte_range()?;
            Some((std::sync::Arc::as_ptr(&body.storage) as usize, start, end, slot != GRAD))
        })
        .collect();
    spans.sort_unstable();
    // How far bodies of the current storage reach: all of them, and those that are written.
    let (mut storage, mut reach, mut written) = (0, 0, 0);
    spans.into_iter().all(|(of, start, end, writes)| {
        if of != storage {
            (storage, reach, written) = (of, 0, 0);
        }
        let free = start >= if writes { reach } else { written };
        reach = reach.max(end);
        written = if writes { written.max(end) } else { written };
        free
    })
}

impl Job {
    fn new(update: &Update) -> Job {
        let bodies = &update.bodies;
        let walk = (!bodies.iter().all(Body::is_contiguous)).then(|| {
            // Slots that the rule does not use repeat the parameter and are never touched.
            let strides = std::array::from_fn(|i| -> &[usize] { &bodies.get(i).unwrap_or(&bodies[0]).strides });
            Walk::new(&bodies[0].shape, strides)
        });
        let starts = bodies.iter().map(|body| Shared(body.ptr())).collect();
        Job { rule: update.rule, dtype: bodies[0].dtype, starts, walk }
    }

    fn run(&self, range: Range<usize>) {
        match self.dtype {
            DType::F64 => update_f64(self, range),
            DType::F16 => update_f16(self, range),
            DType::BF16 => update_bf16(self, range),
            _ => update_f32(self, range),
        }
    }

    /// Calls `f(offset, length, stride)` for the runs of body `slot` within the `n` elements from `start` on.
    #[inline(always)]
    fn runs(&self, slot: usize, start: usize, n: usize, mut f: impl FnMut(usize, usize, usize)) {
        match &self.walk {
            None => f(start, n, 1),
            Some(walk) => walk.runs(start, n, |offsets, length, along| f(offsets[slot], length, along[slot])),
        }
    }
}

compiled! {
    fn update_f64(job: &Job, range: Range<usize>) = tiles::<D, f64>, tiles::<DFused, f64>;
    fn update_f32(job: &Job, range: Range<usize>) = tiles::<S, f32>, tiles::<SFused, f32>;
    fn update_f16(job: &Job, range: Range<usize>) = tiles::<S, f16>, tiles::<SFused, f16>;
    fn update_bf16(job: &Job, range: Range<usize>) = tiles::<S, bf16>, tiles::<SFused, bf16>;
}

#[inline(always)]
fn tiles<R: Real, T: Element>(job: &Job, range: Range<usize>)
where
    R::Value: Element,
{
    let mut buffers = [[R::Value::default(); TILE]; MOST];
    let used = job.starts.len();
    let mut start = range.start;
    while start < range.end {
        let n = TILE.min(range.end - start);
        for (slot, buffer) in buffers[..used].iter_mut().enumerate() {
            load::<R::Value, T>(job, slot, start, &mut buffer[..n]);
        }
        let tile = buffers.each_mut().map(|buffer| &mut buffer[..n]);
        match &job.rule {
            Rule::Sgd(rule) => sgd::<R, T>(rule, tile),
            Rule::Adam(rule) => adam::<R, T>(rule, tile),
        }
        for (slot, buffer) in buffers[..used].iter().enumerate().filter(|&(slot, _)| slot != GRAD) {
            store::<R::Value, T>(job, slot, start, &buffer[..n]);
        }
        start += n;
    }
}

#[inline(always)]
fn load<V: Element, T: Element>(job: &Job, slot: usize, start: usize, to: &mut [V]) {
    let from = job.starts[slot].get().cast::<T>();
    let mut done = 0;
    job.runs(slot, start, to.len(), |at, length, stride| {
        let to = &mut to[done..done + length];
        // SAFETY: the run lies within the body, whose storage is locked.
        unsafe {
            let from = from.add(at);
            match stride {
                1 => to.iter_mut().enumerate().for_each(|(i, to)| *to = convert::<T, V>(*from.add(i))),
                _ => to.iter_mut().enumerate().for_each(|(i, to)| *to = convert::<T, V>(*from.add(i * stride))),
            }
        }
        done += length;
    });
}

#[inline(always)]
fn store<V: Element, T: Element>(job: &Job, slot: usize, start: usize, values: &[V]) {
    let to = job.starts[slot].get().cast::<T>();
    let mut done = 0;
    job.runs(slot, start, values.len(), |at, length, stride| {
        let values = &values[done..done + length];
        // SAFETY: the run lies within the body, whose elements in this range belong to this task.
        unsafe {
            let to = to.add(at);
            match stride {
                1 => values.iter().enumerate().for_each(|(i, &v)| *to.add(i) = convert::<V, T>(v)),
                _ => values.iter().enumerate().for_each(|(i, &v)| *to.add(i * stride) = convert::<V, T>(v)),
            }
        }
        done += length;
    });
}

/// Parts of the bodies, in the type that is computed in.
type Tile<'a, R> = [&'a mut [<R as Real>::Value]; MOST];

/// `x = f(x)`
#[inline(always)]
fn each<R: Real, T: Element>(x: &mut [R::Value], f: impl Fn(R) -> R)
where
    R::Value: Element,
{
    x.iter_mut().for_each(|x| *x = rounded::<R, T>(f(R::new(*x))));
}

/// `x = f(x, y)`
#[inline(always)]
fn each2<R: Real, T: Element>(x: &mut [R::Value], y: &[R::Value], f: impl Fn(R, R) -> R)
where
    R::Value: Element,
{
    x.iter_mut().zip(y).for_each(|(x, &y)| *x = rounded::<R, T>(f(R::new(*x), R::new(y))));
}

/// `x += alpha * y`. PyTorch rounds `alpha` to the dtype here, unlike the factors elsewhere.
#[inline(always)]
fn add<R: Real, T: Element>(x: &mut [R::Value], y: &[R::Value], alpha: f64)
where
    R::Value: Element,
{
    let alpha = R::new(rounded::<R, T>(R::from_f64(alpha)));
    each2::<R, T>(x, y, |x, y| alpha.mul_add(y, x));
}

#[inline(always)]
fn rounded<R: Real, T: Element>(x: R) -> R::Value
where
    R::Value: Element,
{
    convert::<T, R::Value>(convert::<R::Value, T>(x.value()))
}

#[inline(always)]
fn sgd<R: Real, T: Element>(rule: &SgdRule, [param, grad, buffer, _, _]: Tile<'_, R>)
where
    R::Value: Element,
{
    if rule.maximize {
        each::<R, T>(grad, |g| -g);
    }
    if rule.weight_decay != 0.0 {
        add::<R, T>(grad, param, rule.weight_decay);
    }
    if rule.momentum != 0.0 {
        if rule.first {
            buffer.copy_from_slice(grad);
        } else {
            let momentum = R::from_f64(rule.momentum);
            each::<R, T>(buffer, |m| m * momentum);
            add::<R, T>(buffer, grad, 1.0 - rule.dampening);
        }
        if rule.nesterov {
            add::<R, T>(grad, buffer, rule.momentum);
        } else {
            grad.copy_from_slice(buffer);
        }
    }
    add::<R, T>(param, grad, -rule.lr);
}

#[inline(always)]
fn adam<R: Real, T: Element>(rule: &AdamRule, [param, grad, average, square, largest]: Tile<'_, R>)
where
    R::Value: Element,
{
    if rule.maximize {
        each::<R, T>(grad, |g| -g);
    }
    if rule.weight_decay != 0.0 {
        if rule.decoupled {
            let keep = R::from_f64(1.0 - rule.lr * rule.weight_decay);
            each::<R, T>(param, |p| p * keep);
        } else {
            add::<R, T>(grad, param, rule.weight_decay);
        }
    }
    let (beta1, beta2) = rule.betas;
    lerp::<R, T>(average, grad, 1.0 - beta1);
    let (keep, weight) = (R::from_f64(beta2), R::from_f64(1.0 - beta2));
    each::<R, T>(square, |v| v * keep);
    each2::<R, T>(square, grad, |v, g| (weight * g).mul_add(g, v));

    let (correction1, correction2) = (1.0 - beta1.powf(rule.step), 1.0 - beta2.powf(rule.step));
    let (root, eps) = (R::from_f64(correction2.sqrt()), R::from_f64(rule.eps));
    // From here on the gradient's tile holds the denominator.
    let denominator = grad;
    if rule.amsgrad {
        each2::<R, T>(largest, square, maximum::<R>);
        denominator.copy_from_slice(largest);
    } else {
        denominator.copy_from_slice(square);
    }
    each::<R, T>(denominator, R::sqrt);
    each::<R, T>(denominator, |v| v / root);
    each::<R, T>(denominator, |v| v + eps);
    let step = R::from_f64(-(rule.lr / correction1));
    for ((p, &m), &d) in param.iter_mut().zip(&*average).zip(&*denominator) {
        *p = rounded::<R, T>(R::new(*p) + step * R::new(m) / R::new(d));
    }
}

/// `x = lerp(x, y, weight)`, from the nearer end as PyTorch computes it.
#[inline(always)]
fn lerp<R: Real, T: Element>(x: &mut [R::Value], y: &[R::Value], weight: f64)
where
    R::Value: Element,
{
    let w = R::from_f64(weight);
    if weight.abs() < 0.5 {
        each2::<R, T>(x, y, |x, y| w.mul_add(y - x, x));
    } else {
        each2::<R, T>(x, y, |x, y| (y - x).mul_add(w - R::ONE, y));
    }
}

/// The larger one; NaN where there is one.
#[inline(always)]
fn maximum<R: Real>(x: R, y: R) -> R {
    if x > y || x.is_nan() { x } else { y }
}
