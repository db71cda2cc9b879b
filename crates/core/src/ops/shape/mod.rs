//! Joining, splitting, repeating and reordering tensors.

mod diagonal;
mod join;
mod pad;
mod product;
mod repeat;
mod reverse;
mod rows;
mod shuffle;
mod triangle;

/// The rows of this family.
pub(crate) const TABLES: &[&[crate::ops::Row]] = rows::TABLES;
