//! Sums, extrema, statistics, scans, sorting.

use super::{Args, operations};
use crate::value::{IntoValue, Value};
use crate::{Out, not_built};
use firebrick::Tensor;

operations! { ROWS;
    "sum" |a| { let x = typed(a)?; match over(a)? { None => x.sum()?, Some((dims, keep)) => x.sum_dim(dims, keep)? } };
    "sum_to_size" |a| { let x = a.x()?; x.sum_to_size(a.spread_ints("size")?)? };
}

/// The input, converted first where a `dtype` was given.
fn typed(a: &mut Args) -> Out<Tensor> {
    let x = a.x()?;
    match a.keyword("dtype") {
        Some(Value::DType(dtype)) if dtype.is_floating_point() => Ok(x.to(dtype)?),
        Some(Value::DType(_)) => not_built("an integer dtype of a reduction"),
        _ => Ok(x),
    }
}

/// `dim` and `keepdim`; `None` where the whole tensor is reduced.
fn over(a: &mut Args) -> Out<Option<(Vec<i64>, bool)>> {
    let dims = a.maybe_ints("dim")?;
    let keep = a.flag("keepdim")?;
    Ok(match dims {
        None if !keep => None,
        dims => Some((dims.unwrap_or_default(), keep)),
    })
}
