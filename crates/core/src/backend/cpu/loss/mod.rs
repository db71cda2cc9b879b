//! Losses: by element, and of class scores.

mod classes;
mod pointwise;

pub(crate) use classes::{forward as classes, grad as classes_grad};
pub(crate) use pointwise::{forward as pointwise, grad as pointwise_grad};
