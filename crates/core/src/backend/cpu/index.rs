//! Elements picked from and written to places that an index names along one dimension.

use super::layout::{GRAIN, Shared, Walk};
use crate::backend::Indexing;
use crate::tensor::Body;
use crate::{DType, Element, dispatch};
use parking_lot::Mutex;
use smallvec::SmallVec;

/// Three bodies of one rank. `spread` and `index` have the shape of the loop; of `table`, `dim` is indexed.
struct Job<'a> {
    dim: usize,
    spread: &'a Body,
    index: &'a Body,
    table: &'a Body,
    /// The first index found out of range; its elements are left alone.
    bad: Mutex<Option<i64>>,
}

/// Runs `kind`; returns an index that is out of range, if there is one.
///
/// # Safety
/// The storages are locked; `index` is int64 with one dimension at least and, outside `dim`, no larger than `table`;
/// `spread` and `index` have one shape, `spread` and `table` one dtype. What is written does not overlap itself.
pub(crate) unsafe fn run(kind: Indexing, dim: usize, spread: &Body, index: &Body, table: &Body) -> Option<i64> {
    let job = Job { dim, spread, index, table, bad: Mutex::new(None) };
    // Equal types are copied as bits of their width.
    match (kind, table.dtype.size()) {
        (Indexing::Gather, 1) => unsafe { job.gather::<u8>() },
        (Indexing::Gather, 2) => unsafe { job.gather::<i16>() },
        (Indexing::Gather, 4) => unsafe { job.gather::<i32>() },
        (Indexing::Gather, _) => unsafe { job.gather::<i64>() },
        (Indexing::Scatter, 1) => unsafe { job.scatter::<u8>(|_, new| new) },
        (Indexing::Scatter, 2) => unsafe { job.scatter::<i16>(|_, new| new) },
        (Indexing::Scatter, 4) => unsafe { job.scatter::<i32>(|_, new| new) },
        (Indexing::Scatter, _) => unsafe { job.scatter::<i64>(|_, new| new) },
        (Indexing::ScatterAdd, _) => dispatch!(table.dtype, T => unsafe { job.scatter::<T>(sum::<T>) }),
        (Indexing::ScatterMul, _) => dispatch!(table.dtype, T => unsafe { job.scatter::<T>(product::<T>) }),
        (Indexing::ScatterMax, _) => dispatch!(table.dtype, T => unsafe { job.scatter::<T>(further::<T, true>) }),
        (Indexing::ScatterMin, _) => dispatch!(table.dtype, T => unsafe { job.scatter::<T>(further::<T, false>) }),
    }
    job.bad.into_inner()
}

/// The sum in the type itself; of bools, whether one of them is true.
#[inline(always)]
fn sum<T: Element>(a: T, b: T) -> T {
    match T::DTYPE {
        DType::F64 => T::from_f64(a.to_f64() + b.to_f64()),
        t if t.is_floating_point() => T::from_f32(a.to_f32() + b.to_f32()),
        _ => T::from_i64(a.to_i64().wrapping_add(b.to_i64())),
    }
}

/// The product in the type itself; of bools, whether both are true.
#[inline(always)]
fn product<T: Element>(a: T, b: T) -> T {
    match T::DTYPE {
        DType::F64 => T::from_f64(a.to_f64() * b.to_f64()),
        t if t.is_floating_point() => T::from_f32(a.to_f32() * b.to_f32()),
        _ => T::from_i64(a.to_i64().wrapping_mul(b.to_i64())),
    }
}

/// The larger or smaller of two; NaN where one is.
#[inline(always)]
fn further<T: Element, const LARGER: bool>(a: T, b: T) -> T {
    let takes_b = match T::DTYPE.is_floating_point() {
        true if a.to_f64().is_nan() => false,
        true if LARGER => b.to_f64() > a.to_f64() || b.to_f64().is_nan(),
        true => b.to_f64() < a.to_f64() || b.to_f64().is_nan(),
        false if LARGER => b.to_i64() > a.to_i64(),
        false => b.to_i64() < a.to_i64(),
    };
    if takes_b { b } else { a }
}

/// Where an index leads to.
struct Places<'a> {
    /// Elements of the table along the dimension, and the distance between them.
    size: u64,
    stride: usize,
    bad: &'a Mutex<Option<i64>>,
}

