//! Walking over strided elements: merged dimensions, runs along the last one, fill and copy.

use crate::tensor::Body;
use crate::{Element, dispatch};
use smallvec::SmallVec;

/// A shape with the strides of `N` operands, dimensions merged where all of them allow it.
#[derive(Clone)]
pub(crate) struct Walk<const N: usize> {
    pub shape: SmallVec<[usize; 6]>,
    pub strides: [SmallVec<[usize; 6]>; N],
}

#[allow(clippy::needless_range_loop, reason = "several lists are gone through at once")]
impl<const N: usize> Walk<N> {
    /// The walk over `shape` in row-major order.
    pub fn new(shape: &[usize], strides: [&[usize]; N]) -> Self {
        let mut walk = Walk { shape: SmallVec::new(), strides: std::array::from_fn(|_| SmallVec::new()) };
        // Without elements there is nothing to merge, and products of the other sizes may not fit.
        let shape = if shape.contains(&0) { &[0] } else { shape };
        let strides = if shape == [0] { [&[1][..]; N] } else { strides };
        for d in 0..shape.len() {
            if shape[d] == 1 {
                continue;
            }
            let last = walk.shape.len();
            let merges = last > 0 && (0..N).all(|i| walk.strides[i][last - 1] == strides[i][d].wrapping_mul(shape[d]));
            if merges {
                // Dimensions left out of a walk may hold a size of 0: then it is never taken.
                walk.shape[last - 1] = walk.shape[last - 1].saturating_mul(shape[d]);
                for i in 0..N {
                    walk.strides[i][last - 1] = strides[i][d];
                }
            } else {
                walk.shape.push(shape[d]);
                for i in 0..N {
                    walk.strides[i].push(strides[i][d]);
                }
            }
        }
        if walk.shape.is_empty() {
            walk.shape.push(1);
            for i in 0..N {
                walk.strides[i].push(1);
            }
        }
        walk
    }

    /// Are the elements of operand `i` consecutive?
    #[inline]
    pub fn is_flat(&self, i: usize) -> bool {
        self.shape.len() == 1 && (self.strides[i][0] == 1 || self.shape[0] == 1)
    }

    /// Number of elements.
    #[inline]
    pub fn numel(&self) -> usize {
        self.shape.iter().fold(1, |product: usize, &size| product.saturating_mul(size))
    }

    /// Calls `f(offsets, length, strides along the run)` for each run along the last dimension that lies within
    /// the `count` elements from row-major index `start` on.
    #[inline(always)]
    pub fn runs(&self, start: usize, count: usize, mut f: impl FnMut([usize; N], usize, [usize; N])) {
        if count == 0 {
            return;
        }
        let last = self.shape.len() - 1;
        let inner = self.shape[last];
        let along: [usize; N] = std::array::from_fn(|i| self.strides[i][last]);
        let (mut left, mut index) = (count, SmallVec::<[usize; 6]>::from_elem(0, last + 1));
        let mut rest = start;
        for d in (0..=last).rev() {
            index[d] = rest % self.shape[d];
            rest /= self.shape[d];
        }
        let mut offsets: [usize; N] = std::array::from_fn(|i| (0..=last).map(|d| index[d] * self.strides[i][d]).sum());
        while left > 0 {
            let length = left.min(inner - index[last]);
            f(offsets, length, along);
            left -= length;
            if left == 0 {
                break;
            }
            for i in 0..N {
                offsets[i] -= index[last] * along[i];
            }
            index[last] = 0;
            for d in (0..last).rev() {
                index[d] += 1;
                for i in 0..N {
                    offsets[i] += self.strides[i][d];
                }
                if index[d] < self.shape[d] {
                    break;
                }
                for i in 0..N {
                    offsets[i] -= index[d] * self.strides[i][d];
                }
                index[d] = 0;
            }
        }
    }
}

/// Elements that one core writes before a second one is worth waking.
pub(crate) const GRAIN: usize = 1 << 15;

/// An address that may cross threads: tasks touch disjoint elements behind it.
#[derive(Clone, Copy)]
pub(crate) struct Shared<T>(pub *mut T);
// SAFETY: the kernel that shares the address gives each task elements of its own.
unsafe impl<T> Send for Shared<T> {}
// SAFETY: as above.
unsafe impl<T> Sync for Shared<T> {}

impl<T> Shared<T> {
    #[inline(always)]
    pub fn get(self) -> *mut T {
        self.0
    }
}

