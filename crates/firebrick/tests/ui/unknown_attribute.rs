// A misspelt option is an error, not silence.
use firebrick::prelude::*;

#[derive(Module)]
struct Net {
    core: Core,
    #[module(skipped)]
    cache: Vec<Tensor>,
    fc: nn::Linear,
}

#[derive(Module)]
#[module(rename = "Other")]
struct Named {
    core: Core,
}

fn main() {}
