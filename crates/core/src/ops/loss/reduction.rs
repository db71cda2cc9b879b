//! What becomes of the losses of the elements.

use crate::{Error, Result, Tensor};
use std::fmt;
use std::str::FromStr;

/// What becomes of the losses of the elements: PyTorch's `reduction` argument, of the same names.
///
/// ```
/// # use firebrick_core::Reduction;
/// assert_eq!("batchmean".parse::<Reduction>()?, Reduction::BatchMean);
/// assert_eq!(Reduction::default().to_string(), "mean");
/// let error = "average".parse::<Reduction>().map_err(|e| e.to_string());
/// assert_eq!(error, Err("average is not a valid value for reduction".to_owned()));
/// # Ok::<_, firebrick_core::Error>(())
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Reduction {
    /// They stay as they are.
    None,
    /// Their mean.
    #[default]
    Mean,
    /// Their sum.
    Sum,
    /// Their sum over the size of the batch: what [`Tensor::kl_div`] calls the mean.
    BatchMean,
}

impl Reduction {
    /// Refuses the reduction that only `kl_div` knows.
    pub(crate) fn checked(self, op: &'static str) -> Result<Reduction> {
        if self == Reduction::BatchMean { Err(invalid(op, "batchmean")) } else { Ok(self) }
    }

    /// Applies it to losses by element.
    pub(crate) fn apply(self, losses: Tensor) -> Result<Tensor> {
        match self {
            Reduction::None => Ok(losses),
            Reduction::Mean => losses.mean(),
            Reduction::Sum => losses.sum(),
            Reduction::BatchMean => {
                let batch = if losses.dim() == 0 { 1 } else { losses.size(0)? };
                losses.sum()?.div(batch as f64)
            }
        }
    }
}

fn invalid(op: &'static str, name: &str) -> Error {
    Error::value(op, format!("{name} is not a valid value for reduction")).expected("none, mean or sum")
}

impl fmt::Display for Reduction {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Reduction::None => "none",
            Reduction::Mean => "mean",
            Reduction::Sum => "sum",
            Reduction::BatchMean => "batchmean",
        })
    }
}

impl FromStr for Reduction {
    type Err = Error;

    fn from_str(name: &str) -> Result<Self> {
        match name {
            "none" => Ok(Reduction::None),
            "mean" => Ok(Reduction::Mean),
            "sum" => Ok(Reduction::Sum),
            "batchmean" => Ok(Reduction::BatchMean),
            other => Err(invalid("reduction", other)),
        }
    }
}
