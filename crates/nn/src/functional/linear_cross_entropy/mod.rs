//! Cross entropy of logits that a linear map makes, in one step.

mod chunked;
mod options;

pub use options::{AccPolicy, ChunkingMethod, LinearCrossEntropyOptions};

use crate::options::options as options_of;
use crate::warn;
use firebrick_core::autograd::is_grad_enabled;
use firebrick_core::text::{Repr, python_float, python_tuple};
use firebrick_core::{DType, Error, Reduction, Result, Tensor};

const OP: &str = "linear_cross_entropy";

options_of! {
    /// What [`linear_cross_entropy_with`] takes by keyword; PyTorch's defaults unless set.
    ///
    /// ```
    /// use firebrick::nn::functional::{self as F, LinearCrossEntropyCall, LinearCrossEntropyOptions};
    /// use firebrick::prelude::*;
    /// let (x, w) = (Tensor::new([[2.0f32, 1.0], [0.0, 1.0]])?, Tensor::new([[1.0f32, 0.0], [0.0, 1.0], [1.0, 1.0]])?);
    /// let y = Tensor::new([0i64, 2])?;
    /// let of = |call: LinearCrossEntropyCall<'_>| Ok::<_, Error>(F::linear_cross_entropy_with(&x, &w, &y, &call)?.to_string());
    /// let call = LinearCrossEntropyCall::new;
    /// assert_eq!(of(call())?, "tensor(1.1348)");
    /// assert_eq!(of(call().reduction(nn::Reduction::None))?, "tensor([1.4076, 0.8620])");
    /// assert_eq!(of(call().linear_bias(&Tensor::new([1.0f32, 0.0, 0.0])?))?, "tensor(0.9286)");
    /// assert_eq!(of(call().weight(&Tensor::new([1.0f32, 1.0, 3.0])?))?, "tensor(0.9984)");
    /// assert_eq!(of(call().label_smoothing(0.5))?, "tensor(1.2181)");
    /// assert_eq!(of(call().ignore_index(Some(2)))?, "tensor(1.4076)");
    /// let rows = LinearCrossEntropyOptions::new().batch_chunk_size(1)?;
    /// assert_eq!(of(call().options(Some(rows)))?, "tensor(1.1348)");
    /// # Ok::<_, firebrick::Error>(())
    /// ```
    LinearCrossEntropyCall [
        /// What the linear map adds: `[C]`, or `[C, d_1, ..., d_K]`.
        linear_bias,
        /// A weight for each class: `[C]`.
        weight,
    ] {
        /// What becomes of the losses of a batch.
        reduction: Reduction = Reduction::Mean,
        /// The class that counts nothing, -100 if there is none; not to be set where targets are probabilities.
        ignore_index: Option<i64> = None,
        /// The share of the probability that is spread over all classes.
        label_smoothing: f64 = 0.0,
        /// How the batch is cut into chunks, if it is.
        options: Option<LinearCrossEntropyOptions> = None,
    }
}

/// Cross entropy of the logits `x W^T` and classes, or class probabilities: the mean of the batch.
///
/// The same as [`linear`](super::linear) followed by [`cross_entropy`](super::cross_entropy), with the sizes of the weight
/// between its first and its last as further dimensions of the loss.
///
/// # Shapes
/// Input `[N, F]` or `[F]`; weight `[C, F]`, or `[C, d_1, ..., d_K, F]` for an input with `N`; classes `[N, d_1, ..., d_K]`, or
/// probabilities `[N, C, d_1, ..., d_K]`, without `N` where the input has none.
///
/// # Errors
/// Sizes or dtypes that do not fit; a class out of range.
///
/// ```
/// use firebrick::nn::functional as F;
/// use firebrick::prelude::*;
/// let (x, weight) = (Tensor::ones([1, 3])?, Tensor::zeros([2, 3])?);
/// let loss = F::linear_cross_entropy(&x, &weight, &Tensor::new([1i64])?)?.item::<f32>()?;
/// assert!((loss - 2f32.ln()).abs() < 1e-6);
/// # Ok::<_, firebrick::Error>(())
/// ```
pub fn linear_cross_entropy(input: &Tensor, linear_weight: &Tensor, target: &Tensor) -> Result<Tensor> {
    linear_cross_entropy_with(input, linear_weight, target, &LinearCrossEntropyCall::new())
}

