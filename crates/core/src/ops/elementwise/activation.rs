//! Activation functions, with the defaults of `torch.nn.functional` left to the caller.
//!
//! Each gradient is one kernel where nothing records, and a composed formula for the graph of a gradient.

use super::fused;
use crate::backend::cpu::math::activation::{SELU_ALPHA, SELU_SCALE};
use crate::backend::{Binary, Unary};
use crate::ops::sample::{self, ANY, Domain};
use crate::ops::{composed, ops};
use crate::{DType, Error, Result, Tensor};
use std::f64::consts::{FRAC_1_SQRT_2, FRAC_2_SQRT_PI};

/// Both sides of the bounds at -3 and 3.
const WIDE: Domain = Domain { low: -5.0, high: 5.5 };

fn elu_grad(g: &Tensor, x: &Tensor, alpha: f64, scale: f64, input_scale: f64) -> Result<Tensor> {
    fused(Binary::EluGrad(alpha, scale, input_scale), g, x, || {
        // Clamped, so that no infinity from above zero meets the mask in the second derivative.
        let below = x.clamp_max(0)?.mul(input_scale)?.exp()?.mul(alpha * scale * input_scale)?;
        g.mul(&below)?.where_self(&x.le(0)?, g.mul(scale)?)
    })
}

fn hardtanh_kernel(x: &Tensor, min_val: f64, max_val: f64) -> Result<Unary> {
    if min_val > max_val {
        return Err(Error::value("hardtanh", "min_val cannot be greater than max_val"));
    }
    // Unsigned numbers are never below: PyTorch raises a negative limit to zero.
    let low = if x.dtype() == DType::U8 { min_val.max(0.0) } else { min_val };
    Ok(Unary::Hardtanh(low, max_val))
}

fn outside(x: &Tensor, low: f64, high: f64) -> Result<Tensor> {
    x.le(low)?.logical_or(&x.ge(high)?)
}

fn gelu_kernel(approximate: &str) -> Result<Unary> {
    match approximate {
        "none" => Ok(Unary::Gelu),
        "tanh" => Ok(Unary::GeluTanh),
        _ => Err(Error::runtime("gelu", "approximate argument must be either none or tanh.")),
    }
}

fn gelu_grad(g: &Tensor, x: &Tensor, approximate: &str) -> Result<Tensor> {
    if approximate == "none" {
        return fused(Binary::GeluGrad, g, x, || {
            let below = x.mul(-FRAC_1_SQRT_2)?.erfc()?.mul(0.5)?;
            let density = x.mul(x)?.mul(-0.5)?.exp()?.mul(0.5 * FRAC_1_SQRT_2 * FRAC_2_SQRT_PI)?;
            g.mul(&x.mul(&density)?.add(&below)?)
        });
    }
    fused(Binary::GeluTanhGrad, g, x, || {
        const BETA: f64 = 2.0 * FRAC_1_SQRT_2 * FRAC_2_SQRT_PI;
        const KAPPA: f64 = 0.044_715;
        // x sigmoid(v), where v is twice the hyperbolic tangent's argument.
        let square = x.mul(x)?;
        let s = x.mul(&square.mul(KAPPA)?.add(1)?)?.mul(BETA)?.sigmoid()?;
        let slope = square.mul(3.0 * KAPPA)?.add(1)?.mul(BETA)?;
        g.mul(&x.mul(&s)?.mul(&s.neg()?.add(1)?)?.mul(&slope)?.add(&s)?)
    })
}

fn mish_grad(g: &Tensor, x: &Tensor) -> Result<Tensor> {
    fused(Binary::MishGrad, g, x, || {
        let t = x.softplus(1.0, 20.0)?.tanh()?;
        let rest = t.mul(&t)?.neg()?.add(1)?;
        g.mul(&x.mul(&x.sigmoid()?)?.mul(&rest)?.add(&t)?)
    })
}

fn hardswish_grad(g: &Tensor, x: &Tensor) -> Result<Tensor> {
    fused(Binary::HardswishGrad, g, x, || {
        let middle = g.mul(&x.div(3.0)?.add(0.5)?)?.masked_fill(&x.le(-3)?, 0)?;
        g.where_self(&x.ge(3)?, middle)
    })
}

fn softplus_grad(g: &Tensor, x: &Tensor, beta: f64, threshold: f64) -> Result<Tensor> {
    fused(Binary::SoftplusGrad(beta, threshold), g, x, || {
        let scaled = x.mul(beta)?;
        g.where_self(&scaled.gt(threshold)?, g.mul(&scaled.sigmoid()?)?)
    })
}

