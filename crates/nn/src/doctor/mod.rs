//! What goes wrong in training without an error: listed by name, each with what to do.
//!
//! [`Chart`] notes a model, [`Chart::examine`] looks at it beside an optimizer's parameters after a backward pass, and
//! [`Growth`] notices graphs that grow from step to step, [`Kept`] those that are kept for nothing. `firebrick::doctor` puts them together.

mod chart;
mod gradients;
mod growth;
mod held;
mod kept;
mod members;
mod report;

pub use chart::Chart;
pub use growth::Growth;
pub use kept::Kept;
pub use report::{Finding, FindingKind, Report};
