//! Elementwise kernels: tiles of elements are loaded, computed and stored, by the widest instructions there are.

use super::layout::{GRAIN, Shared, Walk, convert};
use super::tiles::{Class, Fused, Integer, Plain, TILE};
use crate::backend::{Binary, Map};
use crate::tensor::Body;
use crate::{DType, Element, Error, Result, dispatch};
use std::mem::MaybeUninit;
use std::ops::Range;

/// One operand: its address, type, and whether its elements are consecutive and of the computed type.
#[derive(Clone, Copy)]
struct Port {
    start: Shared<u8>,
    dtype: DType,
    /// Usable in place by the formula, without going through a tile.
    direct: bool,
    /// One element for all: its tile is filled once.
    constant: bool,
}

struct Job {
    kernel: Map,
    inputs: [Port; 3],
    arity: usize,
    out: Port,
    /// `None` when every operand is flat.
    walk: Option<Walk<4>>,
}

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
    let flat = |b: &Body| b.is_contiguous();
    let walk = if flat(out) && inputs.iter().all(|b| flat(b) || is_constant(b)) {
        None
    } else {
        let none: &[usize] = &out.strides;
        let strides = |i: usize| inputs.get(i).map_or(none, |b| &b.strides);
        Some(Walk::new(&out.shape, [strides(0), strides(1), strides(2), &out.strides]))
    };
    let numel = out.numel();
    let port = |body: &Body, index: usize| Port {
        start: Shared(body.ptr()),
        dtype: body.dtype,
        direct: body.dtype == compute && walk.as_ref().is_none_or(|w| w.is_flat(index)),
        constant: false,
    };
    let out_port = port(out, 3);
    let mut ports = [out_port; 3];
    for (i, &body) in inputs.iter().enumerate() {
        ports[i] = port(body, i);
        ports[i].constant = numel > 1 && is_constant(body);
        // An input that is the output itself is read through a tile: a slice may not be read while it is written.
        ports[i].direct &= !ports[i].constant && !body.overlaps(out);
    }
    let job = Job { kernel, inputs: ports, arity: inputs.len(), out: out_port, walk };
    crate::pool::parallel_for(numel, GRAIN, &|range| match compute {
        DType::F64 => float_f64(&job, range),
        DType::F32 => float_f32(&job, range),
        _ => tiles::<Integer>(&job, range),
    });
    Ok(())
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
        walk.runs(0, divisor.numel(), |[at], length, [stride]| {
            // SAFETY: the walk stays within the body, whose storage is locked.
            zero |= (0..length).any(|i| unsafe { Element::to_i64(*start.add(at + i * stride)) } == 0);
        });
    });
    if zero { Err(Error::runtime("div", "ZeroDivisionError")) } else { Ok(()) }
}

macro_rules! by_processor {
    ($name:ident, $wide:ident, $widest:ident, $t:ty) => {
        fn $name(job: &Job, range: Range<usize>) {
            #[cfg(target_arch = "x86_64")]
            {
                if std::arch::is_x86_feature_detected!("avx512f") && std::arch::is_x86_feature_detected!("avx512vl") {
                    // SAFETY: the processor has the features.
                    return unsafe { $widest(job, range) };
                }
                if std::arch::is_x86_feature_detected!("avx2") && std::arch::is_x86_feature_detected!("fma") {
                    // SAFETY: the processor has the features.
                    return unsafe { $wide(job, range) };
                }
            }
            #[cfg(target_arch = "aarch64")]
            return tiles::<Fused<$t>>(job, range);
            #[cfg(not(target_arch = "aarch64"))]
            tiles::<Plain<$t>>(job, range)
        }

        #[cfg(target_arch = "x86_64")]
        #[target_feature(enable = "avx2,fma,f16c")]
        fn $wide(job: &Job, range: Range<usize>) {
            tiles::<Fused<$t>>(job, range)
        }

        #[cfg(target_arch = "x86_64")]
        #[target_feature(enable = "avx512f,avx512vl,avx512bw,avx512dq,avx2,fma,f16c")]
        fn $widest(job: &Job, range: Range<usize>) {
            tiles::<Fused<$t>>(job, range)
        }
    };
}
by_processor!(float_f32, float_f32_avx2, float_f32_avx512, f32);
by_processor!(float_f64, float_f64_avx2, float_f64_avx512, f64);

