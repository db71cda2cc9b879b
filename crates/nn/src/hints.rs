//! What may be behind keys that do not match: a wrapper's prefix, a part that was renamed, a name that was misspelt.

use crate::load_state_dict::IncompatibleKeys;
use firebrick_core::{Dims, StateDict};
use std::collections::{HashMap, HashSet};
use std::fmt;

/// The keys of a model with the shapes of their entries; `None` where any shape fits.
pub(crate) type Known = HashMap<String, Option<Dims>>;

/// How keys of a checkpoint may be brought to those of a model.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Hint {
    rule: Rule,
    /// Keys of the checkpoint with those of the model.
    pub renames: Vec<(String, String)>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Rule {
    /// The checkpoint's keys begin with this.
    Strip(String),
    /// The model's keys begin with this.
    Add(String),
    /// A part of the checkpoint's keys is another one in the model.
    Part(String, String),
    Spelling,
}

impl fmt::Display for Hint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.rule {
            Rule::Strip(prefix) => write!(
                f,
                "the checkpoint's keys begin with \"{prefix}\", which a wrapper put there; strip it with \
                 `nn::utils::consume_prefix_in_state_dict_if_present(&mut state, \"{prefix}\")` or `LoadOptions::repair`"
            ),
            Rule::Add(prefix) => write!(
                f,
                "the model's keys begin with \"{prefix}\" and the checkpoint's do not; load into the module below it, or \
                 with `LoadOptions::repair`"
            ),
            Rule::Part(from, to) => write!(
                f,
                "\"{from}\" in {} keys of the checkpoint is \"{to}\" in the model; load with `LoadOptions::repair`",
                self.renames.len()
            ),
            Rule::Spelling => {
                let pair =
                    |(from, to): &(String, String)| format!("\"{from}\" in the checkpoint for \"{to}\" in the model");
                write!(f, "did you mean {}?", self.renames.iter().map(pair).collect::<Vec<_>>().join(", "))
            }
        }
    }
}

/// How many keys of the checkpoint vote for a rule, each for all that lead it to one of so many keys of the model.
const VOTERS: usize = 64;
const CANDIDATES: usize = 4096;

/// The rule that brings most keys together, when there is one.
pub(crate) fn find(keys: &IncompatibleKeys, known: &Known, state: &StateDict) -> Option<Hint> {
    let mut votes: Vec<(Rule, usize)> = Vec::new();
    for from in keys.unexpected_keys.iter().take(VOTERS) {
        let mut rules: Vec<Rule> = Vec::new();
        for to in keys.missing_keys.iter().take(CANDIDATES).filter(|to| fits(from, to, known, state)) {
            rules.extend(rule(from, to).filter(|rule| !rules.contains(rule)));
        }
        for rule in rules {
            match votes.iter_mut().find(|(other, _)| *other == rule) {
                Some((_, count)) => *count += 1,
                None => votes.push((rule, 1)),
            }
        }
    }
    // A rule for one key out of many is a coincidence, unless it is all there is.
    let voters = keys.unexpected_keys.len().min(keys.missing_keys.len()).min(VOTERS);
    let enough = |count: usize| 2 * count > voters;
    let best = votes.into_iter().rev().max_by_key(|(_, count)| *count).filter(|(_, count)| enough(*count));
    best.and_then(|(rule, _)| apply(rule, keys, known, state)).or_else(|| spelling(keys, known, state))
}

/// Could the entry `from` of the checkpoint be the model's `to`?
fn fits(from: &str, to: &str, known: &Known, state: &StateDict) -> bool {
    let (Some(given), Some(own)) = (state.get(from), known.get(to)) else { return false };
    own.as_ref().is_none_or(|own| *own == given.shape())
}

/// The one rule that leads from one key to another.
fn rule(from: &str, to: &str) -> Option<Rule> {
    let before =
        |long: &str, short: &str| long.strip_suffix(short).filter(|prefix| prefix.ends_with('.')).map(str::to_owned);
    if let Some(prefix) = before(from, to) {
        return Some(Rule::Strip(prefix));
    }
    if let Some(prefix) = before(to, from) {
        return Some(Rule::Add(prefix));
    }
    let (a, b): (Vec<&str>, Vec<&str>) = (from.split('.').collect(), to.split('.').collect());
    let mut differing = a.iter().zip(&b).filter(|(a, b)| a != b);
    match (a.len() == b.len(), differing.next(), differing.next()) {
        // Numbers tell members of a list apart, and the last part kinds of parameters.
        (true, Some((&x, &y)), None) if a.last() == b.last() && x.parse::<usize>().is_err() => {
            Some(Rule::Part(x.to_owned(), y.to_owned()))
        }
        _ => None,
    }
}

fn apply(chosen: Rule, keys: &IncompatibleKeys, known: &Known, state: &StateDict) -> Option<Hint> {
    let missing: HashSet<&str> = keys.missing_keys.iter().map(String::as_str).collect();
    let meant = |from: &String| {
        let to = chosen.applied(from)?;
        let right = missing.contains(to.as_str()) && fits(from, &to, known, state);
        right.then(|| (from.clone(), to))
    };
    let renames: Vec<_> = keys.unexpected_keys.iter().filter_map(meant).collect();
    if renames.is_empty() { None } else { Some(Hint { rule: chosen, renames }) }
}

