//! Connectionist temporal classification: the ways in which labels may be read off a sequence of log probabilities.
//!
//! Between, before and after its labels a sequence may be blank, which makes `2 n + 1` places for `n` labels: blanks at
//! even ones, labels at odd ones. `alpha[t][s]` is the logarithm of the probability of all ways that are at place `s` at step
//! `t`, `beta[t][s]` that of all ways on from there; both count the step itself. All of it is in double precision.

use super::super::shared::Shared;
use crate::backend::Alignment;
use crate::tensor::Body;
use crate::{DType, Element, pool};

const NEVER: f64 = f64::NEG_INFINITY;

/// One sequence of a batch.
struct Sequence<'a, T> {
    /// All log probabilities, `[steps, batch, classes]`.
    log_probs: &'a [T],
    batch: usize,
    classes: usize,
    /// Which of the batch.
    at: usize,
    blank: usize,
    labels: &'a [usize],
    /// How many steps count.
    steps: usize,
}

impl<T: Element> Sequence<'_, T> {
    /// Where the step's classes begin.
    fn row(&self, step: usize) -> usize {
        (step * self.batch + self.at) * self.classes
    }

    fn log_prob(&self, step: usize, class: usize) -> f64 {
        self.log_probs[self.row(step) + class].to_f64()
    }

    fn places(&self) -> usize {
        2 * self.labels.len() + 1
    }

    fn class(&self, place: usize) -> usize {
        if place.is_multiple_of(2) { self.blank } else { self.labels[place / 2] }
    }

    /// May a way go on from two places below, past the blank between two different labels?
    fn skips_to(&self, place: usize) -> bool {
        place > 1 && self.class(place) != self.class(place - 2)
    }

    /// Fills `alpha`, rows of `width`, and returns the negative logarithm of the probability of the labels.
    fn forward(&self, alpha: &mut [f64], width: usize) -> f64 {
        let places = self.places();
        if self.steps == 0 {
            return if places == 1 { -0.0 } else { f64::INFINITY };
        }
        let (first, mut later) = alpha.split_at_mut(width);
        first.fill(NEVER);
        for (place, alpha) in first.iter_mut().enumerate().take(places.min(2)) {
            *alpha = self.log_prob(0, self.class(place));
        }
        let mut before = first;
        for step in 1..self.steps {
            let (row, rest) = later.split_at_mut(width);
            for place in 0..places {
                let one = if place > 0 { before[place - 1] } else { NEVER };
                let two = if self.skips_to(place) { before[place - 2] } else { NEVER };
                row[place] = log_sum([before[place], one, two]) + self.log_prob(step, self.class(place));
            }
            (before, later) = (row, rest);
        }
        let label = if places > 1 { before[places - 2] } else { NEVER };
        -log_sum([before[places - 1], label])
    }

    /// Gives `write` the gradient of the log probabilities of each step, as if they were logits of a softmax, which is
    /// PyTorch's.
    fn backward(&self, alpha: &[f64], width: usize, loss: f64, mut write: impl FnMut(usize, usize, f64)) {
        let places = self.places();
        let (mut after, mut beta) = (vec![NEVER; places], vec![NEVER; places]);
        let mut through = vec![NEVER; self.classes];
        for step in (0..self.steps).rev() {
            for place in 0..places {
                let class = self.class(place);
                let on = if step + 1 == self.steps {
                    // A way ends with the last label or the blank behind it.
                    if place + 2 >= places { 0.0 } else { NEVER }
                } else {
                    let one = if place + 1 < places { after[place + 1] } else { NEVER };
                    let two = if place + 2 < places && self.skips_to(place + 2) { after[place + 2] } else { NEVER };
                    log_sum([after[place], one, two])
                };
                beta[place] = on + self.log_prob(step, class);
                through[class] = log_sum([through[class], alpha[step * width + place] + beta[place]]);
            }
            for (class, through) in through.iter_mut().enumerate() {
                let log_prob = self.log_prob(step, class);
                write(step, class, log_prob.exp() - (*through + loss - log_prob).exp());
                *through = NEVER;
            }
            std::mem::swap(&mut after, &mut beta);
        }
    }
}

/// The logarithm of the sum of exponentials.
fn log_sum<const N: usize>(terms: [f64; N]) -> f64 {
    let largest = terms.iter().copied().fold(NEVER, f64::max);
    let largest = if largest == NEVER { 0.0 } else { largest };
    terms.iter().map(|term| (term - largest).exp()).sum::<f64>().ln() + largest
}

