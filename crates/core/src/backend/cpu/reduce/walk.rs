//! How the elements of a reduction are walked.

use super::super::number::{Number, TILE, tile};
use super::Job;
use super::op::Op;
use std::mem::MaybeUninit;
use std::ops::Range;

/// Cells that are filled at once: several vectors, so that their additions overlap.
const LANES: usize = 32;
/// Elements that go into cells between two additions to the total.
pub(super) const CHUNK: usize = 1024;
/// Outputs of one tile of columns.
pub(super) const WIDTH: usize = TILE;
/// Rows that go into the cells of columns between two additions to the totals.
const ROWS: usize = 32;
/// Rows that are read side by side: `ROWS` is a multiple.
const TOGETHER: usize = 8;

/// The items of `range`; with `done` set, the outputs of `range` from the totals of their parts.
#[inline(always)]
pub(super) fn items<A: Number, O: Op<A>>(job: &Job, range: Range<usize>, done: bool, op: O) {
    let mut results = Results { job, op, buffer: tile::<A>(), first: range.start, count: 0 };
    if done {
        for output in range {
            let totals = (0..job.parts).map(|part| read(job, part * job.outputs + output));
            results.push(totals.fold(op.start().1, |a, b| op.merge(a, b)));
        }
        return results.flush();
    }
    let mut start = range.start;
    while start < range.end {
        let (part, output) = (start / job.outputs, start % job.outputs);
        let count = (range.end - start).min(job.outputs - output);
        let elements = part * job.part..((part + 1) * job.part).min(job.each);
        for ([at], length, [step]) in job.kept.runs(output, count) {
            if job.columns {
                for base in (0..length).step_by(WIDTH) {
                    let outputs = WIDTH.min(length - base);
                    columns(&mut results, &elements, at + base * step, step, outputs);
                }
            } else {
                for i in 0..length {
                    row(&mut results, &elements, at + i * step);
                }
            }
        }
        start += count;
    }
    results.flush();
}

/// The total at an index of `job.totals`.
#[inline(always)]
fn read<T: Copy>(job: &Job, index: usize) -> T {
    const { assert!(size_of::<T>() <= size_of::<u64>()) };
    // SAFETY: there is a total for each part and output, written by the item of this index.
    unsafe { job.totals.get().add(index).cast::<T>().read() }
}

/// Results on their way out: totals of parts, or finished outputs by the tile.
struct Results<'a, 'b, A, O> {
    job: &'a Job<'b>,
    op: O,
    buffer: [MaybeUninit<A>; TILE],
    /// Item of the first buffered result.
    first: usize,
    count: usize,
}

impl<A: Number, O: Op<A>> Results<'_, '_, A, O> {
    /// A number that belongs to the next output but `ahead`.
    #[inline(always)]
    fn shift(&self, ahead: usize) -> A {
        match self.job.shifts {
            Some(shifts) => A::from_f64(shifts[(self.first + self.count + ahead) % self.job.outputs]),
            None => A::ZERO,
        }
    }

    #[inline(always)]
    fn push(&mut self, total: O::Total) {
        let shift = self.shift(0);
        self.buffer[self.count].write(self.op.finish(total, shift));
        self.count += 1;
        if self.count == TILE {
            self.flush();
        }
    }

    /// The total of the next item.
    #[inline(always)]
    fn put(&mut self, total: O::Total) {
        if self.job.parts == 1 {
            return self.push(total);
        }
        // SAFETY: each item has a place of its own; a total is at most as large.
        unsafe { self.job.totals.get().add(self.first).cast::<O::Total>().write(total) };
        self.first += 1;
    }

    #[inline(always)]
    fn flush(&mut self) {
        // SAFETY: `count` results were written; the output is contiguous, and these elements belong to this task.
        unsafe {
            let values = std::slice::from_raw_parts(self.buffer.as_ptr().cast::<A>(), self.count);
            self.job.out.store(self.first, 1, values);
        }
        self.first += self.count;
        self.count = 0;
    }
}

/// One output from its `elements`, the first of which lies at `from`.
#[inline(always)]
fn row<A: Number, O: Op<A>>(results: &mut Results<A, O>, elements: &Range<usize>, from: usize) {
    let (job, op, shift) = (results.job, results.op, results.shift(0));
    let mut total = op.start().1;
    let mut buffer = tile::<A>();
    for ([at], length, [stride]) in job.reduced.runs(elements.start, elements.len()) {
        let most = if stride == 1 && job.from.direct::<A>(0).is_some() { CHUNK } else { TILE };
        for chunk in (0..length).step_by(most) {
            let n = most.min(length - chunk);
            // SAFETY: the walks stay within the input.
            let values = unsafe { job.from.load::<A>(from + at + chunk * stride, stride, n, &mut buffer) };
            total = op.add(total, cell(op, values, shift));
        }
    }
    results.put(total);
}

