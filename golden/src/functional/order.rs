//! Order and counting: sorting, picking by rank, sets, quantiles, histograms.

use super::{Args, operations};
use crate::Out;
use crate::value::{IntoValue, Value};
use firebrick::{Bins, Operand, Tensor, Unique};

operations! { ROWS;
    "sort" |a| sort(a)?;
    "argsort" |a| { let x = a.x()?; a.keyword("stable"); let dim = a.int_or("dim", -1)?; x.argsort(dim, a.flag("descending")?)? };
    "msort" |a| a.x()?.msort()?;
    "topk" |a| {
        let (x, k, dim) = (a.x()?, a.int("k")?, a.int_or("dim", -1)?);
        x.topk(k, dim, a.bool_or("largest", true)?, a.bool_or("sorted", true)?)?
    };
    "kthvalue" |a| { let (x, k, dim) = (a.x()?, a.int("k")?, a.int_or("dim", -1)?); x.kthvalue(k, dim, a.flag("keepdim")?)? };
    "mode" |a| { let (x, dim) = (a.x()?, a.int_or("dim", -1)?); x.mode(dim, a.flag("keepdim")?)? };
    "unique" |a| {
        // The order is the same with and without `sorted`.
        let (x, _) = (a.x()?, a.bool_or("sorted", true)?);
        let (inverse, counts) = (a.flag("return_inverse")?, a.flag("return_counts")?);
        parts(x.unique_with(a.maybe_int("dim")?)?, inverse, counts)
    };
    "unique_consecutive" |a| {
        let x = a.x()?;
        let (inverse, counts) = (a.flag("return_inverse")?, a.flag("return_counts")?);
        parts(x.unique_consecutive_with(a.maybe_int("dim")?)?, inverse, counts)
    };
    "searchsorted" |a| {
        let (bounds, values) = (a.x()?, operand(a.value("values")?)?);
        let (int32, right) = (a.flag("out_int32")?, a.flag("right")?);
        let right = right || a.text_or("side", "left")? == "right";
        let sorter = a.maybe_tensor("sorter")?;
        bounds.searchsorted(values, right, sorter.as_ref(), int32)?
    };
    "bucketize" |a| {
        let (x, edges) = (operand(a.value("input")?)?, a.tensor("boundaries")?);
        let int32 = a.flag("out_int32")?;
        x.bucketize(&edges, a.flag("right")?, int32)?
    };
    "isin" |a| {
        let (x, test) = (operand(a.value("elements")?)?, operand(a.value("test_elements")?)?);
        a.flag("assume_unique")?;
        x.isin(test, a.flag("invert")?)?
    };
    "quantile" |a| quantile(a, |x, q, dim, keep, word| x.quantile(q, dim, keep, word))?;
    "nanquantile" |a| quantile(a, |x, q, dim, keep, word| x.nanquantile(q, dim, keep, word))?;
    "histc" |a| { let (x, bins) = (a.x()?, a.int_or("bins", 100)?); x.histc(bins, a.scalar_or("min", 0)?, a.scalar_or("max", 0)?)? };
    "histogram" |a| {
        let x = a.x()?;
        let bins: Bins = match a.value("bins")? { Value::Tensor(edges) => edges.into(), other => count(other)?.into() };
        let (weight, density) = (a.maybe_tensor("weight")?, a.flag("density")?);
        let range = match a.keyword("range") {
            Some(Value::Tuple(ends) | Value::List(ends)) if ends.len() == 2 => Some((float(&ends[0])?, float(&ends[1])?)),
            _ => None,
        };
        x.histogram(bins, range, weight.as_ref(), density)?
    };
    "bincount" |a| { let (x, weights) = (a.x()?, a.maybe_tensor("weights")?); x.bincount(weights.as_ref(), a.int_or("minlength", 0)?)? };
    "nonzero_static" |a| { let x = a.x()?; let size = a.int("size")?; x.nonzero_static(size, a.int_or("fill_value", -1)?)? };
    "unravel_index" |a| { let x = a.x()?; x.unravel_index(a.ints("shape")?)? };
    "combinations" |a| { let (x, r) = (a.x()?, a.int_or("r", 2)?); x.combinations(r, a.flag("with_replacement")?)? };
}

/// `sort` in its two forms: with the keyword `stable` it is another node.
fn sort(a: &mut Args) -> Out<(Tensor, Tensor)> {
    let x = a.x()?;
    let stable = a.keyword("stable").is_some();
    let (dim, descending) = (a.int_or("dim", -1)?, a.flag("descending")?);
    Ok(if stable { x.sort_stable(dim, descending)? } else { x.sort(dim, descending)? })
}

/// What was asked for of the distinct values.
fn parts(unique: Unique, inverse: bool, counts: bool) -> Value {
    let further = [inverse.then_some(unique.inverse_indices), counts.then_some(unique.counts)];
    match further.into_iter().flatten().collect::<Vec<_>>() {
        none if none.is_empty() => unique.output.into_value(),
        more => std::iter::once(unique.output).chain(more).collect::<Vec<_>>().into_value(),
    }
}

fn operand(value: Value) -> Out<Tensor> {
    match value {
        Value::Tensor(x) => Ok(x),
        other => Ok(super::number(&other)?.into_operand()?),
    }
}

fn float(value: &Value) -> Out<f64> {
    Ok(super::number(value)?.to_f64())
}

fn count(value: Value) -> Out<i64> {
    Args::new([value], Vec::new()).int("bins")
}

fn quantile(a: &mut Args, f: fn(&Tensor, Tensor, Option<i64>, bool, &str) -> firebrick::Result<Tensor>) -> Out<Tensor> {
    let (x, q) = (a.x()?, operand(a.value("q")?)?);
    let (dim, keep) = (a.maybe_int("dim")?, a.flag("keepdim")?);
    let word = match a.keyword("interpolation") {
        Some(Value::Text(word)) => word,
        _ => "linear".to_owned(),
    };
    Ok(f(&x, q, dim, keep, &word)?)
}
