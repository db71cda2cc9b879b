//! Comparisons, tests and logic: results are bool, or bits, and carry no gradient.
//!
//! In place they keep the target's dtype, so they are rows too: such a result has a gradient, which is zero.

use crate::backend::{Binary, Unary};
use crate::ops::ops;
use crate::ops::sample::{self, ANY, Domain};
use crate::{DType, Error, Result, Tensor};

/// Values of which none is whole, so that those next to each other become the same integer.
const STEPS: Domain = Domain { low: -2.13, high: 2.31 };

/// Bits of one element, beyond which a shift leaves nothing.
fn bits(a: &Tensor, b: &Tensor) -> Result<u32> {
    Ok(Tensor::result_type(a, b)?.size() as u32 * 8)
}

/// The other truth value is not the other bits of the byte that stores it.
fn not(x: &Tensor) -> Unary {
    if x.dtype() == DType::Bool { Unary::LogicalNot } else { Unary::BitwiseNot }
}

ops! {
    table: COMPARE;

    /// Are they equal? `out[i] = (a[i] == b[i])`, as bool. Shapes broadcast; NaN equals nothing.
    ///
    /// ```
    /// # use firebrick_core::Tensor;
    /// assert_eq!(Tensor::new([1.0f32, 2.0])?.eq(2)?.to_vec::<bool>()?, [false, true]);
    /// # Ok::<_, firebrick_core::Error>(())
    /// ```
    fn eq(a, b: operand) -> Tensor as "EqBackward1" {
        kernel: Binary::Eq,
        saves: [],
        grads: { a: |g| g.zeros_like(), b: |g| g.zeros_like() },
        in_place: eq_,
        samples: sample::pairs((ANY, ANY), |a, b| a.add(&a.mul(b)?.eq(b)?)),
    }

    /// Are they different? NaN differs from everything.
    ///
    /// ```
    /// # use firebrick_core::Tensor;
    /// assert_eq!(Tensor::new([1.0f32, f32::NAN])?.ne(1)?.to_vec::<bool>()?, [false, true]);
    /// # Ok::<_, firebrick_core::Error>(())
    /// ```
    fn ne(a, b: operand) -> Tensor as "NeBackward1" {
        kernel: Binary::Ne,
        saves: [],
        grads: { a: |g| g.zeros_like(), b: |g| g.zeros_like() },
        in_place: ne_,
        samples: sample::pairs((ANY, ANY), |a, b| a.add(&a.mul(b)?.ne(b)?)),
    }

    /// Is `a` less than `b`?
    ///
    /// ```
    /// # use firebrick_core::Tensor;
    /// assert_eq!(Tensor::new([1, 2, 3])?.lt(2)?.to_vec::<bool>()?, [true, false, false]);
    /// # Ok::<_, firebrick_core::Error>(())
    /// ```
    fn lt(a, b: operand) -> Tensor as "LtBackward1" {
        kernel: Binary::Lt,
        saves: [],
        grads: { a: |g| g.zeros_like(), b: |g| g.zeros_like() },
        in_place: lt_,
        samples: sample::pairs((ANY, ANY), |a, b| a.add(&a.mul(b)?.lt(b)?)),
    }

    /// Is `a` less than `b` or equal to it?
    ///
    /// ```
    /// # use firebrick_core::Tensor;
    /// assert_eq!(Tensor::new([1, 2, 3])?.le(2)?.to_vec::<bool>()?, [true, true, false]);
    /// # Ok::<_, firebrick_core::Error>(())
    /// ```
    fn le(a, b: operand) -> Tensor as "LeBackward1" {
        kernel: Binary::Le,
        saves: [],
        grads: { a: |g| g.zeros_like(), b: |g| g.zeros_like() },
        in_place: le_,
        samples: sample::pairs((ANY, ANY), |a, b| a.add(&a.mul(b)?.le(b)?)),
    }

    /// Is `a` greater than `b`?
    ///
    /// ```
    /// # use firebrick_core::Tensor;
    /// assert_eq!(Tensor::new([1, 2, 3])?.gt(2)?.to_vec::<bool>()?, [false, false, true]);
    /// # Ok::<_, firebrick_core::Error>(())
    /// ```
    fn gt(a, b: operand) -> Tensor as "GtBackward1" {
        kernel: Binary::Gt,
        saves: [],
        grads: { a: |g| g.zeros_like(), b: |g| g.zeros_like() },
        in_place: gt_,
        samples: sample::pairs((ANY, ANY), |a, b| a.add(&a.mul(b)?.gt(b)?)),
    }

    /// Is `a` greater than `b` or equal to it?
    ///
    /// ```
    /// # use firebrick_core::Tensor;
    /// assert_eq!(Tensor::new([1, 2, 3])?.ge(2)?.to_vec::<bool>()?, [false, true, true]);
    /// # Ok::<_, firebrick_core::Error>(())
    /// ```
    fn ge(a, b: operand) -> Tensor as "GeBackward1" {
        kernel: Binary::Ge,
        saves: [],
        grads: { a: |g| g.zeros_like(), b: |g| g.zeros_like() },
        in_place: ge_,
        samples: sample::pairs((ANY, ANY), |a, b| a.add(&a.mul(b)?.ge(b)?)),
    }

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
        in_place: logical_and_,
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
        in_place: logical_or_,
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
        in_place: logical_xor_,
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

    /// The other bits; of bool, the other truth value.
    ///
    /// # Errors
    /// Floating-point tensors.
    ///
    /// ```
    /// # use firebrick_core::Tensor;
    /// assert_eq!(Tensor::new([0, 5])?.bitwise_not()?.to_vec::<i32>()?, [-1, -6]);
    /// assert_eq!(Tensor::new([true, false])?.bitwise_not()?.to_vec::<bool>()?, [false, true]);
    /// # Ok::<_, firebrick_core::Error>(())
    /// ```
    fn bitwise_not(x) -> Tensor as "BitwiseNotBackward0" {
        kernel: not(x),
        saves: [],
        grads: { x: |g| g.zeros_like() },
        in_place: bitwise_not_,
        samples: sample::unary(STEPS, |x| x.to(DType::I64)?.bitwise_not()?.mul(x)),
    }

    /// Bits that both have.
    ///
    /// # Errors
    /// Floating-point tensors.
    ///
    /// ```
    /// # use firebrick_core::Tensor;
    /// assert_eq!(Tensor::new([12, 10])?.bitwise_and(6)?.to_vec::<i32>()?, [4, 2]);
    /// # Ok::<_, firebrick_core::Error>(())
    /// ```
    fn bitwise_and(a, b: operand) -> Tensor as "BitwiseAndBackward0" {
        kernel: Binary::BitwiseAnd,
        saves: [],
        grads: { a: |g| g.zeros_like(), b: |g| g.zeros_like() },
        in_place: bitwise_and_,
        samples: sample::pairs((STEPS, STEPS), |a, b| a.to(DType::I64)?.bitwise_and(&b.to(DType::I64)?)?.mul(a)),
    }

    /// Bits that one of them has.
    ///
    /// # Errors
    /// Floating-point tensors.
    ///
    /// ```
    /// # use firebrick_core::Tensor;
    /// assert_eq!(Tensor::new([12, 10])?.bitwise_or(6)?.to_vec::<i32>()?, [14; 2]);
    /// # Ok::<_, firebrick_core::Error>(())
    /// ```
    fn bitwise_or(a, b: operand) -> Tensor as "BitwiseOrBackward0" {
        kernel: Binary::BitwiseOr,
        saves: [],
        grads: { a: |g| g.zeros_like(), b: |g| g.zeros_like() },
        in_place: bitwise_or_,
        samples: sample::pairs((STEPS, STEPS), |a, b| a.to(DType::I64)?.bitwise_or(&b.to(DType::I64)?)?.mul(a)),
    }

    /// Bits that exactly one of them has.
    ///
    /// # Errors
    /// Floating-point tensors.
    ///
    /// ```
    /// # use firebrick_core::Tensor;
    /// assert_eq!(Tensor::new([12, 10])?.bitwise_xor(6)?.to_vec::<i32>()?, [10, 12]);
    /// # Ok::<_, firebrick_core::Error>(())
    /// ```
    fn bitwise_xor(a, b: operand) -> Tensor as "BitwiseXorBackward0" {
        kernel: Binary::BitwiseXor,
        saves: [],
        grads: { a: |g| g.zeros_like(), b: |g| g.zeros_like() },
        in_place: bitwise_xor_,
        samples: sample::pairs((STEPS, STEPS), |a, b| a.to(DType::I64)?.bitwise_xor(&b.to(DType::I64)?)?.mul(a)),
    }

    /// Bits moved up by `b` places; 0 beyond the width.
    ///
    /// # Errors
    /// Bool and floating-point tensors.
    ///
    /// ```
    /// # use firebrick_core::Tensor;
    /// assert_eq!(Tensor::new([1, 3])?.bitwise_left_shift(4)?.to_vec::<i32>()?, [16, 48]);
    /// # Ok::<_, firebrick_core::Error>(())
    /// ```
    fn bitwise_left_shift(a, b: operand) -> Tensor as "BitwiseLeftShiftBackward0" {
        kernel: Binary::LeftShift(bits(a, b)?),
        saves: [],
        grads: { a: |g| g.zeros_like(), b: |g| g.zeros_like() },
        in_place: bitwise_left_shift_,
        samples: sample::pairs((STEPS, STEPS), |a, b| a.to(DType::I64)?.bitwise_left_shift(&b.to(DType::I64)?)?.mul(a)),
    }

    /// Bits moved down by `b` places with copies of the sign.
    ///
    /// # Errors
    /// Bool and floating-point tensors.
    ///
    /// ```
    /// # use firebrick_core::Tensor;
    /// assert_eq!(Tensor::new([16, -16])?.bitwise_right_shift(2)?.to_vec::<i32>()?, [4, -4]);
    /// # Ok::<_, firebrick_core::Error>(())
    /// ```
    fn bitwise_right_shift(a, b: operand) -> Tensor as "BitwiseRightShiftBackward0" {
        kernel: Binary::RightShift(bits(a, b)?),
        saves: [],
        grads: { a: |g| g.zeros_like(), b: |g| g.zeros_like() },
        in_place: bitwise_right_shift_,
        samples: sample::pairs((STEPS, STEPS), |a, b| a.to(DType::I64)?.bitwise_right_shift(&b.to(DType::I64)?)?.mul(a)),
    }

    /// The greatest common divisor.
    ///
    /// # Errors
    /// Bool and floating-point tensors.
    ///
    /// ```
    /// # use firebrick_core::Tensor;
    /// assert_eq!(Tensor::new([12, -18])?.gcd(&Tensor::new([8, 12])?)?.to_vec::<i32>()?, [4, 6]);
    /// # Ok::<_, firebrick_core::Error>(())
    /// ```
    fn gcd(a, b: tensor) -> Tensor as "GcdBackward0" {
        kernel: Binary::Gcd,
        saves: [],
        grads: { a: |g| g.zeros_like(), b: |g| g.zeros_like() },
        in_place: gcd_,
        samples: sample::pairs((STEPS, STEPS), |a, b| a.to(DType::I64)?.gcd(&b.to(DType::I64)?)?.mul(a)),
    }

    /// The least common multiple.
    ///
    /// # Errors
    /// Bool and floating-point tensors.
    ///
    /// ```
    /// # use firebrick_core::Tensor;
    /// assert_eq!(Tensor::new([4, 6])?.lcm(&Tensor::new([6, 9])?)?.to_vec::<i32>()?, [12, 18]);
    /// # Ok::<_, firebrick_core::Error>(())
    /// ```
    fn lcm(a, b: tensor) -> Tensor as "LcmBackward0" {
        kernel: Binary::Lcm,
        saves: [],
        grads: { a: |g| g.zeros_like(), b: |g| g.zeros_like() },
        in_place: lcm_,
        samples: sample::pairs((STEPS, STEPS), |a, b| a.to(DType::I64)?.lcm(&b.to(DType::I64)?)?.mul(a)),
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
        Tensor::full_with(self.shape(), true, crate::TensorOptions::new().dtype(DType::Bool).device(self.device()))
    }

    /// Element by element: `|a - b| <= atol + rtol |b|`, or equal. NaN is close to NaN if `equal_nan` is set.
    /// PyTorch's defaults are `rtol = 1e-5` and `atol = 1e-8`.
    ///
    /// # Errors
    /// Different dtypes; a negative tolerance.
    ///
    /// ```
    /// # use firebrick_core::Tensor;
    /// let (a, b) = (Tensor::new([1.0f64, 100.0])?, Tensor::new([1.000_001f64, 101.0])?);
    /// assert_eq!(a.isclose(&b, 1e-5, 1e-8, false)?.to_vec::<bool>()?, [true, false]);
    /// # Ok::<_, firebrick_core::Error>(())
    /// ```
    pub fn isclose(&self, other: &Tensor, rtol: f64, atol: f64, equal_nan: bool) -> Result<Tensor> {
        const OP: &str = "isclose";
        let (a, b) = (self.resolve(OP)?.detach(), other.resolve(OP)?.detach());
        if a.dtype() != b.dtype() {
            let (a, b) = (a.dtype().scalar_name(), b.dtype().scalar_name());
            return Err(Error::runtime(OP, format!("{a} did not match {b}")));
        }
        for (name, tolerance) in [("rtol", rtol), ("atol", atol)] {
            if tolerance < 0.0 || tolerance.is_nan() {
                let text = format!("{name} must be greater than or equal to zero, but got {tolerance}");
                return Err(Error::runtime(OP, text));
            }
        }
        let mut close = a.eq(&b)?;
        if equal_nan && a.is_differentiable() {
            close = close.logical_or(&a.isnan()?.logical_and(&b.isnan()?)?)?;
        }
        if rtol == 0.0 && atol == 0.0 {
            return Ok(close);
        }
        let (a, b) = (a.to(a.dtype().to_float())?, b.to(b.dtype().to_float())?);
        let allowed = b.mul(rtol)?.abs()?.add(atol)?;
        let distance = a.sub(&b)?.abs()?;
        close.logical_or(&distance.isfinite()?.logical_and(&distance.le(&allowed)?)?)
    }

    /// Are all elements close? See [`Tensor::isclose`].
    ///
    /// ```
    /// # use firebrick_core::Tensor;
    /// let (a, b) = (Tensor::new([1.0f64, 100.0])?, Tensor::new([1.000_001f64, 100.0])?);
    /// assert!(a.allclose(&b, 1e-5, 1e-8, false)?);
    /// assert!(!a.allclose(&b, 1e-7, 1e-8, false)?);
    /// # Ok::<_, firebrick_core::Error>(())
    /// ```
    pub fn allclose(&self, other: &Tensor, rtol: f64, atol: f64, equal_nan: bool) -> Result<bool> {
        self.isclose(other, rtol, atol, equal_nan)?.all()?.item()
    }

    /// Do both have the same shape and equal elements? NaN equals nothing.
    ///
    /// ```
    /// # use firebrick_core::Tensor;
    /// let x = Tensor::new([1, 2])?;
    /// assert!(x.equal(&Tensor::new([1, 2])?)?);
    /// assert!(!x.equal(&Tensor::new([[1, 2]])?)?);
    /// # Ok::<_, firebrick_core::Error>(())
    /// ```
    pub fn equal(&self, other: &Tensor) -> Result<bool> {
        if self.shape() != other.shape() {
            return Ok(false);
        }
        Ok(self.detach().eq(other.detach())?.to_vec::<bool>()?.into_iter().all(|equal| equal))
    }
}
