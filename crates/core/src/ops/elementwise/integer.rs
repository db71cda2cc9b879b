//! Integers: their bits and their divisors. Results carry no gradient but zero.

use crate::backend::{Binary, Unary};
use crate::ops::ops;
use crate::ops::sample::{self, Domain};
use crate::{DType, Result, Tensor};

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
    table: INTEGER;

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
        in_place: bitwise_not_ on [5, 6],
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
        in_place: bitwise_and_(3) on [5, 6],
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
        in_place: bitwise_or_(3) on [5, 6],
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
        in_place: bitwise_xor_(3) on [5, 6],
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
        in_place: bitwise_left_shift_(1) on [5, 6],
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
        in_place: bitwise_right_shift_(1) on [5, 6],
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
        in_place: gcd_(&Tensor::new([4, 9])?) on [6, 6],
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
        in_place: lcm_(&Tensor::new([4, 9])?) on [6, 6],
        samples: sample::pairs((STEPS, STEPS), |a, b| a.to(DType::I64)?.lcm(&b.to(DType::I64)?)?.mul(a)),
    }
}
