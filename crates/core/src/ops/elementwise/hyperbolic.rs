//! Hyperbolic functions and their inverses.

use super::fused;
use crate::Tensor;
use crate::backend::{Binary, Unary};
use crate::ops::ops;
use crate::ops::sample::{self, ABOVE_ONE, ANY, UNIT};

ops! {
    table: HYPERBOLIC;

    /// The hyperbolic sine, `(e^x - e^-x) / 2`.
    ///
    /// ```
    /// # use firebrick_core::Tensor;
    /// assert_eq!(Tensor::new([0.0f32, 1.0])?.sinh()?.to_string(), "tensor([0.0000, 1.1752])");
    /// # Ok::<_, firebrick_core::Error>(())
    /// ```
    fn sinh(x) -> Tensor as "SinhBackward0" {
        kernel: Unary::Sinh,
        saves: [x],
        grads: { x: |g| g.mul(&x.cosh()?) },
        in_place: sinh_,
        samples: sample::unary(ANY, |x| x.sinh()),
    }

    /// The hyperbolic cosine, `(e^x + e^-x) / 2`.
    ///
    /// ```
    /// # use firebrick_core::Tensor;
    /// assert_eq!(Tensor::new([0.0f32, 1.0])?.cosh()?.to_string(), "tensor([1.0000, 1.5431])");
    /// # Ok::<_, firebrick_core::Error>(())
    /// ```
    fn cosh(x) -> Tensor as "CoshBackward0" {
        kernel: Unary::Cosh,
        saves: [x],
        grads: { x: |g| g.mul(&x.sinh()?) },
        in_place: cosh_,
        samples: sample::unary(ANY, |x| x.cosh()),
    }

    /// The hyperbolic tangent, `(e^x - e^-x) / (e^x + e^-x)`: from -1 to 1.
    ///
    /// ```
    /// # use firebrick_core::Tensor;
    /// assert_eq!(Tensor::new([0.0f32, 1.0, 100.0])?.tanh()?.to_string(), "tensor([0.0000, 0.7616, 1.0000])");
    /// # Ok::<_, firebrick_core::Error>(())
    /// ```
    fn tanh(x) -> Tensor as "TanhBackward0" {
        kernel: Unary::Tanh,
        saves: [] -> y,
        grads: { x: |g| fused(Binary::TanhGrad, g, y, || g.mul(&y.mul(y)?.neg()?.add(1)?)) },
        in_place: tanh_,
        samples: sample::unary(ANY, |x| x.tanh()),
    }

    /// The inverse hyperbolic sine.
    ///
    /// ```
    /// # use firebrick_core::Tensor;
    /// assert_eq!(Tensor::new([0.0f32, 1.0])?.asinh()?.to_string(), "tensor([0.0000, 0.8814])");
    /// # Ok::<_, firebrick_core::Error>(())
    /// ```
    fn asinh(x) -> Tensor as "AsinhBackward0" {
        kernel: Unary::Asinh,
        saves: [x],
        grads: { x: |g| g.mul(&x.mul(x)?.add(1)?.rsqrt()?) },
        in_place: asinh_,
        samples: sample::unary(ANY, |x| x.asinh()),
    }

    /// The inverse hyperbolic cosine; NaN below 1.
    ///
    /// ```
    /// # use firebrick_core::Tensor;
    /// assert_eq!(Tensor::new([1.0f32, 2.0, 0.0])?.acosh()?.to_string(), "tensor([0.0000, 1.3170,    nan])");
    /// # Ok::<_, firebrick_core::Error>(())
    /// ```
    fn acosh(x) -> Tensor as "AcoshBackward0" {
        kernel: Unary::Acosh,
        saves: [x],
        grads: { x: |g| g.mul(&x.mul(x)?.sub(1)?.rsqrt()?) },
        in_place: acosh_ on [1.0f32, 2.0],
        samples: sample::unary(ABOVE_ONE, |x| x.acosh()),
    }

    /// The inverse hyperbolic tangent; NaN outside -1 to 1.
    ///
    /// ```
    /// # use firebrick_core::Tensor;
    /// assert_eq!(Tensor::new([0.0f32, 0.5, 1.0])?.atanh()?.to_string(), "tensor([0.0000, 0.5493,    inf])");
    /// # Ok::<_, firebrick_core::Error>(())
    /// ```
    fn atanh(x) -> Tensor as "AtanhBackward0" {
        kernel: Unary::Atanh,
        saves: [x],
        grads: { x: |g| g.div(&x.mul(x)?.neg()?.add(1)?) },
        in_place: atanh_,
        samples: sample::unary(UNIT, |x| x.atanh()),
    }
}
