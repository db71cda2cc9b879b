//! What the operations of this family share.

use crate::backend::{self, Order};
use crate::ops::record::linear;
use crate::ops::reduce::{Over, picked, reshaped};
use crate::tensor::layout::preserved_strides;
use crate::{Body, DType, Error, Result, Tensor};

/// Values and places of the elements that `order` asks for, `results` of them along the dimension, as an operation
/// whose gradient goes to those places.
pub(super) fn ordered(
    name: &'static str,
    order: Order,
    x: &Tensor,
    over: Over,
    results: usize,
) -> Result<(Tensor, Tensor)> {
    let found = found(order, x, over.dims[0], results)?;
    let found = if over.keepdim { found } else { (reshaped(&found.0.body(), &over), reshaped(&found.1.body(), &over)) };
    picked(name, x, over, found)
}

/// The same, not recorded, with the dimension kept.
pub(super) fn found(order: Order, x: &Tensor, dim: usize, results: usize) -> Result<(Tensor, Tensor)> {
    let input = x.body();
    let mut shape = input.shape.clone();
    if let Some(size) = shape.get_mut(dim) {
        *size = results;
    }
    let out = Body::alloc(shape.clone(), input.dtype, input.device())?;
    let indices = Body::alloc(shape, DType::I64, input.device())?;
    backend::of(input.device())?.order(order, &input, dim, &out, &indices)?;
    let found = (Tensor::from_body(out), Tensor::from_body(indices));
    // A sorted tensor lies as it did before.
    match preserved_strides(&input).filter(|_| matches!(order, Order::Sort { .. })) {
        Some(strides) => Ok((found.0.copied_with(Some(strides.clone()))?, found.1.copied_with(Some(strides))?)),
        None => Ok(found),
    }
}

/// `out` with a node that stands for a gradient which PyTorch does not have.
pub(super) fn without_gradient(
    name: &'static str,
    input: &Tensor,
    out: Tensor,
    error: impl Fn() -> Error + Send + Sync + 'static,
) -> Tensor {
    linear(name, &[input], out, move |_, _| Err(error()))
}

/// The error of an operation that PyTorch has no derivative of, on going backward.
pub(super) fn no_derivative(op: &'static str) -> Error {
    Error::runtime(op, format!("derivative for aten::{op} is not implemented"))
}

/// PyTorch's error for a dtype that a kernel does not know.
pub(super) fn not_implemented(op: &'static str, kernel: &str, dtype: DType) -> Error {
    Error::not_implemented(op, format!("\"{kernel}\" not implemented for '{}'", dtype.scalar_name()))
}
