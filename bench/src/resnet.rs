//! ResNet-18 for small images: He et al., *Deep Residual Learning for Image Recognition* (2015), but that it starts with
//! a 3x3 convolution and without pooling, as is usual for images of 32x32.

use firebrick::prelude::*;

/// Images `[batch, 3, height, width]` to scores `[batch, classes]`.
#[derive(Module)]
pub struct ResNet {
    core: Core,
    conv: nn::Conv2d,
    norm: nn::BatchNorm2d,
    blocks: nn::ModuleList<Block>,
    pool: nn::AdaptiveAvgPool2d,
    head: nn::Linear,
}

impl ResNet {
    /// Four stages of two blocks. The first has `width` channels, 64 in the paper; each other one has twice as many as
    /// the one before it, and halves the sides of the planes.
    pub fn new18(width: usize, classes: usize) -> Result<ResNet> {
        let (conv, norm) = convolution(3, width, 3, 1)?;
        let mut blocks = nn::ModuleList::new();
        let mut inputs = width;
        for (outputs, stride) in [(width, 1), (2 * width, 2), (4 * width, 2), (8 * width, 2)] {
            blocks.append(Block::new(inputs, outputs, stride)?).append(Block::new(outputs, outputs, 1)?);
            inputs = outputs;
        }
        let (pool, head) = (nn::AdaptiveAvgPool2d::new(1), nn::Linear::new(inputs, classes)?);
        Ok(ResNet { core: Core::new(), conv, norm, blocks, pool, head })
    }
}

impl nn::Forward for ResNet {
    fn forward(&self, x: Tensor) -> Result<Tensor> {
        let mut x = self.norm.call(self.conv.call(x)?)?.relu()?;
        for block in &self.blocks {
            x = block.call(x)?;
        }
        self.head.call(self.pool.call(x)?.flatten(1, -1)?)
    }
}

/// Two convolutions whose result adds to the input: `relu(f(x) + shortcut(x))`.
#[derive(Module)]
struct Block {
    core: Core,
    conv1: nn::Conv2d,
    norm1: nn::BatchNorm2d,
    conv2: nn::Conv2d,
    norm2: nn::BatchNorm2d,
    /// Brings the input to the shape of the result, where they differ.
    shortcut: Option<nn::Sequential>,
}

impl Block {
    fn new(inputs: usize, outputs: usize, stride: usize) -> Result<Block> {
        let (conv1, norm1) = convolution(inputs, outputs, 3, stride)?;
        let (conv2, norm2) = convolution(outputs, outputs, 3, 1)?;
        let shortcut = if stride != 1 || inputs != outputs {
            let (conv, norm) = convolution(inputs, outputs, 1, stride)?;
            Some(nn::Sequential::new().add(conv).add(norm))
        } else {
            None
        };
        Ok(Block { core: Core::new(), conv1, norm1, conv2, norm2, shortcut })
    }
}

impl nn::Forward for Block {
    fn forward(&self, x: Tensor) -> Result<Tensor> {
        let shortcut = match &self.shortcut {
            Some(shortcut) => shortcut.call(&x)?,
            None => x.clone(),
        };
        let x = self.norm1.call(self.conv1.call(x)?)?.relu()?;
        let x = self.norm2.call(self.conv2.call(x)?)?;
        (x + shortcut)?.relu()
    }
}

/// A convolution that pads its planes so that only the stride shrinks them, and the norm behind it, whose shift makes a
/// bias of the convolution idle.
fn convolution(inputs: usize, outputs: usize, kernel: usize, stride: usize) -> Result<(nn::Conv2d, nn::BatchNorm2d)> {
    let conv = nn::Conv2d::builder(inputs, outputs, kernel).stride(stride).padding(kernel / 2).bias(false).build()?;
    Ok((conv, nn::BatchNorm2d::new(outputs)?))
}
