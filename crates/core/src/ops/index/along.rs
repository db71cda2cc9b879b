//! Elements picked and written along one dimension, each by an index of its own.

use super::places::{Places, seen, uncornered};
use super::run::{as_i64, gathered, is_index_dtype, out_of_bounds, raised};
use crate::backend::Indexing;
use crate::ops::record::{linear, written};
use crate::{Body, DType, Error, Result, Scalar, Tensor, broadcast_shapes, wrap_dim};
use smallvec::smallvec;

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
    ///
    /// ```
    /// # use firebrick_core::Tensor;
    /// let x = Tensor::new([[10, 30, 20], [60, 40, 50]])?;
    /// assert_eq!(x.take_along_dim(&x.argsort(1, false)?, 1)?.to_vec::<i32>()?, [10, 20, 30, 40, 50, 60]);
    /// # Ok::<_, firebrick_core::Error>(())
    /// ```
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
    ///
    /// ```
    /// # use firebrick_core::Tensor;
    /// let index = Tensor::new([[0i64, 2]])?;
    /// assert_eq!(Tensor::zeros([1, 3])?.scatter(1, &index, &Tensor::new([[5.0f32, 7.0]])?)?.to_vec::<f32>()?, [5.0, 0.0, 7.0]);
    /// # Ok::<_, firebrick_core::Error>(())
    /// ```
    pub fn scatter(&self, dim: i64, index: &Tensor, src: &Tensor) -> Result<Tensor> {
        scatter(self, dim, index, src, Indexing::Scatter, None)
    }

    #[doc = crate::ops::in_place_doc!(scatter_ of scatter (0, &Tensor::new([1i64])?, &Tensor::new([7.0f32])?))]
    #[track_caller]
    pub fn scatter_(&self, dim: i64, index: &Tensor, src: &Tensor) -> Result<&Tensor> {
        let _running = crate::source::operation();
        scatter(self, dim, index, src, Indexing::Scatter, Some("scatter_"))?;
        Ok(self)
    }

    /// [`Tensor::scatter`] of one number.
    ///
    /// ```
    /// # use firebrick_core::Tensor;
    /// let index = Tensor::new([0i64, 2])?;
    /// assert_eq!(Tensor::zeros([3])?.scatter_value(0, &index, 9)?.to_vec::<f32>()?, [9.0, 0.0, 9.0]);
    /// # Ok::<_, firebrick_core::Error>(())
    /// ```
    pub fn scatter_value(&self, dim: i64, index: &Tensor, value: impl Into<Scalar>) -> Result<Tensor> {
        scatter_value(self, dim, index, value.into(), None)
    }

    #[doc = crate::ops::in_place_doc!(scatter_value_ of scatter_value (0, &Tensor::new([1i64])?, 7))]
    #[track_caller]
    pub fn scatter_value_(&self, dim: i64, index: &Tensor, value: impl Into<Scalar>) -> Result<&Tensor> {
        let _running = crate::source::operation();
        scatter_value(self, dim, index, value.into(), Some("scatter_"))?;
        Ok(self)
    }

    /// [`Tensor::scatter`] that adds: places that are named several times get the sum.
    ///
    /// # Errors
    /// Shapes or dtypes that do not fit, or an index that is not there.
    ///
    /// ```
    /// # use firebrick_core::Tensor;
    /// let (index, src) = (Tensor::new([0i64, 0, 2])?, Tensor::new([1.0f32, 2.0, 4.0])?);
    /// assert_eq!(Tensor::zeros([3])?.scatter_add(0, &index, &src)?.to_vec::<f32>()?, [3.0, 0.0, 4.0]);
    /// # Ok::<_, firebrick_core::Error>(())
    /// ```
    pub fn scatter_add(&self, dim: i64, index: &Tensor, src: &Tensor) -> Result<Tensor> {
        scatter(self, dim, index, src, Indexing::ScatterAdd, None)
    }

    #[doc = crate::ops::in_place_doc!(scatter_add_ of scatter_add (0, &Tensor::new([0i64, 0])?, &Tensor::new([5.0f32, 7.0])?))]
    #[track_caller]
    pub fn scatter_add_(&self, dim: i64, index: &Tensor, src: &Tensor) -> Result<&Tensor> {
        let _running = crate::source::operation();
        scatter(self, dim, index, src, Indexing::ScatterAdd, Some("scatter_add_"))?;
        Ok(self)
    }
}

const SCATTER: &str = "scatter";

fn scatter(
    x: &Tensor,
    dim: i64,
    index: &Tensor,
    src: &Tensor,
    kind: Indexing,
    in_place: Option<&'static str>,
) -> Result<Tensor> {
    let (x, index, src) = (x.resolve(SCATTER)?, index.resolve(SCATTER)?, src.resolve(SCATTER)?);
    let places = Places::new(SCATTER, &x, dim, index, Some(&src))?;
    let spread = places.paired(&src.body());
    let write = |out: &Body| places.combine(SCATTER, kind, &spread, out);
    let adds = kind == Indexing::ScatterAdd;
    let name = if adds { "ScatterAddBackward0" } else { "ScatterBackward0" };
    let (dim, index, shape) = (places.dim as i64, places.index.clone(), src.shape());
    written(name, &[&x, &src], in_place, write, move |g, needs| {
        let kept = || if adds { Ok(g.clone()) } else { g.scatter_value(dim, &index, 0) };
        let given = || uncornered(&g.gather(dim, &index)?, &shape);
        Ok(smallvec![needs[0].then(kept).transpose()?, needs[1].then(given).transpose()?])
    })
}

fn scatter_value(
    x: &Tensor,
    dim: i64,
    index: &Tensor,
    value: Scalar,
    in_place: Option<&'static str>,
) -> Result<Tensor> {
    let (x, index) = (x.resolve(SCATTER)?, index.resolve(SCATTER)?);
    let places = Places::new(SCATTER, &x, dim, index, None)?;
    let number = x.detach().new_full((), value)?;
    let spread = places.repeated(&number.body());
    let write = |out: &Body| places.write(SCATTER, Indexing::Scatter, &spread, out);
    let (dim, index) = (places.dim as i64, places.index.clone());
    written("ScatterBackward1", &[&x], in_place, write, move |g, _| {
        Ok(smallvec![Some(g.scatter_value(dim, &index, 0)?)])
    })
}
