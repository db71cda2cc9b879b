//! Truth values: logic, and what kind of number an element is.
//!
//! Rows as comparisons are: in place, results keep the target's dtype and have a gradient, which is zero.

use crate::backend::{Binary, Unary};
use crate::ops::ops;
use crate::ops::sample::{self, ANY};
use crate::{DType, Result, Tensor, TensorOptions};

ops! {
    table: LOGIC;

    /// Are both not zero?
    ///
    /// ```
    /// # use firebrick_core::Tensor;
    /// let x = Tensor::new([0, 1, 2])?;
    /// assert_eq!(x.logical_and(&Tensor::new([1, 0, 1])?)?.to_vec::<bool>()?, [false, false, true]);
    /// # Ok::<_, firebrick_core::Error>(())
    /// ```
    fn logical_and(a, b: tensor) -> Tensor as "LogicalAndBackward0" {
        kernel: Binary::LogicalAnd,
        saves: [],
        grads: { a: |g| g.zeros_like(), b: |g| g.zeros_like() },
        in_place: logical_and_(&Tensor::new([true, false])?),
        samples: sample::pairs((ANY, ANY), |a, b| a.add(&a.mul(b)?.logical_and(b)?)),
    }

    /// Is one of them not zero?
    ///
    /// ```
    /// # use firebrick_core::Tensor;
    /// let x = Tensor::new([0, 1, 0])?;
    /// assert_eq!(x.logical_or(&Tensor::new([1, 0, 0])?)?.to_vec::<bool>()?, [true, true, false]);
    /// # Ok::<_, firebrick_core::Error>(())
    /// ```
    fn logical_or(a, b: tensor) -> Tensor as "LogicalOrBackward0" {
        kernel: Binary::LogicalOr,
        saves: [],
        grads: { a: |g| g.zeros_like(), b: |g| g.zeros_like() },
        in_place: logical_or_(&Tensor::new([true, false])?) on [0.0f32, 0.25],
        samples: sample::pairs((ANY, ANY), |a, b| a.add(&a.mul(b)?.logical_or(b)?)),
    }

    /// Is exactly one of them not zero?
    ///
    /// ```
    /// # use firebrick_core::Tensor;
    /// let x = Tensor::new([0, 1, 2])?;
    /// assert_eq!(x.logical_xor(&Tensor::new([1, 0, 1])?)?.to_vec::<bool>()?, [true, true, false]);
    /// # Ok::<_, firebrick_core::Error>(())
    /// ```
    fn logical_xor(a, b: tensor) -> Tensor as "LogicalXorBackward0" {
        kernel: Binary::LogicalXor,
        saves: [],
        grads: { a: |g| g.zeros_like(), b: |g| g.zeros_like() },
        in_place: logical_xor_(&Tensor::new([true, false])?) on [0.0f32, 0.25],
        samples: sample::pairs((ANY, ANY), |a, b| a.add(&a.mul(b)?.logical_xor(b)?)),
    }

    /// Is it zero?
    ///
    /// ```
    /// # use firebrick_core::Tensor;
    /// assert_eq!(Tensor::new([0.0f32, 0.5])?.logical_not()?.to_vec::<bool>()?, [true, false]);
    /// # Ok::<_, firebrick_core::Error>(())
    /// ```
    fn logical_not(x) -> Tensor as "LogicalNotBackward0" {
        kernel: Unary::LogicalNot,
        saves: [],
        grads: { x: |g| g.zeros_like() },
        in_place: logical_not_,
        samples: sample::unary(ANY, |x| x.add(&x.logical_not()?)),
    }

    /// Is it NaN?
    ///
    /// ```
    /// # use firebrick_core::Tensor;
    /// let x = Tensor::new([f32::NAN, f32::INFINITY, 1.0])?;
    /// assert_eq!(x.isnan()?.to_vec::<bool>()?, [true, false, false]);
    /// # Ok::<_, firebrick_core::Error>(())
    /// ```
    fn isnan(x) -> Tensor as "IsnanBackward0" {
        kernel: Unary::IsNan,
        saves: [],
        grads: { x: |g| g.zeros_like() },
        samples: sample::unary(ANY, |x| x.add(&x.isnan()?)),
    }

    /// Is it infinite?
    ///
    /// ```
    /// # use firebrick_core::Tensor;
    /// let x = Tensor::new([f32::NAN, f32::NEG_INFINITY, 1.0])?;
    /// assert_eq!(x.isinf()?.to_vec::<bool>()?, [false, true, false]);
    /// # Ok::<_, firebrick_core::Error>(())
    /// ```
    fn isinf(x) -> Tensor as "IsinfBackward0" {
        kernel: Unary::IsInf,
        saves: [],
        grads: { x: |g| g.zeros_like() },
        samples: sample::unary(ANY, |x| x.add(&x.isinf()?)),
    }

    /// Is it positive infinity?
    ///
    /// ```
    /// # use firebrick_core::Tensor;
    /// let x = Tensor::new([f32::INFINITY, f32::NEG_INFINITY])?;
    /// assert_eq!(x.isposinf()?.to_vec::<bool>()?, [true, false]);
    /// # Ok::<_, firebrick_core::Error>(())
    /// ```
    fn isposinf(x) -> Tensor as "IsposinfBackward0" {
        kernel: Unary::IsPosInf,
        saves: [],
        grads: { x: |g| g.zeros_like() },
        samples: sample::unary(ANY, |x| x.add(&x.isposinf()?)),
    }

    /// Is it negative infinity?
    ///
    /// ```
    /// # use firebrick_core::Tensor;
    /// let x = Tensor::new([f32::INFINITY, f32::NEG_INFINITY])?;
    /// assert_eq!(x.isneginf()?.to_vec::<bool>()?, [false, true]);
    /// # Ok::<_, firebrick_core::Error>(())
    /// ```
    fn isneginf(x) -> Tensor as "IsneginfBackward0" {
        kernel: Unary::IsNegInf,
        saves: [],
        grads: { x: |g| g.zeros_like() },
        samples: sample::unary(ANY, |x| x.add(&x.isneginf()?)),
    }

    /// Is it neither infinite nor NaN?
    ///
    /// ```
    /// # use firebrick_core::Tensor;
    /// let x = Tensor::new([f32::NAN, f32::NEG_INFINITY, 1.0])?;
    /// assert_eq!(x.isfinite()?.to_vec::<bool>()?, [false, false, true]);
    /// # Ok::<_, firebrick_core::Error>(())
    /// ```
    fn isfinite(x) -> Tensor as "IsfiniteBackward0" {
        kernel: Unary::IsFinite,
        saves: [],
        grads: { x: |g| g.zeros_like() },
        samples: sample::unary(ANY, |x| x.add(&x.isfinite()?)),
    }

    /// Is the sign bit set, of -0 and NaN too?
    ///
    /// ```
    /// # use firebrick_core::Tensor;
    /// assert_eq!(Tensor::new([-0.0f32, 0.0, -3.0])?.signbit()?.to_vec::<bool>()?, [true, false, true]);
    /// # Ok::<_, firebrick_core::Error>(())
    /// ```
    fn signbit(x) -> Tensor as "SignbitBackward0" {
        kernel: Unary::Signbit,
        saves: [],
        grads: { x: |g| g.zeros_like() },
        samples: sample::unary(ANY, |x| x.add(&x.signbit()?)),
    }
}

impl Tensor {
    /// Is the imaginary part zero? Always, for dtypes without one.
    ///
    /// ```
    /// # use firebrick_core::{Complex, Tensor};
    /// let x = Tensor::new([Complex::new(1.0f32, 0.0), Complex::new(1.0, 2.0)])?;
    /// assert_eq!(x.isreal()?.to_vec::<bool>()?, [true, false]);
    /// # Ok::<_, firebrick_core::Error>(())
    /// ```
    pub fn isreal(&self) -> Result<Tensor> {
        if self.is_complex() {
            return self.detach().imag()?.eq(0);
        }
        Tensor::full_with(self.shape(), true, TensorOptions::new().dtype(DType::Bool).device(self.device()))
    }
}
