// A union has no field that is surely there.
use firebrick::prelude::*;

#[derive(Module)]
union Either {
    left: usize,
    right: usize,
}

fn main() {}
