//! Whole slices picked, added, overwritten at the indices of one dimension.

use super::run::{as_i64, gathered, is_index_dtype, on, out_of_bounds, out_of_bounds_text, raised, run, stretched};
use crate::backend::Indexing;
use crate::ops::devices::values_for;
use crate::ops::record::{linear, written};
use crate::{Body, Error, Operand, Result, Scalar, Tensor, amp, wrap_dim};
use smallvec::smallvec;

/// Shape of `shape` with `count` indices along `dim`; that of a 0-dimensional tensor counts as `[1]`.
fn with_count(shape: &crate::Dims, dim: usize, count: usize) -> crate::Dims {
    let mut shape = if shape.is_empty() { crate::Dims::from([1]) } else { shape.clone() };
    shape[dim] = count;
    shape
}

impl Tensor {
    /// The slices of `dim` that the vector `index` (int32 or int64) names, in its order.
    ///
    /// # Errors
    /// `index` is no vector, no integer tensor, or names a slice that is not there.
    ///
    /// ```
    /// # use firebrick_core::Tensor;
    /// let x = Tensor::new([10, 20, 30])?;
    /// assert_eq!(x.index_select(0, &Tensor::new([2i64, 0])?)?.to_vec::<i32>()?, [30, 10]);
    /// # Ok::<_, firebrick_core::Error>(())
    /// ```
    pub fn index_select(&self, dim: i64, index: &Tensor) -> Result<Tensor> {
        const OP: &str = "index_select";
        let (x, index) = (self.resolve(OP)?, index.resolve(OP)?);
        let body = x.body();
        let dim = wrap_dim(OP, dim, body.shape.len())?;
        if index.dim() > 1 {
            return Err(Error::index(OP, "index_select(): Index is supposed to be a vector"));
        }
        if !is_index_dtype(index.dtype()) {
            return Err(Error::runtime(OP, "index_select(): Expected dtype int32 or int64 for index"));
        }
        let count = index.numel();
        if body.shape.is_empty() && count != 1 {
            return Err(Error::runtime(
                OP,
                format!("index_select(): Index to scalar can have only 1 value, got {count} value(s)"),
            ));
        }
        let shape = with_count(&body.shape, dim, count);
        let places = stretched(&raised(as_i64(&index)?), &shape, dim);
        let out = gathered(&raised(body.clone()), dim, &places, |i| {
            Error::index(OP, "index out of range in self").given(format!("index {i}"))
        })?;
        let out = if body.shape.is_empty() { out.view(body.shape.clone(), body.shape.clone(), 0) } else { out };
        let like = body.shape;
        Ok(linear("IndexSelectBackward0", &[&x], Tensor::from_body(out), move |g, _| {
            Ok(smallvec![Some(g.new_zeros(&like)?.index_add(dim as i64, &index, g, 1)?)])
        }))
    }

    /// This tensor with `alpha` times the slices of `source` added at the indices of `dim`.
    ///
    /// # Errors
    /// Shapes or dtypes that do not fit, or an index that is not there.
    ///
    /// ```
    /// # use firebrick_core::Tensor;
    /// let x = Tensor::new([1.0f32, 2.0, 3.0])?;
    /// let (index, source) = (Tensor::new([0i64, 2])?, Tensor::ones([2])?);
    /// assert_eq!(x.index_add(0, &index, &source, 10)?.to_vec::<f32>()?, [11.0, 2.0, 13.0]);
    /// # Ok::<_, firebrick_core::Error>(())
    /// ```
    pub fn index_add(&self, dim: i64, index: &Tensor, source: &Tensor, alpha: impl Into<Scalar>) -> Result<Tensor> {
        index_add(self, dim, index, source, alpha.into(), None)
    }

    #[doc = crate::ops::in_place_doc!(index_add_ of index_add (0, &Tensor::new([0i64, 0])?, &Tensor::new([5.0f32, 7.0])?, 10))]
    #[track_caller]
    pub fn index_add_(&self, dim: i64, index: &Tensor, source: &Tensor, alpha: impl Into<Scalar>) -> Result<&Tensor> {
        let _running = crate::source::operation();
        index_add(self, dim, index, source, alpha.into(), Some("index_add_"))?;
        Ok(self)
    }

