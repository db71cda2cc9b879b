//! Reductions: many elements become one.

mod run;
mod sums;

pub(crate) use sums::*;
