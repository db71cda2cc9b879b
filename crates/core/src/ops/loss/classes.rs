//! Losses of class scores: negative log likelihood and cross entropy.

use super::Reduction;
use crate::autograd::is_grad_enabled;
use crate::backend::{self, ClassLoss};
use crate::ops::by_hand;
use crate::ops::devices::same_device;
use crate::ops::record_all::{Recorded, Seen};
use crate::ops::sample::{self, ANY, Sample, Trait};
use crate::{Body, DType, Dims, Error, Result, Tensor};
use smallvec::smallvec;

/// The arguments beside scores and classes.
#[derive(Clone, Copy)]
struct Options<'a> {
    weight: Option<&'a Tensor>,
    ignore_index: i64,
    reduction: Reduction,
}

/// Scores as `[n, c, l]`.
fn merged(shape: &Dims) -> [usize; 3] {
    match shape.len() {
        1 => [1, shape[0], 1],
        _ => [shape[0], shape[1], Dims::from_slice(&shape[2..]).numel()],
    }
}

/// The dimension of the classes.
fn class_dim(x: &Tensor) -> i64 {
    i64::from(x.dim() != 1)
}

/// PyTorch's checks, in its order.
fn check(op: &'static str, x: &Tensor, target: &Tensor, options: &Options) -> Result<()> {
    let (shape, classes) = (x.shape(), target.shape());
    same_device(op, [Some(x), Some(target), options.weight].into_iter().flatten().map(Tensor::device))?;
    if shape.is_empty() {
        return Err(Error::value(op, "Expected 1 or more dimensions (got 0)"));
    }
    if shape.len() != 1 && classes.first() != Some(&shape[0]) {
        let got = classes.first().copied().unwrap_or(1);
        let text = format!("Expected input batch_size ({}) to match target batch_size ({got}).", shape[0]);
        return Err(Error::value(op, text));
    }
    match shape.len() {
        1 | 2 => {
            if classes.len() > 1 {
                return Err(Error::runtime(op, "0D or 1D target tensor expected, multi-target not supported"));
            }
            if shape.len() == 1 && classes.numel() != 1 {
                let text =
                    format!("For 1D input, 1D target must have size 1, but got target size: {}", classes.numel());
                return Err(Error::value(op, text));
            }
        }
        4 if classes.len() != 3 => {
            let text = "only batches of spatial targets supported (3D tensors) but got targets of dimension: ";
            return Err(Error::runtime(op, format!("{text}{}", classes.len())));
        }
        4 if classes[1..] != shape[2..] => {
            // PyTorch's sentence lacks the closing bracket.
            return Err(Error::runtime(op, format!("size mismatch (got input: {shape:?} , target: {classes:?}")));
        }
        _ if classes[1..] != shape[2..] => {
            let mut expected = shape.clone();
            expected.remove(1);
            return Err(Error::runtime(op, format!("Expected target size {expected:?}, got {classes:?}")));
        }
        _ => {}
    }
    check_weight(op, x, options.weight)?;
    if !matches!(target.dtype(), DType::I64 | DType::U8) {
        let text = format!("expected target dtype to be Long or Byte, but got {}", target.dtype().scalar_name());
        return Err(Error::runtime(op, text).remedy("convert it with `target.to(DType::I64)`"));
    }
    Ok(())
}

fn check_weight(op: &'static str, x: &Tensor, weight: Option<&Tensor>) -> Result<()> {
    let Some(weight) = weight else { return Ok(()) };
    let classes = x.size(class_dim(x))?;
    if weight.dim() != 1 || weight.numel() != classes {
        return Err(Error::runtime(
            op,
            format!(
                "weight tensor should be defined either for all {classes} classes or no classes but got weight tensor of shape: {:?}",
                weight.shape()
            ),
        ));
    }
    if weight.dtype() != x.dtype() {
        let (expected, found) = (x.dtype().scalar_name(), weight.dtype().scalar_name());
        return Err(Error::runtime(op, format!("expected scalar type {expected} but found {found}")));
    }
    Ok(())
}

