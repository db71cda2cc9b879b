//! What of PyTorch's interface there is: the compiler finds every name that is here, and the others have a reason.
//!
//! The page `coverage.md` of the documentation is what these tests make of it. `COVERAGE=write` writes it.
#![allow(clippy::unwrap_used)]

mod api;
mod here;
mod page;
mod reasons;

use std::collections::HashSet;
use std::path::Path;

#[test]
fn every_name_is_here_or_has_a_reason_and_not_both() {
    let mut wrong = Vec::new();
    for section in api::sections() {
        let (found, missing) = (here::names(section.module), reasons::names(section.module));
        for name in &section.names {
            let places =
                found.iter().filter(|(n, _)| n == name).count() + missing.iter().filter(|n| *n == name).count();
            if places != 1 {
                wrong.push(format!("{}.{name} is listed {places} times", section.module));
            }
        }
        let known: HashSet<&str> = section.names.iter().copied().collect();
        for name in found.iter().map(|(name, _)| *name).chain(missing).filter(|name| !known.contains(name)) {
            wrong.push(format!("{}.{name} is no name of PyTorch's", section.module));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn the_page_is_what_the_lists_say() {
    let (path, text) = (Path::new(env!("CARGO_MANIFEST_DIR")).join("src/coverage.md"), page::text());
    if std::env::var("COVERAGE").is_ok_and(|value| value == "write") {
        std::fs::write(&path, &text).unwrap();
    }
    let written = std::fs::read_to_string(&path).unwrap_or_default();
    let line = written.lines().zip(text.lines()).position(|(a, b)| a != b);
    assert!(written == text, "coverage.md is out of date from line {line:?} on: run with COVERAGE=write");
}

#[test]
fn the_names_are_those_of_pytorch() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/oracle/api.json");
    // The full list stands beside the repository where it is there at all.
    let Ok(text) = std::fs::read_to_string(path) else { return };
    let all: serde_json::Value = serde_json::from_str(&text).unwrap();
    let methods = all["torch.nn.Module methods"].as_object().unwrap();
    let mut wrong = Vec::new();
    for section in api::sections() {
        let short = section.module.trim_start_matches("torch.nn.");
        let entry = match short {
            "Module" => &all["torch.nn.Module methods"],
            container if all["containers"].get(container).is_some() => &all["containers"][container],
            _ => &all[section.module],
        };
        let inherited = |name: &str| short != "Module" && methods.contains_key(name) && entry.get("forward").is_some();
        for name in entry.as_object().into_iter().flat_map(|map| map.keys()).filter(|name| !inherited(name)) {
            if !section.names.contains(&name.as_str()) {
                wrong.push(format!("{}.{name}", section.module));
            }
        }
    }
    assert!(wrong.is_empty(), "missing from api.txt: {wrong:?}");
}
