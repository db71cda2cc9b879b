// An input of one's own derives Args.
use firebrick::prelude::*;

#[derive(Clone)]
struct Batch {
    tokens: Tensor,
}

#[derive(Module)]
struct Net {
    core: Core,
}

impl nn::Forward<Batch> for Net {
    fn forward(&self, batch: Batch) -> Result<Tensor> {
        Ok(batch.tokens)
    }
}

fn main() {}
