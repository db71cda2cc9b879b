//! Covariance and correlation.

use crate::ops::composed;
use crate::ops::devices::same_device;
use crate::ops::sample::{self, ANY, Trait};
use crate::{DType, Error, Result, Tensor};

/// The weights of [`Tensor::cov`]: how often each observation counts, and how much.
///
/// ```
/// # use firebrick_core::{CovWeights, Tensor};
/// let (x, twice) = (Tensor::new([1.0f32, 2.0, 4.0])?, Tensor::new([2, 1, 1])?);
/// let weights = CovWeights { frequency: Some(&twice), analytic: None };
/// assert_eq!(x.cov(1, weights)?.item::<f32>()?, 2.0); // of 1, 1, 2, 4
/// # Ok::<_, firebrick_core::Error>(())
/// ```
#[derive(Clone, Copy, Debug, Default)]
pub struct CovWeights<'a> {
    /// Repetitions: integers.
    pub frequency: Option<&'a Tensor>,
    /// Importance: floating-point numbers.
    pub analytic: Option<&'a Tensor>,
}

fn wrong<T>(text: String) -> Result<T> {
    Err(Error::runtime("cov", format!("cov(): {text}")))
}

fn check_weights(name: &str, weights: &Tensor, count: usize) -> Result<Tensor> {
    let weights = weights.resolve("cov")?;
    let rank = weights.dim();
    if rank > 1 {
        return wrong(format!("expected {name} to have one or fewer dimensions but got {name} with {rank} dimensions"));
    }
    let dtype = weights.dtype();
    let (kind, fits) = match name {
        "fweights" => ("integral", !dtype.is_floating_point() && dtype != DType::Bool),
        _ => ("floating point", dtype.is_floating_point()),
    };
    if !fits {
        return wrong(format!(
            "expected {name} to have {kind} dtype but got {name} with {} dtype",
            dtype.scalar_name()
        ));
    }
    let numel = weights.numel();
    if numel != count {
        return wrong(format!(
            "expected {name} to have the same numel as there are observations in the input but got {numel} != {count}"
        ));
    }
    if count > 0 && weights.detach().lt(0)?.any()?.value_or(false)? {
        return wrong(format!("{name} cannot be negative"));
    }
    Ok(weights)
}

fn cov_of(op: &'static str, x: &Tensor, correction: i64, weights: CovWeights) -> Result<Tensor> {
    let x = x.resolve(op)?;
    let given = [weights.frequency, weights.analytic].into_iter().flatten();
    same_device(op, std::iter::once(&x).chain(given).map(Tensor::device))?;
    if x.dim() > 2 {
        let rank = x.dim();
        let text =
            format!("{op}(): expected input to have two or fewer dimensions but got an input with {rank} dimensions");
        return Err(Error::runtime(op, text));
    }
    if x.dtype() == DType::Bool {
        return Err(Error::not_implemented(op, "cov(): bool dtype is not supported for input"));
    }
    // Variables are rows, observations columns.
    let x = if x.dim() < 2 { x.reshape([1, x.numel()])? } else { x };
    let count = x.size(1)?;
    let frequency = weights.frequency.map(|w| check_weights("fweights", w, count)).transpose()?;
    let analytic = weights.analytic.map(|w| check_weights("aweights", w, count)).transpose()?;
    let weights = match (&frequency, &analytic) {
        (Some(f), Some(a)) => Some(f.mul(a)?),
        (one, other) => one.clone().or_else(|| other.clone()),
    };
    let one_or_more = correction as f64;
    let (mean, norm) = match &weights {
        None => (x.sum_dim(1, false)?.div(count as f64)?, x.detach().new_full((), count as f64 - one_or_more)?),
        Some(w) => {
            let total = w.sum()?;
            if total.detach().eq(0)?.value_or(false)? {
                return wrong("weights sum to zero, can't be normalized".to_owned());
            }
            let norm = match &analytic {
                _ if correction == 0 => total.clone(),
                None => total.sub(correction)?,
                Some(a) => total.sub(&w.mul(a)?.sum()?.div(&total)?.mul(correction)?)?,
            };
            (x.mul(w)?.sum_dim(1, false)?.div(&total)?, norm)
        }
    };
    let centred = x.sub(&mean.unsqueeze(1)?)?;
    let weighted = match &weights {
        None => centred.clone(),
        Some(w) => centred.mul(w)?,
    };
    // With too few observations the result is infinite or NaN.
    let norm = norm.to((x.device(), norm.dtype()))?.clamp_min(0)?;
    let norm = if weights.is_none() { norm.to(centred.dtype())? } else { norm };
    let centred = if centred.dtype() == weighted.dtype() { centred } else { centred.to(weighted.dtype())? };
    centred.mm(&weighted.t()?)?.div(&norm)?.squeeze()
}

