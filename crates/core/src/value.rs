//! Values as Python's containers hold them: what checkpoints and optimizers' states are made of.

use crate::text::{Repr, python_complex, python_float};
use crate::{Complex, Scalar, Tensor};
use indexmap::IndexMap;
use std::fmt;

/// A key of a [`Value::Dict`].
///
/// ```
/// # use firebrick_core::{Key, Value};
/// assert_eq!((Key::from("lr"), Key::from(0)), (Key::Str("lr".to_owned()), Key::Int(0)));
/// assert_eq!(Value::dict([("lr", 0.1.into())]).get("lr").and_then(Value::as_f64), Some(0.1));
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Key {
    /// A text.
    Str(String),
    /// A number, as those that optimizers number parameters by.
    Int(i64),
}

impl From<&str> for Key {
    fn from(key: &str) -> Self {
        Key::Str(key.to_owned())
    }
}

impl From<String> for Key {
    fn from(key: String) -> Self {
        Key::Str(key)
    }
}

impl From<i64> for Key {
    fn from(key: i64) -> Self {
        Key::Int(key)
    }
}

/// A Python value: a tensor, a number, a text, or a container of values.
///
/// `Display` is Python's `repr`.
///
/// ```
/// use firebrick_core::Value;
/// let group = Value::dict([("lr", 0.1.into()), ("betas", Value::Tuple(vec![0.9.into(), 0.999.into()]))]);
/// assert_eq!(group.to_string(), "{'lr': 0.1, 'betas': (0.9, 0.999)}");
/// assert_eq!(group.get("lr").and_then(|lr| lr.as_f64()), Some(0.1));
/// ```
#[derive(Clone, Debug, Default)]
pub enum Value {
    /// Python's `None`.
    #[default]
    None,
    /// A truth value.
    Bool(bool),
    /// An integer.
    Int(i64),
    /// A floating-point number.
    Float(f64),
    /// A complex number.
    Complex(Complex<f64>),
    /// A text.
    Str(String),
    /// A tensor.
    Tensor(Tensor),
    /// A list.
    List(Vec<Value>),
    /// A tuple.
    Tuple(Vec<Value>),
    /// A dictionary, in order.
    Dict(IndexMap<Key, Value>),
}

impl Value {
    /// A dictionary of the entries, in order.
    ///
    /// ```
    /// # use firebrick_core::Value;
    /// let state = Value::dict([("step", Value::from(3)), ("lr", Value::from(0.1))]);
    /// assert_eq!(state.get("step").and_then(Value::as_i64), Some(3));
    /// ```
    pub fn dict<K: Into<Key>>(entries: impl IntoIterator<Item = (K, Value)>) -> Value {
        Value::Dict(entries.into_iter().map(|(key, value)| (key.into(), value)).collect())
    }

    /// The value of a key, if this is a dictionary that has it.
    ///
    /// ```
    /// # use firebrick_core::Value;
    /// let state = Value::dict([("lr", Value::from(0.1))]);
    /// assert!(state.get("lr").is_some() && state.get("momentum").is_none());
    /// ```
    pub fn get(&self, key: impl Into<Key>) -> Option<&Value> {
        self.as_dict()?.get(&key.into())
    }

    /// The dictionary.
    ///
    /// ```
    /// # use firebrick_core::Value;
    /// assert_eq!(Value::dict([("lr", Value::from(0.1))]).as_dict().map(|entries| entries.len()), Some(1));
    /// ```
    pub fn as_dict(&self) -> Option<&IndexMap<Key, Value>> {
        match self {
            Value::Dict(entries) => Some(entries),
            _ => None,
        }
    }

    /// The items of a list or tuple.
    ///
    /// ```
    /// # use firebrick_core::Value;
    /// assert_eq!(Value::from((0.9, 0.999)).as_slice().map(<[Value]>::len), Some(2));
    /// ```
    pub fn as_slice(&self) -> Option<&[Value]> {
        match self {
            Value::List(items) | Value::Tuple(items) => Some(items),
            _ => None,
        }
    }

