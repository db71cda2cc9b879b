//! Following the shapes of a computation without its data: tensors without data stand in for those that have some.

use super::substitute::set_following_shapes;
use super::{Body, REQUIRES_GRAD, Tensor, WRAPPED};
use crate::default_device::{Restore, default_to};
use crate::storage::{Block, Storage};
use crate::{Device, Result};
use std::marker::PhantomData;
use std::sync::Arc;

/// While it lives, the operations of this thread follow shapes and compute nothing: every tensor that one is given counts
/// as one of its form on [`Device::Meta`], and new tensors are made there.
///
/// Nothing that exists is changed, in place or by [`Tensor::set_data`]. The elements of a tensor that exists can still be
/// looked at, with [`Tensor::to_vec`] or [`Tensor::item`]; those of a result are an error, see [`Error::lacks_data`].
///
/// [`Error::lacks_data`]: crate::Error::lacks_data
///
/// ```
/// use firebrick_core::{ShapesOnly, Tensor};
/// let (x, w) = (Tensor::ones([4, 3])?, Tensor::ones([3, 2])?);
/// let shapes = ShapesOnly::begin();
/// let y = x.matmul(&w)?;
/// x.zero_()?;
/// assert!(y.is_meta() && y.item::<f32>().is_err());
/// drop(shapes);
/// assert_eq!(x.matmul(&w)?.to_vec::<f32>()?, [3.0; 8]);
/// # Ok::<_, firebrick_core::Error>(())
/// ```
#[must_use = "shapes alone are followed as long as the guard lives"]
pub struct ShapesOnly {
    before: bool,
    _device: Restore,
    /// It belongs to one thread.
    _thread: PhantomData<*const ()>,
}

impl ShapesOnly {
    /// Begins to follow shapes alone.
    pub fn begin() -> Self {
        ShapesOnly { before: set_following_shapes(true), _device: default_to(Device::Meta), _thread: PhantomData }
    }
}

impl Drop for ShapesOnly {
    fn drop(&mut self) {
        set_following_shapes(self.before);
    }
}

impl Tensor {
    /// A tensor of this shape, layout, dtype and `requires_grad` on [`Device::Meta`], without history.
    ///
    /// # Errors
    /// None that are known: it takes no memory.
    ///
    /// ```
    /// # use firebrick_core::Tensor;
    /// let form = Tensor::new([[1.0f32, 2.0], [3.0, 4.0]])?.t()?.form()?;
    /// assert!(form.is_meta() && form.shape() == [2, 2] && form.stride() == [1, 2]);
    /// # Ok::<_, firebrick_core::Error>(())
    /// ```
    pub fn form(&self) -> Result<Tensor> {
        let body = self.body();
        if self.is_uninitialized() {
            return Tensor::uninitialized(body.dtype, Device::Meta);
        }
        let storage = Storage::new(Device::Meta, Block::absent(body.storage.bytes()));
        let form = Tensor::from_body(Body { storage: Arc::new(storage), ..body });
        form.set_flag(REQUIRES_GRAD, self.requires_grad());
        if self.is_placeholder() { Tensor::placeholder(&form) } else { Ok(form) }
    }

    /// What stands in for this tensor where shapes alone are followed. A number beside a tensor stays what it is.
    pub(super) fn formed(&self) -> Result<Option<Tensor>> {
        if self.is_meta() || self.flag(WRAPPED) {
            return Ok(None);
        }
        let form = self.form()?;
        form.set_flag(REQUIRES_GRAD, false);
        Ok(Some(form))
    }
}
