//! Elements by their row-major position.

use super::masked::{flat, write_flat};
use super::run::{gathered, on};
use crate::backend::Indexing;
use crate::ops::devices::values_for;
use crate::ops::record::{linear, written};
use crate::{Body, DType, Error, Result, Tensor};
use smallvec::smallvec;

/// The positions, negative ones counted from the end.
fn wrapped(op: &'static str, index: &Tensor, table: &Body) -> Result<Vec<i64>> {
    let numel = table.numel();
    let n = numel as i64;
    let wrap = |i: i64| match i {
        i if i >= -n && i < n => Ok(if i < 0 { i + n } else { i }),
        i => Err(Error::index(op, format!("out of range: tried to access index {i} on a tensor of {numel} elements."))),
    };
    values_for(op, table.device(), index, 0i64)?.into_iter().map(wrap).collect()
}

fn check_dtype(op: &'static str, index: &Tensor) -> Result<()> {
    match index.dtype() {
        DType::I64 => Ok(()),
        other => Err(Error::runtime(
            op,
            format!("{op}(): Expected a long tensor for index, but got {}", other.scalar_name()),
        )),
    }
}

impl Tensor {
    /// The elements at row-major positions, in the shape of `index` (int64); negative ones count from the end.
    ///
    /// # Errors
    /// `index` is not int64, or names an element that is not there.
    ///
    /// ```
    /// # use firebrick_core::Tensor;
    /// assert_eq!(Tensor::new([[1, 2], [3, 4]])?.take(&Tensor::new([2i64, -1])?)?.to_vec::<i32>()?, [3, 4]);
    /// # Ok::<_, firebrick_core::Error>(())
    /// ```
    pub fn take(&self, index: &Tensor) -> Result<Tensor> {
        const OP: &str = "take";
        let (x, index) = (self.resolve(OP)?, index.resolve(OP)?);
        check_dtype(OP, &index)?;
        let body = x.body();
        if body.numel() == 0 && index.numel() > 0 {
            return Err(Error::index(OP, "take(): tried to take from an empty tensor"));
        }
        let places = on(body.device(), &wrapped(OP, &index, &body)?)?;
        let out = gathered(&flat(&body)?, 0, &places, |i| super::run::out_of_bounds(OP, i, 0, body.numel()))?;
        let out = out.view(index.shape(), index.shape().contiguous_strides(), 0);
        let like = body.shape;
        Ok(linear("TakeBackward0", &[&x], Tensor::from_body(out), move |g, _| {
            Ok(smallvec![Some(g.new_zeros(&like)?.put(&index, g, true)?)])
        }))
    }

    /// This tensor with the elements of `source` written (or, with `accumulate`, added) at row-major positions.
    ///
    /// # Errors
    /// Dtypes or numbers of elements that do not fit, or a position that is not there.
    ///
    /// ```
    /// # use firebrick_core::Tensor;
    /// let x = Tensor::new([1, 2, 3])?;
    /// assert_eq!(x.put(&Tensor::new([0i64, 0])?, &Tensor::new([5, 6])?, true)?.to_vec::<i32>()?, [12, 2, 3]);
    /// # Ok::<_, firebrick_core::Error>(())
    /// ```
    pub fn put(&self, index: &Tensor, source: &Tensor, accumulate: bool) -> Result<Tensor> {
        put(self, index, source, accumulate, None)
    }

    #[doc = crate::ops::in_place_doc!(put_ of put (&Tensor::new([0i64, 0])?, &Tensor::new([5.0f32, 7.0])?, true))]
    #[track_caller]
    pub fn put_(&self, index: &Tensor, source: &Tensor, accumulate: bool) -> Result<&Tensor> {
        let _running = crate::source::operation();
        put(self, index, source, accumulate, Some("put_"))?;
        Ok(self)
    }
}

fn put(
    x: &Tensor,
    index: &Tensor,
    source: &Tensor,
    accumulate: bool,
    in_place: Option<&'static str>,
) -> Result<Tensor> {
    const OP: &str = "put";
    let (x, index, source) = (x.resolve(OP)?, index.resolve(OP)?, source.resolve(OP)?);
    check_dtype("put_", &index)?;
    let (body, from) = (x.body(), source.body());
    if body.dtype != from.dtype {
        return Err(Error::runtime(
            OP,
            format!(
                "put_(): self and source expected to have the same dtype, but got self.dtype = {} and source.dtype = {}",
                body.dtype.scalar_name(),
                from.dtype.scalar_name()
            ),
        ));
    }
    if from.numel() != index.numel() {
        return Err(Error::index(
            OP,
            format!(
                "put_(): Expected source and index to have the same number of elements, but got source.numel() = {}, index.numel() = {}",
                from.numel(),
                index.numel()
            ),
        ));
    }
    let places = on(body.device(), &wrapped(OP, &index, &body)?)?;
    let (values, shape) = (flat(&from)?, from.shape);
    let kind = if accumulate { Indexing::ScatterAdd } else { Indexing::Scatter };
    let write = |out: &Body| write_flat(kind, out, &places, &values);
    written("PutBackward0", &[&x, &source], in_place, write, move |g, needs| {
        let kept = || match accumulate {
            true => Ok(g.clone()),
            false => g.put(&index, &g.new_zeros(index.shape())?, false),
        };
        let given = || g.take(&index)?.reshape(&shape);
        Ok(smallvec![needs[0].then(kept).transpose()?, needs[1].then(given).transpose()?])
    })
}
