//! Large products: both operands packed, in blocks that fit the caches.
//!
//! The operand with fewer rows or columns is *shared*: all threads pack it together, a span of the summed dimension at a
//! time. Then tasks each take a block of the other operand, pack it for themselves in pieces that stay in their second
//! level cache, and run through all panels of the shared one. A large operand is packed once unless there are more
//! threads than blocks; where the shared one is small, each thread has a part of the product to itself. How the sum is
//! cut depends on `k` alone, so results do not depend on the number of threads.

use std::ops::Range;

use super::pack::Pack;
use super::problem::{Problem, View};
use super::small::{self, height};
use super::tile::Tile;
use crate::backend::cpu::float::Float;
use crate::backend::cpu::scratch::Scratch;
use crate::pool::parallel_for;

/// Bytes of the block a task packs for itself for each byte of a vector: less than half of a second level cache, which
/// is larger where vectors are wider.
const OWN_BYTES: usize = 12 << 10;

/// Bytes of the shared operand that are packed at a time: a part of a third level cache.
const SHARED_BYTES: usize = 8 << 20;

/// Bytes of a shared operand that each thread packs for itself: a line that another core has just written takes longer
/// to come than to be packed again.
const APART_BYTES: usize = 2 << 20;

/// Multiplications worth a task of their own.
const TASK_WORK: usize = 200_000;

/// The panels of one operand.
#[derive(Clone, Copy)]
struct Panels<T> {
    /// The first element.
    from: *const T,
    /// Distance between neighbours in a panel.
    across: isize,
    /// Distance along the sum.
    along: isize,
    /// Rows or columns of the operand.
    total: usize,
    /// Rows or columns of a panel.
    unit: usize,
    /// Panels are filled up to a multiple of this.
    multiple: usize,
}

impl<T: Float> Panels<T> {
    fn count(&self) -> usize {
        self.total.div_ceil(self.unit)
    }

    /// The elements of all panels in one step of the sum.
    fn padded(&self) -> usize {
        self.total.next_multiple_of(self.multiple)
    }

    /// Packs panel `index`, from step `start` of the sum on.
    unsafe fn pack(&self, p: &Problem<T>, index: usize, start: usize, depth: usize, to: *mut T) {
        let first = index * self.unit;
        let width = (self.total - first).min(self.unit);
        let from = self.from.wrapping_offset(first as isize * self.across + start as isize * self.along);
        let padded = width.next_multiple_of(self.multiple);
        let (across, along) = (self.across, self.along);
        // SAFETY: the panel lies in the operand, and the caller has room for it.
        unsafe { (p.kernels.pack)(&Pack { from, across, along, width, padded, depth, to }) }
    }
}

/// How a product is cut.
struct Plan<T> {
    shared: Panels<T>,
    own: Panels<T>,
    /// Whether the shared operand is the left one.
    shares_left: bool,
    /// Steps of the sum in a block.
    depth: usize,
    /// Steps of the sum that are packed at a time: a multiple of `depth`.
    span: usize,
    /// Threads that the product is worth.
    threads: usize,
    /// Tasks along the own and along the shared operand.
    tasks: [usize; 2],
}

impl<T: Float> Plan<T> {
    fn new(p: &Problem<T>) -> Self {
        let rows = height(p.m, p.kernels.rows());
        let View { ptr, row, column } = p.a;
        let left = Panels { from: ptr, across: row, along: column, total: p.m, unit: rows, multiple: 1 };
        let (unit, multiple) = (p.kernels.columns(), p.kernels.lanes);
        let View { ptr, row, column } = p.b;
        let right = Panels { from: ptr, across: column, along: row, total: p.n, unit, multiple };
        let shares_left = p.m <= p.n;
        let (shared, own) = if shares_left { (left, right) } else { (right, left) };
        let depth = p.depth();
        let spans = SHARED_BYTES / size_of::<T>() / shared.padded() / depth;
        let threads = p.threads.min(p.work() / TASK_WORK).max(1);
        let tasks = Self::tasks(threads, &shared, &own, depth, multiple);
        Plan { shared, own, shares_left, depth, span: spans.max(1) * depth, threads, tasks }
    }

    /// Blocks of the own operand that fit the cache, a multiple of the threads; where those are too few, the shared
    /// operand is cut as well.
    fn tasks(threads: usize, shared: &Panels<T>, own: &Panels<T>, depth: usize, lanes: usize) -> [usize; 2] {
        let fit = (OWN_BYTES * lanes / depth / own.unit).max(1);
        let blocks = own.count().div_ceil(fit).next_multiple_of(threads).min(own.count());
        [blocks, threads.div_ceil(blocks).min(shared.count())]
    }
}

/// Computes the product.
///
/// # Safety
/// As for [`Problem::run`]; the columns of `c` are contiguous.
pub(super) unsafe fn multiply<T: Float>(p: &Problem<T>) {
    let plan = Plan::new(p);
    if plan.shared.padded() * p.k * size_of::<T>() > APART_BYTES {
        // SAFETY: the caller's promise.
        return unsafe { multiply_together(p, plan) };
    }
    let Panels { total, unit, .. } = plan.own;
    let (panels, shares_left) = (plan.own.count(), plan.shares_left);
    let parts = plan.threads.min(panels);
    parallel_for(parts, 1, &|range| {
        for index in range {
            let panels = part(panels, parts, index);
            let part = panels.start * unit..(panels.end * unit).min(total);
            let part = if shares_left { p.columns(part) } else { p.rows(part) };
            let part = Problem { threads: 1, ..part };
            // SAFETY: the caller's promise; the parts of `c` are disjoint.
            unsafe { if part.is_narrow() { small::direct(&part) } else { multiply_together(&part, Plan::new(&part)) } }
        }
    });
}

