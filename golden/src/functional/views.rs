//! Shapes, views, joining and splitting.

use super::{Args, operations};
use crate::value::Value;
use crate::{Failure, Out};
use firebrick::Tensor;

operations! { ROWS;
    "T" |a| a.x()?.t()?;
    "mT" |a| a.x()?.mT()?;
    "mH" |a| a.x()?.adjoint()?;
    "H" |a| a.x()?.adjoint()?;
    "t" |a| a.x()?.t()?;
    "view" |a| { let x = a.x()?; x.view(a.spread_ints("size")?)? };
    "view_as" |a| { let (x, other) = (a.x()?, a.tensor("other")?); x.view_as(&other)? };
    "reshape" |a| { let x = a.x()?; x.reshape(a.spread_ints("shape")?)? };
    "reshape_as" |a| { let (x, other) = (a.x()?, a.tensor("other")?); x.reshape_as(&other)? };
    "permute" |a| { let x = a.x()?; x.permute(a.spread_ints("dims")?)? };
    "transpose" |a| { let x = a.x()?; x.transpose(a.int("dim0")?, a.int("dim1")?)? };
    "movedim" |a| { let x = a.x()?; x.movedim(a.ints("source")?, a.ints("destination")?)? };
    "expand" |a| { let x = a.x()?; x.expand(a.spread_ints("size")?)? };
    "expand_as" |a| { let (x, other) = (a.x()?, a.tensor("other")?); x.expand_as(&other)? };
    "broadcast_to" |a| { let x = a.x()?; x.broadcast_to(a.ints("size")?)? };
    "select" |a| { let x = a.x()?; x.select(a.int("dim")?, a.int("index")?)? };
    "narrow" |a| { let (x, dim) = (a.x()?, a.int("dim")?); let start = whole(a.value("start")?)?; x.narrow(dim, start, a.int("length")?)? };
    "slice" |a| { let x = a.x()?; x.slice(a.int_or("dim", 0)?, a.maybe_int("start")?, a.maybe_int("end")?, a.int_or("step", 1)?)? };
    "squeeze" |a| { let x = a.x()?; match a.maybe_ints("dim")? { None => x.squeeze()?, Some(dims) => x.squeeze_dim(dims)? } };
    "unsqueeze" |a| { let x = a.x()?; x.unsqueeze(a.int("dim")?)? };
    "flatten" |a| { let x = a.x()?; x.flatten(a.int_or("start_dim", 0)?, a.int_or("end_dim", -1)?)? };
    "unflatten" |a| { let x = a.x()?; x.unflatten(a.int("dim")?, a.ints("sizes")?)? };
    "ravel" |a| a.x()?.ravel()?;
    "diagonal" |a| { let x = a.x()?; x.diagonal(a.int_or("offset", 0)?, a.int_or("dim1", 0)?, a.int_or("dim2", 1)?)? };
    "diag" |a| { let x = a.x()?; x.diag(a.int_or("diagonal", 0)?)? };
    "diag_embed" |a| { let x = a.x()?; x.diag_embed(a.int_or("offset", 0)?, a.int_or("dim1", -2)?, a.int_or("dim2", -1)?)? };
    "diagflat" |a| { let x = a.x()?; x.diagflat(a.int_or("offset", 0)?)? };
    "unfold" |a| { let x = a.x()?; x.unfold(a.int("dimension")?, a.int("size")?, a.int("step")?)? };
    "as_strided" |a| { let x = a.x()?; x.as_strided(a.ints("size")?, a.ints("stride")?, a.maybe_int("storage_offset")?)? };
    "atleast_1d" |a| at_least(a, Tensor::atleast_1d)?;
    "atleast_2d" |a| at_least(a, Tensor::atleast_2d)?;
    "atleast_3d" |a| at_least(a, Tensor::atleast_3d)?;
    "tensor_split" |a| { let x = a.x()?; let sections = sections(a.value("indices_or_sections")?)?; x.tensor_split(sections, a.int_or("dim", 0)?)? };
    "hsplit" |a| { let x = a.x()?; x.hsplit(sections(a.value("indices_or_sections")?)?)? };
    "vsplit" |a| { let x = a.x()?; x.vsplit(sections(a.value("indices_or_sections")?)?)? };
    "dsplit" |a| { let x = a.x()?; x.dsplit(sections(a.value("indices_or_sections")?)?)? };
    "unbind" |a| { let x = a.x()?; x.unbind(a.int_or("dim", 0)?)? };
    "split" |a| { let x = a.x()?; let sizes = sections(a.value("split_size_or_sections")?)?; x.split(sizes, a.int_or("dim", 0)?)? };
    "unsafe_split" |a| { let x = a.x()?; x.split(a.int("split_size")?, a.int_or("dim", 0)?)? };
    "split_with_sizes" |a| { let x = a.x()?; x.split_with_sizes(a.ints("split_sizes")?, a.int_or("dim", 0)?)? };
    "chunk" |a| { let x = a.x()?; x.chunk(a.int("chunks")?, a.int_or("dim", 0)?)? };
    "unsafe_chunk" |a| { let x = a.x()?; x.chunk(a.int("chunks")?, a.int_or("dim", 0)?)? };
    "cat" |a| { let list = a.tensors("tensors")?; Tensor::cat(&list, a.int_or("dim", 0)?)? };
    "stack" |a| { let list = a.tensors("tensors")?; Tensor::stack(&list, a.int_or("dim", 0)?)? };
    "hstack" |a| Tensor::hstack(&a.tensors("tensors")?)?;
    "vstack" |a| Tensor::vstack(&a.tensors("tensors")?)?;
    "dstack" |a| Tensor::dstack(&a.tensors("tensors")?)?;
    "column_stack" |a| Tensor::column_stack(&a.tensors("tensors")?)?;
    "meshgrid" |a| { let list = a.spread_tensors("tensors")?; let indexing = a.text_or("indexing", "ij")?; Tensor::meshgrid(&list, &indexing)? };
    "cartesian_prod" |a| Tensor::cartesian_prod(&a.spread_tensors("tensors")?)?;
    "block_diag" |a| Tensor::block_diag(&a.spread_tensors("tensors")?)?;
    "constant_pad_nd" |a| { let (x, pad) = (a.x()?, a.ints("pad")?); x.constant_pad_nd(pad, a.scalar_or("value", 0)?)? };
    "repeat_interleave" |a| { let x = a.x()?; let repeats = a.value("repeats")?; let dim = a.maybe_int("dim")?; a.maybe_int("output_size")?; match repeats { Value::Tensor(repeats) => x.repeat_interleave_by(&repeats, dim)?, repeats => x.repeat_interleave(super::ints("repeats", &repeats)?[0], dim)? } };
    "repeat" |a| { let x = a.x()?; x.repeat(a.spread_ints("repeats")?)? };
    "tile" |a| { let x = a.x()?; x.tile(a.spread_ints("dims")?)? };
    "flip" |a| { let x = a.x()?; x.flip(a.spread_ints("dims")?)? };
    "fliplr" |a| a.x()?.fliplr()?;
    "flipud" |a| a.x()?.flipud()?;
    "roll" |a| { let x = a.x()?; x.roll(a.ints("shifts")?, a.ints_or("dims", &[])?)? };
    "rot90" |a| { let x = a.x()?; x.rot90(a.int_or("k", 1)?, a.ints_or("dims", &[0, 1])?)? };
    "tril" |a| { let x = a.x()?; x.tril(a.int_or("diagonal", 0)?)? };
    "triu" |a| { let x = a.x()?; x.triu(a.int_or("diagonal", 0)?)? };
    "broadcast_shapes" |a| shapes(a.rest())?;
}

