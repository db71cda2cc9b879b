//! Elements combined at the places that an index names: sums, products, means, extremes.

use super::fold_grad::Fold;
use super::places::Places;
use super::run::raised;
use super::select::check_slices;
use crate::autograd::{Function, Grads, Node, Saved, no_grad, records};
use crate::backend::{self, Indexing};
use crate::ops::elementwise::not_differentiable;
use crate::ops::record::written_with;
use crate::{Body, DType, Dims, Error, Operand, Result, Scalar, Tensor, TensorOptions, wrap_dim};
use smallvec::SmallVec;
use std::sync::Arc;

/// How elements that meet at one place become one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Reduction {
    Sum,
    Prod,
    Mean,
    Amax,
    Amin,
}

impl Reduction {
    fn parse(word: &str) -> Option<Reduction> {
        Some(match word {
            "sum" => Reduction::Sum,
            "prod" => Reduction::Prod,
            "mean" => Reduction::Mean,
            "amax" => Reduction::Amax,
            "amin" => Reduction::Amin,
            _ => return None,
        })
    }

    fn kernel(self) -> Indexing {
        match self {
            Reduction::Sum | Reduction::Mean => Indexing::ScatterAdd,
            Reduction::Prod => Indexing::ScatterMul,
            Reduction::Amax => Indexing::ScatterMax,
            Reduction::Amin => Indexing::ScatterMin,
        }
    }

    /// The value that does not change what it is combined with.
    fn neutral(self, dtype: DType) -> Scalar {
        let (low, high) = match dtype {
            DType::Bool => (0, 1),
            DType::U8 => (0, u8::MAX as i64),
            DType::I8 => (i8::MIN as i64, i8::MAX as i64),
            DType::I16 => (i16::MIN as i64, i16::MAX as i64),
            DType::I32 => (i32::MIN as i64, i32::MAX as i64),
            _ => (i64::MIN, i64::MAX),
        };
        match self {
            Reduction::Sum | Reduction::Mean => Scalar::Int(0),
            Reduction::Prod => Scalar::Int(1),
            Reduction::Amax if dtype.is_floating_point() => Scalar::Float(f64::NEG_INFINITY),
            Reduction::Amin if dtype.is_floating_point() => Scalar::Float(f64::INFINITY),
            Reduction::Amax => Scalar::Int(low),
            Reduction::Amin => Scalar::Int(high),
        }
    }
}

/// How many elements each place of `like` got, one at least.
pub(super) fn counts(like: &Tensor, places: &Places, include_self: bool) -> Result<Tensor> {
    const OP: &str = "scatter_reduce";
    no_grad(|| {
        let (like, count) = (like.detach(), if include_self { 1 } else { 0 });
        let count = like.full_like(count)?;
        let one = like.new_full((), 1)?;
        places.write(OP, Indexing::ScatterAdd, &places.repeated(&one.body()), &count.body())?;
        count.masked_fill(&count.eq(0)?, 1)
    })
}

/// Writes the combined elements of `spread` into `out`.
fn combine(
    op: &'static str,
    how: Reduction,
    include_self: bool,
    places: &Places,
    spread: &Body,
    out: &Body,
) -> Result<()> {
    if !include_self {
        let start = Tensor::full_with((), how.neutral(out.dtype), TensorOptions::from(out.dtype).device(out.device()))?;
        places.write(op, Indexing::Scatter, &places.repeated(&start.body()), out)?;
    }
    places.write(op, how.kernel(), spread, out)?;
    if how != Reduction::Mean {
        return Ok(());
    }
    let sums = Tensor::from_body(out.clone());
    let count = counts(&sums, places, include_self)?;
    let mean = no_grad(|| if sums.is_floating_point() { sums.div(&count) } else { sums.floor_divide(&count) })?;
    backend::of(out.device())?.copy(&mean.body(), out)
}

/// One combination, with what its gradient needs.
struct Call {
    op: &'static str,
    name: &'static str,
    how: Reduction,
    include_self: bool,
    in_place: Option<&'static str>,
}

impl Call {
    fn run(self, x: &Tensor, places: Places, src: &Tensor) -> Result<Tensor> {
        let Call { op, name, how, include_self, in_place } = self;
        let inputs = [x, src];
        // What an in-place operation saves of its target is the value from before.
        let before = if in_place.is_some() && records(inputs) { x.copy()? } else { x.clone() };
        let spread = places.paired(&src.body());
        let places = Arc::new(places);
        let write = |out: &Body| combine(op, how, include_self, &places, &spread, out);
        written_with(name, &inputs, in_place, false, write, |out| {
            let (before, given, after) = (Saved::input(&before)?, Saved::input(src)?, Saved::output(out, 0)?);
            let places = places.clone();
            let function = Function::new(move |node: &Arc<Node>, grads: &[Option<Tensor>], needs: &[bool]| {
                let Some(grad) = &grads[0] else { return Ok(Grads::from_elem(None, needs.len())) };
                let (x, src, out) = (before.unpack(node)?, given.unpack(node)?, after.unpack(node)?);
                Fold { how, include_self, places: &places, x, src, out }.gradients(grad, needs)
            });
            Ok(function)
        })
    }
}

