//! Elementwise operations: broadcasting, promotion, and the families of formulas.

mod arithmetic;
mod run;

pub(crate) use arithmetic::*;
pub(crate) use run::{compute_class, mixed_devices, result_type, run};

/// The rows of this family.
pub(crate) const TABLES: &[&[crate::ops::Row]] = &[arithmetic::ARITHMETIC];
