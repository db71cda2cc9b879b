//! Files of Firebrick: safetensors and checkpoints.

pub mod atomic;
pub mod mmap;
pub mod safetensors;
