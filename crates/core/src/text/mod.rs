//! The text of tensors and of Python values, as PyTorch 2.15 prints them.
//!
//! [`TensorText`] turns the elements of a tensor and the facts printed behind them into
//! `tensor([[1., 2.]], dtype=torch.float64)`. [`PrintOptions`] are `torch.set_printoptions`.
//! [`Repr`] writes numbers, strings and tuples as Python does, for the line a module prints of itself.
//!
//! Everything here works on plain values: nothing knows of tensors.

mod elements;
mod number;
mod options;
mod python;
mod tensor;

pub use options::{PrintOptions, PrintOptionsGuard, get_printoptions, printoptions, set_printoptions};
pub use python::{Repr, python_complex, python_float, python_tuple};
pub use tensor::{TensorText, Values};
