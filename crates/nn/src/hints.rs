//! What may be behind keys that do not match: a wrapper's prefix, or a name that was misspelt.

use crate::load_state_dict::IncompatibleKeys;
use std::collections::HashSet;

/// Prefixes that wrappers put before every key.
const PREFIXES: [&str; 3] = ["module.", "_orig_mod.", "model."];

/// Advice on the mismatch, when there is any; `known` are the model's keys.
pub(crate) fn for_keys(keys: &IncompatibleKeys, known: &HashSet<String>) -> Option<String> {
    prefix_hint(keys, known).or_else(|| spelling_hint(keys))
}

fn prefix_hint(keys: &IncompatibleKeys, known: &HashSet<String>) -> Option<String> {
    let unexpected = &keys.unexpected_keys;
    for prefix in PREFIXES {
        let fits = |key: &String| key.strip_prefix(prefix).is_some_and(|rest| known.contains(rest));
        if !unexpected.is_empty() && unexpected.iter().all(fits) {
            return Some(format!(
                "the checkpoint's keys begin with \"{prefix}\", which a wrapper put there; strip it with \
                 `nn::utils::consume_prefix_in_state_dict_if_present(&mut state, \"{prefix}\")`"
            ));
        }
        let lacks = |key: &String| unexpected.iter().any(|u| key.strip_prefix(prefix) == Some(u.as_str()));
        if !keys.missing_keys.is_empty() && keys.missing_keys.iter().all(lacks) {
            return Some(format!(
                "the model's keys begin with \"{prefix}\" and the checkpoint's do not; load into the module below it"
            ));
        }
    }
    None
}

fn spelling_hint(keys: &IncompatibleKeys) -> Option<String> {
    let mut pairs = Vec::new();
    for key in keys.unexpected_keys.iter().take(16) {
        let nearest = keys.missing_keys.iter().take(256).map(|missing| (distance(key, missing), missing)).min();
        if let Some((edits, missing)) = nearest
            && edits * 3 <= key.len().max(missing.len())
        {
            pairs.push(format!("\"{key}\" in the checkpoint for \"{missing}\" in the model"));
        }
    }
    if pairs.is_empty() { None } else { Some(format!("did you mean {}?", pairs.join(", "))) }
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
    use super::{distance, for_keys};
    use crate::IncompatibleKeys;

    #[test]
    fn distances_are_levenshteins() {
        for (a, b, edits) in [("", "", 0), ("kitten", "sitting", 3), ("fc1", "fc2", 1), ("", "abc", 3)] {
            assert_eq!(distance(a, b), edits, "{a} {b}");
        }
    }

    fn keys(missing: &[&str], unexpected: &[&str]) -> IncompatibleKeys {
        let own = |keys: &[&str]| keys.iter().map(|k| (*k).to_owned()).collect();
        IncompatibleKeys { missing_keys: own(missing), unexpected_keys: own(unexpected) }
    }

    #[test]
    fn names_the_wrapper_or_the_misspelling() {
        let known = ["fc.weight".to_owned(), "fc.bias".to_owned()].into_iter().collect();
        let wrapped = keys(&["fc.weight", "fc.bias"], &["module.fc.weight", "module.fc.bias"]);
        assert!(for_keys(&wrapped, &known).is_some_and(|hint| hint.contains("\"module.\"")));
        let misspelt = keys(&["fc.weight"], &["fc.wieght"]);
        let hint = for_keys(&misspelt, &known);
        assert_eq!(
            hint.as_deref(),
            Some("did you mean \"fc.wieght\" in the checkpoint for \"fc.weight\" in the model?")
        );
        assert_eq!(for_keys(&keys(&["fc.weight"], &["zzz"]), &known), None);
    }
}
