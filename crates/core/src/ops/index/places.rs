//! Places that an index names along a dimension, checked against what is written there.

use super::run::{as_i64, is_index_dtype, out_of_bounds, raised, run};
use crate::backend::{self, Indexing};
use crate::{Body, DType, Dims, Error, Result, Tensor, wrap_dim};

/// The shape of a body that is seen with one dimension at least.
pub(super) fn seen(shape: &Dims) -> Dims {
    if shape.is_empty() { Dims::from([1]) } else { shape.clone() }
}

/// `[.., index[.., i, ..], ..]` for each place of an index.
pub(super) struct Places {
    /// Dimension of the table that is indexed.
    pub dim: usize,
    /// The index as it was given.
    pub index: Tensor,
    /// Its shape, with one dimension at least.
    pub shape: Dims,
    size: usize,
    index64: Body,
}

impl Places {
    /// Places in `x` for the elements of `src`, or for one number. Both are resolved.
    pub fn new(op: &'static str, x: &Tensor, dim: i64, index: Tensor, src: Option<&Tensor>) -> Result<Places> {
        let own = x.shape();
        let dim = wrap_dim(op, dim, own.len())?;
        let (own, shape) = (seen(&own), seen(&index.shape()));
        let empty = index.numel() == 0;
        if !empty && !is_index_dtype(index.dtype()) {
            return Err(Error::runtime(op, "scatter(): Expected dtype int32/int64 for index"));
        }
        if src.is_some_and(|src| src.dtype() != x.dtype()) {
            return Err(Error::runtime(op, "scatter(): Expected self.dtype to be equal to src.dtype"));
        }
        if !empty {
            check_shapes(op, dim, &own, &shape, src.map(|src| seen(&src.shape())))?;
        }
        let index64 = if empty { index.detach().body() } else { raised(as_i64(&index)?) };
        Ok(Places { dim, size: own[dim], index64, shape, index })
    }

    /// Writes the elements of `spread`, which pair with the index, to their places in `table`.
    pub fn write(&self, op: &'static str, kind: Indexing, spread: &Body, table: &Body) -> Result<()> {
        if self.index.numel() == 0 {
            return Ok(());
        }
        run(kind, self.dim, spread, &self.index64, table, |i| out_of_bounds(op, i, self.dim, self.size))
    }

    /// As [`Places::write`]; what is combined in 16 bits is combined in single precision, as in PyTorch.
    pub fn combine(&self, op: &'static str, kind: Indexing, spread: &Body, table: &Body) -> Result<()> {
        if kind == Indexing::Scatter || !matches!(table.dtype, DType::F16 | DType::BF16) {
            return self.write(op, kind, spread, table);
        }
        let backend = backend::of(table.device())?;
        let wide = |body: &Body| -> Result<Body> {
            let wide = Body::alloc(body.shape.clone(), DType::F32, body.device())?;
            backend.copy(body, &wide)?;
            Ok(wide)
        };
        let combined = wide(table)?;
        self.write(op, kind, &wide(spread)?, &combined)?;
        backend.copy(&combined, table)
    }

    /// The elements of `src` that pair with the index.
    pub fn paired(&self, src: &Body) -> Body {
        if self.index.numel() == 0 {
            return src.clone();
        }
        let src = raised(src.clone());
        src.view(self.shape.clone(), src.strides.clone(), src.offset)
    }

    /// One number for every place of the index.
    pub fn repeated(&self, number: &Body) -> Body {
        number.view(self.shape.clone(), Dims::repeat(0, self.shape.len()), number.offset)
    }
}

fn check_shapes(op: &'static str, dim: usize, own: &Dims, wanted: &Dims, src: Option<Dims>) -> Result<()> {
    if own.len() != wanted.len() {
        return Err(Error::runtime(op, "Index tensor must have the same number of dimensions as self tensor"));
    }
    if src.as_ref().is_some_and(|s| s.len() != wanted.len()) {
        return Err(Error::runtime(op, "Index tensor must have the same number of dimensions as src tensor"));
    }
    let beyond = (0..own.len()).any(|d| d != dim && wanted[d] > own[d]);
    let beyond_src = src.as_ref().is_some_and(|s| (0..s.len()).any(|d| wanted[d] > s[d]));
    if !beyond && !beyond_src {
        return Ok(());
    }
    let mut text = format!("Expected index {wanted:?} to be no larger than self {own:?} apart from dimension {dim}");
    if let Some(shape) = src {
        text += &format!(" and to be no larger size than src {shape:?}");
    }
    Err(Error::runtime(op, text))
}

/// The part of `src` that pairs with an index of this shape, as part of the graph.
pub(super) fn corner(src: &Tensor, shape: &Dims) -> Result<Tensor> {
    let (has, mut part) = (src.shape(), src.clone());
    for (d, (&size, &wanted)) in has.iter().zip(shape).enumerate() {
        if size != wanted {
            part = part.narrow(d as i64, 0, wanted as i64)?;
        }
    }
    Ok(part)
}

/// The gradient of a source from that of its [`corner`]: what lies beyond the index went nowhere.
pub(super) fn uncornered(grad: &Tensor, shape: &Dims) -> Result<Tensor> {
    let has = grad.shape();
    if has == *shape {
        return Ok(grad.clone());
    }
    if has.len() != shape.len() {
        return grad.reshape(shape);
    }
    let missing = shape.iter().zip(&has).rev().flat_map(|(&n, &p)| [0, (n - p) as i64]);
    grad.constant_pad_nd(missing.collect::<crate::Sizes>(), 0)
}
