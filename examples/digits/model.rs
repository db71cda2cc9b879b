//! The network: two lazily initialized convolutions and a classifier.

use firebrick::prelude::*;

/// Reads an 8x8 image of a digit. Input sizes are taken from the first batch.
#[derive(Module)]
pub struct DigitsCnn {
    core: Core,
    features: nn::Sequential,
    dropout: nn::Dropout,
    classifier: nn::Linear,
}

impl DigitsCnn {
    /// A network whose parameters get their shapes from the first batch.
    pub fn new() -> Result<Self> {
        let features = nn::Sequential::new()
            .add(nn::Conv2d::lazy_builder(32, 3).padding(1).build()?)
            .add(nn::BatchNorm2d::lazy()?)
            .add(nn::ReLU::new())
            .add(nn::MaxPool2d::new(2)?)
            .add(nn::Conv2d::lazy_builder(64, 3).padding(1).build()?)
            .add(nn::BatchNorm2d::lazy()?)
            .add(nn::ReLU::new())
            .add(nn::MaxPool2d::new(2)?);
        Ok(DigitsCnn {
            core: Core::new(),
            features,
            dropout: nn::Dropout::new(0.3)?,
            classifier: nn::Linear::lazy(10)?,
        })
    }
}

impl nn::Forward for DigitsCnn {
    fn forward(&self, x: Tensor) -> Result<Tensor> {
        let x = self.features.call(x)?.flatten(1, -1)?;
        self.classifier.call(self.dropout.call(x)?)
    }
}
