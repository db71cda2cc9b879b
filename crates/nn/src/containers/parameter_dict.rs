//! A map of parameters.

use super::parameter_list::line;
use crate::extra::is_method;
use crate::{Core, Custom, Module};
use firebrick_core::{Error, Parameter, Result};
use indexmap::IndexMap;
use std::ops::{BitOr, BitOrAssign};

/// Parameters under names, in the order in which the names were first used.
///
/// ```
/// use firebrick::prelude::*;
/// let mut scales = nn::ParameterDict::new();
/// scales.insert("left", Parameter::new(Tensor::ones([2])?))?;
/// assert_eq!(scales.named_parameters()[0].0, "left");
/// # Ok::<_, firebrick::Error>(())
/// ```
#[derive(Module)]
#[module(custom)]
pub struct ParameterDict {
    core: Core,
    #[module(flatten)]
    parameters: IndexMap<String, Parameter>,
}

impl Custom for ParameterDict {
    fn extra_repr(&self) -> String {
        let line = |(key, p): (&String, &Parameter)| line(key, p, &p.type_text());
        self.parameters.iter().map(line).collect::<Vec<_>>().join("\n")
    }
}

/// The methods of PyTorch's class, whose names no entry can take.
const METHODS: [&str; 12] = [
    "clear",
    "copy",
    "fromkeys",
    "get",
    "items",
    "keys",
    "pop",
    "popitem",
    "setdefault",
    "update",
    "values",
    "extra_repr",
];

impl ParameterDict {
    /// An empty map.
    pub fn new() -> Self {
        ParameterDict { core: Core::new(), parameters: IndexMap::new() }
    }

    /// A map of these entries, in their order.
    ///
    /// # Errors
    /// As [`ParameterDict::insert`].
    ///
    /// ```
    /// use firebrick::prelude::*;
    /// let scalar = |x: f32| Tensor::new([x]).map(Parameter::new);
    /// let mut dict = nn::ParameterDict::from_entries([("a", scalar(1.0)?), ("b", scalar(2.0)?)])?;
    /// dict.update([("b", scalar(3.0)?)])?;
    /// assert_eq!(dict.set_default("c", scalar(4.0)?)?.item::<f32>()?, 4.0);
    /// assert_eq!((dict.get("b")?.item::<f32>()?, dict.contains_key("d"), dict.len()), (3.0, false, 3));
    /// assert_eq!(dict.keys().collect::<Vec<_>>(), ["a", "b", "c"]);
    /// assert_eq!((dict.pop_item()?.0, dict.pop("a")?.item::<f32>()?), ("c".to_owned(), 1.0));
    /// let copy = dict.copy();
    /// dict.clear();
    /// assert_eq!((dict.is_empty(), copy.values().len(), copy.iter().len()), (true, 1, 1));
    /// # Ok::<_, firebrick::Error>(())
    /// ```
    pub fn from_entries<K: Into<String>>(entries: impl IntoIterator<Item = (K, Parameter)>) -> Result<Self> {
        let mut dict = Self::new();
        dict.update(entries)?;
        Ok(dict)
    }

    /// Adds or replaces a parameter; a replaced one keeps its place and is returned.
    ///
    /// # Errors
    /// A `KeyError` for a name that is empty, contains a dot, or is a method's.
    pub fn insert(&mut self, name: impl Into<String>, parameter: Parameter) -> Result<Option<Parameter>> {
        let name = name.into();
        if name.contains('.') {
            return Err(Error::key("ParameterDict", "parameter name can't contain \".\"").given(name));
        }
        if name.is_empty() {
            return Err(Error::key("ParameterDict", "parameter name can't be empty string \"\""));
        }
        if METHODS.contains(&name.as_str()) || is_method(&name) {
            return Err(Error::key("ParameterDict", format!("attribute '{name}' already exists")));
        }
        Ok(self.parameters.insert(name, parameter))
    }

    /// Adds or replaces parameters in order.
    ///
    /// # Errors
    /// As [`ParameterDict::insert`]; entries before the first bad one are in.
    pub fn update<K: Into<String>>(&mut self, entries: impl IntoIterator<Item = (K, Parameter)>) -> Result<&mut Self> {
        for (name, parameter) in entries {
            self.insert(name, parameter)?;
        }
        Ok(self)
    }

