// PyTorch's forgotten `super().__init__()`.
use firebrick::prelude::*;

#[derive(Module)]
struct SimpleMlp {
    fc1: nn::Linear,
    fc2: nn::Linear,
}

impl nn::Forward for SimpleMlp {
    fn forward(&self, x: Tensor) -> Result<Tensor> {
        self.fc2.call(self.fc1.call(x)?)
    }
}

fn main() {}
