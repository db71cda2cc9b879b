//! Scaled dot product attention: by one kernel that keeps no weights, or, where weights are dropped, a mask wants a
//! gradient or the backward pass is recorded, by operations that have gradients.

mod composed;
mod fused;

use crate::ops::by_hand;
use crate::ops::sample::{self, ANY, Sample, Trait};
use crate::{DType, Error, Result, Tensor};

const OP: &str = "scaled_dot_product_attention";

/// Mask, dropout and scale of an attention; PyTorch's defaults unless set.
///
/// ```
/// # use firebrick_core::{AttentionOptions, Tensor};
/// let (q, k) = (Tensor::zeros([2, 1])?, Tensor::zeros([2, 1])?);
/// let v = Tensor::new([[1.0f32], [3.0]])?;
/// let options = AttentionOptions::new().is_causal(true);
/// assert_eq!(q.scaled_dot_product_attention(&k, &v, &options)?.to_vec::<f32>()?, [1.0, 2.0]);
/// # Ok::<_, firebrick_core::Error>(())
/// ```
#[derive(Clone, Copy, Debug, Default)]
pub struct AttentionOptions<'t> {
    /// Truth values: does the query see the key? Or numbers that are added to the scores.
    pub attn_mask: Option<&'t Tensor>,
    /// The share of weights that is dropped.
    pub dropout_p: f64,
    /// Does each query see the keys up to its own place alone?
    pub is_causal: bool,
    /// The factor of the scores; one over the root of the size of a query unless set.
    pub scale: Option<f64>,
    /// Do several heads of queries share one of keys and values?
    pub enable_gqa: bool,
}

impl<'t> AttentionOptions<'t> {
    /// No mask, no dropout.
    pub fn new() -> Self {
        Self::default()
    }

    /// Truth values: does the query see the key? Or numbers that are added to the scores.
    ///
    /// ```
    /// # use firebrick_core::{AttentionOptions, Tensor};
    /// let (q, v) = (Tensor::zeros([1, 1])?, Tensor::new([[1.0f32], [3.0]])?);
    /// let mask = Tensor::new([[false, true]])?;
    /// let options = AttentionOptions::new().attn_mask(&mask);
    /// assert_eq!(q.scaled_dot_product_attention(&v, &v, &options)?.to_vec::<f32>()?, [3.0]);
    /// # Ok::<_, firebrick_core::Error>(())
    /// ```
    pub fn attn_mask(mut self, mask: &'t Tensor) -> Self {
        self.attn_mask = Some(mask);
        self
    }

    /// The share of weights that is dropped; the others are scaled by `1 / (1 - p)`. None unless set: as PyTorch's
    /// function, this one does not know whether it is training.
    ///
    /// ```
    /// # use firebrick_core::{AttentionOptions, Tensor};
    /// let (q, v) = (Tensor::zeros([1, 1])?, Tensor::new([[1.0f32], [3.0]])?);
    /// let all = q.scaled_dot_product_attention(&v, &v, &AttentionOptions::new())?;
    /// assert_eq!(all.to_vec::<f32>()?, [2.0]);
    /// let none = q.scaled_dot_product_attention(&v, &v, &AttentionOptions::new().dropout_p(1.0))?;
    /// assert_eq!(none.to_vec::<f32>()?, [0.0]);
    /// # Ok::<_, firebrick_core::Error>(())
    /// ```
    pub fn dropout_p(mut self, p: f64) -> Self {
        self.dropout_p = p;
        self
    }

    /// Does each query see the keys up to its own place alone?
    pub fn is_causal(mut self, on: bool) -> Self {
        self.is_causal = on;
        self
    }

    /// The factor of the scores.
    ///
    /// ```
    /// # use firebrick_core::{AttentionOptions, Tensor};
    /// let (q, v) = (Tensor::ones([1, 1])?, Tensor::new([[0.0f32], [1.0]])?);
    /// let options = AttentionOptions::new().scale(2.0);
    /// assert_eq!(q.scaled_dot_product_attention(&v, &v, &options)?.to_string(), "tensor([[0.8808]])");
    /// # Ok::<_, firebrick_core::Error>(())
    /// ```
    pub fn scale(mut self, scale: f64) -> Self {
        self.scale = Some(scale);
        self
    }

    /// Do several heads of queries share one of keys and values?
    ///
    /// ```
    /// # use firebrick_core::{AttentionOptions, Tensor};
    /// let (q, k) = (Tensor::zeros([4, 1, 2])?, Tensor::zeros([2, 3, 2])?);
    /// let options = AttentionOptions::new().enable_gqa(true);
    /// assert_eq!(q.scaled_dot_product_attention(&k, &k, &options)?.shape(), [4, 1, 2]);
    /// # Ok::<_, firebrick_core::Error>(())
    /// ```
    pub fn enable_gqa(mut self, on: bool) -> Self {
        self.enable_gqa = on;
        self
    }
}