    /// The parameter of this name: PyTorch's `dict[name]`; `get(name).ok()` is its `get`.
    ///
    /// # Errors
    /// An `AttributeError` when there is none.
    pub fn get(&self, name: &str) -> Result<&Parameter> {
        self.parameters.get(name).ok_or_else(|| self.missing(name))
    }

    fn missing(&self, name: &str) -> Error {
        let names: Vec<&str> = self.keys().collect();
        Error::attribute("ParameterDict", format!("'ParameterDict' object has no attribute '{name}'"))
            .expected(format!("one of {}", names.join(", ")))
    }

    /// The parameter of this name, which is `default` when there was none.
    ///
    /// # Errors
    /// As [`ParameterDict::insert`].
    pub fn set_default(&mut self, name: &str, default: Parameter) -> Result<&Parameter> {
        if !self.contains_key(name) {
            self.insert(name, default)?;
        }
        Ok(&self.parameters[name])
    }

    /// Takes the parameter of this name out: PyTorch's `pop` and `del`.
    ///
    /// # Errors
    /// An `AttributeError` when there is none.
    pub fn pop(&mut self, name: &str) -> Result<Parameter> {
        self.parameters.shift_remove(name).ok_or_else(|| self.missing(name))
    }

    /// Takes the last parameter out, with its name.
    ///
    /// # Errors
    /// A `KeyError` when there is none.
    pub fn pop_item(&mut self) -> Result<(String, Parameter)> {
        self.parameters.pop().ok_or_else(|| Error::key("ParameterDict", "popitem(): dictionary is empty"))
    }

    /// A map in which every name leads to the same parameter: PyTorch's `fromkeys`.
    ///
    /// # Errors
    /// As [`ParameterDict::insert`].
    ///
    /// ```
    /// use firebrick::prelude::*;
    /// let scale = Parameter::new(Tensor::ones([2])?);
    /// let scales = nn::ParameterDict::from_keys(["left", "right"], &scale)?;
    /// assert_eq!((scales.len(), scales.parameters().len()), (2, 1)); // tied
    /// # Ok::<_, firebrick::Error>(())
    /// ```
    pub fn from_keys<K: Into<String>>(names: impl IntoIterator<Item = K>, parameter: &Parameter) -> Result<Self> {
        Self::from_entries(names.into_iter().map(|name| (name, parameter.clone())))
    }

    /// Another map of the same parameters.
    pub fn copy(&self) -> ParameterDict {
        ParameterDict { core: Core::new(), parameters: self.parameters.clone() }
    }

    /// Is there a parameter of this name?
    pub fn contains_key(&self, name: &str) -> bool {
        self.parameters.contains_key(name)
    }

    /// Takes every parameter out.
    pub fn clear(&mut self) {
        self.parameters.clear();
    }

    /// How many parameters there are.
    pub fn len(&self) -> usize {
        self.parameters.len()
    }

    /// Are there none?
    pub fn is_empty(&self) -> bool {
        self.parameters.is_empty()
    }

    /// The names in order.
    pub fn keys(&self) -> impl ExactSizeIterator<Item = &str> + DoubleEndedIterator {
        self.parameters.keys().map(String::as_str)
    }

    /// The parameters in order.
    pub fn values(&self) -> impl ExactSizeIterator<Item = &Parameter> + DoubleEndedIterator {
        self.parameters.values()
    }

    /// Names and parameters in order.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = (&str, &Parameter)> + DoubleEndedIterator {
        self.parameters.iter().map(|(name, parameter)| (name.as_str(), parameter))
    }
}

/// The entries of both, those of the second where both have one: Python's `a | b`.
impl BitOr for ParameterDict {
    type Output = ParameterDict;
    fn bitor(mut self, other: ParameterDict) -> ParameterDict {
        self |= other;
        self
    }
}

impl BitOrAssign for ParameterDict {
    fn bitor_assign(&mut self, other: ParameterDict) {
        self.parameters.extend(other.parameters);
    }
}

impl Default for ParameterDict {
    fn default() -> Self {
        Self::new()
    }
}
