//! Shapes, views, joining and splitting.

use super::operations;
use crate::value::Value;
use crate::{Failure, Out};
use firebrick::Tensor;

operations! { ROWS;
    "T" |a| a.x()?.t()?;
    "mT" |a| a.x()?.transpose(-2, -1)?;
    "t" |a| a.x()?.t()?;
    "view" |a| { let x = a.x()?; x.view(a.spread_ints("size")?)? };
    "reshape" |a| { let x = a.x()?; x.reshape(a.spread_ints("shape")?)? };
    "permute" |a| { let x = a.x()?; x.permute(a.spread_ints("dims")?)? };
    "transpose" |a| { let x = a.x()?; x.transpose(a.int("dim0")?, a.int("dim1")?)? };
    "expand" |a| { let x = a.x()?; x.expand(a.spread_ints("size")?)? };
    "select" |a| { let x = a.x()?; x.select(a.int("dim")?, a.int("index")?)? };
    "squeeze" |a| { let x = a.x()?; match a.maybe_ints("dim")? { None => x.squeeze()?, Some(dims) => x.squeeze_dim(dims)? } };
    "unsqueeze" |a| { let x = a.x()?; x.unsqueeze(a.int("dim")?)? };
    "broadcast_shapes" |a| shapes(a.rest())?;
}

/// References to the tensors of a list.
pub fn refs(list: &[Tensor]) -> Vec<&Tensor> {
    list.iter().collect()
}

/// An integer.
pub fn integer(value: &Value) -> Out<i64> {
    match value {
        Value::Int(x) => Ok(*x),
        other => Err(Failure::Types(format!("start as {}", other.kind()))),
    }
}

/// The shape that several shapes broadcast to.
fn shapes(list: Vec<Value>) -> Out<firebrick::Dims> {
    let mut out = firebrick::Dims::new();
    for shape in list {
        let shape: Vec<usize> = super::ints("shapes", &shape)?.into_iter().map(|n| n as usize).collect();
        out = firebrick::broadcast_shapes("broadcast_shapes", &out, &shape)?;
    }
    Ok(out)
}


/// Applies `f` to one tensor or to each of a list.
pub fn at_least(a: &mut super::Args, f: impl Fn(&Tensor) -> firebrick::Result<Tensor>) -> Out<Value> {
    use crate::value::IntoValue;
    match a.value("input")? {
        Value::Tensor(x) => Ok(f(&x)?.into_value()),
        other => {
            let list = super::tensors("tensors", match other { Value::List(l) | Value::Tuple(l) => l, _ => Vec::new() })?;
            Ok(list.iter().map(f).collect::<firebrick::Result<Vec<_>>>()?.into_value())
        }
    }
}
