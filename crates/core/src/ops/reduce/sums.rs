//! Sums and means.

use super::run::{reduce, stretch};
use crate::backend::Reduce;
use crate::ops::ops;
use crate::ops::sample::{self, ANY, Trait};
use crate::{DType, Sizes, Tensor};

/// The dtype that sums of `dtype` have: integers and bool become int64.
pub(crate) fn sum_dtype(dtype: DType) -> DType {
    if dtype.is_floating_point() { dtype } else { DType::I64 }
}

/// Samples of a reduction over dimensions.
pub(crate) fn over_dims(
    f: impl Fn(&Tensor, Vec<i64>, bool) -> crate::Result<Tensor> + Clone + Send + Sync + 'static,
) -> crate::Result<Vec<sample::Sample>> {
    let call = |dims: &[i64], keepdim: bool| {
        let (f, dims) = (f.clone(), dims.to_vec());
        move |x: &[Tensor]| f(&x[0], dims.clone(), keepdim)
    };
    Ok(vec![
        sample::one(Trait::Plain, vec![ANY.tensor(&[2, 3, 2], 1)?], call(&[1], false)),
        sample::one(Trait::Plain, vec![ANY.tensor(&[2, 3, 2], 2)?], call(&[0, -1], true)),
        sample::one(Trait::Broadcast, vec![ANY.tensor(&[2, 1, 3], 3)?], call(&[1, 2], false)),
        sample::one(Trait::Strided, vec![ANY.strided(&[3, 2], 4)?], call(&[0], false)),
        sample::one(Trait::Empty, vec![ANY.tensor(&[2, 0], 5)?], call(&[0], false)),
        sample::one(Trait::ZeroDim, vec![ANY.tensor(&[], 6)?], call(&[0], false)),
    ])
}

ops! {
    table: SUMS;

    /// Sum of all elements; of integers and bools an int64.
    fn sum(x) -> Tensor as "SumBackward0" {
        forward: reduce("sum", Reduce::Sum, x, None, false, sum_dtype(x.dtype())),
        saves: [x],
        grads: { x: |g| stretch(g, &x.shape(), None, false) },
        samples: sample::unary(ANY, |x| x.sum()),
    }

    /// Sum over the given dimensions, which disappear unless `keepdim` is set; over all when none are given.
    fn sum_dim(x; dims: Sizes, keepdim: bool) -> Tensor as "SumBackward1" {
        forward: reduce("sum", Reduce::Sum, x, Some(dims), *keepdim, sum_dtype(x.dtype())),
        saves: [x],
        grads: { x: |g| stretch(g, &x.shape(), Some(dims), *keepdim) },
        samples: over_dims(|x, dims, keep| x.sum_dim(dims, keep)),
    }
}