/// The loss of scores that are `logits` or log probabilities, in one kernel.
fn class_loss(op: &'static str, logits: bool, x: &Tensor, target: &Tensor, options: Options) -> Result<Tensor> {
    let reduction = options.reduction;
    check(op, x, target, &options)?;
    let shape = merged(&x.shape());
    let [n, _, l] = shape;
    let target_shape = target.shape();
    let target = target.detach().to(DType::I64)?.reshape([n * l])?;
    let loss = ClassLoss {
        logits,
        ignore_index: options.ignore_index,
        weight: options.weight.map(|w| w.detach().contiguous()).transpose()?.map(|w| w.body()),
    };
    // Half precision is summed in single.
    let dtype = if x.dtype().size() == 2 { DType::F32 } else { x.dtype() };
    let rows = |count: usize| Body::zeros(Dims::from_slice(&[count * n * l]), dtype, x.device());
    let (losses, weights, sums) = (rows(1)?, rows(1)?, rows(2)?);
    let (scores, classes) = (flat(x, &shape)?, flat(&target, &[n * l])?);
    backend::of(x.device())?.class_loss(&loss, &scores, &classes, [&losses, &weights, &sums])?;
    let (losses, weights, sums) = (Tensor::from_body(losses), Tensor::from_body(weights), Tensor::from_body(sums));
    let total = weights.sum()?;
    let out = match reduction {
        Reduction::None => losses.reshape(target_shape)?,
        Reduction::Sum => losses.sum()?,
        _ => losses.sum()?.div(&total)?,
    };
    let out = out.to(x.dtype())?;
    let recorded = Recorded {
        name: if x.dim() > 2 { "NllLoss2DBackward0" } else { "NllLossBackward0" },
        inputs: &[Some(x)],
        saved: &[Some(x), Some(&target), Some(&weights), Some(&sums), Some(&total)],
        outputs: &[&out],
        saves_outputs: false,
    };
    recorded.with(move |seen, grads, _| {
        let Some(g) = &grads[0] else { return Ok(smallvec![None]) };
        Ok(smallvec![Some(class_grad(&loss, reduction, g, seen, &shape)?)])
    })?;
    Ok(out)
}

/// The elements in row-major order, without gaps, seen in another shape.
fn flat(x: &Tensor, shape: &[usize]) -> Result<Body> {
    let body = x.detach().contiguous()?.body();
    let shape = Dims::from_slice(shape);
    let strides = shape.contiguous_strides();
    Ok(body.view(shape, strides, body.offset))
}

fn class_grad(loss: &ClassLoss, reduction: Reduction, g: &Tensor, seen: &Seen, shape: &[usize; 3]) -> Result<Tensor> {
    let [Some(x), Some(target), Some(weights), Some(sums), Some(total)] = &seen[..] else { return g.zeros_like() };
    let [n, _, l] = *shape;
    // What the row's gradient with respect to its loss is scaled by.
    let g = g.to(weights.dtype())?;
    let factors = match reduction {
        Reduction::None => g.reshape([n * l])?.mul(weights)?,
        Reduction::Sum => weights.mul(&g)?,
        _ => weights.mul(&g.div(total)?)?,
    };
    // Also where the mean of nothing but ignored rows is NaN.
    let ignored = target.eq(loss.ignore_index)?;
    let factors = factors.masked_fill(&ignored, 0.0)?;
    let full = x.shape();
    if is_grad_enabled() {
        let place = target.masked_fill(&ignored, 0)?.reshape([n, 1, l])?;
        let chosen = x.detach().new_zeros(*shape)?.scatter_value(1, &place, 1.0)?;
        let factors = factors.reshape([n, 1, l])?.to(x.dtype())?;
        let slope = match loss.logits {
            true => x.reshape(*shape)?.softmax(1)?.sub(&chosen)?,
            false => chosen.neg()?,
        };
        return factors.mul(&slope)?.reshape(full);
    }
    let out = Body::alloc(Dims::from_slice(shape), x.dtype(), x.device())?;
    let bodies = (flat(&factors, &[n * l])?, flat(x, shape)?, flat(target, &[n * l])?);
    backend::of(x.device())?.class_loss_grad(loss, &bodies.0, &bodies.1, &bodies.2, &sums.body(), &out)?;
    let strides = full.contiguous_strides();
    Ok(Tensor::from_body(out.view(full, strides, 0)))
}

