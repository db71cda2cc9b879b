//! Losses that compare element with element.

use super::Reduction;
use crate::ops::sample::{self, ANY, Domain, POSITIVE, Sample, Trait};
use crate::ops::{by_hand, ops};
use crate::{Error, Result, Tensor};

/// Samples of a loss between an input and a target of one shape.
fn pairs(
    (x, y): (Domain, Domain),
    f: impl Fn(&Tensor, &Tensor, Reduction) -> Result<Tensor> + Clone + Send + Sync + 'static,
) -> Result<Vec<Sample>> {
    let call = |reduction: Reduction| {
        let f = f.clone();
        move |t: &[Tensor]| f(&t[0], &t[1], reduction)
    };
    Ok(vec![
        sample::one(Trait::Plain, vec![x.tensor(&[2, 3], 1)?, y.tensor(&[2, 3], 2)?], call(Reduction::Mean)),
        sample::one(Trait::Strided, vec![x.strided(&[3, 2], 3)?, y.strided(&[3, 2], 4)?], call(Reduction::Sum)),
        sample::one(Trait::Empty, vec![x.tensor(&[2, 0], 5)?, y.tensor(&[2, 0], 6)?], call(Reduction::None)),
        sample::one(Trait::ZeroDim, vec![x.tensor(&[], 7)?, y.tensor(&[], 8)?], call(Reduction::None)),
    ])
}

const PROBABILITY: Domain = Domain { low: 0.15, high: 0.85 };

/// Reduces what `loss` makes of the two, outside any graph.
fn reduced(
    x: &Tensor,
    y: &Tensor,
    reduction: Reduction,
    loss: impl Fn(&Tensor, &Tensor) -> Result<Tensor>,
) -> Result<Tensor> {
    reduction.apply(&loss(&x.detach(), &y.detach())?)
}

/// The difference, and its size.
fn distance(x: &Tensor, y: &Tensor) -> Result<(Tensor, Tensor)> {
    let difference = x.sub(y)?;
    let size = difference.abs()?;
    Ok((difference, size))
}

/// Quadratic within `delta`, linear beyond: `quadratic * d^2` and `linear * (|d| - delta / 2)`.
fn bent(x: &Tensor, y: &Tensor, delta: f64, quadratic: f64, linear: f64) -> Result<Tensor> {
    let (difference, size) = distance(x, y)?;
    let near = difference.mul(&difference)?.mul(quadratic)?;
    let far = size.sub(0.5 * delta)?.mul(linear)?;
    near.where_self(&size.lt(delta)?, &far)
}

/// The slope of [`bent`].
fn bent_slope(x: &Tensor, y: &Tensor, delta: f64, quadratic: f64, linear: f64) -> Result<Tensor> {
    let (difference, size) = distance(x, y)?;
    let near = difference.mul(2.0 * quadratic)?;
    near.where_self(&size.lt(delta)?, &difference.sign()?.mul(linear)?)
}

fn same_size(op: &'static str, x: &Tensor, target: &Tensor) -> Result<()> {
    if x.shape() == target.shape() {
        return Ok(());
    }
    let text = match op {
        "binary_cross_entropy" => format!(
            "Using a target size ({}) that is different to the input size ({}) is deprecated. Please ensure they have the same size.",
            target.shape(),
            x.shape()
        ),
        _ => format!("Target size ({}) must be the same as input size ({})", target.shape(), x.shape()),
    };
    Err(Error::value(op, text))
}

/// `(1 - t) * x - log_weight * logsigmoid(x)` with `log_weight = 1 + (pos_weight - 1) * t`, times `weight`.
fn logits_loss(x: &Tensor, t: &Tensor, weight: Option<&Tensor>, pos_weight: Option<&Tensor>) -> Result<Tensor> {
    let mut log = x.logsigmoid()?;
    if let Some(pos) = pos_weight {
        log = log.mul(&pos.detach().sub(1.0)?.mul(t)?.add(1.0)?)?;
    }
    let loss = t.neg()?.add(1.0)?.mul(x)?.sub(&log)?;
    match weight {
        Some(weight) => loss.mul(weight.detach()),
        None => Ok(loss),
    }
}

