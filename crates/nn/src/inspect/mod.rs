//! Looking into a model: outputs of its parts, tables of its sizes, differences between two.

mod capture;
mod diff;
mod pattern;
mod summary;
mod table;

pub use capture::{Activation, Captured, capture, patch};
pub use diff::{Diff, Difference, States, diff};
pub use pattern::Pattern;
pub use summary::{Row, Summary, check, summary};
