// A parametrization's `forward` takes its originals.
use firebrick::nn::utils::parametrize::{Parametrization, register_parametrization};
use firebrick::prelude::*;

#[derive(Module)]
struct Sum {
    core: Core,
}

impl nn::Forward<(Tensor, Tensor)> for Sum {
    fn forward(&self, (a, b): (Tensor, Tensor)) -> Result<Tensor> {
        a + b
    }
}

impl Parametrization for Sum {
    type Originals = Tensor;
}

fn main() -> Result<()> {
    let mut linear = nn::Linear::new(2, 2)?;
    register_parametrization(&mut linear, "weight", Sum { core: Core::new() })
}
