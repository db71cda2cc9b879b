// The derive cannot see through an alias; the `Field` trait can.
use firebrick::prelude::*;

type Weight = Tensor;

#[derive(Module)]
struct Net {
    core: Core,
    weight: Weight,
    fc: nn::Linear,
}

fn main() {}
