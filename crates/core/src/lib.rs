//! Tensors, autograd and random numbers of Firebrick.

pub mod backend;
