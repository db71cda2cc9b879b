//! Methods of pruning.

use super::{Amount, PruningMethod, PruningType};
use firebrick_core::linalg::{self, NormOrder};
use firebrick_core::{Device, Error, Result, Tensor};

const OP: &str = "prune";

/// Prunes nothing.
///
/// ```
/// use firebrick::nn::utils::prune::{self, PruningMethod};
/// use firebrick::prelude::*;
/// assert_eq!(prune::Identity.prune(&Tensor::new([5.0f32, 6.0])?, None, None)?.to_vec::<f32>()?, [5.0, 6.0]);
/// # Ok::<_, firebrick::Error>(())
/// ```
#[derive(Clone, Copy, Debug, Default)]
pub struct Identity;

impl PruningMethod for Identity {
    fn pruning_type(&self) -> PruningType {
        PruningType::Unstructured
    }

    fn compute_mask(&self, _: &Tensor, default_mask: &Tensor) -> Result<Tensor> {
        Ok(default_mask.clone())
    }
}

macro_rules! unstructured {
    ($(#[$doc:meta])* $name:ident, $scores:expr, $largest:literal) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug)]
        pub struct $name {
            amount: Amount,
        }

        impl $name {
            /// Prunes this share, or this many elements.
            ///
            /// # Errors
            /// A share outside of `[0, 1]`, a count below zero.
            pub fn new(amount: impl Into<Amount>) -> Result<Self> {
                Ok($name { amount: amount.into().checked()? })
            }
        }

        impl PruningMethod for $name {
            fn pruning_type(&self) -> PruningType {
                PruningType::Unstructured
            }

            fn compute_mask(&self, t: &Tensor, default_mask: &Tensor) -> Result<Tensor> {
                let count = self.amount.of(t.numel())?;
                let mask = default_mask.contiguous()?.copy()?;
                if count != 0 {
                    let scores: fn(&Tensor) -> Result<Tensor> = $scores;
                    let (_, places) = scores(t)?.reshape([-1])?.topk(count, -1, $largest, true)?;
                    mask.view([-1])?.index_fill_(0, &places, 0.0)?;
                }
                Ok(mask)
            }
        }
    };
}

unstructured! {
    /// Prunes elements at random; see [`random_unstructured`](super::random_unstructured).
    ///
    /// ```
    /// use firebrick::nn::utils::prune::{self, PruningMethod};
    /// use firebrick::prelude::*;
    /// let kept = prune::RandomUnstructured::new(0.5)?.prune(&Tensor::ones([4])?, None, None)?;
    /// assert_eq!(kept.sum()?.item::<f32>()?, 2.0);
    /// # Ok::<_, firebrick::Error>(())
    /// ```
    RandomUnstructured, |t| t.rand_like(), true
}

unstructured! {
    /// Prunes the elements that are smallest by absolute value; see [`l1_unstructured`](super::l1_unstructured).
    ///
    /// ```
    /// use firebrick::nn::utils::prune::{self, PruningMethod};
    /// use firebrick::prelude::*;
    /// let method = prune::L1Unstructured::new(1)?;
    /// assert_eq!(method.prune(&Tensor::new([5.0f32, -6.0])?, None, None)?.to_vec::<f32>()?, [0.0, -6.0]);
    /// # Ok::<_, firebrick::Error>(())
    /// ```
    L1Unstructured, |t| t.abs(), false
}

/// Refuses vectors, and a dimension that is not there; gives it counted from the front.
fn checked_dim(t: &Tensor, dim: i64) -> Result<usize> {
    let (shape, rank) = (t.shape(), t.dim() as i64);
    if rank <= 1 {
        let message = format!(
            "Structured pruning can only be applied to multidimensional tensors. Found tensor of shape torch.Size({shape:?}) with {rank} dims"
        );
        return Err(Error::value(OP, message));
    }
    match (-rank..rank).contains(&dim) {
        true => Ok(dim.rem_euclid(rank) as usize),
        false => Err(Error::index(OP, format!("Invalid index {dim} for tensor of size torch.Size({shape:?})"))),
    }
}

/// `default_mask` with the slices along `dim` kept whose places are in `kept`.
fn keeping(t: &Tensor, dim: usize, kept: &Tensor, default_mask: &Tensor) -> Result<Tensor> {
    let mask = t.zeros_like()?.index_fill(dim as i64, kept, 1.0)?;
    mask.mul(&default_mask.to(mask.dtype())?)
}

/// Prunes slices at random; see [`random_structured`](super::random_structured).
///
/// ```
/// use firebrick::nn::utils::prune::{self, PruningMethod};
/// use firebrick::prelude::*;
/// let kept = prune::RandomStructured::new(1, 0)?.prune(&Tensor::ones([2, 3])?, None, None)?;
/// assert_eq!(kept.sum()?.item::<f32>()?, 3.0);
/// # Ok::<_, firebrick::Error>(())
/// ```
#[derive(Clone, Copy, Debug)]
pub struct RandomStructured {
    amount: Amount,
    dim: i64,
}

impl RandomStructured {
    /// Prunes this share, or this many slices along `dim`.
    ///
    /// # Errors
    /// A share outside of `[0, 1]`, a count below zero.
    pub fn new(amount: impl Into<Amount>, dim: i64) -> Result<Self> {
        Ok(RandomStructured { amount: amount.into().checked()?, dim })
    }
}

impl PruningMethod for RandomStructured {
    fn pruning_type(&self) -> PruningType {
        PruningType::Structured { dim: self.dim }
    }

    fn compute_mask(&self, t: &Tensor, default_mask: &Tensor) -> Result<Tensor> {
        let dim = checked_dim(t, self.dim)?;
        let size = t.shape()[dim];
        let count = self.amount.of(size)?;
        if count == 0 {
            return Ok(default_mask.clone());
        }
        let drawn = Tensor::rand_with([size], Device::Cpu)?;
        let (threshold, _) = drawn.kthvalue(count, -1, false)?;
        keeping(t, dim, &drawn.gt(&threshold)?.nonzero()?.flatten(0, -1)?, default_mask)
    }
}

/// Prunes the slices with the smallest norm; see [`ln_structured`](super::ln_structured).
///
/// ```
/// use firebrick::nn::utils::prune::{self, PruningMethod};
/// use firebrick::prelude::*;
/// let method = prune::LnStructured::new(1, 2.0, 0)?;
/// let rows = Tensor::new([[1.0f32, 1.0], [3.0, 4.0]])?;
/// assert_eq!(method.prune(&rows, None, None)?.to_vec::<f32>()?, [0.0, 0.0, 3.0, 4.0]);
/// # Ok::<_, firebrick::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct LnStructured {
    amount: Amount,
    n: NormOrder,
    dim: i64,
}

