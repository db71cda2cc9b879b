//! Exponentials and logarithms.

use super::run;
use crate::Tensor;
use crate::backend::{Binary, Unary};
use crate::ops::ops;
use crate::ops::sample::{self, ANY, POSITIVE};
use std::f64::consts::{LN_2, LN_10};

ops! {
    table: EXPONENTIAL;

    /// `e` to the power of each element.
    fn exp(x) -> Tensor as "ExpBackward0" {
        kernel: Unary::Exp,
        saves: [] -> y,
        grads: { x: |g| g.mul(y) },
        in_place: exp_,
        samples: sample::unary(ANY, |x| x.exp()),
    }

    /// 2 to the power of each element.
    fn exp2(x) -> Tensor as "Exp2Backward0" {
        kernel: Unary::Exp2,
        saves: [] -> y,
        grads: { x: |g| g.mul(y)?.mul(LN_2) },
        in_place: exp2_,
        samples: sample::unary(ANY, |x| x.exp2()),
    }

    /// `e^x - 1`, accurate where `x` is small.
    fn expm1(x) -> Tensor as "Expm1Backward0" {
        kernel: Unary::Expm1,
        saves: [] -> y,
        grads: { x: |g| g.mul(&y.add(1)?) },
        in_place: expm1_,
        samples: sample::unary(ANY, |x| x.expm1()),
    }

    /// The natural logarithm.
    fn log(x) -> Tensor as "LogBackward0" {
        kernel: Unary::Log,
        saves: [x],
        grads: { x: |g| g.div(x) },
        in_place: log_,
        samples: sample::unary(POSITIVE, |x| x.log()),
    }

    /// The logarithm to base 2.
    fn log2(x) -> Tensor as "Log2Backward0" {
        kernel: Unary::Log2,
        saves: [x],
        grads: { x: |g| g.div(&x.mul(LN_2)?) },
        in_place: log2_,
        samples: sample::unary(POSITIVE, |x| x.log2()),
    }

    /// The logarithm to base 10.
    fn log10(x) -> Tensor as "Log10Backward0" {
        kernel: Unary::Log10,
        saves: [x],
        grads: { x: |g| g.div(&x.mul(LN_10)?) },
        in_place: log10_,
        samples: sample::unary(POSITIVE, |x| x.log10()),
    }

    /// `log(1 + x)`, accurate where `x` is small.
    fn log1p(x) -> Tensor as "Log1PBackward0" {
        kernel: Unary::Log1p,
        saves: [x],
        grads: { x: |g| g.div(&x.add(1)?) },
        in_place: log1p_,
        samples: sample::unary(POSITIVE, |x| x.log1p()),
    }

    /// `log(e^a + e^b)` without overflow.
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
        in_place: xlogy_,
        samples: sample::pairs((ANY, POSITIVE), |a, b| a.xlogy(b)),
    }

    /// `a * log(b)` for a number `a`, with the tensor as the logarithm's argument.
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
    fn ldexp(a, b: operand) -> Tensor as "LdexpBackward0" {
        kernel: Binary::Ldexp,
        saves: [b] -> y,
        grads: {
            a: |g| g.mul(&b.rpow(2.0)?),
            b: |g| g.mul(y)?.mul(LN_2),
        },
        in_place: ldexp_,
        samples: sample::pairs((ANY, ANY), |a, b| a.ldexp(b)),
    }
}
