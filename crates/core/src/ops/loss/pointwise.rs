//! Losses of elements and targets.

use super::Reduction;
use crate::amp::autocast_cast;
use crate::autograd::is_grad_enabled;
use crate::backend::{self, PointwiseLoss};
use crate::dims::broadcast_shapes;
use crate::ops::by_hand;
use crate::ops::devices::same_device;
use crate::ops::record_all::{Recorded, Seen};
use crate::ops::sample::{self, ANY, UNIT};
use crate::tensor::copy::expanded;
use crate::tensor::layout::result_strides;
use crate::{Body, Dims, Error, Result, Tensor};
use smallvec::smallvec;

/// A loss with everything it needs, in one dtype.
pub(super) struct Pointwise<'a> {
    pub op: &'static str,
    pub name: &'static str,
    pub loss: PointwiseLoss,
    pub x: &'a Tensor,
    pub y: &'a Tensor,
    pub weight: Option<&'a Tensor>,
    pub pos_weight: Option<&'a Tensor>,
    pub reduction: Reduction,
}

/// What the backward pass needs beside the saved tensors.
#[derive(Clone)]
struct Backward {
    op: &'static str,
    loss: PointwiseLoss,
    shape: Dims,
    /// What the gradient of the result is scaled by.
    scale: f64,
}

impl Pointwise<'_> {
    pub fn run(self) -> Result<Tensor> {
        let reduction = self.reduction;
        let (x, y) = (self.x, self.y);
        let shape = broadcast_shapes(self.op, &x.shape(), &y.shape())?;
        let scale = match reduction {
            Reduction::Mean => 1.0 / shape.numel() as f64,
            _ => 1.0,
        };
        let all = reduction != Reduction::None;
        let back = Backward { op: self.op, loss: self.loss, shape: shape.clone(), scale };
        let mut bodies = back.bodies([Some(x), Some(y), self.weight, self.pos_weight])?;
        let out = match all {
            true => Body::alloc(Dims::new(), x.dtype(), x.device())?,
            false => back.output(split(&bodies)?.0)?,
        };
        let to = by_rows(bodies.iter_mut().flatten(), &out);
        let (inputs, factors) = split(&bodies)?;
        // The mean of no losses is NaN.
        let scale = if shape.numel() == 0 && reduction == Reduction::Mean { f64::NAN } else { scale };
        let to = to.as_ref().unwrap_or(&out);
        backend::of(x.device())?.pointwise_loss(self.loss, inputs, factors, all.then_some(scale), to)?;
        let out = Tensor::from_body(out);
        let recorded = Recorded {
            name: self.name,
            inputs: &[Some(x), Some(y)],
            saved: &[Some(x), Some(y), self.weight, self.pos_weight],
            outputs: &[&out],
            saves_outputs: false,
        };
        recorded.with(move |seen, grads, needs| {
            let Some(g) = &grads[0] else { return Ok(smallvec![None, None]) };
            let x = needs[0].then(|| back.input_grad(g, seen)).transpose()?;
            let y = needs[1].then(|| back.target_grad(g, seen)).transpose()?;
            Ok(smallvec![x, y])
        })?;
        Ok(out)
    }
}

/// The kernel goes row by row: where the result lies otherwise, all bodies are seen with their dimensions in its order.
fn by_rows<'a>(bodies: impl Iterator<Item = &'a mut Body>, out: &Body) -> Option<Body> {
    if out.is_contiguous() {
        return None;
    }
    let order = out.memory_order();
    bodies.for_each(|body| *body = body.in_order(&order));
    Some(out.in_order(&order))
}

/// Elements and targets, and the factors.
fn split(bodies: &[Option<Body>; 4]) -> Result<([&Body; 2], [Option<&Body>; 2])> {
    match bodies {
        [Some(x), Some(y), weight, pos_weight] => Ok(([x, y], [weight.as_ref(), pos_weight.as_ref()])),
        _ => Err(Error::runtime("loss", "an element or its target is missing")),
    }
}

