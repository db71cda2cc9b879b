//! Kernels for the host's processor.

pub mod math;
