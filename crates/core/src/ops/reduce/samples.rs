//! Inputs on which the gradients of reductions are checked.

use crate::ops::sample::{self, Domain, Sample, Trait};
use crate::{Result, Tensor};

/// Samples of a reduction over dimensions.
pub(super) fn over_dims(
    domain: Domain,
    f: impl Fn(&Tensor, Vec<i64>, bool) -> Result<Tensor> + Clone + Send + Sync + 'static,
) -> Result<Vec<Sample>> {
    let call = |dims: &[i64], keepdim: bool| {
        let (f, dims) = (f.clone(), dims.to_vec());
        move |x: &[Tensor]| f(&x[0], dims.clone(), keepdim)
    };
    Ok(vec![
        sample::one(Trait::Plain, vec![domain.tensor(&[2, 3, 2], 1)?], call(&[1], false)),
        sample::one(Trait::Plain, vec![domain.tensor(&[2, 3, 2], 2)?], call(&[0, -1], true)),
        sample::one(Trait::Plain, vec![domain.tensor(&[3, 2], 2)?], call(&[], false)),
        sample::one(Trait::Broadcast, vec![domain.tensor(&[2, 1, 3], 3)?], call(&[1, 2], false)),
        sample::one(Trait::Strided, vec![domain.strided(&[3, 2], 4)?], call(&[0], false)),
        sample::one(Trait::Empty, vec![domain.tensor(&[2, 0], 5)?], call(&[0], false)),
        sample::one(Trait::ZeroDim, vec![domain.tensor(&[], 6)?], call(&[0], false)),
    ])
}

/// Samples of an operation along one dimension.
pub(crate) fn along_dim(
    domain: Domain,
    f: impl Fn(&Tensor, i64) -> Result<Tensor> + Clone + Send + Sync + 'static,
) -> Result<Vec<Sample>> {
    let call = |dim: i64| {
        let f = f.clone();
        move |x: &[Tensor]| f(&x[0], dim)
    };
    Ok(vec![
        sample::one(Trait::Plain, vec![domain.tensor(&[2, 4, 2], 1)?], call(1)),
        sample::one(Trait::Plain, vec![domain.tensor(&[2, 3], 2)?], call(-1)),
        sample::one(Trait::Broadcast, vec![domain.tensor(&[2, 1, 3], 3)?], call(1)),
        sample::one(Trait::Strided, vec![domain.strided(&[3, 2], 4)?], call(0)),
        sample::one(Trait::Empty, vec![domain.tensor(&[2, 0], 5)?], call(0)),
        sample::one(Trait::ZeroDim, vec![domain.tensor(&[], 6)?], call(0)),
    ])
}

/// The sum of two results, for operations that return a pair.
pub(super) fn both((a, b): (Tensor, Tensor)) -> Result<Tensor> {
    a.mul(2.0)?.add(&b)
}
