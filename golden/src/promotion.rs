//! Dtypes of results: rows of operation, form of the operands, their dtypes, and the dtype or error.

use crate::area::Runner;
use crate::case::read_json;
use crate::functional::{self, Args, expect_error};
use crate::value::Value;
use crate::{Failure, Out, not_built, wrong};
use firebrick::{DType, Scalar, Tensor, TensorOptions};
use serde_json::Value as Json;
use std::path::Path;

/// Runs `promotion.json`.
pub fn run(folder: &Path, runner: &mut Runner) -> Result<(), String> {
    let rows = read_json(&folder.join("promotion.json"))?;
    for row in rows.as_array().map(Vec::as_slice).unwrap_or_default() {
        let words: Vec<&str> =
            row.as_array().into_iter().flatten().map(|word| word.as_str().unwrap_or_default()).collect();
        let Some((_, given)) = words.split_last() else { continue };
        runner.case(given[0], &given.join(" "), || check(given, &row[given.len()]));
    }
    Ok(())
}

fn check(given: &[&str], expected: &Json) -> Out<()> {
    let result = evaluate(given);
    if let Some(class) = expected["raises"].as_str() {
        return expect_error(class, expected["message"].as_str().unwrap_or_default(), result.map(drop));
    }
    let (got, expected) = (result?, expected.as_str().unwrap_or_default());
    if got == expected { Ok(()) } else { wrong(format!("got {got}, expected {expected}")) }
}

fn evaluate(given: &[&str]) -> Out<String> {
    match given {
        ["can_cast", from, to] => Ok(python(dtype(from)?.can_cast(dtype(to)?))),
        ["promote_types", a, b] => Ok(dtype(a)?.promote(dtype(b)?).name().to_owned()),
        ["sum(dtype=)", from, to] => {
            let to = vec![("dtype".to_owned(), Value::DType(dtype(to)?))];
            name_of(functional::call("sum", Args::new([ones(&[2, 3], from)?], to))?)
        }
        ["tensor(value)", text] => literal(text),
        ["arange", text] => {
            let list = text.trim_matches(['(', ')']).split(',').map(str::trim).filter(|word| !word.is_empty());
            name_of(functional::call("arange", Args::new(list.map(literal_number), Vec::new()))?)
        }
        ["full", _, _, value] => {
            let shape = Value::List(vec![Value::Int(2)]);
            name_of(functional::call("full", Args::new([shape, literal_number(value)], Vec::new()))?)
        }
        [cast, to, value] if cast.starts_with("cast ") => cast_number(cast, to, value),
        [op, "unary/reduction", of] => {
            let (name, shape, more) = reduction(op);
            let mut args = vec![ones(shape, of)?];
            if *op == "dist0" {
                args.push(args[0].clone());
            }
            args.extend(more.iter().map(|&n| Value::Int(n)));
            let keywords = match name {
                "interpolate" => vec![("scale_factor".to_owned(), Value::Float(2.0))],
                _ => Vec::new(),
            };
            name_of(functional::call(name, Args::new(args, keywords))?)
        }
        [op, form, a, b] => binary(op, form, a, b),
        _ => not_built(format!("the row {given:?}")),
    }
}

/// The name of an operation, the shape of its input, and further arguments.
fn reduction(op: &str) -> (&str, &[i64], &[i64]) {
    match op {
        "trace" => (op, &[2, 2], &[]),
        "interpolate" => (op, &[1, 1, 4], &[]),
        "dist0" => ("dist", &[3], &[0]),
        "cumsum" | "cumprod" | "softmax" | "log_softmax" | "logsumexp" => (op, &[3], &[0]),
        _ => (op, &[3], &[]),
    }
}