impl Backward {
    fn bodies(&self, tensors: [Option<&Tensor>; 4]) -> Result<[Option<Body>; 4]> {
        let mut bodies = [const { None }; 4];
        for (body, tensor) in bodies.iter_mut().zip(tensors) {
            *body = tensor.map(|t| expanded(self.op, &t.body(), &self.shape)).transpose()?;
        }
        Ok(bodies)
    }

    /// Memory for a number for each element, which lies as an elementwise result of elements and targets would.
    fn output(&self, operands: [&Body; 2]) -> Result<Body> {
        let (dtype, device) = (operands[0].dtype, operands[0].device());
        let strides = match operands.iter().all(|body| body.is_row_major()) {
            true => None,
            false => result_strides(&self.shape, &operands.map(Body::clone), dtype, None),
        };
        Body::alloc_in(self.shape.clone(), strides, dtype, device)
    }

    fn input_grad(&self, g: &Tensor, seen: &Seen) -> Result<Tensor> {
        let [Some(x), Some(y), weight, pos_weight] = &seen[..] else { return g.zeros_like() };
        if is_grad_enabled() {
            let slope = self.slope(x, y, pos_weight.as_ref())?;
            return self.weighted(&slope, g, weight.as_ref());
        }
        let mut bodies = self.bodies([Some(x), Some(y), weight.as_ref(), pos_weight.as_ref()])?;
        let out = self.output(split(&bodies)?.0)?;
        let mut g = expanded(self.op, &g.body(), &self.shape)?;
        let to = by_rows(bodies.iter_mut().flatten().chain([&mut g]), &out);
        let to = to.as_ref().unwrap_or(&out);
        let (inputs, factors) = split(&bodies)?;
        backend::of(x.device())?.pointwise_loss_grad(self.loss, &g, inputs, factors, self.scale, to)?;
        Ok(Tensor::from_body(out))
    }

    fn target_grad(&self, g: &Tensor, seen: &Seen) -> Result<Tensor> {
        let [Some(x), _, weight, pos_weight] = &seen[..] else { return g.zeros_like() };
        let slope = match self.loss {
            PointwiseLoss::BinaryCrossEntropy => x.neg()?.log1p()?.sub(&x.log()?)?,
            PointwiseLoss::BinaryCrossEntropyWithLogits => match pos_weight {
                Some(pos_weight) => x.neg()?.logsigmoid()?.sub(&x.logsigmoid()?.mul(pos_weight)?)?,
                None => x.neg()?,
            },
            // A function of the difference.
            _ => return self.input_grad(g, seen)?.neg(),
        };
        self.weighted(&slope, g, weight.as_ref())
    }

    fn weighted(&self, slope: &Tensor, g: &Tensor, weight: Option<&Tensor>) -> Result<Tensor> {
        let grad = slope.mul(g)?.mul(self.scale)?;
        match weight {
            Some(weight) => grad.mul(weight),
            None => Ok(grad),
        }
    }

    /// The derivative of the loss of an element, in operations that have gradients.
    fn slope(&self, x: &Tensor, y: &Tensor, pos_weight: Option<&Tensor>) -> Result<Tensor> {
        let difference = x.sub(y)?;
        match self.loss {
            PointwiseLoss::Mse => difference.mul(2.0),
            PointwiseLoss::SmoothL1(beta) => difference.div(beta)?.clamp(-1.0, 1.0),
            PointwiseLoss::Huber(delta) => difference.clamp(-delta, delta),
            PointwiseLoss::BinaryCrossEntropy => difference.div(&x.mul(&x.rsub(1.0, 1.0)?)?.clamp_min(1e-12)?),
            PointwiseLoss::BinaryCrossEntropyWithLogits => {
                let positive = match pos_weight {
                    Some(pos_weight) => y.mul(pos_weight)?,
                    None => y.clone(),
                };
                positive.add(1.0)?.sub(y)?.mul(&x.sigmoid()?)?.sub(&positive)
            }
        }
    }
}

