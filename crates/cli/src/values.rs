//! The values of a tensor, so many at a time that they stay in the cache.

use firebrick_core::{Result, Tensor};

/// Elements at a time.
const CHUNK: usize = 1 << 16;

/// The elements of `tensor` in row-major order, in parts; complex numbers as their parts, one after the other.
pub fn chunks(tensor: &Tensor) -> Result<impl Iterator<Item = Result<Tensor>>> {
    let tensor = tensor.detach();
    let flat = if tensor.is_complex() { tensor.view_as_real()? } else { tensor }.reshape([-1])?;
    let numel = flat.numel();
    let chunk = move |start: usize| flat.narrow(0, start as i64, CHUNK.min(numel - start) as i64);
    Ok((0..numel).step_by(CHUNK).map(chunk))
}
