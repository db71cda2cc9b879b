//! Optimizers of Firebrick.
