//! Forward passes and training steps of whole models, and what they keep in memory.

use crate::Workload;
use crate::harness::{Options, memory};
use firebrick::prelude::*;
use firebrick::{ConvOptions, PoolOptions};

pub const WORKLOADS: &[Workload] = &[
    ("mlp1_fwd", mlp1_fwd),
    ("mlp_sgd", |options, name| {
        mlp_step(options, name, &mut |m| Ok(Box::new(optim::SGD::new(m.parameters(), 0.01).build()?)))
    }),
    ("mlp_adam", |options, name| {
        mlp_step(options, name, &mut |m| Ok(Box::new(optim::Adam::new(m.parameters(), 1e-3).build()?)))
    }),
    ("lenet_sgd", lenet_sgd),
    ("memory", resident),
];

/// Linear layers with ReLU between them.
#[derive(Module)]
struct Mlp {
    core: Core,
    layers: nn::ModuleList<nn::Linear>,
}

impl Mlp {
    fn new(sizes: &[usize]) -> Result<Mlp> {
        let layers = sizes.windows(2).map(|pair| nn::Linear::new(pair[0], pair[1])).collect::<Result<Vec<_>>>()?;
        Ok(Mlp { core: Core::new(), layers: nn::ModuleList::from(layers) })
    }
}

impl nn::Forward for Mlp {
    fn forward(&self, mut x: Tensor) -> Result<Tensor> {
        for (i, layer) in self.layers.iter().enumerate() {
            x = layer.call(x)?;
            if i + 1 < self.layers.len() {
                x = x.relu()?;
            }
        }
        Ok(x)
    }
}

/// The mean over a batch of `-log softmax(x)[label]`.
fn cross_entropy(x: &Tensor, labels: &Tensor) -> Result<Tensor> {
    let chosen = x.gather(1, &labels.unsqueeze(1)?)?.squeeze_dim(1)?;
    x.logsumexp([1], false)?.sub(&chosen)?.mean()
}

fn step(model: &dyn nn::Forward, optimizer: &mut dyn Optimizer, x: &Tensor, labels: &Tensor) -> Result<()> {
    optimizer.zero_grad()?;
    cross_entropy(&model.call(x)?, labels)?.backward()?;
    optimizer.step()
}

fn mlp1_fwd(options: &Options, name: &str) -> Result<()> {
    let model = Mlp::new(&[64, 64, 10])?;
    model.eval();
    let x = Tensor::randn([1, 64])?;
    autograd::no_grad(|| options.measure(name, || model.call(&x).map(drop)))
}

fn mlp_step(
    options: &Options,
    name: &str,
    optimizer: &mut dyn FnMut(&Mlp) -> Result<Box<dyn Optimizer>>,
) -> Result<()> {
    let model = Mlp::new(&[784, 512, 512, 10])?;
    let mut optimizer = optimizer(&model)?;
    let (x, labels) = (Tensor::randn([128, 784])?, Tensor::randint(0, 10, [128])?);
    options.measure(name, || step(&model, &mut *optimizer, &x, &labels))
}

/// Two convolutions and a linear layer.
#[derive(Module)]
struct LeNet {
    core: Core,
    weight1: Parameter,
    bias1: Parameter,
    weight2: Parameter,
    bias2: Parameter,
    fc: nn::Linear,
}

impl LeNet {
    fn new() -> Result<LeNet> {
        let parameter = |shape: &[usize]| -> Result<_> { Ok(Parameter::new(Tensor::randn(shape)?.mul(0.1)?)) };
        Ok(LeNet {
            core: Core::new(),
            weight1: parameter(&[8, 1, 3, 3])?,
            bias1: parameter(&[8])?,
            weight2: parameter(&[16, 8, 3, 3])?,
            bias2: parameter(&[16])?,
            fc: nn::Linear::new(784, 10)?,
        })
    }
}

impl nn::Forward for LeNet {
    fn forward(&self, x: Tensor) -> Result<Tensor> {
        let options = ConvOptions::new().padding(1);
        let pool = PoolOptions::new();
        let x = x.conv2d(&self.weight1, Some(&self.bias1), &options)?.relu()?.max_pool2d(2, &pool)?;
        let x = x.conv2d(&self.weight2, Some(&self.bias2), &options)?.relu()?.max_pool2d(2, &pool)?;
        self.fc.call(x.flatten(1, -1)?)
    }
}

fn lenet_sgd(options: &Options, name: &str) -> Result<()> {
    let model = LeNet::new()?;
    let mut optimizer = optim::SGD::new(model.parameters(), 0.01).build()?;
    let (x, labels) = (Tensor::randn([64, 1, 28, 28])?, Tensor::randint(0, 10, [64])?);
    options.measure(name, || step(&model, &mut optimizer, &x, &labels))
}

/// Resident memory early and late in a training run: a difference is a leak.
fn resident(options: &Options, name: &str) -> Result<()> {
    let model = Mlp::new(&[64, 128, 10])?;
    let mut optimizer = optim::Adam::new(model.parameters(), 1e-3).build()?;
    let mut early = 0.0;
    for count in 1..=10_000 {
        let (x, labels) = (Tensor::randn([32, 64])?, Tensor::randint(0, 10, [32])?);
        step(&model, &mut optimizer, &x, &labels)?;
        if count == 1_000 {
            early = memory("VmRSS:");
        }
    }
    let late = memory("VmRSS:");
    options.report(name, &[("step_1000_mb", early), ("step_10000_mb", late), ("difference_mb", late - early)]);
    Ok(())
}
