//! Data loading of Firebrick.
