//! The network that both sides build.

use firebrick::io::pytorch;
use firebrick::nn::Forward;
use firebrick::prelude::*;

/// A network with parameters, buffers, a version in its metadata, and weights that are tied: `fc3` has those of `fc2`.
#[derive(Module)]
pub struct Net {
    core: Core,
    pub fc1: nn::Linear,
    norm: nn::BatchNorm1d,
    pub fc2: nn::Linear,
    pub fc3: nn::Linear,
}

impl Net {
    pub fn new() -> Result<Self> {
        let fc2 = nn::Linear::new(8, 8)?;
        let mut fc3 = nn::Linear::new(8, 8)?;
        fc3.weight = fc2.weight.clone();
        Ok(Net { core: Core::new(), fc1: nn::Linear::new(4, 8)?, norm: nn::BatchNorm1d::new(8)?, fc2, fc3 })
    }
}

impl Forward for Net {
    fn forward(&self, x: Tensor) -> Result<Tensor> {
        let x = self.norm.call(self.fc1.call(x)?)?.tanh()?;
        self.fc3.call(self.fc2.call(x)?.tanh()?)
    }
}

pub fn forward(weights: &str, input: &str, output: &str) -> Result<()> {
    let net = Net::new()?;
    net.load_state_dict(&pytorch::load(weights)?.state_dict()?)?;
    net.eval();
    let input = pytorch::load(input)?;
    let input = input.as_array().ok_or_else(|| Error::value("interop", "the input is a tensor"))?;
    let result = net.call(input.tensor()?)?.detach();
    pytorch::save(result, output)
}
