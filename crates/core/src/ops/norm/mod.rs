//! Normalization of layers, batches, groups and instances.

mod batch;
mod group;
mod layer;
mod response;
mod shared;

use crate::ops::Row;

/// The rows of this family.
pub(crate) const TABLES: &[&[Row]] = &[layer::LAYER, batch::BATCH, group::GROUP, response::RESPONSE];
