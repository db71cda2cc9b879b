// A tree without a computation cannot be called.
use firebrick::prelude::*;

#[derive(Module)]
struct Net {
    core: Core,
    fc: nn::Linear,
}

fn main() -> Result<()> {
    let net = Net { core: Core::new(), fc: nn::Linear::new(2, 2)? };
    net.call(Tensor::zeros([1, 2])?)?;
    Ok(())
}
