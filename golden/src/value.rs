//! Values of the files: JSON with tags for what JSON lacks.

use crate::tensors::Tensors;
use crate::{Out, not_built, wrong};
use firebrick::nn::utils::rnn::PackedSequence;
use firebrick::{Complex, DType, Dims, Scalar, Tensor};
use serde_json::{Map, Value as Json};

/// An argument or a result.
#[derive(Clone)]
pub enum Value {
    /// Python's `None`.
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
    Text(String),
    /// A tensor.
    Tensor(Tensor),
    /// A list.
    List(Vec<Value>),
    /// A tuple.
    Tuple(Vec<Value>),
    /// A dict, in order.
    Dict(Vec<(Value, Value)>),
    /// `start:stop:step` of an index.
    Slice([Option<i64>; 3]),
    /// `...` of an index.
    Ellipsis,
    /// A dtype.
    DType(DType),
    /// A device, by its name.
    Device(String),
    /// One of PyTorch's constants, such as `torch.channels_last`.
    Enum(String),
    /// A function, by its name.
    Function(String),
    /// A module or an object of options, to be constructed.
    Construct(Box<Construct>),
    /// A `PackedSequence`.
    Packed(Box<[Value; 4]>),
}

/// What is needed to make a module or an object.
#[derive(Clone)]
pub struct Construct {
    /// The class.
    pub class: String,
    /// Positional arguments.
    pub args: Vec<Value>,
    /// Keyword arguments, or the fields of an object.
    pub kwargs: Vec<(String, Value)>,
}

impl Value {
    /// Reads a value; tensors come from `tensors`.
    pub fn parse(json: &Json, tensors: &Tensors) -> Out<Value> {
        Ok(match json {
            Json::Null => Value::None,
            Json::Bool(v) => Value::Bool(*v),
            Json::Number(n) => match n.as_i64() {
                Some(v) => Value::Int(v),
                None => Value::Float(n.as_f64().unwrap_or(f64::NAN)),
            },
            Json::String(text) => Value::Text(text.clone()),
            Json::Array(list) => Value::List(Value::parse_all(list, tensors)?),
            Json::Object(map) => return tagged(map, json, tensors),
        })
    }

    /// Reads several values.
    pub fn parse_all(list: &[Json], tensors: &Tensors) -> Out<Vec<Value>> {
        list.iter().map(|item| Value::parse(item, tensors)).collect()
    }

    /// What kind of value it is, for messages.
    pub fn kind(&self) -> &'static str {
        match self {
            Value::None => "None",
            Value::Bool(_) => "bool",
            Value::Int(_) => "int",
            Value::Float(_) => "float",
            Value::Complex(_) => "complex",
            Value::Text(_) => "str",
            Value::Tensor(_) => "Tensor",
            Value::List(_) => "list",
            Value::Tuple(_) => "tuple",
            Value::Dict(_) => "dict",
            Value::Slice(_) => "slice",
            Value::Ellipsis => "Ellipsis",
            Value::DType(_) => "dtype",
            Value::Device(_) => "device",
            Value::Enum(_) => "constant",
            Value::Function(_) => "function",
            Value::Construct(_) => "object",
            Value::Packed(_) => "PackedSequence",
        }
    }

    /// Calls `f` with every tensor in it, depth first.
    pub fn each_tensor(&self, f: &mut dyn FnMut(&Tensor)) {
        match self {
            Value::Tensor(tensor) => f(tensor),
            Value::List(list) | Value::Tuple(list) => list.iter().for_each(|item| item.each_tensor(f)),
            Value::Dict(pairs) => pairs.iter().for_each(|(_, item)| item.each_tensor(f)),
            Value::Construct(object) => {
                object.args.iter().for_each(|item| item.each_tensor(f));
                object.kwargs.iter().for_each(|(_, item)| item.each_tensor(f));
            }
            Value::Packed(parts) => parts.iter().for_each(|item| item.each_tensor(f)),
            _ => {}
        }
    }

    /// Every tensor in it, depth first.
    pub fn tensors(&self) -> Vec<Tensor> {
        let mut found = Vec::new();
        self.each_tensor(&mut |tensor| found.push(tensor.clone()));
        found
    }
}

/// A number out of an `$f` or `$int` tag.
fn special_number(tag: &str, text: &str) -> Option<Value> {
    match tag {
        "$f" => text.parse().ok().map(Value::Float),
        _ => text.parse().ok().map(Value::Int),
    }
}

