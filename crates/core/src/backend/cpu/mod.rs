//! Kernels of the CPU.

pub mod conv;
pub mod float;
pub mod gemm;
pub mod pooling;
pub(crate) mod scratch;
pub(crate) mod shared;
pub(crate) mod simd;
