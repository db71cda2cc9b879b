//! Exponentials and logarithms.

use super::run;
use crate::Tensor;
use crate::backend::{Binary, Unary};
use crate::ops::ops;
use crate::ops::sample::{self, ANY, POSITIVE};
use std::f64::consts::{LN_2, LN_10};

ops! {
    table: EXPONENTIAL;

    /// `e^x`.
    ///
    /// ```
    /// # use firebrick_core::Tensor;
    /// assert_eq!(Tensor::new([0.0f32, 1.0, -1.0])?.exp()?.to_string(), "tensor([1.0000, 2.7183, 0.3679])");
    /// # Ok::<_, firebrick_core::Error>(())
    /// ```
    fn exp(x) -> Tensor as "ExpBackward0" {
        kernel: Unary::Exp,
        saves: [] -> y,
        grads: { x: |g| g.mul(y) },
        in_place: exp_,
        samples: sample::unary(ANY, |x| x.exp()),
    }

    /// `2^x`.
    ///
    /// ```
    /// # use firebrick_core::Tensor;
    /// assert_eq!(Tensor::new([0.0f32, 3.0, -1.0])?.exp2()?.to_vec::<f32>()?, [1.0, 8.0, 0.5]);
    /// # Ok::<_, firebrick_core::Error>(())
    /// ```
    fn exp2(x) -> Tensor as "Exp2Backward0" {
        kernel: Unary::Exp2,
        saves: [] -> y,
        grads: { x: |g| g.mul(y)?.mul(LN_2) },
        in_place: exp2_,
        samples: sample::unary(ANY, |x| x.exp2()),
    }

    /// `e^x - 1`, accurate where `x` is small.
    ///
    /// ```
    /// # use firebrick_core::Tensor;
    /// assert_eq!(Tensor::new([1e-20f64])?.expm1()?.to_vec::<f64>()?, [1e-20]);
    /// # Ok::<_, firebrick_core::Error>(())
    /// ```
    fn expm1(x) -> Tensor as "Expm1Backward0" {
        kernel: Unary::Expm1,
        saves: [] -> y,
        grads: { x: |g| g.mul(&y.add(1)?) },
        in_place: expm1_,
        samples: sample::unary(ANY, |x| x.expm1()),
    }

    /// The natural logarithm: `-inf` at zero, NaN below.
    ///
    /// ```
    /// # use firebrick_core::Tensor;
    /// assert_eq!(Tensor::new([1.0f32, 10.0, 0.0])?.log()?.to_string(), "tensor([0.0000, 2.3026,   -inf])");
    /// # Ok::<_, firebrick_core::Error>(())
    /// ```
    fn log(x) -> Tensor as "LogBackward0" {
        kernel: Unary::Log,
        saves: [x],
        grads: { x: |g| g.div(x) },
        in_place: log_ on [0.5f32, 4.0],
        samples: sample::unary(POSITIVE, |x| x.log()),
    }

    /// The logarithm to base 2: `-inf` at zero, NaN below.
    ///
    /// ```
    /// # use firebrick_core::Tensor;
    /// assert_eq!(Tensor::new([1.0f32, 8.0, 0.25])?.log2()?.to_vec::<f32>()?, [0.0, 3.0, -2.0]);
    /// # Ok::<_, firebrick_core::Error>(())
    /// ```
    fn log2(x) -> Tensor as "Log2Backward0" {
        kernel: Unary::Log2,
        saves: [x],
        grads: { x: |g| g.div(&x.mul(LN_2)?) },
        in_place: log2_ on [0.5f32, 4.0],
        samples: sample::unary(POSITIVE, |x| x.log2()),
    }

    /// The logarithm to base 10: `-inf` at zero, NaN below.
    ///
    /// ```
    /// # use firebrick_core::Tensor;
    /// assert_eq!(Tensor::new([1.0f32, 1000.0, 0.01])?.log10()?.to_vec::<f32>()?, [0.0, 3.0, -2.0]);
    /// # Ok::<_, firebrick_core::Error>(())
    /// ```
    fn log10(x) -> Tensor as "Log10Backward0" {
        kernel: Unary::Log10,
        saves: [x],
        grads: { x: |g| g.div(&x.mul(LN_10)?) },
        in_place: log10_ on [0.1f32, 100.0],
        samples: sample::unary(POSITIVE, |x| x.log10()),
    }

    /// `log(1 + x)`, accurate where `x` is small.
    ///
    /// ```
    /// # use firebrick_core::Tensor;
    /// assert_eq!(Tensor::new([1e-20f64])?.log1p()?.to_vec::<f64>()?, [1e-20]);
    /// # Ok::<_, firebrick_core::Error>(())
    /// ```
    fn log1p(x) -> Tensor as "Log1PBackward0" {
        kernel: Unary::Log1p,
        saves: [x],
        grads: { x: |g| g.div(&x.add(1)?) },
        in_place: log1p_,
        samples: sample::unary(POSITIVE, |x| x.log1p()),
    }

    /// `log(e^a + e^b)` without overflow.
    ///
    /// ```
    /// # use firebrick_core::Tensor;
    /// let x = Tensor::new([100.0f32, 0.0])?;
    /// assert_eq!(x.logaddexp(&x)?.to_string(), "tensor([100.6931,   0.6931])");
    /// # Ok::<_, firebrick_core::Error>(())
    /// ```
    fn logaddexp(a, b: tensor) -> Tensor as "LogaddexpBackward0" {
        kernel: Binary::LogAddExp,
        saves: [a, b],
        grads: {
            a: |g| g.div(&b.sub(a)?.exp()?.add(1)?),
            b: |g| g.div(&a.sub(b)?.exp()?.add(1)?),
        },
        samples: sample::pairs((ANY, ANY), |a, b| a.logaddexp(b)),
    }

    /// `log2(2^a + 2^b)` without overflow.
    ///
    /// ```
    /// # use firebrick_core::Tensor;
    /// let x = Tensor::new([1000.0f32, 0.0])?;
    /// assert_eq!(x.logaddexp2(&x)?.to_vec::<f32>()?, [1001.0, 1.0]);
    /// # Ok::<_, firebrick_core::Error>(())
    /// ```
    fn logaddexp2(a, b: tensor) -> Tensor as "Logaddexp2Backward0" {
        kernel: Binary::LogAddExp2,
        saves: [a, b],
        grads: {
            a: |g| g.div(&b.sub(a)?.exp2()?.add(1)?),
            b: |g| g.div(&a.sub(b)?.exp2()?.add(1)?),
        },
        samples: sample::pairs((ANY, ANY), |a, b| a.logaddexp2(b)),
    }

    /// `a * log(b)`: 0 where `a` is, unless `b` is NaN.
    ///
    /// ```
    /// # use firebrick_core::Tensor;
    /// let x = Tensor::new([0.0f32, 2.0])?;
    /// assert_eq!(x.xlogy(&Tensor::new([0.0f32, 3.0])?)?.to_string(), "tensor([0.0000, 2.1972])");
    /// # Ok::<_, firebrick_core::Error>(())
    /// ```
    fn xlogy(a, b: operand) -> Tensor as "XlogyBackward0" or "XlogyBackward2" {
        kernel: Binary::Xlogy,
        saves: [a, b],
        grads: {
            a: |g| {
                // PyTorch treats NaN as it does numbers below zero, if it is a number itself.
                let below = if b.is_wrapped_number() { b.gt(0)?.logical_not()? } else { b.le(0)? };
                g.xlogy(b)?.masked_fill(&a.eq(0)?.logical_and(&below)?, 0)
            },
            b: |g| g.mul(a)?.div(b),
        },
        in_place: xlogy_(10),
        samples: sample::pairs((ANY, POSITIVE), |a, b| a.xlogy(b)),
    }

    /// `a * log(b)` for a number `a`, with the tensor as the logarithm's argument.
    ///
    /// ```
    /// # use firebrick_core::Tensor;
    /// assert_eq!(Tensor::new([1.0f32, 3.0])?.rxlogy(2)?.to_string(), "tensor([0.0000, 2.1972])");
    /// # Ok::<_, firebrick_core::Error>(())
    /// ```
    fn rxlogy(b, a: operand) -> Tensor as "XlogyBackward0" or "XlogyBackward1" {
        forward: run("xlogy", Binary::Xlogy.into(), &[a, b], None),
        saves: [b, a],
        grads: {
            b: |g| g.mul(a)?.div(b),
            a: |g| g.xlogy(b)?.masked_fill(&a.eq(0)?.logical_and(&b.le(0)?)?, 0),
        },
        samples: sample::pairs((POSITIVE, ANY), |b, a| b.rxlogy(a)),
    }

    /// `a * log(1 + b)`: 0 where `a` is, unless `b` is NaN. `torch.special.xlog1py`.
    ///
    /// ```
    /// # use firebrick_core::Tensor;
    /// let x = Tensor::new([0.0f32, 2.0])?;
    /// assert_eq!(x.xlog1py(&Tensor::new([-1.0f32, 1.0])?)?.to_string(), "tensor([0.0000, 1.3863])");
    /// # Ok::<_, firebrick_core::Error>(())
    /// ```
    fn xlog1py(a, b: operand) -> Tensor as "SpecialXlog1PyBackward0" or "SpecialXlog1PyBackward2" {
        kernel: Binary::Xlog1py,
        saves: [a, b],
        grads: {
            a: |g| g.xlog1py(b)?.masked_fill(&a.eq(0)?.logical_and(&b.le(-1)?)?, 0),
            b: |g| g.mul(a)?.div(&b.add(1)?),
        },
        samples: sample::pairs((ANY, POSITIVE), |a, b| a.xlog1py(b)),
    }

    /// `a * 2^b`, where `b` may have a fraction.
    ///
    /// ```
    /// # use firebrick_core::Tensor;
    /// assert_eq!(Tensor::new([1.0f32, 3.0])?.ldexp(&Tensor::new([4, -1])?)?.to_vec::<f32>()?, [16.0, 1.5]);
    /// # Ok::<_, firebrick_core::Error>(())
    /// ```
    fn ldexp(a, b: operand) -> Tensor as "LdexpBackward0" {
        kernel: Binary::Ldexp,
        saves: [b] -> y,
        grads: {
            a: |g| g.mul(&b.rpow(2.0)?),
            b: |g| g.mul(y)?.mul(LN_2),
        },
        in_place: ldexp_(3),
        samples: sample::pairs((ANY, ANY), |a, b| a.ldexp(b)),
    }
}
