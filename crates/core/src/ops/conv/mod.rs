//! Convolution and pooling.

mod adaptive;
mod average;
mod convolution;
mod fractional;
mod options;
mod patches;
mod pool;
mod pool_shape;
mod transposed;
mod unpool;
mod winners;

use crate::ops::Row;

pub use average::AvgPoolOptions;
pub use options::{ConvOptions, Padding};
pub use patches::FoldOptions;
pub use pool_shape::PoolOptions;
pub use transposed::ConvTransposeOptions;

/// The rows of this family.
pub(crate) const TABLES: &[&[Row]] = &[
    convolution::CONVOLUTIONS,
    convolution::CONVS,
    transposed::TRANSPOSED,
    pool::POOLS,
    pool::MAX_POOLS,
    average::AVERAGES,
    average::AVG_POOLS,
    adaptive::ADAPTIVE,
    fractional::FRACTIONAL,
    unpool::UNPOOLS,
    patches::PATCHES,
    patches::FOLDS,
];