/// Calls `one` for each sequence, several at a time.
fn each<'a, T: Element>(
    alignment: &'a Alignment,
    log_probs: &'a [T],
    [batch, classes]: [usize; 2],
    one: impl Fn(Sequence<'a, T>) + Sync,
) {
    let steps = alignment.sequences.iter().map(|s| s.steps).max().unwrap_or(0);
    pool::parallel_for(batch, (1 << 8) / steps.max(1) + 1, &|range| {
        for at in range {
            let sequence = &alignment.sequences[at];
            let labels = &alignment.labels[sequence.labels.clone()];
            one(Sequence { log_probs, batch, classes, at, blank: alignment.blank, labels, steps: sequence.steps });
        }
    });
}

/// The elements of a contiguous body.
///
/// # Safety
/// The body is locked, contiguous and of this dtype.
unsafe fn elements<T: Element>(body: &Body) -> &[T] {
    unsafe { std::slice::from_raw_parts(body.ptr().cast(), body.numel()) }
}

/// The elements of a contiguous body, for tasks that write parts of them.
///
/// # Safety
/// As [`elements`], and nothing else uses the body.
unsafe fn places<T: Element>(body: &Body) -> Shared<T> {
    Shared::new(unsafe { std::slice::from_raw_parts_mut(body.ptr().cast(), body.numel()) })
}

/// See [`Backend::ctc_loss`](crate::backend::Backend::ctc_loss).
///
/// # Safety
/// The storages are locked; bodies are contiguous, of the shapes and dtypes asked for there, and outputs overlap nothing.
pub(crate) unsafe fn forward(alignment: &Alignment, log_probs: &Body, alpha: &Body, losses: &Body) {
    match log_probs.dtype {
        DType::F64 => unsafe { forward_of::<f64>(alignment, log_probs, alpha, losses) },
        _ => unsafe { forward_of::<f32>(alignment, log_probs, alpha, losses) },
    }
}

/// # Safety
/// As [`forward`], with log probabilities of type `T`.
unsafe fn forward_of<T: Element>(alignment: &Alignment, log_probs: &Body, alpha: &Body, losses: &Body) {
    let (sizes, width) = ([log_probs.shape[1], log_probs.shape[2]], alpha.shape[2]);
    let room = alpha.shape[1] * width;
    // SAFETY: the caller vouches for the bodies; each sequence has rows and a loss of its own.
    unsafe {
        let (all_alpha, all_losses) = (places::<f64>(alpha), places::<f64>(losses));
        each(alignment, elements::<T>(log_probs), sizes, |sequence| {
            let at = sequence.at;
            let alpha = all_alpha.take(at * room..(at + 1) * room);
            all_losses.take(at..at + 1)[0] = sequence.forward(alpha, width);
        });
    }
}

/// See [`Backend::ctc_loss_grad`](crate::backend::Backend::ctc_loss_grad).
///
/// # Safety
/// As [`forward`].
pub(crate) unsafe fn grad(alignment: &Alignment, grads: &Body, log_probs: &Body, noted: [&Body; 2], out: &Body) {
    match log_probs.dtype {
        DType::F64 => unsafe { grad_of::<f64>(alignment, grads, log_probs, noted, out) },
        _ => unsafe { grad_of::<f32>(alignment, grads, log_probs, noted, out) },
    }
}

/// # Safety
/// As [`grad`], with log probabilities of type `T`.
unsafe fn grad_of<T: Element>(
    alignment: &Alignment,
    grads: &Body,
    log_probs: &Body,
    [alpha, losses]: [&Body; 2],
    out: &Body,
) {
    let (sizes, width) = ([log_probs.shape[1], log_probs.shape[2]], alpha.shape[2]);
    let (steps, room) = (log_probs.shape[0], alpha.shape[1] * width);
    // SAFETY: the caller vouches for the bodies; each sequence has rows of its own in the result.
    unsafe {
        let (grads, alpha, losses) = (elements::<f64>(grads), elements::<f64>(alpha), elements::<f64>(losses));
        let all = places::<T>(out);
        each(alignment, elements::<T>(log_probs), sizes, |sequence| {
            let (at, classes) = (sequence.at, sequence.classes);
            let row = |step: usize| all.take(sequence.row(step)..sequence.row(step) + classes);
            let nothing = alignment.zero_infinity && losses[at] == f64::INFINITY;
            let counted = if nothing { 0 } else { sequence.steps };
            (counted..steps).for_each(|step| row(step).fill(T::from_f64(0.0)));
            if !nothing {
                let write = |step, class, value: f64| row(step)[class] = T::from_f64(value * grads[at]);
                sequence.backward(&alpha[at * room..(at + 1) * room], width, losses[at], write);
            }
        });
    }
}