/// Cross entropy against a probability for each class.
fn against_probabilities(x: &Tensor, target: &Tensor, options: Options, smoothing: f64) -> Result<Tensor> {
    const OP: &str = "cross_entropy_loss";
    if !target.is_floating_point() {
        let text = "Expected floating point type for target with class probabilities, got ";
        return Err(Error::runtime(OP, format!("{text}{}", target.dtype().scalar_name())));
    }
    if options.ignore_index >= 0 {
        return Err(Error::runtime(OP, "ignore_index is not supported for floating point target"));
    }
    check_smoothing(smoothing)?;
    let dim = class_dim(x);
    let input = x.log_softmax(if x.dim() == 0 { 0 } else { dim })?;
    let classes = if x.dim() == 0 { 1 } else { x.size(dim)? };
    let target = match smoothing > 0.0 {
        true => target.mul(1.0 - smoothing)?.add(smoothing / classes as f64)?,
        false => target.clone(),
    };
    let mut product = input.mul(&target)?;
    if let Some(weight) = options.weight {
        check_weight(OP, x, Some(weight))?;
        product = product.mul(&by_class(weight, x)?)?;
    }
    match options.reduction {
        Reduction::None => product.sum_dim(if x.dim() == 0 { 0 } else { dim }, false)?.neg(),
        Reduction::Sum => product.sum()?.neg(),
        _ => product.sum()?.neg()?.div((x.numel() / classes.max(1)) as f64),
    }
}

/// The weights in a shape that broadcasts against the scores.
fn by_class(weight: &Tensor, x: &Tensor) -> Result<Tensor> {
    let mut shape = Dims::repeat(1, x.dim());
    shape[class_dim(x) as usize] = weight.numel();
    weight.reshape(shape)
}

fn check_smoothing(smoothing: f64) -> Result<()> {
    match (0.0..=1.0).contains(&smoothing) {
        true => Ok(()),
        false => Err(Error::runtime(
            "cross_entropy_loss",
            format!("label_smoothing must be between 0.0 and 1.0. Got: {smoothing}"),
        )),
    }
}

/// Cross entropy where `smoothing` of each target is spread over all classes.
///
/// Szegedy et al., *Rethinking the Inception Architecture*, CVPR (2016).
fn smoothed(x: &Tensor, target: &Tensor, options: Options, smoothing: f64) -> Result<Tensor> {
    check_smoothing(smoothing)?;
    let (dim, classes) = (class_dim(x), x.size(class_dim(x))?);
    let input = x.log_softmax(dim)?;
    let nll = class_loss("nll_loss", false, &input, target, options)?;
    let weighted = match options.weight {
        Some(weight) => input.mul(&by_class(weight, x)?)?,
        None => input,
    };
    let ignored = target.eq(options.ignore_index)?;
    let smooth = weighted.sum_dim(dim, false)?.neg()?.masked_fill(&ignored, 0.0)?;
    let smooth = match (options.reduction, options.weight) {
        (Reduction::None, _) => smooth,
        (Reduction::Sum, _) => smooth.sum()?,
        (_, Some(weight)) => {
            let known = target.to(DType::I64)?.masked_fill(&ignored, 0)?.reshape(-1)?;
            let total = weight.detach().gather(0, &known)?.masked_fill(&ignored.reshape(-1)?, 0.0)?.sum()?;
            smooth.sum()?.div(&total)?
        }
        (_, None) => smooth.sum()?.div(&ignored.logical_not()?.sum()?)?,
    };
    nll.mul(1.0 - smoothing)?.add(&smooth.mul(smoothing / classes as f64)?)
}

impl Tensor {
    /// Negative log likelihood of log probabilities `[n, c, ...]` (or `[c]`) for the classes `target` `[n, ...]`:
    /// `-weight[y] x[y]`, where rows of class `ignore_index` count nothing. The mean is over the weights.
    ///
    /// # Errors
    /// Shapes that do not fit; a class that is not there; targets that are not int64 or uint8.
    ///
    /// ```
    /// # use firebrick_core::{Reduction, Tensor};
    /// let x = Tensor::new([[-1.0f32, -2.0], [-3.0, -4.0]])?;
    /// let loss = x.nll_loss(&Tensor::new([0i64, 1])?, None, -100, Reduction::Mean)?;
    /// assert_eq!(loss.item::<f32>()?, 2.5);
    /// # Ok::<_, firebrick_core::Error>(())
    /// ```
    pub fn nll_loss(
        &self,
        target: &Tensor,
        weight: Option<&Tensor>,
        ignore_index: i64,
        reduction: Reduction,
    ) -> Result<Tensor> {
        const OP: &str = "nll_loss";
        let (x, target) = (self.resolve(OP)?, target.resolve(OP)?);
        let weight = weight.map(|w| w.resolve(OP)).transpose()?;
        if x.dim() > 0 && !x.is_floating_point() {
            let text = format!("\"nll_loss_out_frame\" not implemented for '{}'", x.dtype().scalar_name());
            return Err(Error::not_implemented(OP, text));
        }
        class_loss(OP, false, &x, &target, Options { weight: weight.as_ref(), ignore_index, reduction })
    }

