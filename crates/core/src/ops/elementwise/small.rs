//! Elementwise operations on few numbers. Their inputs are looked at in place rather than copied: the counting and
//! locking that a copy brings would take longer than the work.

use super::rules::{self, Rule};
use super::run::is_alike;
use crate::backend::{self, Map};
use crate::{Body, DType, Result, Tensor};

/// Elements up to which the work is over before a thread that waits to look at an input gives up its time slice.
const SMALL: usize = 1024;

/// The result of `kernel`, where the inputs are few row-major numbers of one floating dtype and shape; `None` where
/// they are not.
#[inline]
pub(super) fn run(kernel: Map, inputs: &[&Tensor]) -> Option<Result<Tensor>> {
    let result = match *inputs {
        [x] => x.with_body(|x| suits(kernel, x).then(|| compute(kernel, &[x], x))),
        [x, y] => x.with_bodies(y, |x, y| {
            (suits(kernel, x) && is_alike(x, y) && x.strides == y.strides).then(|| compute(kernel, &[x, y], x))
        }),
        _ => None,
    }?;
    Some(result.map(Tensor::from_body))
}

#[inline]
fn suits(kernel: Map, x: &Body) -> bool {
    matches!(x.dtype, DType::F32 | DType::F64)
        && x.numel() <= SMALL
        && x.is_row_major()
        && rules::rule(kernel) != Rule::First
        && rules::takes_floats(kernel)
}

#[inline]
fn compute(kernel: Map, inputs: &[&Body], like: &Body) -> Result<Body> {
    let out = Body::alloc_like(like, rules::rule(kernel).result(like.dtype))?;
    backend::of(like.device())?.map(kernel, like.dtype, inputs, &out)?;
    Ok(out)
}
