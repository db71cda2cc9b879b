//! The device without data: tensors have a shape, a dtype and strides, and operations on them give others of that kind.
//! No memory is taken and nothing is computed.

use super::Memory;
use crate::storage::Block;
use crate::tensor::Body;
use crate::{Error, Result};

const NO_DATA: &str = "Cannot copy out of meta tensor; no data!";
const NO_ITEM: &str = "Tensor.item() cannot be called on meta tensors";
const NO_REPEATS: &str = "cannot repeat_interleave a meta tensor without output_size";
const REMEDY: &str = "a meta tensor has a shape and a dtype only; give the tensors of a module memory with `to_empty(device)`, then load or initialize them";

/// The one meta device.
pub(super) struct Meta;

/// Its blocks own nothing: what reads or writes elements refuses them first (`tensor/read.rs`), or is a kernel, of which
/// there is none here.
impl Memory for Meta {
    fn allocate(&self, bytes: usize) -> Result<Block> {
        Ok(Block::absent(bytes))
    }

    fn synchronize(&self) -> Result<()> {
        Ok(())
    }

    fn to_host(&self, _: &Body, _: &Body) -> Result<()> {
        Err(no_data())
    }

    fn from_host(&self, _: &Body, _: &Body) -> Result<()> {
        Ok(())
    }
}

/// Kernels that have nothing to write, and find nothing wrong with what they do not read.
macro_rules! does_nothing {
    ($(fn $name:ident($($t:ty),*) -> $r:ty;)*) => {
        impl Backend for meta::Meta {
            $(fn $name(&self, $(_: $t),*) -> Result<$r> {
                Ok(<$r>::default())
            })*
        }
    };
}
pub(super) use does_nothing;

/// PyTorch's error for a number that is asked for and does not exist.
#[cold]
pub(crate) fn no_item() -> Error {
    Error::runtime("item", NO_ITEM).remedy(REMEDY)
}

/// PyTorch's error for numbers of repetitions that do not exist.
#[cold]
pub(crate) fn no_repeats() -> Error {
    Error::runtime("repeat_interleave", NO_REPEATS).remedy(REMEDY)
}

impl Error {
    /// Was it asked for the elements of a tensor on [`Device::Meta`](crate::Device::Meta), which has none?
    ///
    /// ```
    /// use firebrick_core::{Device, Tensor};
    /// let x = Tensor::ones_with([1], Device::Meta)?;
    /// assert!(x.item::<f32>().is_err_and(|error| error.lacks_data()));
    /// # Ok::<_, firebrick_core::Error>(())
    /// ```
    pub fn lacks_data(&self) -> bool {
        [NO_DATA, NO_ITEM, NO_REPEATS].contains(&self.message())
    }
}

/// PyTorch's error for elements that are asked for and do not exist.
#[cold]
pub(crate) fn no_data() -> Error {
    Error::not_implemented("copy", NO_DATA).remedy(REMEDY)
}