fn shrink_grad(g: &Tensor, x: &Tensor, lambd: f64) -> Result<Tensor> {
    fused(Binary::ShrinkGrad(lambd), g, x, || g.where_self(&x.gt(lambd)?.logical_or(&x.lt(-lambd)?)?, 0))
}

fn softshrink_kernel(x: &Tensor, lambd: f64) -> Result<Unary> {
    if (lambd < 0.0 || lambd.is_nan()) && x.is_floating_point() {
        return Err(Error::runtime(
            "softshrink",
            format!(
                "lambda must be in range [0, {}] for input dtype {}, but found {lambd}",
                largest(x.dtype()),
                x.dtype().scalar_name()
            ),
        ));
    }
    Ok(Unary::Softshrink(lambd))
}

/// The largest number of a dtype, to six digits as C++ prints it.
fn largest(dtype: DType) -> &'static str {
    match dtype {
        DType::F16 => "65504",
        DType::BF16 => "3.38953e+38",
        DType::F64 => "1.79769e+308",
        _ => "3.40282e+38",
    }
}

fn celu_kernel(alpha: f64) -> Result<Unary> {
    if alpha == 0.0 {
        return Err(Error::runtime("celu", "ZeroDivisionError: alpha cannot be 0 for CELU"));
    }
    Ok(Unary::Elu(alpha, 1.0, 1.0 / alpha))
}

