//! The counterparts of views that copy: a tensor with part of it replaced.

use super::op::ViewOp;
use super::strided::{Geometry, relaid};
use crate::ops::devices::same_device;
use crate::ops::record::{linear, written};
use crate::tensor::Body;
use crate::{Dims, Error, Result, Sizes, Tensor, backend};
use smallvec::smallvec;

/// A copy of `x` with `src` in the place of what `view`, a view of `x`, shows.
fn embedded(op: &'static str, name: &'static str, x: &Tensor, src: &Tensor, view: ViewOp) -> Result<Tensor> {
    let (from, part) = (src.body(), view.apply(op, &x.body())?.shape);
    check_size(op, &from.shape, &part)?;
    let write = |out: &Body| backend::of(out.device())?.copy(&from, &view.apply(op, out)?);
    let places = view.clone();
    written(name, &[x, src], None, write, move |g, needs| {
        let kept = || embedded(op, name, g, &g.new_zeros(&part)?, places.clone());
        let given = || g.viewed(op, name, places.clone())?.copy();
        Ok(smallvec![needs[0].then(kept).transpose()?, needs[1].then(given).transpose()?])
    })
}

fn check_size(op: &'static str, src: &Dims, slice: &Dims) -> Result<()> {
    if src == slice {
        return Ok(());
    }
    let text =
        format!("expected src to have a size equal to the slice of self. src size = {src:?}, slice size = {slice:?}");
    Err(Error::runtime(op, text))
}

impl Tensor {
    /// A copy with `src` in the place of [`Tensor::select`]`(dim, index)`.
    ///
    /// # Errors
    /// The index is not there, or `src` has another shape.
    ///
    /// ```
    /// # use firebrick_core::Tensor;
    /// let x = Tensor::new([[1, 2], [3, 4]])?;
    /// assert_eq!(x.select_scatter(&Tensor::new([8, 9])?, 0, 1)?.to_vec::<i32>()?, [1, 2, 8, 9]);
    /// # Ok::<_, firebrick_core::Error>(())
    /// ```
    #[track_caller]
    pub fn select_scatter(&self, src: &Tensor, dim: i64, index: i64) -> Result<Tensor> {
        let _running = crate::source::operation();
        const OP: &str = "select_scatter";
        let (x, src) = (self.resolve(OP)?, src.resolve(OP)?);
        embedded(OP, "SelectScatterBackward0", &x, &src, x.select_step(dim, index)?)
    }

    /// A copy with `src` in the place of [`Tensor::slice`]`(dim, start, end, step)`.
    ///
    /// # Errors
    /// `step` is not positive, or `src` has another shape.
    ///
    /// ```
    /// # use firebrick_core::Tensor;
    /// let x = Tensor::new([1, 2, 3, 4])?;
    /// assert_eq!(x.slice_scatter(&Tensor::new([8, 9])?, 0, 1, None, 2)?.to_vec::<i32>()?, [1, 8, 3, 9]);
    /// # Ok::<_, firebrick_core::Error>(())
    /// ```
    #[track_caller]
    pub fn slice_scatter(
        &self,
        src: &Tensor,
        dim: i64,
        start: impl Into<Option<i64>>,
        end: impl Into<Option<i64>>,
        step: i64,
    ) -> Result<Tensor> {
        let _running = crate::source::operation();
        const OP: &str = "slice_scatter";
        let (x, src) = (self.resolve(OP)?, src.resolve(OP)?);
        embedded(OP, "SliceScatterBackward0", &x, &src, x.slice_step(dim, start.into(), end.into(), step)?)
    }

    /// A copy with `src` in the place of [`Tensor::diagonal`]`(offset, dim1, dim2)`.
    ///
    /// # Errors
    /// The two dimensions are one, or `src` has another shape.
    ///
    /// ```
    /// # use firebrick_core::Tensor;
    /// let x = Tensor::new([[1, 2], [3, 4]])?;
    /// assert_eq!(x.diagonal_scatter(&Tensor::new([8, 9])?, 0, 0, 1)?.to_vec::<i32>()?, [8, 2, 3, 9]);
    /// # Ok::<_, firebrick_core::Error>(())
    /// ```
    #[track_caller]
    pub fn diagonal_scatter(&self, src: &Tensor, offset: i64, dim1: i64, dim2: i64) -> Result<Tensor> {
        let _running = crate::source::operation();
        const OP: &str = "diagonal_scatter";
        let (x, src) = (self.resolve(OP)?, src.resolve(OP)?);
        embedded(OP, "DiagonalScatterBackward0", &x, &src, x.diagonal_step(offset, dim1, dim2)?)
    }

    /// A copy with `src` in the place of [`Tensor::as_strided`]`(size, stride, storage_offset)`.
    ///
    /// The gradient of this tensor is PyTorch 2.15's, which is that of the elements that were replaced and zero
    /// elsewhere; that of `src` is exact.
    ///
    /// # Errors
    /// An element would lie outside the storage, `src` has another shape, or this tensor requires grad and is not
    /// contiguous.
    ///
    /// ```
    /// # use firebrick_core::Tensor;
    /// let x = Tensor::new([1, 2, 3, 4])?;
    /// assert_eq!(x.as_strided_scatter(&Tensor::new([8, 9])?, 2, 2, 1)?.to_vec::<i32>()?, [1, 8, 3, 9]);
    /// # Ok::<_, firebrick_core::Error>(())
    /// ```
    #[track_caller]
    pub fn as_strided_scatter(
        &self,
        src: &Tensor,
        size: impl Into<Sizes>,
        stride: impl Into<Sizes>,
        storage_offset: impl Into<Option<i64>>,
    ) -> Result<Tensor> {
        let _running = crate::source::operation();
        const OP: &str = "as_strided_scatter";
        let (x, src) = (self.resolve(OP)?, src.resolve(OP)?);
        if x.requires_grad() && !x.is_contiguous() {
            return Err(Error::runtime(OP, "as_strided_scatter is currently only supported for contiguous inputs"));
        }
        let (body, from) = (x.body(), src.body());
        let slice = Geometry::of(&x.detach().as_strided(size, stride, storage_offset)?.body());
        check_size(OP, &from.shape, &slice.shape)?;
        same_device(OP, [body.device(), from.device()])?;
        // The view counts from the start of the storage: the copy lies in one like it.
        let memory = Dims::from([body.storage.bytes() / body.dtype.size()]);
        let all = Tensor::from_body(body.view(memory.clone(), memory.contiguous_strides(), 0)).copy()?.body();
        let place = all.view(slice.shape.clone(), slice.strides.clone(), slice.offset);
        backend::of(all.device())?.copy(&from, &place)?;
        let out = Tensor::from_body(all.view(body.shape.clone(), body.strides.clone(), body.offset));
        let own = Geometry::of(&body);
        Ok(linear("AsStridedScatterBackward0", &[&x, &src], out, move |g, needs| {
            let given = relaid(g, &own, &slice, &own)?;
            let kept = needs[0].then(|| relaid(&given, &slice, &own, &slice)).transpose()?;
            Ok(smallvec![kept, needs[1].then_some(given)])
        }))
    }
}
