//! Walking over strided elements: merged dimensions, runs along the last one, fill.

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

    /// The runs along the last dimension that lie within the `count` elements from row-major index `start` on.
    #[inline(always)]
    pub fn runs(&self, start: usize, count: usize) -> Runs<'_, N> {
        let last = self.shape.len() - 1;
        let (mut index, mut rest) = (SmallVec::<[usize; 6]>::from_elem(0, last + 1), start);
        for d in (0..=last).rev() {
            index[d] = rest % self.shape[d].max(1);
            rest /= self.shape[d].max(1);
        }
        let offsets = std::array::from_fn(|i| (0..=last).map(|d| index[d] * self.strides[i][d]).sum());
        Runs { walk: self, left: count, first: true, index, offsets }
    }
}

/// Runs of elements along the last dimension: where each operand's begins, how long it is, the strides along it.
///
/// An iterator rather than a method that takes a closure: a closure need not be inlined, and is then compiled without the
/// instruction set of the function it stands in.
pub(crate) struct Runs<'a, const N: usize> {
    walk: &'a Walk<N>,
    left: usize,
    first: bool,
    index: SmallVec<[usize; 6]>,
    offsets: [usize; N],
}

impl<const N: usize> Iterator for Runs<'_, N> {
    type Item = ([usize; N], usize, [usize; N]);

    #[inline(always)]
    fn next(&mut self) -> Option<Self::Item> {
        if self.left == 0 {
            return None;
        }
        if !self.first {
            self.advance();
        }
        self.first = false;
        let last = self.index.len() - 1;
        let length = self.left.min(self.walk.shape[last] - self.index[last]);
        self.left -= length;
        Some((self.offsets, length, std::array::from_fn(|i| self.walk.strides[i][last])))
    }
}

impl<const N: usize> Runs<'_, N> {
    /// Goes to the start of the next run.
    #[inline(always)]
    fn advance(&mut self) {
        let (walk, last) = (self.walk, self.index.len() - 1);
        for i in 0..N {
            self.offsets[i] -= self.index[last] * walk.strides[i][last];
        }
        self.index[last] = 0;
        for d in (0..last).rev() {
            self.index[d] += 1;
            for i in 0..N {
                self.offsets[i] += walk.strides[i][d];
            }
            if self.index[d] < walk.shape[d] {
                break;
            }
            for i in 0..N {
                self.offsets[i] -= self.index[d] * walk.strides[i][d];
            }
            self.index[d] = 0;
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
    let ordered = (!out.is_contiguous()).then(|| out.in_order(&write_order(out)));
    let out = ordered.as_ref().unwrap_or(out);
    let walk = Walk::new(&out.shape, [&out.strides]);
    let base = Shared(out.ptr().cast::<T>());
    crate::pool::parallel_for(out.numel(), GRAIN, &|range| {
        for ([at], length, [stride]) in walk.runs(range.start, range.len()) {
            for i in 0..length {
                // SAFETY: the walk stays within the body.
                unsafe { *base.get().add(at + i * stride) = value };
            }
        }
    });
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
pub(crate) fn write_order(out: &Body) -> SmallVec<[usize; 6]> {
    let mut order: SmallVec<[usize; 6]> = (0..out.shape.len()).collect();
    if !out.is_contiguous() {
        order.sort_by_key(|&d| std::cmp::Reverse(out.strides[d]));
    }
    order
}

/// Adds one element after the other.
///
/// # Safety
/// The storages are locked; shapes and dtypes are equal.
pub(crate) unsafe fn add_overlapping(src: &Body, out: &Body) {
    let walk = Walk::new(&out.shape, [&src.strides, &out.strides]);
    dispatch!(out.dtype, T => {
        let (from, to) = (src.ptr().cast::<T>(), out.ptr().cast::<T>());
        for ([a, b], length, [s, d]) in walk.runs(0, walk.numel()) {
            for i in 0..length {
                // SAFETY: the walk stays within both bodies.
                unsafe {
                    let place = to.add(b + i * d);
                    *place = Element::from_f64((*place).to_f64() + (*from.add(a + i * s)).to_f64());
                }
            }
        }
    });
}
