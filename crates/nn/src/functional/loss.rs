//! Losses.

use crate::options::options;
use crate::warn;
use firebrick_core::{Error, Reduction, Result, Tensor};

options! {
    /// Options of [`cross_entropy_with`]; PyTorch's defaults unless set.
    ///
    /// ```
    /// use firebrick::nn::functional as F;
    /// use firebrick::prelude::*;
    /// let (x, y) = (Tensor::new([[2.0f32, 0.0], [0.0, 1.0]])?, Tensor::new([0i64, 1])?);
    /// let weight = Tensor::new([1.0f32, 3.0])?;
    /// let options = F::CrossEntropyOptions::new().weight(&weight).label_smoothing(0.5);
    /// assert_eq!(F::cross_entropy_with(&x, &y, &options)?.to_string(), "tensor(0.6809)");
    /// let options = F::CrossEntropyOptions::new().ignore_index(0).reduction(nn::Reduction::Sum);
    /// assert_eq!(F::cross_entropy_with(&x, &y, &options)?.to_string(), "tensor(0.3133)");
    /// # Ok::<_, firebrick::Error>(())
    /// ```
    CrossEntropyOptions [
        /// A weight for each class.
        weight,
    ] {
        /// The class that counts nothing.
        ignore_index: i64 = -100,
        /// What becomes of the losses of a batch.
        reduction: Reduction = Reduction::Mean,
        /// The share of the probability that is spread over all classes.
        label_smoothing: f64 = 0.0,
    }
}

options! {
    /// Options of [`nll_loss_with`]; PyTorch's defaults unless set.
    ///
    /// ```
    /// use firebrick::nn::functional as F;
    /// use firebrick::prelude::*;
    /// let (x, y) = (Tensor::new([[-0.5f32, -1.0], [-2.0, -0.25]])?, Tensor::new([1i64, 0])?);
    /// let weight = Tensor::new([1.0f32, 3.0])?; // (3 * 1 + 1 * 2) / (3 + 1)
    /// assert_eq!(F::nll_loss_with(&x, &y, &F::NLLLossOptions::new().weight(&weight))?.item::<f32>()?, 1.25);
    /// let options = F::NLLLossOptions::new().ignore_index(0).reduction(nn::Reduction::Sum);
    /// assert_eq!(F::nll_loss_with(&x, &y, &options)?.item::<f32>()?, 1.0);
    /// # Ok::<_, firebrick::Error>(())
    /// ```
    NLLLossOptions [
        /// A weight for each class.
        weight,
    ] {
        /// The class that counts nothing.
        ignore_index: i64 = -100,
        /// What becomes of the losses of a batch.
        reduction: Reduction = Reduction::Mean,
    }
}

options! {
    /// Options of losses that compare element with element; PyTorch's defaults unless set.
    LossOptions [
        /// A weight for each element.
        weight,
    ] {
        /// What becomes of the elements' losses.
        reduction: Reduction = Reduction::Mean,
    }
}

options! {
    /// Options of [`binary_cross_entropy_with_logits_with`]; PyTorch's defaults unless set.
    ///
    /// ```
    /// use firebrick::nn::functional as F;
    /// use firebrick::prelude::*;
    /// let (x, y) = (Tensor::zeros([2])?, Tensor::new([1.0f32, 0.0])?);
    /// let (weight, pos_weight) = (Tensor::new([2.0f32, 0.5])?, Tensor::new([3.0f32])?);
    /// let options = F::BCEWithLogitsOptions::new().weight(&weight).pos_weight(&pos_weight);
    /// let losses = F::binary_cross_entropy_with_logits_with(&x, &y, &options.reduction(nn::Reduction::None))?;
    /// assert_eq!(losses.to_string(), "tensor([4.1589, 0.3466])"); // 6 and 0.5 times ln 2
    /// # Ok::<_, firebrick::Error>(())
    /// ```
    BCEWithLogitsOptions [
        /// A weight for each element.
        weight,
        /// The weight of the positive class.
        pos_weight,
    ] {
        /// What becomes of the elements' losses.
        reduction: Reduction = Reduction::Mean,
    }
}