composed! {
    table: STATISTICS;

    /// Covariances of variables, the rows of `x`, over observations, its columns. `correction` 1 gives the unbiased
    /// estimate; observations may have weights.
    ///
    /// # Shapes
    /// `[n, observations]` to `[n, n]`; one variable to a number.
    ///
    /// # Errors
    /// More than two dimensions, bools, weights that do not fit, are negative or sum to zero.
    ///
    /// ```
    /// # use firebrick_core::Tensor;
    /// let x = Tensor::new([[0.0f32, 2.0], [2.0, 0.0]])?;
    /// assert_eq!(x.cov(1, Default::default())?.to_vec::<f32>()?, [2.0, -2.0, -2.0, 2.0]);
    /// # Ok::<_, firebrick_core::Error>(())
    /// ```
    fn cov(&x, correction: i64, weights: CovWeights) -> Tensor {
        cov_of("cov", x, correction, weights)
    }
    samples: sample::shaped(&[2, 3], &[0, 3], |x| x.cov(1, CovWeights::default())).and_then(|mut all| {
        all.push(sample::one(Trait::Plain, vec![ANY.tensor(&[3], 2)?], |x| x[0].cov(0, CovWeights::default())));
        let weighted = vec![ANY.tensor(&[2, 3], 3)?, sample::POSITIVE.tensor(&[3], 4)?];
        all.push(sample::one(Trait::Plain, weighted, |x| {
            let frequency = Tensor::new([1i64, 3, 2])?;
            x[0].cov(1, CovWeights { frequency: Some(&frequency), analytic: Some(&x[1]) })
        }));
        Ok(all)
    });

    /// Correlations of variables, the rows of `x`: covariances over the product of deviations, within -1 and 1.
    ///
    /// # Shapes
    /// `[n, observations]` to `[n, n]`; one variable to a number.
    ///
    /// # Errors
    /// More than two dimensions, bools.
    ///
    /// ```
    /// # use firebrick_core::Tensor;
    /// let x = Tensor::new([[0.0f32, 2.0], [3.0, 1.0]])?;
    /// let r = x.corrcoef()?;
    /// assert!(r.allclose(&Tensor::new([[1.0f32, -1.0], [-1.0, 1.0]])?, 1e-6, 1e-6, false)?);
    /// # Ok::<_, firebrick_core::Error>(())
    /// ```
    fn corrcoef(&x) -> Tensor {
        let covariance = cov_of("corrcoef", x, 1, CovWeights::default())?;
        if covariance.dim() == 0 {
            return covariance.div(&covariance);
        }
        let deviation = covariance.diagonal(0, 0, 1)?.sqrt()?;
        covariance.div(&deviation.unsqueeze(1)?)?.div(&deviation.unsqueeze(0)?)?.clamp(-1.0, 1.0)
    }
    samples: sample::shaped(&[2, 4], &[0, 3], |x| x.corrcoef().and_then(|r| match r.numel() {
        // The diagonal is 1, where the clamp has a kink.
        4 => r.select(0, 0)?.select(0, 1),
        _ => Ok(r),
    }));
}
