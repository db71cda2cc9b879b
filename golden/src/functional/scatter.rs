//! Writing and combining elements at places, and replacing parts of tensors.

use super::{Args, operations};
use crate::Out;
use crate::value::Value;
use firebrick::Tensor;

operations! { ROWS;
    "scatter" |a| scatter(a)?;
    "scatter_add" |a| { let (x, dim, index) = (a.x()?, a.int("dim")?, a.tensor("index")?); x.scatter_add(dim, &index, &a.tensor("src")?)? };
    "scatter_reduce" |a| { let (x, dim, index) = (a.x()?, a.int("dim")?, a.tensor("index")?); let src = a.tensor("src")?; x.scatter_reduce(dim, &index, &src, &a.text("reduce")?, a.bool_or("include_self", true)?)? };
    "index_reduce" |a| { let (x, dim, index) = (a.x()?, a.int("dim")?, a.tensor("index")?); let source = a.tensor("source")?; x.index_reduce(dim, &index, &source, &a.text("reduce")?, a.bool_or("include_self", true)?)? };
    "select_scatter" |a| { let (x, src) = (a.x()?, a.tensor("src")?); x.select_scatter(&src, a.int("dim")?, a.int("index")?)? };
    "slice_scatter" |a| { let (x, src) = (a.x()?, a.tensor("src")?); x.slice_scatter(&src, a.int_or("dim", 0)?, a.maybe_int("start")?, a.maybe_int("end")?, a.int_or("step", 1)?)? };
    "diagonal_scatter" |a| { let (x, src) = (a.x()?, a.tensor("src")?); x.diagonal_scatter(&src, a.int_or("offset", 0)?, a.int_or("dim1", 0)?, a.int_or("dim2", 1)?)? };
    "as_strided_scatter" |a| { let (x, src) = (a.x()?, a.tensor("src")?); let (size, stride) = (a.ints("size")?, a.ints("stride")?); x.as_strided_scatter(&src, size, stride, a.maybe_int("storage_offset")?)? };
}

/// A tensor or number, written or combined.
fn scatter(a: &mut Args) -> Out<Tensor> {
    let (x, dim, index) = (a.x()?, a.int("dim")?, a.tensor("index")?);
    let src = match a.has("value") {
        true => a.value("value")?,
        false => a.value("src")?,
    };
    Ok(match (src, a.maybe_text("reduce")?) {
        (Value::Tensor(src), None) => x.scatter(dim, &index, &src)?,
        (Value::Tensor(src), Some(reduce)) => x.scatter_with(dim, &index, &src, &reduce)?,
        (value, None) => x.scatter_value(dim, &index, super::number(&value)?)?,
        (value, Some(reduce)) => x.scatter_with(dim, &index, super::number(&value)?, &reduce)?,
    })
}
