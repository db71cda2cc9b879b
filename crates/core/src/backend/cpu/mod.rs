//! Kernels of the CPU.

pub mod float;
pub mod gemm;
mod scratch;
mod simd;
