//! Negative log likelihoods of counts and of normal numbers.

use firebrick_core::amp::autocast_cast as cast;
use firebrick_core::autograd::no_grad;
use firebrick_core::{Error, Operand, Reduction, Result, Tensor};
use std::f64::consts::TAU;

/// Negative log likelihood of counts `target` under a Poisson distribution: `exp(x) - t x` for the logarithm `x` of its
/// mean, or with `log_input` off `x - t ln(x + eps)` for the mean itself.
///
/// `full` adds Stirling's approximation of `ln t!` where `t > 1`: `t ln t - t + ln(2 pi t) / 2`. PyTorch's defaults are
/// `true`, `false`, 1e-8 and the mean.
///
/// # Errors
/// Shapes that do not broadcast.
///
/// ```
/// use firebrick::nn::functional as F;
/// use firebrick::prelude::*;
/// let (x, t) = (Tensor::new([0.0f32])?, Tensor::new([3.0f32])?);
/// assert_eq!(F::poisson_nll_loss(&x, &t, true, false, 1e-8, nn::Reduction::Mean)?.item::<f32>()?, 1.0);
/// # Ok::<_, firebrick::Error>(())
/// ```
pub fn poisson_nll_loss(
    input: &Tensor,
    target: &Tensor,
    log_input: bool,
    full: bool,
    eps: f64,
    reduction: Reduction,
) -> Result<Tensor> {
    let (input, target) = (&cast("poisson_nll_loss", input)?, &cast("poisson_nll_loss", target)?);
    let losses = match log_input {
        true => input.exp()?.sub(&target.mul(input)?)?,
        false => input.sub(&target.mul(&input.add(eps)?.log()?)?)?,
    };
    if !full {
        return reduction.apply(&losses);
    }
    let stirling = target.mul(&target.log()?)?.sub(target)?.add(&target.mul(TAU)?.log()?.mul(0.5)?)?;
    reduction.apply(&losses.add(&stirling.masked_fill(&target.le(1)?, 0)?)?)
}

/// Negative log likelihood of `target` under normal distributions of mean `input` and variance `var`:
/// `(ln v + (x - t)^2 / v) / 2`, with `v` no lower than `eps`; `full` adds `ln(2 pi) / 2`.
///
/// The bound of `v` leaves its gradient alone. PyTorch's defaults are `false`, 1e-6 and the mean. Nix and Weigend,
/// *Estimating the Mean and Variance of the Target Probability Distribution*, ICNN (1994).
///
/// # Shapes
/// `input` and `target` broadcast. `var` is a number, of the input's shape, without its last size, or with 1 as one size.
///
/// # Errors
/// A negative variance, or variances of another shape.
///
/// ```
/// use firebrick::nn::functional as F;
/// use firebrick::prelude::*;
/// let (x, t) = (Tensor::new([1.0f32])?, Tensor::new([3.0f32])?);
/// assert_eq!(F::gaussian_nll_loss(&x, &t, 1.0, false, 1e-6, nn::Reduction::Mean)?.item::<f32>()?, 2.0);
/// # Ok::<_, firebrick::Error>(())
/// ```
pub fn gaussian_nll_loss(
    input: &Tensor,
    target: &Tensor,
    var: impl Operand,
    full: bool,
    eps: f64,
    reduction: Reduction,
) -> Result<Tensor> {
    let var = variances(input, var.into_operand()?)?.copy()?;
    no_grad(|| var.clamp_min_(eps).map(drop))?;
    let distance = input.sub(target)?;
    let losses = var.log()?.add(&distance.mul(&distance)?.div(&var)?)?.mul(0.5)?;
    reduction.apply(&if full { losses.add(0.5 * TAU.ln())? } else { losses })
}

/// The variances in a shape that broadcasts against the input.
fn variances(input: &Tensor, var: Tensor) -> Result<Tensor> {
    const OP: &str = "gaussian_nll_loss";
    if var.lt(0)?.any()?.value_or(false)? {
        return Err(Error::value(OP, "var has negative entry/entries"));
    }
    let (shape, given) = (input.shape(), var.shape());
    let front = &shape[..shape.len().saturating_sub(1)];
    if given == shape {
        return Ok(var);
    }
    if given.is_empty() && !front.is_empty() {
        // A number for all.
        return input.detach().ones_like()?.mul(&var);
    }
    let other: usize = shape.iter().zip(given.iter()).filter(|(a, b)| a != b).map(|(_, &size)| size).sum();
    match given[..] == *front {
        true => var.unsqueeze(-1),
        // One dimension of size 1, whichever it is, is shared by all of the input's.
        false if given.len() == shape.len() && other == 1 => Ok(var),
        false => Err(Error::value(OP, "var is of incorrect size").given(given.to_string()).expected(shape.to_string())),
    }
}
