//! Models that several facts use.

use firebrick::prelude::*;

/// A module with nothing in it: PyTorch's `nn.Module()`.
#[derive(Module)]
#[module(name = "Module")]
pub struct Bare {
    core: Core,
}

impl Bare {
    /// An empty module.
    pub fn new() -> Self {
        Bare { core: Core::new() }
    }
}

/// Three children of which the first two are one module and the third shares its weight.
#[derive(Module)]
#[module(name = "Module")]
pub struct Tied {
    core: Core,
    a: std::sync::Arc<nn::Linear>,
    b: std::sync::Arc<nn::Linear>,
    c: nn::Linear,
}

impl Tied {
    /// `a` and `b` are one `Linear(1, 1)`, `c` another with the same weight.
    pub fn new() -> Result<Self> {
        let (a, mut c) = (std::sync::Arc::new(nn::Linear::new(1, 1)?), nn::Linear::new(1, 1)?);
        c.weight = a.weight.clone();
        Ok(Tied { core: Core::new(), b: a.clone(), a, c })
    }
}

/// A linear layer with these weights and biases.
pub fn linear<const I: usize, const O: usize>(weight: [[f32; I]; O], bias: Option<[f32; O]>) -> Result<nn::Linear> {
    let linear = nn::Linear::builder(I, O).bias(bias.is_some()).build()?;
    linear.weight.set_data(&Tensor::new(weight)?)?;
    if let (Some(parameter), Some(bias)) = (&linear.bias, bias) {
        parameter.set_data(&Tensor::new(bias)?)?;
    }
    Ok(linear)
}

/// Names out of a listing.
pub fn names<T>(listed: Vec<(String, T)>) -> Vec<String> {
    listed.into_iter().map(|(name, _)| name).collect()
}

/// Keys of a state.
pub fn keys(state: &StateDict) -> Vec<String> {
    state.keys().map(str::to_owned).collect()
}
