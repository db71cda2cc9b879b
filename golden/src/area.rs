//! Areas: folders of cases of one kind, and how a case of each is run.

use crate::differences::Differences;
use crate::report::{Entry, Outcome, Report};
use crate::{Failure, Out, broadcasting, checkpoints, functional, modules, promotion, rng, semantics, training};
use std::collections::HashSet;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};

/// A kind of cases.
#[derive(Clone, Copy)]
pub struct Area {
    /// The name that `--area` takes.
    pub name: &'static str,
    /// The folder under the root.
    pub folder: &'static str,
    /// The file that holds the cases.
    pub file: &'static str,
    /// Runs every case of the folder.
    pub run: fn(&Path, &mut Runner) -> Result<(), String>,
}

/// Every area, in the order of running.
pub const AREAS: &[Area] = &[
    Area { name: "modules", folder: "modules", file: "cases.json", run: modules::run },
    Area { name: "functional", folder: "functional", file: "cases.json", run: functional::run },
    Area { name: "promotion", folder: "functional", file: "promotion.json", run: promotion::run },
    Area { name: "broadcasting", folder: "functional", file: "broadcasting.json", run: broadcasting::run },
    Area { name: "rng", folder: "rng", file: "cases.json", run: rng::run },
    Area { name: "checkpoints", folder: "checkpoints", file: "cases.json", run: checkpoints::run },
    Area { name: "training", folder: "training", file: "cases.json", run: training::run },
    Area { name: "semantics", folder: "semantics", file: "semantics.json", run: semantics::run },
];

/// Which cases to run.
#[derive(Clone, Debug, Default)]
pub struct Selection {
    /// Areas by name; all when empty.
    pub areas: Vec<String>,
    /// Beginning of the identifiers.
    pub only: String,
}

/// Runs cases and keeps the outcomes.
pub struct Runner<'r> {
    area: &'static str,
    only: &'r str,
    differences: &'r Differences,
    report: &'r mut Report,
    seen: HashSet<String>,
}

impl Runner<'_> {
    /// Runs one case, unless it is not among the selected ones.
    pub fn case(&mut self, group: &str, id: &str, run: impl FnOnce() -> Out<()>) {
        self.seen.insert(id.to_owned());
        if !id.starts_with(self.only) {
            return;
        }
        let result = catch_unwind(AssertUnwindSafe(run));
        let outcome = match result {
            Err(panic) => Outcome::Failed(format!("panicked: {}", panic_text(&*panic))),
            Ok(Ok(())) => match self.differences.get(self.area, id) {
                Some(_) => Outcome::Failed("passes, although differences.toml lists it".to_owned()),
                None => Outcome::Passed,
            },
            Ok(Err(_)) if self.differences.get(self.area, id).is_some() => Outcome::Differs,
            Ok(Err(Failure::NotBuilt(what))) => Outcome::Skipped(what),
            Ok(Err(Failure::Types(what))) => Outcome::Skipped(format!("argument {what}")),
            Ok(Err(Failure::Wrong(what))) => Outcome::Failed(what),
            Ok(Err(Failure::Error(error))) => Outcome::Failed(format!("returned {:?}: {error}", error.kind())),
        };
        self.report.entries.push(Entry { area: self.area, group: group.to_owned(), id: id.to_owned(), outcome });
    }
}

fn panic_text(panic: &(dyn std::any::Any + Send)) -> String {
    let text = panic.downcast_ref::<&str>().map(|text| (*text).to_owned());
    text.or_else(|| panic.downcast_ref::<String>().cloned()).unwrap_or_default()
}

/// Runs every selected case under the folders; notes go to `note`.
///
/// # Errors
/// A folder without cases, or files that cannot be read.
pub fn run(folders: &[PathBuf], selection: &Selection, note: &mut dyn FnMut(String)) -> Result<Report, String> {
    let differences = Differences::read()?;
    let mut report = Report::default();
    for root in folders {
        let mut found = false;
        for area in
            AREAS.iter().filter(|area| selection.areas.is_empty() || selection.areas.contains(&area.name.to_owned()))
        {
            // The folder of the area itself, or one above it.
            let inside = root.join(area.folder);
            let own = root.file_name().is_some_and(|name| name == area.folder);
            let folder = if own { root.clone() } else { inside };
            if !folder.join(area.file).exists() {
                continue;
            }
            found = true;
            let mut runner = Runner {
                area: area.name,
                only: &selection.only,
                differences: &differences,
                report: &mut report,
                seen: HashSet::new(),
            };
            (area.run)(&folder, &mut runner)?;
            let unknown = differences.unknown(area.name, &runner.seen);
            if !unknown.is_empty() {
                note(format!(
                    "note: {} entries of differences.toml have no case here, as {}",
                    unknown.len(),
                    unknown[0]
                ));
            }
        }
        if !found {
            return Err(format!("{}: no cases", root.display()));
        }
    }
    Ok(report)
}
