//! Elementwise kernels: tiles of elements are loaded, computed and stored, by the widest instructions there are.

use super::copy;
use super::layout::{GRAIN, Runs, Walk, write_order};
use super::number::{Computed, Number, Port, compiled};
use super::shared::Shared;
use super::tiles::{Class, Fused, Integer, Plain, TILE};
use crate::backend::{Binary, Map};
use crate::tensor::Body;
use crate::{DType, Element, Error, Result, dispatch};
use smallvec::SmallVec;
use std::mem::MaybeUninit;
use std::ops::Range;

/// One input.
#[derive(Clone, Copy)]
struct Input {
    port: Port,
    /// Its memory is the output's, too: a slice may not be read while it is written.
    shared: bool,
    /// One element for all: its tile is filled once.
    constant: bool,
}

struct Job {
    kernel: Map,
    inputs: SmallVec<[Input; 3]>,
    out: Port,
    /// `None` when every operand is flat.
    walk: Option<Walk<4>>,
}

/// Runs shorter than this share a tile with others.
const SHORT: usize = 64;

/// Runs a kernel.
///
/// # Safety
/// The storages are locked; inputs have the shape of `out`, which does not overlap itself.
///
/// # Errors
/// An integer division by zero; nothing is written then.
pub(crate) unsafe fn run(kernel: Map, compute: DType, inputs: &[&Body], out: &Body) -> Result<()> {
    if !compute.is_floating_point() {
        if compute.is_complex() {
            // SAFETY: the caller's.
            return unsafe { super::complex::run(kernel, inputs, out) };
        }
        refuse_zero_divisors(kernel, inputs)?;
    }
    if is_in_place(compute, inputs, out) {
        // SAFETY: the caller's; the dtypes are the computed one.
        unsafe {
            match compute {
                DType::F64 => flat::<f64>(kernel, inputs, out),
                DType::F32 => flat::<f32>(kernel, inputs, out),
                _ => flat::<i64>(kernel, inputs, out),
            }
        }
        return Ok(());
    }
    let numel = out.numel();
    let across = |body: &Body| numel >= LARGE && out.is_contiguous() && copy::goes_across(body, out);
    if inputs.iter().any(|body| across(body)) {
        let straight = |body: &&Body| across(body).then(|| copied_like(body, out)).transpose();
        let copies = inputs.iter().map(straight).collect::<Result<SmallVec<[Option<Body>; 3]>>>()?;
        let inputs: SmallVec<[&Body; 3]> =
            inputs.iter().zip(&copies).map(|(body, copy)| copy.as_ref().unwrap_or(body)).collect();
        // SAFETY: the caller's; nobody else knows the copies.
        return unsafe { run(kernel, compute, &inputs, out) };
    }
    let input = |body: &&Body| Input {
        port: Port::new(body),
        shared: body.overlaps(out),
        constant: numel > 1 && is_constant(body),
    };
    let is_flat = out.is_contiguous() && inputs.iter().all(|b| b.is_contiguous() || is_constant(b));
    let job = Job {
        kernel,
        inputs: inputs.iter().map(input).collect(),
        out: Port::new(out),
        walk: (!is_flat).then(|| walk(inputs, out)),
    };
    crate::pool::parallel_for(numel, GRAIN, &|range| match compute {
        DType::F64 => tiles::<f64>(&job, range),
        DType::F32 => tiles::<f32>(&job, range),
        _ => tiles::<i64>(&job, range),
    });
    Ok(())
}

/// Elements from which on operands that lie across the output are copied into its order first: a copy goes by blocks, whose
/// lines of memory it uses whole.
const LARGE: usize = 1 << 12;

/// The elements of `body` in the order of a contiguous `out`.
fn copied_like(body: &Body, out: &Body) -> Result<Body> {
    let copy = Body::alloc_like(out, body.dtype)?;
    // SAFETY: the caller locked the body; nobody else knows the copy.
    unsafe { copy::copy(body, &copy) };
    Ok(copy)
}

/// Can every operand be used where it is, as one run? It can if all are row-major, or lie alike without gaps.
fn is_in_place(compute: DType, inputs: &[&Body], out: &Body) -> bool {
    let fits = |body: &&Body| body.dtype == compute && body.shape == out.shape && !body.overlaps(out);
    let is_row_major = out.is_contiguous();
    let lies_alike = |body: &Body| if is_row_major { body.is_contiguous() } else { body.strides == out.strides };
    out.dtype == compute && inputs.iter().all(|body| lies_alike(body) && fits(body)) && (is_row_major || out.is_dense())
}

