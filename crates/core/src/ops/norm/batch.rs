//! Batch normalization.

use super::fused::{Inputs, record};
use super::layer::{check_dtypes, dense, scaled};
use crate::autograd::no_grad;
use crate::backend::{self, ChannelNorm};
use crate::ops::by_hand;
use crate::ops::elementwise::mixed_devices;
use crate::ops::sample::{self, ANY, Sample, Trait};
use crate::{Body, Dims, Error, Result, Tensor};

/// Arguments of [`Tensor::batch_norm`] beside its input.
#[derive(Clone, Copy, Debug)]
pub struct BatchNormArgs<'a> {
    /// Mean of what was seen in training, updated in place; used in evaluation.
    pub running_mean: Option<&'a Tensor>,
    /// Variance of what was seen in training, updated in place; used in evaluation.
    pub running_var: Option<&'a Tensor>,
    /// Factor of each channel.
    pub weight: Option<&'a Tensor>,
    /// Summand of each channel.
    pub bias: Option<&'a Tensor>,
    /// Normalize by the batch's own statistics, and update the running ones?
    pub training: bool,
    /// Share of the batch in the running statistics.
    pub momentum: f64,
    /// Added to the variance.
    pub eps: f64,
}

impl Default for BatchNormArgs<'_> {
    /// Evaluation mode, momentum 0.1, eps 1e-5, nothing else given.
    fn default() -> Self {
        BatchNormArgs {
            running_mean: None,
            running_var: None,
            weight: None,
            bias: None,
            training: false,
            momentum: 0.1,
            eps: 1e-5,
        }
    }
}

impl BatchNormArgs<'_> {
    fn named(&self) -> [(&'static str, Option<&Tensor>); 4] {
        [
            ("running_mean", self.running_mean),
            ("running_var", self.running_var),
            ("weight", self.weight),
            ("bias", self.bias),
        ]
    }
}

/// PyTorch's checks; the sizes on success.
fn check(x: &Tensor, args: &BatchNormArgs<'_>) -> Result<ChannelNorm> {
    const OP: &str = "batch_norm";
    let shape = x.shape();
    if args.training {
        let channels = shape.get(1).copied().unwrap_or(1);
        if channels > 0 && shape.numel() > 0 && shape.numel() / channels == 1 {
            return Err(Error::value(
                OP,
                format!("Expected more than 1 value per channel when training, got input size {shape}"),
            ));
        }
        if args.eps <= 0.0 {
            let eps = crate::text::python_float(args.eps);
            return Err(Error::value(OP, format!("batch_norm eps must be positive during training, but got {eps}")));
        }
    }
    let channels = shape.get(1).copied().unwrap_or(0);
    for (name, tensor) in args.named() {
        match tensor {
            Some(tensor) if tensor.numel() != channels || tensor.dim() != 1 => {
                let text = format!("{name} should contain {channels} elements not {}", tensor.numel());
                return Err(Error::runtime(OP, text));
            }
            Some(tensor) if tensor.device() != x.device() => {
                return Err(mixed_devices(OP, x.device(), tensor.device()));
            }
            None if !args.training && name.starts_with("running") => {
                return Err(Error::runtime(OP, format!("{name} must be defined in evaluation mode")));
            }
            _ => {}
        }
    }
    if !x.is_floating_point() {
        let name = x.dtype().scalar_name();
        return Err(Error::not_implemented(OP, format!("\"batch_norm\" not implemented for '{name}'")));
    }
    check_dtypes(OP, x, args.named().map(|(_, tensor)| tensor))?;
    if shape.len() < 2 {
        return Err(Error::runtime(OP, "batch_norm expects at least two dimensions").given(format!("{shape:?}")));
    }
    let places = shape[2..].iter().product();
    Ok(ChannelNorm { images: shape[0], channels, places, training: args.training })
}

