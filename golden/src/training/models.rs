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
        "LazyCNN" => Box::new(LazyCnn::new()?),
        "ResBlockNet" => Box::new(ResBlockNet::new()?),
        "LSTMClassifier" => Box::new(LstmClassifier::new()?),
        "TinyTransformer" => Box::new(TinyTransformer::new(0.0, false)?),
        "TinyTransformer_norm_first" => Box::new(TinyTransformer::new(0.0, true)?),
        "TinyTransformer_dropout0.1" => Box::new(TinyTransformer::new(0.1, false)?),
        "TiedLM" => Box::new(TiedLm::new()?),
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

/// Two convolutions and a linear layer that read their inputs' sizes off the first batch.
#[derive(Module)]
struct LazyCnn {
    core: Core,
    conv1: nn::Conv2d,
    conv2: nn::Conv2d,
    fc: nn::Linear,
    pool: nn::MaxPool2d,
}

impl LazyCnn {
    fn new() -> Result<Self> {
        Ok(LazyCnn {
            core: Core::new(),
            conv1: nn::Conv2d::lazy_builder(8, 3).padding(1).build()?,
            conv2: nn::Conv2d::lazy_builder(16, 3).padding(1).build()?,
            fc: nn::Linear::lazy(10)?,
            pool: nn::MaxPool2d::new(2)?,
        })
    }
}

impl nn::Forward for LazyCnn {
    fn forward(&self, x: Tensor) -> Result<Tensor> {
        let x = self.pool.call(self.conv1.call(x)?.relu()?)?;
        let x = self.pool.call(self.conv2.call(x)?.relu()?)?;
        self.fc.call(x.flatten(1, -1)?)
    }
}

/// A stem, a block of two convolutions with its input added, the mean over the image, a linear layer.
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
        let conv = |inputs| nn::Conv2d::builder(inputs, 4, 3).padding(1).bias(false).build();
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
        let x = self.bn2.call(self.conv2.call(y)?)?.add(&x)?.relu()?;
        self.fc.call(x.mean_dim([2, 3], false)?)
    }
}

/// An embedding, two recurrent layers, and a linear layer on the last step.
#[derive(Module)]
struct LstmClassifier {
    core: Core,
    emb: nn::Embedding,
    lstm: nn::LSTM,
    fc: nn::Linear,
}

impl LstmClassifier {
    fn new() -> Result<Self> {
        Ok(LstmClassifier {
            core: Core::new(),
            emb: nn::Embedding::builder(12, 5).padding_idx(0).build()?,
            lstm: nn::LSTM::builder(5, 6).num_layers(2).batch_first(true).build()?,
            fc: nn::Linear::new(6, 3)?,
        })
    }
}

impl nn::Forward for LstmClassifier {
    fn forward(&self, x: Tensor) -> Result<Tensor> {
        let (steps, _) = self.lstm.call((self.emb.call(x)?, Absent))?;
        self.fc.call(steps.select(1, -1)?)
    }
}

/// An embedding with trained places, two encoder layers, the mean over the sequence, a linear layer.
#[derive(Module)]
struct TinyTransformer {
    core: Core,
    pos: Parameter,
    emb: nn::Embedding,
    enc: nn::TransformerEncoder,
    fc: nn::Linear,
}

impl TinyTransformer {
    fn new(dropout: f64, norm_first: bool) -> Result<Self> {
        let emb = nn::Embedding::new(12, 8)?;
        let layer = nn::TransformerEncoderLayer::builder(8, 2).dim_feedforward(16).dropout(dropout);
        let layer = layer.batch_first(true).norm_first(norm_first).build()?;
        Ok(TinyTransformer {
            core: Core::new(),
            pos: Parameter::new(Tensor::zeros([1, 6, 8])?),
            emb,
            enc: nn::TransformerEncoder::with_nested_tensor(&layer, 2, false)?,
            fc: nn::Linear::new(8, 3)?,
        })
    }
}

impl nn::Forward for TinyTransformer {
    fn forward(&self, x: Tensor) -> Result<Tensor> {
        let x = self.enc.call(self.emb.call(x)?.add(&self.pos)?)?;
        self.fc.call(x.mean_dim(1, false)?)
    }
}

/// An embedding whose table is the weight of the output layer, too.
#[derive(Module)]
struct TiedLm {
    core: Core,
    emb: nn::Embedding,
    mid: nn::Linear,
    out: nn::Linear,
}

impl TiedLm {
    fn new() -> Result<Self> {
        let (emb, mid) = (nn::Embedding::new(12, 6)?, nn::Linear::new(6, 6)?);
        let mut out = nn::Linear::builder(6, 12).bias(false).build()?;
        out.weight = emb.weight.clone();
        Ok(TiedLm { core: Core::new(), emb, mid, out })
    }
}

impl nn::Forward for TiedLm {
    fn forward(&self, x: Tensor) -> Result<Tensor> {
        self.out.call(self.mid.call(self.emb.call(x)?)?.tanh()?)?.mean_dim(1, false)
    }
}
