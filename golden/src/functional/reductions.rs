//! Sums, extrema, statistics, scans, sorting.

use super::{Args, operations};
use crate::value::{IntoValue, Value};
use crate::{Out, not_built};
use firebrick::Tensor;

operations! { ROWS;
    "sum" |a| { let x = typed(a)?; match over(a)? { None => x.sum()?, Some((dims, keep)) => x.sum_dim(dims, keep)? } };
    "nansum" |a| { let x = a.x()?; match over(a)? { None => x.nansum()?, Some((dims, keep)) => x.nansum_dim(dims, keep)? } };
    "mean" |a| { let x = typed(a)?; match over(a)? { None => x.mean()?, Some((dims, keep)) => x.mean_dim(dims, keep)? } };
    "nanmean" |a| { let x = a.x()?; match over(a)? { None => x.nanmean()?, Some((dims, keep)) => x.nanmean_dim(dims, keep)? } };
    "prod" |a| { let x = typed(a)?; match a.maybe_int("dim")? { None => x.prod()?, Some(dim) => x.prod_dim(dim, a.flag("keepdim")?)? } };
    "all" |a| { let x = a.x()?; match over(a)? { None => x.all()?, Some((dims, keep)) => x.all_dim(dims, keep)? } };
    "any" |a| { let x = a.x()?; match over(a)? { None => x.any()?, Some((dims, keep)) => x.any_dim(dims, keep)? } };
    "amax" |a| { let x = a.x()?; let (dims, keep) = over(a)?.unwrap_or_default(); x.amax(dims, keep)? };
    "amin" |a| { let x = a.x()?; let (dims, keep) = over(a)?.unwrap_or_default(); x.amin(dims, keep)? };
    "aminmax" |a| { let x = a.x()?; match a.maybe_int("dim")? { None => x.aminmax()?, Some(dim) => x.aminmax_dim(dim, a.flag("keepdim")?)? } };
    "argmax" |a| { let x = a.x()?; match a.maybe_int("dim")? { None => x.argmax()?, Some(dim) => x.argmax_dim(dim, a.flag("keepdim")?)? } };
    "argmin" |a| { let x = a.x()?; match a.maybe_int("dim")? { None => x.argmin()?, Some(dim) => x.argmin_dim(dim, a.flag("keepdim")?)? } };
    "max" |a| { let x = a.x()?; match a.take("dim") { None => x.max()?.into_value(), Some(Value::Tensor(other)) => x.maximum(&other)?.into_value(), Some(dim) => x.max_dim(one(&dim)?, a.flag("keepdim")?)?.into_value() } };
    "min" |a| { let x = a.x()?; match a.take("dim") { None => x.min()?.into_value(), Some(Value::Tensor(other)) => x.minimum(&other)?.into_value(), Some(dim) => x.min_dim(one(&dim)?, a.flag("keepdim")?)?.into_value() } };
    "median" |a| { let x = a.x()?; match a.maybe_int("dim")? { None => x.median()?.into_value(), Some(dim) => x.median_dim(dim, a.flag("keepdim")?)?.into_value() } };
    "nanmedian" |a| { let x = a.x()?; match a.maybe_int("dim")? { None => x.nanmedian()?.into_value(), Some(dim) => x.nanmedian_dim(dim, a.flag("keepdim")?)?.into_value() } };
    "logsumexp" |a| { let (x, dims) = (a.x()?, a.ints("dim")?); x.logsumexp(dims, a.flag("keepdim")?)? };
    "var" |a| { let x = a.x()?; let (dims, correction, keep) = spread(a)?; x.var_dim(dims, correction, keep)? };
    "std" |a| { let x = a.x()?; let (dims, correction, keep) = spread(a)?; x.std_dim(dims, correction, keep)? };
    "var_mean" |a| { let x = a.x()?; let (dims, correction, keep) = spread(a)?; x.var_mean(dims, correction, keep)? };
    "std_mean" |a| { let x = a.x()?; let (dims, correction, keep) = spread(a)?; x.std_mean(dims, correction, keep)? };
    "count_nonzero" |a| { let x = a.x()?; match a.maybe_ints("dim")? { None => x.count_nonzero()?, Some(dims) => x.count_nonzero_dim(dims)? } };
    "cumsum" |a| { let x = typed(a)?; x.cumsum(a.int("dim")?)? };
    "cumprod" |a| { let x = typed(a)?; x.cumprod(a.int("dim")?)? };
    "cummax" |a| { let x = a.x()?; x.cummax(a.int("dim")?)? };
    "cummin" |a| { let x = a.x()?; x.cummin(a.int("dim")?)? };
    "logcumsumexp" |a| { let x = a.x()?; x.logcumsumexp(a.int("dim")?)? };
    "norm" |a| { let x = a.x()?; let p = order(a.take("p"))?; match over(a)? { None => x.norm(p)?, Some((dims, keep)) => x.norm_dim(p, dims, keep)? } };
    "linalg.vector_norm" |a| { let x = a.x()?; let p = a.float_or("ord", 2.0)?; match over(a)? { None => x.norm(p)?, Some((dims, keep)) => x.norm_dim(p, dims, keep)? } };
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

/// `dim`, the divisor's correction from `unbiased` or `correction`, and `keepdim`.
fn spread(a: &mut Args) -> Out<(Vec<i64>, f64, bool)> {
    let mut correction = 1.0;
    let mut dims = Vec::new();
    // `var(unbiased)` and `var(dim, unbiased, keepdim)` are overloads.
    match a.take("dim") {
        Some(Value::Bool(unbiased)) => correction = f64::from(unbiased),
        Some(value) => dims = super::ints("dim", &value)?,
        None => {}
    }
    if let Some(unbiased) = a.maybe_bool("unbiased")? {
        correction = f64::from(unbiased);
    }
    if let Some(given) = a.maybe_float("correction")? {
        correction = given;
    }
    Ok((dims, correction, a.flag("keepdim")?))
}

/// The order of a norm; `fro` is that of vectors here.
fn order(p: Option<Value>) -> Out<f64> {
    match p {
        None => Ok(2.0),
        Some(Value::Text(name)) if name == "fro" => Ok(2.0),
        Some(Value::Float(p)) => Ok(p),
        Some(Value::Int(p)) => Ok(p as f64),
        Some(other) => not_built(format!("p as {}", other.kind())),
    }
}

/// A dimension.
fn one(value: &Value) -> Out<i64> {
    Args::new([value.clone()], Vec::new()).int("dim")
}
