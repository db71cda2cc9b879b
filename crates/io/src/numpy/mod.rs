//! NumPy's arrays: `.npy` files of one array and `.npz` archives of several.
//!
//! [`save_npy`] and [`load_npy`] write and read one array. Nothing in
//! a file is trusted: every size is compared with the bytes that are there. Arrays of Python objects are pickles, which can
//! run any program; they are refused, and so are records, texts and dates, and unsigned integers of more than 8 bits, which
//! tensors do not have. Numbers of the other byte order are turned as they are read.
//!
//! Written files equal those of NumPy 2.4 byte for byte. A tensor whose transpose is contiguous is written in
//! Fortran's order, as NumPy does.

mod array;
mod dtype;
mod error;
mod header;
mod literal;

pub use array::{load_npy, save_npy};
pub use error::NumpyError;
