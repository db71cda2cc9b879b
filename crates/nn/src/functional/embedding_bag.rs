//! Bags of rows.

use super::embedding::renormalize;
use firebrick_core::autograd::no_grad;
use firebrick_core::{BagOptions, Result, Tensor};

/// Means of bags of rows of `weight`, `[rows, columns]`: a bag for each row of the matrix `input`, or from each of `offsets`
/// on in the list `input`.
///
/// # Errors
/// Numbers or offsets out of range; an input that holds no integers.
///
/// ```
/// use firebrick::nn::functional as F;
/// use firebrick::prelude::*;
/// let table = Tensor::new([[1.0f32, 2.0], [3.0, 4.0]])?;
/// assert_eq!(F::embedding_bag(&Tensor::new([[0i64, 1]])?, &table, None)?.to_vec::<f32>()?, [2.0, 3.0]);
/// # Ok::<_, firebrick::Error>(())
/// ```
pub fn embedding_bag(input: &Tensor, weight: &Tensor, offsets: Option<&Tensor>) -> Result<Tensor> {
    embedding_bag_with(input, weight, offsets, None, &BagOptions::new())
}

/// [`embedding_bag`] in another mode, with weights, a padding row, or rows scaled down to a norm, in place:
/// `max_norm` is the limit and the order of the norm.
///
/// # Errors
/// As [`embedding_bag`]; weights for anything but sums.
///
/// ```
/// use firebrick::nn::functional as F;
/// use firebrick::prelude::*;
/// use firebrick::{BagMode, BagOptions};
/// let weight = Tensor::new([[1.0f32, 2.0], [3.0, 4.0]])?;
/// let sum = BagOptions::new().mode(BagMode::Sum);
/// let bags = F::embedding_bag_with(&Tensor::new([[0i64, 1]])?, &weight, None, None, &sum)?;
/// assert_eq!(bags.to_vec::<f32>()?, [4.0, 6.0]);
/// # Ok::<_, firebrick::Error>(())
/// ```
pub fn embedding_bag_with(
    input: &Tensor,
    weight: &Tensor,
    offsets: Option<&Tensor>,
    max_norm: Option<(f64, f64)>,
    options: &BagOptions<'_>,
) -> Result<Tensor> {
    if let Some((limit, order)) = max_norm {
        no_grad(|| renormalize(&weight.detach(), input, limit, order))?;
    }
    weight.embedding_bag(input, offsets, options)
}
