//! Files of Firebrick: PyTorch's `.pt`, safetensors, NumPy's arrays, and checkpoints of a training.

pub mod atomic;
pub mod mmap;
pub mod numpy;
pub mod pytorch;
pub mod safetensors;

mod checkpoint;
mod float8;
mod selection;
mod zip;

pub use checkpoint::Checkpoint;
pub use float8::Float8;
pub use pytorch::{load, save};
pub use safetensors::{
    SaveOptions, load_safetensors, load_safetensors_with, save_safetensors, save_safetensors_sharded,
    save_safetensors_with,
};
pub use selection::LoadOptions;
