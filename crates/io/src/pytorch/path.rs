//! The way to a value within others, for messages.

use super::Key;
use std::fmt;

/// A way from the root of a tree to one of its values. `Display` is how Python gets there: `['state'][0]`.
#[derive(Clone, Debug, Default)]
pub(super) struct Path<'o>(Vec<Step<'o>>);

/// One step of the way.
#[derive(Clone, Copy, Debug)]
pub(super) enum Step<'o> {
    Index(usize),
    Key(&'o Key),
    Attribute(&'o str),
}

impl<'o> Path<'o> {
    pub fn push(&mut self, step: Step<'o>) {
        self.0.push(step);
    }

    pub fn pop(&mut self) {
        self.0.pop();
    }

    pub fn len(&self) -> usize {
        self.0.len()
    }
}

impl fmt::Display for Path<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0.is_empty() {
            return f.write_str("the value itself");
        }
        self.0.iter().try_for_each(|step| match step {
            Step::Index(index) => write!(f, "[{index}]"),
            Step::Key(key) => write!(f, "[{key}]"),
            Step::Attribute(name) => write!(f, ".{name}"),
        })
    }
}
