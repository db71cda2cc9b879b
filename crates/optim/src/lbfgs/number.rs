//! Numbers that PyTorch's L-BFGS computes with: some are Python's, some are tensors.

use firebrick_core::{DType, Result, Tensor, Value};
use half::{bf16, f16};
use std::cmp::Ordering;
use std::ops::{Add, Div, Mul, Neg, Sub};

/// A number that is rounded to a dtype after every operation, as a tensor without dimensions is, or to none.
///
/// Where one operand is a tensor the result is one, and the other operand counts as single precision at most.
#[derive(Clone, Copy, Debug)]
pub(super) struct Number {
    pub value: f64,
    dtype: Option<DType>,
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
        Ok(Number { value: tensor.item()?, dtype: Some(tensor.dtype()) })
    }

    /// A number of a state.
    pub fn from_value(value: &Value) -> Option<Number> {
        match value {
            Value::Tensor(tensor) => Number::of(tensor).ok(),
            value => value.as_f64().map(Number::from),
        }
    }

    /// A number for a state; tensors are on the device of `like`.
    pub fn into_value(self, like: &Tensor) -> Result<Value> {
        Ok(match self.dtype {
            None => self.value.into(),
            Some(dtype) => like.new_full((), self.value)?.to(dtype)?.into(),
        })
    }

    fn with(self, other: Number, f: impl FnOnce(f64, f64) -> f64) -> Number {
        let (a, b) = self.alike(other);
        let dtype = self.dtype.or(other.dtype);
        let value = f(a, b);
        Number { value: dtype.map_or(value, |dtype| rounded(value, dtype)), dtype }
    }

    /// Both values as an operation on them sees them.
    fn alike(self, other: Number) -> (f64, f64) {
        let single = |value: f64, with: Option<DType>| match with {
            None | Some(DType::F64) => value,
            Some(_) => f64::from(value as f32),
        };
        match (self.dtype, other.dtype) {
            (None, with) => (single(self.value, with), other.value),
            (with, None) => (self.value, single(other.value, with)),
            _ => (self.value, other.value),
        }
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
        Number { value, dtype: None }
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
    Div div /;
}
