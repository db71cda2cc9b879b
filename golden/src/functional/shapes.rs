//! Cutting, joining, repeating and reordering.

use super::views::{integer, refs};
use super::{Args, operations};
use crate::value::Value;
use crate::{Failure, Out};
use firebrick::{Sections, Tensor};

operations! { ROWS;
    "view_as" |a| a.x()?.view_as(&a.tensor("other")?)?;
    "reshape_as" |a| a.x()?.reshape_as(&a.tensor("other")?)?;
    "expand_as" |a| a.x()?.expand_as(&a.tensor("other")?)?;
    "broadcast_to" |a| a.x()?.broadcast_to(a.ints("size")?)?;
    "flatten" |a| a.x()?.flatten(a.int_or("start_dim", 0)?, a.int_or("end_dim", -1)?)?;
    "unflatten" |a| a.x()?.unflatten(a.int("dim")?, a.ints("sizes")?)?;
    "ravel" |a| a.x()?.ravel()?;
    "movedim" |a| a.x()?.movedim(a.ints("source")?, a.ints("destination")?)?;
    "unfold" |a| a.x()?.unfold(a.int("dimension")?, a.int("size")?, a.int("step")?)?;
    "diagonal" |a| a.x()?.diagonal(a.int_or("offset", 0)?, a.int_or("dim1", 0)?, a.int_or("dim2", 1)?)?;
    "as_strided" |a| a.x()?.as_strided(a.ints("size")?, a.ints("stride")?, a.maybe_int("storage_offset")?)?;
    "narrow" |a| {
        let (x, dim) = (a.x()?, a.int("dim")?);
        let start = match a.value("start")? { Value::Tensor(t) if t.dim() == 0 && !t.is_floating_point() => t.item::<i64>()?, other => integer(&other)? };
        x.narrow(dim, start, a.int("length")?)?
    };
    "slice" |a| a.x()?.slice(a.int_or("dim", 0)?, a.maybe_int("start")?, a.maybe_int("end")?, a.int_or("step", 1)?)?;
    "split" |a| a.x()?.split(sections(a, "split_size")?, a.int_or("dim", 0)?)?;
    "split_with_sizes" |a| a.x()?.split_with_sizes(a.ints("split_sizes")?, a.int_or("dim", 0)?)?;
    "chunk" |a| a.x()?.chunk(a.int("chunks")?, a.int_or("dim", 0)?)?;
    "tensor_split" |a| a.x()?.tensor_split(sections(a, "sections")?, a.int_or("dim", 0)?)?;
    "hsplit" |a| a.x()?.hsplit(sections(a, "sections")?)?;
    "vsplit" |a| a.x()?.vsplit(sections(a, "sections")?)?;
    "dsplit" |a| a.x()?.dsplit(sections(a, "sections")?)?;
    "unbind" |a| a.x()?.unbind(a.int_or("dim", 0)?)?;
    "atleast_1d" |a| super::views::at_least(a, Tensor::atleast_1d)?;
    "atleast_2d" |a| super::views::at_least(a, Tensor::atleast_2d)?;
    "atleast_3d" |a| super::views::at_least(a, Tensor::atleast_3d)?;
    "cat" |a| Tensor::cat(&refs(&a.tensors("tensors")?), a.int_or("dim", 0)?)?;
    "stack" |a| Tensor::stack(&refs(&a.tensors("tensors")?), a.int_or("dim", 0)?)?;
    "hstack" |a| Tensor::hstack(&refs(&a.tensors("tensors")?))?;
    "vstack" |a| Tensor::vstack(&refs(&a.tensors("tensors")?))?;
    "dstack" |a| Tensor::dstack(&refs(&a.tensors("tensors")?))?;
    "column_stack" |a| Tensor::column_stack(&refs(&a.tensors("tensors")?))?;
    "repeat" |a| { let x = a.x()?; x.repeat(a.spread_ints("repeats")?)? };
    "tile" |a| { let x = a.x()?; x.tile(a.spread_ints("dims")?)? };
    "repeat_interleave" |a| {
        let x = a.x()?;
        match a.value("repeats")? {
            Value::Tensor(repeats) => x.repeat_interleave_by(&repeats, a.maybe_int("dim")?)?,
            other => x.repeat_interleave(integer(&other)?, a.maybe_int("dim")?)?,
        }
    };
    "flip" |a| { let x = a.x()?; x.flip(a.spread_ints("dims")?)? };
    "fliplr" |a| a.x()?.fliplr()?;
    "flipud" |a| a.x()?.flipud()?;
    "roll" |a| { let (x, shifts) = (a.x()?, a.ints("shifts")?); x.roll(shifts, a.ints_or("dims", &[])?)? };
    "rot90" |a| { let (x, k) = (a.x()?, a.int_or("k", 1)?); x.rot90(k, a.ints_or("dims", &[0, 1])?)? };
    "tril" |a| a.x()?.tril(a.int_or("diagonal", 0)?)?;
    "triu" |a| a.x()?.triu(a.int_or("diagonal", 0)?)?;
    "diag" |a| a.x()?.diag(a.int_or("diagonal", 0)?)?;
    "diag_embed" |a| a.x()?.diag_embed(a.int_or("offset", 0)?, a.int_or("dim1", -2)?, a.int_or("dim2", -1)?)?;
    "diagflat" |a| a.x()?.diagflat(a.int_or("offset", 0)?)?;
    "constant_pad_nd" |a| { let (x, pad) = (a.x()?, a.ints("pad")?); x.constant_pad_nd(pad, a.scalar_or("value", 0)?)? };
    "meshgrid" |a| {
        let indexing = match a.keyword("indexing") { Some(Value::Text(text)) => text, _ => "ij".to_owned() };
        Tensor::meshgrid(&refs(&a.spread_tensors("tensors")?), &indexing)?
    };
    "cartesian_prod" |a| Tensor::cartesian_prod(&refs(&a.spread_tensors("tensors")?))?;
    "block_diag" |a| Tensor::block_diag(&refs(&a.spread_tensors("tensors")?))?;
}

/// How a dimension is cut, given as a number, as numbers, or as a tensor of either.
fn sections(a: &mut Args, name: &str) -> Out<Sections> {
    let given = a.value(if a.has("indices") { "indices" } else { name })?;
    Ok(match given {
        Value::Int(n) => Sections::One(n),
        Value::Tensor(t) if t.dim() == 0 => Sections::One(t.item::<i64>()?),
        Value::Tensor(t) => Sections::Many(t.to_vec::<i64>()?),
        other => Sections::Many(super::ints(name, &other)?),
    })
}

/// Index tensors of a list, where `None` stands for a whole dimension.
pub fn indices(list: Vec<Value>) -> Out<Vec<Option<Tensor>>> {
    let index = |value| match value {
        Value::Tensor(t) => Ok(Some(t)),
        Value::None => Ok(None),
        other => Err(Failure::Types(format!("index with a {}", other.kind()))),
    };
    list.into_iter().map(index).collect()
}
