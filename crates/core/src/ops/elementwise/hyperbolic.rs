//! Hyperbolic functions and their inverses.

use super::fused;
use crate::Tensor;
use crate::backend::{Binary, Unary};
use crate::ops::ops;
use crate::ops::sample::{self, ABOVE_ONE, ANY, UNIT};

ops! {
    table: HYPERBOLIC;

    /// The hyperbolic sine.
    fn sinh(x) -> Tensor as "SinhBackward0" {
        kernel: Unary::Sinh,
        saves: [x],
        grads: { x: |g| g.mul(&x.cosh()?) },
        in_place: sinh_,
        samples: sample::unary(ANY, |x| x.sinh()),
    }

    /// The hyperbolic cosine.
    fn cosh(x) -> Tensor as "CoshBackward0" {
        kernel: Unary::Cosh,
        saves: [x],
        grads: { x: |g| g.mul(&x.sinh()?) },
        in_place: cosh_,
        samples: sample::unary(ANY, |x| x.cosh()),
    }

    /// The hyperbolic tangent.
    fn tanh(x) -> Tensor as "TanhBackward0" {
        kernel: Unary::Tanh,
        saves: [] -> y,
        grads: { x: |g| fused(Binary::TanhGrad, g, y, || g.mul(&y.mul(y)?.neg()?.add(1)?)) },
        in_place: tanh_,
        samples: sample::unary(ANY, |x| x.tanh()),
    }

    /// The inverse hyperbolic sine.
    fn asinh(x) -> Tensor as "AsinhBackward0" {
        kernel: Unary::Asinh,
        saves: [x],
        grads: { x: |g| g.mul(&x.mul(x)?.add(1)?.rsqrt()?) },
        in_place: asinh_,
        samples: sample::unary(ANY, |x| x.asinh()),
    }

    /// The inverse hyperbolic cosine; NaN below 1.
    fn acosh(x) -> Tensor as "AcoshBackward0" {
        kernel: Unary::Acosh,
        saves: [x],
        grads: { x: |g| g.mul(&x.mul(x)?.sub(1)?.rsqrt()?) },
        in_place: acosh_,
        samples: sample::unary(ABOVE_ONE, |x| x.acosh()),
    }

    /// The inverse hyperbolic tangent; NaN outside -1 to 1.
    fn atanh(x) -> Tensor as "AtanhBackward0" {
        kernel: Unary::Atanh,
        saves: [x],
        grads: { x: |g| g.div(&x.mul(x)?.neg()?.add(1)?) },
        in_place: atanh_,
        samples: sample::unary(UNIT, |x| x.atanh()),
    }
}
