//! Normalization.

use crate::ops::Row;

/// The rows of this family.
pub(crate) const TABLES: &[&[Row]] = &[];
