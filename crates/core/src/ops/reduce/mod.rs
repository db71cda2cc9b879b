//! Reductions: many elements become one.

mod run;
mod sums;

pub(crate) use sums::*;

/// The rows of this family.
pub(crate) const TABLES: &[&[crate::ops::Row]] = &[sums::SUMS];
