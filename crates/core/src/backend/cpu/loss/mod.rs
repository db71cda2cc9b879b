//! Losses: by element, of class scores, and of sequences.

mod classes;
mod ctc;
mod pointwise;

pub(crate) use classes::{forward as classes, grad as classes_grad};
pub(crate) use ctc::{forward as ctc, grad as ctc_grad};
pub(crate) use pointwise::{forward as pointwise, grad as pointwise_grad};
