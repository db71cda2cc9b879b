//! The page about it.

use crate::{api, here, reasons};
use std::fmt::Write;

/// The page: totals, then every name.
pub fn text() -> String {
    let mut totals = String::new();
    let mut sections = String::new();
    let (mut all, mut found_in_all) = (0, 0);
    for section in api::sections() {
        let found = here::names(section.module);
        let (count, here) = (section.names.len(), found.len());
        (all, found_in_all) = (all + count, found_in_all + here);
        row(&mut totals, section.module, count, here);
        let _ = writeln!(sections, "\n# `{}`", section.module);
        names(&mut sections, section.module, &found);
        missing(&mut sections, section.module);
    }
    row(&mut totals, "all", all, found_in_all);
    format!(
        "What of PyTorch 2.15's interface there is, name by name.\n\n\
         The tests of this crate make this page: the compiler finds every name that is here under the path that is given, and \
         every other has its reason.\n\n\
         | module | names | here | not here |\n|---|---|---|---|\n{totals}{sections}"
    )
}

fn row(totals: &mut String, module: &str, count: usize, here: usize) {
    let _ = writeln!(totals, "| `{module}` | {count} | {here} | {} |", count - here);
}

/// Names that are the last part of their path together, the others in a table.
fn names(page: &mut String, module: &str, found: &[(&str, String)]) {
    let folder = here::folder(module);
    let same = |(name, path): &&(&str, String)| *path == format!("{folder}::{name}");
    let (same, renamed): (Vec<_>, Vec<_>) = found.iter().partition(same);
    if !same.is_empty() {
        let list = same.iter().map(|(name, _)| format!("`{name}`")).collect::<Vec<_>>().join(", ");
        let _ = writeln!(page, "\nIn `{folder}`, under the same name: {list}.");
    }
    if !renamed.is_empty() {
        let _ = writeln!(page, "\n| PyTorch | here |\n|---|---|");
        renamed.iter().for_each(|(name, path)| {
            let _ = writeln!(page, "| `{name}` | `{path}` |");
        });
    }
}

fn missing(page: &mut String, module: &str) {
    let reasons = reasons::of(module);
    if !reasons.is_empty() {
        let _ = writeln!(page, "\n| not here | why |\n|---|---|");
    }
    for (reason, names) in reasons {
        let list = names.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ");
        let _ = writeln!(page, "| {list} | {reason} |");
    }
}