#[inline(always)]
fn tiles<C: Class>(job: &Job, range: Range<usize>) {
    let mut buffers: [[MaybeUninit<C::T>; TILE]; 3] = [const { [const { MaybeUninit::uninit() }; TILE] }; 3];
    let mut results: [MaybeUninit<C::T>; TILE] = [const { MaybeUninit::uninit() }; TILE];
    for (port, buffer) in job.inputs[..job.arity].iter().zip(&mut buffers).filter(|(port, _)| port.constant) {
        fill(port, &mut buffer[..TILE.min(range.len())]);
    }
    let mut start = range.start;
    while start < range.end {
        let n = TILE.min(range.end - start);
        let mut sources: [&[C::T]; 3] = [&[]; 3];
        // A loop, so that the conversions from every dtype are compiled once rather than for each operand.
        for (i, (source, buffer)) in sources.iter_mut().zip(&mut buffers).take(job.arity).enumerate() {
            *source = operand::<C::T>(job, i, start, n, buffer);
        }
        let [x, y, z] = sources;
        let direct = job.out.direct;
        // SAFETY: the output's elements belong to this task alone; a buffer is written in full before it is read.
        let out: &mut [C::T] = unsafe {
            let to = if direct { job.out.start.get().cast::<C::T>().add(start) } else { results.as_mut_ptr().cast() };
            std::slice::from_raw_parts_mut(to, n)
        };
        match job.kernel {
            Map::Unary(kernel) => C::unary(kernel, x, out),
            Map::Binary(kernel) => C::binary(kernel, x, y, out),
            Map::Ternary(kernel) => C::ternary(kernel, x, y, z, out),
        }
        if !direct {
            store(job, start, out);
        }
        start += n;
    }
}

/// Writes the one element of a constant input everywhere.
#[inline(always)]
fn fill<T: Element>(port: &Port, buffer: &mut [MaybeUninit<T>]) {
    let value = dispatch!(port.dtype, S => {
        // SAFETY: the input has an element, of type `S`, and is locked.
        convert::<S, T>(unsafe { *port.start.get().cast::<S>() })
    });
    buffer.fill(MaybeUninit::new(value));
}

/// Elements `start..start + n` of input `index`, in place where that is possible, else through `buffer`.
#[inline(always)]
fn operand<'b, T: Element>(
    job: &Job,
    index: usize,
    start: usize,
    n: usize,
    buffer: &'b mut [MaybeUninit<T>; TILE],
) -> &'b [T] {
    let port = &job.inputs[index];
    if port.direct {
        // SAFETY: the input is flat, of type `T`, locked, and not the output.
        return unsafe { std::slice::from_raw_parts(port.start.get().cast::<T>().add(start), n) };
    }
    let to = buffer.as_mut_ptr().cast::<T>();
    if port.constant {
        // SAFETY: the first tile was filled before, and no later one is longer.
        return unsafe { std::slice::from_raw_parts(to, n) };
    }
    dispatch!(port.dtype, S => {
        let from = port.start.get().cast::<S>();
        let mut done = 0;
        each_run(job, index, start, n, |at, length, stride| {
            // SAFETY: the run lies within the input, and `done + length` within the tile.
            unsafe {
                let (from, to) = (from.add(at), to.add(done));
                match stride {
                    0 => {
                        let value = convert::<S, T>(*from);
                        (0..length).for_each(|i| *to.add(i) = value);
                    }
                    1 => (0..length).for_each(|i| *to.add(i) = convert::<S, T>(*from.add(i))),
                    _ => (0..length).for_each(|i| *to.add(i) = convert::<S, T>(*from.add(i * stride))),
                }
            }
            done += length;
        });
    });
    // SAFETY: the runs have written all `n` elements.
    unsafe { std::slice::from_raw_parts(to, n) }
}

#[inline(always)]
fn store<T: Element>(job: &Job, start: usize, values: &[T]) {
    dispatch!(job.out.dtype, D => {
        let to = job.out.start.get().cast::<D>();
        let mut done = 0;
        each_run(job, 3, start, values.len(), |at, length, stride| {
            for i in 0..length {
                // SAFETY: the run lies within the output, whose elements belong to this task.
                unsafe { *to.add(at + i * stride) = convert::<T, D>(values[done + i]) };
            }
            done += length;
        });
    });
}

/// Calls `f(offset, length, stride)` for the runs of one operand.
#[inline(always)]
fn each_run(job: &Job, index: usize, start: usize, n: usize, mut f: impl FnMut(usize, usize, usize)) {
    match &job.walk {
        None => f(start, n, 1),
        Some(walk) => walk.runs(start, n, |offsets, length, along| f(offsets[index], length, along[index])),
    }
}
