//! The forward pass: each task has some queries of one head.

use super::rows::{Rows, State};
use super::{Job, KEYS, QUERIES, Stack, each, product};
use crate::backend::Attention;
use crate::backend::cpu::dense::by_type;
use crate::backend::cpu::scratch::Scratch;
use crate::backend::cpu::shared::Shared;
use crate::tensor::Body;

/// The means of the values into `out`, whose columns are neighbours, and the logarithms of the totals into `totals`.
///
/// # Safety
/// Bodies are locked, of one dtype and of the shapes that [`crate::backend::Backend::attention`] names.
pub(crate) unsafe fn forward(attention: &Attention, inputs: [&Body; 3], out: &Body, totals: &Body) {
    by_type!(out, T => run(&Job::<T>::new(attention, inputs), &Stack::new(out), Shared(totals.ptr().cast())))
}

unsafe fn run<T: Rows>(job: &Job<T>, out: &Stack<T>, totals: Shared<T>) {
    let blocks = job.blocks();
    each(job.heads * blocks, &|index| {
        // SAFETY: each task has rows of its own.
        unsafe { block(job, index / blocks, index % blocks, out, totals) }
    });
}

/// Some queries of a head, one tile of keys after another.
unsafe fn block<T: Rows>(job: &Job<T>, head: usize, index: usize, out: &Stack<T>, totals: Shared<T>) {
    let queries = job.block(index);
    let scores = Scratch::<T>::new(QUERIES * KEYS);
    let (to, stride) = (out.at(head, queries.start), out.row());
    let mut state = State::new(to, stride, job.widths[1]);
    for start in (0..job.seen(queries.end)).step_by(KEYS) {
        let keys = start..(start + KEYS).min(job.seen(queries.end));
        let values = job.value.view(head, start);
        let sizes = [queries.len(), job.widths[1], keys.len()];
        // SAFETY: the tile and its rows lie in the bodies; the scratch holds the scores.
        unsafe {
            job.scores(head, &queries, &keys, scores.as_ptr());
            let tile = job.tile(head, &queries, &keys, scores.as_ptr());
            T::weigh(&tile, &mut state);
            product(sizes, tile.view(), values, (to, stride), (T::ONE, start > 0));
        }
    }
    // SAFETY: each query has a total of its own.
    let totals = unsafe { totals.take(head * job.queries + queries.start..head * job.queries + queries.end) };
    T::finish(&mut state, totals);
}
