// A tensor in a field is neither trained nor saved unless the field says which.
use firebrick::prelude::*;

#[derive(Module)]
struct Net {
    core: Core,
    weight: Tensor,
    cache: Option<Vec<Tensor>>,
    fc: nn::Linear,
}

impl nn::Forward for Net {
    fn forward(&self, x: Tensor) -> Result<Tensor> {
        self.fc.call(x)
    }
}

fn main() -> Result<()> {
    let net = Net { core: Core::new(), weight: Tensor::zeros([1])?, cache: None, fc: nn::Linear::new(2, 2)? };
    net.call(Tensor::zeros([1, 2])?)?;
    Ok(())
}
