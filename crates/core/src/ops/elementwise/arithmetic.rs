//! Sums, products and quotients.

use crate::Tensor;
use crate::backend::{Binary, Unary};
use crate::ops::ops;
use crate::ops::sample::{self, ANY, POSITIVE};

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
        in_place: add_,
        samples: sample::pairs((ANY, ANY), |a, b| a.add(b)),
    }

    /// Difference: `out = a - b`. Shapes broadcast, dtypes promote; bool tensors are refused, as in PyTorch.
    fn sub(a, b: operand) -> Tensor as "SubBackward0" {
        kernel: Binary::Sub,
        saves: [],
        grads: { a: |g| Ok(g.clone()), b: |g| g.neg() },
        in_place: sub_,
        samples: sample::pairs((ANY, ANY), |a, b| a.sub(b)),
    }

    /// Product: `out = a * b`. Shapes broadcast, dtypes promote.
    fn mul(a, b: operand) -> Tensor as "MulBackward0" {
        kernel: Binary::Mul,
        saves: [a if b, b if a],
        grads: { a: |g| g.mul(b), b: |g| g.mul(a) },
        in_place: mul_,
        samples: sample::pairs((ANY, ANY), |a, b| a.mul(b)),
    }

    /// Quotient: `out = a / b`, of integers too a floating-point number.
    fn div(a, b: operand) -> Tensor as "DivBackward0" {
        kernel: Binary::Div,
        saves: [a if b, b],
        grads: {
            a: |g| g.div(b),
            b: |g| g.mul(a)?.div(&b.mul(b)?)?.neg(),
        },
        in_place: div_,
        samples: sample::pairs((ANY, POSITIVE), |a, b| a.div(b)),
    }

    /// The number with the other sign.
    fn neg(x) -> Tensor as "NegBackward0" {
        kernel: Unary::Neg,
        saves: [],
        grads: { x: |g| g.neg() },
        in_place: neg_,
        samples: sample::unary(ANY, |x| x.neg()),
    }

    /// `e` to the power of each element.
    fn exp(x) -> Tensor as "ExpBackward0" {
        kernel: Unary::Exp,
        saves: [] -> y,
        grads: { x: |g| g.mul(y) },
        in_place: exp_,
        samples: sample::unary(ANY, |x| x.exp()),
    }

    /// The larger of each element and zero; NaN stays NaN.
    fn relu(x) -> Tensor as "ReluBackward0" {
        kernel: Unary::Relu,
        saves: [] -> y,
        grads: { x: |g| g.relu_grad(y) },
        in_place: relu_,
        samples: sample::unary(ANY, |x| x.relu()),
    }

    /// The gradient of [`Tensor::relu`] from that of its result `y`: `g` where `y > 0`, else zero.
    fn relu_grad(g, y: tensor) -> Tensor as "ThresholdBackward0" {
        kernel: Binary::ReluGrad,
        saves: [y if g],
        grads: { g: |h| h.relu_grad(y), y: |h| h.zeros_like() },
        samples: sample::pairs((ANY, ANY), |g, y| g.relu_grad(y)),
    }
}
