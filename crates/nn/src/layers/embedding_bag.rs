//! Embedding bags: sums, means or largest elements of learned rows.

use super::placement::placement;
use crate::functional::embedding_bag_with;
use crate::{Core, Custom, Forward, Module};
use firebrick_core::autograd::no_grad;
use firebrick_core::text::{Repr, python_float};
use firebrick_core::{
    BagMode, BagOptions, DType, Device, Error, Parameter, Result, Tensor, TensorOptions, default_device, default_dtype,
};

/// Looks up bags of rows of a trained table and takes their mean, sum or largest elements.
///
/// The table starts normally distributed, with PyTorch 2.15's values for the same seed; the row `padding_idx` is zero,
/// never trained, and counts in no bag.
///
/// # Shapes
/// A matrix of integers, a bag in each row: `[N, L]` to `[N, embedding_dim]`. A list `[L]` with offsets `[N]` and, for
/// sums, weights of the list's shape: `(input, Some(offsets), weights)`.
///
/// # Errors
/// Numbers or offsets out of range; an input that holds no integers.
///
/// ```
/// use firebrick::prelude::*;
/// let bag = nn::EmbeddingBag::new(10, 3)?;
/// assert_eq!(bag.to_string(), "EmbeddingBag(10, 3, mode='mean')");
/// assert_eq!(bag.call(Tensor::new([[0i64, 4]])?)?.shape(), [1, 3]);
/// let (numbers, offsets) = (Tensor::new([1i64, 2, 3])?, Tensor::new([0i64, 2])?);
/// assert_eq!(bag.call((numbers, Some(offsets), None::<Tensor>))?.shape(), [2, 3]);
/// # Ok::<_, firebrick::Error>(())
/// ```
#[derive(Module)]
#[module(custom)]
pub struct EmbeddingBag {
    core: Core,
    /// `[num_embeddings, embedding_dim]`.
    pub weight: Parameter,
    #[module(skip)]
    config: EmbeddingBagBuilder,
}

/// Options of an [`EmbeddingBag`].
///
/// ```
/// use firebrick::prelude::*;
/// use firebrick::BagMode;
/// let bag = nn::EmbeddingBag::builder(3, 1)
///     .mode(BagMode::Sum)
///     .max_norm(5.0)
///     .norm_type(1.0)
///     .scale_grad_by_freq(true)
///     .include_last_offset(true)
///     .padding_idx(0)
///     .dtype(DType::F64)
///     .device(Device::Cpu)
///     .build()?;
/// autograd::no_grad(|| bag.weight.copy_(&Tensor::new([[0.0f64], [2.0], [7.0]])?))?;
/// let (numbers, offsets) = (Tensor::new([0i64, 1, 2, 2])?, Tensor::new([0i64, 2, 4])?);
/// let sums = bag.call((numbers, Some(offsets), None::<Tensor>))?.to_vec::<f64>()?;
/// assert!(sums[0] == 2.0 && (sums[1] - 10.0).abs() < 1e-6); // the 7 became a 5
/// # Ok::<_, firebrick::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct EmbeddingBagBuilder {
    num_embeddings: usize,
    embedding_dim: usize,
    mode: BagMode,
    max_norm: Option<f64>,
    norm_type: f64,
    scale_grad_by_freq: bool,
    include_last_offset: bool,
    padding_idx: Option<i64>,
    dtype: DType,
    device: Device,
}

impl EmbeddingBag {
    /// Means of bags of a table of `num_embeddings` rows of `embedding_dim` numbers.
    ///
    /// # Errors
    /// When memory cannot be had.
    pub fn new(num_embeddings: usize, embedding_dim: usize) -> Result<Self> {
        Self::builder(num_embeddings, embedding_dim).build()
    }