fn scatter_reduce(
    x: &Tensor,
    dim: i64,
    index: &Tensor,
    src: &Tensor,
    reduce: &str,
    include_self: bool,
    in_place: Option<&'static str>,
) -> Result<Tensor> {
    const OP: &str = "scatter_reduce";
    let (x, index, src) = (x.resolve(OP)?, index.resolve(OP)?, src.resolve(OP)?);
    let how = Reduction::parse(reduce).ok_or_else(|| {
        let text = format!("reduce argument must be either sum, prod, mean, amax or amin, got {reduce}");
        Error::runtime(OP, text)
    })?;
    let places = Places::new(OP, &x, dim, index, Some(&src))?;
    if how == Reduction::Mean && x.dtype() == DType::Bool {
        let text = "\"scatter_gather_tensor_cpu_reduce_mean\" not implemented for 'Bool'";
        return Err(Error::not_implemented(OP, text));
    }
    Call { op: OP, name: "ScatterReduceBackward0", how, include_self, in_place }.run(&x, places, &src)
}

fn index_reduce(
    x: &Tensor,
    dim: i64,
    index: &Tensor,
    source: &Tensor,
    reduce: &str,
    include_self: bool,
    in_place: Option<&'static str>,
) -> Result<Tensor> {
    const OP: &str = "index_reduce";
    let (x, index, source) = (x.resolve(OP)?, index.resolve(OP)?, source.resolve(OP)?);
    let how = Reduction::parse(reduce).filter(|&how| how != Reduction::Sum).ok_or_else(|| {
        let text = format!("index_reduce(): Expected reduce to be one of prod, mean, amax or amin but got {reduce}.");
        Error::runtime(OP, text)
    })?;
    let dim = wrap_dim(OP, dim, x.dim())?;
    check_slices(OP, "index_reduce_", &x, dim, &index, &source)?;
    if x.dtype() == DType::Bool && matches!(how, Reduction::Mean | Reduction::Prod) {
        return Err(Error::not_implemented(OP, "\"index_func_\" not implemented for 'Bool'"));
    }
    let shape = raised(source.body()).shape;
    let mut along = Dims::repeat(1, shape.len());
    along[dim] = shape[dim];
    let index = index.detach().reshape(along)?.expand(&shape)?;
    let places = Places::new(OP, &x, dim as i64, index, Some(&source))?;
    let call = Call { op: OP, name: "IndexReduceBackward0", how, include_self, in_place };
    call.run(&x, places, &source).map_err(|error| match error.kind() {
        crate::ErrorKind::Runtime if error.message().contains(" is out of bounds for dimension ") => {
            Error::index(OP, "index out of range in self").given(error.message().to_owned())
        }
        _ => error,
    })
}

/// `scatter` with a `reduce` argument, which PyTorch does not differentiate.
fn scatter_with(
    x: &Tensor,
    dim: i64,
    index: &Tensor,
    src: Tensor,
    reduce: &str,
    in_place: Option<&'static str>,
) -> Result<Tensor> {
    const OP: &str = "scatter_with";
    let (x, index, src) = (x.resolve(OP)?, index.resolve(OP)?, src.resolved(OP)?);
    let kind = match reduce {
        "add" => Indexing::ScatterAdd,
        "multiply" => Indexing::ScatterMul,
        _ => return Err(Error::runtime(OP, "reduce argument must be either add or multiply.")),
    };
    let number = src.is_wrapped_number();
    let src = if number { src.detach().to((x.device(), x.dtype()))? } else { src };
    let places = Places::new(OP, &x, dim, index, (!number).then_some(&src))?;
    let spread = if number { places.repeated(&src.body()) } else { places.paired(&src.body()) };
    let write = |out: &Body| places.write(OP, kind, &spread, out);
    let inputs: SmallVec<[&Tensor; 2]> = if number { smallvec::smallvec![&x] } else { smallvec::smallvec![&x, &src] };
    written_with("NotImplemented", &inputs, in_place, true, write, |_| {
        let name = in_place.unwrap_or("scatter");
        let function = Function::new(move |_: &Arc<Node>, _: &[Option<Tensor>], _: &[bool]| {
            not_differentiable(name).map(|g| Grads::from_elem(Some(g), 1))
        });
        Ok(function)
    })
}

