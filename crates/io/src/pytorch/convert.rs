//! Between the tree of a file and what programs work with.

use super::path::{Path, Step};
use super::{Array, Dict, DictKind, Key, Object};
use firebrick_core::{self as core, Error, Result, StateDict, Value};
use indexmap::IndexMap;

impl Object {
    /// The tensors of a dictionary by name, ready for `load_state_dict`, with the versions of the modules that wrote them.
    ///
    /// # Errors
    /// No dictionary, a key that is no text, a value that is no tensor, or a dtype that Firebrick does not compute with.
    ///
    /// ```
    /// use firebrick_core::Tensor;
    /// use firebrick_io::pytorch::Object;
    /// let object = Object::dict([("model", Object::dict([("weight", Tensor::new([1.0f32])?.into())]))]);
    /// let state = object.get("model").expect("an entry").state_dict()?;
    /// assert_eq!(state.keys().collect::<Vec<_>>(), ["weight"]);
    /// assert!(object.state_dict().is_err()); // `model` is no tensor
    /// # Ok::<_, firebrick_core::Error>(())
    /// ```
    pub fn state_dict(&self) -> Result<StateDict> {
        let Some(dict) = self.as_dict() else {
            return Err(refuse(&Path::default(), format!("a state dict is a dict of tensors, not a {}", self.kind()))
                .remedy("take the entry that holds it, as in `object.get(\"model\")`"));
        };
        let mut state = StateDict::new();
        for (key, value) in &dict.entries {
            let mut path = Path::default();
            path.push(Step::Key(key));
            match (key, value) {
                (Key::Str(name), Object::Tensor(array)) => {
                    let tensor = array.tensor().map_err(|error| error.context(&path))?;
                    state.insert(name, tensor);
                }
                (Key::Str(_), other) => {
                    return Err(refuse(&path, format!("a state dict holds tensors, not a {}", other.kind()))
                        .remedy("take the entry that holds it, as in `object.get(\"model\")`"));
                }
                (other, _) => return Err(refuse(&path, format!("the names of a state dict are texts, not {other}"))),
            }
        }
        if let Some(Object::Dict(modules)) = dict.attributes.get(Dict::METADATA) {
            state.metadata = modules.entries.iter().filter_map(|(key, facts)| module_facts(key, facts)).collect();
        }
        Ok(state)
    }

    /// The value that optimizers and schedulers load.
    ///
    /// # Errors
    /// What a [`Value`] does not hold, named with its place: bytes, sets, dtypes, devices, keys that are neither texts nor
    /// integers, tensors that Firebrick does not compute with.
    ///
    /// ```
    /// use firebrick_io::pytorch::Object;
    /// let value = Object::dict([("step", Object::Int(7))]).to_value()?;
    /// assert_eq!(value.to_string(), "{'step': 7}");
    /// assert!(Object::Bytes(vec![1]).to_value().is_err());
    /// # Ok::<_, firebrick_core::Error>(())
    /// ```
    pub fn to_value(&self) -> Result<Value> {
        value_of(self, &mut Path::default())
    }
}

/// The numbers noted about a module.
pub(super) fn module_facts(module: &Key, facts: &Object) -> Option<(String, IndexMap<String, i64>)> {
    let (Key::Str(module), Object::Dict(facts)) = (module, facts) else { return None };
    let number = |(name, fact): (&Key, &Object)| match name {
        Key::Str(name) => Some((name.clone(), fact.as_i64()?)),
        _ => None,
    };
    Some((module.clone(), facts.entries.iter().filter_map(number).collect()))
}

fn value_of<'o>(object: &'o Object, path: &mut Path<'o>) -> Result<Value> {
    Ok(match object {
        Object::None => Value::None,
        Object::Bool(v) => Value::Bool(*v),
        Object::Int(v) => Value::Int(*v),
        Object::Float(v) => Value::Float(*v),
        Object::Complex(v) => Value::Complex(*v),
        Object::Str(text) => Value::Str(text.clone()),
        Object::Tensor(array) => Value::Tensor(array.tensor().map_err(|error| error.context(&*path))?),
        Object::List(items) => Value::List(values_of(items, path)?),
        Object::Tuple(items) => Value::Tuple(values_of(items, path)?),
        Object::Size(sizes) => Value::Tuple(sizes.iter().map(|&size| Value::Int(size)).collect()),
        Object::Dict(dict) => {
            let mut entries = IndexMap::with_capacity(dict.entries.len());
            for (key, value) in &dict.entries {
                path.push(Step::Key(key));
                let key = match key {
                    Key::Str(text) => core::Key::Str(text.clone()),
                    Key::Int(number) => core::Key::Int(*number),
                    _ => return Err(refuse(path, "a key is a text or an integer")),
                };
                entries.insert(key, value_of(value, path)?);
                path.pop();
            }
            Value::Dict(entries)
        }
        other => return Err(refuse(path, format!("a value cannot be a {}", other.kind()))),
    })
}

fn values_of<'o>(items: &'o [Object], path: &mut Path<'o>) -> Result<Vec<Value>> {
    let mut values = Vec::with_capacity(items.len());
    for (i, item) in items.iter().enumerate() {
        path.push(Step::Index(i));
        values.push(value_of(item, path)?);
        path.pop();
    }
    Ok(values)
}

fn refuse(path: &Path<'_>, problem: impl std::fmt::Display) -> Error {
    Error::type_("load", format!("{path}: {problem}"))
}

impl From<&StateDict> for Object {
    /// An ordered dictionary, with the versions of the modules as its `_metadata`.
    fn from(state: &StateDict) -> Self {
        let mut dict = Dict::new(DictKind::Ordered);
        dict.entries = state.iter().map(|(name, tensor)| (name.into(), tensor.into())).collect();
        if !state.metadata.is_empty() {
            let facts = |facts: &IndexMap<String, i64>| {
                Object::dict(facts.iter().map(|(name, &number)| (name.as_str(), Object::Int(number))))
            };
            let mut modules = Dict::new(DictKind::Ordered);
            modules.entries = state.metadata.iter().map(|(module, of)| (module.as_str().into(), facts(of))).collect();
            dict.attributes.insert(Dict::METADATA.to_owned(), modules.into());
        }
        dict.into()
    }
}

impl From<StateDict> for Object {
    fn from(state: StateDict) -> Self {
        Object::from(&state)
    }
}

impl From<Value> for Object {
    fn from(value: Value) -> Self {
        let all = |items: Vec<Value>| items.into_iter().map(Object::from).collect();
        match value {
            Value::None => Object::None,
            Value::Bool(v) => Object::Bool(v),
            Value::Int(v) => Object::Int(v),
            Value::Float(v) => Object::Float(v),
            Value::Complex(v) => Object::Complex(v),
            Value::Str(text) => Object::Str(text),
            Value::Tensor(tensor) => Object::Tensor(Array::from(tensor)),
            Value::List(items) => Object::List(all(items)),
            Value::Tuple(items) => Object::Tuple(all(items)),
            Value::Dict(entries) => Object::dict(entries.into_iter().map(|(key, value)| (key, value.into()))),
        }
    }
}

impl From<&Value> for Object {
    fn from(value: &Value) -> Self {
        Object::from(value.clone())
    }
}
