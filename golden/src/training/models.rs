//! The models of the training runs.

use firebrick::optim::swa_utils::{AveragedModel, get_ema_multi_avg_fn};
use firebrick::prelude::*;

/// A model from tensor to tensor.
pub trait Model {
    /// The module.
    fn module(&self) -> &dyn nn::Module;
    /// Calls it.
    fn run(&self, x: &Tensor) -> Result<Tensor>;
    /// Begins an average of its parameters: `swa` or `ema`.
    fn averaged(&self, how: &str) -> Result<Option<Box<dyn Average>>>;
}

/// An average of a model's parameters.
pub trait Average {
    /// Takes up the model's present ones.
    fn update(&self, model: &dyn nn::Module) -> Result<()>;
    /// The average and the buffers.
    fn state(&self) -> StateDict;
}

impl<M: Module + ModuleExt> Average for AveragedModel<M> {
    fn update(&self, model: &dyn nn::Module) -> Result<()> {
        self.update_parameters(model)
    }

    fn state(&self) -> StateDict {
        self.module().state_dict()
    }
}

impl<M: nn::Forward> Model for M {
    fn module(&self) -> &dyn nn::Module {
        self.as_dyn()
    }

    fn run(&self, x: &Tensor) -> Result<Tensor> {
        self.call(x)
    }

    fn averaged(&self, how: &str) -> Result<Option<Box<dyn Average>>> {
        let average = AveragedModel::new(self)?;
        Ok(match how {
            "swa" => Some(Box::new(average)),
            "ema" => Some(Box::new(average.avg_fn(get_ema_multi_avg_fn(0.9)?))),
            _ => None,
        })
    }
}

/// The model of this name, if it is built.
pub fn model(name: &str) -> Result<Option<Box<dyn Model>>> {
    Ok(Some(match name {
        "SimpleMLP" => Box::new(SimpleMlp::new()?) as Box<dyn Model>,
        "DemoNet" => Box::new(DemoNet::new()?),
        "ResBlockNet" => Box::new(ResBlockNet::new()?),
        _ => return Ok(None),
    }))
}

/// 3 inputs, 8 hidden units with ReLU, 2 outputs.
#[derive(Module)]
struct SimpleMlp {
    core: Core,
    fc1: nn::Linear,
    relu: nn::ReLU,
    fc2: nn::Linear,
}

impl SimpleMlp {
    fn new() -> Result<Self> {
        let (fc1, fc2) = (nn::Linear::new(3, 8)?, nn::Linear::new(8, 2)?);
        Ok(SimpleMlp { core: Core::new(), fc1, relu: nn::ReLU::new(), fc2 })
    }
}

impl nn::Forward for SimpleMlp {
    fn forward(&self, x: Tensor) -> Result<Tensor> {
        self.fc2.call(self.relu.call(self.fc1.call(x)?)?)
    }
}

/// Normalized and masked inputs, two layers with dropout between.
#[derive(Module)]
struct DemoNet {
    core: Core,
    mean: Buffer,
    std: Buffer,
    cache_mask: Buffer,
    fc1: nn::Linear,
    fc2: nn::Linear,
}

impl DemoNet {
    fn new() -> Result<Self> {
        Ok(DemoNet {
            core: Core::new(),
            mean: Buffer::new(Tensor::new([0.1f32, -0.2, 0.3, 0.0])?),
            std: Buffer::new(Tensor::new([1.0f32, 2.0, 0.5, 1.5])?),
            cache_mask: Buffer::non_persistent(Tensor::new([1.0f32, 0.0, 1.0, 1.0])?),
            fc1: nn::Linear::new(4, 6)?,
            fc2: nn::Linear::new(6, 3)?,
        })
    }
}

impl nn::Forward for DemoNet {
    fn forward(&self, x: Tensor) -> Result<Tensor> {
        let x = ((x - &self.mean) / &self.std)?.mul(&self.cache_mask)?;
        let x = self.fc1.call(x)?.relu()?.dropout(0.5, self.is_training())?;
        self.fc2.call(x)
    }
}

/// A convolution, a residual block of two with batch normalization, the mean of each channel, 3 outputs.
#[derive(Module)]
struct ResBlockNet {
    core: Core,
    stem: nn::Conv2d,
    conv1: nn::Conv2d,
    bn1: nn::BatchNorm2d,
    conv2: nn::Conv2d,
    bn2: nn::BatchNorm2d,
    fc: nn::Linear,
}

impl ResBlockNet {
    fn new() -> Result<Self> {
        let conv = |channels| nn::Conv2d::builder(channels, 4, 3).padding(1).bias(false).build();
        Ok(ResBlockNet {
            core: Core::new(),
            stem: conv(1)?,
            conv1: conv(4)?,
            bn1: nn::BatchNorm2d::new(4)?,
            conv2: conv(4)?,
            bn2: nn::BatchNorm2d::new(4)?,
            fc: nn::Linear::new(4, 3)?,
        })
    }
}

impl nn::Forward for ResBlockNet {
    fn forward(&self, x: Tensor) -> Result<Tensor> {
        let x = self.stem.call(x)?;
        let y = self.bn1.call(self.conv1.call(&x)?)?.relu()?;
        let x = (self.bn2.call(self.conv2.call(y)?)? + x)?.relu()?;
        self.fc.call(x.mean_dim([2, 3], false)?)
    }
}