    /// This tensor with the slices at the indices of `dim` replaced by those of `source`.
    ///
    /// # Errors
    /// Shapes or dtypes that do not fit, or an index that is not there.
    ///
    /// ```
    /// # use firebrick_core::Tensor;
    /// let x = Tensor::new([1.0f32, 2.0, 3.0])?;
    /// let (index, source) = (Tensor::new([0i64, 2])?, Tensor::new([8.0f32, 9.0])?);
    /// assert_eq!(x.index_copy(0, &index, &source)?.to_vec::<f32>()?, [8.0, 2.0, 9.0]);
    /// # Ok::<_, firebrick_core::Error>(())
    /// ```
    pub fn index_copy(&self, dim: i64, index: &Tensor, source: &Tensor) -> Result<Tensor> {
        index_copy(self, dim, index, source, None)
    }

    #[doc = crate::ops::in_place_doc!(index_copy_ of index_copy (0, &Tensor::new([1i64])?, &Tensor::new([7.0f32])?))]
    #[track_caller]
    pub fn index_copy_(&self, dim: i64, index: &Tensor, source: &Tensor) -> Result<&Tensor> {
        let _running = crate::source::operation();
        index_copy(self, dim, index, source, Some("index_copy_"))?;
        Ok(self)
    }

    /// This tensor with the slices at the indices of `dim` set to `value`; negative indices count from the end.
    ///
    /// # Errors
    /// `index` is no int64 vector, or names a slice that is not there; `value` is a tensor with dimensions.
    ///
    /// ```
    /// # use firebrick_core::Tensor;
    /// let x = Tensor::new([1.0f32, 2.0, 3.0])?;
    /// assert_eq!(x.index_fill(0, &Tensor::new([0i64, -1])?, 7)?.to_vec::<f32>()?, [7.0, 2.0, 7.0]);
    /// # Ok::<_, firebrick_core::Error>(())
    /// ```
    pub fn index_fill(&self, dim: i64, index: &Tensor, value: impl Operand) -> Result<Tensor> {
        index_fill(self, dim, index, value.into_operand()?, None)
    }

    #[doc = crate::ops::in_place_doc!(index_fill_ of index_fill (0, &Tensor::new([-1i64])?, 7))]
    #[track_caller]
    pub fn index_fill_(&self, dim: i64, index: &Tensor, value: impl Operand) -> Result<&Tensor> {
        let _running = crate::source::operation();
        index_fill(self, dim, index, value.into_operand()?, Some("index_fill_"))?;
        Ok(self)
    }
}

/// Checks that `source` has the shape and dtype of `x` but for as many slices along `dim` as the vector `index` names.
pub(super) fn check_slices(
    op: &'static str,
    name: &str,
    x: &Tensor,
    dim: usize,
    index: &Tensor,
    source: &Tensor,
) -> Result<()> {
    let (body, from) = (x.body(), source.body());
    let refuse = |text: String| Err(Error::runtime(op, text));
    if index.dim() > 1 {
        return Err(Error::index(
            op,
            format!(
                "{name}(): Index is supposed to be a vector, but got dim: {} with type: {} and size: {:?}",
                index.dim(),
                index.dtype().scalar_name(),
                index.shape()
            ),
        ));
    }
    if !is_index_dtype(index.dtype()) {
        return refuse(format!(
            "{name}(): Expected dtype int32/int64 for index but got: {}",
            index.dtype().scalar_name()
        ));
    }
    if body.dtype != from.dtype {
        return refuse(format!(
            "{name}(): self ({}) and source ({}) must have the same scalar type",
            body.dtype.scalar_name(),
            from.dtype.scalar_name()
        ));
    }
    let rank = from.shape.len();
    if dim > 0 && dim >= rank {
        return refuse(format!("{name}(): Indexing dim {dim} is out of bounds of the source tensor with dim {rank}"));
    }
    let (count, has) = (index.numel(), from.shape.get(dim).copied().unwrap_or(1));
    if count != has && rank == 0 && body.shape.is_empty() {
        return Err(Error::index(op, "Dimension specified as 0 but tensor has no dimensions"));
    }
    if count != has {
        return refuse(format!(
            "{name}(): Number of indices ({count}) should be equal to source.size(dim): ({has}), for dim: {dim}"
        ));
    }
    if body.shape.len() != rank || with_count(&body.shape, dim, 0) != with_count(&from.shape, dim, 0) {
        return refuse(format!(
            "source tensor shape must match self tensor shape, excluding the specified dimension. Got self.shape = {:?} source.shape = {:?}",
            body.shape, from.shape
        ));
    }
    Ok(())
}

