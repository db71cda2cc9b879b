//! Data loading of Firebrick.

pub mod digits;