    /// The tensor.
    ///
    /// ```
    /// # use firebrick_core::{Tensor, Value};
    /// let value = Value::from(Tensor::new([1, 2])?);
    /// assert_eq!(value.as_tensor().map(Tensor::numel), Some(2));
    /// # Ok::<_, firebrick_core::Error>(())
    /// ```
    pub fn as_tensor(&self) -> Option<&Tensor> {
        match self {
            Value::Tensor(tensor) => Some(tensor),
            _ => None,
        }
    }

    /// The number, of a truth value 0 or 1.
    ///
    /// ```
    /// # use firebrick_core::Value;
    /// assert_eq!((Value::from(3).as_f64(), Value::None.as_f64()), (Some(3.0), None));
    /// ```
    pub fn as_f64(&self) -> Option<f64> {
        match *self {
            Value::Bool(v) => Some(f64::from(u8::from(v))),
            Value::Int(v) => Some(v as f64),
            Value::Float(v) => Some(v),
            _ => None,
        }
    }

    /// The integer.
    ///
    /// ```
    /// # use firebrick_core::Value;
    /// assert_eq!((Value::from(3).as_i64(), Value::from(3.5).as_i64()), (Some(3), None));
    /// ```
    pub fn as_i64(&self) -> Option<i64> {
        match *self {
            Value::Bool(v) => Some(i64::from(v)),
            Value::Int(v) => Some(v),
            _ => None,
        }
    }

    /// Python's truth of a number or `None`.
    ///
    /// ```
    /// # use firebrick_core::Value;
    /// assert_eq!((Value::from(true).as_bool(), Value::None.as_bool()), (Some(true), Some(false)));
    /// ```
    pub fn as_bool(&self) -> Option<bool> {
        match self {
            Value::None => Some(false),
            other => other.as_f64().map(|v| v != 0.0),
        }
    }

    /// The text.
    ///
    /// ```
    /// # use firebrick_core::Value;
    /// assert_eq!(Value::from("min").as_str(), Some("min"));
    /// ```
    pub fn as_str(&self) -> Option<&str> {
        match self {
            Value::Str(text) => Some(text),
            _ => None,
        }
    }
}

impl<T: Into<Scalar>> From<T> for Value {
    fn from(number: T) -> Self {
        match number.into() {
            Scalar::Bool(v) => Value::Bool(v),
            Scalar::Int(v) => Value::Int(v),
            Scalar::Float(v) => Value::Float(v),
            Scalar::Complex(v) => Value::Complex(v),
        }
    }
}

impl From<&str> for Value {
    fn from(text: &str) -> Self {
        Value::Str(text.to_owned())
    }
}

impl From<Tensor> for Value {
    fn from(tensor: Tensor) -> Self {
        Value::Tensor(tensor)
    }
}

impl From<(f64, f64)> for Value {
    fn from((a, b): (f64, f64)) -> Self {
        Value::Tuple(vec![a.into(), b.into()])
    }
}

impl fmt::Display for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let all = |items: &[Value]| items.iter().map(Value::to_string).collect::<Vec<_>>().join(", ");
        match self {
            Value::None => f.write_str("None"),
            Value::Bool(v) => f.write_str(&v.repr()),
            Value::Int(v) => v.fmt(f),
            Value::Float(v) => f.write_str(&python_float(*v)),
            Value::Complex(v) => f.write_str(&python_complex(v.re, v.im)),
            Value::Str(v) => f.write_str(&v.repr()),
            Value::Tensor(v) => v.fmt(f),
            Value::List(items) => write!(f, "[{}]", all(items)),
            Value::Tuple(items) if items.len() == 1 => write!(f, "({},)", items[0]),
            Value::Tuple(items) => write!(f, "({})", all(items)),
            Value::Dict(entries) => {
                let entry = |(key, value): (&Key, &Value)| match key {
                    Key::Str(key) => format!("{}: {value}", key.repr()),
                    Key::Int(key) => format!("{key}: {value}"),
                };
                write!(f, "{{{}}}", entries.iter().map(entry).collect::<Vec<_>>().join(", "))
            }
        }
    }
}
