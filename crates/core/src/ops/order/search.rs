//! Places in what is sorted.

use super::run::not_implemented;
use crate::ops::devices::same_device;
use crate::ops::elementwise::result_type;
use crate::{Body, DType, Error, Operand, Result, Tensor, TensorOptions, backend};

/// Which side of equal boundaries a value goes to, and the dtype of the places.
#[derive(Clone, Copy, Debug, Default)]
struct Places {
    right: bool,
    out_int32: bool,
}

/// Runs the search; `sorter` was checked.
fn places(op: &'static str, how: Places, bounds: &Tensor, sorter: Option<&Tensor>, values: &Tensor) -> Result<Tensor> {
    let (b, v) = (bounds.body(), values.body());
    let dtype = result_type([(bounds, &b), (values, &v)]);
    if v.numel() > 0 && dtype == DType::Bool {
        return Err(not_implemented(op, "searchsorted_out_cpu", dtype));
    }
    let device = b.device();
    let values = if values.is_wrapped_number() { values.to(device)? } else { values.clone() };
    same_device(op, [device, values.device()])?;
    let ready = |t: &Tensor, dtype| Ok::<Body, Error>(t.detach().to(dtype)?.contiguous()?.body());
    let (b, v) = (ready(bounds, dtype)?, ready(&values, dtype)?);
    let sorter = sorter.map(|s| ready(s, DType::I64)).transpose()?;
    let out = Body::alloc(v.shape.clone(), if how.out_int32 { DType::I32 } else { DType::I64 }, device)?;
    backend::of(device)?.search(how.right, &b, sorter.as_ref(), &v, &out)?;
    Ok(Tensor::from_body(out))
}

/// PyTorch's checks of a sorter.
fn check_sorter(op: &'static str, bounds: &Body, sorter: &Tensor) -> Result<()> {
    let refuse = |text: String| Err(Error::runtime(op, text));
    let body = sorter.body();
    same_device(op, [bounds.device(), body.device()])?;
    if body.shape != bounds.shape {
        return refuse(format!(
            "torch.searchsorted(): boundary and sorter must have the same size, but got boundary tensor {:?}and got sorter tensor {:?}",
            bounds.shape, body.shape
        ));
    }
    if body.dtype != DType::I64 {
        return refuse(format!(
            "torch.searchsorted(): sorter must be a tensor of long dtype but got dtype {}",
            body.dtype.scalar_name()
        ));
    }
    let size = bounds.shape.last().copied().unwrap_or(1) as u64;
    if sorter.values_or(0i64)?.iter().any(|&place| place as u64 >= size) {
        return refuse("torch.searchsorted(): sorter index out of range".into());
    }
    Ok(())
}

/// Is each element of `x` equal to an element of `test`?
fn found_in(op: &'static str, x: &Tensor, test: &Tensor) -> Result<Tensor> {
    let dtype = result_type([(x, &x.body()), (test, &test.body())]);
    let (x, sorted) = (x.to(dtype)?, test.to(dtype)?.reshape([-1])?.sort(0, false)?.0);
    // NaN comes last, and equals nothing.
    let numbers = sorted.eq(&sorted)?.sum()?.value_or(sorted.numel() as i64)?;
    if numbers == 0 {
        same_device(op, [x.device(), test.device()])?;
        return Tensor::full_with(x.shape(), false, TensorOptions::from(DType::Bool).device(x.device()));
    }
    let sorted = sorted.narrow(0, 0, numbers)?;
    let place = places(op, Places::default(), &sorted, None, &x)?.clamp_max(numbers - 1)?;
    sorted.take(&place)?.eq(&x)
}

