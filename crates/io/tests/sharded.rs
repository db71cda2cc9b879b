//! One state in several files.

#![allow(clippy::unwrap_used)]

use firebrick_core::{DType, ErrorKind, Result, StateDict, Tensor};
use firebrick_io::safetensors::Reader;
use firebrick_io::{
    LoadOptions, SaveOptions, load_safetensors, load_safetensors_with, save_safetensors, save_safetensors_sharded,
};
use std::fs;
use std::path::Path;

/// Tensors of so many bytes, in this order.
fn state(sizes: &[(&str, usize)]) -> Result<StateDict> {
    let tensor = |&(name, bytes): &(&str, usize)| Ok((name.to_string(), Tensor::ones([bytes])?.to(DType::U8)?));
    sizes.iter().map(tensor).collect()
}

fn files(folder: &Path) -> Vec<String> {
    let mut names: Vec<_> =
        fs::read_dir(folder).unwrap().map(|file| file.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

/// The names in each shard, as the splitting rules of `huggingface_hub` give them.
#[test]
fn tensors_are_split_as_huggingface_splits_them() -> Result<()> {
    /// Names and sizes of tensors, and the names in each shard.
    type Case<'a> = (&'a [(&'a str, usize)], &'a [&'a [&'a str]]);
    let cases: &[Case<'_>] = &[
        // The example of its documentation, in units instead of gigabytes.
        (&[("a", 6), ("b", 6), ("c", 2), ("d", 6), ("e", 2), ("f", 2)], &[&["a"], &["b", "c"], &["d", "e", "f"]]),
        // One that is too large goes before the shard that is being filled.
        (&[("a", 3), ("big", 11), ("b", 3)], &[&["big"], &["a", "b"]]),
        (&[("a", 10), ("b", 1)], &[&["a"], &["b"]]),
        (&[("empty", 0), ("a", 10), ("none", 0)], &[&["a", "empty", "none"]]),
        (&[], &[&[]]),
    ];
    for (sizes, expected) in cases {
        let folder = tempfile::tempdir()?;
        let entry =
            save_safetensors_sharded(folder.path().join("m.safetensors"), &state(sizes)?, 10, &SaveOptions::new())?;
        let names = |file: String| {
            let mut names: Vec<_> =
                Reader::open(folder.path().join(file)).unwrap().names().map(str::to_string).collect();
            names.sort();
            names
        };
        let shards = files(folder.path()).into_iter().filter(|name| name.ends_with(".safetensors"));
        assert_eq!(shards.map(names).collect::<Vec<_>>(), *expected);
        assert_eq!(load_safetensors(entry)?.len(), sizes.len());
    }
    Ok(())
}

#[test]
fn the_index_is_huggingface_s_and_old_shards_go() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let (folder, path) = (folder.path(), folder.path().join("model.safetensors"));
    fs::write(folder.join("model-notes.safetensors"), "kept")?;
    let options = SaveOptions::new().metadata("format", "pt");
    let save = |limit| save_safetensors_sharded(&path, &state(&[("b", 6), ("a", 6), ("c", 6)])?, limit, &options);
    assert_eq!(save(6)?, folder.join("model.safetensors.index.json"));
    assert_eq!(files(folder).len(), 5);
    save(12)?;
    let names = [
        "model-00001-of-00002.safetensors",
        "model-00002-of-00002.safetensors",
        "model-notes.safetensors",
        "model.safetensors.index.json",
    ];
    assert_eq!(files(folder), names);
    let index = concat!(
        "{\n  \"metadata\": {\n    \"format\": \"pt\",\n    \"total_size\": 18\n  },\n  \"weight_map\": {\n",
        "    \"a\": \"model-00001-of-00002.safetensors\",\n    \"b\": \"model-00001-of-00002.safetensors\",\n",
        "    \"c\": \"model-00002-of-00002.safetensors\"\n  }\n}\n"
    );
    assert_eq!(fs::read_to_string(folder.join(names[3]))?, index);
    assert_eq!(save(100)?, path);
    assert_eq!(files(folder), ["model-notes.safetensors", "model.safetensors"]);
    Ok(())
}

#[test]
fn ties_are_noted_in_the_shard_that_has_the_tensor() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let mut state = state(&[("a", 6), ("z", 6)])?;
    state.insert("tied", state.get("a").unwrap().clone());
    let path = folder.path().join("model.safetensors");
    assert!(save_safetensors_sharded(&path, &state, 6, &SaveOptions::new()).is_err());
    let index = save_safetensors_sharded(&path, &state, 6, &SaveOptions::new().ties(true))?;
    let loaded = load_safetensors(&index)?;
    assert!(loaded.get("tied").unwrap().ptr_eq(loaded.get("a").unwrap()));
    // A tie brings its tensor even if only the tie is wanted.
    let tie = load_safetensors_with(&index, &LoadOptions::new().include("tied").rename("tied", "head"))?;
    assert_eq!((tie.len(), tie.get("head").unwrap().numel()), (1, 6));
    Ok(())
}

#[test]
fn indices_that_lie_are_refused() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let inner = folder.path().join("inner");
    fs::create_dir_all(inner.join("sub"))?;
    for place in ["secret.safetensors", "inner/a.safetensors", "inner/sub/b.safetensors"] {
        save_safetensors(folder.path().join(place), [("x", &Tensor::ones([2])?)])?;
    }
    fs::write(inner.join("broken.safetensors"), "no tensors")?;
    let index = inner.join("i.index.json");
    let open = |text: &str| {
        fs::write(&index, text).unwrap();
        load_safetensors(&index)
    };
    let map = |shard: &str| open(&format!(r#"{{"metadata": {{"total_size": 8}}, "weight_map": {{"x": {shard:?}}}}}"#));
    assert_eq!(map("a.safetensors")?.len(), 1);
    assert_eq!(map("sub/b.safetensors")?.len(), 1);
    let absolute = folder.path().join("secret.safetensors");
    for outside in ["../secret.safetensors", "sub/../../secret.safetensors", "", ".", absolute.to_str().unwrap()] {
        let message = map(outside).err().unwrap().to_string();
        assert!(message.ends_with("which is not in the folder of the index"), "{outside}: {message}");
    }
    let missing = map("c.safetensors").err().unwrap();
    assert!(missing.kind() == ErrorKind::Io && format!("{missing:#}").contains("shard c.safetensors"), "{missing:#}");
    let broken = format!("{:#}", map("broken.safetensors").err().unwrap());
    assert!(broken.contains("shard broken.safetensors") && broken.contains("i.index.json"), "{broken}");
    let lacking = open(r#"{"weight_map": {"y": "a.safetensors"}}"#).err().unwrap().to_string();
    assert_eq!(lacking, "tensor \"y\" is said to be in \"a.safetensors\", which has no tensor of this name");
    for text in [r#"{"metadata": {}}"#, r#"{"weight_map": []}"#, "{", r#"{"weight_map": {"x": 1}}"#] {
        assert!(open(text).err().unwrap().to_string().starts_with("the index is not valid"), "{text}");
    }
    let twice = open(r#"{"weight_map": {"x": "a.safetensors", "x": "sub/b.safetensors"}}"#).err().unwrap().to_string();
    assert_eq!(twice, "\"x\" is in the header twice");
    Ok(())
}
