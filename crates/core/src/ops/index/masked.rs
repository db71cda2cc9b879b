//! Elements where a mask is true.

use super::run::{gathered, on, out_of_bounds, run};
use crate::backend::Indexing;
use crate::ops::record::{linear, written};
use crate::tensor::copy::expanded;
use crate::{Body, DType, Dims, Error, Result, Tensor, backend, broadcast_shapes};
use smallvec::smallvec;

/// The row-major positions of the elements that are not zero.
pub(super) fn positions(x: &Tensor) -> Result<Vec<i64>> {
    let truths = x.to_vec::<bool>()?;
    Ok(truths.iter().enumerate().filter(|(_, truth)| **truth).map(|(i, _)| i as i64).collect())
}

/// The coordinates of row-major positions, one list for each dimension.
pub(super) fn coordinates(positions: &[i64], shape: &Dims) -> Vec<Vec<i64>> {
    let strides = shape.contiguous_strides();
    let along = |d: usize| positions.iter().map(|&p| (p as usize / strides[d] % shape[d]) as i64).collect();
    (0..shape.len()).map(along).collect()
}

/// The body in one dimension: a view where it is contiguous, else a copy.
pub(super) fn flat(body: &Body) -> Result<Body> {
    let body = match body.is_contiguous() {
        true => body.clone(),
        false => {
            let copy = Body::alloc(body.shape.clone(), body.dtype, body.device())?;
            backend::of(body.device())?.copy(body, &copy)?;
            copy
        }
    };
    Ok(body.view(Dims::from([body.numel()]), Dims::from([1]), body.offset))
}

/// Writes `values` to row-major positions of `out`, whatever its strides.
pub(super) fn write_flat(kind: Indexing, out: &Body, positions: &Body, values: &Body) -> Result<()> {
    let target = flat(out)?;
    run(kind, 0, values, positions, &target, |i| out_of_bounds("put", i, 0, target.shape[0]))?;
    if !out.is_contiguous() {
        let back = target.view(out.shape.clone(), out.shape.contiguous_strides(), target.offset);
        backend::of(out.device())?.copy(&back, out)?;
    }
    Ok(())
}

impl Tensor {
    /// The elements where `mask` (bool, broadcast) is true, in one dimension.
    ///
    /// # Errors
    /// `mask` is not bool, or does not broadcast.
    ///
    /// ```
    /// # use firebrick_core::Tensor;
    /// let x = Tensor::new([1, 2, 3])?;
    /// assert_eq!(x.masked_select(&Tensor::new([true, false, true])?)?.to_vec::<i32>()?, [1, 3]);
    /// # Ok::<_, firebrick_core::Error>(())
    /// ```
    pub fn masked_select(&self, mask: &Tensor) -> Result<Tensor> {
        const OP: &str = "masked_select";
        let (x, mask) = (self.resolve(OP)?, mask.resolve(OP)?);
        if mask.dtype() != DType::Bool {
            return Err(Error::runtime(OP, "masked_select: expected BoolTensor for mask"));
        }
        let body = x.body();
        let shape = broadcast_shapes(OP, &mask.shape(), &body.shape)?;
        let mask = mask.expand(&shape)?;
        let places = on(body.device(), &positions(&mask)?)?;
        let table = flat(&expanded(OP, &body, &shape)?)?;
        let out = gathered(&table, 0, &places, |i| out_of_bounds(OP, i, 0, table.shape[0]))?;
        Ok(linear("MaskedSelectBackward0", &[&x], Tensor::from_body(out), move |g, _| {
            Ok(smallvec![Some(g.new_zeros(&shape)?.masked_scatter(&mask, g)?)])
        }))
    }

    /// This tensor with its elements where `mask` (bool, broadcast) is true replaced by those of `source`, in order.
    ///
    /// # Errors
    /// `mask` is not bool, `source` has another dtype or too few elements.
    ///
    /// ```
    /// # use firebrick_core::Tensor;
    /// let x = Tensor::new([1, 2, 3, 4])?;
    /// assert_eq!(x.masked_scatter(&x.gt(2)?, &Tensor::new([7, 8])?)?.to_vec::<i32>()?, [1, 2, 7, 8]);
    /// # Ok::<_, firebrick_core::Error>(())
    /// ```
    pub fn masked_scatter(&self, mask: &Tensor, source: &Tensor) -> Result<Tensor> {
        let x = self.resolve("masked_scatter")?;
        let shape = broadcast_shapes("masked_scatter", &x.shape(), &mask.shape())?;
        masked_scatter(&x.expand(shape)?, mask, source, None)
    }

    #[doc = crate::ops::in_place_doc!(masked_scatter_ of masked_scatter (&Tensor::new([false, true])?, &Tensor::new([7.0f32])?))]
    #[track_caller]
    pub fn masked_scatter_(&self, mask: &Tensor, source: &Tensor) -> Result<&Tensor> {
        let _running = crate::source::operation();
        masked_scatter(self, mask, source, Some("masked_scatter_"))?;
        Ok(self)
    }

