//! Picking and writing by index, and new tensors from patterns.

use super::shapes::indices;
use super::{Args, operations};
use crate::value::{IntoValue, Value};
use crate::{Failure, Out};
use firebrick::{Tensor, TensorOptions};

operations! { ROWS;
    "index_select" |a| a.x()?.index_select(a.int("dim")?, &a.tensor("index")?)?;
    "index_add" |a| {
        let (x, dim, index, source) = (a.x()?, a.int("dim")?, a.tensor("index")?, a.tensor("source")?);
        x.index_add(dim, &index, &source, a.scalar_or("alpha", 1)?)?
    };
    "index_fill" |a| {
        let (x, dim, index) = (a.x()?, a.int("dim")?, a.tensor("index")?);
        match a.value("value")? {
            Value::Tensor(value) => x.index_fill(dim, &index, &value)?,
            other => x.index_fill(dim, &index, super::number(&other)?)?,
        }
    };
    "index_put" |a| {
        let (x, places, values) = (a.x()?, indices(a.list("indices")?)?, a.tensor("values")?);
        x.index_put(&places, &values, a.flag("accumulate")?)?
    };
    "gather" |a| a.x()?.gather(a.int("dim")?, &a.tensor("index")?)?;
    "take_along_dim" |a| { let (x, index) = (a.x()?, a.tensor("indices")?); x.take_along_dim(&index, a.maybe_int("dim")?)? };
    "scatter" |a| {
        let (x, dim, index) = (a.x()?, a.int("dim")?, a.tensor("index")?);
        match a.value("src")? {
            Value::Tensor(src) => x.scatter(dim, &index, &src)?,
            other => x.scatter_value(dim, &index, super::number(&other)?)?,
        }
    };
    "scatter_add" |a| a.x()?.scatter_add(a.int("dim")?, &a.tensor("index")?, &a.tensor("src")?)?;
    "masked_select" |a| a.x()?.masked_select(&a.tensor("mask")?)?;
    "masked_scatter" |a| a.x()?.masked_scatter(&a.tensor("mask")?, &a.tensor("source")?)?;
    "take" |a| a.x()?.take(&a.tensor("index")?)?;
    "put" |a| { let (x, index, source) = (a.x()?, a.tensor("index")?, a.tensor("source")?); x.put(&index, &source, a.flag("accumulate")?)? };
    "nonzero" |a| { let x = a.x()?; if a.flag("as_tuple")? { x.nonzero_tuple()?.into_value() } else { x.nonzero()?.into_value() } };
    "argwhere" |a| a.x()?.argwhere()?;
    "nn.functional.one_hot" |a| a.x()?.one_hot(a.int_or("num_classes", -1)?)?;
    "tril_indices" |a| triangle(a, Tensor::tril_indices)?;
    "triu_indices" |a| triangle(a, Tensor::triu_indices)?;
    "arange" |a| {
        let first = a.maybe_scalar("start")?;
        let (start, end) = match (first, a.maybe_scalar("end")?) {
            (Some(start), Some(end)) => (start, end),
            (Some(end), None) | (None, Some(end)) => (0.into(), end),
            (None, None) => return Err(Failure::Types("end is missing".to_owned())),
        };
        let step = a.scalar_or("step", 1)?;
        Tensor::arange_with(start, end, step, super::creation::options(a)?)?
    };
    "linspace" |a| {
        let (start, end, steps) = (number(a, "start")?, number(a, "end")?, a.int("steps")?);
        Tensor::linspace_with(start, end, steps, super::creation::options(a)?)?
    };
    "logspace" |a| {
        let (start, end, steps) = (number(a, "start")?, number(a, "end")?, a.int("steps")?);
        let base = a.float_or("base", 10.0)?;
        Tensor::logspace(start, end, steps, base, super::creation::options(a)?)?
    };
    "eye" |a| {
        let n = a.int("n")?;
        let m = a.int_or("m", n)?;
        Tensor::eye_with(n, m, super::creation::options(a)?)?
    };
}

/// A number, or a tensor of one.
fn number(a: &mut Args, name: &str) -> Out<firebrick::Scalar> {
    match a.value(name)? {
        Value::Tensor(t) if t.dim() == 0 => Ok(t.item_scalar()?),
        Value::Tensor(_) => crate::not_built(format!("{name} with dimensions")),
        other => super::number(&other),
    }
}

fn triangle(a: &mut Args, f: fn(i64, i64, i64, TensorOptions) -> firebrick::Result<Tensor>) -> Out<Tensor> {
    let (row, col, offset) = (a.int("row")?, a.int("col")?, a.int_or("offset", 0)?);
    Ok(f(row, col, offset, super::creation::options(a)?)?)
}