fn check(query: &Tensor, key: &Tensor, value: &Tensor, options: &AttentionOptions<'_>) -> Result<()> {
    let refuse = |text: String| Err(Error::runtime(OP, text));
    let dtypes = [query.dtype(), key.dtype(), value.dtype()];
    if dtypes[1..].iter().any(|&dtype| dtype != dtypes[0]) {
        let [q, k, v] = dtypes.map(|dtype| dtype.c_name());
        return refuse(format!(
            "Expected query, key, and value to have the same dtype, but got query.dtype: {q} key.dtype: {k} and value.dtype: {v} instead."
        ));
    }
    let ranks = [query.dim(), key.dim(), value.dim()];
    if ranks.iter().any(|&rank| rank < 2) {
        return refuse(format!(
            "Expected query, key, and value to all be  at least 2 dimensional, but got query.dim: {}, key.dim: {} and value.dim: {} instead.",
            ranks[0], ranks[1], ranks[2]
        ));
    }
    if options.is_causal && options.attn_mask.is_some() {
        return refuse(
            "_scaled_dot_product_attention: Explicit attn_mask should not be set when is_causal=True".into(),
        );
    }
    Ok(())
}

fn attention(query: &Tensor, key: &Tensor, value: &Tensor, options: &AttentionOptions<'_>) -> Result<Tensor> {
    check(query, key, value, options)?;
    let dtype = query.dtype();
    let wide = |x: &Tensor| if dtype.size() == 2 { x.to(DType::F32) } else { Ok(x.clone()) };
    let (query, mut key, mut value) = (wide(query)?, wide(key)?, wide(value)?);
    let scale = options.scale.unwrap_or(1.0 / (query.size(-1)? as f64).sqrt());
    if let Some(out) = fused::attention([&query, &key, &value], options, scale)? {
        return out.to(dtype);
    }
    if options.enable_gqa && query.dim() > 2 {
        let heads = query.size(-3)?;
        (key, value) = (composed::shared_heads(&key, heads)?, composed::shared_heads(&value, heads)?);
    }
    let mut weights = composed::weights(&query, &key, options.attn_mask, options.is_causal, scale)?;
    if options.dropout_p > 0.0 {
        weights = weights.dropout(options.dropout_p, true)?;
    }
    weights.matmul(&value)?.to(dtype)
}

fn samples() -> Result<Vec<Sample>> {
    let sample = |traits: Trait, inputs: Vec<Tensor>, causal: bool| {
        sample::one(traits, inputs, move |x| {
            x[0].scaled_dot_product_attention(&x[1], &x[2], &AttentionOptions::new().is_causal(causal))
        })
    };
    let three =
        |shape: &[usize], seed: u64| -> Result<Vec<Tensor>> { (0..3).map(|i| ANY.tensor(shape, seed + i)).collect() };
    let strided = (0..3).map(|i| ANY.strided(&[2, 3, 2], 10 + i)).collect::<Result<Vec<_>>>()?;
    Ok(vec![
        sample(Trait::Plain, three(&[2, 3, 2], 1)?, false),
        sample(Trait::Plain, three(&[1, 3, 2], 4)?, true),
        sample(Trait::Strided, strided, false),
        sample(Trait::Empty, three(&[0, 3, 2], 7)?, true),
    ])
}

impl Tensor {
    /// `softmax(query key^T scale + mask) value`: each query's mean of the values, weighed by how well the keys fit it.
    ///
    /// Vaswani et al., *Attention Is All You Need* (2017). A query whose keys are all masked gets zeros.
    ///
    /// # Shapes
    /// `[*, L, E]`, `[*, S, E]` and `[*, S, V]` to `[*, L, V]`.
    ///
    /// # Errors
    /// Fewer than two dimensions; different dtypes; a mask beside `is_causal`.
    ///
    /// ```
    /// # use firebrick_core::{AttentionOptions, Tensor};
    /// let (q, k) = (Tensor::zeros([1, 2])?, Tensor::ones([2, 2])?);
    /// let v = Tensor::new([[1.0f32], [3.0]])?;
    /// let y = q.scaled_dot_product_attention(&k, &v, &AttentionOptions::new())?;
    /// assert_eq!(y.to_vec::<f32>()?, [2.0]);
    /// # Ok::<_, firebrick_core::Error>(())
    /// ```
    pub fn scaled_dot_product_attention(
        &self,
        key: &Tensor,
        value: &Tensor,
        options: &AttentionOptions<'_>,
    ) -> Result<Tensor> {
        attention(&self.resolve(OP)?, &key.resolve(OP)?, &value.resolve(OP)?, options)
    }
}

by_hand! {
    table: ATTENTION;
    scaled_dot_product_attention as "ScaledDotProductFlashAttentionForCpuBackward0": samples();
}
