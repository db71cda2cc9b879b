//! Some of a file's tensors, under other names.

use super::convert::module_facts;
use super::walk::join;
use super::{Array, Dict, DictKind, File, Key, Object};
use crate::LoadOptions;
use firebrick_core::{Error, Result, StateDict};
use indexmap::IndexMap;
use std::collections::{BTreeMap, BTreeSet};
use std::ops::Bound::{Included, Unbounded};
use std::path::Path;

impl File {
    /// The tensors that the [`LoadOptions`] of the file choose among those of the whole tree, which are named as
    /// [`Object::arrays`] names them. The records of others are not read.
    ///
    /// The versions of their modules come with them, under the names that the modules have then: what is put before the names of
    /// tensors is put before those of modules, and what is taken off is taken off.
    ///
    /// # Errors
    /// As [`LoadOptions::select`]; damage in what is read; a dtype that Firebrick does not compute with.
    ///
    /// ```
    /// use firebrick_core::Tensor;
    /// use firebrick_io::pytorch::{File, Object, to_bytes};
    /// use firebrick_io::LoadOptions;
    /// let model = Object::dict([("a", Tensor::zeros([2])?.into()), ("b", Tensor::ones([2])?.into())]);
    /// let options = LoadOptions::new().exclude("*.a").rename_prefix("model.", "");
    /// let file = File::from_bytes(to_bytes(Object::dict([("model", model)]))?, &options)?;
    /// assert_eq!(file.tensors()?.keys().collect::<Vec<_>>(), ["b"]);
    /// # Ok::<_, firebrick_core::Error>(())
    /// ```
    pub fn tensors(&self) -> Result<StateDict> {
        let arrays: IndexMap<String, &Array> = self.object().arrays().into_iter().collect();
        let selected = self.options.select(arrays.keys().map(String::as_str))?;
        let mut state = StateDict::new();
        for (old, new) in &selected {
            let array = arrays.get(*old).ok_or_else(|| Error::key("load", format!("there is no tensor {old:?}")))?;
            state.insert(new, array.tensor().map_err(|error| error.context(old))?);
        }
        let metadata = self.object().metadata(&self.options)?;
        state.metadata = metadata.entries.iter().filter_map(|(module, facts)| module_facts(module, facts)).collect();
        Ok(state)
    }
}

impl Object {
    /// What the state dicts in the tree note about the modules of the tensors that `options` choose: the `_metadata` of a state
    /// dict of these tensors under their new names, to be put among its [attributes](Dict::attributes) as
    /// [`Dict::METADATA`].
    ///
    /// A module is renamed as the beginning of its tensors' names is. It is left out where that says nothing: none of its
    /// tensors is chosen, or they are no longer of one module under their new names. Of two modules that become one, the first
    /// counts.
    ///
    /// # Errors
    /// As [`LoadOptions::select`].
    ///
    /// ```
    /// use firebrick_core::{StateDict, Tensor};
    /// use firebrick_io::LoadOptions;
    /// use firebrick_io::pytorch::Object;
    ///
    /// let mut state = StateDict::from_iter([("body.norm.weight", Tensor::ones([2])?)]);
    /// state.metadata.entry("body.norm".to_owned()).or_default().insert("version".to_owned(), 2);
    /// let renamed = Object::from(state).metadata(&LoadOptions::new().rename_prefix("body.", ""))?;
    /// let version = renamed.get("norm").and_then(|facts| facts.get("version")).and_then(Object::as_i64);
    /// assert_eq!(version, Some(2));
    /// # Ok::<_, firebrick_core::Error>(())
    /// ```
    pub fn metadata(&self, options: &LoadOptions) -> Result<Dict> {
        let arrays = self.arrays();
        let selected = options.select(arrays.iter().map(|(name, _)| name.as_str()))?;
        let modules = Modules {
            all: arrays.iter().map(|(name, _)| name.as_str()).collect(),
            selected: selected.iter().map(|(old, new)| (*old, new.as_str())).collect(),
        };
        let mut metadata = Dict::new(DictKind::Ordered);
        for (module, facts) in self.modules() {
            let begins = if module.is_empty() { module } else { module + "." };
            if modules.is_selected(&begins, |begins| options.renamed(begins)) {
                let new = options.renamed(&begins);
                let name = new.strip_suffix('.').unwrap_or(&new);
                metadata.entries.entry(name.into()).or_insert_with(|| facts.clone());
            }
        }
        Ok(metadata)
    }
}

