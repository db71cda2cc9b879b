//! What every operation with an index shares.

use crate::backend::{self, Indexing};
use crate::ops::devices::same_device;
use crate::{Body, DType, Device, Dims, Error, Result, Tensor};

/// The index as int64, on the device of what it indexes. Its dtype was checked.
pub(super) fn as_i64(index: &Tensor) -> Result<Body> {
    let index = index.detach();
    Ok(if index.dtype() == DType::I64 { index } else { index.to(DType::I64)? }.body())
}

/// A body with one dimension at least.
pub(super) fn raised(body: Body) -> Body {
    match body.shape.is_empty() {
        true => body.view(Dims::from([1]), Dims::from([1]), body.offset),
        false => body,
    }
}

/// A vector as an index of `shape` that names places along `dim` only.
pub(super) fn stretched(index: &Body, shape: &Dims, dim: usize) -> Body {
    let mut strides = Dims::repeat(0, shape.len());
    strides[dim] = index.strides.first().copied().unwrap_or(1);
    index.view(shape.clone(), strides, index.offset)
}

/// Gathers along `dim` into a new body; `bad` words the error for an index out of range.
pub(super) fn gathered(table: &Body, dim: usize, index: &Body, bad: impl Fn(i64) -> Error) -> Result<Body> {
    let out = Body::alloc(index.shape.clone(), table.dtype, table.device())?;
    run(Indexing::Gather, dim, &out, index, table, bad)?;
    Ok(out)
}

/// Runs an indexing kernel. Bodies without dimensions are seen with one.
pub(super) fn run(
    kind: Indexing,
    dim: usize,
    spread: &Body,
    index: &Body,
    table: &Body,
    bad: impl Fn(i64) -> Error,
) -> Result<()> {
    same_device("index", [table, spread, index].map(Body::device))?;
    let (mut spread, mut index, mut table) = (raised(spread.clone()), raised(index.clone()), raised(table.clone()));
    if table.dtype.is_complex() {
        // Both parts are moved by one index.
        (spread, table) = (spread.as_real(), table.as_real());
        index.shape.push(2);
        index.strides.push(0);
    }
    match backend::of(table.device())?.index(kind, dim, &spread, &index, &table)? {
        Some(index) => Err(bad(index)),
        None => Ok(()),
    }
}

/// The elements at `positions` of `dim`, all of which are there.
pub(crate) fn picked(body: &Body, dim: usize, positions: &[i64]) -> Result<Body> {
    let index = on(body.device(), positions)?;
    let mut shape = body.shape.clone();
    shape[dim] = positions.len();
    gathered(body, dim, &stretched(&index, &shape, dim), |i| out_of_bounds("index", i, dim, body.shape[dim]))
}

/// A vector of int64 on a device.
pub(super) fn on(device: Device, positions: &[i64]) -> Result<Body> {
    Ok(Tensor::from_slice_with(positions, [positions.len()], device)?.body())
}

/// PyTorch's usual sentence for an index out of range.
pub(super) fn out_of_bounds_text(index: i64, dim: usize, size: usize) -> String {
    format!("index {index} is out of bounds for dimension {dim} with size {size}")
}

pub(super) fn out_of_bounds(op: &'static str, index: i64, dim: usize, size: usize) -> Error {
    Error::runtime(op, out_of_bounds_text(index, dim, size))
}

pub(super) fn is_index_dtype(dtype: DType) -> bool {
    matches!(dtype, DType::I32 | DType::I64)
}
