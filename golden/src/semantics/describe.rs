//! Results as the JSON of the facts.

use firebrick::prelude::*;
use firebrick::{ErrorKind, Scalar};
use serde_json::{Value as Json, json};

/// A tensor: nested lists, dtype and shape.
pub fn tensor(x: &Tensor) -> Result<Json> {
    let shape: Vec<usize> = x.shape().iter().copied().collect();
    Ok(json!({"tensor": nested(&x.detach())?, "dtype": x.dtype().name(), "shape": shape}))
}

/// A tensor that may be missing.
pub fn maybe_tensor(x: Option<Tensor>) -> Result<Json> {
    x.map_or(Ok(Json::Null), |x| tensor(&x))
}

fn nested(x: &Tensor) -> Result<Json> {
    if x.dim() == 0 {
        return Ok(match x.item_scalar()? {
            Scalar::Bool(v) => v.into(),
            Scalar::Int(v) => v.into(),
            Scalar::Float(v) => number(v),
            Scalar::Complex(v) => Json::from(vec![number(v.re), number(v.im)]),
        });
    }
    (0..x.shape()[0] as i64).map(|i| nested(&x.select(0, i)?)).collect()
}

/// A number, tagged where JSON lacks it.
pub fn number(v: f64) -> Json {
    match v {
        v if v.is_nan() => json!({"$f": "nan"}),
        v if v == f64::INFINITY => json!({"$f": "inf"}),
        v if v == f64::NEG_INFINITY => json!({"$f": "-inf"}),
        v => v.into(),
    }
}

/// An error, as the exception of the same kind would be described.
pub fn raised(error: &Error) -> Json {
    let kind = match error.kind() {
        ErrorKind::NotImplemented => "NotImplementedError".to_owned(),
        other => format!("{other:?}Error"),
    };
    let text = error.to_string();
    match error.kind() {
        // Python prints a KeyError as the repr of its argument.
        ErrorKind::Key => json!({"raises": kind, "message": python_repr(&text), "args": [text]}),
        _ => json!({"raises": kind, "message": text}),
    }
}

/// What came of a call: the error, or what `show` makes of the value.
pub fn outcome<T>(result: Result<T>, show: impl FnOnce(T) -> Result<Json>) -> Result<Json> {
    match result {
        Ok(value) => show(value),
        Err(error) => Ok(raised(&error)),
    }
}

/// What came of a call: the error, or `{"returns": ...}`.
pub fn returned<T>(result: Result<T>, show: impl FnOnce(T) -> Result<Json>) -> Result<Json> {
    outcome(result, |value| Ok(json!({"returns": show(value)?})))
}

/// The error of a call that must fail, or `null`.
pub fn refusal<T>(result: Result<T>) -> Json {
    result.err().map_or(Json::Null, |error| raised(&error))
}

/// Python's repr of a text.
pub fn python_repr(text: &str) -> String {
    let quote = if text.contains('\'') && !text.contains('"') { '"' } else { '\'' };
    let escaped = text.replace('\\', "\\\\").replace('\n', "\\n").replace('\t', "\\t");
    let escaped = if quote == '\'' { escaped.replace('\'', "\\'") } else { escaped };
    format!("{quote}{escaped}{quote}")
}

/// A leaf of float32 numbers that requires grad.
pub fn leaf<const N: usize>(data: [f32; N]) -> Result<Tensor> {
    let x = Tensor::new(data)?;
    x.requires_grad_(true)?;
    Ok(x)
}

/// The gradient of a leaf, described.
pub fn grad(x: &Tensor) -> Result<Json> {
    maybe_tensor(x.grad())
}
