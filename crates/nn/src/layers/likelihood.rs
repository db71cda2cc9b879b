//! Negative log likelihoods as modules.

use super::loss::losses;
use crate::{Core, Forward, Module, functional};
use firebrick_core::{Reduction, Result, Tensor};

losses! {
    /// Negative log likelihood of counts under Poisson distributions: `exp(x) - t x`; see
    /// [`poisson_nll_loss`](crate::functional::poisson_nll_loss).
    ///
    /// # Shapes
    /// Two tensors whose shapes broadcast.
    ///
    /// # Errors
    /// Shapes that do not broadcast.
    ///
    /// ```
    /// use firebrick::prelude::*;
    /// let loss = nn::PoissonNLLLoss::new().log_input(false).eps(0.0);
    /// assert_eq!(loss.call((Tensor::ones([1])?, Tensor::ones([1])?))?.item::<f32>()?, 1.0);
    /// # Ok::<_, firebrick::Error>(())
    /// ```
    PoissonNLLLoss {
        /// Is the input the logarithm of the mean? It is unless set.
        log_input: bool = true,
        /// Is Stirling's approximation of `ln t!` added?
        full: bool = false,
        /// What is added to a mean before its logarithm is taken; 1e-8 unless set.
        eps: f64 = 1e-8,
        /// What becomes of the elements' losses; their mean unless set.
        reduction: Reduction = Reduction::Mean,
    } |this, input, target| {
        functional::poisson_nll_loss(input, target, this.log_input, this.full, this.eps, this.reduction)
    };

    /// Negative log likelihood under normal distributions: `(ln v + (x - t)^2 / v) / 2`; see
    /// [`gaussian_nll_loss`](crate::functional::gaussian_nll_loss).
    ///
    /// # Shapes
    /// Mean, target and variance; the last of the input's shape, or without or with 1 as its last size.
    ///
    /// # Errors
    /// A negative variance; shapes that do not fit.
    ///
    /// ```
    /// use firebrick::prelude::*;
    /// let (x, t, v) = (Tensor::ones([1])?, Tensor::zeros([1])?, Tensor::ones([1])?);
    /// assert_eq!(nn::GaussianNLLLoss::new().call((&x, &t, &v))?.item::<f32>()?, 0.5);
    /// # Ok::<_, firebrick::Error>(())
    /// ```
    GaussianNLLLoss {
        /// Is the constant `ln(2 pi) / 2` added?
        full: bool = false,
        /// The least variance; 1e-6 unless set.
        eps: f64 = 1e-6,
        /// What becomes of the elements' losses; their mean unless set.
        reduction: Reduction = Reduction::Mean,
    } |this, input, target, var| {
        functional::gaussian_nll_loss(input, target, var, this.full, this.eps, this.reduction)
    };
}