impl LnStructured {
    /// Prunes this share, or this many slices along `dim`, by their norm of order `n`.
    ///
    /// # Errors
    /// A share outside of `[0, 1]`, a count below zero.
    pub fn new(amount: impl Into<Amount>, n: impl Into<NormOrder>, dim: i64) -> Result<Self> {
        Ok(LnStructured { amount: amount.into().checked()?, n: n.into(), dim })
    }

    /// The norm of each slice.
    fn norms(&self, t: &Tensor, dim: usize) -> Result<Tensor> {
        let others: Vec<i64> = (0..t.dim()).filter(|&d| d != dim).map(|d| d as i64).collect();
        let matrices = others.len() == 2;
        match &self.n {
            NormOrder::Name(name) if name == "nuc" || (name == "fro" && matrices) => {
                let dims = if matrices { &others[..] } else { &[-2, -1] };
                linalg::matrix_norm(t, name.as_str(), dims, false)
            }
            NormOrder::Name(name) if name == "fro" => linalg::vector_norm(t, 2.0, &others[..], false),
            NormOrder::Number(order) => linalg::vector_norm(t, *order, &others[..], false),
            NormOrder::Name(other) => {
                Err(Error::type_(OP, "the order of a norm is a number, \"fro\" or \"nuc\"").given(other.clone()))
            }
        }
    }
}

impl PruningMethod for LnStructured {
    fn pruning_type(&self) -> PruningType {
        PruningType::Structured { dim: self.dim }
    }

    fn compute_mask(&self, t: &Tensor, default_mask: &Tensor) -> Result<Tensor> {
        let dim = checked_dim(t, self.dim)?;
        let size = t.shape()[dim];
        let count = self.amount.of(size)?;
        let (_, kept) = self.norms(t, dim)?.topk(size as i64 - count, -1, true, true)?;
        match count {
            0 => Ok(default_mask.clone()),
            _ => keeping(t, dim, &kept, default_mask),
        }
    }
}

/// Prunes where a mask says so; see [`custom_from_mask`](super::custom_from_mask).
///
/// ```
/// use firebrick::nn::utils::prune::{self, PruningMethod};
/// use firebrick::prelude::*;
/// let method = prune::CustomFromMask::new(&Tensor::new([1.0f32, 0.0])?);
/// assert_eq!(method.prune(&Tensor::new([5.0f32, 6.0])?, None, None)?.to_vec::<f32>()?, [5.0, 0.0]);
/// # Ok::<_, firebrick::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct CustomFromMask {
    mask: Tensor,
}

impl CustomFromMask {
    /// Prunes where `mask` is zero.
    pub fn new(mask: &Tensor) -> Self {
        CustomFromMask { mask: mask.detach() }
    }
}

impl PruningMethod for CustomFromMask {
    fn pruning_type(&self) -> PruningType {
        PruningType::Global
    }

    fn compute_mask(&self, _: &Tensor, default_mask: &Tensor) -> Result<Tensor> {
        let (own, given) = (default_mask.shape(), self.mask.shape());
        if own != given {
            let message =
                format!("default_mask shape torch.Size({own:?}) must match self.mask shape torch.Size({given:?})");
            return Err(Error::runtime(OP, message));
        }
        default_mask.mul(&self.mask.to(default_mask.dtype())?)
    }
}
