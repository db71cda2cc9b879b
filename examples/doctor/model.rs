//! The network: a convolution with its norm, and a classifier.

use firebrick::nn::functional as F;
use firebrick::prelude::*;

/// Classifies images of 6 by 6 points.
#[derive(Module)]
pub struct Net {
    core: Core,
    pub conv: nn::Conv2d,
    pub norm: nn::BatchNorm2d,
    pub classifier: nn::Linear,
    /// Is the classifier trained alone?
    #[module(skip)]
    pub detaches: bool,
}

impl Net {
    pub fn new() -> Result<Self> {
        Ok(Net {
            core: Core::new(),
            conv: nn::Conv2d::builder(1, 4, 3).bias(false).build()?,
            norm: nn::BatchNorm2d::new(4)?,
            classifier: nn::Linear::new(64, 3)?,
            detaches: false,
        })
    }

    /// The loss of one batch of noise.
    pub fn loss(&self) -> Result<Tensor> {
        let (images, labels) = (Tensor::randn([5, 1, 6, 6])?, Tensor::new([0i64, 1, 2, 0, 1])?);
        F::cross_entropy(&self.call(images)?, &labels)
    }
}

impl nn::Forward for Net {
    fn forward(&self, images: Tensor) -> Result<Tensor> {
        let features = self.norm.call(self.conv.call(images)?)?.relu()?.flatten(1, -1)?;
        self.classifier.call(if self.detaches { features.detach() } else { features })
    }
}