    /// Indices of the elements that are not zero, one row for each.
    ///
    /// ```
    /// # use firebrick_core::Tensor;
    /// let x = Tensor::new([[0, 1], [2, 0]])?;
    /// assert_eq!(x.nonzero()?.to_vec::<i64>()?, [0, 1, 1, 0]);
    /// # Ok::<_, firebrick_core::Error>(())
    /// ```
    pub fn nonzero(&self) -> Result<Tensor> {
        let x = self.resolve("nonzero")?;
        let (positions, shape) = (positions(&x)?, x.shape());
        let columns = coordinates(&positions, &shape);
        let rows: Vec<i64> = (0..positions.len()).flat_map(|i| columns.iter().map(move |c| c[i])).collect();
        Tensor::from_slice_with(&rows, [positions.len(), shape.len()], x.device())
    }

    /// [`Tensor::nonzero`] as one vector for each dimension, as an index takes them (`as_tuple=True`).
    ///
    /// ```
    /// # use firebrick_core::Tensor;
    /// let places = Tensor::new([[0, 5], [6, 0]])?.nonzero_tuple()?;
    /// assert_eq!(places[0].to_vec::<i64>()?, [0, 1]);
    /// assert_eq!(places[1].to_vec::<i64>()?, [1, 0]);
    /// # Ok::<_, firebrick_core::Error>(())
    /// ```
    pub fn nonzero_tuple(&self) -> Result<Vec<Tensor>> {
        let x = self.resolve("nonzero")?.atleast_1d()?;
        let columns = coordinates(&positions(&x)?, &x.shape());
        columns.into_iter().map(|c| Tensor::from_slice_with(&c, [c.len()], x.device())).collect()
    }

    /// [`Tensor::nonzero`] under NumPy's name.
    ///
    /// ```
    /// # use firebrick_core::Tensor;
    /// assert_eq!(Tensor::new([0, 5, 6])?.argwhere()?.shape(), [2, 1]);
    /// # Ok::<_, firebrick_core::Error>(())
    /// ```
    pub fn argwhere(&self) -> Result<Tensor> {
        self.nonzero()
    }

    /// A last dimension of `num_classes` with 1 at the class and 0 elsewhere; -1 takes the largest class plus one.
    ///
    /// # Errors
    /// The tensor is not int64, or a class lies outside `0..num_classes`.
    ///
    /// ```
    /// # use firebrick_core::Tensor;
    /// assert_eq!(Tensor::new([0i64, 2])?.one_hot(3)?.to_vec::<i64>()?, [1, 0, 0, 0, 0, 1]);
    /// # Ok::<_, firebrick_core::Error>(())
    /// ```
    pub fn one_hot(&self, num_classes: i64) -> Result<Tensor> {
        const OP: &str = "one_hot";
        let x = self.resolve(OP)?;
        let refuse = |text: &str| Err(Error::runtime(OP, text));
        if x.dtype() != DType::I64 {
            return refuse("one_hot is only applicable to index tensor of type LongTensor.");
        }
        if x.is_meta() && num_classes == -1 {
            return Err(backend::no_item());
        }
        let classes = x.values_or(0i64)?;
        if classes.is_empty() && num_classes <= 0 {
            return refuse("Can not infer total number of classes from empty tensor.");
        }
        if classes.iter().any(|&c| c < 0) {
            return refuse("Class values must be non-negative.");
        }
        let most = classes.iter().max().map_or(0, |&c| c.saturating_add(1));
        if num_classes != -1 && most > num_classes {
            return refuse("Class values must be smaller than num_classes.");
        }
        let mut shape = x.shape();
        shape.push(if num_classes == -1 { most } else { num_classes } as usize);
        x.new_zeros(shape)?.scatter_value(-1, &x.unsqueeze(-1)?, 1)
    }
}

fn masked_scatter(x: &Tensor, mask: &Tensor, source: &Tensor, in_place: Option<&'static str>) -> Result<Tensor> {
    const OP: &str = "masked_scatter";
    let (x, mask, source) = (x.resolve(OP)?, mask.resolve(OP)?, source.resolve(OP)?);
    let (body, from) = (x.body(), source.body());
    let refuse = |text: String| Err(Error::runtime(OP, text));
    if body.dtype != from.dtype {
        return refuse(format!(
            "masked_scatter: expected self and source to have same dtypes but got{} and {}",
            body.dtype.scalar_name(),
            from.dtype.scalar_name()
        ));
    }
    if mask.dtype() != DType::Bool {
        return refuse(format!(
            "masked_scatter_ only supports boolean masks, but got mask with dtype {}",
            mask.dtype().scalar_name()
        ));
    }
    let mask = mask.expand(&body.shape)?;
    let places = positions(&mask)?;
    let (count, has) = (places.len(), from.numel());
    if count > has {
        return refuse("Number of elements of source < number of ones in mask".into());
    }
    let places = on(body.device(), &places)?;
    let all = flat(&from)?;
    let values = all.view(Dims::from([count]), Dims::from([1]), all.offset);
    let write = |out: &Body| write_flat(Indexing::Scatter, out, &places, &values);
    let shape = from.shape.clone();
    written("MaskedScatterBackward0", &[&x, &source], in_place, write, move |g, needs| {
        let kept = || g.masked_scatter(&mask, &g.new_zeros([count])?);
        let given = || g.masked_select(&mask)?.constant_pad_nd([0, has - count], 0)?.reshape(&shape);
        Ok(smallvec![needs[0].then(kept).transpose()?, needs[1].then(given).transpose()?])
    })
}