/// Cross entropy of logits `[N, C, *]` and classes `[N, *]`, or probabilities of the logits' shape; the mean of the batch.
///
/// `-ln(softmax(x))[class]`, computed without the loss of precision of the two steps.
///
/// # Errors
/// Sizes or dtypes that do not fit; a class out of range.
///
/// ```
/// use firebrick::nn::functional as F;
/// use firebrick::prelude::*;
/// let loss = F::cross_entropy(&Tensor::zeros([1, 2])?, &Tensor::new([1i64])?)?.item::<f32>()?;
/// assert!((loss - 2f32.ln()).abs() < 1e-6);
/// # Ok::<_, firebrick::Error>(())
/// ```
pub fn cross_entropy(input: &Tensor, target: &Tensor) -> Result<Tensor> {
    cross_entropy_with(input, target, &CrossEntropyOptions::new())
}

/// [`cross_entropy`] with weights, an ignored class, smoothed labels or another reduction.
///
/// # Errors
/// As [`cross_entropy`]; a smoothing outside `[0, 1]`.
///
/// ```
/// use firebrick::nn::functional as F;
/// use firebrick::prelude::*;
/// use firebrick::Reduction;
/// let (logits, target) = (Tensor::new([[0.0f32, 0.0], [0.0, 0.0]])?, Tensor::new([1i64, 0])?);
/// let options = F::CrossEntropyOptions::new().ignore_index(0).reduction(Reduction::None);
/// assert_eq!(F::cross_entropy_with(&logits, &target, &options)?.to_string(), "tensor([0.6931, 0.0000])");
/// # Ok::<_, firebrick::Error>(())
/// ```
pub fn cross_entropy_with(input: &Tensor, target: &Tensor, options: &CrossEntropyOptions<'_>) -> Result<Tensor> {
    let &CrossEntropyOptions { weight, ignore_index, reduction, label_smoothing } = options;
    input.cross_entropy(target, weight, ignore_index, reduction, label_smoothing)
}

/// Negative log likelihood of classes `[N, *]` under log probabilities `[N, C, *]`; the mean of the batch.
///
/// # Errors
/// Sizes or dtypes that do not fit; a class out of range.
///
/// ```
/// use firebrick::nn::functional as F;
/// use firebrick::prelude::*;
/// let loss = F::nll_loss(&Tensor::new([[-0.5f32, -1.0]])?, &Tensor::new([1i64])?)?;
/// assert_eq!(loss.item::<f32>()?, 1.0);
/// # Ok::<_, firebrick::Error>(())
/// ```
pub fn nll_loss(input: &Tensor, target: &Tensor) -> Result<Tensor> {
    nll_loss_with(input, target, &NLLLossOptions::new())
}

/// [`nll_loss`] with weights, an ignored class or another reduction.
///
/// # Errors
/// As [`nll_loss`].
///
/// ```
/// use firebrick::nn::functional as F;
/// use firebrick::prelude::*;
/// use firebrick::Reduction;
/// let (logs, target) = (Tensor::new([[-1.0f32, -2.0], [-3.0, -4.0]])?, Tensor::new([0i64, 1])?);
/// let options = F::NLLLossOptions::new().reduction(Reduction::Sum);
/// assert_eq!(F::nll_loss_with(&logs, &target, &options)?.item::<f32>()?, 5.0);
/// # Ok::<_, firebrick::Error>(())
/// ```
pub fn nll_loss_with(input: &Tensor, target: &Tensor, options: &NLLLossOptions<'_>) -> Result<Tensor> {
    input.nll_loss(target, options.weight, options.ignore_index, options.reduction)
}

/// PyTorch's warning about shapes that broadcast.
fn expect_same_size(input: &Tensor, target: &Tensor) {
    let (input, target) = (input.shape(), target.shape());
    if input != target {
        warn(&format!(
            "Using a target size ({target}) that is different to the input size ({input}). This will likely lead to incorrect results due to broadcasting. Please ensure they have the same size."
        ));
    }
}

/// The losses of the elements, weighted; a mean is divided by `total` where there is one.
fn weighted(
    input: &Tensor,
    losses: &Tensor,
    weight: &Tensor,
    reduction: Reduction,
    total: Option<&Tensor>,
) -> Result<Tensor> {
    if weight.shape() != input.shape() {
        return Err(Error::value("loss", "Weights and input must have the same size.").given(format!(
            "{} and {}",
            weight.shape(),
            input.shape()
        )));
    }
    let losses = losses.mul(weight)?;
    match (reduction, total) {
        (Reduction::None, _) => Ok(losses),
        (Reduction::Sum, _) => losses.sum(),
        (Reduction::Mean, Some(total)) => losses.sum()?.div(&total.sum()?),
        (Reduction::Mean, None) => losses.mean(),
    }
}

