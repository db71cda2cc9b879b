//! Reductions: many elements become one; and scans, which keep what they come to on the way.

mod extremes;
mod median;
mod norms;
mod prod;
mod run;
pub(crate) mod samples;
mod scans;
mod sums;
mod truth;
mod variance;

pub(crate) use extremes::picked;
pub(crate) use run::{Over, no_size, reshaped};

/// The rows of this family.
pub(crate) const TABLES: &[&[crate::ops::Row]] =
    &[sums::SUMS, prod::PRODUCTS, extremes::EXTREMES, variance::VARIANCES, norms::NORMS, scans::SCANS, median::MEDIANS];
