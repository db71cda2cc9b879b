//! The cases in which Firebrick differs from PyTorch on purpose: `differences.toml`.

use serde::Deserialize;
use std::collections::{HashMap, HashSet};

/// The list, as committed.
const FILE: &str = include_str!("../differences.toml");

/// A reason with the cases it holds for.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Difference {
    /// The area of the cases.
    pub area: String,
    /// Why PyTorch's behaviour is not taken over.
    pub reason: String,
    /// What Firebrick does instead.
    pub firebrick: String,
    /// The cases.
    pub cases: Vec<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct List {
    difference: Vec<Difference>,
}

/// Every deliberate difference, by area and case.
pub struct Differences {
    by_case: HashMap<(String, String), Difference>,
}

impl Differences {
    /// Reads the list.
    ///
    /// # Errors
    /// The file is not as it should be, or names a case twice.
    pub fn read() -> Result<Differences, String> {
        let list: List = toml::from_str(FILE).map_err(|error| format!("differences.toml: {error}"))?;
        let mut by_case = HashMap::new();
        for difference in list.difference {
            for case in &difference.cases {
                let key = (difference.area.clone(), case.clone());
                if by_case.insert(key, difference.clone()).is_some() {
                    return Err(format!("differences.toml names {case} twice"));
                }
            }
        }
        Ok(Differences { by_case })
    }

    /// The entry of a case.
    pub fn get(&self, area: &str, case: &str) -> Option<&Difference> {
        self.by_case.get(&(area.to_owned(), case.to_owned()))
    }

    /// Entries of `area` that name none of `cases`.
    pub fn unknown(&self, area: &str, cases: &HashSet<String>) -> Vec<String> {
        let mut names: Vec<_> = self
            .by_case
            .keys()
            .filter(|(of, case)| of == area && !cases.contains(case))
            .map(|(_, c)| c.clone())
            .collect();
        names.sort();
        names
    }
}
