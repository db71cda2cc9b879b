//! The dtypes whose values the program reads and writes: those that Firebrick computes with, and the eight-bit ones.

use firebrick_core::{DType, Result, Tensor};
use firebrick_io::{Float8, pytorch, safetensors};

/// A dtype whose values are known. Tensors of eight-bit floating point travel as their bytes, in `torch.uint8`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Numbers {
    Core(DType),
    Float8(Float8),
}

impl Numbers {
    /// The dtype of a safetensors file, if its values are known.
    pub fn of_safetensors(dtype: safetensors::Dtype) -> Option<Self> {
        dtype.to_core().map(Numbers::Core).or(dtype.float8().map(Numbers::Float8))
    }

    /// The dtype of a `.pt` file, if its values are known.
    pub fn of_pytorch(dtype: pytorch::Dtype) -> Option<Self> {
        dtype.core().map(Numbers::Core).or(dtype.float8().map(Numbers::Float8))
    }

    /// The dtype in a safetensors file, which has no complex128.
    pub fn to_safetensors(self) -> Option<safetensors::Dtype> {
        match self {
            Numbers::Core(dtype) => safetensors::Dtype::from_core(dtype),
            Numbers::Float8(float8) => Some(float8.into()),
        }
    }

    /// The dtype in a `.pt` file.
    pub fn to_pytorch(self) -> pytorch::Dtype {
        match self {
            Numbers::Core(dtype) => dtype.into(),
            Numbers::Float8(float8) => float8.into(),
        }
    }

    /// PyTorch's name.
    pub fn name(self) -> &'static str {
        match self {
            Numbers::Core(dtype) => dtype.name(),
            Numbers::Float8(float8) => float8.name(),
        }
    }

    pub fn is_floating_point(self) -> bool {
        match self {
            Numbers::Core(dtype) => dtype.is_floating_point(),
            Numbers::Float8(_) => true,
        }
    }

    /// The values of a tensor as it came from its file.
    pub fn decoded(self, elements: Tensor) -> Result<Tensor> {
        match self {
            Numbers::Core(_) => Ok(elements),
            Numbers::Float8(float8) => float8.decode(&elements),
        }
    }

    /// The tensor as it goes to a file.
    pub fn encoded(self, values: &Tensor) -> Result<Tensor> {
        match self {
            Numbers::Core(dtype) => values.to(dtype),
            Numbers::Float8(float8) => float8.encode(values),
        }
    }
}
