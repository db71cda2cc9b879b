//! Updates of parameters: each is walked once, and all of them in one parallel pass.
//!
//! A tile of the parameter, the gradient and the buffers is loaded, goes through PyTorch's operations one after the
//! other, each rounded to the dtype as PyTorch's is, and is stored.
//!
//! | file | what it holds |
//! |---|---|
//! | `tile` | the operations on tiles, rounded as PyTorch's |
//! | `gradient` | SGD, ASGD, Rprop |
//! | `adaptive` | RMSprop, Adagrad, Adadelta |
//! | `adam` | Adam, Adamax, NAdam, RAdam |

mod adam;
mod adaptive;
mod gradient;
mod tile;

use super::layout::{Shared, Walk, convert};
use super::math::Real;
use super::number::{D, DFused, S, SFused, compiled};
use super::tiles::TILE;
use crate::backend::{GRAD, Rule, Update};
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
    /// `None` when every body is contiguous, or all lie alike without gaps.
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
        let lie_alike = || bodies.iter().all(|body| body.strides == bodies[0].strides) && bodies[0].is_dense();
        let walk = (!bodies.iter().all(Body::is_contiguous) && !lie_alike()).then(|| {
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
            Some(walk) => {
                for (offsets, length, along) in walk.runs(start, n) {
                    f(offsets[slot], length, along[slot]);
                }
            }
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
            Rule::Sgd(rule) => gradient::sgd::<R, T>(rule, tile),
            Rule::Asgd(rule) => gradient::asgd::<R, T>(rule, tile),
            Rule::Rprop(rule) => gradient::rprop::<R, T>(rule, tile),
            Rule::RmsProp(rule) => adaptive::rmsprop::<R, T>(rule, tile),
            Rule::Adagrad(rule) => adaptive::adagrad::<R, T>(rule, tile),
            Rule::Adadelta(rule) => adaptive::adadelta::<R, T>(rule, tile),
            Rule::Adam(rule) => adam::adam::<R, T>(rule, tile),
            Rule::Adamax(rule) => adam::adamax::<R, T>(rule, tile),
            Rule::NAdam(rule) => adam::nadam::<R, T>(rule, tile),
            Rule::RAdam(rule) => adam::radam::<R, T>(rule, tile),
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