/// The slopes of [`logits_loss`] in `x` and in `t`.
fn logits_slopes(
    x: &Tensor,
    t: &Tensor,
    weight: Option<&Tensor>,
    pos_weight: Option<&Tensor>,
    in_target: bool,
) -> Result<Tensor> {
    let slope = match (in_target, pos_weight) {
        (false, None) => x.sigmoid()?.sub(t)?,
        (false, Some(pos)) => {
            let positive = pos.mul(t)?;
            positive.sub(t)?.add(1.0)?.mul(&x.sigmoid()?)?.sub(&positive)?
        }
        (true, None) => x.neg()?,
        (true, Some(pos)) => x.neg()?.logsigmoid()?.sub(&pos.mul(&x.logsigmoid()?)?)?,
    };
    match weight {
        Some(weight) => slope.mul(weight),
        None => Ok(slope),
    }
}

/// `-(t log x + (1 - t) log(1 - x))`, logarithms no lower than -100, times `weight`.
fn probability_loss(x: &Tensor, t: &Tensor, weight: Option<&Tensor>) -> Result<Tensor> {
    let inside = x.ge(0.0)?.logical_and(&x.le(1.0)?)?.all()?.item::<bool>()?;
    if !inside {
        return Err(Error::runtime("binary_cross_entropy", "all elements of input should be between 0 and 1"));
    }
    let one = t.mul(&x.log()?.clamp_min(-100.0)?)?;
    let other = t.neg()?.add(1.0)?.mul(&x.neg()?.log1p()?.clamp_min(-100.0)?)?;
    let loss = one.add(&other)?.neg()?;
    match weight {
        Some(weight) => loss.mul(weight.detach()),
        None => Ok(loss),
    }
}

fn check_positive(op: &'static str, text: &'static str, bad: bool) -> Result<()> {
    if bad { Err(Error::runtime(op, text)) } else { Ok(()) }
}

ops! {
    table: PAIRS;

    /// Squared error: `(x - y)^2`, reduced. Shapes broadcast.
    fn mse_loss(x, y: tensor; reduction: Reduction) -> Tensor as "MseLossBackward0" {
        forward: reduced(x, y, *reduction, |x, y| {
            let difference = x.sub(y)?;
            difference.mul(&difference)
        }),
        saves: [x, y],
        grads: {
            x: |g| g.mul(&reduction.spread(&x.sub(y)?.mul(2.0)?, x.sub(y)?.numel())?),
            y: |g| g.mul(&reduction.spread(&y.sub(x)?.mul(2.0)?, y.sub(x)?.numel())?),
        },
        samples: pairs((ANY, POSITIVE), |x, y, r| x.mse_loss(y, r)),
    }

    /// `(x - y)^2 / (2 beta)` where `|x - y| < beta`, else `|x - y| - beta / 2`, reduced.
    fn smooth_l1_loss(x, y: tensor; reduction: Reduction, beta: f64) -> Tensor as "SmoothL1LossBackward0" {
        forward: check_positive("smooth_l1_loss", "smooth_l1_loss does not support negative values for beta.", *beta < 0.0)
            .and_then(|()| reduced(x, y, *reduction, |x, y| match *beta {
                0.0 => x.sub(y)?.abs(),
                beta => bent(x, y, beta, 0.5 / beta, 1.0),
            })),
        saves: [x, y],
        grads: {
            x: |g| g.mul(&reduction.spread(&bent_slope(x, y, *beta, 0.5 / beta, 1.0)?, x.sub(y)?.numel())?),
            y: |g| g.mul(&reduction.spread(&bent_slope(y, x, *beta, 0.5 / beta, 1.0)?, x.sub(y)?.numel())?),
        },
        samples: pairs((ANY, POSITIVE), |x, y, r| x.smooth_l1_loss(y, r, 0.9)),
    }

    /// `(x - y)^2 / 2` where `|x - y| <= delta`, else `delta * (|x - y| - delta / 2)`, reduced.
    fn huber_loss(x, y: tensor; reduction: Reduction, delta: f64) -> Tensor as "HuberLossBackward0" {
        forward: check_positive("huber_loss", "huber_loss does not support non-positive values for delta.", *delta <= 0.0)
            .and_then(|()| reduced(x, y, *reduction, |x, y| bent(x, y, *delta, 0.5, *delta))),
        saves: [x, y],
        grads: {
            x: |g| g.mul(&reduction.spread(&bent_slope(x, y, *delta, 0.5, *delta)?, x.sub(y)?.numel())?),
            y: |g| g.mul(&reduction.spread(&bent_slope(y, x, *delta, 0.5, *delta)?, x.sub(y)?.numel())?),
        },
        samples: pairs((ANY, POSITIVE), |x, y, r| x.huber_loss(y, r, 0.9)),
    }

    /// Binary cross entropy of logits: `-w (p t log sigmoid(x) + (1 - t) log(1 - sigmoid(x)))`, reduced, without the loss
    /// of precision of the two steps. `p` is `pos_weight`.
    ///
    /// # Errors
    /// A target of another shape.
    fn binary_cross_entropy_with_logits(x, t: tensor, weight: optional, pos_weight: optional; reduction: Reduction) -> Tensor
        as "BinaryCrossEntropyWithLogitsBackward0" {
        forward: same_size("binary_cross_entropy_with_logits", x, t)
            .and_then(|()| reduced(x, t, *reduction, |x, t| logits_loss(x, t, weight, pos_weight))),
        saves: [x, t, weight, pos_weight],
        grads: {
            x: |g| g.mul(&reduction.spread(&logits_slopes(x, t, weight, pos_weight, false)?, x.numel())?),
            t: |g| g.mul(&reduction.spread(&logits_slopes(x, t, weight, pos_weight, true)?, x.numel())?),
        },
        samples: {
            let pos = Tensor::scalar(2.5)?.to(crate::DType::F64)?;
            pairs((ANY, PROBABILITY), move |x, t, r| x.binary_cross_entropy_with_logits(t, None, Some(&pos), r))
        },
    }

    /// Binary cross entropy of probabilities: `-w (t log x + (1 - t) log(1 - x))`, logarithms no lower than -100, reduced.
    ///
    /// # Errors
    /// A target of another shape, an input outside 0 to 1.
    fn binary_cross_entropy(x, t: tensor, weight: optional; reduction: Reduction) -> Tensor as "BinaryCrossEntropyBackward0" {
        forward: same_size("binary_cross_entropy", x, t)
            .and_then(|()| reduced(x, t, *reduction, |x, t| probability_loss(x, t, weight))),
        saves: [x, t, weight],
        grads: {
            x: |g| {
                let variance = x.neg()?.add(1.0)?.mul(x)?.clamp_min(1e-12)?;
                let slope = weighted(&x.sub(t)?.div(&variance)?, weight)?;
                g.mul(&reduction.spread(&slope, x.numel())?)
            },
            t: |g| {
                let slope = weighted(&x.neg()?.log1p()?.sub(&x.log()?)?, weight)?;
                g.mul(&reduction.spread(&slope, x.numel())?)
            },
        },
        samples: pairs((PROBABILITY, PROBABILITY), |x, t, r| x.binary_cross_entropy(t, None, r)),
    }
}

