//! The forward half of every reduction, and the way back to the reduced shape.

use crate::backend::{self, Reduce};
use crate::dims::{wrap_dim, wrap_dims};
use crate::ops::complex::refusal;
use crate::ops::elementwise::compute_class;
use crate::{Body, DType, Dims, Error, Result, Sizes, Tensor};
use smallvec::SmallVec;

/// The dimensions that a reduction is over.
#[derive(Clone, Debug)]
pub(crate) struct Over {
    /// Shape of the input.
    pub shape: Dims,
    /// Resolved dimensions, in the order in which they were named.
    pub dims: SmallVec<[usize; 6]>,
    /// Do they stay, with size 1?
    pub keepdim: bool,
}

impl Over {
    /// All dimensions.
    pub fn all(x: &Tensor) -> Over {
        let shape = x.shape();
        Over { dims: (0..shape.len()).collect(), shape, keepdim: false }
    }

    /// The named dimensions; an empty list stands for all of them, as in PyTorch.
    pub fn dims(op: &'static str, x: &Tensor, dims: &Sizes, keepdim: bool) -> Result<Over> {
        let shape = x.shape();
        if shape.len() > 64 {
            return Err(Error::runtime(op, "only tensors with up to 64 dims are supported"));
        }
        let dims = match dims.is_empty() {
            true => (0..shape.len()).collect(),
            false => wrap_dims(op, dims, shape.len())?,
        };
        Ok(Over { shape, dims, keepdim })
    }

    /// One dimension.
    pub fn one(op: &'static str, x: &Tensor, dim: i64, keepdim: bool) -> Result<Over> {
        let shape = x.shape();
        let dims = SmallVec::from_elem(wrap_dim(op, dim, shape.len())?, 1);
        Ok(Over { shape, dims, keepdim })
    }

    /// The shape with size 1 in the reduced dimensions.
    pub fn kept(&self) -> Dims {
        let mut kept = self.shape.clone();
        for &dim in self.dims.iter().filter(|&&dim| dim < self.shape.len()) {
            kept[dim] = 1;
        }
        kept
    }

    /// The shape of the result.
    pub fn result(&self) -> Dims {
        let kept = |d: &usize| self.keepdim || !self.dims.contains(d);
        let all = self.kept();
        (0..all.len()).filter(kept).map(|d| all[d]).collect()
    }

    /// How many elements become one.
    pub fn count(&self) -> usize {
        self.dims.iter().filter_map(|&d| self.shape.get(d).copied()).collect::<Dims>().numel()
    }

    /// The dimensions, for further calls.
    pub fn sizes(&self) -> Sizes {
        // A tensor without dimensions accepts dimension 0.
        self.dims.iter().map(|&d| d as i64).filter(|&d| d < self.shape.len() as i64).collect()
    }

    /// A result or its gradient, with the reduced dimensions put back as size 1.
    pub fn restore(&self, t: &Tensor) -> Result<Tensor> {
        match self.keepdim || self.shape.is_empty() {
            true => Ok(t.clone()),
            false => t.reshape(self.kept()),
        }
    }

    /// The gradient of a result, stretched over the reduced dimensions.
    pub fn stretch(&self, g: &Tensor) -> Result<Tensor> {
        self.restore(g)?.expand(&self.shape)
    }
}

/// PyTorch's error for a dimension of size 0.
pub(crate) fn no_size(op: &'static str, dim: usize) -> Error {
    Error::index(op, format!("{op}(): Expected reduction dim {dim} to have non-zero size."))
}

/// Runs a reduction; `dtype` is that of the result.
pub(crate) fn reduce(kernel: Reduce, x: &Tensor, over: &Over, dtype: DType) -> Result<Tensor> {
    if x.is_complex() {
        return reduce_complex(kernel, x, over, dtype);
    }
    let input = x.body();
    let compute = match kernel {
        // Distances from the mean need a mean that is exact enough.
        Reduce::Var { .. } | Reduce::Std { .. } => DType::F64,
        Reduce::Any | Reduce::All | Reduce::CountNonzero | Reduce::CountNumbers => compute_class(input.dtype),
        _ => compute_class(dtype),
    };
    let out = Body::alloc(over.kept(), dtype, input.device())?;
    if out.numel() > 0 {
        backend::of(input.device())?.reduce(kernel, compute, &input, &out)?;
    }
    Ok(reshaped(&out, over))
}

/// A reduction of complex numbers: by their parts, or by one of a real function of them.
fn reduce_complex(kernel: Reduce, x: &Tensor, over: &Over, dtype: DType) -> Result<Tensor> {
    let x = x.detach();
    match kernel {
        Reduce::Sum | Reduce::Mean => {
            let (input, out) = (x.body(), Body::alloc(over.kept(), dtype, x.device())?);
            let parts = out.as_real();
            if out.numel() > 0 {
                backend::of(x.device())?.reduce(kernel, compute_class(parts.dtype), &input.as_real(), &parts)?;
            }
            Ok(reshaped(&out, over))
        }
        Reduce::Norm(_) => reduce(kernel, &x.abs()?, over, dtype.to_real()),
        Reduce::Var { .. } => {
            let part = |part: Tensor| reduce(kernel, &part, over, dtype.to_real());
            part(x.real()?)?.add(&part(x.imag()?)?)
        }
        Reduce::Std { correction } => reduce_complex(Reduce::Var { correction }, &x, over, dtype)?.sqrt(),
        Reduce::Any | Reduce::All | Reduce::CountNonzero => reduce(kernel, &x.ne(0)?, over, dtype.to_real()),
        _ => Err(refusal("reduce", x.dtype())),
    }
}

/// A fresh body in the shape of the result.
pub(crate) fn reshaped(out: &Body, over: &Over) -> Tensor {
    let shape = over.result();
    let strides = shape.contiguous_strides();
    Tensor::from_body(out.view(shape, strides, out.offset))
}
