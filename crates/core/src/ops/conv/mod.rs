//! Convolution and pooling.

mod convolution;
mod options;

use crate::ops::Row;

pub(crate) use options::each_dim;
pub use options::{ConvOptions, Padding};

/// The rows of this family.
pub(crate) const TABLES: &[&[Row]] = &[convolution::CONVOLUTIONS, convolution::CONVS];