    /// Cross entropy of logits `[n, c, ...]` (or `[c]`): [`Tensor::nll_loss`] of [`Tensor::log_softmax`], in one pass.
    ///
    /// A `target` of the logits' shape holds a probability for each class, any other one classes. `label_smoothing` is
    /// the part of each target that is spread over all classes.
    ///
    /// # Errors
    /// As [`Tensor::nll_loss`]; a smoothing outside of 0 to 1.
    ///
    /// ```
    /// # use firebrick_core::{Reduction, Tensor};
    /// let x = Tensor::new([[0.0f64, 0.0]])?;
    /// let loss = x.cross_entropy(&Tensor::new([1i64])?, None, -100, Reduction::Mean, 0.0)?;
    /// assert_eq!(loss.item::<f64>()?, 2f64.ln());
    /// # Ok::<_, firebrick_core::Error>(())
    /// ```
    pub fn cross_entropy(
        &self,
        target: &Tensor,
        weight: Option<&Tensor>,
        ignore_index: i64,
        reduction: Reduction,
        label_smoothing: f64,
    ) -> Result<Tensor> {
        const OP: &str = "cross_entropy_loss";
        let (x, target) = (self.resolve(OP)?, target.resolve(OP)?);
        let weight = weight.map(|w| w.resolve(OP)).transpose()?;
        let options = Options { weight: weight.as_ref(), ignore_index, reduction };
        if x.shape() == target.shape() {
            return against_probabilities(&x, &target, options, label_smoothing);
        }
        if x.dim() > 0 && !x.is_floating_point() {
            // What PyTorch's first step says.
            return x.log_softmax(class_dim(&x));
        }
        if label_smoothing != 0.0 {
            return smoothed(&x, &target, options, label_smoothing);
        }
        class_loss(OP, true, &x, &target, options)
    }
}

/// Scores and classes in several layouts; one row is ignored.
fn samples(f: fn(&Tensor, &Tensor, Option<&Tensor>) -> Result<Tensor>) -> Result<Vec<Sample>> {
    let sample = |traits, x: Tensor, target: Tensor, weighted: bool| {
        let classes = x.shape()[usize::from(x.dim() > 1)];
        sample::one(traits, vec![x], move |x| {
            let weight = Tensor::from_vec((0..classes).map(|c| 0.5 + c as f64).collect(), [classes])?;
            f(&x[0], &target, weighted.then_some(&weight))
        })
    };
    let classes = |list: &[i64], shape: &[usize]| Tensor::from_slice(list, shape);
    Ok(vec![
        sample(Trait::Plain, ANY.tensor(&[4, 3], 1)?, classes(&[2, 0, -100, 1], &[4])?, false),
        sample(Trait::Plain, ANY.tensor(&[4, 3], 2)?, classes(&[2, 0, -100, 1], &[4])?, true),
        sample(Trait::Plain, ANY.tensor(&[2, 3, 4], 3)?, classes(&[2, 0, 0, 1, 1, 2, -100, 0], &[2, 4])?, true),
        sample(Trait::Strided, ANY.strided(&[2, 3], 4)?, classes(&[1, 2], &[2])?, false),
        sample(Trait::Empty, ANY.tensor(&[0, 3], 5)?, classes(&[], &[0])?, false),
    ])
}

by_hand! {
    table: CLASSES;
    nll_loss as "NllLossBackward0": samples(|x, y, w| x.nll_loss(y, w, -100, Reduction::Sum));
    cross_entropy as "NllLossBackward0": {
        let mut all = samples(|x, y, w| x.cross_entropy(y, w, -100, Reduction::Sum, 0.0))?;
        all.extend(samples(|x, y, w| x.cross_entropy(y, w, -100, Reduction::None, 0.2))?);
        all.push(sample::one(Trait::Plain, vec![ANY.tensor(&[4, 3], 6)?], |x| {
            x[0].cross_entropy(&Tensor::new([0i64, 2, -100, 1])?, None, -100, Reduction::Mean, 0.0)
        }));
        let pair = vec![ANY.tensor(&[2, 3], 7)?, sample::POSITIVE.tensor(&[2, 3], 8)?];
        all.push(sample::one(Trait::Plain, pair, |x| x[0].cross_entropy(&x[1], None, -100, Reduction::Mean, 0.1)));
        Ok(all)
    };
}
