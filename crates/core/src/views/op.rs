//! What a view does to a body: shape, strides and offset, never the memory.

use crate::tensor::Body;
use crate::{Dims, Error, Result};

/// One step from a tensor to a view of it. All dimensions are resolved and checked.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum ViewOp {
    /// The same elements under another name.
    Alias,
    /// The same elements in another shape.
    View(Dims),
    /// One index of `dim`, which disappears.
    Select { dim: usize, index: usize },
    /// `len` indices of `dim` from `start`, each `step` apart.
    Slice { dim: usize, start: usize, len: usize, step: usize },
    /// Dimensions in another order.
    Permute(Dims),
    /// Dimensions of size 1 repeated, and new ones in front, without copying.
    Expand(Dims),
    /// Dimensions of size 1 dropped.
    Squeeze(Dims),
    /// A dimension of size 1 before `dim`.
    Unsqueeze { dim: usize },
    /// Windows of `size` every `step` along `dim`, in a new last dimension.
    Unfold { dim: usize, size: usize, step: usize },
    /// The diagonal of two dimensions, in a new last dimension.
    Diagonal { offset: i64, dim1: usize, dim2: usize },
    /// Any shape, strides and offset over the storage.
    AsStrided { shape: Dims, strides: Dims, offset: usize },
    /// The parts of complex numbers in a new last dimension.
    AsReal,
    /// Pairs in the last dimension as complex numbers.
    AsComplex,
}

/// Strides and offsets of tensors without elements may be as large as numbers get: nothing is read there.
impl ViewOp {
    /// The view of `body`.
    pub fn apply(&self, op: &'static str, body: &Body) -> Result<Body> {
        let (mut shape, mut strides, mut offset) = (body.shape.clone(), body.strides.clone(), body.offset);
        match self {
            ViewOp::Alias => {}
            ViewOp::View(new) => {
                strides = view_strides(body, new).ok_or_else(|| not_viewable(op, body, new))?;
                shape = new.clone();
            }
            ViewOp::Select { dim, index } => {
                offset = offset.saturating_add(index.saturating_mul(strides[*dim]));
                shape.remove(*dim);
                strides.remove(*dim);
            }
            ViewOp::Slice { dim, start, len, step } => {
                offset = offset.saturating_add(start.saturating_mul(strides[*dim]));
                shape[*dim] = *len;
                strides[*dim] = strides[*dim].saturating_mul(*step);
            }
            ViewOp::Permute(order) => {
                shape = order.iter().map(|&d| body.shape[d]).collect();
                strides = order.iter().map(|&d| body.strides[d]).collect();
            }
            ViewOp::Expand(new) => {
                let front = new.len() - shape.len();
                strides = (0..new.len())
                    .map(|d| if d < front || (shape[d - front] == 1 && new[d] != 1) { 0 } else { strides[d - front] })
                    .collect();
                shape = new.clone();
            }
            ViewOp::Squeeze(dims) => {
                let keep = |d: &usize| !dims.contains(d);
                shape = (0..body.shape.len()).filter(keep).map(|d| body.shape[d]).collect();
                strides = (0..body.shape.len()).filter(keep).map(|d| body.strides[d]).collect();
            }
            ViewOp::Unsqueeze { dim } => {
                let stride = if *dim < shape.len() { shape[*dim].saturating_mul(strides[*dim]) } else { 1 };
                shape.insert(*dim, 1);
                strides.insert(*dim, stride);
            }
            ViewOp::Unfold { dim, size, step } => {
                if shape.is_empty() {
                    shape.push(*size);
                    strides.push(1);
                } else {
                    let stride = strides[*dim];
                    shape[*dim] = (shape[*dim] - size) / step + 1;
                    strides[*dim] = stride.saturating_mul(*step);
                    shape.push(*size);
                    strides.push(stride);
                }
            }
            ViewOp::Diagonal { offset: shift, dim1, dim2 } => {
                let (len, start) = diagonal(body, *shift, *dim1, *dim2);
                offset = offset.saturating_add(start);
                let stride = strides[*dim1].saturating_add(strides[*dim2]);
                for dim in [*dim1.max(dim2), *dim1.min(dim2)] {
                    shape.remove(dim);
                    strides.remove(dim);
                }
                shape.push(len);
                strides.push(stride);
            }
            ViewOp::AsStrided { shape: s, strides: t, offset: o } => {
                (shape, strides, offset) = (s.clone(), t.clone(), *o);
            }
            ViewOp::AsReal => return Ok(body.as_real()),
            ViewOp::AsComplex => return Ok(body.as_complex()),
        }
        Ok(body.view(shape, strides, offset))
    }
}

/// Length of a diagonal and the offset of its first element.
fn diagonal(body: &Body, shift: i64, dim1: usize, dim2: usize) -> (usize, usize) {
    let (rows, columns) = (body.shape[dim1] as i64, body.shape[dim2] as i64);
    let len =
        if shift >= 0 { rows.min(columns.saturating_sub(shift)) } else { (rows.saturating_add(shift)).min(columns) };
    if len <= 0 {
        return (0, 0);
    }
    let start = if shift >= 0 {
        (shift as usize).saturating_mul(body.strides[dim2])
    } else {
        (shift.unsigned_abs() as usize).saturating_mul(body.strides[dim1])
    };
    (len as usize, start)
}

/// Strides that show `body` in another shape, where no copy is needed for it (PyTorch's `computeStride`).
pub(crate) fn view_strides(body: &Body, shape: &Dims) -> Option<Dims> {
    if body.numel() == 0 {
        return Some(if *shape == body.shape { body.strides.clone() } else { shape.contiguous_strides() });
    }
    let mut strides = Dims::repeat(1, shape.len());
    // Walk over chunks of dimensions that lie contiguously, matching each with a run of new ones.
    let mut new = shape.len();
    let (mut chunk, mut base) = (1usize, body.strides.last().copied().unwrap_or(1));
    for d in (0..body.shape.len()).rev() {
        chunk *= body.shape[d];
        let ends = d == 0 || (body.shape[d - 1] != 1 && body.strides[d - 1] != chunk * base);
        if !ends {
            continue;
        }
        let mut done = 1;
        while new > 0 && (done < chunk || shape[new - 1] == 1) {
            new -= 1;
            strides[new] = done * base;
            done *= shape[new];
        }
        if done != chunk {
            return None;
        }
        if d > 0 {
            (chunk, base) = (1, body.strides[d - 1]);
        }
    }
    if body.shape.is_empty() {
        return Some(strides);
    }
    (new == 0).then_some(strides)
}

fn not_viewable(op: &'static str, body: &Body, shape: &Dims) -> Error {
    Error::runtime(
        op,
        "view size is not compatible with input tensor's size and stride (at least one dimension spans across two contiguous subspaces). Use .reshape(...) instead.",
    )
    .given(format!("shape {:?}, strides {:?}, as {shape:?}", body.shape, body.strides))
}
