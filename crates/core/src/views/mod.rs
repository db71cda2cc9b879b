//! Views: tensors that share the memory of another one.

mod methods;
mod op;
mod record;

pub(crate) use op::{ViewOp, view_strides};
pub(crate) use record::refuse_in_place;
