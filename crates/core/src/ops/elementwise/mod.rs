//! Elementwise operations: broadcasting, promotion, and the families of formulas.

mod activation;
mod arithmetic;
mod compare;
mod exponential;
mod extremum;
mod frexp;
mod hyperbolic;
mod integer;
mod layout;
mod logic;
mod powers;
mod rounding;
mod rules;
mod run;
mod select;
mod small;
mod special;
mod trigonometric;

pub(crate) use arithmetic::*;
pub(crate) use rules::result_type;
pub(crate) use run::{compute_class, fused, run, run_reusing, separate_overlapping};

use crate::{Error, Result, Tensor};

/// The rows of this family.
pub(crate) const TABLES: &[&[crate::ops::Row]] = &[
    arithmetic::ARITHMETIC,
    arithmetic::COMPOSED,
    powers::POWERS,
    exponential::EXPONENTIAL,
    trigonometric::TRIGONOMETRIC,
    hyperbolic::HYPERBOLIC,
    rounding::ROUNDING,
    special::SPECIAL,
    activation::ACTIVATION,
    activation::COMPOSED,
    extremum::EXTREMUM,
    frexp::FREXP,
    compare::COMPARE,
    logic::LOGIC,
    integer::INTEGER,
    select::SELECT,
];

/// The gradient of an operation that has none.
pub(crate) fn not_differentiable(name: &str) -> Result<Tensor> {
    Err(Error::runtime("backward", format!("derivative for aten::{name} is not implemented")))
}