/// [`linear_cross_entropy`] with a bias, class weights, an ignored class, smoothed labels, another reduction, or in chunks.
///
/// In chunks ([`LinearCrossEntropyOptions`]) a mean or a sum computes its gradients on the way forward, and losses of single
/// samples compute the logits again on the way back. Neither can be differentiated twice. Chunks are only for weights `[C, F]`,
/// classes in int64 or probabilities of the input's dtype that want no gradient, and labels that are not smoothed; there is a
/// warning otherwise, and no chunks. Unlike PyTorch 2.15, chunks refuse a batch of more targets than inputs, as the
/// other way does.
///
/// # Errors
/// As [`linear_cross_entropy`]; a smoothing outside `[0, 1]`; an ignored class beside probabilities; options that contradict
/// each other.
///
/// ```
/// use firebrick::nn::functional::{self as F, LinearCrossEntropyCall, LinearCrossEntropyOptions};
/// use firebrick::prelude::*;
/// let (x, weight) = (Tensor::ones([4, 3])?, Tensor::zeros([2, 3])?);
/// let options = LinearCrossEntropyOptions::new().batch_chunk_size(2)?;
/// let call = LinearCrossEntropyCall::new().options(Some(options)).reduction(nn::Reduction::Sum);
/// let loss = F::linear_cross_entropy_with(&x, &weight, &Tensor::new([0i64, 1, 1, 0])?, &call)?;
/// assert!((loss.item::<f32>()? - 4.0 * 2f32.ln()).abs() < 1e-5);
/// # Ok::<_, firebrick::Error>(())
/// ```
pub fn linear_cross_entropy_with(
    input: &Tensor,
    linear_weight: &Tensor,
    target: &Tensor,
    call: &LinearCrossEntropyCall<'_>,
) -> Result<Tensor> {
    check(input, linear_weight, call)?;
    let (rows, sizes) = (input.shape(), linear_weight.shape());
    let (features, inner) = (sizes[sizes.len() - 1], &sizes[..sizes.len() - 1]);
    let logits_shape: Vec<usize> = rows[..rows.len() - 1].iter().chain(inner).copied().collect();
    let probabilities = target.shape()[..] == logits_shape[..];
    if probabilities && call.ignore_index.is_some() {
        let text = "ignore_index cannot be specified when target contains probabilities";
        return Err(Error::runtime(OP, text));
    }
    if let Some(options) = &call.options {
        if chunks_apply(input, inner, target, probabilities, call) {
            return chunked::run(input, linear_weight, target, call, options);
        }
        warn_of_ignoring(&inner[1..], target, call);
    }
    let classes = inner.iter().product::<usize>() as i64;
    let (weight, bias) = match inner.len() {
        1 => (linear_weight.clone(), call.linear_bias.cloned()),
        _ => (
            linear_weight.reshape([classes, features as i64])?,
            call.linear_bias.map(|bias| bias.reshape([classes])).transpose()?,
        ),
    };
    let logits = input.linear(&weight, bias.as_ref())?.reshape(&logits_shape[..])?;
    let ignored = call.ignore_index.unwrap_or(-100);
    logits.cross_entropy(target, call.weight, ignored, call.reduction, call.label_smoothing)
}

/// PyTorch's checks, in its order.
fn check(input: &Tensor, linear_weight: &Tensor, call: &LinearCrossEntropyCall<'_>) -> Result<()> {
    let refuse = |text: String| Err(Error::runtime(OP, text));
    let (rows, sizes) = (input.shape(), linear_weight.shape());
    if !matches!(rows.len(), 1 | 2) {
        return refuse(format!("expected input with dimensionality 1 or 2, got {}", rows.len()));
    }
    if sizes.len() < 2 {
        return refuse(format!("expected linear_weight with dimensionality at least 2, got {}", sizes.len()));
    }
    let ([.., features], [inner @ .., last]) = (&rows[..], &sizes[..]) else { return Ok(()) };
    if features != last {
        let text = "expected equal input and linear_weight last dimensions (in_features), got";
        return refuse(format!("{text} {features} and {last}, respectively"));
    }
    match call.linear_bias.map(|bias| bias.shape()) {
        Some(shape) if shape[..] != *inner => {
            let (expected, got) = (python_tuple(inner), python_tuple(&shape[..]));
            return refuse(format!("expected linear_bias shape {expected}, got {got}"));
        }
        _ => {}
    }
    if inner.len() > 1 && rows.len() == 1 {
        let (sizes, rows) = (python_tuple(&sizes[..]), python_tuple(&rows[..]));
        return refuse(format!(
            "K-dimensional loss defined by linear_weight shape {sizes} requires batched input, (N, {features}), got unbatched input with shape {rows}"
        ));
    }
    Ok(())
}

/// Can the loss be computed in chunks?
fn chunks_apply(
    input: &Tensor,
    inner: &[usize],
    target: &Tensor,
    probabilities: bool,
    call: &LinearCrossEntropyCall<'_>,
) -> bool {
    let wants_grad = target.requires_grad() && is_grad_enabled();
    let soft = probabilities && target.dtype() == input.dtype() && !wants_grad;
    inner.len() == 1 && call.label_smoothing == 0.0 && (target.dtype() == DType::I64 || soft)
}

/// PyTorch's warning about options that are of no use.
fn warn_of_ignoring(out_features: &[usize], target: &Tensor, call: &LinearCrossEntropyCall<'_>) {
    let bias = call.linear_bias.map_or("None".to_owned(), |bias| python_tuple(&bias.shape()[..]));
    warn(&format!(
        "linear_cross_entropy: ``options`` ignored; chunked path needs reduction in {{'mean','sum','none'}}, label_smoothing == 0, target.dtype == int64 (or a probability target with dtype matching input and requires_grad == False), out_features == (). Got reduction='{}', label_smoothing={}, target.dtype={}, out_features={}, tracing=False, target.requires_grad={}, linear_bias.shape={bias}.",
        call.reduction.name(),
        python_float(call.label_smoothing),
        target.dtype(),
        python_tuple(out_features),
        target.requires_grad().repr(),
    ));
}
