// A type of one's own in a field: a module, or skipped.
use firebrick::prelude::*;

#[derive(Clone)]
struct Config {
    heads: usize,
}

#[derive(Module)]
struct Net {
    core: Core,
    config: Config,
    fc: nn::Linear,
}

fn main() {}
