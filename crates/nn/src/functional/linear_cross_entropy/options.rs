//! How a linear cross entropy is cut into chunks.

use firebrick_core::text::Repr;
use firebrick_core::{DType, Device, Error, Result};
use std::fmt;
use std::str::FromStr;

const NAME: &str = "LinearCrossEntropyOptions";

/// How many rows a chunk gets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ChunkingMethod {
    /// As [`ChunkingMethod::AspectRatio`], and no more than what needs as much memory as one pass without chunks.
    Auto,
    /// So many that the logits of a chunk need as much memory as the input, rounded up to a power of two.
    AspectRatio,
    /// The same divided by a number, which is not zero.
    AspectRatioOver(usize),
}

impl ChunkingMethod {
    fn factor(self) -> usize {
        match self {
            ChunkingMethod::AspectRatioOver(factor) => factor,
            _ => 1,
        }
    }
}

impl fmt::Display for ChunkingMethod {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            ChunkingMethod::Auto => f.write_str("auto"),
            ChunkingMethod::AspectRatio => f.write_str("aspect_ratio"),
            ChunkingMethod::AspectRatioOver(factor) => write!(f, "aspect_ratio:{factor}"),
        }
    }
}

impl FromStr for ChunkingMethod {
    type Err = Error;

    /// PyTorch's names: `auto`, `aspect_ratio` and `aspect_ratio:4`.
    fn from_str(name: &str) -> Result<Self> {
        let factor = name.strip_prefix("aspect_ratio:").and_then(|factor| factor.parse().ok());
        match (name, factor) {
            ("auto", _) => Ok(ChunkingMethod::Auto),
            ("aspect_ratio", _) => Ok(ChunkingMethod::AspectRatio),
            (_, Some(factor)) if factor > 0 => Ok(ChunkingMethod::AspectRatioOver(factor)),
            _ => Err(Error::value(NAME, format!("invalid chunking_method: {}", name.repr()))),
        }
    }
}

/// What is kept in the dtype of accumulation, and what in the input's.
///
/// ```
/// use firebrick::nn::functional as F;
/// use firebrick::prelude::*;
/// assert_eq!("compact".parse::<F::AccPolicy>()?, F::AccPolicy::Compact);
/// let error = "fast".parse::<F::AccPolicy>().unwrap_err();
/// assert_eq!(error.to_string(), "invalid acc_policy: 'fast'; expected one of 'auto', 'accurate', 'compact'");
/// # Ok::<_, firebrick::Error>(())
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum AccPolicy {
    /// Accurate for half precision on the processor, else compact.
    #[default]
    Auto,
    /// As much as possible in the dtype of accumulation.
    Accurate,
    /// Logits of float16 stay in it.
    Compact,
}

impl AccPolicy {
    const ALL: [(AccPolicy, &str); 3] =
        [(AccPolicy::Auto, "auto"), (AccPolicy::Accurate, "accurate"), (AccPolicy::Compact, "compact")];
}

impl fmt::Display for AccPolicy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(AccPolicy::ALL[*self as usize].1)
    }
}

impl FromStr for AccPolicy {
    type Err = Error;

    /// PyTorch's names: `auto`, `accurate` and `compact`.
    fn from_str(name: &str) -> Result<Self> {
        AccPolicy::ALL.into_iter().find(|(_, known)| *known == name).map(|(policy, _)| policy).ok_or_else(|| {
            let names = AccPolicy::ALL.map(|(_, known)| known.repr()).join(", ");
            Error::value(NAME, format!("invalid acc_policy: {}; expected one of {names}", name.repr()))
        })
    }
}

/// Cuts a [`linear_cross_entropy`](super::linear_cross_entropy) into chunks of rows, so that the logits of a whole batch
/// never exist at once: it saves memory where there are many more classes than features.
///
/// ```
/// use firebrick::nn::functional::{AccPolicy, ChunkingMethod, LinearCrossEntropyOptions};
/// use firebrick::prelude::*;
/// let options = LinearCrossEntropyOptions::new().chunking_method(ChunkingMethod::AspectRatioOver(2));
/// assert!(options.to_string().ends_with("chunking_method='aspect_ratio:2', acc_policy='auto', acc_dtype=None)"));
/// let options = options.acc_policy(AccPolicy::Accurate).acc_dtype(DType::F64)?;
/// assert!(options.to_string().ends_with("acc_policy='accurate', acc_dtype=torch.float64)"));
/// # Ok::<_, firebrick::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LinearCrossEntropyOptions {
    pub(super) allow_retain_graph: bool,
    batch_chunk_size: Option<usize>,
    chunking_method: Option<ChunkingMethod>,
    acc_policy: AccPolicy,
    acc_dtype: Option<DType>,
}

impl LinearCrossEntropyOptions {
    /// PyTorch's defaults: everything is found out when it is called.
    pub fn new() -> Self {
        LinearCrossEntropyOptions {
            allow_retain_graph: false,
            batch_chunk_size: None,
            chunking_method: Some(ChunkingMethod::Auto),
            acc_policy: AccPolicy::Auto,
            acc_dtype: None,
        }
    }

    /// May a mean or a sum be differentiated several times? Else its gradients are used up by the first, as they are
    /// unless set.
    ///
    /// ```
    /// use firebrick::nn::functional::{self as F, LinearCrossEntropyCall, LinearCrossEntropyOptions};
    /// use firebrick::prelude::*;
    /// let (x, w, y) = (Tensor::ones([2, 2])?, Tensor::ones([3, 2])?, Tensor::new([0i64, 1])?);
    /// x.requires_grad_(true)?;
    /// let twice = |again: bool| {
    ///     let options = LinearCrossEntropyOptions::new().batch_chunk_size(1)?.allow_retain_graph(again);
    ///     let call = LinearCrossEntropyCall::new().options(Some(options));
    ///     let loss = F::linear_cross_entropy_with(&x, &w, &y, &call)?;
    ///     loss.backward_with(autograd::Backward::new().retain_graph(true))?;
    ///     loss.backward()
    /// };
    /// assert!(twice(true).is_ok() && twice(false).is_err());
    /// # Ok::<_, firebrick::Error>(())
    /// ```
    pub fn allow_retain_graph(mut self, on: bool) -> Self {
        self.allow_retain_graph = on;
        self
    }

