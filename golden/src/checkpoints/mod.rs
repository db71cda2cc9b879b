//! `.pt` files: those that must load hold what PyTorch finds in them, also once written again; the others are refused.

mod content;

use crate::area::Runner;
use crate::case::read_json;
use crate::tensors::Tensors;
use crate::{Out, wrong};
use content::Comparison;
use firebrick::io::LoadOptions;
use firebrick::io::pytorch::{self, File};
use serde_json::Value as Json;
use std::path::Path;

/// The file with the values of all tensors.
pub const VALUES: &str = "values.safetensors";

/// Runs the cases of a folder.
///
/// # Errors
/// Files that cannot be read.
pub fn run(folder: &Path, runner: &mut Runner) -> Result<(), String> {
    let list = read_json(&folder.join("cases.json"))?;
    let values = Tensors::open(&folder.join(VALUES))?;
    for case in list.as_array().into_iter().flatten() {
        let id = case["id"].as_str().unwrap_or_default();
        runner.case(group(id), id, || check(case, folder, &values));
    }
    Ok(())
}

/// The kind of a case: `zip` of `ckpt/zip_bomb`.
pub fn group(id: &str) -> &str {
    let name = id.rsplit('/').next().unwrap_or(id);
    name.split('_').next().unwrap_or(name)
}

fn check(case: &Json, folder: &Path, values: &Tensors) -> Out<()> {
    let path = folder.join(case["file"].as_str().unwrap_or_default());
    let must = case["must"].as_str().unwrap_or_default();
    match (must, pytorch::load(&path)) {
        ("reject", Ok(_)) => wrong("loaded, but must be refused"),
        ("load", Err(error)) => Err(error.into()),
        (_, Err(_)) => Ok(()),
        (_, Ok(object)) => {
            let Some(content) = case.get("content").filter(|content| must == "load" || content.is_object()) else {
                return Ok(());
            };
            let rest_is_zero = case.get("truncated_values").is_some();
            let compare = |object: &pytorch::Object| Comparison::new(values, rest_is_zero).object("", object, content);
            compare(&object)?;
            let written = File::from_bytes(pytorch::to_bytes(object)?, &LoadOptions::new())?;
            compare(written.object())
        }
    }
}