/// Mean and reciprocal standard deviation by channel: the batch's, or the running ones.
fn statistics(x: &Body, n: &ChannelNorm, args: &BatchNormArgs<'_>) -> Result<[Tensor; 2]> {
    let make = || Body::alloc(Dims::from([n.channels]), x.dtype, x.device());
    if let (false, Some(mean), Some(variance)) = (n.training, args.running_mean, args.running_var) {
        let mean = Tensor::from_body(dense(mean)?).copy()?;
        return Ok([mean, Tensor::from_body(dense(variance)?).add(args.eps)?.rsqrt()?]);
    }
    let (mean, variance) = (make()?, make()?);
    backend::of(x.device())?.channel_statistics(n, x, &mean, &variance)?;
    let (mean, variance) = (Tensor::from_body(mean), Tensor::from_body(variance));
    update_running(&mean, &variance, n, args)?;
    Ok([mean, variance.add(args.eps)?.rsqrt()?])
}

/// `running = (1 - momentum) * running + momentum * batch`, with the unbiased variance.
fn update_running(mean: &Tensor, variance: &Tensor, n: &ChannelNorm, args: &BatchNormArgs<'_>) -> Result<()> {
    let count = (n.images * n.places) as f64;
    let unbiased = variance.mul(count / (count - 1.0))?;
    for (running, batch) in [(args.running_mean, mean), (args.running_var, &unbiased)] {
        let Some(running) = running else { continue };
        let batch = batch.mul(args.momentum)?.to(running.dtype())?;
        running.mul_(1.0 - args.momentum)?.add_(&batch)?;
    }
    Ok(())
}

fn backward(
    g: &Tensor,
    x: &Tensor,
    statistics: [&Tensor; 2],
    weight: Option<&Tensor>,
    n: &ChannelNorm,
) -> Result<[Tensor; 3]> {
    let (grad, input) = (dense(g)?, dense(x)?);
    let weight = weight.map(dense).transpose()?;
    let make = |shape: Dims| Body::alloc(shape, input.dtype, input.device());
    let channels = Dims::from([n.channels]);
    let grads = [make(x.shape())?, make(channels.clone())?, make(channels)?];
    let statistics = [dense(statistics[0])?, dense(statistics[1])?];
    backend::of(input.device())?.channel_norm_backward(
        n,
        [&grad, &input, &statistics[0], &statistics[1]],
        weight.as_ref(),
        [&grads[0], &grads[1], &grads[2]],
    )?;
    Ok(grads.map(Tensor::from_body))
}

/// The formula itself; in training the statistics are the input's own.
fn composed(inputs: Inputs<'_>, statistics: [&Tensor; 2], training: bool, eps: f64) -> Result<Tensor> {
    let x = inputs.x;
    let mut by_channel = Dims::repeat(1, x.dim());
    by_channel[1] = x.shape()[1];
    let spread = |t: &Tensor| t.reshape(&by_channel);
    let normalized = if training {
        let dims: Vec<i64> = (0..x.dim() as i64).filter(|&d| d != 1).collect();
        let centered = x.sub(&x.mean_dim(dims.clone(), true)?)?;
        let variance = centered.mul(&centered)?.mean_dim(dims, true)?;
        centered.mul(&variance.add(eps)?.rsqrt()?)?
    } else {
        x.sub(&spread(statistics[0])?)?.mul(&spread(statistics[1])?)?
    };
    let (weight, bias) = (inputs.weight.map(spread).transpose()?, inputs.bias.map(spread).transpose()?);
    scaled(&normalized, weight.as_ref(), bias.as_ref())
}

