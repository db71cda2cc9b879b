//! Losses that ask for a margin.

use firebrick_core::amp::autocast_cast as cast;
use firebrick_core::autograd::is_grad_enabled;
use firebrick_core::{DType, Dims, Error, Reduction, Result, Tensor};

/// `x` where the target is 1, and `max(0, margin - x)` where it is -1, for distances `x` of pairs.
///
/// PyTorch's defaults are 1 and the mean.
///
/// # Errors
/// Shapes that do not broadcast.
///
/// ```
/// use firebrick::nn::functional as F;
/// use firebrick::prelude::*;
/// let (x, y) = (Tensor::new([0.25f32, 0.25])?, Tensor::new([1.0f32, -1.0])?);
/// assert_eq!(F::hinge_embedding_loss(&x, &y, 1.0, nn::Reduction::Sum)?.item::<f32>()?, 1.0);
/// # Ok::<_, firebrick::Error>(())
/// ```
pub fn hinge_embedding_loss(input: &Tensor, target: &Tensor, margin: f64, reduction: Reduction) -> Result<Tensor> {
    let (input, target) = (&cast("hinge_embedding_loss", input)?, &cast("hinge_embedding_loss", target)?);
    let zero = input.detach().new_zeros(())?;
    let far = input.rsub(margin, 1)?.clamp_min(0)?;
    let far = Tensor::where_(&target.ne(1)?, far, &zero)?;
    let near = Tensor::where_(&target.ne(-1)?, input, &zero)?;
    reduction.apply(&far.add(&near)?)
}

/// `max(0, margin - y (x1 - x2))`: `x1` is to rank above `x2` where `y` is 1, below it where `y` is -1.
///
/// PyTorch's defaults are 0 and the mean.
///
/// # Errors
/// Tensors of different dimension.
///
/// ```
/// use firebrick::nn::functional as F;
/// use firebrick::prelude::*;
/// let (a, b, y) = (Tensor::new([1.0f32])?, Tensor::new([3.0f32])?, Tensor::new([1i64])?);
/// assert_eq!(F::margin_ranking_loss(&a, &b, &y, 0.5, nn::Reduction::Mean)?.item::<f32>()?, 2.5);
/// # Ok::<_, firebrick::Error>(())
/// ```
pub fn margin_ranking_loss(
    input1: &Tensor,
    input2: &Tensor,
    target: &Tensor,
    margin: f64,
    reduction: Reduction,
) -> Result<Tensor> {
    const OP: &str = "margin_ranking_loss";
    if input1.dim() != input2.dim() || input1.dim() != target.dim() {
        let text = "margin_ranking_loss : All input tensors should have same dimension but got sizes:";
        // PyTorch's sentence ends in a space.
        let sizes = format!("input1: {}, input2: {}, target: {} ", input1.shape(), input2.shape(), target.shape());
        return Err(Error::runtime(OP, format!("{text} {sizes}")));
    }
    let (input1, input2, target) = (&cast(OP, input1)?, &cast(OP, input2)?, &cast(OP, target)?);
    reduction.apply(&target.neg()?.mul(&input1.sub(input2)?)?.add(margin)?.clamp_min(0)?)
}

/// `ln(1 + exp(-y x))` for targets `y` of 1 and -1. PyTorch's default is the mean.
///
/// # Errors
/// Shapes that do not broadcast; a target that requires grad.
///
/// ```
/// use firebrick::nn::functional as F;
/// use firebrick::prelude::*;
/// use firebrick::Reduction;
/// let (x, target) = (Tensor::new([0.0f32, 3.0])?, Tensor::new([1.0f32, -1.0])?);
/// assert_eq!(F::soft_margin_loss(&x, &target, Reduction::None)?.to_string(), "tensor([0.6931, 3.0486])");
/// # Ok::<_, firebrick::Error>(())
/// ```
pub fn soft_margin_loss(input: &Tensor, target: &Tensor, reduction: Reduction) -> Result<Tensor> {
    const OP: &str = "soft_margin_loss";
    if is_grad_enabled() && target.requires_grad() {
        let text = "The function 'soft_margin_loss' is not differentiable with respect to argument 'target'. This input cannot have requires_grad True.";
        return Err(Error::runtime(OP, text).remedy("give it `target.detach()`"));
    }
    let (input, target) = (&cast(OP, input)?, &cast(OP, target)?);
    reduction.apply(&input.mul(target)?.neg()?.exp()?.log1p()?)
}

