//! Keys of dictionaries and elements of sets.

use super::{BigInt, Dtype, Object};
use std::hash::{Hash, Hasher};

/// A value that can be the key of a dictionary.
///
/// Python finds `1`, `1.0` and `True` equal; here they are three keys. No dictionary that Python writes holds two of them.
///
/// ```
/// use firebrick_io::pytorch::{Key, Object};
/// let groups = Object::dict([(0, Object::Str("weights".to_owned())), (1, Object::Str("biases".to_owned()))]);
/// assert_eq!(groups.get(1).and_then(Object::as_str), Some("biases"));
/// assert_eq!(Key::from("lr"), Key::Str("lr".to_owned()));
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Key {
    /// Python's `None`.
    None,
    /// A truth value.
    Bool(bool),
    /// An integer, as those that optimizers number parameters by.
    Int(i64),
    /// An integer beyond 64 bits.
    BigInt(BigInt),
    /// A floating-point number.
    Float(FloatKey),
    /// A text.
    Str(String),
    /// Python's `bytes`.
    Bytes(Vec<u8>),
    /// A tuple.
    Tuple(Vec<Key>),
    /// A `torch.Size`.
    Size(Vec<i64>),
    /// A `torch.dtype`.
    Dtype(Dtype),
    /// A `torch.device`.
    Device(String),
}

/// A floating-point number that is equal to itself, bit by bit, and can be hashed; the two zeros are one.
///
/// ```
/// use firebrick_io::pytorch::FloatKey;
/// assert_eq!(FloatKey(f64::NAN), FloatKey(f64::NAN));
/// assert_eq!(FloatKey(0.0), FloatKey(-0.0));
/// ```
#[derive(Clone, Copy, Debug)]
pub struct FloatKey(pub f64);

impl FloatKey {
    fn bits(self) -> u64 {
        (self.0 + 0.0).to_bits()
    }
}

impl PartialEq for FloatKey {
    fn eq(&self, other: &Self) -> bool {
        self.bits() == other.bits()
    }
}

impl Eq for FloatKey {}

impl Hash for FloatKey {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.bits().hash(state);
    }
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

impl From<firebrick_core::Key> for Key {
    fn from(key: firebrick_core::Key) -> Self {
        match key {
            firebrick_core::Key::Str(text) => Key::Str(text),
            firebrick_core::Key::Int(number) => Key::Int(number),
        }
    }
}

impl From<Key> for Object {
    fn from(key: Key) -> Self {
        match key {
            Key::None => Object::None,
            Key::Bool(v) => Object::Bool(v),
            Key::Int(v) => Object::Int(v),
            Key::BigInt(v) => Object::BigInt(v),
            Key::Float(FloatKey(v)) => Object::Float(v),
            Key::Str(v) => Object::Str(v),
            Key::Bytes(v) => Object::Bytes(v),
            Key::Tuple(items) => Object::Tuple(items.into_iter().map(Object::from).collect()),
            Key::Size(v) => Object::Size(v),
            Key::Dtype(v) => Object::Dtype(v),
            Key::Device(v) => Object::Device(v),
        }
    }
}

impl TryFrom<Object> for Key {
    type Error = Object;

    /// The key, or the object again where it cannot be one: Python's "unhashable type", tensors and complex numbers.
    fn try_from(object: Object) -> Result<Self, Object> {
        Ok(match object {
            Object::None => Key::None,
            Object::Bool(v) => Key::Bool(v),
            Object::Int(v) => Key::Int(v),
            Object::BigInt(v) => Key::BigInt(v),
            Object::Float(v) => Key::Float(FloatKey(v)),
            Object::Str(v) => Key::Str(v),
            Object::Bytes(v) => Key::Bytes(v),
            Object::Tuple(items) => Key::Tuple(items.into_iter().map(Key::try_from).collect::<Result<_, _>>()?),
            Object::Size(v) => Key::Size(v),
            Object::Dtype(v) => Key::Dtype(v),
            Object::Device(v) => Key::Device(v),
            other => return Err(other),
        })
    }
}

impl std::fmt::Display for Key {
    /// Python's `repr`, as a path through dictionaries shows it: `'weight'`, `0`.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Key::Str(text) => write!(f, "'{}'", text.escape_debug()),
            Key::Int(number) => number.fmt(f),
            Key::BigInt(number) => number.fmt(f),
            Key::None => f.write_str("None"),
            Key::Bool(true) => f.write_str("True"),
            Key::Bool(false) => f.write_str("False"),
            Key::Float(FloatKey(number)) => write!(f, "{number:?}"),
            Key::Bytes(bytes) => write!(f, "b'{}'", bytes.escape_ascii()),
            Key::Tuple(items) => {
                f.write_str("(")?;
                items.iter().try_for_each(|item| write!(f, "{item}, "))?;
                f.write_str(")")
            }
            Key::Size(sizes) => write!(f, "torch.Size({sizes:?})"),
            Key::Dtype(dtype) => dtype.fmt(f),
            Key::Device(device) => write!(f, "device('{device}')"),
        }
    }
}
