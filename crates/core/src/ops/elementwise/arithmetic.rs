//! Sums, products, quotients and remainders.

use super::{not_differentiable, rules, run};
use crate::backend::{Binary, Map, Unary};
use crate::ops::sample::{self, ABOVE_ONE, ANY, POSITIVE};
use crate::ops::{composed, ops};
use crate::{DType, Error, Operand, Result, Scalar, Tensor};

/// The kernel of `a + alpha * b`, after PyTorch's checks of the number.
fn add_scaled(op: &'static str, a: &Tensor, b: &Tensor, alpha: Scalar, sign: i64) -> Result<Map> {
    let dtype = Tensor::result_type(a, b)?;
    if matches!(alpha, Scalar::Bool(_)) && dtype != DType::Bool {
        return Err(Error::runtime(op, "Boolean alpha only supported for Boolean results."));
    }
    let fraction = matches!(alpha, Scalar::Float(_) | Scalar::Complex(_));
    if fraction && !dtype.is_differentiable() {
        return Err(Error::runtime(
            op,
            "For integral input tensors, argument alpha must not be a floating point number.",
        ));
    }
    if sign < 0 {
        // Only bool tensors are refused: the same check as without a factor.
        rules::check(op, Binary::Sub.into(), dtype, &[a, b], &[a.body(), b.body()])?;
    }
    if matches!(alpha, Scalar::Complex(_)) && !dtype.is_complex() {
        return Err(Error::runtime(op, "For non-complex input tensors, argument alpha must not be a complex number."));
    }
    let alpha = real_factor(op, alpha)?;
    rules::check_fits(op, alpha, dtype)?;
    Ok(match dtype.is_differentiable() {
        true => Binary::AddScaled(sign as f64 * alpha.to_f64()).into(),
        false => Binary::AddScaledInt(alpha.to_i64().wrapping_mul(sign)).into(),
    })
}

/// A factor inside a kernel, which may not be complex.
pub(super) fn real_factor(op: &'static str, factor: Scalar) -> Result<Scalar> {
    match factor.is_real() {
        true => Ok(factor),
        false => Err(Error::not_implemented(op, "a factor with an imaginary part is not implemented")
            .given(format!("{factor:?}"))
            .remedy("multiply by it first, as in `a.add(&b.mul(factor)?)`")),
    }
}

/// PyTorch's `rounding_mode`.
fn rounded(mode: &str) -> Result<Binary> {
    match mode {
        "trunc" => Ok(Binary::TruncDivide),
        "floor" => Ok(Binary::FloorDivide),
        other => Err(Error::runtime(
            "div",
            format!("div expected rounding_mode to be one of None, 'trunc', or 'floor' but found '{other}'"),
        )),
    }
}

