//! What is attended to.

use super::Options;
use super::checks::{expect, refuse};
use firebrick_core::{Result, Tensor};

/// What is attended to, and the masks that go with it.
pub(super) struct Sources {
    pub key: Tensor,
    pub value: Tensor,
    pub pairs: Option<Tensor>,
    pub padding: Option<Tensor>,
}

impl Sources {
    /// One more key, which every query sees.
    pub fn push(&mut self, key: &Tensor, value: &Tensor, dim: i64) -> Result<()> {
        self.key = Tensor::cat(&[&self.key, key], dim)?;
        self.value = Tensor::cat(&[&self.value, value], dim)?;
        for mask in [&mut self.pairs, &mut self.padding] {
            *mask = mask.take().map(|mask| mask.constant_pad_nd([0, 1], 0)).transpose()?;
        }
        Ok(())
    }

    /// The trained key and its value beside those of the input.
    pub fn push_bias(&mut self, batch: usize, options: &Options<'_>) -> Result<()> {
        let (key, value) = match (options.bias_k, options.bias_v) {
            (Some(key), Some(value)) => (key, value),
            (Some(_), None) => return refuse("bias_k is set but bias_v is None"),
            (None, Some(_)) => return refuse("bias_v is set but bias_k is None"),
            (None, None) => return Ok(()),
        };
        expect(options.static_k.is_none(), || "bias cannot be added to static key.".into())?;
        expect(options.static_v.is_none(), || "bias cannot be added to static value.".into())?;
        let repeats = [1, batch as i64, 1];
        self.push(&key.repeat(repeats)?, &value.repeat(repeats)?, 0)
    }

    /// Both masks in one.
    pub fn mask(&self, [batch, heads]: [usize; 2]) -> Result<Option<Tensor>> {
        let Some(padding) = &self.padding else { return Ok(self.pairs.clone()) };
        let expected = [batch, self.key.size(1)?];
        for (dim, (size, got)) in expected.into_iter().zip(padding.shape().iter().copied()).enumerate() {
            expect(size == got, || format!("Expected key_padded_mask.shape[{dim}] to be {size}, but got {got}"))?;
        }
        let sources = expected[1];
        let wide = padding.reshape([batch, 1, 1, sources])?.expand([batch, heads, 1, sources])?;
        let padding = wide.reshape([batch * heads, 1, sources])?;
        match &self.pairs {
            Some(pairs) => pairs.add(&padding).map(Some),
            None => Ok(Some(padding)),
        }
    }
}
