//! Numbers that describe the values of a tensor.

use super::values::chunks;
use firebrick_core::{Result, Tensor};
use serde::Serialize;

/// Of complex tensors, the values are real and imaginary parts.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Stats {
    /// Smallest and largest value that is not NaN.
    pub min: Option<f64>,
    pub max: Option<f64>,
    /// Of the finite values.
    pub mean: Option<f64>,
    /// Of the finite values, unbiased as `torch.std`; there is none of fewer than two.
    pub std: Option<f64>,
    pub zeros: usize,
    pub nan: usize,
    pub infinite: usize,
    /// The finite values, and the sum of their squared distances from their mean.
    #[serde(skip)]
    finite: usize,
    #[serde(skip)]
    squares: f64,
}

impl Stats {
    pub fn of(tensor: &Tensor) -> Result<Self> {
        let mut stats = Stats::default();
        for chunk in chunks(tensor)? {
            stats.add(&chunk?.to_vec::<f64>()?);
        }
        stats.std = (stats.finite > 1).then(|| (stats.squares / (stats.finite - 1) as f64).sqrt());
        Ok(stats)
    }

    fn add(&mut self, values: &[f64]) {
        let (mut finite, mut sum) = (0, 0.0);
        for &value in values {
            self.nan += usize::from(value.is_nan());
            self.infinite += usize::from(value.is_infinite());
            self.zeros += usize::from(value == 0.0);
            if value.is_finite() {
                finite += 1;
                sum += value;
            }
        }
        let present = || values.iter().copied().filter(|value| !value.is_nan());
        self.min = present().chain(self.min).reduce(f64::min);
        self.max = present().chain(self.max).reduce(f64::max);
        if finite > 0 {
            let mean = sum / finite as f64;
            let squares = values.iter().filter(|value| value.is_finite()).map(|value| (value - mean).powi(2)).sum();
            self.merge(finite, mean, squares);
        }
    }

    /// Chan, Golub and LeVeque, *Updating formulae and a pairwise algorithm for computing sample variances* (1979).
    fn merge(&mut self, count: usize, mean: f64, squares: f64) {
        let before = self.mean.unwrap_or(mean);
        let total = (self.finite + count) as f64;
        let step = mean - before;
        self.mean = Some(before + step * (count as f64 / total));
        self.squares += squares + step * step * (self.finite as f64 * count as f64 / total);
        self.finite += count;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_of_several_chunks_are_described_together() -> Result<()> {
        // 0 to n - 1: mean (n - 1) / 2, unbiased variance n (n + 1) / 12.
        let n = 200_000;
        let stats = Stats::of(&Tensor::arange(n)?)?;
        let variance = n as f64 * (n + 1) as f64 / 12.0;
        assert_eq!((stats.min, stats.max, stats.mean), (Some(0.0), Some((n - 1) as f64), Some((n - 1) as f64 / 2.0)));
        assert!(stats.std.is_some_and(|std| (std - variance.sqrt()).abs() < 1e-9 * std), "{stats:?}");
        assert_eq!((stats.zeros, stats.nan, stats.infinite), (1, 0, 0));
        Ok(())
    }

    #[test]
    fn what_is_not_finite_is_counted_apart() -> Result<()> {
        let stats = Stats::of(&Tensor::new([f32::NAN, 1.0, f32::INFINITY, 3.0, -f32::INFINITY])?)?;
        assert_eq!((stats.min, stats.max), (Some(f64::NEG_INFINITY), Some(f64::INFINITY)));
        assert_eq!((stats.mean, stats.std), (Some(2.0), Some(2f64.sqrt())));
        assert_eq!((stats.nan, stats.infinite), (1, 2));
        let none = Stats::of(&Tensor::zeros([0])?)?;
        assert_eq!((none.min, none.mean, none.std), (None, None, None));
        Ok(())
    }
}
