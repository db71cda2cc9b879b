//! Some tensors of a `.pt` file.
#![allow(clippy::unwrap_used)]

use firebrick_core::{Result, StateDict, Tensor, Value, memory_stats};
use firebrick_io::LoadOptions;
use firebrick_io::pytorch::{Object, load, load_tensors, load_with, save};
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

/// A model in a checkpoint, with the versions of its modules; `act` has no tensors.
fn with_versions(folder: &Path) -> Result<PathBuf> {
    let mut model = StateDict::from_iter([
        ("body.norm.w", Tensor::zeros([40_000])?),
        ("body.norm.b", Tensor::ones([2])?),
        ("head.w", Tensor::ones([3])?),
    ]);
    for (module, version) in [("", 1), ("body", 1), ("body.norm", 2), ("body.act", 1), ("head", 3)] {
        model.metadata.entry(module.to_owned()).or_default().insert("version".to_owned(), version);
    }
    let path = folder.join("versions.pt");
    save(Object::dict([("epoch", 3.into()), ("model", model.into())]), &path)?;
    Ok(path)
}

fn versions(state: &StateDict) -> Vec<(&str, i64)> {
    state.metadata.iter().map(|(module, facts)| (module.as_str(), facts["version"])).collect()
}

#[test]
fn versions_come_with_the_modules_that_are_chosen_under_their_new_names() {
    let folder = tempfile::tempdir().unwrap();
    let path = with_versions(folder.path()).unwrap();
    let read = |options: LoadOptions| load_tensors(&path, &options).unwrap();
    let whole = read(LoadOptions::new().rename_prefix("model.", ""));
    let expected = load(&path).unwrap().get("model").unwrap().state_dict().unwrap();
    assert_eq!(whole.metadata, expected.metadata);
    let plain = read(LoadOptions::new());
    assert_eq!(versions(&plain)[..2], [("model", 1), ("model.body", 1)]);
    let body = read(LoadOptions::new().include("model.body.*").rename_prefix("model.body.", ""));
    assert_eq!(versions(&body), [("", 1), ("norm", 2), ("act", 1)]);
    let head = read(LoadOptions::new().include("*.head.*").rename_prefix("model.", "net."));
    assert_eq!(versions(&head), [("net", 1), ("net.head", 3)]);
}

#[test]
fn chosen_tensors_look_at_the_file_if_that_is_said() {
    let folder = tempfile::tempdir().unwrap();
    let path = with_versions(folder.path()).unwrap();
    let options = LoadOptions::new().include("*.norm.w");
    let before = memory_stats().in_use;
    let mapped = load_tensors(&path, &options.clone().mmap(true)).unwrap();
    // Other tests take memory at the same time, but less than this.
    assert!(memory_stats().in_use < before + 100_000);
    let copied = load_tensors(&path, &options).unwrap();
    assert!(memory_stats().in_use >= before + 160_000);
    let name = "model.body.norm.w";
    assert!(mapped.get(name).unwrap().equal(copied.get(name).unwrap()).unwrap());
}

#[test]
fn a_tree_is_read_whole_or_not_at_all() {
    let folder = tempfile::tempdir().unwrap();
    let path = checkpoint(folder.path()).unwrap();
    let error = load_with(&path, &LoadOptions::new().include("model.*")).err().unwrap();
    assert_eq!(error.to_string(), "the tree of a file is read whole, under the names that are there");
}
