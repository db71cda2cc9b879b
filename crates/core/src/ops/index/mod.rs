//! Picking and writing elements by index.

mod embedding;

use crate::ops::Row;

/// The rows of this family.
pub(crate) const TABLES: &[&[Row]] = &[embedding::EMBEDDING];
