//! Kernels of the CPU.

pub mod conv;
pub mod float;
pub mod gemm;
pub mod pooling;
mod scratch;
mod simd;
