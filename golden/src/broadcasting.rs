//! Shapes that operands broadcast to: rows of operation, two shapes, and the shape or error.

use crate::area::Runner;
use crate::case::read_json;
use crate::functional::{self, Args, expect_error};
use crate::tensors::integers;
use crate::value::Value;
use crate::{Out, wrong};
use firebrick::Tensor;
use serde_json::Value as Json;
use std::path::Path;

/// Runs `broadcasting.json`.
pub fn run(folder: &Path, runner: &mut Runner) -> Result<(), String> {
    let rows = read_json(&folder.join("broadcasting.json"))?;
    for row in rows.as_array().map(Vec::as_slice).unwrap_or_default() {
        let op = row[0].as_str().unwrap_or_default();
        runner.case(op, &format!("{op} {} {}", row[1], row[2]), || check(op, row));
    }
    Ok(())
}

fn check(op: &str, row: &Json) -> Out<()> {
    let (a, b) = (Tensor::ones(&integers(&row[1])[..])?, Tensor::ones(&integers(&row[2])[..])?);
    let result = functional::call(op, Args::new([Value::Tensor(a), Value::Tensor(b)], Vec::new()));
    if let Some(class) = row[3]["raises"].as_str() {
        return expect_error(class, row[3]["message"].as_str().unwrap_or_default(), result.map(drop));
    }
    let Value::Tensor(out) = result? else { return wrong("the result is no tensor") };
    let got: Vec<i64> = out.shape().iter().map(|&n| n as i64).collect();
    let expected = integers(&row[3]);
    if got == expected { Ok(()) } else { wrong(format!("got shape {got:?}, expected {expected:?}")) }
}