/// Sets every element.
///
/// # Safety
/// The storage is locked for writing and `T` is the body's type.
pub(crate) unsafe fn fill<T: Element>(out: &Body, value: T) {
    let walk = Walk::new(&out.shape, [&out.strides]);
    let base = Shared(out.ptr().cast::<T>());
    crate::pool::parallel_for(out.numel(), GRAIN, &|range| {
        walk.runs(range.start, range.len(), |[at], length, [stride]| {
            for i in 0..length {
                // SAFETY: the walk stays within the body.
                unsafe { *base.get().add(at + i * stride) = value };
            }
        });
    });
}

/// Copies and converts.
///
/// # Safety
/// The storages are locked; shapes are equal.
pub(crate) unsafe fn copy(src: &Body, out: &Body) {
    // Walked in the order in which the destination lies in memory, so that writes are consecutive.
    let order = write_order(out);
    let permuted = |list: &[usize]| order.iter().map(|&d| list[d]).collect::<SmallVec<[usize; 6]>>();
    let walk = Walk::new(&permuted(&out.shape), [&permuted(&src.strides), &permuted(&out.strides)]);
    if src.dtype == out.dtype {
        // Equal types are copied as bits of their width.
        match src.dtype.size() {
            1 => unsafe { copy_runs::<u8, u8>(&walk, src, out, |v| v) },
            2 => unsafe { copy_runs::<i16, i16>(&walk, src, out, |v| v) },
            4 => unsafe { copy_runs::<i32, i32>(&walk, src, out, |v| v) },
            16 => unsafe { copy_runs::<[i64; 2], [i64; 2]>(&walk, src, out, |v| v) },
            _ => unsafe { copy_runs::<i64, i64>(&walk, src, out, |v| v) },
        }
        return;
    }
    if src.dtype.is_complex() || out.dtype.is_complex() {
        // SAFETY: the caller's.
        return unsafe { super::complex::copy(src, out) };
    }
    dispatch!(src.dtype, S => dispatch!(out.dtype, D => {
        // SAFETY: the types are those of the bodies.
        unsafe { copy_runs::<S, D>(&walk, src, out, convert::<S, D>) }
    }));
}

/// PyTorch's cast between two dtypes.
#[inline(always)]
pub(crate) fn convert<S: Element, D: Element>(value: S) -> D {
    match S::DTYPE {
        crate::DType::F64 => D::from_f64(value.to_f64()),
        t if t.is_floating_point() => D::from_f32(value.to_f32()),
        _ => D::from_i64(value.to_i64()),
    }
}

/// Dimensions by falling stride.
fn write_order(out: &Body) -> SmallVec<[usize; 6]> {
    let mut order: SmallVec<[usize; 6]> = (0..out.shape.len()).collect();
    if !out.is_contiguous() {
        order.sort_by_key(|&d| std::cmp::Reverse(out.strides[d]));
    }
    order
}

/// # Safety
/// `S` and `D` have the widths of the bodies' types, and the storages are locked.
unsafe fn copy_runs<S: Copy + Sync, D: Copy>(walk: &Walk<2>, src: &Body, out: &Body, f: fn(S) -> D) {
    let (from, to) = (Shared(src.ptr().cast::<S>()), Shared(out.ptr().cast::<D>()));
    let same = src.dtype == out.dtype;
    crate::pool::parallel_for(walk.numel(), GRAIN, &|range| {
        walk.runs(range.start, range.len(), |[a, b], length, strides| {
            // SAFETY: the walk stays within both bodies.
            unsafe {
                let (from, to) = (from.get().add(a), to.get().add(b));
                match strides {
                    [1, 1] if same => std::ptr::copy(from.cast::<D>(), to, length),
                    [s, d] => (0..length).for_each(|i| *to.add(i * d) = f(*from.add(i * s))),
                }
            }
        });
    });
}

/// Adds one element after the other.
///
/// # Safety
/// The storages are locked; shapes and dtypes are equal.
pub(crate) unsafe fn add_overlapping(src: &Body, out: &Body) {
    let walk = Walk::new(&out.shape, [&src.strides, &out.strides]);
    dispatch!(out.dtype, T => {
        let (from, to) = (src.ptr().cast::<T>(), out.ptr().cast::<T>());
        walk.runs(0, walk.numel(), |[a, b], length, [s, d]| {
            for i in 0..length {
                // SAFETY: the walk stays within both bodies.
                unsafe {
                    let place = to.add(b + i * d);
                    *place = Element::from_f64((*place).to_f64() + (*from.add(a + i * s)).to_f64());
                }
            }
        });
    });
}