fn weighted(x: &Tensor, weight: Option<&Tensor>) -> Result<Tensor> {
    weight.map_or_else(|| Ok(x.clone()), |weight| x.mul(weight))
}

impl Tensor {
    /// Absolute error: `|x - y|`, reduced. Shapes broadcast.
    ///
    /// ```
    /// # use firebrick_core::{Reduction, Tensor};
    /// let (x, y) = (Tensor::new([1.0f32, 4.0])?, Tensor::new([2.0f32, 2.0])?);
    /// assert_eq!(x.l1_loss(&y, Reduction::Mean)?.item::<f32>()?, 1.5);
    /// # Ok::<_, firebrick_core::Error>(())
    /// ```
    pub fn l1_loss(&self, y: &Tensor, reduction: Reduction) -> Result<Tensor> {
        reduction.apply(&self.sub(y)?.abs()?)
    }

    /// Kullback-Leibler divergence of `self`, log probabilities, from `target`: `t (log t - x)`, reduced. With
    /// `log_target` the target holds log probabilities, too.
    pub fn kl_div(&self, target: &Tensor, reduction: Reduction, log_target: bool) -> Result<Tensor> {
        let loss = match log_target {
            true => target.exp()?.mul(&target.sub(self)?)?,
            false => target.xlogy(target)?.sub(&target.mul(self)?)?,
        };
        reduction.apply(&loss)
    }
}

by_hand! {
    table: ABSOLUTE;
    l1_loss: pairs((ANY, Domain { low: 2.5, high: 4.0 }), |x, y, r| x.l1_loss(y, r));
    kl_div: pairs((ANY, POSITIVE), |x, y, r| x.kl_div(y, r, r == Reduction::Sum));
}
