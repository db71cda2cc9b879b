//! Tests of the scalar functions against `f64` references and PyTorch's values.

use super::Real;

mod accuracy;
mod activations;
mod integers;
mod pairs;
mod unary;

/// A constant of any kind of number.
fn c<R: Real>(value: f64) -> R {
    R::from_f64(value)
}

/// Panics unless `y` is PyTorch's `expected`: NaN, infinities and the sign of zero exactly, other numbers within
/// `tolerance` of their size or of 1.
fn check<R: Real>(what: &str, y: R, expected: f64, tolerance: f64) {
    let y = y.to_f64();
    let same = if expected.is_nan() {
        y.is_nan()
    } else if expected == 0.0 {
        y.abs() < tolerance && y.is_sign_negative() == expected.is_sign_negative()
    } else if expected.is_infinite() {
        y == expected
    } else {
        (y - expected).abs() <= tolerance * expected.abs().max(1.0)
    };
    assert!(same, "{what} is {y}, not {expected}");
}

/// One test for each row `name: expression in x => [values at INPUTS]`, in both precisions.
macro_rules! rows_of_one {
    ($x:ident $($name:ident: $expression:expr => $expected:expr;)*) => { $(
        #[test]
        fn $name() {
            fn compare<R: Real>(tolerance: f64) {
                fn f<R: Real>($x: R) -> R {
                    $expression
                }
                for (input, expected) in INPUTS.into_iter().zip($expected) {
                    let what = format!("{} of {input}", stringify!($name));
                    check::<R>(&what, f(c(input)), expected, tolerance);
                }
            }
            compare::<Lane<f32, false>>(4e-7);
            compare::<Lane<f32, true>>(4e-7);
            compare::<Lane<f64, false>>(4e-15);
        }
    )* };
}
use rows_of_one;
