//! PyTorch's `.pt` files, read and written.
//!
//! [`load`] and [`save`] are `torch.load` (with `weights_only=True`) and `torch.save`. What a file holds is a tree of
//! [`Object`]s. Its tensors are [`Array`]s: views of [`Storage`]s of any dtype that PyTorch has, which become
//! [`Tensor`](firebrick_core::Tensor)s when they are asked for. [`File`] opens a file without reading its tensors.
//!
//! A file is a zip archive ([`Format::Zip`]) of a pickle, which is the tree, and one record for each storage; before
//! PyTorch 1.6 it was pickles and bytes in a row. Nothing in a pickle is executed: the few classes and functions that
//! tensors need are known by name, everything else is refused. No size is believed before it is compared with the bytes
//! that are there, and memory is bounded by the size of the file.
//!
//! ```
//! use firebrick_core::Tensor;
//! use firebrick_io::LoadOptions;
//! use firebrick_io::pytorch::{self, File, Object};
//!
//! let weight = Tensor::new([[1.0f32, 2.0], [3.0, 4.0]])?;
//! let checkpoint = Object::dict([("epoch", Object::Int(7)), ("weight", weight.t()?.into())]);
//! let bytes = pytorch::to_bytes(checkpoint)?;
//!
//! let file = File::from_bytes(bytes, &LoadOptions::new())?;
//! assert_eq!(file.object().get("epoch").and_then(Object::as_i64), Some(7));
//! let weight = file.array("weight").expect("saved above");
//! assert_eq!(weight.strides(), [1, 2]);
//! assert_eq!(weight.tensor()?.to_vec::<f32>()?, [1.0, 3.0, 2.0, 4.0]);
//! # Ok::<_, firebrick_core::Error>(())
//! ```

mod archive;
mod array;
mod convert;
mod dtype;
mod error;
mod int;
mod key;
mod legacy;
mod load;
mod object;
mod partial;
mod path;
mod pickle;
mod save;
mod source;
mod special;
mod storage;
#[cfg(test)]
mod tests;
mod walk;

pub use array::{Array, Class};
pub use dtype::Dtype;
pub use int::BigInt;
pub use key::{FloatKey, Key};
pub use load::{File, Format, load, load_with};
pub use object::{Dict, DictKind, Object};
pub use partial::load_tensors;
pub use save::{save, to_bytes};
pub use special::{Layout, QScheme, Quantized, Sparse};
pub use storage::Storage;

use error::PytorchError;
