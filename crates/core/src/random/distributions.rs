//! Distributions made from one float64 uniform, or one scalar normal, an element.

use super::engine::{Engine, unit_f64};
use super::error::{Number, RandomError};
use super::real::Real;
use super::sample::Sample;

/// Fills `out` with exponential numbers, `-ln(1 - u) / lambda`: PyTorch's `exponential_(lambda)`.
///
/// # Errors
/// `lambda` not positive.
///
/// ```
/// # use firebrick_core::random::{self, Engine};
/// let mut out = [0.0f64; 2];
/// random::fill_exponential(&mut Engine::new(0), &mut out, 2.0)?;
/// assert_eq!(out, [1.754_163_093_353_821, 0.615_192_382_089_838_4]);
/// # Ok::<_, firebrick_core::random::RandomError>(())
/// ```
pub fn fill_exponential<T: Real>(engine: &mut Engine, out: &mut [T], lambda: f64) -> Result<(), RandomError> {
    positive("exponential_", "lambda", lambda)?;
    fill(engine, out, |u| (-1.0 / lambda) * (-u).ln_1p());
    Ok(())
}

/// Fills `out` with the number of tosses up to the first success, `ceil(ln(u) / ln(1 - p))`:
/// PyTorch's `geometric_(p)`.
///
/// # Errors
/// `p` outside `(0, 1)`; `bool`.
///
/// ```
/// # use firebrick_core::random::{self, Engine};
/// let mut out = [0_i64; 4];
/// random::fill_geometric(&mut Engine::new(0), &mut out, 0.25)?;
/// assert_eq!(out, [1, 2, 3, 1]);
/// # Ok::<_, firebrick_core::random::RandomError>(())
/// ```
pub fn fill_geometric<T: Sample>(engine: &mut Engine, out: &mut [T], p: f64) -> Result<(), RandomError> {
    if !(p > 0.0 && p < 1.0) {
        return Err(RandomError::Probability { op: "geometric_", interval: "(0, 1)", p: Number(p) });
    }
    if T::NAME == bool::NAME && !out.is_empty() {
        return Err(RandomError::NotImplemented { kernel: "geometric_cpu", dtype: T::NAME });
    }
    let failure = (-p).ln_1p();
    fill(engine, out, |u| (u.ln() / failure).ceil());
    Ok(())
}

/// Fills `out` with Cauchy numbers, `median + sigma tan(pi (u - 1/2))`: PyTorch's
/// `cauchy_(median, sigma)`.
///
/// # Errors
/// `sigma` not positive.
///
/// ```
/// # use firebrick_core::random::{self, Engine};
/// let mut out = [0.0f64; 2];
/// random::fill_cauchy(&mut Engine::new(0), &mut out, 1.0, 2.0)?;
/// assert!((out[0] - 22.195_458_653_364_59).abs() < 1e-9 && (out[1] - 2.529_534_519_211_8).abs() < 1e-9);
/// # Ok::<_, firebrick_core::random::RandomError>(())
/// ```
pub fn fill_cauchy<T: Real>(engine: &mut Engine, out: &mut [T], median: f64, sigma: f64) -> Result<(), RandomError> {
    positive("cauchy_", "sigma", sigma)?;
    fill(engine, out, |u| {
        let tangent = (std::f64::consts::PI * (u - 0.5)).tan();
        tangent.mul_add(sigma, median)
    });
    Ok(())
}

/// Fills `out` with exponentials of normal numbers of the scalar path, whatever the layout:
/// PyTorch's `log_normal_(mean, std)`.
///
/// # Errors
/// `std` not positive.
///
/// ```
/// # use firebrick_core::random::{self, Engine};
/// let mut out = [0.0f64; 2];
/// random::fill_log_normal(&mut Engine::new(0), &mut out, 0.0, 0.5)?;
/// assert!((out[0] - 2.160_842_202_188_243).abs() < 1e-12 && (out[1] - 0.863_540_523_723_494).abs() < 1e-12);
/// # Ok::<_, firebrick_core::random::RandomError>(())
/// ```
pub fn fill_log_normal<T: Real>(engine: &mut Engine, out: &mut [T], mean: f64, std: f64) -> Result<(), RandomError> {
    positive("log_normal_", "std", std)?;
    for value in out {
        *value = T::from_f64(engine.standard_normal().mul_add(std, mean).exp());
    }
    Ok(())
}

fn fill<T: Sample>(engine: &mut Engine, out: &mut [T], value: impl Fn(f64) -> f64) {
    engine.map64(out, |draw| T::from_f64(value(unit_f64(draw))));
}

fn positive(op: &'static str, name: &'static str, value: f64) -> Result<(), RandomError> {
    if value > 0.0 { Ok(()) } else { Err(RandomError::NotPositive { op, name, value: Number(value) }) }
}
