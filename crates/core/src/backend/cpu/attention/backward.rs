//! The backward pass: each task has one head, whose weights it computes anew, tile by tile.

use super::rows::Rows;
use super::{Job, KEYS, QUERIES, Stack, each, product};
use crate::backend::Attention;
use crate::backend::cpu::dense::by_type;
use crate::backend::cpu::scratch::Scratch;
use crate::backend::cpu::shared::Shared;
use crate::tensor::Body;
use std::ops::Range;

/// The gradients of queries, keys and values into `out`, from that of the result, the result and the totals.
///
/// # Safety
/// As [`super::forward`]; the columns of `grad` and of every result are neighbours.
pub(crate) unsafe fn backward(
    attention: &Attention,
    grad: &Body,
    inputs: [&Body; 3],
    [result, totals]: [&Body; 2],
    out: [&Body; 3],
) {
    by_type!(result, T => Backward::<T> {
        job: Job::new(attention, inputs),
        grad: Stack::new(grad),
        result: Stack::new(result),
        totals: Shared(totals.ptr().cast()),
        out: out.map(Stack::new),
    }.run())
}

struct Backward<T> {
    job: Job<T>,
    grad: Stack<T>,
    result: Stack<T>,
    totals: Shared<T>,
    /// The gradients of queries, keys and values.
    out: [Stack<T>; 3],
}

/// The working memory of a task: two tiles, and a number for each query.
struct Room<T> {
    weights: *mut T,
    slopes: *mut T,
    /// What the gradients of each query's scores have in common, where no tile has all keys: `sum(grad * result)`.
    common: Shared<T>,
}

impl<T: Rows> Backward<T> {
    unsafe fn run(&self) {
        each(self.job.heads, &|head| {
            let scratch = Scratch::<T>::new(2 * QUERIES * KEYS + self.job.queries);
            let weights = scratch.as_ptr();
            let (slopes, common) = (weights.wrapping_add(QUERIES * KEYS), weights.wrapping_add(2 * QUERIES * KEYS));
            let room = Room { weights, slopes, common: Shared(common) };
            // SAFETY: each task has a head of its own.
            unsafe { self.head(head, &room) }
        });
    }

    /// Has every tile all keys?
    fn is_whole(&self) -> bool {
        self.job.keys <= KEYS
    }

    unsafe fn head(&self, head: usize, room: &Room<T>) {
        let job = &self.job;
        for query in if self.is_whole() { 0..0 } else { 0..job.queries } {
            let rows = [&self.grad, &self.result].map(|stack| stack.at(head, query).cast_const());
            // SAFETY: the rows lie in the bodies, and the scratch has room for a number for each.
            unsafe { *room.common.at(query) = T::dot(rows, job.widths[1]) }
        }
        for start in (0..job.keys).step_by(KEYS) {
            let end = (start + KEYS).min(job.keys);
            // The last queries see the most keys: their gradients are written, those of the others are added to them.
            let mut seen = start;
            for block in (0..job.blocks()).rev() {
                let queries = job.block(block);
                let keys = start..end.min(job.seen(queries.end));
                if keys.start >= keys.end {
                    break;
                }
                // SAFETY: as above.
                unsafe { self.tile(head, queries, keys.clone(), seen > start, room) }
                seen = seen.max(keys.end);
            }
            for (out, width) in self.out[1..].iter().zip(job.widths) {
                for key in seen..end {
                    // SAFETY: the row lies in the gradient, and belongs to this task.
                    unsafe { std::slice::from_raw_parts_mut(out.at(head, key), width) }.fill(T::ZERO);
                }
            }
        }
    }

    /// One tile; `adds` to the gradients of keys and values, or writes them.
    unsafe fn tile(&self, head: usize, queries: Range<usize>, keys: Range<usize>, adds: bool, room: &Room<T>) {
        let job = &self.job;
        let [width, value_width] = job.widths;
        let (rows, columns) = (queries.len(), keys.len());
        let (query, key) = (job.query.view(head, queries.start), job.key.view(head, keys.start));
        let (grad, value) = (self.grad.view(head, queries.start), job.value.view(head, keys.start));
        let to = |i: usize, row: usize| (self.out[i].at(head, row), self.out[i].row());
        let first = head * job.queries + queries.start;
        // SAFETY: rows and columns lie in the bodies, those of the results belong to this task, and the scratch holds
        // both tiles.
        unsafe {
            job.scores(head, &queries, &keys, room.weights);
            product(
                [rows, columns, value_width],
                grad,
                value.transposed(),
                (room.slopes, KEYS as isize),
                (T::ONE, false),
            );
            let tile = job.tile(head, &queries, &keys, room.weights);
            let common = if self.is_whole() { None } else { Some(&*room.common.take(queries.clone())) };
            T::slopes(&tile, room.slopes, self.totals.take(first..first + rows), common);
            let weights = tile.view();
            let slopes = super::View { ptr: room.slopes.cast_const(), ..weights };
            product([columns, value_width, rows], weights.transposed(), grad, to(2, keys.start), (T::ONE, adds));
            product([columns, width, rows], slopes.transposed(), query, to(1, keys.start), (job.scale, adds));
            product([rows, width, columns], slopes, key, to(0, queries.start), (job.scale, keys.start > 0));
        }
    }
}
