// A map without order and a closure: to be skipped, or replaced by IndexMap and a module.
use firebrick::prelude::*;

#[derive(Module)]
struct Net {
    core: Core,
    sizes: std::collections::HashMap<String, usize>,
    scale: Box<dyn Fn(f32) -> f32 + Send + Sync>,
    fc: nn::Linear,
}

fn main() {}
