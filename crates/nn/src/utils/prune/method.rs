//! What a method of pruning is, and how one follows another.

use firebrick_core::text::python_float;
use firebrick_core::{Error, Result, Tensor};

const OP: &str = "prune";

/// What a method prunes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PruningType {
    /// Single elements: it sees those that are left, as a vector.
    Unstructured,
    /// Slices along this dimension: it sees those of which anything is left.
    Structured {
        /// The dimension.
        dim: i64,
    },
    /// It sees everything, pruned or not.
    Global,
}

/// A way to choose what is pruned: PyTorch's `BasePruningMethod`.
///
/// ```
/// use firebrick::nn::utils::prune::{self, PruningMethod, PruningType};
/// use firebrick::prelude::*;
///
/// /// Prunes negative elements.
/// struct Negative;
///
/// impl PruningMethod for Negative {
///     fn pruning_type(&self) -> PruningType {
///         PruningType::Unstructured
///     }
///     fn compute_mask(&self, t: &Tensor, default_mask: &Tensor) -> Result<Tensor> {
///         default_mask.mul(&t.ge(0.0)?.to(default_mask.dtype())?)
///     }
/// }
///
/// let kept = Negative.prune(&Tensor::new([1.0f32, -2.0])?, None, None)?;
/// assert_eq!(kept.to_vec::<f32>()?, [1.0, 0.0]);
/// # Ok::<_, firebrick::Error>(())
/// ```
pub trait PruningMethod {
    /// What the method prunes, which is what it sees when it follows another.
    fn pruning_type(&self) -> PruningType;

    /// The mask, of zeros and ones, for scores `t`; `default_mask` is the one so far. Nothing is recorded.
    ///
    /// # Errors
    /// Scores that the method cannot prune.
    fn compute_mask(&self, t: &Tensor, default_mask: &Tensor) -> Result<Tensor>;

    /// `t` times the mask that its values, or `importance_scores`, lead to; `default_mask` is of ones unless given.
    ///
    /// # Errors
    /// Scores of another shape; those of [`PruningMethod::compute_mask`].
    fn prune(&self, t: &Tensor, default_mask: Option<&Tensor>, importance_scores: Option<&Tensor>) -> Result<Tensor> {
        let scores = importance_scores.unwrap_or(t);
        if scores.shape() != t.shape() {
            let (got, want) = (scores.shape(), t.shape());
            return Err(Error::runtime(
                OP,
                format!(
                    "importance_scores should have the same shape as tensor t, got torch.Size({got:?}) vs torch.Size({want:?})"
                ),
            ));
        }
        let mask = super::unrecorded(|| {
            let ones = t.detach().ones_like()?;
            self.compute_mask(&scores.detach(), default_mask.unwrap_or(&ones))
        })?;
        t.mul(&mask)
    }
}

/// The mask after `method`, which is applied to what `mask` leaves.
pub(super) fn combined(method: &dyn PruningMethod, t: &Tensor, mask: &Tensor) -> Result<Tensor> {
    let dtype = t.dtype();
    match method.pruning_type() {
        PruningType::Global => method.compute_mask(t, mask)?.to(dtype),
        PruningType::Unstructured => {
            let left = mask.eq(1)?;
            let partial = method.compute_mask(&t.masked_select(&left)?, &mask.masked_select(&left)?)?;
            mask.to(dtype)?.masked_scatter(&left, &partial.to(dtype)?)
        }
        PruningType::Structured { dim } => {
            let rank = t.dim() as i64;
            let dim = if dim < 0 { dim + rank } else { dim };
            if dim < 0 {
                return Err(Error::index(OP, format!("Index is out of bounds for tensor with dimensions {rank}")));
            }
            let others: Vec<i64> = (0..rank).filter(|&d| d != dim).collect();
            let left = mask.sum_dim(&others[..], false)?.ne(0)?.nonzero()?.flatten(0, -1)?;
            let partial = method.compute_mask(&t.index_select(dim, &left)?, &mask.index_select(dim, &left)?)?;
            mask.to(dtype)?.index_copy(dim, &left, &partial.to(dtype)?)
        }
    }
}

/// How much is pruned: a share between 0 and 1 where it is a floating-point number, a count where it is an integer.
///
/// ```
/// use firebrick::nn::utils::prune::{self, PruningMethod};
/// use firebrick::prelude::*;
/// let x = Tensor::new([1.0f32, -2.0, 3.0, 4.0])?;
/// assert_eq!(prune::L1Unstructured::new(0.25)?.prune(&x, None, None)?.to_vec::<f32>()?, [0.0, -2.0, 3.0, 4.0]);
/// assert_eq!(prune::L1Unstructured::new(2)?.prune(&x, None, None)?.to_vec::<f32>()?, [0.0, 0.0, 3.0, 4.0]);
/// # Ok::<_, firebrick::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Amount {
    /// A share.
    Share(f64),
    /// A count.
    Count(i64),
}

impl From<f64> for Amount {
    fn from(share: f64) -> Self {
        Amount::Share(share)
    }
}

macro_rules! counts {
    ($($t:ty),*) => { $(
        impl From<$t> for Amount {
            fn from(count: $t) -> Self {
                Amount::Count(i64::try_from(count).unwrap_or(i64::MAX))
            }
        }
    )* };
}
counts!(i32, i64, usize);

impl Amount {
    /// The amount, if it is one.
    pub(super) fn checked(self) -> Result<Self> {
        let text = match self {
            Amount::Share(share) if !(0.0..=1.0).contains(&share) => python_float(share),
            Amount::Count(count) if count < 0 => count.to_string(),
            _ => return Ok(self),
        };
        let message = format!("amount={text} should either be a float in the range [0, 1] or a non-negative integer");
        Err(Error::value(OP, message))
    }

    /// How many of `size` it is.
    pub(super) fn of(self, size: usize) -> Result<i64> {
        match self {
            Amount::Share(share) => Ok((share * size as f64).round_ties_even() as i64),
            Amount::Count(count) if count as u64 > size as u64 => Err(Error::value(
                OP,
                format!("amount={count} should be smaller than the number of parameters to prune={size}"),
            )),
            Amount::Count(count) => Ok(count),
        }
    }
}
