//! Negative log likelihood, and cross entropy on top of it.

use super::Reduction;
use crate::backend::{self, Nll};
use crate::ops::elementwise::mixed_devices;
use crate::ops::sample::{self, ANY, Sample, Trait};
use crate::ops::{by_hand, ops};
use crate::{Body, DType, Dims, Error, Result, Tensor};

fn refuse<T>(text: String) -> Result<T> {
    Err(Error::runtime("nll_loss", text))
}

/// The sizes of a loss over `[C]`, `[N, C]` or `[N, C, H, W]`, after all of PyTorch's checks.
fn resolve(
    x: &Tensor,
    target: &Tensor,
    weight: Option<&Tensor>,
    ignore_index: i64,
    reduction: Reduction,
) -> Result<Nll> {
    let (sx, st) = (x.shape(), target.shape());
    for other in [Some(target), weight].into_iter().flatten() {
        if other.device() != x.device() {
            return Err(mixed_devices("nll_loss", x.device(), other.device()));
        }
    }
    if !x.is_floating_point() {
        let name = x.dtype().scalar_name();
        return Err(Error::not_implemented("nll_loss", format!("\"nll_loss_out_frame\" not implemented for '{name}'")));
    }
    if !matches!(target.dtype(), DType::I64 | DType::U8) {
        let name = target.dtype().scalar_name();
        return refuse(format!("expected target dtype to be Long or Byte, but got {name}"));
    }
    if sx.len() == 4 {
        if st.len() != 3 {
            return refuse(format!(
                "only batches of spatial targets supported (3D tensors) but got targets of dimension: {}",
                st.len()
            ));
        }
        if st[0] != sx[0] || st[1..] != sx[2..] {
            return refuse(format!("size mismatch (got input: {sx:?} , target: {st:?}"));
        }
    } else {
        if st.len() > 1 {
            return refuse("0D or 1D target tensor expected, multi-target not supported".into());
        }
        let fits = if sx.len() == 1 { st.numel() == 1 } else { st.len() == 1 && st[0] == sx[0] };
        if !fits {
            return refuse(format!("size mismatch (got input: {sx:?}, target: {st:?})"));
        }
    }
    let classes = if sx.len() == 1 { sx[0] } else { sx[1] };
    if let Some(weight) = weight {
        if weight.shape() != [classes] {
            return refuse(format!(
                "weight tensor should be defined either for all {classes} classes or no classes but got weight tensor of shape: {:?}",
                weight.shape()
            ));
        }
        if weight.dtype() != x.dtype() {
            let (want, got) = (x.dtype().scalar_name(), weight.dtype().scalar_name());
            return refuse(format!("expected scalar type {want} but found {got}"));
        }
    }
    Ok(Nll {
        batch: if sx.len() == 1 { 1 } else { sx[0] },
        classes,
        places: if sx.len() == 4 { sx[2] * sx[3] } else { 1 },
        ignore_index,
        reduction: reduction.into(),
    })
}

impl From<Reduction> for backend::LossReduction {
    fn from(reduction: Reduction) -> Self {
        match reduction {
            Reduction::None => Self::None,
            Reduction::Mean => Self::Mean,
            Reduction::Sum => Self::Sum,
        }
    }
}

/// Contiguous, in the dtype that kernels compute in.
fn dense(x: &Tensor) -> Result<Body> {
    let dtype = if x.dtype() == DType::F64 { DType::F64 } else { DType::F32 };
    Ok(x.detach().to(dtype)?.contiguous()?.body())
}

/// The loss and the sum of the weights it was divided by.
fn forward(
    x: &Tensor,
    target: &Tensor,
    weight: Option<&Tensor>,
    ignore_index: i64,
    reduction: Reduction,
) -> Result<(Tensor, Tensor)> {
    let nll = resolve(x, target, weight, ignore_index, reduction)?;
    let shape = match reduction {
        Reduction::None => target.shape(),
        _ => Dims::new(),
    };
    let shape = if reduction == Reduction::None && x.dim() == 1 { Dims::new() } else { shape };
    let body = dense(x)?;
    let out = Body::alloc(shape, body.dtype, body.device())?;
    let total = Body::alloc(Dims::new(), body.dtype, body.device())?;
    let target = target.to(DType::I64)?.contiguous()?.body();
    let weight = weight.map(dense).transpose()?;
    backend::of(body.device())?.nll_forward(&nll, &body, &target, weight.as_ref(), &out, &total)?;
    Ok((Tensor::from_body(out).to(x.dtype())?, Tensor::from_body(total)))
}

