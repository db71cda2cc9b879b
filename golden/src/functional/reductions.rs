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
    "mode" |a| { let x = a.x()?; x.mode(a.int_or("dim", -1)?, a.flag("keepdim")?)? };
    "kthvalue" |a| { let x = a.x()?; x.kthvalue(a.int("k")?, a.int_or("dim", -1)?, a.flag("keepdim")?)? };
    "logsumexp" |a| { let (x, dims) = (a.x()?, a.ints("dim")?); x.logsumexp(dims, a.flag("keepdim")?)? };
    "var" |a| { let x = a.x()?; let (dims, correction, keep) = spread(a)?; x.var_dim(dims, correction, keep)? };
    "std" |a| { let x = a.x()?; let (dims, correction, keep) = spread(a)?; x.std_dim(dims, correction, keep)? };
    "var_mean" |a| { let x = a.x()?; let (dims, correction, keep) = spread(a)?; x.var_mean_dim(dims, correction, keep)? };
    "std_mean" |a| { let x = a.x()?; let (dims, correction, keep) = spread(a)?; x.std_mean_dim(dims, correction, keep)? };
    "count_nonzero" |a| { let x = a.x()?; x.count_nonzero(a.ints_or("dim", &[])?)? };
    "cumsum" |a| { let x = typed(a)?; x.cumsum(a.int("dim")?)? };
    "cumprod" |a| { let x = typed(a)?; x.cumprod(a.int("dim")?)? };
    "cummax" |a| { let x = a.x()?; x.cummax(a.int("dim")?)? };
    "cummin" |a| { let x = a.x()?; x.cummin(a.int("dim")?)? };
    "logcumsumexp" |a| { let x = a.x()?; x.logcumsumexp(a.int("dim")?)? };
    "softmax" |a| { let x = typed(a)?; x.softmax(a.int("dim")?)? };
    "log_softmax" |a| { let x = typed(a)?; x.log_softmax(a.int("dim")?)? };
    "nn.functional.softmin" |a| { let x = typed(a)?; x.softmin(a.int("dim")?)? };
    "sort" |a| { let x = a.x()?; let dim = a.int_or("dim", -1)?; let (descending, stable) = (a.flag("descending")?, a.flag("stable")?); let _ = stable; x.sort(dim, descending)? };
    "argsort" |a| { let x = a.x()?; let dim = a.int_or("dim", -1)?; let (descending, stable) = (a.flag("descending")?, a.flag("stable")?); let _ = stable; x.argsort(dim, descending)? };
    "msort" |a| a.x()?.msort()?;
    "topk" |a| { let x = a.x()?; x.topk(a.int("k")?, a.int_or("dim", -1)?, a.bool_or("largest", true)?, a.bool_or("sorted", true)?)? };
    "unique" |a| { let x = a.x()?; a.bool_or("sorted", true)?; let (inverse, counts, dim) = (a.flag("return_inverse")?, a.flag("return_counts")?, a.maybe_int("dim")?); let found = match dim { None => x.unique()?, Some(dim) => x.unique_dim(dim)? }; chosen(found, inverse, counts) };
    "unique_consecutive" |a| { let x = a.x()?; let (inverse, counts, dim) = (a.flag("return_inverse")?, a.flag("return_counts")?, a.maybe_int("dim")?); let found = match dim { None => x.unique_consecutive()?, Some(dim) => x.unique_consecutive_dim(dim)? }; chosen(found, inverse, counts) };
    "bincount" |a| { let x = a.x()?; x.bincount(a.maybe_tensor("weights")?.as_ref(), a.int_or("minlength", 0)?)? };
    "histc" |a| { let x = a.x()?; x.histc(a.int_or("bins", 100)?, a.float_or("min", 0.0)?, a.float_or("max", 0.0)?)? };
    "quantile" |a| { let x = a.x()?; let q = operand(a.value("q")?)?; x.quantile(&q, a.maybe_int("dim")?, a.flag("keepdim")?, &a.text_or("interpolation", "linear")?)? };
    "nanquantile" |a| { let x = a.x()?; let q = operand(a.value("q")?)?; x.nanquantile(&q, a.maybe_int("dim")?, a.flag("keepdim")?, &a.text_or("interpolation", "linear")?)? };
    "norm" |a| { let x = a.x()?; let p = a.take("p"); let dims = a.maybe_ints("dim")?; let keep = a.flag("keepdim")?; x.norm(order(p)?, dims, keep)? };
    "linalg.vector_norm" |a| { let x = a.x()?; let p = a.float_or("ord", 2.0)?; let (dims, keep) = over(a)?.unwrap_or_default(); x.vector_norm(p, dims, keep)? };
    "dist" |a| { let (x, y) = (a.x()?, a.tensor("other")?); x.dist(&y, a.float_or("p", 2.0)?)? };
    "cov" |a| { let x = a.x()?; x.cov(a.int_or("correction", 1)?, a.maybe_tensor("fweights")?.as_ref(), a.maybe_tensor("aweights")?.as_ref())? };
    "corrcoef" |a| a.x()?.corrcoef()?;
    "trace" |a| a.x()?.trace()?;
    "renorm" |a| { let x = a.x()?; x.renorm(a.float("p")?, a.int("dim")?, a.float("maxnorm")?)? };
    "diff" |a| { let x = a.x()?; x.diff(a.int_or("n", 1)?, a.int_or("dim", -1)?, a.maybe_tensor("prepend")?.as_ref(), a.maybe_tensor("append")?.as_ref())? };
    "sum_to_size" |a| { let x = a.x()?; x.sum_to_size(a.spread_ints("size")?)? };
}

/// The input, converted first where a `dtype` was given.
fn typed(a: &mut Args) -> Out<Tensor> {
    let x = a.x()?;
    match a.keyword("dtype") {
        Some(Value::DType(dtype)) => Ok(x.to(dtype)?),
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