/// Input and target in the dtype that both promote to; `kernel` is what PyTorch's error calls the loss.
fn promoted(op: &'static str, kernel: &str, x: &Tensor, y: &Tensor) -> Result<(Tensor, Tensor)> {
    let (x, y) = (x.resolve(op)?, y.resolve(op)?);
    let dtype = Tensor::result_type(&x, &y)?;
    if !dtype.is_floating_point() {
        let text = format!("\"{kernel}\" not implemented for '{}'", dtype.scalar_name());
        return Err(Error::not_implemented(op, text));
    }
    same_device(op, [x.device(), y.device()])?;
    Ok((x.to(dtype)?, y.to(dtype)?))
}

impl Tensor {
    /// Squared distance from `target`: `(x - y)^2`, reduced.
    ///
    /// # Errors
    /// Shapes that do not broadcast; integers.
    ///
    /// ```
    /// # use firebrick_core::{Reduction, Tensor};
    /// let loss = Tensor::new([1.0f32, 3.0])?.mse_loss(&Tensor::zeros([2])?, Reduction::Mean)?;
    /// assert_eq!(loss.item::<f32>()?, 5.0);
    /// # Ok::<_, firebrick_core::Error>(())
    /// ```
    pub fn mse_loss(&self, target: &Tensor, reduction: Reduction) -> Result<Tensor> {
        const OP: &str = "mse_loss";
        let (x, y) = promoted(OP, "mse_cpu", self, target)?;
        let (weight, pos_weight) = (None, None);
        let loss = PointwiseLoss::Mse;
        Pointwise { op: OP, name: "MseLossBackward0", loss, x: &x, y: &y, weight, pos_weight, reduction }.run()
    }

    /// Distance from `target`: `|x - y|`, reduced.
    ///
    /// # Errors
    /// As [`Tensor::mse_loss`].
    ///
    /// ```
    /// # use firebrick_core::{Reduction, Tensor};
    /// let loss = Tensor::new([1.0f32, -3.0])?.l1_loss(&Tensor::zeros([2])?, Reduction::Sum)?;
    /// assert_eq!(loss.item::<f32>()?, 4.0);
    /// # Ok::<_, firebrick_core::Error>(())
    /// ```
    pub fn l1_loss(&self, target: &Tensor, reduction: Reduction) -> Result<Tensor> {
        let (x, y) = (autocast_cast("l1_loss", self)?, autocast_cast("l1_loss", target)?);
        reduction.apply(&x.sub(&y)?.abs()?)
    }

    /// Squared distance over `2 beta` within `beta` of `target`, else the distance less `beta / 2`; reduced.
    ///
    /// Girshick, *Fast R-CNN*, ICCV (2015). With `beta` zero this is [`Tensor::l1_loss`].
    ///
    /// # Errors
    /// A negative `beta`; otherwise as [`Tensor::mse_loss`].
    ///
    /// ```
    /// # use firebrick_core::{Reduction, Tensor};
    /// let x = Tensor::new([0.5f32, 3.0])?;
    /// assert_eq!(x.smooth_l1_loss(&x.zeros_like()?, Reduction::None, 1.0)?.to_vec::<f32>()?, [0.125, 2.5]);
    /// # Ok::<_, firebrick_core::Error>(())
    /// ```
    pub fn smooth_l1_loss(&self, target: &Tensor, reduction: Reduction, beta: f64) -> Result<Tensor> {
        const OP: &str = "smooth_l1_loss";
        if beta == 0.0 {
            return self.l1_loss(target, reduction);
        }
        if beta < 0.0 {
            return Err(Error::runtime(OP, "smooth_l1_loss does not support negative values for beta."));
        }
        let (x, y) = promoted(OP, "smooth_l1_cpu", self, target)?;
        let (weight, pos_weight) = (None, None);
        let loss = PointwiseLoss::SmoothL1(beta);
        Pointwise { op: OP, name: "SmoothL1LossBackward0", loss, x: &x, y: &y, weight, pos_weight, reduction }.run()
    }

