//! A map of modules.

use crate::extra::{check_module_name, has_attribute};
use crate::{Core, Forward, Module};
use firebrick_core::{Error, Result};
use indexmap::IndexMap;

/// Modules under names, in the order in which the names were first used.
///
/// Names follow PyTorch's rules: not empty, no dot, no method of the class. A bare `IndexMap<String, _>` field is
/// the same without being a module of its own.
///
/// ```
/// use firebrick::prelude::*;
/// let mut heads = nn::ModuleDict::new();
/// heads.insert("digits", nn::Linear::new(8, 10)?)?;
/// heads.insert("parity", nn::Linear::new(8, 2)?)?;
/// assert_eq!(heads.keys().collect::<Vec<_>>(), ["digits", "parity"]);
/// assert_eq!(heads.get("parity")?.call(Tensor::zeros([1, 8])?)?.shape(), [1, 2]);
/// # Ok::<_, firebrick::Error>(())
/// ```
#[derive(Module)]
pub struct ModuleDict<M: Module = Box<dyn Forward>> {
    core: Core,
    #[module(flatten)]
    modules: IndexMap<String, M>,
}

/// The methods of PyTorch's class, whose names no entry can take.
const METHODS: [&str; 6] = ["clear", "items", "keys", "pop", "update", "values"];

impl<M: Module> ModuleDict<M> {
    /// An empty map.
    pub fn new() -> Self {
        ModuleDict { core: Core::new(), modules: IndexMap::new() }
    }

    /// A map of these entries.
    ///
    /// # Errors
    /// A `KeyError` for a malformed name.
    ///
    /// ```
    /// use firebrick::prelude::*;
    /// let mut heads = nn::ModuleDict::from_entries([("a", nn::Linear::new(2, 1)?), ("b", nn::Linear::new(2, 2)?)])?;
    /// heads.update([("b", nn::Linear::new(2, 3)?)])?;
    /// heads.get_mut("a")?.bias = None;
    /// assert!(heads.contains_key("a") && heads.get("a")?.bias.is_none());
    /// let sizes: Vec<_> = heads.iter().map(|(name, head)| (name, head.out_features())).collect();
    /// assert_eq!(sizes, [("a", 1), ("b", 3)]);
    /// assert_eq!((heads.pop("b")?.out_features(), heads.len(), heads.values().len()), (3, 1, 1));
    /// heads.clear();
    /// assert!(heads.is_empty());
    /// # Ok::<_, firebrick::Error>(())
    /// ```
    pub fn from_entries<K: Into<String>>(entries: impl IntoIterator<Item = (K, M)>) -> Result<Self> {
        let mut dict = Self::new();
        dict.update(entries)?;
        Ok(dict)
    }

    /// Adds or replaces an entry; a replaced one keeps its place and is returned.
    ///
    /// # Errors
    /// A `KeyError` for a name that is empty, contains a dot, or is a method's.
    pub fn insert(&mut self, name: impl Into<String>, module: M) -> Result<Option<M>> {
        let name = name.into();
        if !self.modules.contains_key(&name) {
            if METHODS.contains(&name.as_str()) || has_attribute(self, &name) {
                return Err(Error::key("ModuleDict", format!("attribute '{name}' already exists")));
            }
            check_module_name("ModuleDict", &name)?;
        }
        Ok(self.modules.insert(name, module))
    }

    /// Adds or replaces entries in order.
    ///
    /// # Errors
    /// As [`ModuleDict::insert`]; entries before the first bad one are in.
    pub fn update<K: Into<String>>(&mut self, entries: impl IntoIterator<Item = (K, M)>) -> Result<&mut Self> {
        for (name, module) in entries {
            self.insert(name, module)?;
        }
        Ok(self)
    }

    /// The module of this name: PyTorch's `dict[name]`.
    ///
    /// # Errors
    /// A `KeyError` when there is none.
    pub fn get(&self, name: &str) -> Result<&M> {
        self.modules.get(name).ok_or_else(|| self.missing(name))
    }

    /// The module of this name, open to change.
    ///
    /// # Errors
    /// A `KeyError` when there is none.
    pub fn get_mut(&mut self, name: &str) -> Result<&mut M> {
        if !self.contains_key(name) {
            return Err(self.missing(name));
        }
        Ok(&mut self.modules[name])
    }

    /// Takes the module of this name out: PyTorch's `pop` and `del`. The others keep their order.
    ///
    /// # Errors
    /// A `KeyError` when there is none.
    pub fn pop(&mut self, name: &str) -> Result<M> {
        self.modules.shift_remove(name).ok_or_else(|| self.missing(name))
    }

    fn missing(&self, name: &str) -> Error {
        let names: Vec<&str> = self.keys().collect();
        Error::key("ModuleDict", format!("'{name}'")).expected(format!("one of {}", names.join(", ")))
    }

    /// Is there a module of this name?
    pub fn contains_key(&self, name: &str) -> bool {
        self.modules.contains_key(name)
    }

    /// Takes every module out.
    pub fn clear(&mut self) {
        self.modules.clear();
    }

    /// How many modules there are.
    pub fn len(&self) -> usize {
        self.modules.len()
    }

    /// Are there none?
    pub fn is_empty(&self) -> bool {
        self.modules.is_empty()
    }

    /// The names in order.
    pub fn keys(&self) -> impl ExactSizeIterator<Item = &str> + DoubleEndedIterator {
        self.modules.keys().map(String::as_str)
    }

    /// The modules in order.
    pub fn values(&self) -> impl ExactSizeIterator<Item = &M> + DoubleEndedIterator {
        self.modules.values()
    }

    /// Names and modules in order: PyTorch's `items`.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = (&str, &M)> + DoubleEndedIterator {
        self.modules.iter().map(|(name, module)| (name.as_str(), module))
    }
}

impl<M: Module> Default for ModuleDict<M> {
    fn default() -> Self {
        Self::new()
    }
}