/// Computes the product with an operand that all threads pack together.
unsafe fn multiply_together<T: Float>(p: &Problem<T>, plan: Plan<T>) {
    let shared = Scratch::new(plan.shared.padded() * plan.span.min(p.k));
    let tasks = plan.tasks[0] * plan.tasks[1];
    let mut start = 0;
    loop {
        let end = (start + plan.span).min(p.k);
        let span = Span { p, plan: &plan, shared: shared.as_ptr(), start, end };
        let panels = plan.shared.count() * span.blocks();
        let alone = tasks == 1;
        let grain = (TASK_WORK / 16 / plan.shared.unit / plan.depth).max(1);
        parallel_for(panels, if alone { panels } else { grain }, &|range| {
            for index in range {
                // SAFETY: each panel has its own place in the scratch.
                unsafe { span.pack_shared(index) }
            }
        });
        parallel_for(tasks, 1, &|range| {
            for index in range {
                // SAFETY: the shared operand is packed, and each task has its own tiles of `c`.
                unsafe { span.task(index) }
            }
        });
        start = end;
        if start >= p.k {
            break;
        }
    }
}

/// A span of the sum, whose shared operand is packed at a time.
struct Span<'a, T: Float> {
    p: &'a Problem<T>,
    plan: &'a Plan<T>,
    /// The packed blocks one after another, each with all panels one after another.
    shared: *mut T,
    start: usize,
    end: usize,
}

// SAFETY: tasks write disjoint panels of `shared`, and disjoint tiles of the problem's `c`.
unsafe impl<T: Float> Sync for Span<'_, T> {}

impl<T: Float> Span<'_, T> {
    /// Blocks in the span; one even if the sum is empty, for the bias and the scaling of `c`.
    fn blocks(&self) -> usize {
        (self.end - self.start).div_ceil(self.plan.depth).max(1)
    }

    /// Where a block of the sum starts, and its length.
    fn block(&self, index: usize) -> (usize, usize) {
        let start = self.start + index * self.plan.depth;
        (start, (self.end - start).min(self.plan.depth))
    }

    /// The place of a packed panel of the shared operand.
    fn shared_panel(&self, block: usize, panel: usize) -> *mut T {
        let (start, depth) = self.block(block);
        let before = (start - self.start) * self.plan.shared.padded() + panel * self.plan.shared.unit * depth;
        self.shared.wrapping_add(before)
    }

    unsafe fn pack_shared(&self, index: usize) {
        let (block, panel) = (index / self.plan.shared.count(), index % self.plan.shared.count());
        let (start, depth) = self.block(block);
        // SAFETY: the scratch holds every panel of the span.
        unsafe { self.plan.shared.pack(self.p, panel, start, depth, self.shared_panel(block, panel)) }
    }

    /// A block of the own operand times a block of the shared one.
    unsafe fn task(&self, index: usize) {
        let [blocks, groups] = self.plan.tasks;
        let (block, group) = (index % blocks, index / blocks);
        let own = part(self.plan.own.count(), blocks, block);
        let shared = part(self.plan.shared.count(), groups, group);
        let unit = self.plan.own.unit;
        let packed: Scratch<T> =
            Scratch::new(own.len() * unit.next_multiple_of(self.plan.own.multiple) * self.plan.depth);
        for block in 0..self.blocks() {
            let (start, depth) = self.block(block);
            let place = |panel: usize| packed.as_ptr().wrapping_add((panel - own.start) * unit * depth);
            // SAFETY: the scratch holds the panels of the block; tiles of different pairs of panels are disjoint.
            unsafe {
                for panel in own.clone() {
                    self.plan.own.pack(self.p, panel, start, depth, place(panel));
                }
                for there in shared.clone() {
                    for here in own.clone() {
                        self.tile(start, depth, (there, self.shared_panel(block, there)), (here, place(here)));
                    }
                }
            }
        }
    }

    /// One panel times another: index and packed elements of each.
    unsafe fn tile(&self, start: usize, depth: usize, shared: (usize, *mut T), own: (usize, *mut T)) {
        let (p, plan) = (self.p, self.plan);
        let ((left, a), (right, b)) = if plan.shares_left { (shared, own) } else { (own, shared) };
        let (rows, columns) =
            if plan.shares_left { (plan.shared.unit, plan.own.unit) } else { (plan.own.unit, plan.shared.unit) };
        let (i, j) = (left * rows, right * columns);
        let (height, width) = ((p.m - i).min(rows), (p.n - j).min(columns));
        let vectors = width.div_ceil(p.kernels.lanes);
        let stage = p.finish.stage(start == 0, start + depth == p.k);
        // SAFETY: both panels are packed for these many rows and columns, which lie inside `c`.
        unsafe {
            p.kernels.packed[height - 1][vectors - 1](&Tile {
                depth,
                lines: (1, 0),
                a,
                a_strides: [0, 0],
                b,
                b_stride: (vectors * p.kernels.lanes) as isize,
                offsets: std::ptr::null(),
                c: p.c.offset(i as isize * p.c_strides[0]).add(j),
                c_stride: p.c_strides[0],
                last: width - (vectors - 1) * p.kernels.lanes,
                finish: stage.at(i, j),
            });
        }
    }
}

/// Cuts `0..total` into `parts` that differ by one at most.
fn part(total: usize, parts: usize, index: usize) -> Range<usize> {
    index * total / parts..(index + 1) * total / parts
}
