// One module has one mode and one set of hooks.
use firebrick::prelude::*;

#[derive(Module)]
struct Net {
    core: Core,
    other: nn::Core,
    fc: nn::Linear,
}

fn main() {}