impl Tensor {
    /// Normalizes every channel (dimension 1): `(x - mean) / sqrt(var + eps) * weight + bias`, by the batch's own
    /// statistics in training, which also move the running ones, else by the running ones.
    ///
    /// Ioffe, Szegedy, *Batch Normalization*, ICML 2015. The batch's variance is biased where it normalizes and unbiased in
    /// the running one, as in PyTorch.
    ///
    /// # Errors
    /// A single value per channel in training; sizes or dtypes that do not fit, in PyTorch's words.
    ///
    /// ```
    /// # use firebrick_core::{BatchNormArgs, Tensor};
    /// let x = Tensor::new([[1.0f32], [3.0]])?;
    /// let y = x.batch_norm(&BatchNormArgs { training: true, eps: 1e-12, ..Default::default() })?;
    /// assert_eq!(y.to_vec::<f32>()?, [-1.0, 1.0]);
    /// # Ok::<_, firebrick_core::Error>(())
    /// ```
    pub fn batch_norm(&self, args: &BatchNormArgs<'_>) -> Result<Tensor> {
        Ok(self.native_batch_norm(args)?.0)
    }

    /// [`Tensor::batch_norm`] with the mean and the reciprocal standard deviation that it used.
    pub fn native_batch_norm(&self, args: &BatchNormArgs<'_>) -> Result<(Tensor, Tensor, Tensor)> {
        const OP: &str = "batch_norm";
        let x = self.resolve(OP)?;
        let weight = args.weight.map(|w| w.resolve(OP)).transpose()?;
        let bias = args.bias.map(|b| b.resolve(OP)).transpose()?;
        let n = check(&x, args)?;
        if x.numel() == 0 {
            let none = x.new_zeros([0])?;
            return Ok((x.copy()?, none.clone(), none));
        }
        let input = dense(&x)?;
        let [mean, invstd] = no_grad(|| statistics(&input, &n, args))?;
        let out = Body::alloc(x.shape(), input.dtype, input.device())?;
        let affine = [weight.as_ref().map(dense).transpose()?, bias.as_ref().map(dense).transpose()?];
        backend::of(input.device())?.channel_norm_forward(
            &n,
            [&input, &mean.body(), &invstd.body()],
            [affine[0].as_ref(), affine[1].as_ref()],
            &out,
        )?;
        let out = Tensor::from_body(out).to(x.dtype())?;
        let (training, eps) = (args.training, args.eps);
        record(
            "NativeBatchNormBackward0",
            Inputs { x: &x, weight: weight.as_ref(), bias: bias.as_ref() },
            [&mean, &invstd],
            &out,
            move |g, x, statistics, weight| backward(g, x, statistics, weight, &n),
            move |inputs, statistics| composed(inputs, statistics, training, eps),
        )?;
        Ok((out, mean, invstd))
    }
}

fn samples(f: fn(&Tensor, &BatchNormArgs<'_>) -> Result<Tensor>) -> Result<Vec<Sample>> {
    let sample = |traits: Trait, x: Tensor, training: bool| -> Result<Sample> {
        let inputs = vec![x, ANY.tensor(&[2], 1)?, ANY.tensor(&[2], 2)?];
        Ok(sample::one(traits, inputs, move |x| {
            let (mean, variance) = (Tensor::new([0.3f64, -0.2])?, Tensor::new([1.5f64, 0.7])?);
            f(&x[0], &BatchNormArgs {
                running_mean: Some(&mean),
                running_var: Some(&variance),
                weight: Some(&x[1]),
                bias: Some(&x[2]),
                training,
                eps: 0.1,
                ..Default::default()
            })
        }))
    };
    Ok(vec![
        sample(Trait::Plain, ANY.tensor(&[3, 2], 3)?, true)?,
        sample(Trait::Plain, ANY.tensor(&[2, 2, 3], 4)?, false)?,
        sample(Trait::Strided, ANY.strided(&[2, 2, 2], 5)?, true)?,
        sample(Trait::Empty, ANY.tensor(&[0, 2], 6)?, true)?,
    ])
}

by_hand! {
    table: BATCH_NORM;
    batch_norm as "NativeBatchNormBackward0": samples(|x, args| x.batch_norm(args));
    native_batch_norm as "NativeBatchNormBackward0": samples(|x, args| Ok(x.native_batch_norm(args)?.0));
}