/// Binary cross entropy of logits `[.., C]` for each of `C` labels, averaged over these.
///
/// PyTorch's defaults are no weights and the mean.
///
/// # Errors
/// Shapes that do not broadcast; an input without dimensions.
///
/// ```
/// use firebrick::nn::functional as F;
/// use firebrick::prelude::*;
/// use firebrick::Reduction;
/// let (x, target) = (Tensor::new([[0.0f32, 3.0]])?, Tensor::new([[1.0f32, 0.0]])?);
/// assert_eq!(F::multilabel_soft_margin_loss(&x, &target, None, Reduction::None)?.to_string(), "tensor([1.8709])");
/// # Ok::<_, firebrick::Error>(())
/// ```
pub fn multilabel_soft_margin_loss(
    input: &Tensor,
    target: &Tensor,
    weight: Option<&Tensor>,
    reduction: Reduction,
) -> Result<Tensor> {
    let absent = target.rsub(1, 1)?.mul(&input.neg()?.logsigmoid()?)?;
    let mut losses = target.mul(&input.logsigmoid()?)?.add(&absent)?.neg()?;
    if let Some(weight) = weight {
        losses = losses.mul(weight)?;
    }
    let Some(&classes) = input.shape().last() else {
        let text = "Dimension specified as -1 but tensor has no dimensions";
        return Err(Error::index("multilabel_soft_margin_loss", text));
    };
    reduction.apply(&losses.sum_dim(input.dim() as i64 - 1, false)?.div(classes as f64)?)
}

/// Samples and classes of `[N, C]` or `[C]`.
fn matrix(op: &'static str, shape: &Dims) -> Result<[usize; 2]> {
    match shape[..] {
        [] => Ok([1, 1]),
        [classes] if classes > 0 => Ok([1, classes]),
        [samples, classes] if classes > 0 => Ok([samples, classes]),
        _ => {
            let text = "Expected non-empty vector or matrix with optional 0-dim batch size, but got:";
            Err(Error::runtime(op, format!("{text} {shape:?}")))
        }
    }
}

/// Refuses dtypes that PyTorch's kernels do not take.
fn check_dtypes(op: &'static str, kernel: &str, input: &Tensor, target: &Tensor) -> Result<()> {
    if target.dtype() != DType::I64 {
        let text = format!("expected scalar type Long but found {}", target.dtype().scalar_name());
        return Err(Error::runtime(op, text).remedy("convert it with `target.to(DType::I64)`"));
    }
    match input.dtype() {
        DType::F32 | DType::F64 => Ok(()),
        other => Err(Error::not_implemented(op, format!("\"{kernel}\" not implemented for '{}'", other.scalar_name()))),
    }
}

/// Are all numbers within `low..high`?
fn within(numbers: &Tensor, low: i64, high: usize) -> Result<bool> {
    numbers.lt(low)?.logical_or(&numbers.ge(high as i64)?)?.any()?.value_or(false).map(|outside| !outside)
}

/// The sum over the other classes of `max(0, margin - x[y] + x[i])^p`, divided by the number of classes.
///
/// PyTorch's defaults are 1, 1, no weights by class and the mean.
///
/// # Shapes
/// Scores `[N, C]` and classes `[N]`, or `[C]` and one class.
///
/// # Errors
/// A `p` other than 1 and 2; sizes or dtypes that do not fit; a class out of range.
///
/// ```
/// use firebrick::nn::functional as F;
/// use firebrick::prelude::*;
/// let (x, y) = (Tensor::new([[0.0f32, 1.0]])?, Tensor::new([0i64])?);
/// assert_eq!(F::multi_margin_loss(&x, &y, 1, 1.0, None, nn::Reduction::Mean)?.item::<f32>()?, 1.0);
/// # Ok::<_, firebrick::Error>(())
/// ```
pub fn multi_margin_loss(
    input: &Tensor,
    target: &Tensor,
    p: i64,
    margin: f64,
    weight: Option<&Tensor>,
    reduction: Reduction,
) -> Result<Tensor> {
    const OP: &str = "multi_margin_loss";
    let (input, weight) = (&cast(OP, input)?, weight.map(|weight| cast(OP, weight)).transpose()?);
    let weight = weight.as_ref();
    if !(1..=2).contains(&p) {
        return Err(Error::value(OP, "only p == 1 and p == 2 supported").given(p.to_string()));
    }
    if weight.is_some_and(|weight| weight.dim() != 1) {
        return Err(Error::value(OP, "weight must be one-dimensional"));
    }
    let [n, classes] = matrix(OP, &input.shape())?;
    if target.dim() > 1 || target.numel() != n {
        let text = "target tensor should be 1-D with size equal to the number of input samples (batch size).";
        let sizes =
            format!("Expected target size [{n}], but got {:?}. Input has shape {:?}.", target.shape(), input.shape());
        return Err(Error::runtime(OP, format!("{OP}: {text} {sizes}")));
    }
    if let Some(weight) = weight.filter(|weight| weight.numel() != classes) {
        let text = format!("inconsistent weight size, expected {classes} but got {:?}", weight.shape());
        return Err(Error::runtime(OP, text));
    }
    check_dtypes(OP, "multi_margin_loss_cpu_kernel", input, target)?;
    if let Some(weight) = weight.filter(|weight| weight.dtype() != input.dtype()) {
        let (expected, found) = (input.dtype().scalar_name(), weight.dtype().scalar_name());
        return Err(Error::runtime(OP, format!("expected scalar type {expected} but found {found}")));
    }
    if !within(target, 0, classes)? {
        return Err(Error::runtime(OP, "target out of range").expected(format!("0 to {}", classes - 1)));
    }
    let (x, y) = (input.reshape([n, classes])?, target.reshape([n, 1])?);
    let mut losses = x.sub(&x.gather(1, &y)?)?.add(margin)?.relu()?;
    if p == 2 {
        losses = losses.square()?;
    }
    if let Some(weight) = weight {
        losses = losses.mul(&weight.index_select(0, &y.reshape([n])?)?.reshape([n, 1])?)?;
    }
    let own = y.new_zeros([n, classes])?.to(DType::Bool)?.scatter_value(1, &y, true)?;
    by_sample(&losses.masked_fill(&own, 0)?.sum_dim(1, false)?.div(classes as f64)?, &target.shape(), reduction)
}

