//! Tensors, autograd and random numbers of Firebrick.
