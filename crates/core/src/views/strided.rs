//! `as_strided`: any look at a storage, and its gradient.

use super::op::ViewOp;
use crate::autograd::{self, Function, Node, OutputInfo};
use crate::tensor::Body;
use crate::{Dims, Error, Result, Sizes, Tensor, backend};
use smallvec::smallvec;
use std::sync::Arc;

/// Where in a storage the elements of a tensor lie.
#[derive(Clone, Debug)]
pub(crate) struct Geometry {
    pub shape: Dims,
    pub strides: Dims,
    pub offset: usize,
}

impl Geometry {
    pub fn of(body: &Body) -> Self {
        Geometry { shape: body.shape.clone(), strides: body.strides.clone(), offset: body.offset }
    }

    /// One past the last element; 0 without elements, wherever they would lie.
    fn end(&self) -> usize {
        match self.shape.contains(&0) {
            true => 0,
            false => self.offset + 1 + self.shape.iter().zip(&self.strides).map(|(&n, &s)| (n - 1) * s).sum::<usize>(),
        }
    }

    /// The same places of `scratch`, whose first element stands for element `low` of the storage.
    fn on(&self, scratch: &Body, low: usize) -> Body {
        scratch.view(self.shape.clone(), self.strides.clone(), self.offset - low)
    }
}

impl Tensor {
    /// The storage seen with any shape, strides and offset, all in elements; `None` keeps this tensor's offset.
    ///
    /// # Errors
    /// An element would lie outside the storage.
    ///
    /// ```
    /// # use firebrick_core::Tensor;
    /// let x = Tensor::new([1, 2, 3, 4])?;
    /// assert_eq!(x.as_strided([3, 2], [1, 1], None)?.to_vec::<i32>()?, [1, 2, 2, 3, 3, 4]);
    /// # Ok::<_, firebrick_core::Error>(())
    /// ```
    pub fn as_strided(
        &self,
        size: impl Into<Sizes>,
        stride: impl Into<Sizes>,
        storage_offset: impl Into<Option<i64>>,
    ) -> Result<Tensor> {
        const OP: &str = "as_strided";
        let (x, size, stride) = (self.resolve(OP)?, size.into(), stride.into());
        let body = x.body();
        let offset = storage_offset.into().unwrap_or(body.offset as i64);
        let refuse = |text: String| Err(Error::runtime(OP, text));
        if size.len() != stride.len() {
            return refuse("mismatch in length of strides and shape".into());
        }
        if stride.iter().any(|&s| s < 0) {
            return refuse(format!(
                "as_strided: Negative strides are not supported at the moment, got strides: {:?}",
                &stride[..]
            ));
        }
        if offset < 0 {
            return refuse(format!("Tensor: invalid storage offset {offset}"));
        }
        let (has, item) = (body.storage.bytes(), body.dtype.size());
        let Some(needs) = bytes_needed(&size, &stride, offset, item) else {
            return refuse(format!(
                "Storage size calculation overflowed with sizes={:?} and strides={:?}",
                &size[..],
                &stride[..]
            ));
        };
        if needs > has as u128 {
            return refuse(format!(
                "setStorage: sizes {:?}, strides {:?}, storage offset {offset}, and itemsize {item} requiring a storage size of {needs} are out of bounds for storage of size {has}",
                &size[..],
                &stride[..]
            ));
        }
        size.to_shape(OP)?;
        let dims = |list: &Sizes| list.iter().map(|&n| n as usize).collect::<Dims>();
        let view = ViewOp::AsStrided { shape: dims(&size), strides: dims(&stride), offset: offset as usize };
        x.viewed(OP, "AsStridedBackward0", view)
    }
}

/// Bytes up to the end of the last element, 0 without elements; `None` where they exceed what 64 bits hold.
fn bytes_needed(size: &[i64], stride: &[i64], offset: i64, item: usize) -> Option<u128> {
    if size.iter().any(|&n| n < 0) {
        return None;
    }
    if size.contains(&0) {
        return Some(0);
    }
    // Each product fits; only their sum may not.
    let steps = size.iter().zip(stride).map(|(&n, &s)| (n as u128 - 1) * s as u128);
    let reach = steps.fold(0u128, u128::saturating_add);
    let whole = reach.saturating_add(1).saturating_mul(item as u128);
    (whole <= i64::MAX as u128).then(|| whole + offset as u128 * item as u128)
}

/// Lays the elements of `x` out as `from` in an empty storage, adding where places coincide, and reads it as `to`.
///
/// With `from` the view and `to` its base this is the gradient of `as_strided`; with the two exchanged, the gradient
/// of that. Where places of `counted`, the base, coincide, each of them gets its share.
pub(crate) fn relaid(x: &Tensor, from: &Geometry, to: &Geometry, counted: &Geometry) -> Result<Tensor> {
    const NAME: &str = "AsStridedBackwardBackward0";
    let body = x.body();
    let low = from.offset.min(to.offset).min(counted.offset);
    let size = from.end().max(to.end()).max(counted.end()).saturating_sub(low);
    let backend = backend::of(body.device())?;
    let mut scratch = Body::zeros(Dims::from([size]), body.dtype, body.device())?;
    backend.add_overlapping(&body.reals(), &from.on(&scratch, low).reals())?;
    if !counted.on(&scratch, low).is_non_overlapping() {
        let counts = Tensor::from_body(scratch.clone()).ones_like()?.body();
        let places = counted.on(&counts, low);
        let ones = Tensor::from_body(places.clone()).ones_like()?.body();
        backend.fill(&places, crate::Scalar::Int(0))?;
        backend.add_overlapping(&ones.reals(), &places.reals())?;
        scratch = autograd::no_grad(|| Tensor::from_body(scratch).div(Tensor::from_body(counts)))?.body();
    }
    let out = Tensor::from_body(to.on(&scratch, low));
    if autograd::records([x]) {
        let (from, to, counted) = (from.clone(), to.clone(), counted.clone());
        let function = move |_: &Arc<Node>, grads: &[Option<Tensor>], _: &[bool]| {
            Ok(smallvec![grads[0].as_ref().map(|g| relaid(g, &to, &from, &counted)).transpose()?])
        };
        out.set_node(
            Node::new(NAME, smallvec![x.edge()], smallvec![OutputInfo::of(&out)], true, Function::new(function)),
            0,
        );
    }
    Ok(out)
}
