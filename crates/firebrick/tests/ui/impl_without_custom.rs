// An `impl Custom` is announced by `#[module(custom)]`; the derive writes an empty one otherwise.
use firebrick::prelude::*;

#[derive(Module)]
struct Net {
    core: Core,
}

impl nn::Custom for Net {
    fn extra_repr(&self) -> String {
        "depth=3".to_owned()
    }
}

fn main() {}
