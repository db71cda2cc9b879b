//! A map of parameters.

use super::parameter_list::line;
use crate::{Core, Custom, Module};
use firebrick_core::{Error, Parameter, Result};
use indexmap::IndexMap;

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

impl ParameterDict {
    /// An empty map.
    pub fn new() -> Self {
        ParameterDict { core: Core::new(), parameters: IndexMap::new() }
    }

    /// Adds or replaces a parameter; a replaced one keeps its place and is returned.
    ///
    /// # Errors
    /// A `KeyError` for a name that is empty or contains a dot.
    pub fn insert(&mut self, name: impl Into<String>, parameter: Parameter) -> Result<Option<Parameter>> {
        let name = name.into();
        if name.contains('.') {
            return Err(Error::key("ParameterDict", "parameter name can't contain \".\"").given(name));
        }
        if name.is_empty() {
            return Err(Error::key("ParameterDict", "parameter name can't be empty string \"\""));
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

    /// The parameter of this name; `None` when there is none.
    pub fn get(&self, name: &str) -> Option<&Parameter> {
        self.parameters.get(name)
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

    /// Takes the parameter of this name out.
    ///
    /// # Errors
    /// A `KeyError` when there is none.
    pub fn pop(&mut self, name: &str) -> Result<Parameter> {
        self.parameters.shift_remove(name).ok_or_else(|| {
            let names: Vec<&str> = self.keys().collect();
            Error::key("ParameterDict", format!("'{name}'")).expected(format!("one of {}", names.join(", ")))
        })
    }

    /// Takes the last parameter out, with its name.
    pub fn pop_item(&mut self) -> Option<(String, Parameter)> {
        self.parameters.pop()
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
    pub fn keys(&self) -> impl ExactSizeIterator<Item = &str> {
        self.parameters.keys().map(String::as_str)
    }

    /// The parameters in order.
    pub fn values(&self) -> impl ExactSizeIterator<Item = &Parameter> {
        self.parameters.values()
    }

    /// Names and parameters in order.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = (&str, &Parameter)> {
        self.parameters.iter().map(|(name, parameter)| (name.as_str(), parameter))
    }
}

impl Default for ParameterDict {
    fn default() -> Self {
        Self::new()
    }
}
