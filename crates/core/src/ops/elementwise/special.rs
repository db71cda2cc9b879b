//! Error functions, the logistic function and its inverse, gamma and Bessel functions.

use super::fused;
use crate::backend::{Binary, Unary};
use crate::ops::ops;
use crate::ops::sample::{self, ANY, Domain, POSITIVE, UNIT};
use crate::{Error, Result, Tensor};
use std::f64::consts::{FRAC_1_SQRT_2, FRAC_2_SQRT_PI, PI};

/// Inside of the interval that `logit` is defined on.
const FRACTION: Domain = Domain { low: 0.15, high: 0.85 };
const FRAC_1_SQRT_2PI: f64 = 0.398_942_280_401_432_7;

fn logit_kernel(eps: Option<f64>) -> Unary {
    match eps {
        Some(eps) if eps >= 0.0 => Unary::LogitEps(eps),
        _ => Unary::Logit,
    }
}

/// Zero where the argument was clamped; outside 0 to 1 without clamping, NaN.
fn logit_grad(g: &Tensor, x: &Tensor, eps: Option<f64>) -> Result<Tensor> {
    let slope = g.div(&x.mul(&x.neg()?.add(1)?)?)?;
    let (low, outside) = match eps {
        Some(eps) if eps >= 0.0 => (eps, 0.0),
        _ => (0.0, f64::NAN),
    };
    slope.masked_fill(&x.lt(low)?.logical_or(&x.gt(1.0 - low)?)?, outside)
}

fn ndtr_of(x: &Tensor) -> Result<Tensor> {
    x.mul(FRAC_1_SQRT_2)?.erf()?.add(1)?.mul(0.5)
}

fn order(n: i64) -> Result<u32> {
    u32::try_from(n).map_err(|_| Error::runtime("polygamma", "polygamma(n, x) does not support negative n."))
}