/// Values that lie in a row, in one cell.
#[inline(always)]
fn cell<A: Number, O: Op<A>>(op: O, values: &[A], shift: A) -> A {
    let start = op.start().0;
    if values.len() < LANES {
        return values.iter().fold(start, |cell, &v| op.take(cell, v, shift));
    }
    let mut lanes = [start; LANES];
    let (whole, rest) = values.as_chunks::<LANES>();
    for values in whole {
        for (lane, &v) in lanes.iter_mut().zip(values) {
            *lane = op.take(*lane, v, shift);
        }
    }
    for (lane, &v) in lanes.iter_mut().zip(rest) {
        *lane = op.take(*lane, v, shift);
    }
    let mut half = LANES / 2;
    while half > 0 {
        for i in 0..half {
            lanes[i] = op.join(lanes[i], lanes[i + half]);
        }
        half /= 2;
    }
    lanes[0]
}

/// Some rows into the cells of columns, which stay in registers meanwhile.
#[inline(always)]
fn take_rows<A: Number, O: Op<A>, const K: usize>(op: O, cells: &mut [A], shifts: &[A], rows: [&[A]; K]) {
    let whole = cells.len() / LANES * LANES;
    for base in (0..whole).step_by(LANES) {
        let lanes = base..base + LANES;
        let (cells, shifts) = (&mut cells[lanes.clone()], &shifts[lanes.clone()]);
        let mut held = [A::ZERO; LANES];
        held.copy_from_slice(cells);
        for row in rows {
            for ((cell, &v), &shift) in held.iter_mut().zip(&row[lanes.clone()]).zip(shifts) {
                *cell = op.take(*cell, v, shift);
            }
        }
        cells.copy_from_slice(&held);
    }
    for row in rows {
        for ((cell, &v), &shift) in cells[whole..].iter_mut().zip(&row[whole..]).zip(&shifts[whole..]) {
            *cell = op.take(*cell, v, shift);
        }
    }
}

/// `outputs` outputs, `step` apart from `from` on: their elements are taken row by row.
#[inline(always)]
fn columns<A: Number, O: Op<A>>(
    results: &mut Results<A, O>,
    elements: &Range<usize>,
    from: usize,
    step: usize,
    outputs: usize,
) {
    let (job, op) = (results.job, results.op);
    let (start, none) = op.start();
    let (mut cells, mut totals) = ([start; WIDTH], [none; WIDTH]);
    let mut shifts = [A::ZERO; WIDTH];
    if job.shifts.is_some() {
        shifts[..outputs].iter_mut().enumerate().for_each(|(i, s)| *s = results.shift(i));
    }
    let mut buffer = tile::<A>();
    let mut rows = 0;
    for ([at], length, [stride]) in job.reduced.runs(elements.start, elements.len()) {
        let mut r = 0;
        while r < length {
            let row = |ahead: usize| from + at + (r + ahead) * stride;
            let together = step == 1 && length - r >= TOGETHER && rows % TOGETHER == 0;
            // SAFETY (of both): the walks stay within the input.
            match job.from.direct::<A>(row(0)) {
                Some(first) if together => {
                    let sources = std::array::from_fn::<_, TOGETHER, _>(|k| unsafe {
                        std::slice::from_raw_parts(first.add(k * stride), outputs)
                    });
                    take_rows(op, &mut cells[..outputs], &shifts[..outputs], sources);
                    (r, rows) = (r + TOGETHER, rows + TOGETHER);
                }
                _ => {
                    let values = unsafe { job.from.load::<A>(row(0), step, outputs, &mut buffer) };
                    take_rows(op, &mut cells[..outputs], &shifts[..outputs], [values]);
                    (r, rows) = (r + 1, rows + 1);
                }
            }
            if rows % ROWS == 0 {
                for (total, cell) in totals.iter_mut().zip(&mut cells) {
                    *total = op.add(*total, std::mem::replace(cell, start));
                }
            }
        }
    }
    for (&total, &cell) in totals.iter().zip(&cells).take(outputs) {
        results.put(op.add(total, cell));
    }
}
