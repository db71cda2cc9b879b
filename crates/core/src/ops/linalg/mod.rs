//! Matrix products.

mod bilinear;
mod matmul;
mod products;
mod run;

use crate::ops::Row;

/// The rows of this family.
pub(crate) const TABLES: &[&[Row]] = &[products::PRODUCTS, matmul::MATMUL, bilinear::BILINEAR];