/// An integer, also out of a 0-dimensional tensor.
fn whole(value: Value) -> Out<i64> {
    match value {
        Value::Int(x) => Ok(x),
        Value::Tensor(x) if x.dtype() != firebrick::DType::Bool => Ok(x.item()?),
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

/// The sections of a split: how many, or where.
fn sections(value: Value) -> Out<firebrick::Sections> {
    Ok(match value {
        Value::Int(count) => count.into(),
        Value::Tensor(x) if x.dim() == 0 => x.item::<i64>()?.into(),
        Value::Tensor(x) => x.to_vec::<i64>()?.into(),
        other => super::ints("indices_or_sections", &other)?.into(),
    })
}

/// Applies `f` to one tensor or to each of a list.
fn at_least(a: &mut Args, f: impl Fn(&Tensor) -> firebrick::Result<Tensor>) -> Out<Value> {
    use crate::value::IntoValue;
    match a.value("input")? {
        Value::Tensor(x) => Ok(f(&x)?.into_value()),
        other => {
            let list = super::tensors(
                "tensors",
                match other {
                    Value::List(l) | Value::Tuple(l) => l,
                    _ => Vec::new(),
                },
            )?;
            Ok(list.iter().map(f).collect::<firebrick::Result<Vec<_>>>()?.into_value())
        }
    }
}