fn tagged(map: &Map<String, Json>, json: &Json, tensors: &Tensors) -> Out<Value> {
    let Some((tag, inner)) = map.iter().find(|(key, _)| key.starts_with('$')) else {
        return wrong(format!("an object without a tag: {json}"));
    };
    let text = inner.as_str().unwrap_or_default();
    let list = || inner.as_array().map(Vec::as_slice).unwrap_or_default();
    Ok(match tag.as_str() {
        "$t" => {
            let tensor = tensors.get(json)?;
            if map.get("requires_grad") == Some(&Json::Bool(true)) {
                tensor.requires_grad_(true)?;
            }
            Value::Tensor(tensor)
        }
        "$f" | "$int" => match special_number(tag, text) {
            Some(value) => value,
            None => return not_built(format!("the number {text}")),
        },
        "$complex" => {
            let part = |i: usize| match Value::parse(&inner[i], tensors)? {
                Value::Float(v) => Ok(v),
                Value::Int(v) => Ok(v as f64),
                other => wrong(format!("a {} as part of a complex number", other.kind())),
            };
            Value::Complex(Complex::new(part(0)?, part(1)?))
        }
        "$tuple" => Value::Tuple(Value::parse_all(list(), tensors)?),
        "$dict" => Value::Dict(
            list()
                .iter()
                .map(|pair| Ok((Value::parse(&pair[0], tensors)?, Value::parse(&pair[1], tensors)?)))
                .collect::<Out<_>>()?,
        ),
        "$slice" => Value::Slice([inner[0].as_i64(), inner[1].as_i64(), inner[2].as_i64()]),
        "$ellipsis" => Value::Ellipsis,
        "$dtype" => match DType::from_name(text) {
            Some(dtype) => Value::DType(dtype),
            None => return not_built(format!("dtype {text}")),
        },
        "$device" => Value::Device(text.to_owned()),
        "$enum" => Value::Enum(text.to_owned()),
        "$fn" => Value::Function(text.to_owned()),
        "$module" | "$object" => Value::Construct(Box::new(construct(text, map, tensors)?)),
        "$packed" => {
            let part = |name: &str| Value::parse(&inner[name], tensors);
            let parts = [part("data")?, part("batch_sizes")?, part("sorted_indices")?, part("unsorted_indices")?];
            Value::Packed(Box::new(parts))
        }
        other => return not_built(format!("the tag {other}")),
    })
}

fn construct(class: &str, map: &Map<String, Json>, tensors: &Tensors) -> Out<Construct> {
    let args = map.get("args").and_then(Json::as_array).map(Vec::as_slice).unwrap_or_default();
    let kwargs = map.get("kwargs").or(map.get("fields")).and_then(Json::as_object);
    let pair = |(name, value): (&String, &Json)| Ok((name.clone(), Value::parse(value, tensors)?));
    Ok(Construct {
        class: class.to_owned(),
        args: Value::parse_all(args, tensors)?,
        kwargs: kwargs.map(|map| map.iter().map(pair).collect::<Out<_>>()).transpose()?.unwrap_or_default(),
    })
}

/// What an operation returns, as a value.
pub trait IntoValue {
    /// The value.
    fn into_value(self) -> Value;
}

macro_rules! into_value {
    ($($t:ty: |$x:ident| $value:expr;)*) => { $(
        impl IntoValue for $t {
            fn into_value(self) -> Value {
                let $x = self;
                $value
            }
        }
    )* };
}
into_value! {
    Value: |x| x;
    Tensor: |x| Value::Tensor(x);
    &Tensor: |x| Value::Tensor(x.clone());
    (): |_x| Value::None;
    bool: |x| Value::Bool(x);
    i64: |x| Value::Int(x);
    i32: |x| Value::Int(x.into());
    &str: |x| Value::Text(x.to_owned());
    usize: |x| Value::Int(x as i64);
    f64: |x| Value::Float(x);
    String: |x| Value::Text(x);
    DType: |x| Value::DType(x);
    PackedSequence: |x| Value::Packed(Box::new([
        Value::Tensor(x.data),
        Value::Tensor(x.batch_sizes),
        x.sorted_indices.into_value(),
        x.unsorted_indices.into_value(),
    ]));
    Dims: |x| Value::Tuple(x.iter().map(|&n| Value::Int(n as i64)).collect());
    Scalar: |x| match x {
        Scalar::Bool(v) => Value::Bool(v),
        Scalar::Int(v) => Value::Int(v),
        Scalar::Float(v) => Value::Float(v),
        Scalar::Complex(v) => Value::Complex(v),
    };
}

impl<T: IntoValue> IntoValue for Vec<T> {
    fn into_value(self) -> Value {
        Value::Tuple(self.into_iter().map(IntoValue::into_value).collect())
    }
}

impl<T: IntoValue> IntoValue for Option<T> {
    fn into_value(self) -> Value {
        self.map_or(Value::None, IntoValue::into_value)
    }
}

macro_rules! tuples {
    ($(($($t:ident $i:tt),+))*) => { $(
        impl<$($t: IntoValue),+> IntoValue for ($($t,)+) {
            fn into_value(self) -> Value {
                Value::Tuple(vec![$(self.$i.into_value()),+])
            }
        }
    )* };
}
tuples! { (A 0, B 1) (A 0, B 1, C 2) (A 0, B 1, C 2, D 3) }

impl From<firebrick::Value> for Value {
    fn from(value: firebrick::Value) -> Self {
        use firebrick::{Key, Value as Saved};
        let all = |list: Vec<Saved>| list.into_iter().map(Value::from).collect();
        match value {
            Saved::None => Value::None,
            Saved::Bool(v) => Value::Bool(v),
            Saved::Int(v) => Value::Int(v),
            Saved::Float(v) => Value::Float(v),
            Saved::Complex(v) => Value::Complex(v),
            Saved::Str(v) => Value::Text(v),
            Saved::Tensor(v) => Value::Tensor(v),
            Saved::List(list) => Value::List(all(list)),
            Saved::Tuple(list) => Value::Tuple(all(list)),
            Saved::Dict(map) => Value::Dict(
                map.into_iter()
                    .map(|(key, value)| {
                        let key = match key {
                            Key::Int(n) => Value::Int(n),
                            Key::Str(text) => Value::Text(text),
                        };
                        (key, value.into())
                    })
                    .collect(),
            ),
        }
    }
}
