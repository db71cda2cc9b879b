//! A small GPT: Radford et al., *Language Models are Unsupervised Multitask Learners* (2019), section 2.3.

use firebrick::AttentionOptions;
use firebrick::nn::functional as F;
use firebrick::prelude::*;

/// The sizes of a [`Gpt`].
#[derive(Clone, Copy)]
pub struct GptSizes {
    pub vocabulary: usize,
    /// The longest input, in tokens.
    pub context: usize,
    /// How many numbers stand for a token.
    pub width: usize,
    /// Parts of the width that attend on their own.
    pub heads: usize,
    pub layers: usize,
}

/// Tokens `[batch, time]` to scores `[batch * time, vocabulary]` of each one's successor.
#[derive(Module)]
pub struct Gpt {
    core: Core,
    tokens: nn::Embedding,
    positions: nn::Embedding,
    blocks: nn::ModuleList<Block>,
    norm: nn::LayerNorm,
    head: nn::Linear,
}

impl Gpt {
    pub fn new(sizes: GptSizes) -> Result<Gpt> {
        let GptSizes { vocabulary, context, width, heads, layers } = sizes;
        Ok(Gpt {
            core: Core::new(),
            tokens: nn::Embedding::new(vocabulary, width)?,
            positions: nn::Embedding::new(context, width)?,
            blocks: (0..layers).map(|_| Block::new(width, heads)).collect::<Result<Vec<_>>>()?.into(),
            norm: nn::LayerNorm::new(width)?,
            head: nn::Linear::builder(width, vocabulary).bias(false).build()?,
        })
    }
}

impl nn::Forward for Gpt {
    fn forward(&self, tokens: Tensor) -> Result<Tensor> {
        let positions = Tensor::arange(tokens.size(1)?)?;
        let mut x = (self.tokens.call(tokens)? + self.positions.call(positions)?)?;
        for block in &self.blocks {
            x = block.call(x)?;
        }
        self.head.call(self.norm.call(x)?)?.flatten(0, 1)
    }
}

/// Attention, then a small network for each token; both add to their input.
#[derive(Module)]
struct Block {
    core: Core,
    norm1: nn::LayerNorm,
    qkv: nn::Linear,
    proj: nn::Linear,
    norm2: nn::LayerNorm,
    fc1: nn::Linear,
    fc2: nn::Linear,
    heads: usize,
}

impl Block {
    fn new(width: usize, heads: usize) -> Result<Block> {
        Ok(Block {
            core: Core::new(),
            norm1: nn::LayerNorm::new(width)?,
            qkv: nn::Linear::new(width, 3 * width)?,
            proj: nn::Linear::new(width, width)?,
            norm2: nn::LayerNorm::new(width)?,
            fc1: nn::Linear::new(width, 4 * width)?,
            fc2: nn::Linear::new(4 * width, width)?,
            heads,
        })
    }

    /// Each token's mean of the values of its predecessors and itself, in every head.
    fn attend(&self, x: Tensor) -> Result<Tensor> {
        let heads = |x: &Tensor| x.unflatten(2, [self.heads as i64, -1])?.transpose(1, 2);
        let qkv = self.qkv.call(x)?.chunk(3, 2)?;
        let (q, k, v) = (heads(&qkv[0])?, heads(&qkv[1])?, heads(&qkv[2])?);
        let causal = AttentionOptions::new().is_causal(true);
        let mean = F::scaled_dot_product_attention_with(&q, &k, &v, &causal)?;
        self.proj.call(mean.transpose(1, 2)?.flatten(2, 3)?)
    }

    /// The small network.
    fn think(&self, x: Tensor) -> Result<Tensor> {
        self.fc2.call(self.fc1.call(x)?.gelu("none")?)
    }
}

impl nn::Forward for Block {
    fn forward(&self, x: Tensor) -> Result<Tensor> {
        let x = (&x + self.attend(self.norm1.call(&x)?))?;
        &x + self.think(self.norm2.call(&x)?)
    }
}
