//! What is made of a file: eight-bit floating point and wider types, and the state of one module.

use firebrick::io::pytorch::{Array, Object, Storage, load, save};
use firebrick::io::{Float8, LoadOptions, pytorch};
use firebrick::prelude::*;
use std::path::Path;

/// Writes the tensors of `from` as each eight-bit type, and all numbers of each as the dtypes of these tensors.
pub fn float8(from: &Path, to: &Path) -> Result<()> {
    let given = load(from)?.state_dict()?;
    let all = Tensor::from_vec((0..=u8::MAX).collect(), [256])?;
    let mut written: Vec<(String, Object)> = Vec::new();
    for float8 in Float8::ALL {
        for (name, values) in &given {
            let bytes = float8.encode(values)?.to_bytes()?;
            let storage = Storage::from_bytes(float8.into(), &bytes)?;
            let narrow = Array::new(storage, float8.into(), &[bytes.len()], &[1], 0)?;
            written.push((format!("{name} to {float8}"), narrow.into()));
            written.push((format!("{float8} to {name}"), float8.decode(&all)?.to(values.dtype())?.into()));
        }
    }
    save(Object::dict(written.iter().map(|(name, tensor)| (name.as_str(), tensor.clone()))), to)
}

/// Writes the tensors of `from` whose names begin with `prefix`, without it.
pub fn part(from: &str, prefix: &str, to: &str) -> Result<()> {
    let options = LoadOptions::new().include(format!("{prefix}*")).rename_prefix(prefix, "").mmap(true);
    save(pytorch::load_tensors(from, &options)?, to)
}
