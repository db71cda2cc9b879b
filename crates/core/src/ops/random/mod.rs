//! Operations that draw random numbers.
//!
//! All of them draw from [`current_generator`](crate::random::current_generator), in PyTorch's order.

mod choose;
mod create;
mod distribution;
mod dropout;
mod gumbel;
mod in_place;
mod rrelu;

use crate::ops::Row;

/// The rows of this family.
pub(crate) const TABLES: &[&[Row]] = &[dropout::DROPOUT, gumbel::GUMBEL, rrelu::RRELU];