fn index_add(
    x: &Tensor,
    dim: i64,
    index: &Tensor,
    source: &Tensor,
    alpha: Scalar,
    in_place: Option<&'static str>,
) -> Result<Tensor> {
    const OP: &str = "index_add";
    let (x, index, source) = (x.resolve(OP)?, index.resolve(OP)?, source.resolve(OP)?);
    let (body, from) = (x.body(), source.body());
    let dim = wrap_dim(OP, dim, body.shape.len())?;
    check_slices(OP, "index_add_", &x, dim, &index, &source)?;
    let scaled = if alpha.to_f64() == 1.0 { source.detach() } else { source.detach().mul(alpha)?.to(body.dtype)? };
    let spread = raised(scaled.body());
    let places = stretched(&raised(as_i64(&index)?), &spread.shape, dim);
    let size = raised(body).shape[dim];
    let bad = move |i| out_of_bounds(OP, i, dim, size);
    let write = |out: &Body| run(Indexing::ScatterAdd, dim, &spread, &places, out, bad);
    let shape = from.shape;
    written("IndexAddBackward0", &[&x, &source], in_place, write, move |g, needs| {
        let added = |g: &Tensor| g.index_select(dim as i64, &index)?.reshape(&shape)?.mul(alpha);
        Ok(smallvec![needs[0].then(|| g.clone()), needs[1].then(|| added(g)).transpose()?])
    })
}

fn index_copy(x: &Tensor, dim: i64, index: &Tensor, source: &Tensor, in_place: Option<&'static str>) -> Result<Tensor> {
    const OP: &str = "index_copy";
    let (mut x, index, mut source) = (x.resolve(OP)?, index.resolve(OP)?, source.resolve(OP)?);
    if in_place.is_none()
        && let [wide_x, wide_source] = &amp::promote(OP, vec![x.clone(), source.clone()])?[..]
    {
        (x, source) = (wide_x.clone(), wide_source.clone());
    }
    let (body, from) = (x.body(), source.body());
    let dim = wrap_dim(OP, dim, body.shape.len())?;
    let (count, has) = (index.numel(), from.shape.get(dim).copied().unwrap_or(1));
    if index.dim() > 1 {
        let text = format!("index_copy_(): Index should have dimension 1 or 0 (got {})", index.dim());
        return Err(Error::index(OP, text));
    }
    if index.dtype() != crate::DType::I64 {
        let text = format!("index_copy_(): Expected a long tensor for index, but got {}", index.dtype().scalar_name());
        return Err(Error::runtime(OP, text));
    }
    if body.dtype != from.dtype {
        return Err(Error::runtime(
            OP,
            format!(
                "index_copy_(): self and source expected to have the same dtype, but got (self) {} and (source) {}",
                body.dtype.scalar_name(),
                from.dtype.scalar_name()
            ),
        ));
    }
    let (own, given) =
        (with_count(&body.shape, dim, 0), with_count(&from.shape, dim.min(from.shape.len().max(1) - 1), 0));
    if own != given {
        let slice = |shape: &crate::Dims| {
            shape.iter().enumerate().filter(|&(d, _)| d != dim).map(|(_, &n)| n).collect::<crate::Dims>()
        };
        let text = |shape: &crate::Dims| slice(shape).iter().map(usize::to_string).collect::<Vec<_>>().join(" ");
        return Err(Error::runtime(
            OP,
            format!(
                "index_copy_(): Source/destination tensor must have same slice shapes. Destination slice shape: {} at dimension {dim} and source slice shape: {} at dimension 0.",
                text(&own),
                text(&given)
            ),
        ));
    }
    if count != has {
        let text = format!("index_copy_(): Number of indices ({count}) should be equal to source.size(dim) ({has})");
        return Err(Error::index(OP, text));
    }
    let spread = raised(source.detach().body());
    let places = stretched(&raised(as_i64(&index)?), &spread.shape, dim);
    let size = raised(body).shape[dim];
    let bad = move |i| Error::index(OP, format!("index_copy_(): {}", out_of_bounds_text(i, dim, size)));
    let write = |out: &Body| run(Indexing::Scatter, dim, &spread, &places, out, bad);
    let shape = from.shape;
    written("IndexCopyBackward0", &[&x, &source], in_place, write, move |g, needs| {
        let kept = needs[0].then(|| g.index_fill(dim as i64, &index, 0)).transpose()?;
        let given = needs[1].then(|| g.index_select(dim as i64, &index)?.reshape(&shape)).transpose()?;
        Ok(smallvec![kept, given])
    })
}

