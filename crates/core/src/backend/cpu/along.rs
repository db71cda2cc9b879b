//! Kernels that go along one dimension: row by row, or many neighbouring rows side by side.

use super::layout::{Runs, Walk};
use super::number::{Number, Port, TILE, Tile};
use super::scratch::Scratch;
use crate::tensor::Body;
use smallvec::SmallVec;
use std::ops::Range;

/// `N` bodies of one shape, and the dimension.
pub(crate) struct Along<const N: usize> {
    /// The bodies.
    pub ports: [Port; N],
    /// Elements along the dimension.
    pub size: usize,
    /// From one of them to the next.
    pub strides: [usize; N],
    /// Everything but the dimension.
    rows: Walk<N>,
    /// Neighbouring rows lie closer together than the elements of one.
    side_by_side: bool,
}

/// Rows to work on.
pub(crate) enum Place<const N: usize> {
    /// One row, by its first elements.
    Row([usize; N]),
    /// Several rows, at most [`TILE`], in each of the bodies.
    Columns([Columns; N]),
}

impl<const N: usize> Along<N> {
    pub fn new(bodies: [&Body; N], dim: usize) -> Self {
        assert!(bodies.iter().all(|b| b.shape == bodies[0].shape), "bodies of different shapes");
        let without = |list: &[usize]| -> SmallVec<[usize; 6]> {
            list.iter().enumerate().filter(|&(d, _)| d != dim).map(|(_, &v)| v).collect()
        };
        let lists = bodies.map(|b| without(&b.strides));
        let rows = Walk::new(&without(&bodies[0].shape), std::array::from_fn(|i| &lists[i][..]));
        let strides = bodies.map(|b| b.strides.get(dim).copied().unwrap_or(1));
        let last = rows.shape.len() - 1;
        let side_by_side = rows.shape[last] >= 4 && rows.strides[N - 1][last] < strides[N - 1];
        let size = bodies[0].shape.get(dim).copied().unwrap_or(1);
        Along { ports: bodies.map(Port::new), size, strides, rows, side_by_side }
    }

    /// Splits the rows among threads.
    pub fn parallel(&self, f: &(dyn Fn(Range<usize>) + Sync)) {
        let least = if self.side_by_side { 64 } else { 1 };
        // Without elements along the dimension there is nothing to do.
        if let Some(rows) = (1usize << 14).checked_div(self.size) {
            crate::pool::parallel_for(self.rows.numel(), rows.max(least), f);
        }
    }

    /// All rows of `range`.
    #[inline(always)]
    pub fn places(&self, range: Range<usize>) -> Places<'_, N> {
        Places { along: self, runs: self.rows.runs(range.start, range.len()), run: ([0; N], 0, [0; N]), done: 0 }
    }

    /// The elements of a row of body `i`, in place or in `room`.
    ///
    /// # Safety
    /// The row lies within the body, which is locked; `room` holds `size` numbers.
    #[inline(always)]
    pub unsafe fn row<'a, A: Number>(&self, i: usize, at: usize, room: &'a Scratch<A>) -> &'a [A] {
        match self.ports[i].direct::<A>(at) {
            // SAFETY: the caller vouches for the row; both kinds of memory hold `size` numbers.
            Some(start) if self.strides[i] == 1 => unsafe { std::slice::from_raw_parts(start, self.size) },
            _ => unsafe {
                A::gather(self.ports[i], at, self.strides[i], self.size, room.as_ptr());
                std::slice::from_raw_parts(room.as_ptr(), self.size)
            },
        }
    }

    /// Where a row of the last body can be written: in place, or in `room` until [`Along::finish_row`].
    ///
    /// # Safety
    /// The row lies within the body, belongs to this task and overlaps no other; `room` holds `size` numbers. All of it is
    /// written before any is read.
    #[inline(always)]
    #[allow(clippy::mut_from_ref, reason = "the memory is written by whoever holds it, through its address")]
    pub unsafe fn row_mut<'a, A: Number>(&self, at: usize, room: &'a Scratch<A>) -> &'a mut [A] {
        let start = match self.ports[N - 1].direct::<A>(at) {
            Some(start) if self.strides[N - 1] == 1 => start,
            _ => room.as_ptr(),
        };
        // SAFETY: as above.
        unsafe { std::slice::from_raw_parts_mut(start, self.size) }
    }

    /// Brings what [`Along::row_mut`] gave out to its place.
    ///
    /// # Safety
    /// The row is that of `at`.
    #[inline(always)]
    pub unsafe fn finish_row<A: Number>(&self, at: usize, row: &[A]) {
        let (port, stride) = (self.ports[N - 1], self.strides[N - 1]);
        if stride != 1 || port.direct::<A>(at).is_none() {
            unsafe { port.store(at, stride, row) }
        }
    }
}

/// The rows of a range, one by one or side by side. An iterator for the same reason as [`Runs`].
pub(crate) struct Places<'a, const N: usize> {
    along: &'a Along<N>,
    runs: Runs<'a, N>,
    /// The current run of rows.
    run: ([usize; N], usize, [usize; N]),
    /// Rows of it that are behind.
    done: usize,
}

