//! Cross entropy and negative log likelihood of class scores `[n, c, l]` with a class for each of `[n, l]`.

use super::super::along::{Along, Columns, Place, largest_of, sum_of_exp};
use super::super::number::{D, DFused, Number, Port, S, SFused, TILE, compiled, tile};
use super::super::scratch::Scratch;
use crate::backend::ClassLoss;
use crate::tensor::Body;
use crate::{DType, Error, Result};
use std::ops::Range;

struct Forward<'a> {
    loss: &'a ClassLoss,
    targets: &'a [i64],
    /// The weight of each class.
    weights: &'a [f64],
    along: Along<1>,
    losses: Port,
    row_weights: Port,
    /// The largest score of each row, then the logarithm of the sum of the exponentials of what is less than it.
    sums: Port,
}

struct Backward<'a> {
    loss: &'a ClassLoss,
    targets: &'a [i64],
    along: Along<2>,
    factors: &'a [f64],
    sums: &'a [f64],
}

/// A contiguous body's numbers.
///
/// # Safety
/// The body is locked.
unsafe fn numbers(body: &Body) -> Vec<f64> {
    let mut list = vec![0.0; body.numel()];
    // SAFETY: a lane is its number.
    unsafe { D::gather(Port::new(body), 0, 1, list.len(), list.as_mut_ptr().cast()) };
    list
}

/// The classes, each of them known to be one or to be ignored.
///
/// # Safety
/// `target` is contiguous int64 and locked.
unsafe fn checked<'a>(loss: &ClassLoss, target: &'a Body, classes: usize) -> Result<&'a [i64]> {
    let list = unsafe { std::slice::from_raw_parts(target.ptr().cast::<i64>(), target.numel()) };
    match list.iter().find(|&&t| t != loss.ignore_index && !(0..classes as i64).contains(&t)) {
        Some(t) => Err(Error::index("nll_loss", format!("Target {t} is out of bounds."))
            .expected(format!("0 <= target < {classes}, or ignore_index, which is {}", loss.ignore_index))),
        None => Ok(list),
    }
}

/// See [`Backend::class_loss`](crate::backend::Backend::class_loss).
///
/// # Safety
/// The storages are locked; bodies are contiguous and outputs overlap nothing.
pub(crate) unsafe fn forward(loss: &ClassLoss, x: &Body, target: &Body, out: [&Body; 3]) -> Result<()> {
    let classes = x.shape[1];
    // SAFETY: the caller vouches for the bodies.
    let targets = unsafe { checked(loss, target, classes)? };
    let weights = match &loss.weight {
        Some(weight) => unsafe { numbers(weight) },
        None => vec![1.0; classes],
    };
    let job = Forward {
        loss,
        targets,
        weights: &weights,
        along: Along::new([x], 1),
        losses: Port::new(out[0]),
        row_weights: Port::new(out[1]),
        sums: Port::new(out[2]),
    };
    if x.numel() > 0 {
        job.along.parallel(&|range| match x.dtype {
            DType::F64 => forward_f64(&job, range),
            _ => forward_f32(&job, range),
        });
    }
    Ok(())
}

/// See [`Backend::class_loss_grad`](crate::backend::Backend::class_loss_grad).
///
/// # Safety
/// As [`forward`].
pub(crate) unsafe fn grad(
    loss: &ClassLoss,
    factors: &Body,
    x: &Body,
    target: &Body,
    sums: &Body,
    out: &Body,
) -> Result<()> {
    // SAFETY: the caller vouches for the bodies.
    let targets = unsafe { checked(loss, target, x.shape[1])? };
    let (factors, sums) = unsafe { (numbers(factors), numbers(sums)) };
    let job = Backward { loss, targets, along: Along::new([x, out], 1), factors: &factors, sums: &sums };
    if x.numel() > 0 {
        job.along.parallel(&|range| match x.dtype {
            DType::F64 => grad_f64(&job, range),
            _ => grad_f32(&job, range),
        });
    }
    Ok(())
}

compiled! {
    fn forward_f32(job: &Forward, range: Range<usize>) = forward_rows::<S>, forward_rows::<SFused>;
    fn forward_f64(job: &Forward, range: Range<usize>) = forward_rows::<D>, forward_rows::<DFused>;
    fn grad_f32(job: &Backward, range: Range<usize>) = grad_rows::<S>, grad_rows::<SFused>;
    fn grad_f64(job: &Backward, range: Range<usize>) = grad_rows::<D>, grad_rows::<DFused>;
}

/// The row of `[n, l]` whose first class score lies at element `at` of `[n, c, l]`.
#[inline(always)]
fn row_at(at: usize, classes: usize, l: usize) -> usize {
    at / (classes * l) * l + at % (classes * l)
}

impl Forward<'_> {
    /// Notes the loss of a row. `score` is that of its class less the largest one, `sum` that of the exponentials.
    #[inline(always)]
    fn note<A: Number>(&self, row: usize, largest: A, sum: f64, score: impl FnOnce(usize) -> A) {
        let class = self.targets[row];
        let weight = if class == self.loss.ignore_index { 0.0 } else { self.weights[class as usize] };
        let (log_sum, base) = match self.loss.logits {
            true => (sum.ln(), largest),
            false => (0.0, A::ZERO),
        };
        let loss = match class == self.loss.ignore_index {
            true => 0.0,
            false => weight * (log_sum + base.to_f64() - score(class as usize).to_f64()),
        };
        // SAFETY: the outputs are contiguous with one element a row, and this one belongs to this task.
        unsafe {
            self.losses.store(row, 1, &[A::from_f64(loss)]);
            self.row_weights.store(row, 1, &[A::from_f64(weight)]);
            self.sums.store(row, 1, &[base]);
            self.sums.store(row + self.targets.len(), 1, &[A::from_f64(log_sum)]);
        }
    }
}

