// Hooks see every tensor of an input, so every field of it is an argument.
use firebrick::prelude::*;

#[derive(Clone)]
struct Vocabulary;

#[derive(Args, Clone)]
struct Batch {
    tokens: Tensor,
    vocabulary: Vocabulary,
}

fn main() {}