fn binary(op: &str, form: &str, a: &str, b: &str) -> Out<String> {
    let (first, second) = operands(form, a, b)?;
    let flag = |name: &str, value: &str| vec![(name.to_owned(), Value::Text(value.to_owned()))];
    let call = |name: &str, args: Vec<Value>, keywords| name_of(functional::call(name, Args::new(args, keywords))?);
    match op {
        "div_floor" => call("div", vec![first, second], flag("rounding_mode", "floor")),
        "rdiv" => call("rdiv", vec![second, first], Vec::new()),
        "rpow" => call("rpow", vec![second, first], Vec::new()),
        "rsub" => call("rsub", vec![second, first], Vec::new()),
        // The files join a 0-dimensional tensor as one of one element.
        "cat" if form == "tensor,0-dim" => call(op, vec![Value::List(vec![first, ones(&[1], b)?])], Vec::new()),
        "cat" | "stack" => call(op, vec![Value::List(vec![first, second])], Vec::new()),
        "where" => call(op, vec![first, ones(&[3], "bool")?, second], Vec::new()),
        "masked_fill" => call(op, vec![first, ones(&[3], "bool")?, second], Vec::new()),
        "lerp" => call(op, vec![first, second, Value::Float(0.5)], Vec::new()),
        _ => call(op, vec![first, second], Vec::new()),
    }
}

/// The two operands of a row in the order of the call's form.
fn operands(form: &str, a: &str, b: &str) -> Out<(Value, Value)> {
    Ok(match form {
        "tensor,tensor" => (ones(&[3], a)?, ones(&[3], b)?),
        "tensor,0-dim" => (ones(&[3], a)?, ones(&[], b)?),
        "0-dim,tensor" => (ones(&[], a)?, ones(&[3], b)?),
        form if form.starts_with("Python ") => (literal_number(b), ones(&[3], a)?),
        _ => (ones(&[3], a)?, literal_number(b)),
    })
}

fn dtype(name: &str) -> Out<DType> {
    DType::from_name(name).ok_or_else(|| Failure::NotBuilt(format!("dtype {name}")))
}

fn ones(shape: &[i64], name: &str) -> Out<Value> {
    Ok(Value::Tensor(Tensor::ones_with(shape, TensorOptions::from(dtype(name)?))?))
}

fn python(value: bool) -> String {
    if value { "True" } else { "False" }.to_owned()
}

fn literal_number(text: &str) -> Value {
    match text {
        "True" => Value::Bool(true),
        "False" => Value::Bool(false),
        _ => text.parse().map(Value::Int).unwrap_or_else(|_| Value::Float(text.parse().unwrap_or(f64::NAN))),
    }
}

/// The dtype of a Python literal as `torch.tensor` reads it.
fn literal(text: &str) -> Out<String> {
    let tensor = match text {
        "[[1], [2.5]]" => Tensor::new([[1.0f32], [2.5]])?,
        "[]" => Tensor::zeros([0])?,
        _ => Tensor::scalar(functional::number(&literal_number(text))?)?,
    };
    Ok(tensor.dtype().name().to_owned())
}

fn name_of(value: Value) -> Out<String> {
    match value {
        Value::Tensor(x) => Ok(x.dtype().name().to_owned()),
        Value::DType(dtype) => Ok(dtype.to_string()),
        Value::Tuple(list) if !list.is_empty() => name_of(list[0].clone()),
        other => wrong(format!("the result is a {}", other.kind())),
    }
}

fn cast_number(cast: &str, to: &str, value: &str) -> Out<String> {
    let from = dtype(cast.split(' ').nth(1).unwrap_or_default())?;
    let source = match literal_number(value) {
        Value::Int(v) => Tensor::full_with((), v, from)?,
        other => Tensor::full_with((), functional::number(&other)?, from)?,
    };
    let to = dtype(to)?;
    Ok(match source.to(to)?.item_scalar()? {
        Scalar::Bool(v) => python(v),
        Scalar::Int(v) => v.to_string(),
        Scalar::Float(v) => firebrick::text::python_float(v),
        Scalar::Complex(v) => firebrick::text::python_complex(v.re, v.im),
    })
}
