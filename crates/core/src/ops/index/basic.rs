//! Indexing as `x[...]` in Python: reading and writing.

use super::item::{IndexItem, IntoIndex, Slice};
use super::run::out_of_bounds_text;
use crate::tensor::copy::expanded;
use crate::{DType, Device, Error, Operand, Result, Tensor};

const OP: &str = "index";

/// A tensor after the integers, ranges and new dimensions of an index, and the index tensors by dimension of it.
struct Sliced {
    view: Tensor,
    tensors: Vec<Option<Tensor>>,
}

/// Dimensions of the indexed tensor that a part of the index stands for.
fn covers(item: &IndexItem) -> usize {
    match item {
        IndexItem::Int(_) | IndexItem::Slice(_) => 1,
        IndexItem::Ellipsis | IndexItem::NewAxis | IndexItem::Bool(_) => 0,
        IndexItem::Tensor(t) if matches!(t.dtype(), DType::Bool | DType::U8) => t.dim(),
        IndexItem::Tensor(_) => 1,
    }
}

fn check_count(x: &Tensor, items: &[IndexItem]) -> Result<usize> {
    let (rank, given) = (x.dim(), items.iter().map(covers).sum::<usize>());
    if rank == 0 && items.len() == 1 {
        match items[0] {
            IndexItem::Int(_) => {
                return Err(Error::index(
                    OP,
                    "invalid index of a 0-dim tensor. Use `tensor.item()` in Python or `tensor.item<T>()` in C++ to convert a 0-dim tensor to a number",
                ));
            }
            IndexItem::Slice(_) => return Err(Error::index(OP, "slice() cannot be applied to a 0-dim tensor.")),
            _ => {}
        }
    }
    rank.checked_sub(given).ok_or_else(|| Error::index(OP, format!("too many indices for tensor of dimension {rank}")))
}

fn sliced(x: &Tensor, items: Vec<IndexItem>) -> Result<Sliced> {
    let rest = check_count(x, &items)?;
    let mut out = Sliced { view: x.clone(), tensors: Vec::new() };
    // `dim` counts dimensions of the view, `real` those of the tensor.
    let (mut dim, mut real) = (0usize, 0usize);
    for item in items {
        match item {
            IndexItem::Int(index) => {
                let size = out.view.shape()[dim];
                if index < -(size as i64) || index >= size as i64 {
                    return Err(Error::index(OP, out_of_bounds_text(index, real, size)));
                }
                out.view = out.view.select(dim as i64, index)?;
                real += 1;
            }
            IndexItem::Slice(Slice { start, stop, step }) => {
                if step <= 0 {
                    let text = if step == 0 { "slice step cannot be zero" } else { "step must be greater than zero" };
                    return Err(Error::value(OP, text));
                }
                out.view = out.view.slice(dim as i64, start, stop, step)?;
                dim += 1;
                real += 1;
            }
            IndexItem::Ellipsis => {
                dim += rest;
                real += rest;
            }
            IndexItem::NewAxis => {
                out.view = out.view.unsqueeze(dim as i64)?;
                dim += 1;
            }
            IndexItem::Bool(truth) => {
                out.view = out.view.unsqueeze(dim as i64)?;
                out.put(dim, Tensor::from_slice_with(&[truth], [1], Device::Cpu)?);
                dim += 1;
            }
            IndexItem::Tensor(index) => {
                let covered = covers(&IndexItem::Tensor(index.clone()));
                if covered == 0 {
                    out.view = out.view.unsqueeze(dim as i64)?;
                    out.put(dim, index.reshape([1])?);
                    dim += 1;
                } else {
                    out.put(dim, index);
                    dim += covered;
                    real += covered;
                }
            }
        }
    }
    Ok(out)
}

impl Sliced {
    fn put(&mut self, dim: usize, index: Tensor) {
        self.tensors.resize(dim.max(self.tensors.len()), None);
        self.tensors.push(Some(index));
    }
}

/// Leading dimensions of size 1 do not count where a value is written.
fn without_leading_ones(value: &Tensor) -> Result<Tensor> {
    let shape = value.shape();
    match shape.iter().position(|&n| n != 1).unwrap_or(shape.len()) {
        0 => Ok(value.clone()),
        first => value.reshape(&shape[first..]),
    }
}

impl Tensor {
    /// Python's `x[...]`: a view for integers, ranges, `..`, [`Ellipsis`](crate::Ellipsis) and
    /// [`NewAxis`](crate::NewAxis); a copy where index tensors or masks take part.
    ///
    /// # Errors
    /// More parts than dimensions, or an index that is not there.
    ///
    /// ```
    /// use firebrick_core::{Ellipsis, NewAxis, Tensor};
    /// let x = Tensor::new([[1, 2, 3], [4, 5, 6]])?;
    /// assert_eq!(x.i((.., 0))?.to_vec::<i32>()?, [1, 4]);
    /// assert_eq!(x.i((-1, 1..))?.to_vec::<i32>()?, [5, 6]);
    /// assert_eq!(x.i((NewAxis, Ellipsis, 0..2))?.shape(), [1, 2, 2]);
    /// # Ok::<_, firebrick_core::Error>(())
    /// ```
    #[track_caller]
    pub fn i(&self, index: impl IntoIndex) -> Result<Tensor> {
        let _running = crate::source::operation();
        let x = self.resolve(OP)?;
        let Sliced { view, tensors } = sliced(&x, index.into_index())?;
        if !tensors.is_empty() {
            return view.index(&tensors);
        }
        if view.ptr_eq(&x) { view.alias() } else { Ok(view) }
    }

    /// Python's `x[...] = value`: writes a tensor, which broadcasts, or a number.
    ///
    /// # Errors
    /// As [`Tensor::i`]; `value` does not broadcast, or has another dtype where index tensors take part; this tensor is a leaf that requires grad, outside `no_grad`.
    ///
    /// ```
    /// use firebrick_core::Tensor;
    /// let x = Tensor::new([[1, 2], [3, 4]])?;
    /// x.set((.., 0), 9)?;
    /// assert_eq!(x.to_vec::<i32>()?, [9, 2, 9, 4]);
    /// # Ok::<_, firebrick_core::Error>(())
    /// ```
    #[track_caller]
    pub fn set(&self, index: impl IntoIndex, value: impl Operand) -> Result<&Tensor> {
        let _running = crate::source::operation();
        let (x, value) = (self.resolve(OP)?, value.into_operand()?.resolved(OP)?);
        let Sliced { view, tensors } = sliced(&x, index.into_index())?;
        if !tensors.is_empty() {
            // A number takes the dtype, a 0-dimensional tensor the device; other tensors must have them.
            let value = match (value.is_wrapped_number(), value.dim()) {
                (true, _) => value.to((view.device(), view.dtype()))?,
                (false, 0) => value.to(view.device())?,
                (false, _) => without_leading_ones(&value)?,
            };
            view.index_put_(&tensors, &value, false)?;
            return Ok(self);
        }
        if value.is_wrapped_number() {
            view.fill_(value.item_scalar()?)?;
            return Ok(self);
        }
        // The words are those of `expand`, not of `copy_`.
        let shape = view.shape();
        if expanded(OP, &value.body(), &shape).is_err() {
            without_leading_ones(&value.detach())?.expand(&shape)?;
        }
        view.copy_(&without_leading_ones(&value)?)?;
        Ok(self)
    }
}
