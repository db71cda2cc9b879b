// Every layer of a Sequential maps a tensor to a tensor.
use firebrick::prelude::*;

#[derive(Module)]
struct Net {
    core: Core,
    fc: nn::Linear,
}

fn main() -> Result<()> {
    let net = Net { core: Core::new(), fc: nn::Linear::new(2, 2)? };
    let _ = nn::Sequential::new().add(net);
    Ok(())
}
