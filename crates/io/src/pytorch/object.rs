//! The tree of values that a file holds.

use super::{Array, BigInt, Dtype, Key, Layout, QScheme, Quantized, Sparse};
use firebrick_core::{Complex, Tensor};
use indexmap::IndexMap;

/// A value as a `.pt` file holds it.
///
/// What [`Value`](firebrick_core::Value) has, and what else `torch.save` writes. Tensors are [`Array`]s: read from the
/// file when they are asked for.
///
/// ```
/// use firebrick_core::Tensor;
/// use firebrick_io::pytorch::Object;
/// let checkpoint = Object::dict([
///     ("epoch", Object::Int(3)),
///     ("lr", Object::Float(0.1)),
///     ("name", Object::Str("mlp".to_owned())),
///     ("sizes", Object::List(vec![Object::Int(2), Object::Int(4)])),
///     ("weight", Tensor::new([1.0f32])?.into()),
/// ]);
/// let entry = |key: &str| checkpoint.get(key).expect("an entry");
/// assert_eq!((entry("epoch").as_i64(), entry("lr").as_f64()), (Some(3), Some(0.1)));
/// assert_eq!((entry("name").as_str(), entry("sizes").as_slice().map(<[_]>::len)), (Some("mlp"), Some(2)));
/// assert_eq!(entry("weight").as_array().map(|weight| weight.numel()), Some(1));
/// assert_eq!((checkpoint.kind(), entry("sizes").kind()), ("dict", "list"));
/// assert!(checkpoint.as_dict().is_some_and(|dict| dict.entries.len() == 5));
/// # Ok::<_, firebrick_core::Error>(())
/// ```
#[derive(Clone, Debug, Default)]
pub enum Object {
    /// Python's `None`.
    #[default]
    None,
    /// A truth value.
    Bool(bool),
    /// An integer.
    Int(i64),
    /// An integer beyond 64 bits.
    BigInt(BigInt),
    /// A floating-point number.
    Float(f64),
    /// A complex number.
    Complex(Complex<f64>),
    /// A text.
    Str(String),
    /// Python's `bytes`.
    Bytes(Vec<u8>),
    /// Python's `bytearray`.
    ByteArray(Vec<u8>),
    /// A list.
    List(Vec<Object>),
    /// A tuple.
    Tuple(Vec<Object>),
    /// A set, in the order of the file.
    Set(Vec<Key>),
    /// A dictionary of any kind.
    Dict(Box<Dict>),
    /// A `torch.Size`.
    Size(Vec<i64>),
    /// A `torch.dtype`.
    Dtype(Dtype),
    /// A `torch.device`, such as `cuda:0`.
    Device(String),
    /// A `torch.layout`.
    Layout(Layout),
    /// A `torch.qscheme`.
    QScheme(QScheme),
    /// A tensor, parameter or storage.
    Tensor(Array),
    /// A sparse tensor.
    Sparse(Box<Sparse>),
    /// A quantized tensor.
    Quantized(Box<Quantized>),
}

/// Which of Python's dictionaries it is.
///
/// ```
/// use firebrick_io::pytorch::DictKind;
/// assert_eq!((DictKind::default().name(), DictKind::Ordered.name()), ("dict", "OrderedDict"));
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum DictKind {
    /// `dict`.
    #[default]
    Plain,
    /// `collections.OrderedDict`.
    Ordered,
    /// `collections.Counter`.
    Counter,
}

impl DictKind {
    /// The name of the class; [`DictKind`] shows it.
    pub const fn name(self) -> &'static str {
        match self {
            DictKind::Plain => "dict",
            DictKind::Ordered => "OrderedDict",
            DictKind::Counter => "Counter",
        }
    }
}

/// A dictionary, in order.
///
/// ```
/// use firebrick_io::pytorch::{Dict, DictKind, Object};
/// let mut dict = Dict::new(DictKind::Ordered);
/// dict.entries.insert("step".into(), Object::Int(7));
/// assert_eq!(dict.get("step").and_then(Object::as_i64), Some(7));
/// ```
#[derive(Clone, Debug, Default)]
pub struct Dict {
    /// Which of Python's dictionaries it is.
    pub kind: DictKind,
    /// Keys and values.
    pub entries: IndexMap<Key, Object>,
    /// What was attached to an ordered dictionary: a state dict has `_metadata`.
    pub attributes: IndexMap<String, Object>,
}

impl Dict {
    /// The attribute of a state dict that holds what is noted about its modules, such as their versions.
    pub const METADATA: &str = "_metadata";

    /// An empty dictionary of a kind; [`Dict`] shows it.
    pub fn new(kind: DictKind) -> Self {
        Dict { kind, ..Dict::default() }
    }

