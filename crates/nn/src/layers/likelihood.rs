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
    /// let loss = || nn::PoissonNLLLoss::new().log_input(false).eps(0.0);
    /// let (x, t) = (Tensor::new([1.0f32, 2.0])?, Tensor::new([1.0f32, 3.0])?);
    /// assert_eq!(loss().call((&x, &t))?.to_string(), "tensor(0.4603)");
    /// let each = || loss().reduction(nn::Reduction::None);
    /// assert_eq!(each().call((&x, &t))?.to_string(), "tensor([ 1.0000, -0.0794])");
    /// assert_eq!(each().full(true).call((&x, &t))?.to_string(), "tensor([1.0000, 1.6846])"); // counts above 1 only
    /// # Ok::<_, firebrick::Error>(())
    /// ```
    PoissonNLLLoss {
        /// Is the input the logarithm of the mean? It is unless set.
        log_input: bool = true,
        /// Is Stirling's approximation of `ln t!` added? It is not unless set.
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
    /// let (x, t, v) = (Tensor::new([1.0f32, 3.0])?, Tensor::new([0.0f32, 1.0])?, Tensor::new([1.0f32, 4.0])?);
    /// assert_eq!(nn::GaussianNLLLoss::new().call((&x, &t, &v))?.to_string(), "tensor(0.8466)");
    /// let each = || nn::GaussianNLLLoss::new().reduction(nn::Reduction::None);
    /// assert_eq!(each().call((&x, &t, &v))?.to_string(), "tensor([0.5000, 1.1931])");
    /// assert_eq!(each().full(true).call((&x, &t, &v))?.to_string(), "tensor([1.4189, 2.1121])");
    /// assert_eq!(each().eps(4.0).call((&x, &t, &v))?.to_string(), "tensor([0.8181, 1.1931])");
    /// # Ok::<_, firebrick::Error>(())
    /// ```
    GaussianNLLLoss {
        /// Is the constant `ln(2 pi) / 2` added? It is not unless set.
        full: bool = false,
        /// The least variance; 1e-6 unless set.
        eps: f64 = 1e-6,
        /// What becomes of the elements' losses; their mean unless set.
        reduction: Reduction = Reduction::Mean,
    } |this, input, target, var| {
        functional::gaussian_nll_loss(input, target, var, this.full, this.eps, this.reduction)
    };
}
