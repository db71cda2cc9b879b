// Only what is skipped can start anew in a copy.
use firebrick::prelude::*;

#[derive(Module)]
struct Net {
    core: Core,
    #[module(default)]
    cache: Vec<usize>,
}

fn main() {}
