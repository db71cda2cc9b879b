//! New tensors, and conversions between dtypes.

use super::{Args, operations};
use crate::value::Value;
use crate::{Out, not_built};
use firebrick::{DType, Tensor, TensorOptions};

operations! { ROWS;
    "zeros" |a| { let shape = a.spread_ints("size")?; Tensor::zeros_with(shape, options(a)?)? };
    "ones" |a| { let shape = a.spread_ints("size")?; Tensor::ones_with(shape, options(a)?)? };
    "full" |a| { let (shape, value) = (a.ints("size")?, a.scalar("fill_value")?); Tensor::full_with(shape, value, options(a)?)? };
    "zeros_like" |a| { let x = a.x()?; like(a, &x, |o| Tensor::zeros_with(x.shape(), o))? };
    "ones_like" |a| { let x = a.x()?; like(a, &x, |o| Tensor::ones_with(x.shape(), o))? };
    "full_like" |a| { let (x, value) = (a.x()?, a.scalar("fill_value")?); like(a, &x, |o| Tensor::full_with(x.shape(), value, o))? };
    "new_zeros" |a| { let (x, shape) = (a.x()?, a.spread_ints("size")?); like(a, &x, |o| Tensor::zeros_with(shape, o))? };
    "new_ones" |a| { let (x, shape) = (a.x()?, a.spread_ints("size")?); like(a, &x, |o| Tensor::ones_with(shape, o))? };
    "new_full" |a| { let (x, shape, value) = (a.x()?, a.ints("size")?, a.scalar("fill_value")?); like(a, &x, |o| Tensor::full_with(shape, value, o))? };
    "scalar_tensor" |a| { let value = a.scalar("s")?; Tensor::full_with((), value, options(a)?)? };
    "eye" |a| { let n = a.int("n")?; let m = a.int_or("m", n)?; Tensor::eye_with(n, m, options(a)?)? };
    "tril_indices" |a| { let (rows, columns, offset) = (a.int("row")?, a.int("col")?, a.int_or("offset", 0)?); Tensor::tril_indices(rows, columns, offset, indices(a)?)? };
    "triu_indices" |a| { let (rows, columns, offset) = (a.int("row")?, a.int("col")?, a.int_or("offset", 0)?); Tensor::triu_indices(rows, columns, offset, indices(a)?)? };
    "bfloat16" |a| cast(a, DType::BF16)?;
    "bool" |a| cast(a, DType::Bool)?;
    "byte" |a| cast(a, DType::U8)?;
    "cdouble" |a| cast(a, DType::C128)?;
    "cfloat" |a| cast(a, DType::C64)?;
    "char" |a| cast(a, DType::I8)?;
    "double" |a| cast(a, DType::F64)?;
    "float" |a| cast(a, DType::F32)?;
    "half" |a| cast(a, DType::F16)?;
    "int" |a| cast(a, DType::I32)?;
    "long" |a| cast(a, DType::I64)?;
    "short" |a| cast(a, DType::I16)?;
    "clone" |a| a.x()?.copy()?;
    "contiguous" |a| a.x()?.contiguous()?;
    "to" |a| to(a)?;
}

/// The keywords of factory functions.
fn options(a: &mut Args) -> Out<TensorOptions> {
    let mut options = TensorOptions::new();
    if let Some(Value::DType(dtype)) = a.keyword("dtype") {
        options = options.dtype(dtype);
    }
    if let Some(Value::Bool(on)) = a.keyword("requires_grad") {
        options = options.requires_grad(on);
    }
    Ok(options)
}

/// Makes a tensor with the dtype of `x` unless another is given.
fn like(a: &mut Args, x: &Tensor, make: impl FnOnce(TensorOptions) -> firebrick::Result<Tensor>) -> Out<Tensor> {
    let dtype = match a.keyword("dtype") {
        Some(Value::DType(dtype)) => dtype,
        _ => x.dtype(),
    };
    Ok(make(TensorOptions::from(dtype))?)
}

/// Which memory layout was asked for; every result here has the contiguous one or that of its input.
fn memory_format(a: &mut Args) -> Out<()> {
    match a.keyword("memory_format") {
        Some(Value::Enum(name)) if name == "torch.channels_last" => Ok(()),
        Some(Value::Enum(name)) if name != "torch.contiguous_format" && name != "torch.preserve_format" => {
            not_built(format!("memory_format {name}"))
        }
        _ => Ok(()),
    }
}

fn cast(a: &mut Args, dtype: DType) -> Out<Tensor> {
    let x = a.x()?;
    memory_format(a)?;
    Ok(x.to(dtype)?)
}

fn to(a: &mut Args) -> Out<Tensor> {
    let x = a.x()?;
    let mut dtype = None;
    for value in a.rest() {
        match value {
            Value::DType(to) => dtype = Some(to),
            Value::Tensor(other) => dtype = Some(other.dtype()),
            _ => {}
        }
    }
    memory_format(a)?;
    Ok(x.to(dtype.unwrap_or(x.dtype()))?)
}

/// The keywords of functions that make indices: int64 unless a dtype is given.
fn indices(a: &mut Args) -> Out<TensorOptions> {
    Ok(TensorOptions::from(DType::I64).dtype(match a.keyword("dtype") {
        Some(Value::DType(dtype)) => dtype,
        _ => DType::I64,
    }))
}
