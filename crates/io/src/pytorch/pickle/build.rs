//! The tree of the values that refer to each other by number.

use super::super::array::Form;
use super::super::error::PickleProblem;
use super::super::{Array, Class, Dict, Key, Object};
use super::globals::Global;
use super::machine::{Machine, Result, wrong};
use super::{Id, MAX_DEPTH, Node, Part};
use indexmap::IndexMap;

impl Machine<'_> {
    /// The tree under a node. What is referred to from several places is there several times; tensors are the same ones.
    pub(super) fn build(&mut self, root: Id) -> Result<Object> {
        self.subtree(root, &mut Vec::new())
    }

    /// `above` are the containers that are being built.
    fn subtree(&mut self, id: Id, above: &mut Vec<Id>) -> Result<Object> {
        if let Some(leaf) = self.leaf(id)? {
            return Ok(leaf);
        }
        if above.len() >= MAX_DEPTH {
            return Err(PickleProblem::TooDeep(MAX_DEPTH));
        }
        if above.contains(&id) {
            return Err(PickleProblem::HoldsItself);
        }
        above.push(id);
        let built = self.container_of(id, above);
        above.pop();
        built
    }

    /// The value of a node that holds no others.
    fn leaf(&mut self, id: Id) -> Result<Option<Object>> {
        Ok(match &self.nodes[id] {
            Node::Leaf(object) => {
                self.budget.take(object.held())?;
                Some(object.clone())
            }
            Node::Storage(part) => {
                self.budget.take(size_of::<Form>())?;
                Some(Object::Tensor(whole(part)?))
            }
            Node::Global(Global::Dtype(dtype)) => Some(Object::Dtype(*dtype)),
            Node::Global(Global::QScheme(scheme)) => Some(Object::QScheme(*scheme)),
            Node::Global(_) => return Err(wrong("a file", "values, no classes or functions", &self.nodes[id])),
            _ => {
                self.budget.take(0)?;
                None
            }
        })
    }

    fn container_of(&mut self, id: Id, above: &mut Vec<Id>) -> Result<Object> {
        match &self.nodes[id] {
            Node::List(items) => {
                let items = items.clone();
                self.all(&items, above).map(Object::List)
            }
            Node::Tuple(items) => {
                let items = items.clone();
                self.all(&items, above).map(Object::Tuple)
            }
            Node::Set(items) => {
                let items = items.clone();
                let keys = items.iter().map(|&item| self.key("a set", item, above)).collect::<Result<_>>()?;
                Ok(Object::Set(keys))
            }
            Node::Dict { kind, entries, attributes } => {
                let (mut dict, entries, attributes) = (Dict::new(*kind), entries.clone(), attributes.clone());
                for (key, value) in entries {
                    let key = self.key("a dict", key, above)?;
                    let value = self.subtree(value, above)?;
                    dict.entries.insert(key, value);
                }
                for state in attributes {
                    dict.attributes.extend(self.attribute_dict(state, above)?);
                }
                Ok(dict.into())
            }
            other => Err(wrong("a tree", "values", other)),
        }
    }

    fn all(&mut self, items: &[Id], above: &mut Vec<Id>) -> Result<Vec<Object>> {
        items.iter().map(|&item| self.subtree(item, above)).collect()
    }

    fn key(&mut self, what: &'static str, id: Id, above: &mut Vec<Id>) -> Result<Key> {
        let key = self.subtree(id, above)?;
        Key::try_from(key).map_err(|found| PickleProblem::Wrong {
            what,
            expected: "keys that are text, numbers, None, bytes or tuples of those",
            found: found.kind().to_owned(),
        })
    }

    fn attribute_dict(&mut self, id: Id, above: &mut Vec<Id>) -> Result<IndexMap<String, Object>> {
        let Object::Dict(dict) = self.subtree(id, above)? else {
            return Err(wrong("BUILD", "a dict of attributes", &self.nodes[id]));
        };
        let named = |(key, value)| match key {
            Key::Str(name) => Ok((name, value)),
            other => Err(PickleProblem::Impossible(format!("an attribute is named by {other}"))),
        };
        dict.entries.into_iter().map(named).collect()
    }
}

/// A storage without a tensor around it.
fn whole(part: &Part) -> Result<Array> {
    let elements = part.elements.as_ref().map_or(part.storage.bytes() / part.dtype.size(), |elements| elements.len());
    let mut form = Form::new(part.dtype, vec![elements], vec![1], 0);
    form.class = Class::Storage;
    part.array(form)
}