macro_rules! errors {
    ($($(#[$doc:meta])* $name:ident, $with:ident;)*) => { $(
        $(#[$doc])*
        ///
        /// Shapes broadcast, with PyTorch's warning.
        ///
        /// # Errors
        /// Shapes that do not broadcast.
        pub fn $name(input: &Tensor, target: &Tensor) -> Result<Tensor> {
            $with(input, target, &LossOptions::new())
        }

        #[doc = concat!("[`", stringify!($name), "`] with weights or another reduction.")]
        ///
        /// A weighted mean is divided by the sum of the weights.
        ///
        /// # Errors
        /// Shapes that do not broadcast; weights of another shape than the input.
        ///
        /// ```
        /// use firebrick::nn::functional as F;
        /// use firebrick::prelude::*;
        /// let (x, y, weight) = (Tensor::new([1.0f32, 2.0])?, Tensor::new([3.0f32, 2.0])?, Tensor::new([3.0f32, 1.0])?);
        #[doc = concat!("let mean = F::", stringify!($name), "(&x, &y)?.item::<f32>()?;")]
        /// let options = F::LossOptions::new().weight(&weight);
        #[doc = concat!("let weighted = F::", stringify!($with), "(&x, &y, &options)?.item::<f32>()?;")]
        /// assert_eq!(weighted, 1.5 * mean); // of the first three quarters rather than half
        /// # Ok::<_, firebrick::Error>(())
        /// ```
        pub fn $with(input: &Tensor, target: &Tensor, options: &LossOptions<'_>) -> Result<Tensor> {
            expect_same_size(input, target);
            let Some(weight) = options.weight else { return input.$name(target, options.reduction) };
            let losses = input.$name(target, Reduction::None)?;
            weighted(input, &losses, weight, options.reduction, Some(weight))
        }
    )* };
}

errors! {
    /// The mean of `(x - y)^2`.
    ///
    /// ```
    /// use firebrick::nn::functional as F;
    /// use firebrick::prelude::*;
    /// let loss = F::mse_loss(&Tensor::new([1.0f32, 2.0])?, &Tensor::new([3.0f32, 2.0])?)?;
    /// assert_eq!(loss.item::<f32>()?, 2.0);
    /// # Ok::<_, firebrick::Error>(())
    /// ```
    mse_loss, mse_loss_with;
    /// The mean of `|x - y|`.
    ///
    /// ```
    /// use firebrick::nn::functional as F;
    /// use firebrick::prelude::*;
    /// let loss = F::l1_loss(&Tensor::new([1.0f32, 2.0])?, &Tensor::new([3.0f32, 2.0])?)?;
    /// assert_eq!(loss.item::<f32>()?, 1.0);
    /// # Ok::<_, firebrick::Error>(())
    /// ```
    l1_loss, l1_loss_with;
}

/// The mean of `(x - y)^2 / 2` where `|x - y| <= 1`, else of `|x - y| - 1 / 2`.
///
/// # Errors
/// Shapes that do not broadcast.
///
/// ```
/// use firebrick::nn::functional as F;
/// use firebrick::prelude::*;
/// let loss = F::huber_loss(&Tensor::new([0.5f32, 3.0])?, &Tensor::zeros([2])?)?;
/// assert_eq!(loss.item::<f32>()?, 1.3125);
/// # Ok::<_, firebrick::Error>(())
/// ```
pub fn huber_loss(input: &Tensor, target: &Tensor) -> Result<Tensor> {
    huber_loss_with(input, target, 1.0, &LossOptions::new())
}

/// [`huber_loss`] that turns linear at `delta`, with weights or another reduction.
///
/// # Errors
/// Shapes that do not broadcast; weights of another shape than the input; a `delta` that is not positive.
///
/// ```
/// use firebrick::nn::functional as F;
/// use firebrick::prelude::*;
/// use firebrick::Reduction;
/// let (x, options) = (Tensor::new([0.5f32, 3.0])?, F::LossOptions::new().reduction(Reduction::None));
/// assert_eq!(F::huber_loss_with(&x, &x.zeros_like()?, 2.0, &options)?.to_vec::<f32>()?, [0.125, 4.0]);
/// # Ok::<_, firebrick::Error>(())
/// ```
pub fn huber_loss_with(input: &Tensor, target: &Tensor, delta: f64, options: &LossOptions<'_>) -> Result<Tensor> {
    expect_same_size(input, target);
    let Some(weight) = options.weight else { return input.huber_loss(target, options.reduction, delta) };
    let losses = input.huber_loss(target, Reduction::None, delta)?;
    weighted(input, &losses, weight, options.reduction, None)
}

/// The mean of `(x - y)^2 / 2` where `|x - y| < 1`, else of `|x - y| - 1 / 2`.
///
/// # Errors
/// Shapes that do not broadcast.
///
/// ```
/// use firebrick::nn::functional as F;
/// use firebrick::prelude::*;
/// let loss = F::smooth_l1_loss(&Tensor::new([0.5f32, 3.0])?, &Tensor::zeros([2])?)?;
/// assert_eq!(loss.item::<f32>()?, 1.3125);
/// # Ok::<_, firebrick::Error>(())
/// ```
pub fn smooth_l1_loss(input: &Tensor, target: &Tensor) -> Result<Tensor> {
    smooth_l1_loss_with(input, target, 1.0, Reduction::Mean)
}

/// [`smooth_l1_loss`] that turns linear at `beta`: `(x - y)^2 / (2 beta)`, else `|x - y| - beta / 2`.
///
/// # Errors
/// Shapes that do not broadcast; a negative `beta`.
///
/// ```
/// use firebrick::nn::functional as F;
/// use firebrick::prelude::*;
/// use firebrick::Reduction;
/// let x = Tensor::new([0.5f32, 3.0])?;
/// assert_eq!(F::smooth_l1_loss_with(&x, &x.zeros_like()?, 2.0, Reduction::None)?.to_vec::<f32>()?, [0.0625, 2.0]);
/// # Ok::<_, firebrick::Error>(())
/// ```
pub fn smooth_l1_loss_with(input: &Tensor, target: &Tensor, beta: f64, reduction: Reduction) -> Result<Tensor> {
    expect_same_size(input, target);
    input.smooth_l1_loss(target, reduction, beta)
}

/// The mean of `-(t ln x + (1 - t) ln(1 - x))` for probabilities `x`; logarithms are no lower than -100.
///
/// # Errors
/// A target of another shape; an input outside `[0, 1]`.
///
/// ```
/// use firebrick::nn::functional as F;
/// use firebrick::prelude::*;
/// let loss = F::binary_cross_entropy(&Tensor::new([0.5f32, 1.0])?, &Tensor::new([1.0f32, 0.0])?)?;
/// assert_eq!(loss.to_string(), "tensor(50.3466)");
/// # Ok::<_, firebrick::Error>(())
/// ```
pub fn binary_cross_entropy(input: &Tensor, target: &Tensor) -> Result<Tensor> {
    binary_cross_entropy_with(input, target, &LossOptions::new())
}

/// [`binary_cross_entropy`] with weights or another reduction.
///
/// # Errors
/// As [`binary_cross_entropy`]; weights that do not broadcast.
///
/// ```
/// use firebrick::nn::functional as F;
/// use firebrick::prelude::*;
/// use firebrick::Reduction;
/// let (x, target) = (Tensor::new([0.5f32, 0.9])?, Tensor::new([1.0f32, 0.0])?);
/// let options = F::LossOptions::new().reduction(Reduction::None);
/// assert_eq!(F::binary_cross_entropy_with(&x, &target, &options)?.to_string(), "tensor([0.6931, 2.3026])");
/// # Ok::<_, firebrick::Error>(())
/// ```
pub fn binary_cross_entropy_with(input: &Tensor, target: &Tensor, options: &LossOptions<'_>) -> Result<Tensor> {
    input.binary_cross_entropy(target, options.weight, options.reduction)
}

/// [`binary_cross_entropy`] of `sigmoid(x)`, without the loss of precision of the two steps.
///
/// # Errors
/// A target of another shape.
///
/// ```
/// use firebrick::nn::functional as F;
/// use firebrick::prelude::*;
/// let loss = F::binary_cross_entropy_with_logits(&Tensor::zeros([2])?, &Tensor::ones([2])?)?.item::<f32>()?;
/// assert!((loss - 2f32.ln()).abs() < 1e-6);
/// # Ok::<_, firebrick::Error>(())
/// ```
pub fn binary_cross_entropy_with_logits(input: &Tensor, target: &Tensor) -> Result<Tensor> {
    binary_cross_entropy_with_logits_with(input, target, &BCEWithLogitsOptions::new())
}

/// [`binary_cross_entropy_with_logits`] with weights or another reduction.
///
/// # Errors
/// A target of another shape; weights that do not broadcast.
///
/// ```
/// use firebrick::nn::functional as F;
/// use firebrick::prelude::*;
/// use firebrick::Reduction;
/// let (x, target) = (Tensor::new([0.0f32, 2.0])?, Tensor::new([1.0f32, 0.0])?);
/// let twice = Tensor::new([2.0f32])?;
/// let options = F::BCEWithLogitsOptions::new().pos_weight(&twice).reduction(Reduction::None);
/// let losses = F::binary_cross_entropy_with_logits_with(&x, &target, &options)?;
/// assert_eq!(losses.to_string(), "tensor([1.3863, 2.1269])");
/// # Ok::<_, firebrick::Error>(())
/// ```
pub fn binary_cross_entropy_with_logits_with(
    input: &Tensor,
    target: &Tensor,
    options: &BCEWithLogitsOptions<'_>,
) -> Result<Tensor> {
    input.binary_cross_entropy_with_logits(target, options.weight, options.pos_weight, options.reduction)
}

/// The reductions of [`kl_div_with`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KLDivReduction {
    /// One that every loss has.
    Of(Reduction),
    /// The sum divided by the size of the batch: the divergence itself.
    BatchMean,
}

impl From<Reduction> for KLDivReduction {
    fn from(reduction: Reduction) -> Self {
        KLDivReduction::Of(reduction)
    }
}

/// The mean over all elements of `t (ln t - x)`, for log probabilities `x` and probabilities `t`.
///
/// # Errors
/// Shapes that do not broadcast.
///
/// ```
/// use firebrick::nn::functional as F;
/// use firebrick::prelude::*;
/// let (x, target) = (Tensor::new([-1.0f32, -1.0])?, Tensor::new([0.5f32, 0.5])?);
/// assert_eq!(F::kl_div(&x, &target)?.to_string(), "tensor(0.1534)");
/// # Ok::<_, firebrick::Error>(())
/// ```
pub fn kl_div(input: &Tensor, target: &Tensor) -> Result<Tensor> {
    kl_div_with(input, target, Reduction::Mean, false)
}

/// [`kl_div`] with another reduction, or a target of log probabilities. A plain mean prints PyTorch's warning.
///
/// # Errors
/// Shapes that do not broadcast.
///
/// ```
/// use firebrick::nn::functional as F;
/// use firebrick::prelude::*;
/// let (x, target) = (Tensor::new([[-1.0f32, -1.0]])?, Tensor::new([[0.5f32, 0.5]])?);
/// assert_eq!(F::kl_div_with(&x, &target, F::KLDivReduction::BatchMean, false)?.to_string(), "tensor(0.3069)");
/// # Ok::<_, firebrick::Error>(())
/// ```
pub fn kl_div_with(
    input: &Tensor,
    target: &Tensor,
    reduction: impl Into<KLDivReduction>,
    log_target: bool,
) -> Result<Tensor> {
    match reduction.into() {
        KLDivReduction::BatchMean => {
            let sum = input.kl_div(target, Reduction::Sum, log_target)?;
            input.shape().first().map_or(Ok(sum.clone()), |&batch| sum.div(batch as f64))
        }
        KLDivReduction::Of(reduction) => {
            if reduction == Reduction::Mean {
                warn(
                    "reduction: 'mean' divides the total loss by both the batch size and the support size.'batchmean' divides only by the batch size, and aligns with the KL div math definition.'mean' will be changed to behave the same as 'batchmean' in the next major release.",
                );
            }
            input.kl_div(target, reduction, log_target)
        }
    }
}
