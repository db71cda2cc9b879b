//! This family in the table of operations.

use crate::ops::by_hand;
use crate::ops::sample::{ANY, Sample, Trait, one, shaped, shaped_pairs};
use crate::{Result, Tensor};

fn long<const N: usize>(list: [i64; N]) -> Result<Tensor> {
    Tensor::new(list)
}

/// Samples of combinations: every word, with and without what was there, zeros among the factors.
fn folded(
    f: impl Fn(&Tensor, &Tensor, &Tensor, &str, bool) -> Result<Tensor> + Clone + Send + Sync + 'static,
) -> Result<Vec<Sample>> {
    let mut samples = Vec::new();
    for how in ["sum", "prod", "mean", "amax", "amin"] {
        for include_self in [true, false] {
            let f = f.clone();
            samples.extend(shaped_pairs((&[2, 3], &[2, 3]), (&[0, 3], &[0, 3]), move |a, b| {
                f(a, &long([2, 0, 2])?, b, how, include_self)
            })?);
        }
    }
    let (x, src) = (ANY.tensor(&[1, 2], 7)?, Tensor::new([[0.0f64, 2.0, 0.0, 1.5]])?);
    src.requires_grad_(true)?;
    samples.push(one(Trait::Plain, vec![x, src], move |x| f(&x[0], &long([0, 0, 1, 1])?, &x[1], "prod", true)));
    Ok(samples)
}

by_hand! {
    table: INDEXING;
    i: shaped(&[2, 4], &[0, 4], |x| x.i((.., crate::NewAxis, crate::Slice::new(-3, None).step(2))));
    set: shaped_pairs((&[2, 3], &[2]), (&[0, 3], &[0]), |a, b| {
        let a = a.mul(1.0)?;
        a.set((.., 1), b)?;
        Ok(a)
    });
    index as "IndexBackward0": shaped(&[2, 3, 2], &[2, 3, 0], |x| x.index(&[Some(long([1, 0, 1])?), Some(long([-1, 2, -1])?)]));
    index_put as "IndexPutBackward0" in index_put_: shaped_pairs((&[2, 3], &[2]), (&[2, 0], &[1]), |a, b| {
        a.index_put(&[Some(long([1, 0])?), None], &b.unsqueeze(-1)?, false)
    });
    index_select as "IndexSelectBackward0": shaped(&[2, 3], &[0, 3], |x| x.index_select(1, &long([2, 0, 2])?));
    index_add as "IndexAddBackward0" in index_add_:
        shaped_pairs((&[2, 3], &[2, 2]), (&[0, 3], &[0, 2]), |a, b| a.index_add(1, &long([2, 2])?, b, 2.5));
    index_copy as "IndexCopyBackward0" in index_copy_:
        shaped_pairs((&[2, 3], &[2, 2]), (&[0, 3], &[0, 2]), |a, b| a.index_copy(1, &long([2, 0])?, b));
    index_fill as "IndexFillBackward1" in index_fill_: shaped_pairs((&[2, 3], &[]), (&[0, 3], &[]), |a, b| {
        a.index_fill(1, &long([-1, 0, 0])?, b)?.index_fill(1, &long([1])?, 0.5)
    });
    gather as "GatherBackward0": shaped(&[2, 3], &[0, 3], |x| match x.numel() {
        0 => x.gather(1, &x.detach().to(crate::DType::I64)?),
        _ => x.gather(1, &Tensor::new([[0i64, 2, 0, 1]])?),
    });
    take_along_dim: shaped(&[2, 3], &[0, 3], |x| x.take_along_dim(&Tensor::new([[1i64, 1]])?, 1));
    scatter as "ScatterBackward0" in scatter_: shaped_pairs((&[2, 3], &[2, 2]), (&[0, 3], &[0, 2]), |a, b| match a.numel() {
        0 => a.scatter(1, &b.detach().to(crate::DType::I64)?, b),
        _ => a.scatter(1, &Tensor::new([[2i64, 0]])?, b),
    });
    scatter_value as "ScatterBackward1" in scatter_value_: shaped(&[2, 3], &[0, 3], |x| match x.numel() {
        0 => x.scatter_value(1, &x.detach().to(crate::DType::I64)?, 0.5),
        _ => x.scatter_value(1, &Tensor::new([[2i64], [0]])?, 0.5),
    });
    scatter_add as "ScatterAddBackward0" in scatter_add_:
        shaped_pairs((&[2, 3], &[2, 2]), (&[0, 3], &[0, 2]), |a, b| match a.numel() {
            0 => a.scatter_add(1, &b.detach().to(crate::DType::I64)?, b),
            _ => a.scatter_add(1, &Tensor::new([[2i64, 2], [0, 1]])?, b),
        });
    scatter_reduce as "ScatterReduceBackward0" in scatter_reduce_: folded(|x, index, src, how, include_self| {
        x.scatter_reduce(1, &src.detach().mul(0)?.to(crate::DType::I64)?.add(index)?, src, how, include_self)
    });
    index_reduce as "IndexReduceBackward0" in index_reduce_: folded(|x, index, src, how, include_self| match how {
        "sum" => x.index_add(1, index, src, 1),
        how => x.index_reduce(1, index, src, how, include_self),
    });
    masked_select as "MaskedSelectBackward0":
        shaped(&[2, 3], &[0, 3], |x| x.masked_select(&Tensor::new([true, false, true])?));
    masked_scatter as "MaskedScatterBackward0" in masked_scatter_:
        shaped_pairs((&[2, 3], &[2, 3]), (&[0, 3], &[2]), |a, b| a.masked_scatter(&Tensor::new([true, false, true])?, b));
    take as "TakeBackward0": shaped_pairs((&[2, 3], &[1]), (&[0, 3], &[1]), |a, b| match a.numel() {
        0 => a.take(&Tensor::zeros_with([0], crate::DType::I64)?)?.add(b),
        _ => a.take(&Tensor::new([[1i64, -1, 1]])?)?.add(b),
    });
    put as "PutBackward0" in put_: shaped_pairs((&[2, 3], &[2]), (&[2, 3], &[0]), |a, b| match b.numel() {
        0 => a.put(&Tensor::zeros_with([0], crate::DType::I64)?, b, true),
        _ => a.put(&long([1, -1])?, b, false),
    });
}