impl Places<'_> {
    /// Offset of index `i` within the table.
    #[inline(always)]
    fn at(&self, i: i64) -> Option<usize> {
        if (i as u64) < self.size {
            return Some(i as usize * self.stride);
        }
        self.refuse(i);
        None
    }

    #[cold]
    fn refuse(&self, i: i64) {
        self.bad.lock().get_or_insert(i);
    }
}

impl Job<'_> {
    fn places(&self) -> Places<'_> {
        let (size, stride) = (self.table.shape[self.dim] as u64, self.table.strides[self.dim]);
        Places { size, stride, bad: &self.bad }
    }

    /// # Safety
    /// As [`run`]; `T` has the width of the elements.
    unsafe fn gather<T: Copy>(&self) {
        let mut along = self.table.strides.clone();
        along[self.dim] = 0;
        let walk = Walk::new(&self.index.shape, [&self.spread.strides, &self.index.strides, &along]);
        let (to, from) = (Shared(self.spread.ptr().cast::<T>()), Shared(self.table.ptr().cast::<T>()));
        let index = Shared(self.index.ptr().cast::<i64>());
        crate::pool::parallel_for(walk.numel(), GRAIN / 2, &|range| {
            let places = self.places();
            for ([s, i, t], length, [ss, is, ts]) in walk.runs(range.start, range.len()) {
                // SAFETY: the walk stays within the bodies, and each place was checked.
                unsafe {
                    let (to, from, index) = (to.get().add(s), from.get().add(t), index.get().add(i));
                    if is == 0 {
                        let Some(at) = places.at(*index) else { continue };
                        match (ss, ts) {
                            (1, 1) => std::ptr::copy_nonoverlapping(from.add(at), to, length),
                            _ => (0..length).for_each(|k| *to.add(k * ss) = *from.add(at + k * ts)),
                        }
                        continue;
                    }
                    for k in 0..length {
                        if let Some(at) = places.at(*index.add(k * is)) {
                            *to.add(k * ss) = *from.add(at + k * ts);
                        }
                    }
                }
            }
        });
    }

    /// Tasks split the other dimensions: what falls on one place is written by one task, in the index's order.
    ///
    /// # Safety
    /// As [`run`]; `T` has the width of the elements.
    unsafe fn scatter<T: Copy>(&self, f: impl Fn(T, T) -> T + Sync) {
        let without = |list: &[usize]| -> SmallVec<[usize; 6]> {
            (0..list.len()).filter(|&d| d != self.dim).map(|d| list[d]).collect()
        };
        let count = self.index.shape[self.dim];
        if self.index.shape.contains(&0) {
            return;
        }
        let (s_dim, i_dim) = (self.spread.strides[self.dim], self.index.strides[self.dim]);
        let strides = [&self.spread.strides, &self.index.strides, &self.table.strides].map(|list| without(list));
        let walk = Walk::new(&without(&self.index.shape), [&strides[0], &strides[1], &strides[2]]);
        let (from, to) = (Shared(self.spread.ptr().cast::<T>()), Shared(self.table.ptr().cast::<T>()));
        let index = Shared(self.index.ptr().cast::<i64>());
        crate::pool::parallel_for(walk.numel(), GRAIN / 2 / count + 16, &|range| {
            let places = self.places();
            for ([s, i, t], length, [ss, is, ts]) in walk.runs(range.start, range.len()) {
                // SAFETY: the walk stays within the bodies, each place was checked, and tasks have places of their own.
                unsafe {
                    let (from, to, index) = (from.get().add(s), to.get().add(t), index.get().add(i));
                    let write = |from: *const T, place: *mut T| *place = f(*place, *from);
                    if is == 0 {
                        for n in 0..count {
                            let Some(at) = places.at(*index.add(n * i_dim)) else { continue };
                            let (from, to) = (from.add(n * s_dim), to.add(at));
                            match (ss, ts) {
                                (1, 1) => (0..length).for_each(|k| write(from.add(k), to.add(k))),
                                _ => (0..length).for_each(|k| write(from.add(k * ss), to.add(k * ts))),
                            }
                        }
                        continue;
                    }
                    for k in 0..length {
                        for n in 0..count {
                            if let Some(at) = places.at(*index.add(n * i_dim + k * is)) {
                                write(from.add(n * s_dim + k * ss), to.add(at + k * ts));
                            }
                        }
                    }
                }
            }
        });
    }
}