impl Tensor {
    /// How many elements of this sorted tensor (along its last dimension) are below each of `values`; with `right`, how
    /// many are not above it: where it may be inserted. Rows of `values` go with rows of this tensor, unless that has one
    /// dimension.
    ///
    /// `sorter`, as from [`Tensor::argsort`], names the elements in order where they are not sorted. NaN is above
    /// everything. The result is int64, or int32 with `out_int32`.
    ///
    /// # Errors
    /// Shapes that do not fit, or a sorter of another shape or dtype or with an index that is not there.
    ///
    /// ```
    /// # use firebrick_core::Tensor;
    /// let edges = Tensor::new([1.0f32, 3.0, 5.0])?;
    /// let values = Tensor::new([0.0f32, 3.0, 9.0])?;
    /// assert_eq!(edges.searchsorted(&values, false, None, false)?.to_vec::<i64>()?, [0, 1, 3]);
    /// assert_eq!(edges.searchsorted(&values, true, None, false)?.to_vec::<i64>()?, [0, 2, 3]);
    /// # Ok::<_, firebrick_core::Error>(())
    /// ```
    pub fn searchsorted(
        &self,
        values: impl Operand,
        right: bool,
        sorter: Option<&Tensor>,
        out_int32: bool,
    ) -> Result<Tensor> {
        const OP: &str = "searchsorted";
        let (bounds, values) = (self.resolve(OP)?, values.into_operand()?.resolve(OP)?);
        let sorter = sorter.map(|s| s.resolve(OP)).transpose()?;
        let (edges, wanted) = (bounds.body(), values.shape());
        let rank = edges.shape.len();
        if wanted.is_empty() && rank != 1 {
            return Err(Error::runtime(
                OP,
                format!(
                    "torch.searchsorted(): input value can be a scalar only when boundaries tensor dimension is 1, but we got boundaries tensor dim({rank}) and input value's dim(0) numel(1)"
                ),
            ));
        }
        let rows_fit = || rank == wanted.len() && rank > 0 && edges.shape[..rank - 1] == wanted[..rank - 1];
        if rank != 1 && !rows_fit() {
            return Err(Error::runtime(
                OP,
                format!(
                    "torch.searchsorted(): boundaries tensor should be 1 dimension or the first N-1 dimensions of boundaries tensor and input value tensor must match, but we got boundaries tensor {:?} and input value tensor {wanted:?}",
                    edges.shape
                ),
            ));
        }
        if let Some(sorter) = &sorter {
            check_sorter(OP, &edges, sorter)?;
        }
        places(OP, Places { right, out_int32 }, &bounds, sorter.as_ref(), &values)
    }

    /// The number of the bucket between sorted `boundaries` that each element falls into: how many of them are below it
    /// or, with `right`, not above it.
    ///
    /// # Errors
    /// `boundaries` is no vector.
    ///
    /// ```
    /// # use firebrick_core::Tensor;
    /// let x = Tensor::new([[0.5f32, 3.0], [4.0, 9.0]])?;
    /// let edges = Tensor::new([1.0f32, 3.0, 5.0])?;
    /// assert_eq!(x.bucketize(&edges, false, false)?.to_vec::<i64>()?, [0, 1, 2, 3]);
    /// # Ok::<_, firebrick_core::Error>(())
    /// ```
    pub fn bucketize(&self, boundaries: &Tensor, right: bool, out_int32: bool) -> Result<Tensor> {
        const OP: &str = "bucketize";
        let (x, boundaries) = (self.resolve(OP)?, boundaries.resolve(OP)?);
        if boundaries.dim() != 1 {
            let text = format!("boundaries tensor must be 1 dimension, but got dim({})", boundaries.dim());
            return Err(Error::runtime(OP, text));
        }
        places(OP, Places { right, out_int32 }, &boundaries, None, &x)
    }

    /// Is each element one of `test_elements`? With `invert`, is it none of them? NaN is none.
    ///
    /// # Errors
    /// A bool tensor.
    ///
    /// ```
    /// # use firebrick_core::Tensor;
    /// let x = Tensor::new([1, 2, 3])?;
    /// assert_eq!(x.isin(Tensor::new([3, 1])?, false)?.to_vec::<bool>()?, [true, false, true]);
    /// # Ok::<_, firebrick_core::Error>(())
    /// ```
    pub fn isin(&self, test_elements: impl Operand, invert: bool) -> Result<Tensor> {
        const OP: &str = "isin";
        let (x, test) = (self.resolve(OP)?, test_elements.into_operand()?.resolve(OP)?);
        for t in [&x, &test] {
            if t.dtype() == DType::Bool {
                let text = "Unsupported input type encountered for isin(): Bool";
                return Err(Error::not_implemented(OP, text));
            }
        }
        let found = if test.dim() == 0 { x.eq(&test)? } else { found_in(OP, &x.detach(), &test.detach())? };
        if invert { found.logical_not() } else { Ok(found) }
    }
}
