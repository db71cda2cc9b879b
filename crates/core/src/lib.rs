//! Tensors, autograd and random numbers of Firebrick.
//!
//! | module | what it holds |
//! |---|---|
//! | [`autograd`] | recording modes, `backward`, `grad`, hooks, gradient checks |
//! | [`linalg`] | linear algebra |
//! | [`amp`] | operations that choose their dtype: autocast |
//! | [`accelerator`] | devices beside the CPU |
//! | [`random`] | PyTorch's random numbers, bit for bit |
//! | [`pool`] | the threads that operations share |
//! | [`text`] | how PyTorch prints |
//!
//! Operations are methods of [`Tensor`], grouped by family in [`ops`].

pub mod accelerator;
pub mod amp;
pub mod autograd;
#[doc(hidden)]
pub mod backend;
pub mod ops;
pub mod pool;
pub mod random;
pub mod text;

mod complex;
mod default_device;
mod default_dtype;
mod device;
mod dims;
mod dtype;
mod element;
mod error;
mod scalar;
mod source;
mod storage;
mod sync;
mod tensor;
mod value;
mod views;
mod warning;
mod work;

pub use complex::Complex;
pub use default_device::default_device;
pub use default_dtype::{default_dtype, set_default_dtype};
pub use device::Device;
pub use dims::{Dims, Integer, Sizes, broadcast_shapes, wrap_dim, wrap_dims};
pub use dtype::{Category, DType};
pub use element::Element;
#[doc(hidden)]
pub use element::no_complex_kernel;
pub use error::{Error, ErrorKind, Result};
pub use ops::linalg::{ContractDims, CovWeights, NormOrder};
pub use ops::{
    AttentionOptions, AvgPoolOptions, BagMode, BagOptions, Bins, ConvOptions, ConvTransposeOptions, Ellipsis,
    FoldOptions, GridMode, GridPadding, IndexItem, InterpolateMode, InterpolateOptions, IntoIndex, Lengths, NewAxis,
    Padding, PoolOptions, RecurrentWeights, Reduction, Slice, Spacing, Unique, linalg,
};
pub use random::{Generator, manual_seed};
pub use scalar::Scalar;
#[doc(hidden)]
pub use storage::{Block, Keeper, Storage};
pub use storage::{MemoryStats, empty_cache, memory_stats};
#[doc(hidden)]
pub use tensor::Body;
pub use tensor::{
    Buffer, Contents, MemoryFormat, Operand, Parameter, ShapesOnly, StateDict, Substitution, Tensor, TensorOptions, To,
    standing_in, substitute,
};
pub use value::{Key, Value};
pub use views::Sections;
pub use warning::{catch_warnings, warn};
pub use work::multiply_adds;
