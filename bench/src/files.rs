//! Checkpoints of 500 MB.

use crate::Workload;
use crate::harness::Options;
use firebrick::io::{load_safetensors, save_safetensors};
use firebrick::prelude::*;
use std::path::{Path, PathBuf};

pub const WORKLOADS: &[Workload] = &[("ckpt_save_st", save), ("ckpt_load_st", load)];

fn state() -> Result<StateDict> {
    (0..125).map(|i| Ok((format!("layer{i}.weight"), Tensor::full([1000, 1000], i as f32)?))).collect()
}

/// A file that is gone when the workload is.
struct Temporary(PathBuf);

impl Temporary {
    fn new() -> Self {
        Temporary(std::env::temp_dir().join(format!("firebrick-bench-{}.safetensors", std::process::id())))
    }
}

impl AsRef<Path> for Temporary {
    fn as_ref(&self) -> &Path {
        &self.0
    }
}

impl Drop for Temporary {
    fn drop(&mut self) {
        // Nothing was written where saving failed.
        let _ = std::fs::remove_file(&self.0);
    }
}

fn save(options: &Options, name: &str) -> Result<()> {
    let (state, file) = (state()?, Temporary::new());
    options.measure(name, || save_safetensors(&file, &state))
}

fn load(options: &Options, name: &str) -> Result<()> {
    let file = Temporary::new();
    save_safetensors(&file, &state()?)?;
    options.measure(name, || load_safetensors(&file).map(drop))
}
