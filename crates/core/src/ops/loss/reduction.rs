//! What becomes of a loss per element.

use crate::{Error, Result, Tensor};

/// PyTorch's `reduction` argument.
///
/// ```
/// # use firebrick_core::{Reduction, Tensor};
/// let (x, zero) = (Tensor::new([1.0f32, 3.0])?, Tensor::zeros([2])?);
/// assert_eq!(x.mse_loss(&zero, Reduction::None)?.to_vec::<f32>()?, [1.0, 9.0]);
/// assert_eq!(x.mse_loss(&zero, Reduction::Mean)?.item::<f32>()?, 5.0);
/// assert_eq!(x.mse_loss(&zero, Reduction::Sum)?.item::<f32>()?, 10.0);
/// # Ok::<_, firebrick_core::Error>(())
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Reduction {
    /// Every element for itself.
    None,
    /// Their mean; in cross entropy weighted by class.
    #[default]
    Mean,
    /// Their sum.
    Sum,
}

impl Reduction {
    /// PyTorch's name: `none`, `mean` or `sum`.
    ///
    /// ```
    /// # use firebrick_core::Reduction;
    /// assert_eq!(Reduction::Mean.name(), "mean");
    /// ```
    pub const fn name(self) -> &'static str {
        match self {
            Reduction::None => "none",
            Reduction::Mean => "mean",
            Reduction::Sum => "sum",
        }
    }

    /// The reduction of this name.
    ///
    /// # Errors
    /// There is none.
    ///
    /// ```
    /// # use firebrick_core::Reduction;
    /// assert_eq!(Reduction::from_name("sum")?, Reduction::Sum);
    /// # Ok::<_, firebrick_core::Error>(())
    /// ```
    pub fn from_name(name: &str) -> Result<Self> {
        [Reduction::None, Reduction::Mean, Reduction::Sum]
            .into_iter()
            .find(|reduction| reduction.name() == name)
            .ok_or_else(|| Error::value("reduction", format!("{name} is not a valid value for reduction")))
    }

    /// The losses of the elements, reduced.
    ///
    /// ```
    /// # use firebrick_core::{Reduction, Tensor};
    /// assert_eq!(Reduction::Sum.apply(&Tensor::new([1.0f32, 2.0])?)?.item::<f32>()?, 3.0);
    /// # Ok::<_, firebrick_core::Error>(())
    /// ```
    pub fn apply(self, loss: &Tensor) -> Result<Tensor> {
        match self {
            Reduction::None => Ok(loss.clone()),
            Reduction::Mean => loss.mean(),
            Reduction::Sum => loss.sum(),
        }
    }
}
