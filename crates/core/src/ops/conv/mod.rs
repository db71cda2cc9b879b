//! Convolution and pooling.

mod convolution;
mod options;
mod pool;
mod pool_shape;

use crate::ops::Row;

pub use options::{ConvOptions, Padding};
pub use pool_shape::PoolOptions;

/// The rows of this family.
pub(crate) const TABLES: &[&[Row]] = &[convolution::CONVOLUTIONS, convolution::CONVS, pool::POOLS, pool::MAX_POOLS];
