//! Trigonometric functions and their inverses, in radians.

use crate::backend::{Binary, Unary};
use crate::ops::ops;
use crate::ops::sample::{self, ANY, UNIT};
use crate::{Complex, Result, Tensor};

/// `1 / (y^2 + x^2)`, 0 at the origin.
fn inverse_square_length(y: &Tensor, x: &Tensor) -> Result<Tensor> {
    let square = y.mul(y)?.add(&x.mul(x)?)?;
    square.reciprocal()?.masked_fill(&square.eq(0)?, 0)
}

/// The gradient of the angle of `z`: `i z / |z|^2`, 0 at the origin.
fn angle_grad(g: &Tensor, z: &Tensor) -> Result<Tensor> {
    let zero = z.detach().eq(0)?;
    let square = z.abs()?.masked_fill(&zero, 1)?.pow(2)?;
    g.mul(&z.mul(Complex::new(0.0, 1.0))?.div(&square)?)?.masked_fill(&zero, 0)
}

ops! {
    table: TRIGONOMETRIC;

    /// The sine of an angle in radians.
    ///
    /// ```
    /// # use firebrick_core::Tensor;
    /// assert_eq!(Tensor::new([0.0f32, 1.0, -2.0])?.sin()?.to_string(), "tensor([ 0.0000,  0.8415, -0.9093])");
    /// # Ok::<_, firebrick_core::Error>(())
    /// ```
    fn sin(x) -> Tensor as "SinBackward0" {
        kernel: Unary::Sin,
        saves: [x],
        grads: { x: |g| g.mul(&x.cos()?) },
        in_place: sin_,
        samples: sample::unary(ANY, |x| x.sin()),
    }

    /// The cosine of an angle in radians.
    ///
    /// ```
    /// # use firebrick_core::Tensor;
    /// assert_eq!(Tensor::new([0.0f32, 1.0, -2.0])?.cos()?.to_string(), "tensor([ 1.0000,  0.5403, -0.4161])");
    /// # Ok::<_, firebrick_core::Error>(())
    /// ```
    fn cos(x) -> Tensor as "CosBackward0" {
        kernel: Unary::Cos,
        saves: [x],
        grads: { x: |g| g.mul(&x.sin()?.neg()?) },
        in_place: cos_,
        samples: sample::unary(ANY, |x| x.cos()),
    }

    /// The tangent of an angle in radians.
    ///
    /// ```
    /// # use firebrick_core::Tensor;
    /// assert_eq!(Tensor::new([0.0f32, 1.0, -2.0])?.tan()?.to_string(), "tensor([0.0000, 1.5574, 2.1850])");
    /// # Ok::<_, firebrick_core::Error>(())
    /// ```
    fn tan(x) -> Tensor as "TanBackward0" {
        kernel: Unary::Tan,
        saves: [] -> y,
        grads: { x: |g| g.mul(&y.mul(y)?.add(1)?) },
        in_place: tan_,
        samples: sample::unary(UNIT, |x| x.tan()),
    }

    /// The inverse sine in radians, -pi/2 to pi/2; NaN outside -1 to 1.
    ///
    /// ```
    /// # use firebrick_core::Tensor;
    /// assert_eq!(Tensor::new([0.0f32, 1.0, 2.0])?.asin()?.to_string(), "tensor([0.0000, 1.5708,    nan])");
    /// # Ok::<_, firebrick_core::Error>(())
    /// ```
    fn asin(x) -> Tensor as "AsinBackward0" {
        kernel: Unary::Asin,
        saves: [x],
        grads: { x: |g| g.mul(&x.mul(x)?.neg()?.add(1)?.rsqrt()?) },
        in_place: asin_,
        samples: sample::unary(UNIT, |x| x.asin()),
    }

    /// The inverse cosine in radians, 0 to pi; NaN outside -1 to 1.
    ///
    /// ```
    /// # use firebrick_core::Tensor;
    /// assert_eq!(Tensor::new([0.0f32, 1.0, 2.0])?.acos()?.to_string(), "tensor([1.5708, 0.0000,    nan])");
    /// # Ok::<_, firebrick_core::Error>(())
    /// ```
    fn acos(x) -> Tensor as "AcosBackward0" {
        kernel: Unary::Acos,
        saves: [x],
        grads: { x: |g| g.mul(&x.mul(x)?.neg()?.add(1)?.rsqrt()?.neg()?) },
        in_place: acos_,
        samples: sample::unary(UNIT, |x| x.acos()),
    }

    /// The inverse tangent in radians, -pi/2 to pi/2.
    ///
    /// ```
    /// # use firebrick_core::Tensor;
    /// let x = Tensor::new([0.0f32, 1.0, f32::NEG_INFINITY])?;
    /// assert_eq!(x.atan()?.to_string(), "tensor([ 0.0000,  0.7854, -1.5708])");
    /// # Ok::<_, firebrick_core::Error>(())
    /// ```
    fn atan(x) -> Tensor as "AtanBackward0" {
        kernel: Unary::Atan,
        saves: [x],
        grads: { x: |g| g.div(&x.mul(x)?.add(1)?) },
        in_place: atan_,
        samples: sample::unary(ANY, |x| x.atan()),
    }

    /// Degrees to radians.
    ///
    /// ```
    /// # use firebrick_core::Tensor;
    /// assert_eq!(Tensor::new([180.0f32, -90.0])?.deg2rad()?.to_string(), "tensor([ 3.1416, -1.5708])");
    /// # Ok::<_, firebrick_core::Error>(())
    /// ```
    fn deg2rad(x) -> Tensor as "Deg2RadBackward0" {
        kernel: Unary::Deg2rad,
        saves: [],
        grads: { x: |g| g.mul(std::f64::consts::PI / 180.0) },
        in_place: deg2rad_,
        samples: sample::unary(ANY, |x| x.deg2rad()),
    }

    /// Radians to degrees.
    ///
    /// ```
    /// # use firebrick_core::Tensor;
    /// assert_eq!(Tensor::new([1.0f32, -2.0])?.rad2deg()?.to_string(), "tensor([  57.2958, -114.5916])");
    /// # Ok::<_, firebrick_core::Error>(())
    /// ```
    fn rad2deg(x) -> Tensor as "Rad2DegBackward0" {
        kernel: Unary::Rad2deg,
        saves: [],
        grads: { x: |g| g.mul(180.0 / std::f64::consts::PI) },
        in_place: rad2deg_,
        samples: sample::unary(ANY, |x| x.rad2deg()),
    }

    /// The argument as a complex number: of a real one pi below zero, else 0.
    ///
    /// ```
    /// # use firebrick_core::{Complex, Tensor};
    /// assert_eq!(Tensor::new([-1.0f32, 2.0])?.angle()?.to_string(), "tensor([3.1416, 0.0000])");
    /// assert_eq!(Tensor::new([Complex::new(0.0f32, 1.0)])?.angle()?.to_string(), "tensor([1.5708])");
    /// # Ok::<_, firebrick_core::Error>(())
    /// ```
    fn angle(x) -> Tensor as "AngleBackward0" {
        kernel: Unary::Angle,
        saves: [x],
        grads: { x: |g| if x.is_complex() { angle_grad(g, x) } else { g.zeros_like() } },
        samples: sample::unary(ANY, |x| x.angle()),
    }

    /// The angle of the point `(x, y)` in radians, -pi to pi.
    ///
    /// ```
    /// # use firebrick_core::Tensor;
    /// let x = Tensor::new([1.0f32, -1.0])?;
    /// assert_eq!(x.atan2(&Tensor::new([1.0f32, -1.0])?)?.to_string(), "tensor([ 0.7854, -2.3562])");
    /// # Ok::<_, firebrick_core::Error>(())
    /// ```
    fn atan2(y, x: tensor) -> Tensor as "Atan2Backward0" {
        kernel: Binary::Atan2,
        saves: [y, x],
        grads: {
            y: |g| g.mul(x)?.mul(&inverse_square_length(y, x)?),
            x: |g| g.mul(&y.neg()?)?.mul(&inverse_square_length(y, x)?),
        },
        in_place: atan2_(&Tensor::new([1.0f32, -1.0])?),
        samples: sample::pairs((ANY, ANY), |a, b| a.atan2(b)),
    }

    /// `sqrt(a^2 + b^2)` without overflow.
    ///
    /// ```
    /// # use firebrick_core::Tensor;
    /// let x = Tensor::new([3.0f32, 5.0])?;
    /// assert_eq!(x.hypot(&Tensor::new([4.0f32, 12.0])?)?.to_vec::<f32>()?, [5.0, 13.0]);
    /// # Ok::<_, firebrick_core::Error>(())
    /// ```
    fn hypot(a, b: tensor) -> Tensor as "HypotBackward0" {
        kernel: Binary::Hypot,
        saves: [a, b] -> y,
        grads: { a: |g| g.mul(a)?.div(y), b: |g| g.mul(b)?.div(y) },
        in_place: hypot_(&Tensor::new([1.0f32, 2.0])?),
        samples: sample::pairs((ANY, ANY), |a, b| a.hypot(b)),
    }
}
