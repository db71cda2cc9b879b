//! Losses.

mod nll;
mod pairs;
mod reduction;

use crate::ops::Row;

pub use reduction::Reduction;

/// The rows of this family.
pub(crate) const TABLES: &[&[Row]] = &[nll::NLL, nll::CROSS_ENTROPY, pairs::PAIRS, pairs::ABSOLUTE];
