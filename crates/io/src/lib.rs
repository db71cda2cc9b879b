//! Files of Firebrick: safetensors and checkpoints.

pub mod atomic;
pub mod mmap;
pub mod safetensors;

pub use safetensors::{SaveOptions, load_safetensors, save_safetensors, save_safetensors_with};