ops! {
    table: SPECIAL;

    /// The error function `2 / sqrt(pi) * integral of e^(-t^2) from 0 to x`.
    ///
    /// ```
    /// # use firebrick_core::Tensor;
    /// assert_eq!(Tensor::new([0.0f32, 1.0, -0.5])?.erf()?.to_string(), "tensor([ 0.0000,  0.8427, -0.5205])");
    /// # Ok::<_, firebrick_core::Error>(())
    /// ```
    fn erf(x) -> Tensor as "ErfBackward0" {
        kernel: Unary::Erf,
        saves: [x],
        grads: { x: |g| g.mul(&x.mul(x)?.neg()?.exp()?.mul(FRAC_2_SQRT_PI)?) },
        in_place: erf_,
        samples: sample::unary(ANY, |x| x.erf()),
    }

    /// `1 - erf(x)`, accurate where it is small.
    ///
    /// ```
    /// # use firebrick_core::Tensor;
    /// let x = Tensor::new([0.0f64, 5.0])?;
    /// assert_eq!(x.erfc()?.to_string(), "tensor([1.0000e+00, 1.5375e-12], dtype=torch.float64)");
    /// # Ok::<_, firebrick_core::Error>(())
    /// ```
    fn erfc(x) -> Tensor as "ErfcBackward0" {
        kernel: Unary::Erfc,
        saves: [x],
        grads: { x: |g| g.mul(&x.mul(x)?.neg()?.exp()?.mul(-FRAC_2_SQRT_PI)?) },
        in_place: erfc_,
        samples: sample::unary(ANY, |x| x.erfc()),
    }

    /// The inverse of the error function; infinite at -1 and 1, NaN outside.
    ///
    /// ```
    /// # use firebrick_core::Tensor;
    /// assert_eq!(Tensor::new([0.5f32, 1.0, 2.0])?.erfinv()?.to_string(), "tensor([0.4769,    inf,    nan])");
    /// # Ok::<_, firebrick_core::Error>(())
    /// ```
    fn erfinv(x) -> Tensor as "ErfinvBackward0" {
        kernel: Unary::Erfinv,
        saves: [] -> y,
        grads: { x: |g| g.mul(&y.mul(y)?.exp()?.mul(1.0 / FRAC_2_SQRT_PI)?) },
        in_place: erfinv_,
        samples: sample::unary(UNIT, |x| x.erfinv()),
    }

    /// The logistic function `1 / (1 + e^-x)`.
    ///
    /// ```
    /// # use firebrick_core::Tensor;
    /// let x = Tensor::new([0.0f32, 2.0, -200.0])?;
    /// assert_eq!(x.sigmoid()?.to_string(), "tensor([0.5000, 0.8808, 0.0000])");
    /// # Ok::<_, firebrick_core::Error>(())
    /// ```
    fn sigmoid(x) -> Tensor as "SigmoidBackward0" {
        kernel: Unary::Sigmoid,
        saves: [] -> y,
        grads: { x: |g| fused(Binary::SigmoidGrad, g, y, || g.mul(&y.neg()?.add(1)?.mul(y)?)) },
        in_place: sigmoid_,
        samples: sample::unary(ANY, |x| x.sigmoid()),
    }

    /// `log(x / (1 - x))`, the inverse of [`Tensor::sigmoid`]; with `eps`, of `x` kept within `eps` to `1 - eps`.
    ///
    /// ```
    /// # use firebrick_core::Tensor;
    /// let x = Tensor::new([0.5f32, 0.9, 1.0])?;
    /// assert_eq!(x.logit(None)?.to_string(), "tensor([0.0000, 2.1972,    inf])");
    /// assert_eq!(x.logit(0.1)?.to_string(), "tensor([0.0000, 2.1972, 2.1972])");
    /// # Ok::<_, firebrick_core::Error>(())
    /// ```
    fn logit(x; eps: Option<f64>) -> Tensor as "LogitBackward0" {
        kernel: logit_kernel(*eps),
        saves: [x],
        grads: { x: |g| logit_grad(g, x, *eps) },
        in_place: logit_(1e-6) on [0.25f32, 1.0],
        samples: sample::unary(FRACTION, |x| x.logit(0.3)),
    }

    /// The logarithm of the gamma function's size.
    ///
    /// ```
    /// # use firebrick_core::Tensor;
    /// assert_eq!(Tensor::new([1.0f32, 5.0, -0.5])?.lgamma()?.to_string(), "tensor([0.0000, 3.1781, 1.2655])");
    /// # Ok::<_, firebrick_core::Error>(())
    /// ```
    fn lgamma(x) -> Tensor as "LgammaBackward0" {
        kernel: Unary::Lgamma,
        saves: [x],
        grads: { x: |g| g.mul(&x.digamma()?) },
        in_place: lgamma_,
        samples: sample::unary(POSITIVE, |x| x.lgamma()),
    }

    /// The derivative of [`Tensor::lgamma`].
    ///
    /// ```
    /// # use firebrick_core::Tensor;
    /// assert_eq!(Tensor::new([1.0f32, 2.0])?.digamma()?.to_string(), "tensor([-0.5772,  0.4228])");
    /// # Ok::<_, firebrick_core::Error>(())
    /// ```
    fn digamma(x) -> Tensor as "DigammaBackward0" {
        kernel: Unary::Digamma,
        saves: [x],
        grads: { x: |g| g.mul(&x.polygamma(1)?) },
        in_place: digamma_,
        samples: sample::unary(POSITIVE, |x| x.digamma()),
    }

    /// The derivative of [`Tensor::digamma`] of order `n`: PyTorch's `torch.polygamma(n, x)`.
    ///
    /// # Errors
    /// A negative order.
    ///
    /// ```
    /// # use firebrick_core::Tensor;
    /// assert_eq!(Tensor::new([1.0f32, 2.0])?.polygamma(1)?.to_string(), "tensor([1.6449, 0.6449])");
    /// # Ok::<_, firebrick_core::Error>(())
    /// ```
    fn polygamma(x; n: i64) -> Tensor as "PolygammaBackward0" {
        kernel: Unary::Polygamma(order(*n)?),
        saves: [x],
        grads: { x: |g| g.mul(&x.polygamma(n + 1)?) },
        in_place: polygamma_(1),
        samples: sample::unary(POSITIVE, |x| x.polygamma(1)),
    }

    /// `sin(pi x) / (pi x)`, 1 at zero.
    ///
    /// ```
    /// # use firebrick_core::Tensor;
    /// assert_eq!(Tensor::new([0.0f32, 0.5, 1.5])?.sinc()?.to_string(), "tensor([ 1.0000,  0.6366, -0.2122])");
    /// # Ok::<_, firebrick_core::Error>(())
    /// ```
    fn sinc(x) -> Tensor as "SincBackward0" {
        kernel: Unary::Sinc,
        saves: [x],
        grads: { x: |g| {
            let angle = x.mul(PI)?;
            let slope = angle.cos()?.mul(&angle)?.sub(&angle.sin()?)?.div(&x.mul(x)?.mul(PI)?)?;
            g.mul(&slope.masked_fill(&x.eq(0)?, 0)?)
        } },
        in_place: sinc_,
        samples: sample::unary(ANY, |x| x.sinc()),
    }

    /// The modified Bessel function of the first kind and order zero.
    ///
    /// ```
    /// # use firebrick_core::Tensor;
    /// assert_eq!(Tensor::new([0.0f32, 1.0, 2.0])?.i0()?.to_string(), "tensor([1.0000, 1.2661, 2.2796])");
    /// # Ok::<_, firebrick_core::Error>(())
    /// ```
    fn i0(x) -> Tensor as "I0Backward0" {
        kernel: Unary::I0,
        saves: [x],
        grads: { x: |g| g.mul(&x.i1()?) },
        in_place: i0_,
        samples: sample::unary(ANY, |x| x.i0()),
    }

    /// The modified Bessel function of the first kind and order one: `torch.special.i1`.
    ///
    /// ```
    /// # use firebrick_core::Tensor;
    /// assert_eq!(Tensor::new([0.0f32, 1.0, 2.0])?.i1()?.to_string(), "tensor([0.0000, 0.5652, 1.5906])");
    /// # Ok::<_, firebrick_core::Error>(())
    /// ```
    fn i1(x) -> Tensor as "SpecialI1Backward0" {
        kernel: Unary::I1,
        saves: [x] -> y,
        grads: { x: |g| {
            let zero = x.eq(0)?;
            let ratio = y.div(&x.masked_fill(&zero, 1)?)?.masked_fill(&zero, 0.5)?;
            g.mul(&x.i0()?.sub(&ratio)?)
        } },
        samples: sample::unary(ANY, |x| x.i1()),
    }

    /// The standard normal distribution function: `torch.special.ndtr`.
    ///
    /// As in PyTorch it is `(1 + erf(x / sqrt(2))) / 2`, so that it is 0 far below zero.
    ///
    /// ```
    /// # use firebrick_core::Tensor;
    /// assert_eq!(Tensor::new([0.0f32, 1.0, -2.0])?.ndtr()?.to_string(), "tensor([0.5000, 0.8413, 0.0228])");
    /// # Ok::<_, firebrick_core::Error>(())
    /// ```
    fn ndtr(x) -> Tensor as "MulBackward1" {
        forward: ndtr_of(&x.detach()),
        saves: [x],
        grads: { x: |g| {
            let scaled = x.mul(FRAC_1_SQRT_2)?;
            g.mul(0.5)?.mul(&scaled.mul(&scaled)?.neg()?.exp()?.mul(FRAC_2_SQRT_PI)?)?.mul(FRAC_1_SQRT_2)
        } },
        samples: sample::unary(ANY, |x| x.ndtr()),
    }

    /// The logarithm of [`Tensor::ndtr`]: `torch.special.log_ndtr`.
    ///
    /// ```
    /// # use firebrick_core::Tensor;
    /// assert_eq!(Tensor::new([0.0f32, -20.0])?.log_ndtr()?.to_string(), "tensor([  -0.6931, -203.9172])");
    /// # Ok::<_, firebrick_core::Error>(())
    /// ```
    fn log_ndtr(x) -> Tensor as "SpecialLogNdtrBackward0" {
        kernel: Unary::LogNdtr,
        saves: [x] -> y,
        grads: { x: |g| g.mul(&x.mul(x)?.mul(-0.5)?.sub(y)?.exp()?.mul(FRAC_1_SQRT_2PI)?) },
        samples: sample::unary(ANY, |x| x.log_ndtr()),
    }

    /// `-x log(x)`, 0 at zero and `-inf` below: `torch.special.entr`.
    ///
    /// ```
    /// # use firebrick_core::Tensor;
    /// assert_eq!(Tensor::new([0.0f32, 0.5, -1.0])?.entr()?.to_string(), "tensor([0.0000, 0.3466,   -inf])");
    /// # Ok::<_, firebrick_core::Error>(())
    /// ```
    fn entr(x) -> Tensor as "SpecialEntrBackward0" {
        kernel: Unary::Entr,
        saves: [x],
        grads: { x: |g| g.mul(&x.log()?.neg()?.sub(1)?) },
        samples: sample::unary(POSITIVE, |x| x.entr()),
    }
}