ops! {
    table: ARITHMETIC;

    /// Sum: `out = a + b`. Shapes broadcast, dtypes promote.
    ///
    /// ```
    /// # use firebrick_core::Tensor;
    /// let x = Tensor::new([1.0f32, 2.0])?;
    /// assert_eq!(x.add(&x)?.add(0.5)?.to_vec::<f32>()?, [2.5, 4.5]);
    /// # Ok::<_, firebrick_core::Error>(())
    /// ```
    fn add(a, b: operand) -> Tensor as "AddBackward0" {
        kernel: Binary::Add,
        saves: [],
        grads: { a: |g| Ok(g.clone()), b: |g| Ok(g.clone()) },
        in_place: add_(10),
        samples: sample::pairs((ANY, ANY), |a, b| a.add(b)),
    }

    /// Sum with a factor: `out = a + alpha * b`, PyTorch's `add(b, alpha=alpha)`.
    ///
    /// # Errors
    /// A fraction as `alpha` beside integers; a bool beside anything but bools.
    ///
    /// ```
    /// # use firebrick_core::Tensor;
    /// let x = Tensor::new([1.0f32, 2.0])?;
    /// assert_eq!(x.add_alpha(&x, 10)?.to_vec::<f32>()?, [11.0, 22.0]);
    /// # Ok::<_, firebrick_core::Error>(())
    /// ```
    fn add_alpha(a, b: operand; alpha: Scalar) -> Tensor as "AddBackward0" {
        kernel: add_scaled("add", a, b, *alpha, 1)?,
        saves: [],
        grads: { a: |g| Ok(g.clone()), b: |g| g.mul(*alpha) },
        in_place: add_alpha_(10, 2),
        samples: sample::pairs((ANY, ANY), |a, b| a.add_alpha(b, 2.5)),
    }

    /// Difference: `out = a - b`. Shapes broadcast, dtypes promote; bool tensors are refused, as in PyTorch.
    ///
    /// ```
    /// # use firebrick_core::{DType, Tensor};
    /// let x = Tensor::new([[5, 6], [7, 8]])?;
    /// assert_eq!(x.sub(Tensor::new([1, 2])?)?.to_vec::<i32>()?, [4, 4, 6, 6]);
    /// assert_eq!(x.sub(0.5)?.dtype(), DType::F32);
    /// # Ok::<_, firebrick_core::Error>(())
    /// ```
    fn sub(a, b: operand) -> Tensor as "SubBackward0" {
        kernel: Binary::Sub,
        saves: [],
        grads: { a: |g| Ok(g.clone()), b: |g| g.neg() },
        in_place: sub_(10),
        samples: sample::pairs((ANY, ANY), |a, b| a.sub(b)),
    }

    /// Difference with a factor: `out = a - alpha * b`, PyTorch's `sub(b, alpha=alpha)`.
    ///
    /// ```
    /// # use firebrick_core::Tensor;
    /// assert_eq!(Tensor::new([1.0f32, 2.0])?.sub_alpha(1, 0.5)?.to_vec::<f32>()?, [0.5, 1.5]);
    /// # Ok::<_, firebrick_core::Error>(())
    /// ```
    fn sub_alpha(a, b: operand; alpha: Scalar) -> Tensor as "SubBackward0" {
        kernel: add_scaled("sub", a, b, *alpha, -1)?,
        saves: [],
        grads: { a: |g| Ok(g.clone()), b: |g| g.mul(*alpha)?.neg() },
        in_place: sub_alpha_(10, 2),
        samples: sample::pairs((ANY, ANY), |a, b| a.sub_alpha(b, 2.5)),
    }

    /// Difference the other way round: `out = b - alpha * a`. `torch.rsub`.
    ///
    /// ```
    /// # use firebrick_core::Tensor;
    /// assert_eq!(Tensor::new([1.0f32, 2.0])?.rsub(10, 2)?.to_vec::<f32>()?, [8.0, 6.0]);
    /// # Ok::<_, firebrick_core::Error>(())
    /// ```
    fn rsub(a, b: operand; alpha: Scalar) -> Tensor as "RsubBackward0" or "RsubBackward1" {
        forward: run("rsub", add_scaled("rsub", b, a, *alpha, -1)?, &[b, a], None),
        saves: [],
        grads: { a: |g| g.mul(*alpha)?.neg(), b: |g| Ok(g.clone()) },
        samples: sample::pairs((ANY, ANY), |a, b| a.rsub(b, 2)),
    }

    /// Product: `out = a * b`. Shapes broadcast, dtypes promote.
    ///
    /// ```
    /// # use firebrick_core::Tensor;
    /// let x = Tensor::new([1.0f32, 2.0, 3.0])?;
    /// assert_eq!(x.mul(2)?.to_vec::<f32>()?, [2.0, 4.0, 6.0]);
    /// assert_eq!(x.unsqueeze(1)?.mul(&x)?.shape(), [3, 3]);
    /// # Ok::<_, firebrick_core::Error>(())
    /// ```
    fn mul(a, b: operand) -> Tensor as "MulBackward0" {
        kernel: Binary::Mul,
        saves: [a if b, b if a],
        grads: { a: |g| g.mul(b), b: |g| g.mul(a) },
        in_place: mul_(10),
        samples: sample::pairs((ANY, ANY), |a, b| a.mul(b)),
    }

    /// Quotient: `out = a / b`, of integers too a floating-point number.
    ///
    /// ```
    /// # use firebrick_core::Tensor;
    /// assert_eq!(Tensor::new([1, 2])?.div(4)?.to_vec::<f32>()?, [0.25, 0.5]);
    /// assert_eq!(Tensor::new([1.0f32, -1.0])?.div(0)?.to_vec::<f32>()?, [f32::INFINITY, f32::NEG_INFINITY]);
    /// # Ok::<_, firebrick_core::Error>(())
    /// ```
    fn div(a, b: operand) -> Tensor as "DivBackward0" {
        kernel: Binary::Div,
        saves: [a if b, b],
        grads: {
            a: |g| g.div(b),
            b: |g| g.neg()?.mul(&a.div(b)?.div(b)?),
        },
        in_place: div_(10),
        samples: sample::pairs((ANY, POSITIVE), |a, b| a.div(b)),
    }

    /// Quotient, rounded as `rounding_mode` says: `"trunc"` towards zero, `"floor"` down. Of integers an integer.
    ///
    /// # Errors
    /// Another mode; an integer zero as divisor.
    ///
    /// ```
    /// # use firebrick_core::Tensor;
    /// let x = Tensor::new([-7, 7])?;
    /// assert_eq!(x.div_rounding(2, "trunc")?.to_vec::<i32>()?, [-3, 3]);
    /// assert_eq!(x.div_rounding(2, "floor")?.to_vec::<i32>()?, [-4, 3]);
    /// # Ok::<_, firebrick_core::Error>(())
    /// ```
    fn div_rounding(a, b: operand; rounding_mode: String) -> Tensor as "DivBackward2" {
        kernel: rounded(rounding_mode)?,
        saves: [],
        grads: { a: |g| g.zeros_like(), b: |g| g.zeros_like() },
        in_place: div_rounding_(2, "floor") on [-7, 7],
        samples: sample::pairs((ANY, POSITIVE), |a, b| a.div_rounding(b, "floor")),
    }

    /// Quotient rounded down: Python's `//`. Not differentiable.
    ///
    /// # Errors
    /// An integer zero as divisor.
    ///
    /// ```
    /// # use firebrick_core::Tensor;
    /// assert_eq!(Tensor::new([-7, 7])?.floor_divide(2)?.to_vec::<i32>()?, [-4, 3]);
    /// # Ok::<_, firebrick_core::Error>(())
    /// ```
    fn floor_divide(a, b: operand) -> Tensor as "NotImplemented" {
        kernel: Binary::FloorDivide,
        saves: [],
        grads: { a: |g| not_differentiable("floor_divide"), b: |g| not_differentiable("floor_divide") },
        in_place: floor_divide_(2) on [-7, 7],
        samples: sample::pairs((ANY, POSITIVE), |a, b| a.detach().floor_divide(b.detach())),
    }

    /// The remainder of `a / b` with the sign of `b`: Python's `%`.
    ///
    /// # Errors
    /// An integer zero as divisor.
    ///
    /// ```
    /// # use firebrick_core::Tensor;
    /// assert_eq!(Tensor::new([-7, 7])?.remainder(3)?.to_vec::<i32>()?, [2, 1]);
    /// # Ok::<_, firebrick_core::Error>(())
    /// ```
    fn remainder(a, b: operand) -> Tensor as "RemainderBackward1" or "RemainderBackward0" {
        kernel: Binary::Remainder,
        saves: [a if b, b],
        grads: { a: |g| Ok(g.clone()), b: |g| g.neg()?.mul(&a.div_rounding(b, "floor")?) },
        in_place: remainder_(2) on [-7, 7],
        samples: sample::pairs((ANY, ABOVE_ONE), |a, b| a.remainder(b)),
    }

    /// The remainder of `a / b` with the sign of `a`: C's `fmod`.
    ///
    /// # Errors
    /// An integer zero as divisor.
    ///
    /// ```
    /// # use firebrick_core::Tensor;
    /// assert_eq!(Tensor::new([-7, 7])?.fmod(3)?.to_vec::<i32>()?, [-1, 1]);
    /// # Ok::<_, firebrick_core::Error>(())
    /// ```
    fn fmod(a, b: operand) -> Tensor as "FmodBackward1" or "FmodBackward0" {
        kernel: Binary::Fmod,
        saves: [a if b, b],
        grads: { a: |g| Ok(g.clone()), b: |g| g.neg()?.mul(&a.div_rounding(b, "trunc")?) },
        in_place: fmod_(2) on [-7, 7],
        samples: sample::pairs((ANY, ABOVE_ONE), |a, b| a.fmod(b)),
    }

    /// `-x`.
    ///
    /// # Errors
    /// A bool tensor.
    ///
    /// ```
    /// # use firebrick_core::Tensor;
    /// assert_eq!(Tensor::new([1.0f32, -2.0])?.neg()?.to_vec::<f32>()?, [-1.0, 2.0]);
    /// # Ok::<_, firebrick_core::Error>(())
    /// ```
    fn neg(x) -> Tensor as "NegBackward0" {
        kernel: Unary::Neg,
        saves: [],
        grads: { x: |g| g.neg() },
        in_place: neg_,
        samples: sample::unary(ANY, |x| x.neg()),
    }
}

composed! {
    table: COMPOSED;

    /// The tensor itself: Python's `+x`.
    ///
    /// # Errors
    /// A bool tensor.
    ///
    /// ```
    /// # use firebrick_core::Tensor;
    /// let x = Tensor::new([1.0f32, -2.0])?;
    /// assert!(x.positive()?.ptr_eq(&x));
    /// # Ok::<_, firebrick_core::Error>(())
    /// ```
    fn positive(&x) -> Tensor {
        if x.dtype() == DType::Bool {
            return Err(Error::not_implemented("positive", "The `+` operator, on a bool tensor is not supported."));
        }
        x.resolve("positive")
    }
    samples: sample::unary(ANY, |x| x.positive());

    /// Quotient: PyTorch's other name of [`Tensor::div`].
    ///
    /// ```
    /// # use firebrick_core::Tensor;
    /// assert_eq!(Tensor::new([1, 2])?.true_divide(2)?.to_vec::<f32>()?, [0.5, 1.0]);
    /// # Ok::<_, firebrick_core::Error>(())
    /// ```
    fn true_divide(&a, b: impl Operand) -> Tensor { a.div(b) }
    samples: sample::pairs((ANY, POSITIVE), |a, b| a.true_divide(b));
}
