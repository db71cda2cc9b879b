// Modules move between threads; `Rc` does not.
use firebrick::prelude::*;
use std::rc::Rc;

#[derive(Module)]
struct Net {
    core: Core,
    #[module(skip)]
    shared: Rc<usize>,
    fc: nn::Linear,
}

fn main() {}
