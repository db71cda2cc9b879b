//! Layers, one file a family.

mod identity;
mod linear;
mod relu;

pub use identity::Identity;
pub use linear::{Linear, LinearBuilder};
pub use relu::ReLU;