/// The names of all tensors, and those of the chosen ones with the new ones.
struct Modules<'a> {
    all: BTreeSet<&'a str>,
    selected: BTreeMap<&'a str, &'a str>,
}

impl Modules<'_> {
    /// Is a tensor chosen of the module with these beginnings of names, and is it still one of the module once both are renamed?
    /// A module without tensors counts as the one around it.
    fn is_selected(&self, mut begins: &str, renamed: impl Fn(&str) -> String) -> bool {
        let from = |begins| (Included(begins), Unbounded);
        while !self.all.range::<str, _>(from(begins)).next().is_some_and(|name| name.starts_with(begins)) {
            let Some(around) = begins.strip_suffix('.') else { return false };
            begins = around.rfind('.').map_or("", |dot| &begins[..=dot]);
        }
        let first = self.selected.range::<str, _>(from(begins)).next();
        first.is_some_and(|(old, new)| old.starts_with(begins) && new.starts_with(&renamed(begins)))
    }
}

impl Object {
    /// The modules of all state dicts in the tree with what is noted about them, named as their tensors are.
    fn modules(&self) -> Vec<(String, &Object)> {
        let mut found = Vec::new();
        self.find_modules("", &mut found);
        found
    }

    fn find_modules<'o>(&'o self, name: &str, found: &mut Vec<(String, &'o Object)>) {
        match self {
            Object::List(items) | Object::Tuple(items) => {
                items.iter().enumerate().for_each(|(i, item)| item.find_modules(&join(name, i), found));
            }
            Object::Dict(dict) => {
                if let Some(Object::Dict(modules)) = dict.attributes.get(Dict::METADATA) {
                    for (module, facts) in &modules.entries {
                        let Key::Str(module) = module else { continue };
                        let place = if module.is_empty() { name.to_owned() } else { join(name, module) };
                        found.push((place, facts));
                    }
                }
                for (key, value) in &dict.entries {
                    match key {
                        Key::Str(key) => value.find_modules(&join(name, key), found),
                        key => value.find_modules(&join(name, key), found),
                    }
                }
            }
            _ => {}
        }
    }
}

/// Some tensors of a `.pt` file: those that the options choose, under the names that they give, wherever they are in the file's
/// tree. Bytes of others are not read.
///
/// # Errors
/// As [`File::open`] and [`File::tensors`].
///
/// ```
/// use firebrick_core::{StateDict, Tensor};
/// use firebrick_io::pytorch::{Object, load_tensors, save};
/// use firebrick_io::LoadOptions;
/// # let folder = tempfile::tempdir()?;
/// # let path = folder.path().join("checkpoint.pt");
/// let model = StateDict::from_iter([("body.a", Tensor::zeros([2])?), ("head.b", Tensor::ones([3])?)]);
/// save(Object::dict([("epoch", Object::Int(3)), ("model", model.into())]), &path)?;
///
/// let body = load_tensors(&path, &LoadOptions::new().include("model.body.*").rename_prefix("model.body.", ""))?;
/// assert_eq!(body.keys().collect::<Vec<_>>(), ["a"]);
/// # Ok::<_, firebrick_core::Error>(())
/// ```
pub fn load_tensors(path: impl AsRef<Path>, options: &LoadOptions) -> Result<StateDict> {
    let path = path.as_ref();
    let file = File::open_with(path, options)?;
    file.tensors().map_err(|error| error.given(path.display().to_string()))
}
