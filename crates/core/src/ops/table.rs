//! The list of all operations, for the tests that hold of every one of them.

use super::sample::Sample;
use super::{
    attention, calculus, complex, conv, copy, elementwise, index, linalg, loss, norm, order, random, recurrent, reduce,
    resample, shape, softmax,
};
use crate::Result;

/// How an operation gets its gradient.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// By formulas of its own, under this name.
    Recorded(&'static str),
    /// By what it calls.
    Composed,
}

/// One operation.
pub struct Row {
    /// Name of the method.
    pub name: &'static str,
    /// How it gets its gradient.
    pub kind: Kind,
    /// Name of the in-place method, where there is one.
    pub in_place: Option<&'static str>,
    /// Inputs in double precision on which gradients are checked.
    pub samples: fn() -> Result<Vec<Sample>>,
}

/// Every differentiable operation.
pub fn table() -> Vec<&'static Row> {
    [
        elementwise::TABLES,
        reduce::TABLES,
        softmax::TABLES,
        shape::TABLES,
        crate::views::TABLES,
        index::TABLES,
        calculus::TABLES,
        linalg::TABLES,
        conv::TABLES,
        copy::TABLES,
        resample::TABLES,
        &[attention::ATTENTION],
        &[recurrent::RECURRENT],
        complex::TABLES,
        norm::TABLES,
        order::TABLES,
        loss::TABLES,
        random::TABLES,
    ]
    .into_iter()
    .flatten()
    .flat_map(|rows| rows.iter())
    .collect()
}
