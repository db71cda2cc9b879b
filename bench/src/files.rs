//! Checkpoints of 500 MB.

use crate::harness::Options;
use crate::table::Workload;
use firebrick::io::{load_safetensors, save_safetensors};
use firebrick::prelude::*;
use std::path::{Path, PathBuf};

fn state(options: &Options) -> Result<StateDict> {
    let side = options.size(1000);
    (0..options.size(125)).map(|i| Ok((format!("layer{i}.weight"), Tensor::full([side, side], i as f32)?))).collect()
}

/// A file that is gone when the workload is.
struct Temporary(PathBuf);

impl Temporary {
    fn new(workload: &Workload) -> Self {
        let name = format!("firebrick-bench-{}-{}.safetensors", std::process::id(), workload.name);
        Temporary(std::env::temp_dir().join(name))
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

pub fn save(options: &Options, workload: &Workload) -> Result<()> {
    let (state, file) = (state(options)?, Temporary::new(workload));
    options.measure(workload, || save_safetensors(&file, &state))
}

pub fn load(options: &Options, workload: &Workload) -> Result<()> {
    let file = Temporary::new(workload);
    save_safetensors(&file, &state(options)?)?;
    options.measure(workload, || load_safetensors(&file).and_then(touch))
}

/// Reads a number of each page: a mapped file is read no sooner.
fn touch(state: StateDict) -> Result<()> {
    state.iter().try_for_each(|(_, tensor)| tensor.view([-1])?.slice(0, None, None, 1024)?.sum().map(drop))
}