    /// How many rows a chunk has.
    ///
    /// # Errors
    /// None at all.
    pub fn batch_chunk_size(mut self, rows: usize) -> Result<Self> {
        if rows == 0 {
            return Err(Error::value(NAME, "batch_chunk_size must be positive int or None, got 0"));
        }
        self.batch_chunk_size = Some(rows);
        Ok(self)
    }

    /// How that number is found, or `None` for one chunk where it is not given.
    pub fn chunking_method(mut self, method: impl Into<Option<ChunkingMethod>>) -> Self {
        self.chunking_method = method.into();
        self
    }

    /// What is kept in which dtype; [`LinearCrossEntropyOptions`] shows it.
    pub fn acc_policy(mut self, policy: AccPolicy) -> Self {
        self.acc_policy = policy;
        self
    }

    /// The dtype of accumulation: unless set single precision for half, else the input's own.
    /// [`LinearCrossEntropyOptions`] shows it.
    ///
    /// # Errors
    /// A dtype that is not of floating-point numbers.
    pub fn acc_dtype(mut self, dtype: DType) -> Result<Self> {
        check_accumulator(dtype)?;
        self.acc_dtype = Some(dtype);
        Ok(self)
    }

    /// What the options come to for one call.
    pub(super) fn plan(&self, sizes: [usize; 3], dtype: DType, device: Device, probabilities: bool) -> Result<Plan> {
        let half = matches!(dtype, DType::F16 | DType::BF16);
        let accurate = match self.acc_policy {
            AccPolicy::Auto => half && device == Device::Cpu,
            policy => policy == AccPolicy::Accurate,
        };
        let rows = self.rows(sizes, accurate, probabilities)?;
        let wide = half && device == Device::Cpu && self.acc_policy == AccPolicy::Auto;
        let accumulate = self.acc_dtype.unwrap_or(if wide { DType::F32 } else { dtype });
        check_accumulator(accumulate)?;
        if accumulate != dtype && !(half && accumulate == DType::F32) {
            let text = "linear_cross_entropy supports float32 acc_dtype with float16/bfloat16 inputs, but got";
            let text = format!("{text} {accumulate} acc_dtype and {dtype} inputs.");
            return Err(Error::runtime("linear_cross_entropy", text));
        }
        let logits = if dtype == DType::F16 && !accurate { dtype } else { accumulate };
        Ok(Plan { rows, logits, accumulate })
    }

    /// How many rows a chunk has, for sizes of the batch, the features and the classes.
    fn rows(&self, [batch, features, classes]: [usize; 3], accurate: bool, probabilities: bool) -> Result<usize> {
        let given = self.batch_chunk_size.map(|rows| rows.min(batch));
        let method = match (self.chunking_method, given) {
            (Some(method), None) => method,
            (Some(method), Some(_)) if method != ChunkingMethod::Auto => method,
            _ => return Ok(given.unwrap_or(batch).max(1)),
        };
        let (features, classes) = (features.max(1), classes.max(1));
        let fitting = batch.div_ceil(classes.div_ceil(features));
        let mut rows = (fitting.checked_next_power_of_two().unwrap_or(fitting) / method.factor().max(1)).min(batch);
        if method == ChunkingMethod::Auto && !accurate {
            let most = match probabilities {
                true => batch / 2,
                false => batch.saturating_mul(classes) / features.saturating_mul(4),
            };
            rows = rows.min(most.checked_ilog2().map_or(1, |log| 1 << log));
        }
        match self.batch_chunk_size {
            Some(wanted) if wanted != rows => Err(Error::value(
                "linear_cross_entropy",
                format!(
                    "batch_chunk_size (={wanted}) and chunking_method ('{method}') give different chunk sizes ({wanted} vs {rows}); pass only one."
                ),
            )),
            _ => Ok(rows.max(1)),
        }
    }
}

/// Refuses dtypes that nothing is accumulated in.
fn check_accumulator(dtype: DType) -> Result<()> {
    if matches!(dtype, DType::F16 | DType::BF16 | DType::F32 | DType::F64) {
        return Ok(());
    }
    let text = format!(
        "acc_dtype must be one of {{None, torch.float16, torch.bfloat16, torch.float32, torch.float64}}, got {dtype}. Pass acc_dtype=None to let the op pick automatically."
    );
    Err(Error::value(NAME, text))
}

impl Default for LinearCrossEntropyOptions {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Display for LinearCrossEntropyOptions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let retain = self.allow_retain_graph.repr();
        let (size, method) = (self.batch_chunk_size.repr(), self.chunking_method.map(|m| m.to_string()).repr());
        let (policy, dtype) = (self.acc_policy, self.acc_dtype.map_or("None".to_owned(), |dtype| dtype.to_string()));
        write!(f, "{NAME}(allow_retain_graph={retain}, batch_chunk_size={size}, chunking_method={method}, ")?;
        write!(f, "acc_policy='{policy}', acc_dtype={dtype})")
    }
}

/// How one call is run.
#[derive(Clone, Copy, Debug)]
pub(super) struct Plan {
    /// Rows of a chunk.
    pub rows: usize,
    /// The dtype of the logits.
    pub logits: DType,
    /// The dtype of losses.
    pub accumulate: DType,
}