/// The gradient of the loss in its input of `shape`.
fn backward(
    g: &Tensor,
    target: &Tensor,
    weight: Option<&Tensor>,
    total: &Tensor,
    shape: &Dims,
    (ignore_index, reduction): (i64, Reduction),
) -> Result<Tensor> {
    let like = Tensor::from_body(g.body().view(shape.clone(), Dims::repeat(0, shape.len()), 0));
    let nll = resolve(&like, target, weight, ignore_index, reduction)?;
    let grad = dense(g)?;
    let out = Body::zeros(shape.clone(), grad.dtype, grad.device())?;
    let target = target.to(DType::I64)?.contiguous()?.body();
    let weight = weight.map(dense).transpose()?;
    backend::of(grad.device())?.nll_backward(&nll, &grad, &target, weight.as_ref(), &total.body(), &out)?;
    Tensor::from_body(out).to(g.dtype())
}

/// Samples over two sizes of input, with weights and an ignored class.
fn samples(
    spatial: bool,
    f: impl Fn(&Tensor, &Tensor, &Tensor) -> Result<Tensor> + Clone + Send + Sync + 'static,
) -> Result<Vec<Sample>> {
    let sample = |traits: Trait, batch: usize| -> Result<Sample> {
        let (shape, places): (&[usize], usize) =
            if spatial { (&[batch, 3, 1, 2], 2 * batch) } else { (&[batch, 3], batch) };
        let x = if traits == Trait::Strided { ANY.strided(shape, 1)? } else { ANY.tensor(shape, 2)? };
        let classes: Vec<i64> = (0..places as i64).map(|i| [2, 0, 1][i as usize % 3]).collect();
        let target =
            if spatial { Tensor::from_vec(classes, [batch, 1, 2])? } else { Tensor::from_vec(classes, [batch])? };
        let weight = Tensor::new([0.5f64, 2.0, 1.5])?;
        let f = f.clone();
        Ok(sample::one(traits, vec![x], move |x| f(&x[0], &target, &weight)))
    };
    Ok(vec![sample(Trait::Plain, 4)?, sample(Trait::Strided, 3)?, sample(Trait::Empty, 0)?])
}

ops! {
    table: NLL;

    /// The loss of [`Tensor::nll_loss`] over `[C]` or `[N, C]`, and the sum of weights it was divided by.
    fn nll_loss_forward(x, target: tensor, weight: optional; ignore_index: i64, reduction: Reduction) -> (Tensor, Tensor)
        as "NllLossBackward0" {
        forward: forward(x, target, weight, *ignore_index, *reduction),
        saves: [x, target, weight] also [total],
        grads: {
            x: |g| g.nll_loss_backward(target, weight, total, x.shape(), *ignore_index, *reduction),
        },
        samples: samples(false, |x, t, w| Ok(x.nll_loss_forward(t, Some(w), 1, Reduction::Sum)?.0)),
    }

    /// The loss of [`Tensor::nll_loss`] over `[N, C, H, W]`, and the sum of weights it was divided by.
    fn nll_loss2d_forward(x, target: tensor, weight: optional; ignore_index: i64, reduction: Reduction) -> (Tensor, Tensor)
        as "NllLoss2DBackward0" {
        forward: forward(x, target, weight, *ignore_index, *reduction),
        saves: [x, target, weight] also [total],
        grads: {
            x: |g| g.nll_loss_backward(target, weight, total, x.shape(), *ignore_index, *reduction),
        },
        samples: samples(true, |x, t, w| Ok(x.nll_loss2d_forward(t, Some(w), 1, Reduction::None)?.0)),
    }

    /// The gradient of [`Tensor::nll_loss`] in its input of `shape`, from that of the loss.
    fn nll_loss_backward(g, target: tensor, weight: optional, total: tensor; shape: Dims, ignore_index: i64, reduction: Reduction)
        -> Tensor as "NllLossBackwardBackward0" {
        forward: backward(g, target, weight, total, shape, (*ignore_index, *reduction)),
        saves: [target, weight],
        grads: {
            g: |h| Ok(h.nll_loss_forward(target, weight, *ignore_index, *reduction)?.0),
        },
        samples: backward_samples(),
    }
}

