//! Kernels of the CPU.
