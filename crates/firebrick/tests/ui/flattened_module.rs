// Only the entries of a list or map can lose their prefix.
use firebrick::prelude::*;

#[derive(Module)]
struct Net {
    core: Core,
    #[module(flatten)]
    fc: nn::Linear,
}

fn main() {}
