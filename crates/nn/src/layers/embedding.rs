//! Embedding: a learned row for each number.

use super::placement::placement;
use crate::functional::{EmbeddingOptions, embedding_with};
use crate::{Core, Custom, Forward, Module};
use firebrick_core::autograd::no_grad;
use firebrick_core::text::{Repr, python_float};
use firebrick_core::{DType, Device, Error, Parameter, Result, Tensor, TensorOptions, default_device, default_dtype};

/// Looks up rows of a trained table by number.
///
/// The table starts normally distributed, with PyTorch 2.15's values for the same seed; the row `padding_idx` is zero
/// and never trained.
///
/// # Shapes
/// Integers `[*]` to `[*, embedding_dim]`.
///
/// # Errors
/// A number out of range; an input that holds no integers.
///
/// ```
/// use firebrick::prelude::*;
/// let embedding = nn::Embedding::builder(10, 3).padding_idx(0).build()?;
/// assert_eq!(embedding.to_string(), "Embedding(10, 3, padding_idx=0)");
/// assert_eq!(embedding.call(Tensor::new([[0i64, 4]])?)?.shape(), [1, 2, 3]);
/// # Ok::<_, firebrick::Error>(())
/// ```
#[derive(Module)]
#[module(custom)]
pub struct Embedding {
    core: Core,
    /// `[num_embeddings, embedding_dim]`.
    pub weight: Parameter,
    #[module(skip)]
    options: EmbeddingOptions,
}

/// Options of an [`Embedding`]; [`Embedding::builder`] shows them.
#[derive(Clone, Debug)]
pub struct EmbeddingBuilder {
    num_embeddings: usize,
    embedding_dim: usize,
    options: EmbeddingOptions,
    dtype: DType,
    device: Device,
}

impl Embedding {
    /// A table of `num_embeddings` rows of `embedding_dim` numbers.
    ///
    /// # Errors
    /// When memory cannot be had.
    ///
    /// ```
    /// use firebrick::prelude::*;
    /// let words = nn::Embedding::new(10, 3)?;
    /// assert_eq!(words.call(Tensor::new([[1i64, 2], [4, 9]])?)?.shape(), [2, 2, 3]);
    /// # Ok::<_, firebrick::Error>(())
    /// ```
    pub fn new(num_embeddings: usize, embedding_dim: usize) -> Result<Self> {
        Self::builder(num_embeddings, embedding_dim).build()
    }

    /// A layer with options.
    ///
    /// ```
    /// use firebrick::prelude::*;
    /// let words = nn::Embedding::builder(10, 3)
    ///     .padding_idx(-1)
    ///     .max_norm(1.0)
    ///     .norm_type(1.0)
    ///     .scale_grad_by_freq(true)
    ///     .sparse(false)
    ///     .dtype(DType::F64)
    ///     .device(Device::Cpu)
    ///     .build()?;
    /// assert_eq!(
    ///     words.to_string(),
    ///     "Embedding(10, 3, padding_idx=9, max_norm=1.0, norm_type=1.0, scale_grad_by_freq=True)"
    /// );
    /// # Ok::<_, firebrick::Error>(())
    /// ```
    pub fn builder(num_embeddings: usize, embedding_dim: usize) -> EmbeddingBuilder {
        EmbeddingBuilder {
            num_embeddings,
            embedding_dim,
            options: EmbeddingOptions::new(),
            dtype: default_dtype(),
            device: default_device(),
        }
    }

    /// Draws a new table.
    ///
    /// # Errors
    /// When memory cannot be had.
    ///
    /// ```
    /// use firebrick::prelude::*;
    /// let layer = nn::Embedding::new(10, 3)?;
    /// let before = layer.weight.to_vec::<f32>()?;
    /// layer.reset_parameters()?;
    /// assert_ne!(layer.weight.to_vec::<f32>()?, before);
    /// # Ok::<_, firebrick::Error>(())
    /// ```
    pub fn reset_parameters(&self) -> Result<()> {
        crate::init::normal_(&self.weight, 0.0, 1.0)?;
        match self.options.padding_idx {
            Some(row) => no_grad(|| self.weight.select(0, row)?.zero_().map(drop)),
            None => Ok(()),
        }
    }
}

impl EmbeddingBuilder {
    /// The row that stays zero; negative numbers count from the end.
    pub fn padding_idx(mut self, row: i64) -> Self {
        self.options.padding_idx = Some(row);
        self
    }

    /// Rows that are looked up are scaled down to this norm, in place.
    pub fn max_norm(mut self, max_norm: f64) -> Self {
        self.options.max_norm = Some(max_norm);
        self
    }

    /// The norm that `max_norm` speaks of; 2 unless set.
    pub fn norm_type(mut self, norm_type: f64) -> Self {
        self.options.norm_type = norm_type;
        self
    }

    /// Divides a row's gradient by how often it was looked up.
    pub fn scale_grad_by_freq(mut self, on: bool) -> Self {
        self.options.scale_grad_by_freq = on;
        self
    }

    /// Asks for a sparse gradient, which is an error where the table is trained: there are no sparse tensors.
    pub fn sparse(mut self, on: bool) -> Self {
        self.options.sparse = on;
        self
    }

    placement!(Embedding::builder(3, 2));

    /// The layer.
    ///
    /// # Errors
    /// A padding row that is not there.
    pub fn build(mut self) -> Result<Embedding> {
        let rows = self.num_embeddings as i64;
        if let Some(row) = self.options.padding_idx {
            if row >= rows || row < -rows {
                return Err(Error::value("Embedding", "Padding_idx must be within num_embeddings")
                    .given(row.to_string())
                    .expected(format!("{} to {}", -rows, rows - 1)));
            }
            self.options.padding_idx = Some(row.rem_euclid(rows));
        }
        let options = TensorOptions::new().dtype(self.dtype).device(self.device);
        let weight = Parameter::new(Tensor::empty_with([self.num_embeddings, self.embedding_dim], options)?);
        let layer = Embedding { core: Core::new(), weight, options: self.options };
        layer.reset_parameters()?;
        Ok(layer)
    }
}

impl Forward for Embedding {
    fn forward(&self, input: Tensor) -> Result<Tensor> {
        embedding_with(&input, &self.weight, &self.options)
    }
}

impl Custom for Embedding {
    fn extra_repr(&self) -> String {
        let shape = self.weight.shape().unwrap_or_default();
        let size = |d: usize| shape.get(d).copied().unwrap_or(0);
        let mut text = format!("{}, {}", size(0), size(1));
        let options = &self.options;
        if let Some(row) = options.padding_idx {
            text += &format!(", padding_idx={row}");
        }
        if let Some(norm) = options.max_norm {
            text += &format!(", max_norm={}", python_float(norm));
        }
        if options.norm_type != 2.0 {
            text += &format!(", norm_type={}", python_float(options.norm_type));
        }
        if options.scale_grad_by_freq {
            text += &format!(", scale_grad_by_freq={}", true.repr());
        }
        if options.sparse {
            text += &format!(", sparse={}", true.repr());
        }
        text
    }
}
