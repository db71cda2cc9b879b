//! Some tensors of a `.pt` file.
#![allow(clippy::unwrap_used)]

use firebrick_core::{Result, StateDict, Tensor, Value};
use firebrick_io::LoadOptions;
use firebrick_io::pytorch::{Object, load, load_tensors, save};
use std::fs;
use std::path::{Path, PathBuf};

/// A checkpoint of two parameters and what Adam keeps of one.
fn checkpoint(folder: &Path) -> Result<PathBuf> {
    let model = StateDict::from_iter([("fc.a", Tensor::new([1.5f32; 40])?), ("fc.b", Tensor::new([2.5f32; 40])?)]);
    let moments = Value::dict([("step", Tensor::new(3.0f32)?.into()), ("exp_avg", Tensor::new([0.25f32; 40])?.into())]);
    let optimizer = Value::dict([("state", Value::dict([(0_i64, moments)]))]);
    let path = folder.join("checkpoint.pt");
    save(Object::dict([("model", model.into()), ("optimizer", optimizer.into()), ("epoch", 3.into())]), &path)?;
    Ok(path)
}

fn names(state: &StateDict) -> Vec<&str> {
    state.keys().collect()
}

#[test]
fn tensors_are_chosen_and_renamed_wherever_they_are_in_the_tree() {
    let folder = tempfile::tempdir().unwrap();
    let path = checkpoint(folder.path()).unwrap();
    let all = load_tensors(&path, &LoadOptions::new()).unwrap();
    assert_eq!(names(&all), ["model.fc.a", "model.fc.b", "optimizer.state.0.step", "optimizer.state.0.exp_avg"]);
    let model = load_tensors(&path, &LoadOptions::new().include("model.*").rename_prefix("model.", "")).unwrap();
    assert_eq!(names(&model), ["fc.a", "fc.b"]);
    let moments = LoadOptions::new().include("*.exp_*").exclude("model*").rename("optimizer.state.", "");
    let moments = load_tensors(&path, &moments).unwrap();
    assert_eq!(moments.get("0.exp_avg").unwrap().to_vec::<f32>().unwrap(), [0.25; 40]);
    let error = load_tensors(&path, &LoadOptions::new().include("head.*")).err().unwrap();
    assert_eq!(error.to_string(), "no tensor in the file matches the pattern \"head.*\"");
}

#[test]
fn records_of_other_tensors_are_not_read() {
    let folder = tempfile::tempdir().unwrap();
    let path = checkpoint(folder.path()).unwrap();
    let mut bytes = fs::read(&path).unwrap();
    let record = 2.5f32.to_le_bytes().repeat(40);
    let at = bytes.windows(record.len()).position(|window| window == record).unwrap();
    bytes[at] ^= 1;
    fs::write(&path, bytes).unwrap();

    let one = |name: &str| load_tensors(&path, &LoadOptions::new().include(name));
    assert_eq!(one("model.fc.a").unwrap().get("model.fc.a").unwrap().to_vec::<f32>().unwrap(), [1.5; 40]);
    let error = format!("{:#}", one("model.fc.b").err().unwrap());
    assert!(error.contains("checksum differs"), "{error}");
    assert!(load(&path).is_err());
}
