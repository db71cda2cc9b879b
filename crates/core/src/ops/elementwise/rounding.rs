//! Rounding, signs and fractions.

use crate::backend::Unary;
use crate::ops::ops;
use crate::ops::sample::{self, ANY};
use crate::{Error, Result, Tensor};

/// Whole numbers have no digits to round away.
fn decimals(decimals: i64) -> Result<Unary> {
    let decimals = i32::try_from(decimals).map_err(|_| Error::runtime("round", "decimals is out of range"))?;
    Ok(if decimals == 0 { Unary::Round } else { Unary::RoundDecimals(decimals) })
}

/// The gradient of `z / |z|`: the part of the result's that turns rather than stretches, over the length.
fn sgn_grad(g: &Tensor, x: &Tensor) -> Result<Tensor> {
    // The row's formulas get the conjugate and give it, which suits functions that have a complex derivative.
    let (g, sgn, zero) = (g.conj()?, x.sgn()?, x.detach().eq(0)?);
    let along = g.mul(&sgn.conj()?)?.real()?;
    let across = g.sub(&sgn.mul(&along)?)?;
    across.div(&x.abs()?.masked_fill(&zero, 1)?)?.masked_fill(&zero, 0)?.conj()
}

ops! {
    table: ROUNDING;

    /// The nearest integer not above.
    ///
    /// ```
    /// # use firebrick_core::Tensor;
    /// assert_eq!(Tensor::new([-1.5f32, 1.5])?.floor()?.to_vec::<f32>()?, [-2.0, 1.0]);
    /// # Ok::<_, firebrick_core::Error>(())
    /// ```
    fn floor(x) -> Tensor as "FloorBackward0" {
        kernel: Unary::Floor,
        saves: [],
        grads: { x: |g| g.zeros_like() },
        in_place: floor_,
        samples: sample::unary(ANY, |x| x.floor()),
    }

    /// The nearest integer not below.
    ///
    /// ```
    /// # use firebrick_core::Tensor;
    /// assert_eq!(Tensor::new([-1.5f32, 1.5])?.ceil()?.to_vec::<f32>()?, [-1.0, 2.0]);
    /// # Ok::<_, firebrick_core::Error>(())
    /// ```
    fn ceil(x) -> Tensor as "CeilBackward0" {
        kernel: Unary::Ceil,
        saves: [],
        grads: { x: |g| g.zeros_like() },
        in_place: ceil_,
        samples: sample::unary(ANY, |x| x.ceil()),
    }

    /// The nearest integer, halves to the even one.
    ///
    /// ```
    /// # use firebrick_core::Tensor;
    /// assert_eq!(Tensor::new([0.5f32, 1.5, 2.5])?.round()?.to_vec::<f32>()?, [0.0, 2.0, 2.0]);
    /// # Ok::<_, firebrick_core::Error>(())
    /// ```
    fn round(x) -> Tensor as "RoundBackward0" {
        kernel: Unary::Round,
        saves: [],
        grads: { x: |g| g.zeros_like() },
        in_place: round_,
        samples: sample::unary(ANY, |x| x.round()),
    }

    /// Rounded to a number of digits after the point (before it, if negative), halves to even: `round(decimals=n)`.
    ///
    /// # Errors
    /// An integer tensor.
    ///
    /// ```
    /// # use firebrick_core::Tensor;
    /// assert_eq!(Tensor::new([1.25f32, 1234.5])?.round_decimals(1)?.to_vec::<f32>()?, [1.2, 1234.5]);
    /// assert_eq!(Tensor::new([1250.0f32, 1234.5])?.round_decimals(-2)?.to_vec::<f32>()?, [1200.0; 2]);
    /// # Ok::<_, firebrick_core::Error>(())
    /// ```
    fn round_decimals(x; decimals: i64) -> Tensor as "RoundBackward1" {
        kernel: self::decimals(*decimals)?,
        saves: [],
        grads: { x: |g| g.zeros_like() },
        in_place: round_decimals_(1) on [0.25f32, 1.29],
        samples: sample::unary(ANY, |x| x.round_decimals(1)),
    }

    /// The integer part: rounded towards zero.
    ///
    /// ```
    /// # use firebrick_core::Tensor;
    /// assert_eq!(Tensor::new([-1.5f32, 1.5])?.trunc()?.to_vec::<f32>()?, [-1.0, 1.0]);
    /// # Ok::<_, firebrick_core::Error>(())
    /// ```
    fn trunc(x) -> Tensor as "TruncBackward0" {
        kernel: Unary::Trunc,
        saves: [],
        grads: { x: |g| g.zeros_like() },
        in_place: trunc_,
        samples: sample::unary(ANY, |x| x.trunc()),
    }

    /// The part after the point, with the sign of the number.
    ///
    /// ```
    /// # use firebrick_core::Tensor;
    /// assert_eq!(Tensor::new([-1.5f32, 1.25])?.frac()?.to_vec::<f32>()?, [-0.5, 0.25]);
    /// # Ok::<_, firebrick_core::Error>(())
    /// ```
    fn frac(x) -> Tensor as "FracBackward0" {
        kernel: Unary::Frac,
        saves: [],
        grads: { x: |g| Ok(g.clone()) },
        in_place: frac_ on [-1.5f32, 2.25],
        samples: sample::unary(ANY, |x| x.frac()),
    }

    /// `|x|`. The gradient at zero is zero.
    ///
    /// ```
    /// # use firebrick_core::Tensor;
    /// assert_eq!(Tensor::new([-1.5f32, 2.0])?.abs()?.to_vec::<f32>()?, [1.5, 2.0]);
    /// # Ok::<_, firebrick_core::Error>(())
    /// ```
    fn abs(x) -> Tensor as "AbsBackward0" {
        kernel: Unary::Abs,
        saves: [x],
        grads: { x: |g| g.mul(&x.sgn()?) },
        in_place: abs_,
        samples: sample::unary(ANY, |x| x.abs()),
    }

    /// -1, 0 or 1 by the sign.
    ///
    /// ```
    /// # use firebrick_core::Tensor;
    /// assert_eq!(Tensor::new([-1.5f32, 0.0, 2.0])?.sign()?.to_vec::<f32>()?, [-1.0, 0.0, 1.0]);
    /// # Ok::<_, firebrick_core::Error>(())
    /// ```
    fn sign(x) -> Tensor as "SignBackward0" {
        kernel: Unary::Sign,
        saves: [],
        grads: { x: |g| g.zeros_like() },
        in_place: sign_,
        samples: sample::unary(ANY, |x| x.sign()),
    }

    /// The number over its size: of a real one -1, 0 or 1, as [`Tensor::sign`]; of a complex one its direction.
    ///
    /// ```
    /// # use firebrick_core::{Complex, Tensor};
    /// assert_eq!(Tensor::new([Complex::new(3.0f32, 4.0)])?.sgn()?.to_string(), "tensor([0.6000+0.8000j])");
    /// # Ok::<_, firebrick_core::Error>(())
    /// ```
    fn sgn(x) -> Tensor as "SgnBackward0" {
        kernel: Unary::Sign,
        saves: [x],
        grads: { x: |g| if g.is_complex() { sgn_grad(g, x) } else { g.zeros_like() } },
        in_place: sgn_,
        samples: sample::unary(ANY, |x| x.sgn()),
    }
}
