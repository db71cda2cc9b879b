//! Views: tensors that share the memory of another one.

mod embed;
mod extent;
mod op;
mod order;
mod part;
mod record;
mod rows;
mod shape;
mod split;
mod strided;

pub use split::Sections;

pub(crate) use op::{ViewOp, view_strides};
pub(crate) use record::{refuse_in_place, refuse_stale};
pub(crate) use rows::TABLES;
