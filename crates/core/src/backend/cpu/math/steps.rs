//! Formulas of the two dtypes of 16 bits whose steps PyTorch rounds to the dtype, one by one.

use super::{Real, special};
use crate::backend::{BinarySteps, Small, UnarySteps};
use half::{bf16, f16};

/// `x` rounded to the dtype.
#[inline(always)]
fn round<R: Real>(small: Small, x: R) -> R {
    R::from_f64(match small {
        Small::F16 => f16::from_f64(x.to_f64()).to_f64(),
        Small::BF16 => bf16::from_f64(x.to_f64()).to_f64(),
    })
}

/// A formula of one number; its last step is rounded where the result is stored.
#[inline(always)]
pub fn unary<R: Real>(formula: UnarySteps, small: Small, x: R) -> R {
    let round = |x: R| round(small, x);
    let logit = |x: R| round(x / round(R::ONE - x)).log();
    match formula {
        UnarySteps::Cube => round(x * x) * x,
        UnarySteps::InverseSquare => R::ONE / round(x * x),
        UnarySteps::Rsqrt => R::ONE / round(x.sqrt()),
        UnarySteps::Logit => logit(x),
        UnarySteps::LogitEps(eps) => {
            let low = round(R::from_f64(eps));
            let high = round(R::ONE - low);
            let kept = if x > high { high } else { x };
            logit(if x < low { low } else { kept })
        }
    }
}

/// A formula of two numbers; its last step is rounded where the result is stored.
#[inline(always)]
pub fn binary<R: Real>(formula: BinarySteps, small: Small, x: R, y: R) -> R {
    let round = |x: R| round(small, x);
    match formula {
        BinarySteps::TruncDivide => round(x / y).trunc(),
        BinarySteps::Xlogy => special::zero_times(x, y, round(y.log())),
        BinarySteps::Xlog1py => special::zero_times(x, y, round(y.log1p())),
        BinarySteps::Ldexp => x * round(y.exp2()),
    }
}
