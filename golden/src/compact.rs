//! A small, varied choice out of a folder of cases, in the same format.

use crate::case::read_json;
use crate::checkpoints::{VALUES, group};
use crate::tensors::Tensors;
use firebrick::io::safetensors::Header;
use serde_json::Value as Json;
use std::collections::{BTreeMap, HashMap, HashSet};
use std::path::Path;

/// How much to take.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Cases of each operation, class or kind.
    pub per_group: usize,
    /// Bytes of one case's tensors.
    pub case_bytes: usize,
}

/// Writes the choice out of `source` to `target`, area by area.
///
/// # Errors
/// A file that cannot be read or written.
pub fn compact(source: &Path, target: &Path, limits: Limits) -> Result<(), String> {
    for area in ["modules", "functional", "rng", "training"] {
        if source.join(area).join("cases.json").exists() {
            cases(&source.join(area), &target.join(area), limits)?;
        }
    }
    if source.join("checkpoints").join("cases.json").exists() {
        checkpoints(&source.join("checkpoints"), &target.join("checkpoints"), limits)?;
    }
    for (area, name, key) in [("functional", "promotion.json", 2), ("functional", "broadcasting.json", 1)] {
        if source.join(area).join(name).exists() {
            rows(&source.join(area).join(name), &target.join(area).join(name), key, limits.per_group)?;
        }
    }
    let (facts, file) = (source.join("semantics"), "semantics.json");
    if facts.join(file).exists() {
        let list = read_json(&facts.join(file))?;
        write_lines(&target.join("semantics").join(file), list.as_array().into_iter().flatten())?;
    }
    Ok(())
}

/// A part of the cases of a folder, with their tensors.
fn cases(source: &Path, target: &Path, limits: Limits) -> Result<(), String> {
    let list = read_json(&source.join("cases.json"))?;
    let mut files: HashMap<String, Tensors> = HashMap::new();
    let mut chosen: Vec<&Json> = Vec::new();
    let mut taken: HashMap<String, (usize, HashSet<String>)> = HashMap::new();
    let mut wanted: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for case in list.as_array().into_iter().flatten() {
        let group = case["group"].as_str().unwrap_or_default().to_owned();
        // One of each dtype, and one that must fail, before a second of any.
        let kind = format!("{} {}", case["dtype"], case["expect_error"]);
        let (count, kinds) = taken.entry(group).or_default();
        if *count >= limits.per_group || kinds.contains(&kind) {
            continue;
        }
        let mut keys = Vec::new();
        tensor_keys(case, &mut keys);
        if let Some(file) = case["file"].as_str() {
            if !files.contains_key(file) {
                files.insert(file.to_owned(), Tensors::open(&source.join(file))?);
            }
            let bytes: usize = keys.iter().filter_map(|key| files[file].bytes(key)).map(<[u8]>::len).sum();
            if bytes > limits.case_bytes {
                continue;
            }
            wanted.entry(file.to_owned()).or_default().extend(keys);
        }
        *count += 1;
        kinds.insert(kind);
        chosen.push(case);
    }
    write_lines(&target.join("cases.json"), chosen.into_iter())?;
    for (file, keys) in wanted {
        write_tensors(&files[&file], &keys, &target.join(&file))?;
    }
    Ok(())
}

/// A part of the `.pt` files of a folder, with the values of their tensors.
fn checkpoints(source: &Path, target: &Path, limits: Limits) -> Result<(), String> {
    let list = read_json(&source.join("cases.json"))?;
    let mut taken: HashMap<String, usize> = HashMap::new();
    let (mut chosen, mut keys) = (Vec::new(), Vec::new());
    for case in list.as_array().into_iter().flatten() {
        let count = taken.entry(group(case["id"].as_str().unwrap_or_default()).to_owned()).or_default();
        if *count < 2 * limits.per_group
            && case["bytes"].as_u64().is_some_and(|bytes| bytes <= limits.case_bytes as u64)
        {
            *count += 1;
            chosen.push(case);
            tensor_keys(case, &mut keys);
        }
    }
    write_lines(&target.join("cases.json"), chosen.iter().copied())?;
    for file in chosen.iter().filter_map(|case| case["file"].as_str()) {
        std::fs::copy(source.join(file), target.join(file)).map_err(|error| format!("{file}: {error}"))?;
    }
    write_tensors(&Tensors::open(&source.join(VALUES))?, &keys, &target.join(VALUES))
}

/// The names of every tensor in a case.
fn tensor_keys(json: &Json, keys: &mut Vec<String>) {
    match json {
        Json::Object(map) => {
            if let Some(key) = map.get("$t").and_then(Json::as_str) {
                keys.push(key.to_owned());
            }
            map.values().for_each(|value| tensor_keys(value, keys));
        }
        Json::Array(list) => list.iter().for_each(|value| tensor_keys(value, keys)),
        _ => {}
    }
}

fn write_tensors(tensors: &Tensors, keys: &[String], path: &Path) -> Result<(), String> {
    let failed = |error: String| format!("{}: {error}", path.display());
    let unique: HashSet<&String> = keys.iter().collect();
    let known = tensors.header().tensors();
    let entries = unique.into_iter().filter_map(|key| known.get(key).map(|e| (key.clone(), e.dtype, e.shape.clone())));
    let header = Header::new(entries, None).map_err(|error| failed(error.to_string()))?;
    let mut bytes = Vec::new();
    let data = |name: &str, _: &_| Ok(tensors.bytes(name).unwrap_or_default().into());
    header.write(&mut bytes, data).map_err(|error| failed(error.to_string()))?;
    std::fs::write(path, bytes).map_err(|error| failed(error.to_string()))
}

/// Rows of a table, a few of each kind: those whose first `key` columns are equal.
fn rows(source: &Path, target: &Path, key: usize, per_group: usize) -> Result<(), String> {
    let list = read_json(source)?;
    let mut taken: HashMap<String, usize> = HashMap::new();
    let chosen = list.as_array().into_iter().flatten().filter(|row| {
        let start: Vec<String> = (0..key).map(|i| row[i].to_string()).collect();
        let count = taken.entry(start.join(" ")).or_default();
        *count += 1;
        *count <= 2 * per_group
    });
    write_lines(target, chosen)
}

/// Writes a JSON list, one entry a line.
fn write_lines<'j>(path: &Path, entries: impl Iterator<Item = &'j Json>) -> Result<(), String> {
    let failed = |error: std::io::Error| format!("{}: {error}", path.display());
    let lines: Vec<String> = entries.map(Json::to_string).collect();
    if let Some(folder) = path.parent() {
        std::fs::create_dir_all(folder).map_err(failed)?;
    }
    std::fs::write(path, format!("[\n{}\n]\n", lines.join(",\n"))).map_err(failed)
}