    /// Half the squared distance within `delta` of `target`, else `delta` times the distance less `delta / 2`; reduced.
    ///
    /// Huber, *Robust Estimation of a Location Parameter* (1964).
    ///
    /// # Errors
    /// A `delta` that is not above zero; otherwise as [`Tensor::mse_loss`].
    ///
    /// ```
    /// # use firebrick_core::{Reduction, Tensor};
    /// let x = Tensor::new([0.5f32, 3.0])?;
    /// assert_eq!(x.huber_loss(&x.zeros_like()?, Reduction::None, 2.0)?.to_vec::<f32>()?, [0.125, 4.0]);
    /// # Ok::<_, firebrick_core::Error>(())
    /// ```
    pub fn huber_loss(&self, target: &Tensor, reduction: Reduction, delta: f64) -> Result<Tensor> {
        const OP: &str = "huber_loss";
        if delta <= 0.0 {
            return Err(Error::runtime(OP, "huber_loss does not support non-positive values for delta."));
        }
        let (x, y) = promoted(OP, "huber_cpu", self, target)?;
        let (weight, pos_weight) = (None, None);
        let loss = PointwiseLoss::Huber(delta);
        Pointwise { op: OP, name: "HuberLossBackward0", loss, x: &x, y: &y, weight, pos_weight, reduction }.run()
    }

    /// The Kullback-Leibler divergence `y (log y - x)` of log probabilities `x` from probabilities `target`, or log
    /// probabilities where `log_target` is set; reduced.
    ///
    /// The divergence's definition sums over a distribution; [`Reduction::Mean`] divides by the number of elements, as in
    /// PyTorch.
    ///
    /// ```
    /// # use firebrick_core::{Reduction, Tensor};
    /// let x = Tensor::new([[0.5f64.ln(), 0.5f64.ln()]])?;
    /// let loss = x.kl_div(&Tensor::new([[1.0f64, 0.0]])?, Reduction::Sum, false)?;
    /// assert_eq!(loss.item::<f64>()?, 2.0f64.ln());
    /// # Ok::<_, firebrick_core::Error>(())
    /// ```
    pub fn kl_div(&self, target: &Tensor, reduction: Reduction, log_target: bool) -> Result<Tensor> {
        let (x, target) = (&autocast_cast("kl_div", self)?, &autocast_cast("kl_div", target)?);
        let losses = match log_target {
            true => target.exp()?.mul(&target.sub(x)?)?,
            false => target.xlogy(target)?.sub(&target.mul(x)?)?,
        };
        reduction.apply(&losses)
    }
}

by_hand! {
    table: POINTWISE;
    mse_loss as "MseLossBackward0": sample::pairs((ANY, ANY), |x, y| x.mse_loss(y, Reduction::None)).and_then(|mut all| {
        all.push(sample::one(sample::Trait::Broadcast, vec![ANY.tensor(&[2, 3], 7)?, ANY.tensor(&[3], 8)?], |x| x[0].mse_loss(&x[1], Reduction::Mean)));
        Ok(all)
    });
    l1_loss: sample::pairs((ANY, ANY), |x, y| x.l1_loss(y, Reduction::Sum));
    smooth_l1_loss as "SmoothL1LossBackward0": sample::pairs((ANY, UNIT), |x, y| x.smooth_l1_loss(y, Reduction::Sum, 0.7));
    huber_loss as "HuberLossBackward0": sample::pairs((ANY, UNIT), |x, y| x.huber_loss(y, Reduction::None, 0.6));
    kl_div: sample::pairs((ANY, sample::POSITIVE), |x, y| x.kl_div(y, Reduction::Sum, false));
}