fn backward_samples() -> Result<Vec<Sample>> {
    let sample = |traits: Trait, batch: usize| -> Result<Sample> {
        let g = if traits == Trait::Strided { ANY.strided(&[batch], 1)? } else { ANY.tensor(&[batch], 2)? };
        let target = Tensor::from_vec((0..batch as i64).map(|i| i % 3).collect(), [batch])?;
        let (weight, total) = (Tensor::new([0.5f64, 2.0, 1.5])?, sample::zeros(&[])?);
        Ok(sample::one(traits, vec![g], move |g| {
            g[0].nll_loss_backward(&target, Some(&weight), &total, Dims::from([target.numel(), 3]), 1, Reduction::None)
        }))
    };
    Ok(vec![sample(Trait::Plain, 4)?, sample(Trait::Strided, 3)?, sample(Trait::Empty, 0)?])
}

impl Tensor {
    /// Negative log likelihood of the classes in `target`, from log probabilities: `-weight[t] * x[.., t]`.
    ///
    /// A target of `ignore_index` counts nothing; `Reduction::Mean` divides by the weights that counted.
    ///
    /// # Shapes
    /// `[C]` with one class, `[N, C]` with `[N]`, `[N, C, d1, ..]` with `[N, d1, ..]`.
    ///
    /// # Errors
    /// A class out of range, sizes or dtypes that do not fit, in PyTorch's words.
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
        let (sx, st) = (x.shape(), target.shape());
        if sx.is_empty() {
            return Err(Error::value(OP, "Expected 1 or more dimensions (got 0)"));
        }
        if sx.len() != 1 && (st.is_empty() || sx[0] != st[0]) {
            let got = st.first().map_or("none".to_owned(), usize::to_string);
            return Err(Error::value(
                OP,
                format!("Expected input batch_size ({}) to match target batch_size ({got}).", sx[0]),
            ));
        }
        match sx.len() {
            1 | 2 => Ok(x.nll_loss_forward(&target, weight, ignore_index, reduction)?.0),
            4 => Ok(x.nll_loss2d_forward(&target, weight, ignore_index, reduction)?.0),
            _ => {
                let wanted: Dims = std::iter::once(sx[0]).chain(sx[2..].iter().copied()).collect();
                if wanted != st {
                    return refuse(format!("Expected target size {wanted:?}, got {st:?}"));
                }
                let places: usize = sx[2..].iter().product();
                let flat = x.contiguous()?.view([sx[0], sx[1], 1, places])?;
                let target = target.contiguous()?.view([sx[0], 1, places])?;
                let loss = flat.nll_loss2d_forward(&target, weight, ignore_index, reduction)?.0;
                if reduction == Reduction::None { loss.view(&wanted) } else { Ok(loss) }
            }
        }
    }

    /// Cross entropy of the classes in `target` from logits: `nll_loss(log_softmax(x))`. A `target` of `x`'s own shape
    /// and of floating point holds a probability for each class instead.
    ///
    /// With `label_smoothing` s, the wanted probabilities are `(1 - s) * target + s / C`.
    ///
    /// # Shapes
    /// As [`Tensor::nll_loss`].
    ///
    /// # Errors
    /// As [`Tensor::nll_loss`]; a `label_smoothing` outside 0 to 1.
    ///
    /// ```
    /// # use firebrick_core::{Reduction, Tensor};
    /// let logits = Tensor::new([[0.0f32, 0.0]])?;
    /// let loss = logits.cross_entropy(&Tensor::new([1i64])?, None, -100, Reduction::Mean, 0.0)?;
    /// assert!((loss.item::<f32>()? - 2f32.ln()).abs() < 1e-6);
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
        const OP: &str = "cross_entropy";
        let (x, target) = (self.resolve(OP)?, target.resolve(OP)?);
        let error = |text: String| Err(Error::runtime(OP, text));
        let class_dim = i64::from(x.dim() > 1);
        if x.shape() == target.shape() && x.dim() > 0 {
            if !target.is_floating_point() {
                let name = target.dtype().scalar_name();
                return error(format!("Expected floating point type for target with class probabilities, got {name}"));
            }
            if ignore_index >= 0 {
                return error("ignore_index is not supported for floating point target".into());
            }
            check_smoothing(label_smoothing)?;
            return by_probability(&x, &target, weight, reduction, label_smoothing, class_dim);
        }
        check_smoothing(label_smoothing)?;
        let log = x.log_softmax(class_dim)?;
        if label_smoothing > 0.0 {
            return smoothed(&log, &target, weight, ignore_index, reduction, label_smoothing, class_dim);
        }
        log.nll_loss(&target, weight, ignore_index, reduction)
    }
}

