//! One step of a long short-term memory from its gates, and back, each in one pass.
//!
//! Gates lie in rows of four blocks: input gate, forget gate, new values, output gate.

use super::math::{Real, special::sigmoid};
use super::number::{D, DFused, Number, Port, S, SFused, TILE, compiled};
use crate::DType;
use crate::tensor::Body;
use std::ops::Range;

/// Elements of the state worth a core of their own.
const GRAIN: usize = 1 << 11;

/// See [`Backend::lstm_step`](crate::backend::Backend::lstm_step).
///
/// # Safety
/// The storages are locked; bodies are contiguous, and written ones overlap nothing.
pub(crate) unsafe fn forward(gates: &Body, cell: &Body, [next, hidden]: [&Body; 2]) {
    let job = Forward {
        width: cell.shape[1],
        gates: Port::new(gates),
        cell: Port::new(cell),
        next: Port::new(next),
        hidden: Port::new(hidden),
    };
    crate::pool::parallel_for(cell.numel(), GRAIN, &|range| match cell.dtype {
        DType::F64 => forward_f64(&job, range),
        _ => forward_f32(&job, range),
    });
}

/// See [`Backend::lstm_step_grad`](crate::backend::Backend::lstm_step_grad).
///
/// # Safety
/// As [`forward`].
pub(crate) unsafe fn backward(gates: &Body, [cell, next]: [&Body; 2], hidden: &Body, [carried, slopes]: [&Body; 2]) {
    let job = Backward {
        width: cell.shape[1],
        gates: Port::new(gates),
        cell: Port::new(cell),
        next: Port::new(next),
        hidden: Port::new(hidden),
        carried: Port::new(carried),
        slopes: Port::new(slopes),
    };
    crate::pool::parallel_for(cell.numel(), GRAIN, &|range| match cell.dtype {
        DType::F64 => backward_f64(&job, range),
        _ => backward_f32(&job, range),
    });
}

struct Forward {
    /// Elements of a row of the state.
    width: usize,
    gates: Port,
    cell: Port,
    next: Port,
    hidden: Port,
}

struct Backward {
    width: usize,
    gates: Port,
    cell: Port,
    next: Port,
    hidden: Port,
    carried: Port,
    slopes: Port,
}

compiled! {
    fn forward_f32(job: &Forward, range: Range<usize>) = forward_tiles::<S>, forward_tiles::<SFused>;
    fn forward_f64(job: &Forward, range: Range<usize>) = forward_tiles::<D>, forward_tiles::<DFused>;
    fn backward_f32(job: &Backward, range: Range<usize>) = backward_tiles::<S>, backward_tiles::<SFused>;
    fn backward_f64(job: &Backward, range: Range<usize>) = backward_tiles::<D>, backward_tiles::<DFused>;
}

/// Some neighbours in a row of the state.
#[derive(Clone, Copy)]
struct Piece {
    /// The number of the first one.
    start: usize,
    /// The same in the gates, where each row is four times as long.
    in_gates: usize,
    width: usize,
    count: usize,
}

impl Piece {
    /// The piece that begins at `start`: to the end of its row, of the range or of a tile.
    #[inline(always)]
    fn at(start: usize, end: usize, width: usize) -> Piece {
        let (row, column) = (start / width, start % width);
        let count = TILE.min(width - column).min(end - start);
        Piece { start, in_gates: row * 4 * width + column, width, count }
    }

    /// # Safety
    /// The body has elements of the type `A`, is locked, and has the shape of the state.
    #[inline(always)]
    unsafe fn read<'a, A: Number>(self, port: Port) -> &'a [A] {
        // SAFETY: the caller's promise.
        unsafe { slice(port, self.start, self.count) }
    }

    /// # Safety
    /// As [`Piece::read`]; the elements belong to this task.
    #[inline(always)]
    unsafe fn write<'a, A: Number>(self, port: Port) -> &'a mut [A] {
        // SAFETY: the caller's promise.
        unsafe { slice_mut(port, self.start, self.count) }
    }

