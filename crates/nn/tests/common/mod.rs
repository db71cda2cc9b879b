//! Models and helpers that several topics use.
#![allow(dead_code)]

use firebrick::prelude::*;

/// Two layers with ReLU between.
#[derive(Module)]
pub struct Mlp {
    pub core: Core,
    pub fc1: nn::Linear,
    pub fc2: nn::Linear,
}

impl Mlp {
    pub fn new(inputs: usize, hidden: usize, outputs: usize) -> Result<Self> {
        let (fc1, fc2) = (nn::Linear::new(inputs, hidden)?, nn::Linear::new(hidden, outputs)?);
        Ok(Mlp { core: Core::new(), fc1, fc2 })
    }
}

impl nn::Forward for Mlp {
    fn forward(&self, x: Tensor) -> Result<Tensor> {
        let x = self.fc1.call(x)?.relu()?;
        self.fc2.call(x)
    }
}

/// A module with nothing in it: PyTorch's `nn.Module()`.
#[derive(Module)]
#[module(name = "Module")]
pub struct Bare {
    pub core: Core,
}

impl Bare {
    pub fn new() -> Self {
        Bare { core: Core::new() }
    }
}

/// A linear layer whose weights are all `weight` and whose biases are all `bias`.
pub fn constant_linear(inputs: usize, outputs: usize, weight: f64, bias: f64) -> Result<nn::Linear> {
    let linear = nn::Linear::new(inputs, outputs)?;
    linear.weight.set_data(&Tensor::full([outputs, inputs], weight)?.to(DType::F32)?)?;
    if let Some(b) = &linear.bias {
        b.set_data(&Tensor::full([outputs], bias)?.to(DType::F32)?)?;
    }
    Ok(linear)
}

pub fn names<T>(listed: Vec<(String, T)>) -> Vec<String> {
    listed.into_iter().map(|(name, _)| name).collect()
}

pub fn keys(state: &StateDict) -> Vec<String> {
    state.keys().map(str::to_owned).collect()
}

pub fn values(tensor: &Tensor) -> Vec<f32> {
    tensor.to_vec::<f32>().expect("a float32 tensor")
}

/// The sentence of an error that must come.
#[track_caller]
pub fn message<T>(result: Result<T>) -> String {
    match result {
        Ok(_) => panic!("expected an error"),
        Err(error) => error.to_string(),
    }
}