fn index_fill(x: &Tensor, dim: i64, index: &Tensor, value: Tensor, in_place: Option<&'static str>) -> Result<Tensor> {
    const OP: &str = "index_fill";
    let (x, index, value) = (x.resolve(OP)?, index.resolve(OP)?, value.resolved(OP)?);
    if value.dim() != 0 {
        return Err(Error::runtime(
            OP,
            format!(
                "index_fill_ only supports a 0-dimensional value tensor, but got tensor with {} dimension(s).",
                value.dim()
            ),
        ));
    }
    let body = x.body();
    let dim = wrap_dim(OP, dim, body.shape.len())?;
    if index.dtype() != crate::DType::I64 {
        return Err(Error::index(OP, "index_fill_(): Expected dtype int64 for index."));
    }
    if index.dim() > 1 {
        return Err(Error::runtime(OP, "Index has to be a vector/scalar"));
    }
    let size = raised(body.clone()).shape[dim] as i64;
    let mut wrapped: Vec<i64> =
        values_for(OP, body.device(), &index, 0i64)?.into_iter().map(|i| if i < 0 { i + size } else { i }).collect();
    // A place that is named twice is filled once, which the value's gradient counts.
    wrapped.sort_unstable();
    wrapped.dedup();
    if value.is_wrapped_number() {
        value.item_scalar()?.check_range(OP, body.dtype)?;
    }
    let value_body = value.detach().to((body.device(), body.dtype))?.body();
    let shape = with_count(&body.shape, dim, wrapped.len());
    let spread = value_body.view(shape.clone(), crate::Dims::repeat(0, shape.len()), value_body.offset);
    let places = on(body.device(), &wrapped)?;
    let along = stretched(&places, &shape, dim);
    let places = Tensor::from_body(places);
    let number = value.is_wrapped_number();
    // A number goes where the tensor is.
    let value = if number { Tensor::from_body(value_body) } else { value };
    let bad = move |i: i64| {
        let given = if i < 0 { i - size } else { i };
        Error::index(OP, out_of_bounds_text(given, dim, size as usize))
    };
    let write = |out: &Body| run(Indexing::Scatter, dim, &spread, &along, out, bad);
    let name = if number { "IndexFillBackward0" } else { "IndexFillBackward1" };
    written(name, &[&x, &value], in_place, write, move |g, needs| {
        let kept = needs[0].then(|| g.index_fill(dim as i64, &places, 0)).transpose()?;
        let given = needs[1].then(|| g.index_select(dim as i64, &places)?.sum()).transpose()?;
        Ok(smallvec![kept, given])
    })
}