#[inline(always)]
fn forward_rows<A: Number>(job: &Forward, range: Range<usize>) {
    let (classes, l) = (job.along.size, job.along.strides[0]);
    let rooms: [Scratch<A>; 2] = std::array::from_fn(|_| Scratch::new(classes));
    for place in job.along.places(range) {
        match place {
            Place::Row([at]) => {
                // SAFETY: the row lies within the input; there is room for as many numbers.
                let x = unsafe { job.along.row(0, at, &rooms[0]) };
                let out = unsafe { std::slice::from_raw_parts_mut(rooms[1].as_ptr(), classes) };
                let (mut largest, mut sum) = (A::ZERO, 0.0);
                if job.loss.logits {
                    largest = largest_of(x);
                    sum = sum_of_exp(x, largest, out);
                }
                job.note(row_at(at, classes, l), largest, sum, |class| x[class]);
            }
            Place::Columns([x]) => forward_columns::<A>(job, x),
        }
    }
}

#[inline(always)]
fn forward_columns<A: Number>(job: &Forward, x: Columns) {
    let (classes, l) = (job.along.size, job.along.strides[0]);
    let mut buffer = tile::<A>();
    let (mut largest, mut sums) = ([A::LOWEST; TILE], [A::ZERO; TILE]);
    if job.loss.logits {
        // SAFETY (here and below): the rows lie within the input.
        for k in 0..classes {
            for (m, &v) in largest.iter_mut().zip(unsafe { x.load(k, &mut buffer) }) {
                *m = m.max(v);
            }
        }
        for k in 0..classes {
            let values = unsafe { x.load::<A>(k, &mut buffer) };
            for ((sum, &m), &v) in sums.iter_mut().zip(&largest).zip(values) {
                *sum = sum.add(v.sub(m).exp());
            }
        }
    }
    for i in 0..x.n {
        let score = |class: usize| {
            let mut one = tile::<A>();
            unsafe { x.port.load::<A>(x.at + class * x.down + i * x.step, 1, 1, &mut one)[0] }
        };
        job.note(row_at(x.at + i * x.step, classes, l), largest[i], sums[i].to_f64(), score);
    }
}

#[inline(always)]
fn grad_rows<A: Number>(job: &Backward, range: Range<usize>) {
    let (classes, l) = (job.along.size, job.along.strides[0]);
    let rooms: [Scratch<A>; 2] = std::array::from_fn(|_| Scratch::new(classes));
    for place in job.along.places(range) {
        match place {
            // SAFETY: rows lie within the bodies; those of the result belong to this task.
            Place::Row([at, to]) => unsafe {
                let (x, out) = (job.along.row(0, at, &rooms[0]), job.along.row_mut(to, &rooms[1]));
                grad_row(job, row_at(at, classes, l), x, out);
                job.along.finish_row(to, out);
            },
            Place::Columns([x, out]) => grad_columns::<A>(job, x, out),
        }
    }
}

#[inline(always)]
fn grad_row<A: Number>(job: &Backward, row: usize, x: &[A], out: &mut [A]) {
    let factor = A::from_f64(job.factors[row]);
    let [largest, sum] = [0, job.targets.len()].map(|at| A::from_f64(job.sums[row + at]));
    // Rows that do not count get zeros, whatever is in them.
    let counts = job.targets[row] != job.loss.ignore_index;
    if job.loss.logits && counts {
        for (out, &v) in out.iter_mut().zip(x) {
            *out = v.sub(largest).sub(sum).exp().mul(factor);
        }
    } else {
        out.fill(A::ZERO);
    }
    if counts {
        let place = &mut out[job.targets[row] as usize];
        *place = place.sub(factor);
    }
}

#[inline(always)]
fn grad_columns<A: Number>(job: &Backward, x: Columns, out: Columns) {
    let (classes, l) = (job.along.size, job.along.strides[0]);
    let mut buffer = tile::<A>();
    let (mut factors, mut classes_of) = ([A::ZERO; TILE], [i64::MIN; TILE]);
    let (mut largest, mut sums) = ([A::ZERO; TILE], [A::ZERO; TILE]);
    for i in 0..x.n {
        let row = row_at(x.at + i * x.step, classes, l);
        factors[i] = A::from_f64(job.factors[row]);
        largest[i] = A::from_f64(job.sums[row]);
        sums[i] = A::from_f64(job.sums[row + job.targets.len()]);
        classes_of[i] = if job.targets[row] == job.loss.ignore_index { i64::MIN } else { job.targets[row] };
    }
    let mut result = [A::ZERO; TILE];
    for k in 0..classes {
        if job.loss.logits {
            // SAFETY: the rows lie within the input.
            let values = unsafe { x.load::<A>(k, &mut buffer) };
            let rows = values.iter().zip(&largest).zip(&sums).zip(&factors).zip(&classes_of);
            for (out, ((((&v, &m), &sum), &factor), &class)) in result.iter_mut().zip(rows) {
                let share = v.sub(m).sub(sum).exp().mul(factor);
                *out = if class == i64::MIN { A::ZERO } else { share };
            }
        } else {
            result.fill(A::ZERO);
        }
        for ((out, &class), &factor) in result[..x.n].iter_mut().zip(&classes_of).zip(&factors) {
            *out = if class == k as i64 { out.sub(factor) } else { *out };
        }
        // SAFETY: the rows lie within the result and belong to this task.
        unsafe { out.store(k, &result) };
    }
}
