//! Numbers that PyTorch's L-BFGS computes with: some are Python's, some are tensors.

use firebrick_core::{DType, Result, Tensor, Value};
use half::{bf16, f16};
use std::cmp::Ordering;
use std::ops::{Add, Div, Mul, Neg, Sub};

/// A number of Python's or a tensor's element, which is rounded to its dtype after every operation.
///
/// Where one operand is a tensor the result is one, and the other operand counts as single precision at most.
#[derive(Clone, Copy, Debug)]
pub(super) struct Number {
    pub value: f64,
    kind: Kind,
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Kind {
    Int,
    Float,
    Tensor(DType),
}

fn rounded(value: f64, dtype: DType) -> f64 {
    match dtype {
        DType::F64 => value,
        DType::F16 => f16::from_f32(value as f32).to_f64(),
        DType::BF16 => bf16::from_f32(value as f32).to_f64(),
        _ => f64::from(value as f32),
    }
}

impl Number {
    /// The element of a tensor without dimensions.
    pub fn of(tensor: &Tensor) -> Result<Number> {
        Ok(Number { value: tensor.item()?, kind: Kind::Tensor(tensor.dtype()) })
    }

    /// A number of a state.
    pub fn from_value(value: &Value) -> Option<Number> {
        match value {
            Value::Tensor(tensor) => Number::of(tensor).ok(),
            Value::Int(value) => Some(Number { value: *value as f64, kind: Kind::Int }),
            value => value.as_f64().map(Number::from),
        }
    }

    /// A number for a state; tensors are on the device of `like`.
    pub fn into_value(self, like: &Tensor) -> Result<Value> {
        Ok(match self.kind {
            Kind::Int => (self.value as i64).into(),
            Kind::Float => self.value.into(),
            Kind::Tensor(dtype) => like.new_full((), self.value)?.to(dtype)?.into(),
        })
    }

    fn with(self, other: Number, f: impl FnOnce(f64, f64) -> f64) -> Number {
        let (a, b) = self.alike(other);
        let value = f(a, b);
        match (self.kind, other.kind) {
            (Kind::Tensor(dtype), _) | (_, Kind::Tensor(dtype)) => {
                Number { value: rounded(value, dtype), kind: Kind::Tensor(dtype) }
            }
            (Kind::Int, Kind::Int) => Number { value, kind: Kind::Int },
            _ => value.into(),
        }
    }

    /// Both values as an operation on them sees them.
    fn alike(self, other: Number) -> (f64, f64) {
        let beside = |number: Number, with: Kind| match (number.kind, with) {
            (Kind::Tensor(_), _) | (_, Kind::Tensor(DType::F64)) => number.value,
            (_, Kind::Tensor(_)) => f64::from(number.value as f32),
            _ => number.value,
        };
        (beside(self, other.kind), beside(other, self.kind))
    }

    pub fn sqrt(self) -> Number {
        self.with(self, |a, _| a.sqrt())
    }

    pub fn abs(self) -> Number {
        if self.value < 0.0 { -self } else { self }
    }

    /// Python's `min`, which keeps the first one unless the second is smaller.
    pub fn min(self, other: Number) -> Number {
        if other < self { other } else { self }
    }

    /// Python's `max`, which keeps the first one unless the second is larger.
    pub fn max(self, other: Number) -> Number {
        if other > self { other } else { self }
    }
}

impl From<f64> for Number {
    fn from(value: f64) -> Number {
        Number { value, kind: Kind::Float }
    }
}

impl PartialEq for Number {
    fn eq(&self, other: &Number) -> bool {
        self.partial_cmp(other) == Some(Ordering::Equal)
    }
}

impl PartialOrd for Number {
    fn partial_cmp(&self, other: &Number) -> Option<Ordering> {
        let (a, b) = self.alike(*other);
        a.partial_cmp(&b)
    }
}

impl Neg for Number {
    type Output = Number;

    fn neg(self) -> Number {
        Number { value: -self.value, ..self }
    }
}

impl From<i64> for Number {
    fn from(value: i64) -> Number {
        Number { value: value as f64, kind: Kind::Int }
    }
}

macro_rules! operators {
    ($($operator:ident $method:ident $sign:tt;)*) => { $(
        impl<N: Into<Number>> $operator<N> for Number {
            type Output = Number;

            fn $method(self, other: N) -> Number {
                self.with(other.into(), |a, b| a $sign b)
            }
        }
    )* };
}
operators! {
    Add add +;
    Sub sub -;
    Mul mul *;
}

impl<N: Into<Number>> Div<N> for Number {
    type Output = Number;

    /// Python's quotient, which of integers is none.
    fn div(self, other: N) -> Number {
        let kind = if self.kind == Kind::Int { Kind::Float } else { self.kind };
        Number { kind, ..self }.with(other.into(), |a, b| a / b)
    }
}