impl Rule {
    /// The model's key for one of the checkpoint's.
    fn applied(&self, from: &str) -> Option<String> {
        match self {
            Rule::Strip(prefix) => from.strip_prefix(prefix.as_str()).map(str::to_owned),
            Rule::Add(prefix) => Some(format!("{prefix}{from}")),
            Rule::Part(part, own) => {
                let mut parts: Vec<&str> = from.split('.').collect();
                *parts.iter_mut().find(|other| *other == part)? = own;
                Some(parts.join("."))
            }
            Rule::Spelling => None,
        }
    }
}

fn spelling(keys: &IncompatibleKeys, known: &Known, state: &StateDict) -> Option<Hint> {
    let (mut renames, mut taken) = (Vec::new(), HashSet::new());
    for from in keys.unexpected_keys.iter().take(VOTERS) {
        let open = keys.missing_keys.iter().take(CANDIDATES);
        let open = open.filter(|to| !taken.contains(*to) && fits(from, to, known, state));
        if let Some(to) = nearest(from, open.map(String::as_str)) {
            taken.insert(to.to_owned());
            renames.push((from.clone(), to.to_owned()));
        }
    }
    if renames.is_empty() { None } else { Some(Hint { rule: Rule::Spelling, renames }) }
}

/// The state dict with keys renamed, in the same order.
pub(crate) fn renamed(state: &StateDict, renames: &[(String, String)]) -> StateDict {
    let names: HashMap<&str, &str> = renames.iter().map(|(from, to)| (from.as_str(), to.as_str())).collect();
    let name = |key: &str| names.get(key).copied().unwrap_or(key).to_owned();
    let mut out: StateDict = state.iter().map(|(key, tensor)| (name(key), tensor.clone())).collect();
    out.metadata.clone_from(&state.metadata);
    out
}

/// The name that is most like `wanted`, when one is like it.
pub(crate) fn nearest<'n>(wanted: &str, names: impl Iterator<Item = &'n str>) -> Option<&'n str> {
    let (edits, name) = names.filter(|name| !name.is_empty()).map(|name| (distance(wanted, name), name)).min()?;
    (edits * 3 <= wanted.len().max(name.len())).then_some(name)
}

/// Levenshtein's distance: how many characters to insert, delete or replace.
fn distance(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, from) in a.chars().enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for (j, to) in b.iter().enumerate() {
            let replaced = diagonal + usize::from(from != *to);
            diagonal = row[j + 1];
            row[j + 1] = replaced.min(diagonal + 1).min(row[j] + 1);
        }
    }
    row[b.len()]
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::{Known, distance, find};
    use crate::IncompatibleKeys;
    use firebrick_core::{Dims, StateDict, Tensor};

    #[test]
    fn distances_are_levenshteins() {
        for (a, b, edits) in [("", "", 0), ("kitten", "sitting", 3), ("fc1", "fc2", 1), ("", "abc", 3)] {
            assert_eq!(distance(a, b), edits, "{a} {b}");
        }
    }

    /// The hint for a model that misses some keys, and a checkpoint that has others; all have one shape.
    fn hint(missing: &[&str], unexpected: &[&str]) -> Option<String> {
        let own = |keys: &[&str]| keys.iter().map(|k| (*k).to_owned()).collect();
        let keys = IncompatibleKeys { missing_keys: own(missing), unexpected_keys: own(unexpected) };
        let known: Known = missing.iter().map(|key| ((*key).to_owned(), Some(Dims::from([2])))).collect();
        let state: StateDict = unexpected.iter().map(|key| (*key, Tensor::zeros([2]).unwrap())).collect();
        find(&keys, &known, &state).map(|hint| hint.to_string())
    }

    #[test]
    fn names_the_wrapper_the_renamed_part_or_the_misspelling() {
        let text = hint(&["fc.weight", "fc.bias"], &["module.fc.weight", "module.fc.bias"]).unwrap();
        assert!(text.contains("begin with \"module.\", which a wrapper put there"), "{text}");
        let text = hint(&["net.fc.weight", "net.fc.bias"], &["fc.weight", "fc.bias"]).unwrap();
        assert!(text.contains("the model's keys begin with \"net.\""), "{text}");
        let text = hint(&["enc.layers.0.w", "enc.layers.1.w"], &["enc.blocks.0.w", "enc.blocks.1.w"]).unwrap();
        assert!(text.contains("\"blocks\" in 2 keys of the checkpoint is \"layers\" in the model"), "{text}");
        assert_eq!(
            hint(&["fc.weight"], &["fc.wieght"]).as_deref(),
            Some("did you mean \"fc.wieght\" in the checkpoint for \"fc.weight\" in the model?")
        );
        assert_eq!(hint(&["fc.weight"], &["zzz"]), None);
        assert_eq!(
            hint(&["0.weight"], &["1.weight"]).as_deref().map(|text| text.starts_with("did you mean")),
            Some(true)
        );
    }
}
