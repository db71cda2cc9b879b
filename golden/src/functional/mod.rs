//! Operations: one row each, from PyTorch's name to a call of Firebrick's.
//!
//! ```text
//! operations! { ROWS;
//!     "softmax" |a| a.x()?.softmax(a.int("dim")?)?;
//! }
//! ```
//! A row takes its arguments in the order of PyTorch's signature (see [`Args`]).

mod activations;
mod args;
mod arithmetic;
mod attention;
mod calculus;
mod conv;
mod creation;
pub mod distances;
mod index;
mod linalg;
pub mod losses;
mod normalization;
mod norms;
mod order;
pub(crate) mod pooling;
mod products;
mod reductions;
mod scatter;
mod views;
pub(crate) mod vision;

pub use args::{Args, ints, tensors};

use crate::area::Runner;
use crate::case::{Case, Cases};
use crate::compare::{self, Bound};
use crate::value::Value;
use crate::{Failure, Out, not_built, wrong};
use firebrick::{ErrorKind, Tensor, autograd};
use std::path::Path;

/// Calls one operation.
pub type Operation = fn(&mut Args) -> Out<Value>;
/// PyTorch's name and the call.
pub type Row = (&'static str, Operation);

/// Rows of operations.
macro_rules! operations {
    ($table:ident; $($name:literal |$a:ident| $body:expr;)*) => {
        /// The rows of this family.
        pub const $table: &[$crate::functional::Row] =
            &[$(($name, |$a| Ok($crate::value::IntoValue::into_value($body)))),*];
    };
}

/// Rows of operations on one tensor without further arguments.
macro_rules! unary {
    ($table:ident; $($name:ident)*) => {
        /// Operations on one tensor without further arguments.
        pub const $table: &[$crate::functional::Row] =
            &[$((stringify!($name), |a| Ok($crate::value::IntoValue::into_value(a.x()?.$name()?)))),*];
    };
}

/// Rows of operations on two tensors, or a tensor and a number.
macro_rules! binary {
    ($table:ident; $($name:ident)*) => {
        /// Operations on two tensors, or a tensor and a number.
        pub const $table: &[$crate::functional::Row] = &[$((stringify!($name), |a| {
            let x = a.x()?;
            Ok($crate::value::IntoValue::into_value(match a.value("other")? {
                Value::Tensor(other) => x.$name(&other)?,
                other => x.$name($crate::functional::number(&other)?)?,
            }))
        })),*];
    };
}

/// Rows of operations on two tensors.
macro_rules! pair {
    ($table:ident; $($name:ident)*) => {
        /// Operations on two tensors.
        pub const $table: &[$crate::functional::Row] = &[$((stringify!($name), |a| {
            let (x, other) = (a.x()?, a.tensor("other")?);
            Ok($crate::value::IntoValue::into_value(x.$name(&other)?))
        })),*];
    };
}

pub(crate) use {binary, operations, pair, unary};

const TABLES: &[&[Row]] = &[
    activations::ROWS,
    arithmetic::UNARY,
    arithmetic::BINARY,
    arithmetic::PAIR,
    arithmetic::ROWS,
    attention::ROWS,
    calculus::ROWS,
    conv::ROWS,
    creation::ROWS,
    distances::ROWS,
    index::ROWS,
    linalg::ROWS,
    norms::ROWS,
    products::ROWS,
    losses::ROWS,
    normalization::ROWS,
    order::ROWS,
    pooling::ROWS,
    reductions::ROWS,
    scatter::ROWS,
    views::ROWS,
    vision::ROWS,
];

/// A number beside a tensor.
pub(crate) fn number(value: &Value) -> Out<firebrick::Scalar> {
    Args::new([value.clone()], Vec::new()).scalar("other")
}

/// The operation with this name; names of the `torch.nn.functional` module may be shortened.
pub fn operation(name: &str) -> Option<Operation> {
    let find = |name: &str| TABLES.iter().flat_map(|t| t.iter()).find(|(n, _)| *n == name).map(|(_, f)| *f);
    find(name).or_else(|| find(&format!("nn.functional.{name}")))
}

/// The names of all operations.
pub fn names() -> impl Iterator<Item = &'static str> {
    TABLES.iter().flat_map(|table| table.iter()).map(|(name, _)| *name)
}

/// The name of the function behind a group of the files.
pub fn plain_name(op: &str) -> &str {
    let op = op.strip_prefix("special_values.").or(op.strip_prefix("extreme.")).unwrap_or(op);
    match op.strip_suffix("_forms").or(op.strip_suffix("_modes")).unwrap_or(op) {
        "bce_with_logits" => "nn.functional.binary_cross_entropy_with_logits",
        other => other,
    }
}

