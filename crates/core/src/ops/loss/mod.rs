//! Losses: how far results are from their targets.

mod binary;
mod classes;
mod ctc;
mod pointwise;
mod reduction;

pub use ctc::Lengths;
pub use reduction::Reduction;

use crate::ops::Row;

/// The rows of this family.
pub(crate) const TABLES: &[&[Row]] = &[pointwise::POINTWISE, binary::BINARY, classes::CLASSES, ctc::CTC];
