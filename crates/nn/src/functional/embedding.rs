//! Rows of a table by number.

use firebrick_core::autograd::{is_grad_enabled, no_grad};
use firebrick_core::{DType, Error, Result, Tensor};

/// Options of [`embedding_with`]; PyTorch's defaults unless set.
#[derive(Clone, Debug)]
pub struct EmbeddingOptions {
    /// The row that is never trained; negative numbers count from the end.
    pub padding_idx: Option<i64>,
    /// Rows that are looked up are scaled down to this norm, in place.
    pub max_norm: Option<f64>,
    /// The norm that `max_norm` speaks of.
    pub norm_type: f64,
    /// Is a row's gradient divided by how often it was looked up?
    pub scale_grad_by_freq: bool,
    /// Is the table's gradient to be a sparse tensor? There are none here: see [`embedding_with`].
    pub sparse: bool,
}

impl Default for EmbeddingOptions {
    fn default() -> Self {
        EmbeddingOptions { padding_idx: None, max_norm: None, norm_type: 2.0, scale_grad_by_freq: false, sparse: false }
    }
}

impl EmbeddingOptions {
    /// No padding, no limit, the Euclidean norm.
    pub fn new() -> Self {
        Self::default()
    }

    /// The row that is never trained.
    pub fn padding_idx(mut self, row: i64) -> Self {
        self.padding_idx = Some(row);
        self
    }

    /// Rows that are looked up are scaled down to this norm.
    pub fn max_norm(mut self, max_norm: f64) -> Self {
        self.max_norm = Some(max_norm);
        self
    }

    /// The norm that `max_norm` speaks of.
    pub fn norm_type(mut self, norm_type: f64) -> Self {
        self.norm_type = norm_type;
        self
    }

    /// Divides a row's gradient by how often it was looked up.
    pub fn scale_grad_by_freq(mut self, on: bool) -> Self {
        self.scale_grad_by_freq = on;
        self
    }

    /// Asks for a sparse gradient.
    pub fn sparse(mut self, on: bool) -> Self {
        self.sparse = on;
        self
    }
}

/// Rows of `weight`, `[rows, columns]`, by the numbers in `input`.
///
/// # Shapes
/// Integers `[*]` to `[*, columns]`.
///
/// # Errors
/// A number out of range; an input that holds no integers; a table that is no matrix.
///
/// ```
/// use firebrick::nn::functional as F;
/// use firebrick::prelude::*;
/// let table = Tensor::new([[1, 2], [3, 4]])?;
/// assert_eq!(F::embedding(&Tensor::new([1i64, 0])?, &table)?.to_vec::<i32>()?, [3, 4, 1, 2]);
/// # Ok::<_, firebrick::Error>(())
/// ```
pub fn embedding(input: &Tensor, weight: &Tensor) -> Result<Tensor> {
    embedding_with(input, weight, &EmbeddingOptions::new())
}

/// [`embedding`] with a padding row, a limit for the rows' norms, or gradients scaled by frequency.
///
/// # Errors
/// As [`embedding`], and a padding row that is not there; a sparse gradient that would be needed: Firebrick has no sparse
/// tensors, unlike PyTorch.
///
/// ```
/// use firebrick::nn::functional as F;
/// use firebrick::prelude::*;
/// let weight = Tensor::new([[3.0f32, 4.0], [0.0, 1.0]])?;
/// let options = F::EmbeddingOptions::new().max_norm(1.0);
/// assert_eq!(F::embedding_with(&Tensor::new([0i64])?, &weight, &options)?.to_string(), "tensor([[0.6000, 0.8000]])");
/// # Ok::<_, firebrick::Error>(())
/// ```
pub fn embedding_with(input: &Tensor, weight: &Tensor, options: &EmbeddingOptions) -> Result<Tensor> {
    let rows = weight.shape().first().map_or(0, |&rows| rows as i64);
    let padding = match options.padding_idx {
        Some(row) if row >= rows || row < -rows => {
            return Err(Error::value("embedding", "Padding_idx must be within num_embeddings")
                .given(row.to_string())
                .expected(format!("{} to {}", -rows, rows - 1)));
        }
        Some(row) => Some(row.rem_euclid(rows)),
        None => None,
    };
    if options.sparse && is_grad_enabled() && weight.requires_grad() {
        return Err(Error::not_implemented("embedding", "sparse gradients are not supported")
            .remedy("leave `sparse` off: the gradient is then a dense tensor"));
    }
    if let Some(max_norm) = options.max_norm {
        no_grad(|| renormalize(&weight.detach(), input, max_norm, options.norm_type))?;
    }
    weight.embedding(input, padding, options.scale_grad_by_freq)
}

/// Scales the rows in use down to `max_norm`: PyTorch's `embedding_renorm_`.
pub(super) fn renormalize(weight: &Tensor, input: &Tensor, max_norm: f64, norm_type: f64) -> Result<()> {
    const OP: &str = "embedding_renorm_";
    if weight.dim() != 2 {
        return Err(Error::runtime(
            OP,
            format!(
                "Expected 2-dimensional tensor, but got {}-dimensional tensor for argument #1 'self' (while checking arguments for {OP})",
                weight.dim()
            ),
        ));
    }
    if !matches!(input.dtype(), DType::I32 | DType::I64) {
        return Err(Error::runtime(
            OP,
            format!(
                "Expected tensor for argument #2 'indices' to have one of the following scalar types: Long, Int; but got {} instead (while checking arguments for {OP})",
                input.type_text()
            ),
        ));
    }
    if weight.is_meta() {
        return Ok(());
    }
    let mut numbers = input.to(DType::I64)?.to_vec::<i64>()?;
    numbers.sort_unstable();
    numbers.dedup();
    let shape = weight.shape();
    if let Some(number) = numbers.iter().find(|&&number| number < 0 || number >= shape[0] as i64) {
        return Err(Error::index(
            OP,
            format!("select(): index {number} out of range for tensor of size {shape:?} at dimension 0"),
        ));
    }
    let count = numbers.len();
    let numbers = Tensor::from_slice_with(&numbers, [count], weight.device())?;
    let rows = weight.index_select(0, &numbers)?;
    let norms = rows.to(DType::F64)?.norm_dim(norm_type, 1, true)?;
    let scale = norms.add(1e-7)?.reciprocal()?.mul(max_norm)?;
    let scale = scale.where_self(&norms.gt(max_norm)?, 1.0)?;
    weight.index_copy_(0, &numbers, &rows.mul(&scale)?.to(weight.dtype())?)?;
    Ok(())
}

/// Ones at the places that `input` names: `[*]` to `[*, num_classes]`, int64; -1 classes are as many as needed.
///
/// # Errors
/// Negative numbers, numbers beyond the classes, other dtypes than int64.
///
/// ```
/// use firebrick::nn::functional as F;
/// use firebrick::prelude::*;
/// let hot = F::one_hot(&Tensor::new([0i64, 2])?, -1)?;
/// assert_eq!(hot.to_vec::<i64>()?, [1, 0, 0, 0, 0, 1]);
/// # Ok::<_, firebrick::Error>(())
/// ```
pub fn one_hot(input: &Tensor, num_classes: i64) -> Result<Tensor> {
    input.one_hot(num_classes)
}
