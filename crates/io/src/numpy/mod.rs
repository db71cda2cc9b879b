//! NumPy's arrays: `.npy` files of one array and `.npz` archives of several.
//!
//! [`save_npy`] and [`load_npy`] write and read one array, [`save_npz`] and [`load_npz`] several by name. Nothing in
//! a file is trusted: every size is compared with the bytes that are there. Arrays of Python objects are pickles, which can
//! run any program; they are refused, and so are records, texts and dates, and unsigned integers of more than 8 bits, which
//! tensors do not have. Numbers of the other byte order are turned as they are read.
//!
//! Written files equal those of NumPy 2.4 byte for byte, except for how arrays are deflated. A tensor whose transpose is contiguous is written in
//! Fortran's order, as NumPy does.

mod array;
mod dtype;
mod error;
mod header;
mod literal;
mod npz;
mod npz_writer;

pub use array::{load_npy, save_npy};
pub use error::NumpyError;
pub use npz::{NpzReader, load_npz, load_npz_with};
pub use npz_writer::{NpzWriter, save_npz, save_npz_compressed};
