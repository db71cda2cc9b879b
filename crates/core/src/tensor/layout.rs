//! Layouts: in which order the dimensions of a new tensor lie in memory, after the tensors that it is made from.

use super::{Body, MemoryFormat};
use crate::{DType, Device, Dims, Result};
use smallvec::SmallVec;
use std::borrow::Cow;
use std::cmp::Ordering;

impl Body {
    /// Memory of its own without gaps, laid out by `strides`; row-major for `None`.
    pub(crate) fn alloc_in(shape: Dims, strides: Option<Dims>, dtype: DType, device: Device) -> Result<Body> {
        let mut body = Body::alloc(shape, dtype, device)?;
        if let Some(strides) = strides {
            body.strides = strides;
        }
        Ok(body)
    }

    /// Are the strides those of a new contiguous tensor? Those of a contiguous one may be others where a size is 1 or 0;
    /// a tensor without elements never counts.
    #[inline]
    pub(crate) fn is_row_major(&self) -> bool {
        let mut step = 1;
        for (&size, &stride) in self.shape.iter().zip(&self.strides).rev() {
            if stride != step {
                return false;
            }
            step = usize::wrapping_mul(step, size);
        }
        step != 0
    }

    /// Does each place from the first element to the last hold one element, in whatever order?
    pub(crate) fn is_dense(&self) -> bool {
        if self.is_contiguous() || self.shape.contains(&0) {
            return true;
        }
        let mut dims: SmallVec<[(usize, usize); 6]> =
            self.strides.iter().copied().zip(self.shape.iter().copied()).filter(|&(_, size)| size > 1).collect();
        dims.sort_unstable();
        let mut step = 1usize;
        dims.iter().all(|&(stride, size)| {
            let fits = stride == step;
            step = step.saturating_mul(size);
            fits
        })
    }

    /// Dimensions from the outermost to the innermost in memory.
    pub(crate) fn memory_order(&self) -> Dims {
        let mut order = innermost_first(&self.shape, &[&self.strides]);
        order.reverse();
        order
    }

    /// The same elements with the dimensions in this order.
    pub(crate) fn in_order(&self, order: &[usize]) -> Body {
        let ordered = |list: &Dims| order.iter().map(|&d| list[d]).collect();
        self.view(ordered(&self.shape), ordered(&self.strides), self.offset)
    }
}

/// Dimensions from the innermost to the outermost in memory, as PyTorch's iterators order them (`TensorIterator.cpp`,
/// `reorder_dimensions`): by rising stride, and among equal strides the larger size outside. A stride of 0 says nothing;
/// where an operand tells two dimensions not apart, the next one is asked.
fn innermost_first(shape: &[usize], operands: &[&Dims]) -> Dims {
    let compare = |a: usize, b: usize| {
        for strides in operands.iter().filter(|strides| strides[a] != 0 && strides[b] != 0) {
            match strides[a].cmp(&strides[b]) {
                Ordering::Equal if shape[a] > shape[b] => return Ordering::Greater,
                Ordering::Equal => {}
                told => return told,
            }
        }
        Ordering::Equal
    };
    // By insertion, because the comparison is no total order.
    let mut order: Dims = (0..shape.len()).rev().collect();
    for i in 1..order.len() {
        let mut at = i;
        for before in (0..i).rev() {
            match compare(order[before], order[at]) {
                Ordering::Less => break,
                Ordering::Equal => {}
                Ordering::Greater => {
                    order.swap(before, at);
                    at = before;
                }
            }
        }
    }
    order
}

/// Strides without gaps for dimensions that lie in memory in this order, the innermost first.
pub(super) fn dense_strides(shape: &Dims, order: impl IntoIterator<Item = usize>) -> Dims {
    let mut strides = Dims::repeat(1, shape.len());
    let mut step = 1usize;
    for d in order {
        strides[d] = step;
        step = step.saturating_mul(shape[d]);
    }
    strides
}

/// Strides of a dense copy that lies as `body` does (`preserve_format`); `None` where that is row-major.
pub(crate) fn preserved_strides(body: &Body) -> Option<Dims> {
    if body.is_row_major() {
        return None;
    }
    match body.is_dense() {
        true => Some(body.strides.clone()),
        false => Some(dense_strides(&body.shape, innermost_first(&body.shape, &[&body.strides]).iter().copied())),
    }
}

/// Strides of the result of an elementwise operation that computes in `dtype` and broadcasts its operands to `shape`;
/// `None` where they are row-major. See [`MemoryFormat`].
///
/// Operands of another dtype count as their converted copies would lie; the one at `mask` is never converted.
pub(crate) fn result_strides(shape: &Dims, operands: &[Body], dtype: DType, mask: Option<usize>) -> Option<Dims> {
    // The first one with dimensions decides alone where it tells all of them apart.
    let first = operands.iter().find(|body| !body.shape.is_empty())?;
    if first.shape == *shape && first.is_row_major() && !shape.contains(&1) {
        return None;
    }
    let operands: SmallVec<[Cow<'_, Body>; 3]> = (operands.iter().enumerate())
        .map(|(i, body)| match preserved_strides(body).filter(|_| body.dtype != dtype && Some(i) != mask) {
            Some(strides) => Cow::Owned(body.view(body.shape.clone(), strides, body.offset)),
            None => Cow::Borrowed(body),
        })
        .collect();
    if operands.iter().all(|body| body.shape == *shape) {
        if shape.contains(&0) || operands.iter().all(|body| body.is_contiguous()) {
            return None;
        }
        if operands.iter().all(|body| body.lies_in(MemoryFormat::ChannelsLast)) {
            return MemoryFormat::ChannelsLast.dense_strides(shape);
        }
        let strides = &operands[0].strides;
        if operands.iter().all(|body| body.strides == *strides && body.is_dense()) {
            return Some(strides.clone());
        }
    }
    let stretched: SmallVec<[Dims; 3]> = operands.iter().map(|body| stretched_strides(body, shape)).collect();
    let order = innermost_first(shape, &stretched.iter().collect::<SmallVec<[&Dims; 3]>>());
    let is_row_major = order.iter().rev().copied().eq(0..shape.len());
    (!is_row_major).then(|| dense_strides(shape, order.iter().copied()))
}

/// Strides of an operand that is broadcast to `shape`: 0 where it is stretched or has no dimension.
fn stretched_strides(body: &Body, shape: &Dims) -> Dims {
    let front = shape.len() - body.shape.len();
    let mut strides = Dims::repeat(0, shape.len());
    for (d, (&size, &stride)) in body.shape.iter().zip(&body.strides).enumerate() {
        if size == shape[front + d] {
            strides[front + d] = stride;
        }
    }
    strides
}