/// Operands that are one run each.
///
/// # Safety
/// They have as many elements of type `T` as `out`, and do not overlap it; the storages are locked.
unsafe fn flat<T: Formulas>(kernel: Map, inputs: &[&Body], out: &Body) {
    let start = |body: &Body| Shared(body.ptr().cast::<T>());
    let mut sources = [start(out); 3];
    for (source, body) in sources.iter_mut().zip(inputs) {
        *source = start(body);
    }
    let (count, to) = (inputs.len(), start(out));
    crate::pool::parallel_for(out.numel(), GRAIN, &|range| {
        let source = |i: usize| match i < count {
            // SAFETY: the caller's.
            true => unsafe { std::slice::from_raw_parts(sources[i].at(range.start), range.len()) },
            false => &[],
        };
        // SAFETY: the range belongs to this task alone.
        T::compute(kernel, [source(0), source(1), source(2)], unsafe { to.take(range.clone()) });
    });
}

/// All elements in the order in which the output lies in memory.
fn walk(inputs: &[&Body], out: &Body) -> Walk<4> {
    let order = write_order(out);
    let permuted = |list: &[usize]| order.iter().map(|&d| list[d]).collect::<SmallVec<[usize; 6]>>();
    let strides = |i: usize| permuted(inputs.get(i).map_or(&out.strides, |b| &b.strides));
    Walk::new(&permuted(&out.shape), [&strides(0), &strides(1), &strides(2), &permuted(&out.strides)])
}

/// Is every element the same place?
fn is_constant(body: &Body) -> bool {
    body.shape.iter().zip(body.strides.iter()).all(|(&size, &stride)| size == 1 || stride == 0)
}

fn refuse_zero_divisors(kernel: Map, inputs: &[&Body]) -> Result<()> {
    let divides =
        matches!(kernel, Map::Binary(Binary::FloorDivide | Binary::TruncDivide | Binary::Remainder | Binary::Fmod));
    if !divides {
        return Ok(());
    }
    let divisor = inputs[1];
    let walk = Walk::new(&divisor.shape, [&divisor.strides]);
    let mut zero = false;
    dispatch!(divisor.dtype, T => {
        let start = divisor.ptr().cast::<T>();
        for ([at], length, [stride]) in walk.runs(0, divisor.numel()) {
            // SAFETY: the walk stays within the body, whose storage is locked.
            zero |= (0..length).any(|i| unsafe { Element::to_i64(*start.add(at + i * stride)) } == 0);
        }
    });
    if zero { Err(Error::runtime("div", "ZeroDivisionError")) } else { Ok(()) }
}

/// The numbers that kernels compute in, with the formulas compiled for the widest instructions there are.
trait Formulas: Computed {
    fn compute(kernel: Map, sources: [&[Self]; 3], out: &mut [Self]);
}

impl Formulas for f32 {
    fn compute(kernel: Map, sources: [&[f32]; 3], out: &mut [f32]) {
        compute_f32(kernel, sources, out);
    }
}

impl Formulas for f64 {
    fn compute(kernel: Map, sources: [&[f64]; 3], out: &mut [f64]) {
        compute_f64(kernel, sources, out);
    }
}

impl Formulas for i64 {
    fn compute(kernel: Map, sources: [&[i64]; 3], out: &mut [i64]) {
        compute::<Integer>(kernel, sources, out);
    }
}

#[inline(always)]
fn compute<C: Class>(kernel: Map, [x, y, z]: [&[C::T]; 3], out: &mut [C::T]) {
    match kernel {
        Map::Unary(kernel) => C::unary(kernel, x, out),
        Map::Binary(kernel) => C::binary(kernel, x, y, out),
        Map::Ternary(kernel) => C::ternary(kernel, x, y, z, out),
    }
}

compiled! {
    fn compute_f32(kernel: Map, sources: [&[f32]; 3], out: &mut [f32]) = compute::<Plain<f32>>, compute::<Fused<f32>>;
    fn compute_f64(kernel: Map, sources: [&[f64]; 3], out: &mut [f64]) = compute::<Plain<f64>>, compute::<Fused<f64>>;
}

/// Elements that are computed together.
struct Piece {
    /// The first one, in the order of the walk.
    start: usize,
    n: usize,
    /// They are part of one run, or else of several.
    whole: bool,
    /// Where they begin in each operand, and the strides, if they are part of one run.
    at: [usize; 4],
    along: [usize; 4],
}

/// The pieces of a range. An iterator for the same reason as [`Runs`].
struct Pieces<'a> {
    runs: Option<Runs<'a, 4>>,
    whole: bool,
    /// The current run.
    run: ([usize; 4], usize, [usize; 4]),
    /// Elements of it that are behind.
    done: usize,
    next: Range<usize>,
}

