//! The modules of the tour.

use firebrick::prelude::*;
use indexmap::IndexMap;

/// Two parameters of its own: `y = x W^T + b`.
#[derive(Module)]
pub struct Affine {
    core: Core,
    pub weight: Parameter,
    pub bias: Option<Parameter>,
}

impl Affine {
    pub fn new(in_features: usize, out_features: usize, bias: bool) -> Result<Self> {
        Ok(Affine {
            core: Core::new(),
            weight: Parameter::new(Tensor::randn([out_features, in_features])?),
            bias: bias.then(|| Tensor::randn([out_features]).map(Parameter::new)).transpose()?,
        })
    }
}

impl nn::Forward for Affine {
    fn forward(&self, x: Tensor) -> Result<Tensor> {
        x.linear(&self.weight, self.bias.as_deref())
    }
}

/// A tensor that is no parameter: the compiler makes the author say so.
#[derive(Module)]
pub struct Unregistered {
    core: Core,
    #[module(skip)]
    pub weight: Tensor,
}

impl Unregistered {
    pub fn new() -> Result<Self> {
        let weight = Tensor::randn([2, 3])?;
        weight.requires_grad_(true)?;
        Ok(Unregistered { core: Core::new(), weight })
    }
}

/// Two buffers: state that is saved and moved, but not trained.
#[derive(Module)]
pub struct Normalize {
    core: Core,
    mean: Buffer,
    std: Buffer,
}

impl Normalize {
    pub fn new(mean: Tensor, std: Tensor) -> Self {
        Normalize { core: Core::new(), mean: Buffer::new(mean), std: Buffer::new(std) }
    }
}

impl nn::Forward for Normalize {
    fn forward(&self, x: Tensor) -> Result<Tensor> {
        (x - &self.mean) / &self.std
    }
}

/// A buffer that is moved but not saved.
#[derive(Module)]
pub struct CausalMask {
    core: Core,
    pub mask: Buffer,
}

impl CausalMask {
    pub fn new(length: usize) -> Result<Self> {
        let mask = Tensor::ones_with([length, length], DType::Bool)?.tril(0)?;
        Ok(CausalMask { core: Core::new(), mask: Buffer::non_persistent(mask) })
    }
}

/// Three submodules.
#[derive(Module)]
pub struct Mlp {
    core: Core,
    pub fc1: nn::Linear,
    pub relu: nn::ReLU,
    pub fc2: nn::Linear,
}

impl Mlp {
    pub fn new() -> Result<Self> {
        Ok(Mlp { core: Core::new(), fc1: nn::Linear::new(3, 8)?, relu: nn::ReLU::new(), fc2: nn::Linear::new(8, 2)? })
    }
}

impl nn::Forward for Mlp {
    fn forward(&self, x: Tensor) -> Result<Tensor> {
        self.fc2.call(self.relu.call(self.fc1.call(x)?)?)
    }
}

/// A list of modules. (A plain `Vec<nn::Linear>` would register and print just the same.)
#[derive(Module)]
pub struct Stack {
    core: Core,
    layers: nn::ModuleList<nn::Linear>,
}

impl Stack {
    pub fn new() -> Result<Self> {
        let mut layers = nn::ModuleList::new();
        layers.append(nn::Linear::new(3, 3)?).append(nn::Linear::new(3, 3)?);
        Ok(Stack { core: Core::new(), layers })
    }
}

impl nn::Forward for Stack {
    fn forward(&self, x: Tensor) -> Result<Tensor> {
        self.layers.iter().try_fold(x, |x, layer| layer.call(x))
    }
}

/// Modules by name.
#[derive(Module)]
pub struct Named {
    core: Core,
    layers: nn::ModuleDict<nn::Linear>,
}

impl Named {
    pub fn new() -> Result<Self> {
        let entries = IndexMap::from([("first", nn::Linear::new(3, 3)?), ("second", nn::Linear::new(3, 2)?)]);
        Ok(Named { core: Core::new(), layers: nn::ModuleDict::from_entries(entries)? })
    }
}

impl nn::Forward for Named {
    fn forward(&self, x: Tensor) -> Result<Tensor> {
        self.layers.values().try_fold(x, |x, layer| layer.call(x))
    }
}

/// Layers whose input sizes the first batch decides.
#[derive(Module)]
pub struct LazyCnn {
    core: Core,
    features: nn::Sequential,
    classifier: nn::Linear,
}

impl LazyCnn {
    pub fn new(classes: usize) -> Result<Self> {
        let features = nn::Sequential::new()
            .add(nn::Conv2d::lazy_builder(8, 3).padding(1).build()?)
            .add(nn::ReLU::new())
            .add(nn::MaxPool2d::new(2)?)
            .add(nn::Conv2d::lazy_builder(16, 3).padding(1).build()?)
            .add(nn::ReLU::new())
            .add(nn::MaxPool2d::new(2)?);
        Ok(LazyCnn { core: Core::new(), features, classifier: nn::Linear::lazy(classes)? })
    }
}

impl nn::Forward for LazyCnn {
    fn forward(&self, x: Tensor) -> Result<Tensor> {
        self.classifier.call(self.features.call(x)?.flatten(1, -1)?)
    }
}

/// Parameters, both kinds of buffers and submodules together.
#[derive(Module)]
pub struct DemoNet {
    core: Core,
    mean: Buffer,
    std: Buffer,
    cache_mask: Buffer,
    fc1: nn::Linear,
    dropout: nn::Dropout,
    fc2: nn::Linear,
}

impl DemoNet {
    pub fn new(inputs: usize, hidden: usize, outputs: usize) -> Result<Self> {
        Ok(DemoNet {
            core: Core::new(),
            mean: Buffer::new(Tensor::zeros([inputs])?),
            std: Buffer::new(Tensor::ones([inputs])?),
            cache_mask: Buffer::non_persistent(Tensor::ones_with([inputs], DType::Bool)?),
            fc1: nn::Linear::new(inputs, hidden)?,
            dropout: nn::Dropout::new(0.5)?,
            fc2: nn::Linear::new(hidden, outputs)?,
        })
    }
}

impl nn::Forward for DemoNet {
    fn forward(&self, x: Tensor) -> Result<Tensor> {
        let x = ((x - &self.mean) / &self.std)?;
        let x = self.fc1.call(x)?.relu()?;
        self.fc2.call(self.dropout.call(x)?)
    }
}
