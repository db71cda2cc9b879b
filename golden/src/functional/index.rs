//! Reading and writing by index.

use super::operations;
use crate::value::{IntoValue, Value};
use firebrick::Tensor;

operations! { ROWS;
    "gather" |a| { let (x, dim) = (a.x()?, a.int("dim")?); x.gather(dim, &a.tensor("index")?)? };
    "index_select" |a| { let (x, dim) = (a.x()?, a.int("dim")?); x.index_select(dim, &a.tensor("index")?)? };
    "index_add" |a| { let (x, dim, index) = (a.x()?, a.int("dim")?, a.tensor("index")?); let source = a.tensor("source")?; x.index_add(dim, &index, &source, a.scalar_or("alpha", 1)?)? };
    "index_copy" |a| { let (x, dim, index) = (a.x()?, a.int("dim")?, a.tensor("index")?); x.index_copy(dim, &index, &a.tensor("source")?)? };
    "index_fill" |a| { let (x, dim, index) = (a.x()?, a.int("dim")?, a.tensor("index")?); match a.value("value")? { Value::Tensor(value) => x.index_fill(dim, &index, &value)?, value => x.index_fill(dim, &index, super::number(&value)?)? } };
    "index_put" |a| { let (x, indices, values) = (a.x()?, a.tensors("indices")?, a.tensor("values")?); let indices: Vec<Option<Tensor>> = indices.into_iter().map(Some).collect(); x.index_put(&indices, &values, a.flag("accumulate")?)? };
    "masked_fill" |a| { let (x, mask) = (a.x()?, a.tensor("mask")?); match a.value("value")? { Value::Tensor(value) => x.masked_fill(&mask, &value)?, value => x.masked_fill(&mask, super::number(&value)?)? } };
    "masked_scatter" |a| { let (x, mask) = (a.x()?, a.tensor("mask")?); x.masked_scatter(&mask, &a.tensor("source")?)? };
    "masked_select" |a| { let x = a.x()?; x.masked_select(&a.tensor("mask")?)? };
    "nonzero" |a| { let x = a.x()?; match a.flag("as_tuple")? { true => x.nonzero_tuple()?.into_value(), false => x.nonzero()?.into_value() } };
    "put" |a| { let (x, index, source) = (a.x()?, a.tensor("index")?, a.tensor("source")?); x.put(&index, &source, a.flag("accumulate")?)? };
    "take" |a| { let x = a.x()?; x.take(&a.tensor("index")?)? };
    "take_along_dim" |a| { let (x, indices) = (a.x()?, a.tensor("indices")?); x.take_along_dim(&indices, a.maybe_int("dim")?)? };
    "nn.functional.one_hot" |a| { let x = a.x()?; x.one_hot(a.int_or("num_classes", -1)?)? };
}