    /// # Safety
    /// As [`Piece::read`], of gates.
    #[inline(always)]
    unsafe fn read_gates<'a, A: Number>(self, port: Port) -> [&'a [A]; 4] {
        // SAFETY: the caller's promise.
        [0, 1, 2, 3].map(|i| unsafe { slice(port, self.in_gates + i * self.width, self.count) })
    }

    /// # Safety
    /// As [`Piece::write`], of gates.
    #[inline(always)]
    unsafe fn write_gates<'a, A: Number>(self, port: Port) -> [&'a mut [A]; 4] {
        // SAFETY: the caller's promise; the four parts are disjoint.
        [0, 1, 2, 3].map(|i| unsafe { slice_mut(port, self.in_gates + i * self.width, self.count) })
    }
}

/// # Safety
/// The elements lie within the body, which is locked.
#[inline(always)]
unsafe fn slice<'a, A: Number>(port: Port, at: usize, count: usize) -> &'a [A] {
    match port.direct::<A>(at) {
        // SAFETY: the caller's promise.
        Some(start) => unsafe { std::slice::from_raw_parts(start, count) },
        None => &[],
    }
}

/// # Safety
/// As [`slice`]; the elements belong to this task.
#[inline(always)]
unsafe fn slice_mut<'a, A: Number>(port: Port, at: usize, count: usize) -> &'a mut [A] {
    match port.direct::<A>(at) {
        // SAFETY: the caller's promise.
        Some(start) => unsafe { std::slice::from_raw_parts_mut(start, count) },
        None => &mut [],
    }
}

#[inline(always)]
fn forward_tiles<A: Number + Real>(job: &Forward, range: Range<usize>) {
    let mut start = range.start;
    while start < range.end {
        let piece = Piece::at(start, range.end, job.width);
        // SAFETY: the bodies have these shapes and elements, and are locked; what is written is this task's alone.
        let ([input, forget, new, output], cell, next, hidden) = unsafe {
            (
                piece.write_gates::<A>(job.gates),
                piece.read::<A>(job.cell),
                piece.write::<A>(job.next),
                piece.write::<A>(job.hidden),
            )
        };
        input.iter_mut().for_each(|x| *x = sigmoid(*x));
        forget.iter_mut().for_each(|x| *x = sigmoid(*x));
        new.iter_mut().for_each(|x| *x = x.tanh());
        output.iter_mut().for_each(|x| *x = sigmoid(*x));
        for ((((next, &c), &i), &f), &g) in next.iter_mut().zip(cell).zip(&*input).zip(&*forget).zip(&*new) {
            *next = f * c + i * g;
        }
        for ((hidden, &c), &o) in hidden.iter_mut().zip(&*next).zip(&*output) {
            *hidden = o * c.tanh();
        }
        start += piece.count;
    }
}

#[inline(always)]
fn backward_tiles<A: Number + Real>(job: &Backward, range: Range<usize>) {
    let one = <A as Real>::ONE;
    let mut start = range.start;
    while start < range.end {
        let piece = Piece::at(start, range.end, job.width);
        // SAFETY: as in `forward_tiles`.
        let ([input, forget, new, output], cell, next, hidden, carried, slopes) = unsafe {
            (
                piece.read_gates::<A>(job.gates),
                piece.read::<A>(job.cell),
                piece.read::<A>(job.next),
                piece.read::<A>(job.hidden),
                piece.write::<A>(job.carried),
                piece.write_gates::<A>(job.slopes),
            )
        };
        let [of_input, of_forget, of_new, of_output] = slopes;
        let ends = carried.iter_mut().zip(of_output);
        for ((((carried, slope), &h), &o), &c) in ends.zip(hidden).zip(output).zip(next) {
            let t = c.tanh();
            *carried = *carried + h * o * (one - t * t);
            *slope = h * t * (one - o) * o;
        }
        for (((slope, &c), &i), &g) in of_input.iter_mut().zip(&*carried).zip(input).zip(new) {
            *slope = c * g * (one - i) * i;
        }
        for (((slope, &c), &i), &g) in of_new.iter_mut().zip(&*carried).zip(input).zip(new) {
            *slope = c * i * (one - g * g);
        }
        for (((slope, carried), &f), &before) in of_forget.iter_mut().zip(carried).zip(forget).zip(cell) {
            *slope = *carried * before * (one - f) * f;
            *carried = *carried * f;
        }
        start += piece.count;
    }
}