impl<'a> Pieces<'a> {
    #[inline(always)]
    fn new(job: &'a Job, range: Range<usize>) -> Self {
        let whole = job.walk.as_ref().is_none_or(|walk| walk.shape[walk.shape.len() - 1] >= SHORT);
        let flat = ([range.start; 4], range.len(), [1; 4]);
        match &job.walk {
            Some(walk) if whole => {
                let runs = Some(walk.runs(range.start, range.len()));
                Pieces { runs, whole, run: ([0; 4], 0, [0; 4]), done: 0, next: range }
            }
            _ => Pieces { runs: None, whole, run: flat, done: 0, next: range },
        }
    }
}

impl Iterator for Pieces<'_> {
    type Item = Piece;

    #[inline(always)]
    fn next(&mut self) -> Option<Piece> {
        if self.done == self.run.1 {
            self.run = self.runs.as_mut()?.next()?;
            self.done = 0;
        }
        let (first, length, along) = self.run;
        let n = TILE.min(length - self.done);
        let at = std::array::from_fn(|i| first[i] + self.done * along[i]);
        let piece = Piece { start: self.next.start, n, whole: self.whole, at, along };
        self.done += n;
        self.next.start += n;
        Some(piece)
    }
}

fn tiles<T: Formulas>(job: &Job, range: Range<usize>) {
    let mut buffers: [[MaybeUninit<T>; TILE]; 3] = [const { [const { MaybeUninit::uninit() }; TILE] }; 3];
    let mut results: [MaybeUninit<T>; TILE] = [const { MaybeUninit::uninit() }; TILE];
    for (input, buffer) in job.inputs.iter().zip(&mut buffers).filter(|(input, _)| input.constant) {
        // SAFETY: the input has an element and is locked; the buffer has room for a tile.
        unsafe { T::As::gather(input.port, 0, 0, TILE.min(range.len()), buffer.as_mut_ptr().cast()) };
    }
    for piece in Pieces::new(job, range) {
        let mut sources: [&[T]; 3] = [&[]; 3];
        for (i, (source, buffer)) in sources.iter_mut().zip(&mut buffers).take(job.inputs.len()).enumerate() {
            *source = operand::<T>(job, i, &piece, buffer);
        }
        let in_place = match piece.whole && piece.along[3] == 1 {
            true => job.out.direct::<T::As>(piece.at[3]),
            false => None,
        };
        // SAFETY: the output's elements belong to this task alone; a buffer is written in full before it is read.
        let out: &mut [T] = unsafe {
            let to = in_place.map_or(results.as_mut_ptr().cast(), |to| to.cast());
            std::slice::from_raw_parts_mut(to, piece.n)
        };
        T::compute(job.kernel, sources, out);
        if in_place.is_none() {
            store(job, &piece, out);
        }
    }
}

/// The elements of an input that belong to a piece, in place where that is possible, else through `buffer`.
#[inline(always)]
fn operand<'b, T: Computed>(job: &Job, index: usize, piece: &Piece, buffer: &'b mut [MaybeUninit<T>; TILE]) -> &'b [T] {
    let input = &job.inputs[index];
    if piece.whole
        && piece.along[index] == 1
        && !input.shared
        && !input.constant
        && let Some(start) = input.port.direct::<T::As>(piece.at[index])
    {
        // SAFETY: the elements lie within the input, which is locked and not the output.
        return unsafe { std::slice::from_raw_parts(start.cast(), piece.n) };
    }
    let to = buffer.as_mut_ptr().cast::<T::As>();
    // SAFETY: the runs lie within the input, which is locked; together they are one tile at most, and fill it.
    unsafe {
        if piece.whole && !input.constant {
            T::As::gather(input.port, piece.at[index], piece.along[index], piece.n, to);
        } else if let (Some(walk), false) = (&job.walk, input.constant) {
            let mut done = 0;
            for (at, length, along) in walk.runs(piece.start, piece.n) {
                T::As::gather(input.port, at[index], along[index], length, to.add(done));
                done += length;
            }
        }
        // A constant's tile was filled before.
        std::slice::from_raw_parts(to.cast(), piece.n)
    }
}

#[inline(always)]
fn store<T: Computed>(job: &Job, piece: &Piece, values: &[T]) {
    // SAFETY: a number has the bits of its element; the runs lie within the output, and belong to this task.
    unsafe {
        let values = std::slice::from_raw_parts(values.as_ptr().cast::<T::As>(), values.len());
        match &job.walk {
            Some(walk) if !piece.whole => {
                let mut done = 0;
                for (at, length, along) in walk.runs(piece.start, piece.n) {
                    job.out.store(at[3], along[3], &values[done..done + length]);
                    done += length;
                }
            }
            _ => job.out.store(piece.at[3], piece.along[3], values),
        }
    }
}
