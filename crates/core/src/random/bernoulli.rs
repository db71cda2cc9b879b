//! Coin tosses, and the masks of dropout.

use std::sync::atomic::{AtomicU8, Ordering};

use super::engine::Engine;
use super::error::{Number, RandomError};
use super::mcg31::Mcg31;
use super::real::Real;
use super::sample::Sample;

/// Which of PyTorch's two ways `bernoulli_(p)` with a number `p`, and with it dropout, draws.
///
/// PyTorch chooses by the processor's vendor, so that one seed gives two kinds of masks.
///
/// ```
/// # use firebrick_core::random;
/// assert_eq!(random::bernoulli_rule(), random::BernoulliRule::default());
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum BernoulliRule {
    /// One float64 uniform an element: PyTorch on every processor but Intel's, and everywhere
    /// without MKL.
    #[default]
    Uniform,
    /// One draw seeds MKL's MCG31m1, which makes every element: PyTorch on Intel with MKL.
    Mkl,
}

static RULE: AtomicU8 = AtomicU8::new(BernoulliRule::Uniform as u8);

/// The process's present [`BernoulliRule`].
///
/// ```
/// # use firebrick_core::random::{BernoulliRule, bernoulli_rule};
/// assert_eq!(bernoulli_rule(), BernoulliRule::Uniform);
/// ```
#[must_use]
pub fn bernoulli_rule() -> BernoulliRule {
    if RULE.load(Ordering::Relaxed) == BernoulliRule::Mkl as u8 { BernoulliRule::Mkl } else { BernoulliRule::Uniform }
}

/// Sets the process's [`BernoulliRule`].
///
/// ```
/// # use firebrick_core::random::{BernoulliRule, bernoulli_rule, set_bernoulli_rule};
/// set_bernoulli_rule(BernoulliRule::Mkl);
/// assert_eq!(bernoulli_rule(), BernoulliRule::Mkl);
/// ```
pub fn set_bernoulli_rule(rule: BernoulliRule) {
    RULE.store(rule as u8, Ordering::Relaxed);
}

/// Fills `out` with 1 at probability `p` and 0 elsewhere, by [`bernoulli_rule`]: PyTorch's
/// `bernoulli_(p)`.
///
/// # Errors
/// `p` outside `[0, 1]`.
///
/// ```
/// # use firebrick_core::random::{self, Engine};
/// let mut out = [0_u8; 4];
/// random::fill_bernoulli(&mut Engine::new(0), &mut out, 0.5)?;
/// assert_eq!(out, [0, 0, 1, 0]);
/// # Ok::<_, firebrick_core::random::RandomError>(())
/// ```
pub fn fill_bernoulli<T: Sample>(engine: &mut Engine, out: &mut [T], p: f64) -> Result<(), RandomError> {
    let (one, zero) = (T::from_i64(1), T::from_i64(0));
    toss(engine, bernoulli_rule(), out, p, one, zero)
}

/// Fills `out` with 1 where a uniform falls below the element's own probability: PyTorch's
/// `bernoulli_(p)` with a tensor, and `bernoulli(p)`.
///
/// float64 probabilities meet float64 uniforms, all others float32 ones. No rule applies. Both
/// slices have one length; what exceeds the shorter is left alone.
///
/// # Errors
/// A probability outside `[0, 1]`; the elements before it have drawn.
///
/// ```
/// # use firebrick_core::random::{self, Engine};
/// let mut out = [0.0f64; 4];
/// random::fill_bernoulli_each(&mut Engine::new(0), &mut out, &[0.0, 1.0, 0.5, 0.5])?;
/// assert_eq!(out, [0.0, 1.0, 1.0, 0.0]);
/// # Ok::<_, firebrick_core::random::RandomError>(())
/// ```
pub fn fill_bernoulli_each<T: Sample, P: Real>(engine: &mut Engine, out: &mut [T], p: &[P]) -> Result<(), RandomError> {
    debug_assert_eq!(out.len(), p.len(), "one probability for each element");
    for (out, &p) in out.iter_mut().zip(p) {
        let p: f64 = p.widen().into();
        if !(0.0..=1.0).contains(&p) {
            return Err(RandomError::ProbabilityElement);
        }
        let wide = P::NAME == f64::NAME;
        let u = if wide { engine.uniform_f64() } else { f64::from(engine.uniform_f32()) };
        *out = T::from_i64(i64::from(u < p));
    }
    Ok(())
}

/// Fills `out` with what dropout multiplies by: 0 at probability `p`, `1 / (1 - p)` elsewhere.
///
/// `p` = 0 (all ones) and `p` = 1 (all zeros) draw nothing, as in PyTorch.
///
/// # Errors
/// `p` outside `[0, 1]`.
///
/// ```
/// # use firebrick_core::random::{self, Engine};
/// let mut out = [0.0f32; 4];
/// random::fill_dropout(&mut Engine::new(0), &mut out, 0.5)?;
/// assert_eq!(out, [0.0, 0.0, 2.0, 0.0]);
/// # Ok::<_, firebrick_core::random::RandomError>(())
/// ```
pub fn fill_dropout<T: Real>(engine: &mut Engine, out: &mut [T], p: f64) -> Result<(), RandomError> {
    if !(0.0..=1.0).contains(&p) {
        return Err(RandomError::Dropout(Number(p)));
    }
    if p == 0.0 || p == 1.0 {
        out.fill(T::from_i64(i64::from(p == 0.0)));
        return Ok(());
    }
    let keep = 1.0 - p;
    let scale = T::narrow(T::Sum::from(1.0) / T::sum_from_f64(keep));
    toss(engine, bernoulli_rule(), out, keep, scale, T::from_i64(0))
}

pub(super) fn toss<T: Copy>(
    engine: &mut Engine,
    rule: BernoulliRule,
    out: &mut [T],
    p: f64,
    hit: T,
    miss: T,
) -> Result<(), RandomError> {
    if !(0.0..=1.0).contains(&p) {
        return Err(RandomError::Probability { op: "bernoulli_", interval: "[0, 1]", p: Number(p) });
    }
    match rule {
        BernoulliRule::Uniform => {
            // u < p exactly when the 53 bits are below p * 2^53, rounded up.
            let below = (p * (1_u64 << 53) as f64).ceil() as u64;
            let low = (1_u64 << 53) - 1;
            engine.map64(out, |draw| if draw & low < below { hit } else { miss });
        }
        BernoulliRule::Mkl => {
            let mut stream = Mcg31::new(engine.random());
            out.fill_with(|| if stream.uniform() < p { hit } else { miss });
        }
    }
    Ok(())
}
