//! Elements picked and written along one dimension, each by an index of its own.

use super::run::{as_i64, gathered, is_index_dtype, out_of_bounds, raised, run};
use crate::backend::Indexing;
use crate::ops::record::{linear, written};
use crate::{Body, DType, Dims, Error, Result, Scalar, Tensor, broadcast_shapes, wrap_dim};
use smallvec::smallvec;

fn seen(shape: &Dims) -> Dims {
    if shape.is_empty() { Dims::from([1]) } else { shape.clone() }
}

impl Tensor {
    /// Element `[.., index[.., i, ..], ..]` at each place of `index`, which has the tensor's rank and, outside `dim`,
    /// is no larger.
    ///
    /// # Errors
    /// Shapes that do not fit, or an index that is not there.
    ///
    /// ```
    /// # use firebrick_core::Tensor;
    /// let x = Tensor::new([[1, 2], [3, 4]])?;
    /// assert_eq!(x.gather(1, &Tensor::new([[0i64], [1]])?)?.to_vec::<i32>()?, [1, 4]);
    /// # Ok::<_, firebrick_core::Error>(())
    /// ```
    pub fn gather(&self, dim: i64, index: &Tensor) -> Result<Tensor> {
        const OP: &str = "gather";
        let (x, index) = (self.resolve(OP)?, index.resolve(OP)?);
        let (body, places) = (x.body(), index.body());
        let dim = wrap_dim(OP, dim, body.shape.len())?;
        let empty = places.numel() == 0;
        if !empty && !is_index_dtype(places.dtype) {
            return Err(Error::runtime(OP, "gather(): Expected dtype int32/int64 for index"));
        }
        let (own, wanted) = (seen(&body.shape), seen(&places.shape));
        if !empty {
            if own.len() != wanted.len() {
                return Err(Error::runtime(OP, "Index tensor must have the same number of dimensions as input tensor"));
            }
            if let Some(d) = (0..own.len()).find(|&d| d != dim && wanted[d] > own[d]) {
                return Err(Error::runtime(
                    OP,
                    format!(
                        "Size does not match at dimension {d} expected index {:?} to be no larger than self {:?} apart from dimension {dim}",
                        places.shape, body.shape
                    ),
                ));
            }
        }
        let out = match empty {
            true => Body::alloc(places.shape.clone(), body.dtype, body.device())?,
            false => gathered(&raised(body.clone()), dim, &as_i64(&index)?, |i| out_of_bounds(OP, i, dim, own[dim]))?,
        };
        let like = body.shape;
        Ok(linear("GatherBackward0", &[&x], Tensor::from_body(out), move |g, _| {
            Ok(smallvec![Some(g.new_zeros(&like)?.scatter_add(dim as i64, &index, g)?)])
        }))
    }

    /// [`Tensor::gather`] with `indices` (int64) that broadcast; without `dim`, into the flattened tensor.
    ///
    /// # Errors
    /// Another rank, dtype, or an index that is not there.
    pub fn take_along_dim(&self, indices: &Tensor, dim: impl Into<Option<i64>>) -> Result<Tensor> {
        const OP: &str = "take_along_dim";
        let (x, indices) = (self.resolve(OP)?, indices.resolve(OP)?);
        if indices.dtype() != DType::I64 {
            let text = format!(
                "torch.take_along_dim(): dtype of indices should be Long but got {}",
                indices.dtype().scalar_name()
            );
            return Err(Error::runtime(OP, text));
        }
        let Some(dim) = dim.into() else {
            return x.reshape([-1])?.gather(0, &indices.reshape([-1])?);
        };
        let (own, wanted) = (x.shape(), indices.shape());
        if own.len() != wanted.len() {
            return Err(Error::runtime(
                OP,
                format!(
                    "torch.take_along_dim(): input and indices should have the same number of dimensions, but got {} dimensions for input, and {} dimensions for indices",
                    own.len(),
                    wanted.len()
                ),
            ));
        }
        let dim = wrap_dim(OP, dim, own.len())?;
        let common = |d: usize| {
            let (mut a, mut b) = (own.clone(), wanted.clone());
            (a[d], b[d]) = (1, 1);
            broadcast_shapes(OP, &a, &b)
        };
        let (mut table, mut places) = (common(dim)?, common(dim)?);
        (table[dim], places[dim]) = (own[dim], wanted[dim]);
        // Indices are taken modulo the size, as PyTorch does here and nowhere else.
        let indices = indices.remainder(own[dim] as i64)?;
        x.expand(table)?.gather(dim as i64, &indices.expand(places)?)
    }

    /// This tensor with `src` written at the places that `index` names along `dim`, as [`Tensor::gather`] reads them.
    ///
    /// # Errors
    /// Shapes or dtypes that do not fit, or an index that is not there.
    pub fn scatter(&self, dim: i64, index: &Tensor, src: &Tensor) -> Result<Tensor> {
        scatter(self, dim, index, Source::Tensor(src), Indexing::Scatter, None)
    }

    /// In-place form of [`Tensor::scatter`].
    pub fn scatter_(&self, dim: i64, index: &Tensor, src: &Tensor) -> Result<&Tensor> {
        scatter(self, dim, index, Source::Tensor(src), Indexing::Scatter, Some("scatter_"))?;
        Ok(self)
    }

