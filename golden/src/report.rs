//! Counting and printing what happened.

use std::collections::{BTreeMap, BTreeSet};

/// What became of one case.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// As PyTorch.
    Passed,
    /// Otherwise, and how.
    Failed(String),
    /// Not run: what does not exist yet.
    Skipped(String),
    /// Otherwise on purpose: an entry of `differences.toml`.
    Differs,
}

/// The outcome of one case.
pub struct Entry {
    /// The area, such as `functional`.
    pub area: &'static str,
    /// The operation, class or topic.
    pub group: String,
    /// The case.
    pub id: String,
    /// What became of it.
    pub outcome: Outcome,
}

/// Every outcome of a run.
#[derive(Default)]
pub struct Report {
    /// In the order of the run.
    pub entries: Vec<Entry>,
}

/// Passed, failed, skipped, different on purpose.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// As PyTorch.
    pub passed: usize,
    /// Otherwise.
    pub failed: usize,
    /// Not run.
    pub skipped: usize,
    /// Otherwise on purpose.
    pub differ: usize,
}

impl Counts {
    fn add(&mut self, outcome: &Outcome) {
        match outcome {
            Outcome::Passed => self.passed += 1,
            Outcome::Failed(_) => self.failed += 1,
            Outcome::Skipped(_) => self.skipped += 1,
            Outcome::Differs => self.differ += 1,
        }
    }
}

impl Report {
    /// Counts of everything.
    pub fn counts(&self) -> Counts {
        let mut counts = Counts::default();
        self.entries.iter().for_each(|entry| counts.add(&entry.outcome));
        counts
    }

    /// One line a failure.
    pub fn failures(&self) -> impl Iterator<Item = String> {
        self.entries.iter().filter_map(|entry| match &entry.outcome {
            Outcome::Failed(why) => Some(format!("FAILED {} {}: {}", entry.area, entry.id, why.replace('\n', " | "))),
            _ => None,
        })
    }

    /// Counts by area and operation, then by area.
    pub fn table(&self) -> String {
        let mut rows: BTreeMap<(&str, &str), (Counts, BTreeSet<&str>)> = BTreeMap::new();
        for entry in &self.entries {
            for group in [entry.group.as_str(), ""] {
                let (counts, reasons) = rows.entry((entry.area, group)).or_default();
                counts.add(&entry.outcome);
                if let (Outcome::Skipped(why), false) = (&entry.outcome, group.is_empty()) {
                    reasons.insert(why.as_str());
                }
            }
        }
        let width = rows.keys().map(|(area, group)| area.len() + group.len() + 1).max().unwrap_or(0);
        let mut text = format!(
            "{:width$} {:>6} {:>6} {:>7} {:>6}\n",
            "area and operation", "passed", "failed", "skipped", "differ"
        );
        for ((area, group), (counts, reasons)) in rows {
            let Counts { passed, failed, skipped, differ } = counts;
            let name = if group.is_empty() { area.to_owned() } else { format!("{area} {group}") };
            let reasons: Vec<_> = reasons.into_iter().take(3).collect();
            let why =
                if reasons.is_empty() { String::new() } else { format!("  not built yet: {}", reasons.join(", ")) };
            text += &format!("{name:width$} {passed:>6} {failed:>6} {skipped:>7} {differ:>6}{why}\n");
        }
        text
    }

    /// What is not built yet, with the number of cases that wait for it, most first.
    pub fn skipped(&self) -> String {
        let mut reasons: BTreeMap<(&str, &str), usize> = BTreeMap::new();
        for entry in &self.entries {
            if let Outcome::Skipped(why) = &entry.outcome {
                *reasons.entry((entry.area, why)).or_default() += 1;
            }
        }
        let mut reasons: Vec<_> = reasons.into_iter().collect();
        reasons.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
        reasons.iter().map(|((area, why), count)| format!("{count:6} {area}: not built yet: {why}\n")).collect()
    }

    /// The closing line.
    pub fn summary(&self) -> String {
        let counts = self.counts();
        format!("{} passed, {} failed, {} skipped", counts.passed, counts.failed, counts.skipped)
    }
}
