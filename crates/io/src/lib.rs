//! Files of Firebrick: PyTorch's `.pt` and safetensors.

pub mod atomic;
pub mod mmap;
pub mod pytorch;
pub mod safetensors;

pub use pytorch::{load, save};
pub use safetensors::{SaveOptions, load_safetensors, save_safetensors, save_safetensors_with};
