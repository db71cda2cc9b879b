//! The exponential of a matrix.

use super::batch::{check_float, check_square};
use crate::autograd::no_grad;
use crate::ops::ops;
use crate::ops::sample::{self, ANY, Trait};
use crate::{DType, Result, Tensor, TensorOptions};

const OP: &str = "linalg.matrix_exp";

/// Terms of the series: with a norm of at most a half, the next one is below the last digit of double precision.
const TERMS: i64 = 14;

/// More halvings than any norm of double precision needs.
const MOST_HALVINGS: f64 = 1100.0;

/// Scaling and squaring (Higham, *Functions of Matrices*, section 10.3): each matrix is halved until its series converges
/// fast, and the result squared as often.
fn matrix_exp_of(x: &Tensor) -> Result<Tensor> {
    check_square(OP, x)?;
    check_float(OP, x)?;
    if x.numel() == 0 {
        return x.copy();
    }
    no_grad(|| {
        let wide = x.to(if x.is_complex() { DType::C128 } else { DType::F64 })?;
        let norm = wide.abs()?.sum_dim(-1, true)?.amax(-2, true)?;
        // The comparison is false for NaN, which needs no squaring to stay NaN.
        let halvings = norm.log2()?.add(1)?.ceil()?.clamp(0.0, MOST_HALVINGS)?;
        let scaled = wide.mul(&halvings.neg()?.exp2()?)?;
        let n = x.size(-1)? as i64;
        let eye = Tensor::eye_with(n, n, TensorOptions::from(wide.dtype()).device(x.device()))?;
        let mut power = eye.expand(scaled.shape())?;
        for k in (1..=TERMS).rev() {
            power = scaled.matmul(&power)?.div(k)?.add(&eye)?;
        }
        let most = halvings.nan_to_num(0.0, None, None)?.amax(Vec::<i64>::new(), false)?.value_or(0.0)?;
        for step in 0..most as i64 {
            power = power.matmul(&power)?.where_self(&halvings.gt(step)?, &power)?;
        }
        power.to(x.dtype())
    })
}

/// The derivative in the direction of the gradient is a block of the exponential of `[[X^T, G], [0, X^T]]` (Higham,
/// equation 3.16).
fn matrix_exp_grad(g: &Tensor, x: &Tensor) -> Result<Tensor> {
    let (n, transposed) = (x.size(-1)? as i64, x.mT()?);
    let upper = Tensor::cat(&[&transposed, g], -1)?;
    let lower = Tensor::cat(&[&g.detach().zeros_like()?, &transposed], -1)?;
    Tensor::cat(&[upper, lower], -2)?.matrix_exp()?.narrow(-2, 0, n)?.narrow(-1, n, n)
}

ops! {
    table: EXPONENTIAL;

    /// The exponential of every matrix: `I + X + X X / 2 + X X X / 6 + ...`
    ///
    /// # Shapes
    /// `[.., n, n]` to itself.
    ///
    /// # Errors
    /// Matrices that are not square, integers.
    ///
    /// ```
    /// # use firebrick_core::Tensor;
    /// // A quarter turn.
    /// let quarter = std::f64::consts::FRAC_PI_2;
    /// let turn = Tensor::new([[0.0, -quarter], [quarter, 0.0]])?.matrix_exp()?;
    /// assert!(turn.allclose(&Tensor::new([[0.0f64, -1.0], [1.0, 0.0]])?, 1e-14, 1e-14, false)?);
    /// # Ok::<_, firebrick_core::Error>(())
    /// ```
    fn matrix_exp(x) -> Tensor as "LinalgMatrixExpBackward0" {
        forward: matrix_exp_of(x),
        saves: [x],
        grads: { x: |g| matrix_exp_grad(g, x) },
        samples: {
            let mut all = sample::shaped(&[3, 3], &[0, 0], |x| x.matrix_exp())?;
            all.push(sample::one(Trait::Plain, vec![ANY.tensor(&[2, 2, 2], 4)?], |x| x[0].matrix_exp()));
            Ok(all)
        },
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn the_exponential_of_a_diagonal_matrix_is_that_of_its_elements_however_large_they_are() {
        for (a, b) in [(1.0, -30.0), (700.0, -700.0), (1e-9, 0.0), (-1e6, 3.0)] {
            let x = Tensor::new([[a, 0.0], [0.0, b]]).unwrap();
            let got = x.matrix_exp().unwrap().to_vec::<f64>().unwrap();
            for (got, expected) in got.iter().zip([f64::exp(a), 0.0, 0.0, f64::exp(b)]) {
                assert!((got - expected).abs() <= 1e-11 * expected, "{got} and not {expected}");
            }
        }
    }

    #[test]
    fn what_is_not_finite_gives_nan_in_its_own_matrix_alone() {
        for bad in [f64::NAN, f64::INFINITY] {
            let x = Tensor::new([[[bad, 0.0], [0.0, 1.0]], [[0.0, 1.0], [0.0, 0.0]]]).unwrap();
            let got = x.matrix_exp().unwrap().to_vec::<f64>().unwrap();
            assert!(got[0].is_nan() && got[4..] == [1.0, 1.0, 0.0, 1.0], "{got:?}");
        }
    }
}