ops! {
    table: ACTIVATION;

    /// `max(x, 0)` element by element; NaN stays NaN. The gradient at zero is zero.
    ///
    /// ```
    /// # use firebrick_core::Tensor;
    /// let x = Tensor::new([-2.0f32, 0.0, 3.0])?;
    /// assert_eq!(x.relu()?.to_vec::<f32>()?, [0.0, 0.0, 3.0]);
    /// # Ok::<_, firebrick_core::Error>(())
    /// ```
    fn relu(x) -> Tensor as "ReluBackward0" {
        kernel: Unary::Relu,
        saves: [] -> y,
        grads: { x: |g| fused(Binary::ReluGrad, g, y, || g.masked_fill(&y.le(0)?, 0)) },
        in_place: relu_,
        samples: sample::unary(ANY, |x| x.relu()),
    }

    /// `x` within `min_val` to `max_val`. The gradient is zero at the bounds.
    ///
    /// # Errors
    /// `min_val` above `max_val`.
    ///
    /// ```
    /// # use firebrick_core::Tensor;
    /// assert_eq!(Tensor::new([-2.0f32, 0.5, 3.0])?.hardtanh(-1.0, 1.0)?.to_vec::<f32>()?, [-1.0, 0.5, 1.0]);
    /// # Ok::<_, firebrick_core::Error>(())
    /// ```
    fn hardtanh(x; min_val: f64, max_val: f64) -> Tensor as "HardtanhBackward0" {
        kernel: hardtanh_kernel(x, *min_val, *max_val)?,
        saves: [x],
        grads: { x: |g| fused(Binary::HardtanhGrad(*min_val, *max_val), g, x, || {
            g.masked_fill(&outside(x, *min_val, *max_val)?, 0)
        }) },
        in_place: hardtanh_(-0.25, 1.0),
        samples: sample::unary(ANY, |x| x.hardtanh(-0.9, 1.1)),
    }

    /// `x`, times `negative_slope` below zero.
    ///
    /// ```
    /// # use firebrick_core::Tensor;
    /// assert_eq!(Tensor::new([-2.0f32, 3.0])?.leaky_relu(0.1)?.to_vec::<f32>()?, [-0.2, 3.0]);
    /// # Ok::<_, firebrick_core::Error>(())
    /// ```
    fn leaky_relu(x; negative_slope: f64) -> Tensor as "LeakyReluBackward0" {
        kernel: Unary::LeakyRelu(*negative_slope),
        saves: [x],
        grads: { x: |g| fused(Binary::LeakyReluGrad(*negative_slope), g, x, || {
            g.where_self(&x.gt(0)?, g.mul(*negative_slope)?)
        }) },
        in_place: leaky_relu_(0.1) as "LeakyReluBackward1",
        samples: sample::unary(ANY, |x| x.leaky_relu(0.1)),
    }

    /// `x` above `limit`, PyTorch's `threshold`, else `value`.
    ///
    /// ```
    /// # use firebrick_core::Tensor;
    /// assert_eq!(Tensor::new([0.5f32, 2.0])?.threshold(1.0, -7.0)?.to_vec::<f32>()?, [-7.0, 2.0]);
    /// # Ok::<_, firebrick_core::Error>(())
    /// ```
    fn threshold(x; limit: f64, value: f64) -> Tensor as "ThresholdBackward0" {
        kernel: Unary::Threshold(*limit, *value),
        saves: [x],
        grads: { x: |g| fused(Binary::ThresholdGrad(*limit), g, x, || g.masked_fill(&x.le(*limit)?, 0)) },
        in_place: threshold_(0.0, 7.0) as "ThresholdBackward1",
        samples: sample::unary(ANY, |x| x.threshold(0.3, 5.0)),
    }

    /// `x` above zero, `alpha (e^x - 1)` below. Clevert et al., *ELU*, ICLR 2016.
    ///
    /// ```
    /// # use firebrick_core::Tensor;
    /// assert_eq!(Tensor::new([-1.0f32, 2.0])?.elu(1.0)?.to_string(), "tensor([-0.6321,  2.0000])");
    /// # Ok::<_, firebrick_core::Error>(())
    /// ```
    fn elu(x; alpha: f64) -> Tensor as "EluBackward0" {
        kernel: Unary::Elu(*alpha, 1.0, 1.0),
        saves: [x],
        grads: { x: |g| elu_grad(g, x, *alpha, 1.0, 1.0) },
        in_place: elu_(1.0) as "EluBackward1",
        samples: sample::unary(ANY, |x| x.elu(1.3)),
    }

    /// [`Tensor::elu`] times 1.0507 with `alpha = 1.6733`, which keep mean 0 and variance 1 from layer to layer.
    /// Klambauer et al., *Self-Normalizing Neural Networks*, NIPS 2017.
    ///
    /// ```
    /// # use firebrick_core::Tensor;
    /// assert_eq!(Tensor::new([-1.0f32, 2.0])?.selu()?.to_string(), "tensor([-1.1113,  2.1014])");
    /// # Ok::<_, firebrick_core::Error>(())
    /// ```
    fn selu(x) -> Tensor as "EluBackward0" {
        kernel: Unary::Elu(SELU_ALPHA, SELU_SCALE, 1.0),
        saves: [x],
        grads: { x: |g| elu_grad(g, x, SELU_ALPHA, SELU_SCALE, 1.0) },
        in_place: selu_ as "EluBackward1",
        samples: sample::unary(ANY, |x| x.selu()),
    }

    /// `max(x, 0) + min(alpha (e^(x / alpha) - 1), 0)`. Barron, *CELU* (2017).
    ///
    /// # Errors
    /// `alpha` is zero.
    ///
    /// ```
    /// # use firebrick_core::Tensor;
    /// assert_eq!(Tensor::new([-1.0f32, 2.0])?.celu(2.0)?.to_string(), "tensor([-0.7869,  2.0000])");
    /// # Ok::<_, firebrick_core::Error>(())
    /// ```
    fn celu(x; alpha: f64) -> Tensor as "CeluBackward0" {
        kernel: celu_kernel(*alpha)?,
        saves: [x],
        grads: { x: |g| elu_grad(g, x, *alpha, 1.0, 1.0 / alpha) },
        in_place: celu_(2.0) as "CeluBackward1",
        samples: sample::unary(ANY, |x| x.celu(1.3)),
    }

    /// `x P(Z < x)` for a standard normal `Z`. `approximate` is `"none"` or `"tanh"`. Hendrycks and Gimpel, *GELU* (2016).
    ///
    /// # Errors
    /// Another `approximate`; a dtype without fractions.
    ///
    /// ```
    /// # use firebrick_core::Tensor;
    /// let x = Tensor::new([-1.0f32, 0.0, 1.0])?;
    /// assert_eq!(x.gelu("none")?.to_string(), "tensor([-0.1587,  0.0000,  0.8413])");
    /// assert_eq!(x.gelu("tanh")?.to_string(), "tensor([-0.1588,  0.0000,  0.8412])");
    /// # Ok::<_, firebrick_core::Error>(())
    /// ```
    fn gelu(x; approximate: String) -> Tensor as "GeluBackward0" {
        kernel: gelu_kernel(approximate)?,
        saves: [x],
        grads: { x: |g| gelu_grad(g, x, approximate) },
        in_place: gelu_("none"),
        samples: {
            let mut samples = sample::unary(ANY, |x| x.gelu("none"))?;
            samples.extend(sample::unary(ANY, |x| x.gelu("tanh"))?);
            Ok(samples)
        },
    }

    /// `x sigmoid(x)`.
    ///
    /// ```
    /// # use firebrick_core::Tensor;
    /// let x = Tensor::new([-1.0f32, 0.0, 1.0])?;
    /// assert_eq!(x.silu()?.to_string(), "tensor([-0.2689,  0.0000,  0.7311])");
    /// # Ok::<_, firebrick_core::Error>(())
    /// ```
    fn silu(x) -> Tensor as "SiluBackward0" {
        kernel: Unary::Silu,
        saves: [x],
        grads: { x: |g| fused(Binary::SiluGrad, g, x, || {
            let s = x.sigmoid()?;
            g.mul(&s.mul(&x.mul(&s.neg()?.add(1)?)?.add(1)?)?)
        }) },
        in_place: silu_,
        samples: sample::unary(ANY, |x| x.silu()),
    }

    /// `x tanh(softplus(x))`. Misra, *Mish* (2019).
    ///
    /// ```
    /// # use firebrick_core::Tensor;
    /// let x = Tensor::new([-1.0f32, 0.0, 1.0])?;
    /// assert_eq!(x.mish()?.to_string(), "tensor([-0.3034,  0.0000,  0.8651])");
    /// # Ok::<_, firebrick_core::Error>(())
    /// ```
    fn mish(x) -> Tensor as "MishBackward0" {
        kernel: Unary::Mish,
        saves: [x],
        grads: { x: |g| mish_grad(g, x) },
        in_place: mish_,
        samples: sample::unary(ANY, |x| x.mish()),
    }

    /// `log(1 + e^(beta x)) / beta`, and `x` where `beta x` is above `threshold`.
    ///
    /// ```
    /// # use firebrick_core::Tensor;
    /// let x = Tensor::new([-1.0f32, 0.0, 30.0])?;
    /// assert_eq!(x.softplus(1.0, 20.0)?.to_string(), "tensor([ 0.3133,  0.6931, 30.0000])");
    /// # Ok::<_, firebrick_core::Error>(())
    /// ```
    fn softplus(x; beta: f64, threshold: f64) -> Tensor as "SoftplusBackward0" {
        kernel: Unary::Softplus(*beta, *threshold),
        saves: [x],
        grads: { x: |g| softplus_grad(g, x, *beta, *threshold) },
        samples: sample::unary(ANY, |x| x.softplus(2.0, 2.5)),
    }

    /// `log(sigmoid(x))` without cancellation.
    ///
    /// ```
    /// # use firebrick_core::Tensor;
    /// assert_eq!(Tensor::new([-200.0f32, 0.0])?.logsigmoid()?.to_string(), "tensor([-200.0000,   -0.6931])");
    /// # Ok::<_, firebrick_core::Error>(())
    /// ```
    fn logsigmoid(x) -> Tensor as "LogSigmoidBackward0" {
        kernel: Unary::LogSigmoid,
        saves: [x],
        grads: { x: |g| fused(Binary::LogSigmoidGrad, g, x, || g.mul(&x.neg()?.sigmoid()?)) },
        samples: sample::unary(ANY, |x| x.logsigmoid()),
    }

    /// `min(max(x + 3, 0), 6) / 6`.
    ///
    /// ```
    /// # use firebrick_core::Tensor;
    /// let x = Tensor::new([-4.0f32, 0.0, 1.5, 4.0])?;
    /// assert_eq!(x.hardsigmoid()?.to_vec::<f32>()?, [0.0, 0.5, 0.75, 1.0]);
    /// # Ok::<_, firebrick_core::Error>(())
    /// ```
    fn hardsigmoid(x) -> Tensor as "HardsigmoidBackward0" {
        kernel: Unary::Hardsigmoid,
        saves: [x],
        grads: { x: |g| fused(Binary::HardsigmoidGrad, g, x, || {
            // As the kernel: in f64 too PyTorch's sixth is that of an f32.
            g.mul(f64::from(1.0f32 / 6.0))?.masked_fill(&outside(x, -3.0, 3.0)?, 0)
        }) },
        in_place: hardsigmoid_,
        samples: sample::unary(WIDE, |x| x.hardsigmoid()),
    }

    /// `x min(max(x + 3, 0), 6) / 6`. Howard et al., *MobileNetV3*, ICCV 2019.
    ///
    /// ```
    /// # use firebrick_core::Tensor;
    /// let x = Tensor::new([-4.0f32, 0.0, 1.5, 4.0])?;
    /// assert_eq!(x.hardswish()?.to_vec::<f32>()?, [0.0, 0.0, 1.125, 4.0]);
    /// # Ok::<_, firebrick_core::Error>(())
    /// ```
    fn hardswish(x) -> Tensor as "HardswishBackward0" {
        kernel: Unary::Hardswish,
        saves: [x],
        grads: { x: |g| hardswish_grad(g, x) },
        in_place: hardswish_,
        samples: sample::unary(WIDE, |x| x.hardswish()),
    }

    /// `x`, but 0 from `-lambd` to `lambd`.
    ///
    /// ```
    /// # use firebrick_core::Tensor;
    /// assert_eq!(Tensor::new([-2.0f32, 0.4, 0.6])?.hardshrink(0.5)?.to_vec::<f32>()?, [-2.0, 0.0, 0.6]);
    /// # Ok::<_, firebrick_core::Error>(())
    /// ```
    fn hardshrink(x; lambd: f64) -> Tensor as "HardshrinkBackward0" {
        kernel: Unary::Hardshrink(*lambd),
        saves: [x],
        grads: { x: |g| shrink_grad(g, x, *lambd) },
        samples: sample::unary(ANY, |x| x.hardshrink(0.55)),
    }

    /// `x` moved towards zero by `lambd`, and 0 from `-lambd` to `lambd`.
    ///
    /// # Errors
    /// A negative `lambd`.
    ///
    /// ```
    /// # use firebrick_core::Tensor;
    /// assert_eq!(Tensor::new([-2.0f32, 0.4, 1.5])?.softshrink(0.5)?.to_vec::<f32>()?, [-1.5, 0.0, 1.0]);
    /// # Ok::<_, firebrick_core::Error>(())
    /// ```
    fn softshrink(x; lambd: f64) -> Tensor as "SoftshrinkBackward0" {
        kernel: softshrink_kernel(x, *lambd)?,
        saves: [x],
        grads: { x: |g| shrink_grad(g, x, *lambd) },
        samples: sample::unary(ANY, |x| x.softshrink(0.55)),
    }
}

