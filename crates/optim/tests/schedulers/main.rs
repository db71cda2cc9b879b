//! Schedulers against PyTorch 2.15: the same learning rates to the last bit.

mod annealing;
mod combined;
mod common;
mod cyclic;
mod decay;
mod lambda;
mod linear;
mod options;
mod plateau;
mod state;
