//! Differences and integrals of samples.

mod diff;
mod gradient;
mod rows;
mod trapezoid;

use crate::ops::Row;

pub use gradient::Spacing;

/// The rows of this family.
pub(crate) const TABLES: &[&[Row]] = &[rows::CALCULUS];