    /// The value of a key; [`Dict`] shows it.
    pub fn get(&self, key: impl Into<Key>) -> Option<&Object> {
        self.entries.get(&key.into())
    }
}

impl Object {
    /// A plain dictionary of the entries, in order; [`Object`] shows it.
    pub fn dict<K: Into<Key>>(entries: impl IntoIterator<Item = (K, Object)>) -> Object {
        let entries = entries.into_iter().map(|(key, value)| (key.into(), value)).collect();
        Dict { entries, ..Dict::default() }.into()
    }

    /// The value of a key, if this is a dictionary that has it; [`Object`] shows it.
    pub fn get(&self, key: impl Into<Key>) -> Option<&Object> {
        self.as_dict()?.get(key)
    }

    /// The dictionary; [`Object`] shows it.
    pub fn as_dict(&self) -> Option<&Dict> {
        match self {
            Object::Dict(dict) => Some(dict),
            _ => None,
        }
    }

    /// The items of a list or tuple; [`Object`] shows it.
    pub fn as_slice(&self) -> Option<&[Object]> {
        match self {
            Object::List(items) | Object::Tuple(items) => Some(items),
            _ => None,
        }
    }

    /// The tensor as the file describes it; [`Object`] shows it.
    pub fn as_array(&self) -> Option<&Array> {
        match self {
            Object::Tensor(array) => Some(array),
            _ => None,
        }
    }

    /// The number, of a truth value 0 or 1; [`Object`] shows it.
    pub fn as_f64(&self) -> Option<f64> {
        match *self {
            Object::Bool(v) => Some(f64::from(u8::from(v))),
            Object::Int(v) => Some(v as f64),
            Object::Float(v) => Some(v),
            _ => None,
        }
    }

    /// The integer; [`Object`] shows it.
    pub fn as_i64(&self) -> Option<i64> {
        match *self {
            Object::Bool(v) => Some(i64::from(v)),
            Object::Int(v) => Some(v),
            _ => None,
        }
    }

    /// The text; [`Object`] shows it.
    pub fn as_str(&self) -> Option<&str> {
        match self {
            Object::Str(text) => Some(text),
            _ => None,
        }
    }

    /// What it is in Python, for messages; [`Object`] shows it.
    pub fn kind(&self) -> &'static str {
        match self {
            Object::None => "None",
            Object::Bool(_) => "bool",
            Object::Int(_) | Object::BigInt(_) => "int",
            Object::Float(_) => "float",
            Object::Complex(_) => "complex",
            Object::Str(_) => "str",
            Object::Bytes(_) => "bytes",
            Object::ByteArray(_) => "bytearray",
            Object::List(_) => "list",
            Object::Tuple(_) => "tuple",
            Object::Set(_) => "set",
            Object::Dict(dict) => dict.kind.name(),
            Object::Size(_) => "torch.Size",
            Object::Dtype(_) => "torch.dtype",
            Object::Device(_) => "torch.device",
            Object::Layout(_) => "torch.layout",
            Object::QScheme(_) => "torch.qscheme",
            Object::Tensor(_) => "Tensor",
            Object::Sparse(_) => "sparse Tensor",
            Object::Quantized(_) => "quantized Tensor",
        }
    }
}

impl Object {
    /// Bytes that it holds beyond itself, for what is no container.
    pub(super) fn held(&self) -> usize {
        match self {
            Object::Str(text) | Object::Device(text) => text.len(),
            Object::Bytes(bytes) | Object::ByteArray(bytes) => bytes.len(),
            Object::BigInt(number) => number.to_le_bytes().len(),
            Object::Size(sizes) => size_of_val(sizes.as_slice()),
            Object::Sparse(sparse) => size_of::<Sparse>() + size_of_val(sparse.shape.as_slice()),
            Object::Quantized(_) => size_of::<Quantized>(),
            _ => 0,
        }
    }
}

macro_rules! from {
    ($($t:ty: |$x:ident| $object:expr;)*) => { $(
        impl From<$t> for Object {
            fn from($x: $t) -> Self {
                $object
            }
        }
    )* };
}
from! {
    bool: |x| Object::Bool(x);
    i32: |x| Object::Int(x.into());
    i64: |x| Object::Int(x);
    f64: |x| Object::Float(x);
    &str: |x| Object::Str(x.to_owned());
    String: |x| Object::Str(x);
    Dtype: |x| Object::Dtype(x);
    Array: |x| Object::Tensor(x);
    Tensor: |x| Object::Tensor(Array::from(x));
    &Tensor: |x| Object::Tensor(Array::from(x.clone()));
    Dict: |x| Object::Dict(Box::new(x));
    Vec<Object>: |x| Object::List(x);
}
