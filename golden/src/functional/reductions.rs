//! Sums, extrema, statistics, scans.

use super::{Args, operations};
use crate::Out;
use crate::value::{IntoValue, Value};
use firebrick::{DType, Result, Tensor};

operations! { ROWS;
    "sum" |a| reduced(a, |x| x.sum(), |x, dims, keep| x.sum_dim(dims, keep))?;
    "nansum" |a| reduced(a, |x| x.nansum(), |x, dims, keep| x.nansum_dim(dims, keep))?;
    "mean" |a| match a.keyword("dtype") {
        Some(Value::DType(dtype)) => { let x = a.x()?; x.mean_as(a.ints_or("dim", &[])?, a.flag("keepdim")?, dtype)? }
        _ => reduced(a, |x| x.mean(), |x, dims, keep| x.mean_dim(dims, keep))?,
    };
    "nanmean" |a| reduced(a, |x| x.nanmean(), |x, dims, keep| x.nanmean_dim(dims, keep))?;
    "any" |a| reduced(a, |x| x.any(), |x, dims, keep| x.any_dim(dims, keep))?;
    "all" |a| reduced(a, |x| x.all(), |x, dims, keep| x.all_dim(dims, keep))?;
    "amax" |a| reduced(a, |x| x.amax((), false), |x, dims, keep| x.amax(dims, keep))?;
    "amin" |a| reduced(a, |x| x.amin((), false), |x, dims, keep| x.amin(dims, keep))?;
    "count_nonzero" |a| reduced(a, |x| x.count_nonzero(), |x, dims, _| x.count_nonzero_dim(dims))?;
    "prod" |a| {
        let (x, dtype) = typed(a)?;
        let out = match a.maybe_int("dim")? { None => x.prod()?, Some(dim) => x.prod_dim(dim, a.flag("keepdim")?)? };
        back(out, dtype)?
    };
    "sum_to_size" |a| { let x = a.x()?; x.sum_to_size(a.spread_ints("size")?)? };
    "max" |a| extreme(a, |x| x.max(), |x, dim, keep| x.max_dim(dim, keep), |x, other| x.maximum(other))?;
    "min" |a| extreme(a, |x| x.min(), |x, dim, keep| x.min_dim(dim, keep), |x, other| x.minimum(other))?;
    "median" |a| extreme(a, |x| x.median(), |x, dim, keep| x.median_dim(dim, keep), |x, _| Ok(x.clone()))?;
    "nanmedian" |a| extreme(a, |x| x.nanmedian(), |x, dim, keep| x.nanmedian_dim(dim, keep), |x, _| Ok(x.clone()))?;
    "aminmax" |a| {
        let x = a.x()?;
        match a.maybe_int("dim")? { None => x.aminmax()?, Some(dim) => x.aminmax_dim(dim, a.flag("keepdim")?)? }
    };
    "argmax" |a| { let x = a.x()?; x.argmax_dim(a.maybe_int("dim")?, a.flag("keepdim")?)? };
    "argmin" |a| { let x = a.x()?; x.argmin_dim(a.maybe_int("dim")?, a.flag("keepdim")?)? };
    "var" |a| { let (x, dims, correction, keep) = spread(a)?; x.var_dim(dims, correction, keep)? };
    "std" |a| { let (x, dims, correction, keep) = spread(a)?; x.std_dim(dims, correction, keep)? };
    "var_mean" |a| { let (x, dims, correction, keep) = spread(a)?; x.var_mean(dims, correction, keep)? };
    "std_mean" |a| { let (x, dims, correction, keep) = spread(a)?; x.std_mean(dims, correction, keep)? };
    "logsumexp" |a| { let x = a.x()?; x.logsumexp(a.ints("dim")?, a.flag("keepdim")?)? };
    "cumsum" |a| scanned(a, |x, dim| x.cumsum(dim))?;
    "cumprod" |a| scanned(a, |x, dim| x.cumprod(dim))?;
    "cummax" |a| { let x = a.x()?; x.cummax(a.int("dim")?)? };
    "cummin" |a| { let x = a.x()?; x.cummin(a.int("dim")?)? };
    "logcumsumexp" |a| { let x = a.x()?; x.logcumsumexp(a.int("dim")?)? };
    "softmax" |a| softmax(a, |x, dim| x.softmax(dim))?;
    "log_softmax" |a| softmax(a, |x, dim| x.log_softmax(dim))?;
    "nn.functional.softmin" |a| softmax(a, |x, dim| x.softmin(dim))?;
}

/// The input, converted first where a `dtype` was given, and that dtype.
pub(super) fn typed(a: &mut Args) -> Out<(Tensor, Option<DType>)> {
    let x = a.x()?;
    match a.keyword("dtype") {
        Some(Value::DType(dtype)) => Ok((x.to(dtype)?, Some(dtype))),
        _ => Ok((x, None)),
    }
}

/// The result in the dtype that was asked for.
pub(super) fn back(out: Tensor, dtype: Option<DType>) -> Out<Tensor> {
    Ok(match dtype {
        Some(dtype) => out.to(dtype)?,
        None => out,
    })
}

fn reduced(
    a: &mut Args,
    all: fn(&Tensor) -> Result<Tensor>,
    over: fn(&Tensor, Vec<i64>, bool) -> Result<Tensor>,
) -> Out<Tensor> {
    let (x, dtype) = typed(a)?;
    let (dims, keep) = (a.maybe_ints("dim")?, a.flag("keepdim")?);
    let out = match dims {
        None if !keep => all(&x)?,
        dims => over(&x, dims.unwrap_or_default(), keep)?,
    };
    back(out, dtype)
}

fn extreme(
    a: &mut Args,
    all: fn(&Tensor) -> Result<Tensor>,
    over: fn(&Tensor, i64, bool) -> Result<(Tensor, Tensor)>,
    with: fn(&Tensor, &Tensor) -> Result<Tensor>,
) -> Out<Value> {
    let x = a.x()?;
    if let Some(Value::Tensor(_)) = a.peek() {
        return Ok(with(&x, &a.tensor("other")?)?.into_value());
    }
    Ok(match a.maybe_int("dim")? {
        None => all(&x)?.into_value(),
        Some(dim) => over(&x, dim, a.flag("keepdim")?)?.into_value(),
    })
}

/// Input, dimensions, correction and `keepdim` of a variance, in any of PyTorch's three forms.
fn spread(a: &mut Args) -> Out<(Tensor, Vec<i64>, f64, bool)> {
    let x = a.x()?;
    let unbiased_alone = matches!(a.peek(), Some(Value::Bool(_)));
    let dims = if unbiased_alone { None } else { a.maybe_ints("dim")? };
    let correction = match a.take("unbiased") {
        Some(Value::Bool(unbiased)) => f64::from(u8::from(unbiased)),
        _ => match a.keyword("correction") {
            Some(Value::Int(correction)) => correction as f64,
            Some(Value::Float(correction)) => correction,
            _ => 1.0,
        },
    };
    Ok((x, dims.unwrap_or_default(), correction, a.flag("keepdim")?))
}

fn scanned(a: &mut Args, scan: fn(&Tensor, i64) -> Result<Tensor>) -> Out<Tensor> {
    let (x, dtype) = typed(a)?;
    let dim = a.int("dim")?;
    back(scan(&x, dim)?, dtype)
}

fn softmax(a: &mut Args, f: fn(&Tensor, i64) -> Result<Tensor>) -> Out<Tensor> {
    let (x, _) = typed(a)?;
    Ok(f(&x, a.int("dim")?)?)
}
