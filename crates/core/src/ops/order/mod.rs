//! Order and counting: sorting, picking by rank, sets, places in what is sorted, quantiles and histograms.

mod combine;
mod count;
mod histogram;
mod pick;
mod quantile;
mod run;
mod search;
mod sort;
mod unique;

use crate::ops::Row;

pub use histogram::Bins;
pub use unique::Unique;

/// The rows of this family.
pub(crate) const TABLES: &[&[Row]] = &[sort::SORTS, pick::PICKS, quantile::QUANTILES, combine::COMBINATIONS];