impl<const N: usize> Iterator for Places<'_, N> {
    type Item = Place<N>;

    #[inline(always)]
    fn next(&mut self) -> Option<Place<N>> {
        if self.done == self.run.1 {
            self.run = self.runs.next()?;
            self.done = 0;
        }
        let (first, length, steps) = self.run;
        let at: [usize; N] = std::array::from_fn(|i| first[i] + self.done * steps[i]);
        if !self.along.side_by_side {
            self.done += 1;
            return Some(Place::Row(at));
        }
        let n = TILE.min(length - self.done);
        self.done += n;
        let along = self.along;
        Some(Place::Columns(std::array::from_fn(|i| Columns {
            port: along.ports[i],
            at: at[i],
            down: along.strides[i],
            step: steps[i],
            n,
        })))
    }
}

/// Several rows of one of the bodies.
#[derive(Clone, Copy)]
pub(crate) struct Columns {
    pub port: Port,
    /// First element of the first row.
    pub at: usize,
    /// From element to element of a row.
    pub down: usize,
    /// From row to row.
    pub step: usize,
    /// How many rows.
    pub n: usize,
}

impl Columns {
    /// The elements with index `k`.
    ///
    /// # Safety
    /// They lie within the body, which is locked.
    #[inline(always)]
    pub unsafe fn load<A: Number>(self, k: usize, buffer: &mut Tile<A>) -> &[A] {
        unsafe { self.port.load(self.at + k * self.down, self.step, self.n, buffer) }
    }

    /// Writes the elements with index `k`.
    ///
    /// # Safety
    /// They lie within the body, which is locked for writing, and belong to this task.
    #[inline(always)]
    pub unsafe fn store<A: Number>(self, k: usize, values: &[A]) {
        unsafe { self.port.store(self.at + k * self.down, self.step, &values[..self.n]) }
    }
}

/// Accumulators that are filled at once.
const LANES: usize = 32;
/// Elements between two additions to a total in double precision.
const CHUNK: usize = 1024;

/// The sum of what `value` makes of the elements of `K` equally long slices: in lanes for a stretch, the stretches in
/// double precision.
#[inline(always)]
pub(crate) fn sum_of<A: Number, const K: usize>(slices: [&[A]; K], value: impl Fn([A; K]) -> A) -> f64 {
    let n = slices[0].len();
    assert!(slices.iter().all(|s| s.len() == n), "slices of different lengths");
    let mut total = 0.0;
    for start in (0..n).step_by(CHUNK) {
        let end = n.min(start + CHUNK);
        let mut lanes = [A::ZERO; LANES];
        let whole = (end - start) / LANES * LANES + start;
        for base in (start..whole).step_by(LANES) {
            // Values first, then their sums: in one loop they would not become vectors.
            // SAFETY: the block ends before the slices do.
            let blocks: [&[A; LANES]; K] = std::array::from_fn(|k| unsafe { &*slices[k].as_ptr().add(base).cast() });
            let mut values = [A::ZERO; LANES];
            for (i, slot) in values.iter_mut().enumerate() {
                *slot = value(std::array::from_fn(|k| blocks[k][i]));
            }
            for (lane, &v) in lanes.iter_mut().zip(&values) {
                *lane = lane.add(v);
            }
        }
        for (slot, i) in lanes.iter_mut().zip(whole..end) {
            *slot = slot.add(value(std::array::from_fn(|k| slices[k][i])));
        }
        let mut half = LANES / 2;
        while half > 0 {
            for i in 0..half {
                lanes[i] = lanes[i].add(lanes[i + half]);
            }
            half /= 2;
        }
        total += lanes[0].to_f64();
    }
    total
}

/// Writes `exp(x - largest)`; returns the sum.
#[inline(always)]
pub(crate) fn sum_of_exp<A: Number>(x: &[A], largest: A, out: &mut [A]) -> f64 {
    for (out, &v) in out.iter_mut().zip(x) {
        *out = v.sub(largest).exp();
    }
    sum_of([&*out], |[v]| v)
}

/// The largest value, to be subtracted before exponentials are taken: these pass a NaN on, which is thus not looked for
/// unless there is nothing else.
#[inline(always)]
pub(crate) fn largest_of<A: Number>(values: &[A]) -> A {
    let mut lanes = [A::LOWEST; LANES];
    let (whole, rest) = values.as_chunks::<LANES>();
    for values in whole {
        for (lane, &v) in lanes.iter_mut().zip(values) {
            *lane = lane.larger(v);
        }
    }
    for (lane, &v) in lanes.iter_mut().zip(rest) {
        *lane = lane.larger(v);
    }
    let largest = lanes.into_iter().reduce(A::larger).unwrap_or(A::LOWEST);
    if largest > A::LOWEST { largest } else { values.iter().copied().fold(A::LOWEST, A::max) }
}
