//! Normalization.

mod batch;
mod fused;
mod layer;

use crate::ops::Row;

pub use batch::BatchNormArgs;

/// The rows of this family.
pub(crate) const TABLES: &[&[Row]] = &[layer::LAYER_NORM, batch::BATCH_NORM];
