//! Arguments of a call, positional or by keyword, taken in the order of PyTorch's signature.

use crate::value::Value;
use crate::{Failure, Out, not_built};
use firebrick::{DType, Scalar, Tensor};
use std::collections::VecDeque;

/// The arguments that were given and not taken yet.
///
/// An operation takes its parameters in the order in which PyTorch declares them; each comes from the next
/// positional argument or, when these are used up, from the keyword of that name.
#[derive(Clone, Default)]
pub struct Args {
    positional: VecDeque<Value>,
    keywords: Vec<(String, Value)>,
}

impl Args {
    /// The arguments of a call.
    pub fn new(positional: impl IntoIterator<Item = Value>, keywords: Vec<(String, Value)>) -> Args {
        Args { positional: positional.into_iter().collect(), keywords }
    }

    /// The value of a parameter, where it was given and is not `None`.
    pub fn take(&mut self, name: &str) -> Option<Value> {
        self.given(name).filter(|value| !matches!(value, Value::None))
    }

    /// The value of a parameter where it was given, `None` included.
    pub fn given(&mut self, name: &str) -> Option<Value> {
        self.positional.pop_front().or_else(|| self.keyword(name))
    }

    /// The value of a keyword-only parameter.
    pub fn keyword(&mut self, name: &str) -> Option<Value> {
        let at = self.keywords.iter().position(|(key, _)| key == name)?;
        Some(self.keywords.remove(at).1)
    }

    /// The next positional argument, without taking it.
    pub fn peek(&self) -> Option<&Value> {
        self.positional.front()
    }

    /// Was a parameter given that is neither taken nor `None`?
    pub fn has(&self, name: &str) -> bool {
        self.keywords.iter().any(|(key, value)| key == name && !matches!(value, Value::None))
    }

    /// Every tensor among the arguments, depth first.
    pub fn tensors_given(&self) -> Vec<Tensor> {
        let keywords = self.keywords.iter().map(|(_, value)| value);
        self.positional.iter().chain(keywords).flat_map(Value::tensors).collect()
    }

    /// The same arguments with each tensor among the positional ones cloned, as part of the graph.
    pub fn copied(&self) -> Out<Args> {
        let mut copy = self.clone();
        for value in &mut copy.positional {
            if let Value::Tensor(tensor) = value {
                *value = Value::Tensor(tensor.copy()?);
            }
        }
        Ok(copy)
    }

    /// The positional arguments and the keywords that are left.
    pub fn into_parts(self) -> (Vec<Value>, Vec<(String, Value)>) {
        (self.positional.into(), self.keywords)
    }

    /// How many positional arguments are left.
    pub fn left(&self) -> usize {
        self.positional.len()
    }

    /// Every positional argument that is left.
    pub fn rest(&mut self) -> Vec<Value> {
        self.positional.drain(..).collect()
    }

    /// Refuses arguments that nobody took.
    ///
    /// # Errors
    /// What they are: an argument that the operation does not have yet.
    pub fn finish(self) -> Out<()> {
        if let Some(value) = self.positional.front() {
            return not_built(format!("a further positional argument ({})", value.kind()));
        }
        match self.keywords.iter().find(|(_, value)| !matches!(value, Value::None)) {
            Some((name, _)) => not_built(format!("argument {name}")),
            None => Ok(()),
        }
    }
}

macro_rules! parameters {
    ($($doc:literal $name:ident, $maybe:ident, $or:ident -> $t:ty { $($pattern:pat => $value:expr,)+ })*) => {
        impl Args { $(
            #[doc = concat!($doc, "; `None` where it was not given.")]
            pub fn $maybe(&mut self, name: &str) -> Out<Option<$t>> {
                match self.take(name) {
                    None => Ok(None),
                    $(Some($pattern) => Ok(Some($value)),)+
                    #[allow(unreachable_patterns)]
                    Some(other) => Err(Failure::Types(format!("{name} as {}", other.kind()))),
                }
            }

            #[doc = $doc]
            pub fn $name(&mut self, name: &str) -> Out<$t> {
                self.$maybe(name)?.ok_or_else(|| Failure::Types(format!("{name} is missing")))
            }

            #[doc = concat!($doc, "; `default` where it was not given.")]
            pub fn $or(&mut self, name: &str, default: impl Into<$t>) -> Out<$t> {
                Ok(self.$maybe(name)?.unwrap_or_else(|| default.into()))
            }
        )* }
    };
}

