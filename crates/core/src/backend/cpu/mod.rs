//! Kernels of the CPU.

pub mod conv;
pub mod float;
pub mod gemm;
mod scratch;
mod simd;
