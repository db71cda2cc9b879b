//! What goes wrong in training without an error: listed by name, each with what to do.
//!
//! [`Chart`] notes a model, [`Chart::examine`] looks at it beside an optimizer's parameters after a backward pass, and
//! [`Growth`] notices graphs that grow from step to step. `firebrick::doctor` puts them together.

mod chart;
mod gradients;
mod growth;
mod held;
mod members;
mod report;

pub use chart::Chart;
pub use growth::Growth;
pub use report::{Finding, FindingKind, Report};
