//! What functions are given, looked at as what they take.

use super::super::error::PickleProblem;
use super::super::{Array, Object};
use super::globals::Global;
use super::machine::{Machine, Result, wrong};
use super::{Id, Node, Part};

/// The arguments of one call.
#[derive(Clone, Copy)]
pub(super) struct Args<'a> {
    /// The function, for messages.
    pub what: &'static str,
    pub items: &'a [Id],
}

impl<'a> Args<'a> {
    /// The arguments, as many as there must be.
    pub fn exactly<const N: usize>(self) -> Result<[Id; N]> {
        self.items.try_into().map_err(|_| self.count(N))
    }

    /// The arguments that there must be, and those that there may be.
    pub fn at_least<const N: usize>(self, most: usize) -> Result<([Id; N], &'a [Id])> {
        match self.items.split_first_chunk::<N>() {
            Some((first, rest)) if self.items.len() <= most => Ok((*first, rest)),
            _ => Err(self.count(N)),
        }
    }

    fn count(self, expected: usize) -> PickleProblem {
        let what = self.what;
        PickleProblem::Impossible(format!("{what} takes {expected} arguments, not {}", self.items.len()))
    }
}

/// One function for each kind of argument.
macro_rules! kinds {
    ($($name:ident -> $t:ty, $expected:literal: $pattern:pat => $value:expr;)*) => { $(
        pub(super) fn $name(&self, what: &'static str, id: Id) -> Result<$t> {
            match &self.nodes[id] {
                $pattern => Ok($value),
                other => Err(wrong(what, $expected, other)),
            }
        }
    )* };
}

impl Machine<'_> {
    kinds! {
        int_arg -> i64, "an int": Node::Leaf(Object::Int(v)) => *v;
        bool_arg -> bool, "a bool": Node::Leaf(Object::Bool(v)) => *v;
        str_arg -> &str, "a str": Node::Leaf(Object::Str(v)) => v;
        tuple_arg -> &[Id], "a tuple": Node::Tuple(v) => v;
        list_arg -> &[Id], "a list": Node::List(v) => v;
        array_arg -> &Array, "a Tensor": Node::Leaf(Object::Tensor(v)) => v;
        storage_arg -> &Part, "a storage": Node::Storage(v) => v;
        global_arg -> Global, "a class or function": Node::Global(v) => *v;
    }

    /// A number that counts something.
    pub(super) fn count_arg(&self, what: &'static str, id: Id) -> Result<usize> {
        let number = self.int_arg(what, id)?;
        usize::try_from(number)
            .map_err(|_| PickleProblem::Impossible(format!("{what} takes no negative number, such as {number}")))
    }

    /// A tuple, list or size of such numbers.
    pub(super) fn counts_arg(&self, what: &'static str, id: Id) -> Result<Vec<usize>> {
        match &self.nodes[id] {
            Node::Tuple(items) | Node::List(items) => items.iter().map(|&item| self.count_arg(what, item)).collect(),
            Node::Leaf(Object::Size(sizes)) => {
                let count = |&size| usize::try_from(size).map_err(|_| wrong(what, "sizes", &self.nodes[id]));
                sizes.iter().map(count).collect()
            }
            other => Err(wrong(what, "a tuple of ints", other)),
        }
    }

    /// A text, which Python 2 wrote as bytes.
    pub(super) fn text_arg(&self, what: &'static str, id: Id) -> Result<String> {
        match &self.nodes[id] {
            Node::Leaf(Object::Bytes(bytes)) => String::from_utf8(bytes.clone()).map_err(|_| PickleProblem::NotText),
            _ => self.str_arg(what, id).map(str::to_owned),
        }
    }

    /// A real number.
    pub(super) fn float_arg(&self, what: &'static str, id: Id) -> Result<f64> {
        match &self.nodes[id] {
            Node::Leaf(Object::Float(v)) => Ok(*v),
            _ => self.int_arg(what, id).map(|v| v as f64),
        }
    }
}