fn check_smoothing(label_smoothing: f64) -> Result<()> {
    if (0.0..=1.0).contains(&label_smoothing) {
        return Ok(());
    }
    let text = format!("label_smoothing must be between 0.0 and 1.0. Got: {label_smoothing}");
    Err(Error::runtime("cross_entropy", text))
}

/// The class weights in a shape that broadcasts over the other dimensions of `x`.
fn spread_weight(x: &Tensor, weight: &Tensor, class_dim: i64) -> Result<Tensor> {
    let classes = x.size(class_dim)?;
    if weight.shape() != [classes] {
        return Err(Error::runtime(
            "cross_entropy",
            format!(
                "cross_entropy: weight tensor should be defined either for all {classes} classes or no classes but got weight tensor of shape: {:?}",
                weight.shape()
            ),
        ));
    }
    let mut shape = Dims::repeat(1, x.dim());
    shape[class_dim as usize] = classes;
    weight.reshape(&shape)
}

/// Cross entropy against class probabilities.
fn by_probability(
    x: &Tensor,
    target: &Tensor,
    weight: Option<&Tensor>,
    reduction: Reduction,
    smoothing: f64,
    class_dim: i64,
) -> Result<Tensor> {
    let classes = x.size(class_dim)?;
    let log = x.log_softmax(class_dim)?;
    let target = match smoothing > 0.0 {
        true => target.mul(1.0 - smoothing)?.add(smoothing / classes as f64)?,
        false => target.clone(),
    };
    let mut products = log.mul(&target)?;
    if let Some(weight) = weight {
        products = products.mul(&spread_weight(x, weight, class_dim)?)?;
    }
    match reduction {
        Reduction::None => products.sum_dim(class_dim, false)?.neg(),
        Reduction::Sum => products.sum()?.neg(),
        Reduction::Mean => products.sum()?.neg()?.div((x.numel() / classes.max(1)) as f64),
    }
}

/// Cross entropy against class indices, part of the probability spread over all classes.
fn smoothed(
    log: &Tensor,
    target: &Tensor,
    weight: Option<&Tensor>,
    ignore_index: i64,
    reduction: Reduction,
    smoothing: f64,
    class_dim: i64,
) -> Result<Tensor> {
    let nll = log.nll_loss(target, weight, ignore_index, reduction)?;
    let weighted = match weight {
        Some(weight) => log.mul(&spread_weight(log, weight, class_dim)?)?,
        None => log.clone(),
    };
    let target = if log.dim() == 1 { target.reshape(())? } else { target.clone() };
    let ignored = target.eq(ignore_index)?;
    let spread = weighted.sum_dim(class_dim, false)?.neg()?.masked_fill(&ignored, 0.0)?;
    let spread = match reduction {
        Reduction::None => spread,
        Reduction::Sum => spread.sum()?,
        Reduction::Mean => match weight {
            Some(weight) => {
                // Only the weights of classes that count take part.
                let counted = target.masked_fill(&ignored, 0)?;
                let weights = weight.gather(0, &counted.reshape(-1)?)?.masked_fill(&ignored.reshape(-1)?, 0.0)?;
                spread.sum()?.div(&weights.sum()?)?
            }
            None => {
                let counted = ignored.numel() - ignored.sum()?.item::<i64>()? as usize;
                spread.sum()?.div(counted as f64)?
            }
        },
    };
    let classes = log.size(class_dim)? as f64;
    nll.mul(1.0 - smoothing)?.add(&spread.mul(smoothing / classes)?)
}

by_hand! {
    table: CROSS_ENTROPY;
    nll_loss: samples(false, |x, t, w| x.nll_loss(t, Some(w), 1, Reduction::Sum));
    cross_entropy: {
        let mut all = samples(false, |x, t, w| x.cross_entropy(t, Some(w), 1, Reduction::Sum, 0.0))?;
        all.extend(samples(true, |x, t, w| x.cross_entropy(t, Some(w), 1, Reduction::Mean, 0.2))?.drain(..2));
        let probabilities = |x: &[Tensor]| x[0].cross_entropy(&x[1], None, -100, Reduction::Mean, 0.1);
        all.push(sample::one(Trait::Plain, vec![ANY.tensor(&[2, 3], 8)?, sample::POSITIVE.tensor(&[2, 3], 9)?], probabilities));
        Ok(all)
    };
}
