//! Which modules of a model are meant: by name or by type.

use crate::traverse::{identity, walk};
use crate::{Module, hints};
use firebrick_core::{Error, Result};
use std::collections::HashSet;

/// Chooses modules by dotted name or by type.
///
/// In a name `*` stands for one part and for what is left open in a part, `**` for any number of parts.
///
/// ```
/// use firebrick::nn::inspect::Pattern;
/// let names = |pattern: &str, name: &str| Pattern::name(pattern).fits_name(name);
/// assert!(names("encoder.*.attn", "encoder.3.attn") && !names("encoder.*.attn", "encoder.3.block.attn"));
/// assert!(names("encoder.**.attn", "encoder.3.block.attn") && names("fc*", "fc2") && !names("fc", "fc2"));
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pattern(Kind);

#[derive(Clone, Debug, PartialEq, Eq)]
enum Kind {
    Name(String),
    Type(String),
}

impl From<&str> for Pattern {
    fn from(name: &str) -> Self {
        Pattern::name(name)
    }
}

impl Pattern {
    /// Modules with such a name.
    pub fn name(pattern: impl Into<String>) -> Self {
        Pattern(Kind::Name(pattern.into()))
    }

    /// Modules that print under this name, such as `Linear`; [`capture`](super::capture) shows it.
    pub fn class(name: impl Into<String>) -> Self {
        Pattern(Kind::Type(name.into()))
    }

    /// Is this a name that the pattern means?
    pub fn fits_name(&self, name: &str) -> bool {
        match &self.0 {
            Kind::Name(pattern) => parts_fit(&parts(pattern), &parts(name)),
            Kind::Type(_) => false,
        }
    }

    fn fits(&self, name: &str, module: &dyn Module) -> bool {
        match &self.0 {
            Kind::Name(_) => self.fits_name(name),
            Kind::Type(class) => module.display_name() == *class,
        }
    }

    /// The modules that are meant, with the first name of each that fits.
    ///
    /// # Errors
    /// There is none: a `KeyError` that names the nearest.
    pub(super) fn find<'m>(&self, op: &'static str, root: &'m dyn Module) -> Result<Vec<(String, &'m dyn Module)>> {
        let (mut found, mut seen, mut names) = (Vec::new(), HashSet::new(), Vec::new());
        walk("", root, &mut |name, module| {
            if self.fits(name, module) && seen.insert(identity(module)) {
                found.push((name.to_owned(), module));
            }
            names.push(match &self.0 {
                Kind::Name(_) => name.to_owned(),
                Kind::Type(_) => module.display_name(),
            });
            true
        });
        let (Kind::Name(wanted) | Kind::Type(wanted)) = &self.0;
        if !found.is_empty() {
            return Ok(found);
        }
        let error = Error::key(op, format!("no module fits '{wanted}'"));
        Err(match hints::nearest(wanted, names.iter().map(String::as_str)) {
            Some(near) => error.remedy(format!("did you mean '{near}'?")),
            None => error.remedy("`named_modules()` lists the names"),
        })
    }
}

fn parts(name: &str) -> Vec<&str> {
    if name.is_empty() { Vec::new() } else { name.split('.').collect() }
}

fn parts_fit(pattern: &[&str], name: &[&str]) -> bool {
    match (pattern, name) {
        ([], []) => true,
        (["**", rest @ ..], _) => (0..=name.len()).any(|skip| parts_fit(rest, &name[skip..])),
        ([first, rest @ ..], [part, others @ ..]) => part_fits(first, part) && parts_fit(rest, others),
        _ => false,
    }
}

fn part_fits(pattern: &str, part: &str) -> bool {
    match pattern.split_once('*') {
        None => pattern == part,
        Some((before, after)) => part.strip_prefix(before).is_some_and(|rest| {
            rest.char_indices().map(|(at, _)| at).chain([rest.len()]).any(|at| part_fits(after, &rest[at..]))
        }),
    }
}