parameters! {
    "A tensor" tensor, maybe_tensor, tensor_or -> Tensor { Value::Tensor(x) => x, }
    "An integer" int, maybe_int, int_or -> i64 { Value::Int(x) => x, Value::Bool(x) => x as i64, }
    "A floating-point number" float, maybe_float, float_or -> f64 { Value::Float(x) => x, Value::Int(x) => x as f64, Value::Bool(x) => x as u8 as f64, }
    "A truth value" bool, maybe_bool, bool_or -> bool { Value::Bool(x) => x, }
    "A number of any kind" scalar, maybe_scalar, scalar_or -> Scalar { Value::Float(x) => x.into(), Value::Int(x) => x.into(), Value::Bool(x) => x.into(), Value::Complex(x) => x.into(), }
    "A dtype" dtype, maybe_dtype, dtype_or -> DType { Value::DType(x) => x, }
    "A text" text, maybe_text, text_or -> String { Value::Text(x) => x, }
    "A list of values" list, maybe_list, list_or -> Vec<Value> { Value::List(x) | Value::Tuple(x) => x, }
    "Any value" value, maybe_value, value_or -> Value { x => x, }
}

impl Args {
    /// Integers, where one stands for a list of one.
    pub fn maybe_ints(&mut self, name: &str) -> Out<Option<Vec<i64>>> {
        self.take(name).map(|value| ints(name, &value)).transpose()
    }

    /// Integers that must be given.
    pub fn ints(&mut self, name: &str) -> Out<Vec<i64>> {
        self.maybe_ints(name)?.ok_or_else(|| Failure::Types(format!("{name} is missing")))
    }

    /// Integers, or `default`.
    pub fn ints_or(&mut self, name: &str, default: &[i64]) -> Out<Vec<i64>> {
        Ok(self.maybe_ints(name)?.unwrap_or_else(|| default.to_vec()))
    }

    /// Integers given as one list or as all remaining positional arguments: `x.view(2, 3)`.
    pub fn spread_ints(&mut self, name: &str) -> Out<Vec<i64>> {
        if self.left() > 1 {
            return ints(name, &Value::List(self.rest()));
        }
        self.ints(name)
    }

    /// A list of tensors.
    pub fn tensors(&mut self, name: &str) -> Out<Vec<Tensor>> {
        tensors(name, self.list(name)?)
    }

    /// Tensors given as one list or as all remaining positional arguments.
    pub fn spread_tensors(&mut self, name: &str) -> Out<Vec<Tensor>> {
        match self.peek() {
            Some(Value::Tensor(_)) => tensors(name, self.rest()),
            _ => self.tensors(name),
        }
    }

    /// The first argument.
    pub fn x(&mut self) -> Out<Tensor> {
        self.tensor("input")
    }

    /// A truth value that is false where it was not given.
    pub fn flag(&mut self, name: &str) -> Out<bool> {
        self.bool_or(name, false)
    }
}

/// The integers of a list or a single one.
pub fn ints(name: &str, value: &Value) -> Out<Vec<i64>> {
    match value {
        Value::Int(x) => Ok(vec![*x]),
        Value::List(list) | Value::Tuple(list) => list
            .iter()
            .map(|item| match item {
                Value::Int(x) => Ok(*x),
                other => Err(Failure::Types(format!("{name} with a {}", other.kind()))),
            })
            .collect(),
        other => Err(Failure::Types(format!("{name} as {}", other.kind()))),
    }
}

/// The tensors of a list.
pub fn tensors(name: &str, list: Vec<Value>) -> Out<Vec<Tensor>> {
    list.into_iter()
        .map(|item| match item {
            Value::Tensor(x) => Ok(x),
            other => Err(Failure::Types(format!("{name} with a {}", other.kind()))),
        })
        .collect()
}
