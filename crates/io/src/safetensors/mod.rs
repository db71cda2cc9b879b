//! The safetensors format: eight bytes that give the length of a JSON header, the header, the data.
//!
//! [`save_safetensors`] and [`load_safetensors`] write and read tensors, [`Reader`] one after another; all of them read
//! sharded files too, which [`save_safetensors_sharded`] writes. [`Header`] is the layer below: it reads and
//! writes the first two parts; data is the caller's bytes. Nothing in a file is
//! trusted: every size is checked against the bytes that are there before it is used.
//!
//! Written files equal those of the Python library `safetensors` 0.8 byte for byte: tensors come in
//! the order of their dtypes, widest first, then of their names, and spaces fill the header to a
//! multiple of eight bytes. One file differs: without tensors and with metadata that is empty the
//! library writes a header that it cannot read itself.
//!
//! ```
//! use firebrick_io::safetensors::{Dtype, Header};
//!
//! let header = Header::new([("bias", Dtype::F32, [2])], None)?;
//! let mut file = Vec::new();
//! header.write(&mut file, |_, _| Ok([0, 0, 128, 63, 0, 0, 0, 64].as_slice().into()))?;
//!
//! let (header, data) = Header::parse(&file)?;
//! assert_eq!(header.tensors()["bias"].shape, [2]);
//! assert_eq!(header.bytes(data, "bias")?, [0, 0, 128, 63, 0, 0, 0, 64]);
//! # Ok::<_, firebrick_io::safetensors::SafetensorsError>(())
//! ```

mod dtype;
mod error;
mod header;
mod index;
mod json;
mod reader;
mod save;
mod shards;
mod ties;

pub use dtype::Dtype;
pub use error::SafetensorsError;
pub use header::{Entry, Header};
pub use reader::{Reader, load_safetensors, load_safetensors_with};
pub use save::{SaveOptions, save_safetensors, save_safetensors_with};
pub use shards::save_safetensors_sharded;