    /// [`Tensor::scatter`] of one number.
    pub fn scatter_value(&self, dim: i64, index: &Tensor, value: impl Into<Scalar>) -> Result<Tensor> {
        scatter(self, dim, index, Source::Number(value.into()), Indexing::Scatter, None)
    }

    /// In-place form of [`Tensor::scatter_value`].
    pub fn scatter_value_(&self, dim: i64, index: &Tensor, value: impl Into<Scalar>) -> Result<&Tensor> {
        scatter(self, dim, index, Source::Number(value.into()), Indexing::Scatter, Some("scatter_"))?;
        Ok(self)
    }

    /// [`Tensor::scatter`] that adds: places that are named several times get the sum.
    ///
    /// # Errors
    /// Shapes or dtypes that do not fit, or an index that is not there.
    pub fn scatter_add(&self, dim: i64, index: &Tensor, src: &Tensor) -> Result<Tensor> {
        scatter(self, dim, index, Source::Tensor(src), Indexing::ScatterAdd, None)
    }

    /// In-place form of [`Tensor::scatter_add`].
    pub fn scatter_add_(&self, dim: i64, index: &Tensor, src: &Tensor) -> Result<&Tensor> {
        scatter(self, dim, index, Source::Tensor(src), Indexing::ScatterAdd, Some("scatter_add_"))?;
        Ok(self)
    }
}

enum Source<'a> {
    Tensor(&'a Tensor),
    Number(Scalar),
}

/// The part of a body that an index of `shape` pairs with.
fn corner(body: &Body, shape: &Dims) -> Body {
    body.view(shape.clone(), body.strides.clone(), body.offset)
}

fn scatter(
    x: &Tensor,
    dim: i64,
    index: &Tensor,
    source: Source<'_>,
    kind: Indexing,
    in_place: Option<&'static str>,
) -> Result<Tensor> {
    const OP: &str = "scatter";
    let (x, index) = (x.resolve(OP)?, index.resolve(OP)?);
    let (body, places) = (x.body(), index.body());
    let dim = wrap_dim(OP, dim, body.shape.len())?;
    let empty = places.numel() == 0;
    if !empty && !is_index_dtype(places.dtype) {
        return Err(Error::runtime(OP, "scatter(): Expected dtype int32/int64 for index"));
    }
    let source = match source {
        Source::Number(number) => Err(Tensor::full_with((), number, body.dtype)?.to(body.device())?),
        Source::Tensor(tensor) => Ok(tensor.resolve(OP)?),
    };
    if let Ok(src) = &source
        && src.dtype() != body.dtype
    {
        return Err(Error::runtime(OP, "scatter(): Expected self.dtype to be equal to src.dtype"));
    }
    let (own, wanted) = (seen(&body.shape), seen(&places.shape));
    if !empty {
        check_scatter(OP, dim, &own, &wanted, source.as_ref().ok())?;
    }
    let index64 = raised(as_i64(&index)?);
    let spread = match &source {
        Ok(src) if !empty => corner(&raised(src.detach().body()), &wanted),
        Ok(src) => src.detach().body(),
        Err(number) => number.body().view(wanted.clone(), Dims::repeat(0, wanted.len()), 0),
    };
    let size = own[dim];
    let write = |out: &Body| match empty {
        true => Ok(()),
        false => run(kind, dim, &spread, &index64, out, |i| out_of_bounds(OP, i, dim, size)),
    };
    let adds = kind == Indexing::ScatterAdd;
    match &source {
        Err(_) => written("ScatterBackward1", &[&x], in_place, write, move |g, _| {
            Ok(smallvec![Some(g.scatter_value(dim as i64, &index, 0)?)])
        }),
        Ok(src) => {
            let name = if adds { "ScatterAddBackward0" } else { "ScatterBackward0" };
            let shape = src.shape();
            written(name, &[&x, src], in_place, write, move |g, needs| {
                let kept = || if adds { Ok(g.clone()) } else { g.scatter_value(dim as i64, &index, 0) };
                // Elements of the source beyond the index went nowhere.
                let given = || {
                    let part = g.gather(dim as i64, &index)?;
                    let has = part.shape();
                    let missing = shape.iter().zip(&has).rev().flat_map(|(&n, &p)| [0, (n - p) as i64]);
                    part.constant_pad_nd(missing.collect::<crate::Sizes>(), 0)
                };
                Ok(smallvec![needs[0].then(kept).transpose()?, needs[1].then(given).transpose()?])
            })
        }
    }
}

fn check_scatter(op: &'static str, dim: usize, own: &Dims, wanted: &Dims, src: Option<&Tensor>) -> Result<()> {
    if own.len() != wanted.len() {
        return Err(Error::runtime(op, "Index tensor must have the same number of dimensions as self tensor"));
    }
    let shape = src.map(|s| seen(&s.shape()));
    if shape.as_ref().is_some_and(|s| s.len() != wanted.len()) {
        return Err(Error::runtime(op, "Index tensor must have the same number of dimensions as src tensor"));
    }
    let beyond = (0..own.len()).any(|d| d != dim && wanted[d] > own[d]);
    let beyond_src = shape.as_ref().is_some_and(|s| (0..s.len()).any(|d| wanted[d] > s[d]));
    if !beyond && !beyond_src {
        return Ok(());
    }
    let mut text = format!("Expected index {wanted:?} to be no larger than self {own:?} apart from dimension {dim}");
    if let Some(shape) = shape {
        text += &format!(" and to be no larger size than src {shape:?}");
    }
    Err(Error::runtime(op, text))
}