/// The losses of the samples, in `shape`, or reduced; the mean of none is zero, as in PyTorch.
fn by_sample(losses: &Tensor, shape: &Dims, reduction: Reduction) -> Result<Tensor> {
    match reduction {
        Reduction::None => losses.reshape(shape),
        Reduction::Mean if losses.numel() == 0 => losses.sum(),
        _ => reduction.apply(losses),
    }
}

/// The sum over wanted classes `j` and others `i` of `max(0, 1 - x[j] + x[i])`, divided by the number of classes.
///
/// The wanted classes of a sample are those before the first -1 in its row of targets. PyTorch's default is the mean.
///
/// # Shapes
/// Scores and targets `[N, C]` or `[C]`.
///
/// # Errors
/// Sizes or dtypes that do not fit; a class out of range.
///
/// ```
/// use firebrick::nn::functional as F;
/// use firebrick::prelude::*;
/// let (x, y) = (Tensor::new([0.5f32, 0.0, 1.0])?, Tensor::new([2i64, -1, -1])?);
/// assert_eq!(F::multilabel_margin_loss(&x, &y, nn::Reduction::Mean)?.item::<f32>()?, 0.5 / 3.0);
/// # Ok::<_, firebrick::Error>(())
/// ```
pub fn multilabel_margin_loss(input: &Tensor, target: &Tensor, reduction: Reduction) -> Result<Tensor> {
    const OP: &str = "multilabel_margin_loss";
    let input = &cast(OP, input)?;
    let shape = input.shape();
    let [n, classes] = matrix(OP, &shape)?;
    let fits = if shape.is_empty() { target.dim() <= 1 && target.numel() == 1 } else { target.shape() == shape };
    if !fits {
        let text = format!("inconsistent target size: {:?} for input of size: {shape:?}", target.shape());
        return Err(Error::runtime(OP, text));
    }
    check_dtypes(OP, "multilabel_margin_loss_forward_out_frame", input, target)?;
    if !within(target, -1, classes)? {
        return Err(
            Error::runtime(OP, "argument #2 'target' is out of range").expected(format!("-1 to {}", classes - 1))
        );
    }
    let (x, y) = (input.reshape([n, classes])?, target.reshape([n, classes])?);
    let listed = y.ge(0)?.to(DType::I64)?.cumprod(1)?;
    let places = y.mul(&listed)?;
    let wanted = listed.zeros_like()?.scatter_add(1, &places, &listed)?.gt(0)?;
    let others = listed.eq(0)?.unsqueeze(2)?.logical_or(&wanted.unsqueeze(1)?)?;
    let short = x.unsqueeze(1)?.sub(&x.gather(1, &places)?.unsqueeze(2)?)?.add(1)?.relu()?;
    let losses = short.masked_fill(&others, 0)?.sum_dim([1, 2], false)?.div(classes as f64)?;
    let by_row = Dims::from_slice(&shape[..shape.len().saturating_sub(1)]);
    by_sample(&losses, &by_row, reduction)
}
