//! Forward passes and training steps of whole models, and what they keep in memory.

use crate::gpt::{Gpt, GptSizes};
use crate::harness::{Options, memory};
use crate::resnet::ResNet;
use crate::table::Workload;
use firebrick::nn::functional as F;
use firebrick::prelude::*;

/// Linear layers with ReLU between them.
#[derive(Module)]
pub struct Mlp {
    core: Core,
    layers: nn::ModuleList<nn::Linear>,
}

impl Mlp {
    pub fn new(sizes: &[usize]) -> Result<Mlp> {
        let layers = sizes.windows(2).map(|pair| nn::Linear::new(pair[0], pair[1])).collect::<Result<Vec<_>>>()?;
        Ok(Mlp { core: Core::new(), layers: layers.into() })
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

/// Two convolutions and a linear layer over images whose sides are four times `side`.
pub fn lenet(side: usize) -> Result<nn::Sequential> {
    Ok(nn::Sequential::new()
        .add(nn::Conv2d::builder(1, 8, 3).padding(1).build()?)
        .add(nn::ReLU::new())
        .add(nn::MaxPool2d::new(2)?)
        .add(nn::Conv2d::builder(8, 16, 3).padding(1).build()?)
        .add(nn::ReLU::new())
        .add(nn::MaxPool2d::new(2)?)
        .add(nn::Flatten::new())
        .add(nn::Linear::new(16 * side * side, 10)?))
}

pub fn gpt(options: &Options) -> Result<Gpt> {
    let [vocabulary, context, width] = [512, 128, 384].map(|size| options.size(size));
    Gpt::new(GptSizes { vocabulary, context, width, heads: 6, layers: 6 })
}

/// One step of training.
pub fn step(model: &dyn nn::Forward, optimizer: &mut dyn Optimizer, x: &Tensor, labels: &Tensor) -> Result<()> {
    optimizer.zero_grad()?;
    F::cross_entropy(&model.call(x)?, labels)?.backward()?;
    optimizer.step()
}

fn infer(options: &Options, workload: &Workload, model: &dyn nn::Forward, x: &Tensor) -> Result<()> {
    model.eval();
    autograd::no_grad(|| options.measure(workload, || model.call(x).map(drop)))
}

pub fn mlp1_fwd(options: &Options, workload: &Workload) -> Result<()> {
    infer(options, workload, &Mlp::new(&[64, 64, 10])?, &Tensor::randn([1, 64])?)
}

pub fn mlp_step<O: Optimizer>(
    options: &Options,
    workload: &Workload,
    optimizer: fn(Vec<Parameter>) -> Result<O>,
) -> Result<()> {
    let inputs = options.size(784);
    let model = Mlp::new(&[inputs, options.size(512), options.size(512), 10])?;
    let mut optimizer = optimizer(model.parameters())?;
    let (x, labels) = (options.randn([128, inputs])?, options.randint(10, [128])?);
    options.measure(workload, || step(&model, &mut optimizer, &x, &labels))
}

pub fn lenet_sgd(options: &Options, workload: &Workload) -> Result<()> {
    let (x, labels) = (options.randn([64, 1, 28, 28])?, options.randint(10, [64])?);
    let model = lenet(x.size(3)? / 4)?;
    let mut optimizer = optim::SGD::new(model.parameters(), 0.01).build()?;
    options.measure(workload, || step(&model, &mut optimizer, &x, &labels))
}

pub fn resnet18_infer(options: &Options, workload: &Workload, batch: usize) -> Result<()> {
    let model = ResNet::new18(options.size(64), 10)?;
    infer(options, workload, &model, &options.randn([batch, 3, 32, 32])?)
}

pub fn resnet18_train(options: &Options, workload: &Workload) -> Result<()> {
    let model = ResNet::new18(options.size(64), 10)?;
    let mut optimizer = optim::SGD::new(model.parameters(), 0.01).build()?;
    let (x, labels) = (options.randn([32, 3, 32, 32])?, options.randint(10, [32])?);
    options.measure(workload, || step(&model, &mut optimizer, &x, &labels))
}

pub fn gpt_infer(options: &Options, workload: &Workload) -> Result<()> {
    infer(options, workload, &gpt(options)?, &options.randint(512, [8, 128])?)
}

pub fn gpt_train(options: &Options, workload: &Workload) -> Result<()> {
    let model = gpt(options)?;
    let mut optimizer = optim::AdamW::new(model.parameters(), 1e-3).weight_decay(0.01).build()?;
    let x = options.randint(512, [8, 128])?;
    let labels = Tensor::randint(0, options.size(512) as i64, [x.numel()])?;
    options.measure(workload, || step(&model, &mut optimizer, &x, &labels))
}

/// Resident memory early and late in a training run: a difference is a leak.
pub fn resident(options: &Options, workload: &Workload) -> Result<()> {
    let model = Mlp::new(&[64, 128, 10])?;
    let mut optimizer = optim::Adam::new(model.parameters(), 1e-3).build()?;
    let mut early = 0.0;
    for count in 1..=options.size(10_000) {
        let (x, labels) = (Tensor::randn([32, 64])?, Tensor::randint(0, 10, [32])?);
        step(&model, &mut optimizer, &x, &labels)?;
        if count == options.size(1_000) {
            early = memory("VmRSS:");
        }
    }
    let late = memory("VmRSS:");
    let numbers = [("step_1000_mb", early), ("step_10000_mb", late), ("difference_mb", late - early)];
    options.report(workload.name, &numbers);
    Ok(())
}