/// Calls the operation `name`.
pub fn call(name: &str, mut args: Args) -> Out<Value> {
    let Some(operation) = operation(name) else { return not_built(name) };
    // Everything here lives on the CPU.
    args.keyword("device");
    let output = operation(&mut args);
    match output {
        Err(Failure::Types(what)) => Err(Failure::Types(format!("{what} of {name}"))),
        Err(other) => Err(other),
        Ok(value) => match args.finish() {
            Ok(()) => Ok(value),
            Err(Failure::NotBuilt(what)) => not_built(format!("{what} of {name}")),
            Err(other) => Err(other),
        },
    }
}

/// Runs `cases.json`.
pub fn run(folder: &Path, runner: &mut Runner) -> Result<(), String> {
    for case in Cases::read(folder)? {
        runner.case(case.text("group"), case.id(), || check(&case));
    }
    Ok(())
}

fn check(case: &Case) -> Out<()> {
    let name = plain_name(case.text("op"));
    let input = case.value("input")?;
    let mut given = vec![input];
    given.extend(case.list("args")?);
    let keywords = case.map("kwargs")?;
    let leaves: Vec<Tensor> =
        given.iter().chain(keywords.iter().map(|(_, value)| value)).flat_map(Value::tensors).collect();
    for place in crate::tensors::integers(&case.json["mutates_leaves"]) {
        // PyTorch's kernel writes running statistics behind autograd's back.
        leaves[place as usize].requires_grad_(false)?;
    }
    let result = call(name, Args::new(given, keywords));
    if case.flag("expect_error") {
        return expect_error(case.text("error_type"), case.text("error_message"), result.map(drop));
    }
    let output = result?;
    let mut bound = case.bound("out");
    bound.signed_zero = case.text("op").starts_with("special_values.");
    compare::value(&case.value("output")?, &output, bound)
        .map_err(|error| Failure::Wrong(format!("output: {error}")))?;
    gradients(case, &output, &leaves)
}

/// Checks that a call failed as PyTorch's did.
pub fn expect_error(class: &str, message: &str, result: Out<()>) -> Out<()> {
    match result {
        Err(Failure::Error(error)) => {
            if error.to_string() != message {
                return wrong(format!("error {:?}, expected {message:?}", error.to_string()));
            }
            if kind_name(error.kind()) != class {
                return wrong(format!("a {}, expected a {class}", kind_name(error.kind())));
            }
            Ok(())
        }
        Err(other) => Err(other),
        Ok(()) => wrong(format!("no error, expected {class}: {message}")),
    }
}

/// The name of the exception class behind a kind.
pub fn kind_name(kind: ErrorKind) -> String {
    match kind {
        ErrorKind::NotImplemented => "NotImplementedError".to_owned(),
        ErrorKind::LinAlg => "_LinAlgError".to_owned(),
        other => format!("{other:?}Error"),
    }
}

/// Runs backward from the outputs with the given gradients and compares those of the inputs.
fn gradients(case: &Case, output: &Value, leaves: &[Tensor]) -> Out<()> {
    if !case.has("loss_over") || case.text("loss_over") == "derived" {
        return Ok(());
    }
    let outputs = output.tensors();
    let cotangents = case.list("cotangents")?;
    let mut roots = Vec::new();
    for (place, cotangent) in crate::tensors::integers(&case.json["loss_over"]).into_iter().zip(cotangents) {
        let Some(root) = outputs.get(place as usize) else { return wrong(format!("there is no output {place}")) };
        if !root.requires_grad() {
            return wrong(format!("output {place} does not require grad"));
        }
        roots.push((root, cotangent.tensors().pop()));
    }
    let (tensors, cotangents): (Vec<_>, Vec<_>) = roots.into_iter().unzip();
    autograd::backward(&tensors, &cotangents, autograd::Backward::new())?;
    let expected = case.list("input_grads")?;
    compare_gradients(&expected, leaves, case.bound("grad"))
}

/// Compares the gradients of `leaves`; `None` among the expected ones: there is none.
pub fn compare_gradients(expected: &[Value], leaves: &[Tensor], bound: Bound) -> Out<()> {
    if expected.len() != leaves.len() {
        return wrong(format!("{} inputs, {} expected gradients", leaves.len(), expected.len()));
    }
    for (i, (expected, leaf)) in expected.iter().zip(leaves).enumerate() {
        let error = match (expected, leaf.grad()) {
            (Value::Tensor(expected), Some(grad)) => compare::tensor(expected, &grad, bound),
            (Value::None, None) => Ok(()),
            (Value::None, Some(_)) => Err("there is one, expected none".to_owned()),
            (_, None) => Err("there is none".to_owned()),
            (other, Some(_)) => Err(format!("expected a {}", other.kind())),
        };
        error.map_err(|error| Failure::Wrong(format!("gradient of input {i}: {error}")))?;
    }
    Ok(())
}