impl Tensor {
    /// This tensor with the elements of `src` combined into the places that `index` names along `dim`, as
    /// [`Tensor::gather`] reads them: by "sum", "prod", "mean", "amax" or "amin". With `include_self` the element that
    /// a place had takes part, else it counts only where nothing arrives.
    ///
    /// Means of integers are rounded down. The gradient of extremes is shared among equal elements; that of products is
    /// exact where elements are zero, but its own gradient is refused where several of them meet, as in PyTorch 2.15.
    ///
    /// # Errors
    /// Another word for `reduce`, shapes or dtypes that do not fit, or an index that is not there.
    ///
    /// ```
    /// # use firebrick_core::Tensor;
    /// let (x, index) = (Tensor::new([1.0f32, 2.0, 3.0])?, Tensor::new([0i64, 0, 2])?);
    /// let src = Tensor::new([5.0f32, 7.0, 1.0])?;
    /// assert_eq!(x.scatter_reduce(0, &index, &src, "amax", true)?.to_vec::<f32>()?, [7.0, 2.0, 3.0]);
    /// assert_eq!(x.scatter_reduce(0, &index, &src, "mean", false)?.to_vec::<f32>()?, [6.0, 2.0, 1.0]);
    /// # Ok::<_, firebrick_core::Error>(())
    /// ```
    pub fn scatter_reduce(
        &self,
        dim: i64,
        index: &Tensor,
        src: &Tensor,
        reduce: &str,
        include_self: bool,
    ) -> Result<Tensor> {
        scatter_reduce(self, dim, index, src, reduce, include_self, None)
    }

    #[doc = crate::ops::in_place_doc!(scatter_reduce_ of scatter_reduce (0, &Tensor::new([0i64, 0])?, &Tensor::new([5.0f32, 7.0])?, "mean", false))]
    pub fn scatter_reduce_(
        &self,
        dim: i64,
        index: &Tensor,
        src: &Tensor,
        reduce: &str,
        include_self: bool,
    ) -> Result<&Tensor> {
        scatter_reduce(self, dim, index, src, reduce, include_self, Some("scatter_reduce_"))?;
        Ok(self)
    }

    /// This tensor with the slices of `source` combined into the indices of `dim` that the vector `index` names: by
    /// "prod", "mean", "amax" or "amin". `include_self` as in [`Tensor::scatter_reduce`].
    ///
    /// # Errors
    /// Another word for `reduce`, shapes or dtypes that do not fit, or an index that is not there.
    ///
    /// ```
    /// # use firebrick_core::Tensor;
    /// let x = Tensor::new([[1.0f32, 2.0], [3.0, 4.0]])?;
    /// let (index, source) = (Tensor::new([0i64, 0])?, Tensor::new([[2.0f32, 3.0], [5.0, 7.0]])?);
    /// assert_eq!(x.index_reduce(0, &index, &source, "prod", true)?.to_vec::<f32>()?, [10.0, 42.0, 3.0, 4.0]);
    /// # Ok::<_, firebrick_core::Error>(())
    /// ```
    pub fn index_reduce(
        &self,
        dim: i64,
        index: &Tensor,
        source: &Tensor,
        reduce: &str,
        include_self: bool,
    ) -> Result<Tensor> {
        index_reduce(self, dim, index, source, reduce, include_self, None)
    }

    #[doc = crate::ops::in_place_doc!(index_reduce_ of index_reduce (0, &Tensor::new([0i64, 0])?, &Tensor::new([5.0f32, 7.0])?, "prod", true))]
    pub fn index_reduce_(
        &self,
        dim: i64,
        index: &Tensor,
        source: &Tensor,
        reduce: &str,
        include_self: bool,
    ) -> Result<&Tensor> {
        index_reduce(self, dim, index, source, reduce, include_self, Some("index_reduce_"))?;
        Ok(self)
    }

    /// [`Tensor::scatter`] of a tensor or number that is combined with what is there: `reduce` is "add" or "multiply".
    ///
    /// It has no gradient, as in PyTorch: use [`Tensor::scatter_add`] or [`Tensor::scatter_reduce`] for one.
    ///
    /// # Errors
    /// Another word for `reduce`, shapes or dtypes that do not fit, or an index that is not there; in the backward pass.
    ///
    /// ```
    /// # use firebrick_core::Tensor;
    /// let x = Tensor::new([1.0f32, 2.0, 3.0])?;
    /// assert_eq!(x.scatter_with(0, &Tensor::new([1i64, 1])?, 3, "multiply")?.to_vec::<f32>()?, [1.0, 18.0, 3.0]);
    /// # Ok::<_, firebrick_core::Error>(())
    /// ```
    pub fn scatter_with(&self, dim: i64, index: &Tensor, src: impl Operand, reduce: &str) -> Result<Tensor> {
        scatter_with(self, dim, index, src.into_operand()?, reduce, None)
    }

    #[doc = crate::ops::in_place_doc!(scatter_with_ of scatter_with (0, &Tensor::new([1i64, 1])?, 3, "multiply"))]
    #[track_caller]
    pub fn scatter_with_(&self, dim: i64, index: &Tensor, src: impl Operand, reduce: &str) -> Result<&Tensor> {
        let _running = crate::source::operation();
        scatter_with(self, dim, index, src.into_operand()?, reduce, Some("scatter_"))?;
        Ok(self)
    }
}
