//! What runs the kernels of a tensor operation.

pub mod cpu;