composed! {
    table: COMPOSED;

    /// `min(max(x, 0), 6)`.
    ///
    /// ```
    /// # use firebrick_core::Tensor;
    /// assert_eq!(Tensor::new([-1.0f32, 3.0, 8.0])?.relu6()?.to_vec::<f32>()?, [0.0, 3.0, 6.0]);
    /// # Ok::<_, firebrick_core::Error>(())
    /// ```
    fn relu6(&x) -> Tensor { x.hardtanh(0.0, 6.0) }
    samples: sample::unary(ANY, |x| x.relu6());

    /// `x / (1 + |x|)`.
    ///
    /// ```
    /// # use firebrick_core::Tensor;
    /// assert_eq!(Tensor::new([-1.0f32, 0.0, 3.0])?.softsign()?.to_vec::<f32>()?, [-0.5, 0.0, 0.75]);
    /// # Ok::<_, firebrick_core::Error>(())
    /// ```
    fn softsign(&x) -> Tensor { x.div(&x.abs()?.add(1)?) }
    samples: sample::unary(ANY, |x| x.softsign());

    /// `x - tanh(x)`.
    ///
    /// ```
    /// # use firebrick_core::Tensor;
    /// let x = Tensor::new([-1.0f32, 0.0, 3.0])?;
    /// assert_eq!(x.tanhshrink()?.to_string(), "tensor([-0.2384,  0.0000,  2.0049])");
    /// # Ok::<_, firebrick_core::Error>(())
    /// ```
    fn tanhshrink(&x) -> Tensor { x.sub(&x.tanh()?) }
    samples: sample::unary(ANY, |x| x.tanhshrink());
}

impl Tensor {
    #[doc = crate::ops::in_place_doc!(relu6_ of relu6 () on [-0.5f32, 7.0])]
    #[track_caller]
    pub fn relu6_(&self) -> Result<&Tensor> {
        let _running = crate::source::operation();
        self.hardtanh_(0.0, 6.0)
    }
}