    /// A layer with options.
    ///
    /// ```
    /// use firebrick::prelude::*;
    /// let bag = nn::EmbeddingBag::builder(10, 3).padding_idx(-1).build()?;
    /// assert_eq!(bag.to_string(), "EmbeddingBag(10, 3, mode='mean', padding_idx=9)");
    /// # Ok::<_, firebrick::Error>(())
    /// ```
    pub fn builder(num_embeddings: usize, embedding_dim: usize) -> EmbeddingBagBuilder {
        EmbeddingBagBuilder {
            num_embeddings,
            embedding_dim,
            mode: BagMode::Mean,
            max_norm: None,
            norm_type: 2.0,
            scale_grad_by_freq: false,
            include_last_offset: false,
            padding_idx: None,
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
    /// let bag = nn::EmbeddingBag::new(10, 3)?;
    /// let before = bag.weight.to_vec::<f32>()?;
    /// bag.reset_parameters()?;
    /// assert_ne!(bag.weight.to_vec::<f32>()?, before);
    /// # Ok::<_, firebrick::Error>(())
    /// ```
    pub fn reset_parameters(&self) -> Result<()> {
        crate::init::normal_(&self.weight, 0.0, 1.0)?;
        match self.config.padding_idx {
            Some(row) => no_grad(|| self.weight.select(0, row)?.zero_().map(drop)),
            None => Ok(()),
        }
    }
}

impl EmbeddingBagBuilder {
    /// How the rows of a bag become one; means unless set.
    pub fn mode(mut self, mode: BagMode) -> Self {
        self.mode = mode;
        self
    }

    /// Rows that are looked up are scaled down to this norm, in place; they stay unless set.
    pub fn max_norm(mut self, max_norm: f64) -> Self {
        self.max_norm = Some(max_norm);
        self
    }

    /// The norm that `max_norm` speaks of; 2 unless set.
    pub fn norm_type(mut self, norm_type: f64) -> Self {
        self.norm_type = norm_type;
        self
    }

    /// Divides a row's gradient by how often it was looked up; it does not unless set.
    pub fn scale_grad_by_freq(mut self, on: bool) -> Self {
        self.scale_grad_by_freq = on;
        self
    }

    /// Do the offsets end with the number of indices? They do not unless set.
    pub fn include_last_offset(mut self, on: bool) -> Self {
        self.include_last_offset = on;
        self
    }

    /// The row that counts in no bag and stays zero; negative numbers count from the end.
    pub fn padding_idx(mut self, row: i64) -> Self {
        self.padding_idx = Some(row);
        self
    }

    placement!(EmbeddingBag::builder(3, 2));

    /// The layer.
    ///
    /// # Errors
    /// A padding row that is not there.
    pub fn build(mut self) -> Result<EmbeddingBag> {
        let rows = self.num_embeddings as i64;
        if let Some(row) = self.padding_idx {
            if row >= rows || row < -rows {
                return Err(Error::value("EmbeddingBag", "padding_idx must be within num_embeddings")
                    .given(row.to_string())
                    .expected(format!("{} to {}", -rows, rows - 1)));
            }
            self.padding_idx = Some(row.rem_euclid(rows));
        }
        let options = TensorOptions::new().dtype(self.dtype).device(self.device);
        let weight = Parameter::new(Tensor::empty_with([self.num_embeddings, self.embedding_dim], options)?);
        let layer = EmbeddingBag { core: Core::new(), weight, config: self };
        layer.reset_parameters()?;
        Ok(layer)
    }
}

impl Forward<(Tensor, Option<Tensor>, Option<Tensor>)> for EmbeddingBag {
    fn forward(&self, (input, offsets, weights): (Tensor, Option<Tensor>, Option<Tensor>)) -> Result<Tensor> {
        let config = &self.config;
        let options = BagOptions {
            mode: config.mode,
            scale_grad_by_freq: config.scale_grad_by_freq,
            per_sample_weights: weights.as_ref(),
            include_last_offset: config.include_last_offset,
            padding_idx: config.padding_idx,
        };
        let max_norm = config.max_norm.map(|limit| (limit, config.norm_type));
        embedding_bag_with(&input, &self.weight, offsets.as_ref(), max_norm, &options)
    }
}

impl Forward for EmbeddingBag {
    fn forward(&self, input: Tensor) -> Result<Tensor> {
        self.forward((input, None, None))
    }
}

impl Custom for EmbeddingBag {
    fn extra_repr(&self) -> String {
        let config = &self.config;
        let mut text = format!("{}, {}", config.num_embeddings, config.embedding_dim);
        if let Some(norm) = config.max_norm {
            text += &format!(", max_norm={}", python_float(norm));
        }
        if config.norm_type != 2.0 {
            text += &format!(", norm_type={}", python_float(config.norm_type));
        }
        if config.scale_grad_by_freq {
            text += &format!(", scale_grad_by_freq={}", true.repr());
        }
        text += &format!(", mode='{}'", config.mode.name());
        if let Some(row) = config.padding_idx {
            text += &format!(", padding_idx={row}");
        }
        text
    }
}
