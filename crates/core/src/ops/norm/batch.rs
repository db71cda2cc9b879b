//! Batch and instance norm: over everything but the channels.

use super::shared::{Composed, flat, flat_in, flat_param, refuse_integers, stats_dtype};
use crate::autograd::{Grads, is_grad_enabled, no_grad};
use crate::backend::{self, NormGrad};
use crate::ops::by_hand;
use crate::ops::record_all::{Recorded, Seen};
use crate::ops::sample::{self, ANY, POSITIVE, Sample, Trait};
use crate::{Body, DType, Dims, Error, MemoryFormat, Result, Tensor};
use smallvec::smallvec;

/// The arguments of a batch norm beside the input.
#[derive(Clone, Copy)]
struct Arguments<'a> {
    weight: Option<&'a Tensor>,
    bias: Option<&'a Tensor>,
    running_mean: Option<&'a Tensor>,
    running_var: Option<&'a Tensor>,
    training: bool,
    momentum: f64,
    eps: f64,
}

impl Tensor {
    /// Batch normalization of `[n, c, ...]`: `(x - mean) / sqrt(var + eps) * weight + bias` by channel.
    ///
    /// In `training`, mean and (biased) variance are the batch's own, and the running statistics, where given, are
    /// moved towards them in place: `running = (1 - momentum) * running + momentum * batch`, with the unbiased
    /// variance. Else the running statistics are used. As in PyTorch, moving them does not count as a change in place.
    ///
    /// Ioffe and Szegedy, *Batch Normalization*, ICML (2015).
    ///
    /// # Errors
    /// Fewer than two dimensions; parameters or statistics of another size than the channels; a single value per
    /// channel in training; no running statistics outside training.
    ///
    /// ```
    /// # use firebrick_core::Tensor;
    /// let x = Tensor::new([[1.0f32], [3.0]])?;
    /// let (mean, var) = (Tensor::zeros([1])?, Tensor::ones([1])?);
    /// let y = x.batch_norm(Some(&mean), Some(&var), None, None, true, 0.5, 1e-12)?;
    /// assert_eq!(y.to_vec::<f32>()?, [-1.0, 1.0]);
    /// assert_eq!((mean.item::<f32>()?, var.item::<f32>()?), (1.0, 1.5));
    /// # Ok::<_, firebrick_core::Error>(())
    /// ```
    #[allow(clippy::too_many_arguments, reason = "PyTorch's signature")]
    pub fn batch_norm(
        &self,
        running_mean: Option<&Tensor>,
        running_var: Option<&Tensor>,
        weight: Option<&Tensor>,
        bias: Option<&Tensor>,
        training: bool,
        momentum: f64,
        eps: f64,
    ) -> Result<Tensor> {
        const OP: &str = "batch_norm";
        let x = self.resolve(OP)?;
        let shape = x.shape();
        let single = shape.len() > 1 && shape.iter().enumerate().all(|(d, &size)| d == 1 || size == 1);
        if training && single {
            let text = format!("Expected more than 1 value per channel when training, got input size {shape}");
            return Err(Error::value(OP, text));
        }
        if x.numel() == 0 {
            return without_elements(&x, weight, bias);
        }
        Ok(batch_norm(OP, &x, Arguments { weight, bias, running_mean, running_var, training, momentum, eps })?.0)
    }

    /// [`Tensor::batch_norm`] with the mean and one over the deviation that were used, which are empty outside training.
    ///
    /// ```
    /// # use firebrick_core::Tensor;
    /// let x = Tensor::new([[1.0f32], [3.0]])?;
    /// let (y, mean, rstd) = x.native_batch_norm(None, None, None, None, true, 0.1, 0.0)?;
    /// assert_eq!(y.to_vec::<f32>()?, [-1.0, 1.0]);
    /// assert_eq!(mean.to_vec::<f32>()?, [2.0]);
    /// assert_eq!(rstd.to_vec::<f32>()?, [1.0]);
    /// # Ok::<_, firebrick_core::Error>(())
    /// ```
    #[allow(clippy::too_many_arguments, reason = "PyTorch's signature")]
    pub fn native_batch_norm(
        &self,
        weight: Option<&Tensor>,
        bias: Option<&Tensor>,
        running_mean: Option<&Tensor>,
        running_var: Option<&Tensor>,
        training: bool,
        momentum: f64,
        eps: f64,
    ) -> Result<(Tensor, Tensor, Tensor)> {
        const OP: &str = "native_batch_norm";
        let args = Arguments { weight, bias, running_mean, running_var, training, momentum, eps };
        let (out, mean, invstd) = batch_norm(OP, &self.resolve(OP)?, args)?;
        if training {
            return Ok((out, mean, invstd));
        }
        Ok((out, mean.new_zeros([0])?, invstd.new_zeros([0])?))
    }

    /// Instance normalization of `[n, c, ...]`: [`Tensor::batch_norm`] of each sample by itself.
    ///
    /// With `use_input_stats` running statistics, where given, are moved towards the mean over the samples.
    ///
    /// Ulyanov et al., *Instance Normalization* (2016).
    ///
    /// # Errors
    /// As [`Tensor::batch_norm`]; a single element per channel and sample.
    ///
    /// ```
    /// # use firebrick_core::Tensor;
    /// let x = Tensor::new([[[1.0f32, 3.0], [10.0, 30.0]]])?;
    /// assert_eq!(x.instance_norm(None, None, None, None, true, 0.1, 0.0)?.to_vec::<f32>()?, [-1.0, 1.0, -1.0, 1.0]);
    /// # Ok::<_, firebrick_core::Error>(())
    /// ```
    #[allow(clippy::too_many_arguments, reason = "PyTorch's signature")]
    pub fn instance_norm(
        &self,
        running_mean: Option<&Tensor>,
        running_var: Option<&Tensor>,
        weight: Option<&Tensor>,
        bias: Option<&Tensor>,
        use_input_stats: bool,
        momentum: f64,
        eps: f64,
    ) -> Result<Tensor> {
        const OP: &str = "instance_norm";
        let x = self.resolve(OP)?;
        let shape = x.shape();
        let c = channels(OP, &shape)?;
        if use_input_stats && shape[2..].iter().product::<usize>() == 1 {
            return Err(Error::value(
                OP,
                format!("Expected more than 1 spatial element when training, got input size {shape}"),
            ));
        }
        if !use_input_stats && (running_mean.is_none() || running_var.is_none()) {
            let text = "Expected running_mean and running_var to be defined when use_input_stats is false";
            return Err(Error::runtime(OP, text));
        }
        let n = shape[0];
        let repeated = |t: Option<&Tensor>| t.map(|t| t.resolve(OP)?.repeat([n as i64])).transpose();
        let (mean, var) = (repeated(running_mean)?, repeated(running_var)?);
        let (weight, bias) = (repeated(weight)?, repeated(bias)?);
        let mut merged = shape.clone();
        (merged[0], merged[1]) = (1, n * c);
        let args = Arguments {
            weight: weight.as_ref(),
            bias: bias.as_ref(),
            running_mean: mean.as_ref(),
            running_var: var.as_ref(),
            training: use_input_stats,
            momentum,
            eps,
        };
        let out = batch_norm(OP, &x.contiguous()?.reshape(merged)?, args)?.0;
        if use_input_stats && n > 0 {
            for (running, repeated) in [(running_mean, mean), (running_var, var)] {
                if let (Some(running), Some(repeated)) = (running, repeated) {
                    let average = repeated.detach().reshape([n, c])?.mean_dim(0, false)?;
                    write(&running.resolve(OP)?, &average)?;
                }
            }
        }
        out.view(shape)
    }
}

/// What PyTorch makes of an input without elements, whatever its dimensions: nothing that depends on the statistics.
fn without_elements(x: &Tensor, weight: Option<&Tensor>, bias: Option<&Tensor>) -> Result<Tensor> {
    let first = |t: &Tensor| t.select(0, 0)?.to(x.dtype());
    let mut out = x.copy()?;
    if let Some(weight) = weight {
        out = out.mul(&first(weight)?)?;
    }
    if let Some(bias) = bias {
        out = out.add(&first(bias)?)?;
    }
    Ok(out)
}

/// The number of channels.
fn channels(op: &'static str, shape: &Dims) -> Result<usize> {
    shape.get(1).copied().ok_or_else(|| {
        let low = -(shape.len().max(1) as i64);
        Error::index(
            op,
            format!("Dimension out of range (expected to be in range of [{low}, {}], but got 1)", -low - 1),
        )
    })
}

fn check(op: &'static str, x: &Tensor, args: &Arguments) -> Result<DType> {
    let c = channels(op, &x.shape())?;
    let params = [
        ("running_mean", args.running_mean),
        ("running_var", args.running_var),
        ("weight", args.weight),
        ("bias", args.bias),
    ];
    for (i, (name, param)) in params.into_iter().enumerate() {
        match param {
            None if i < 2 && !args.training => {
                return Err(Error::runtime(op, format!("{name} must be defined in evaluation mode")));
            }
            Some(param) if param.numel() != c => {
                return Err(Error::runtime(op, format!("{name} should contain {c} elements not {}", param.numel())));
            }
            _ => {}
        }
    }
    refuse_integers(op, "batch_norm", x)?;
    stats_dtype(op, x, &[args.weight, args.bias, args.running_mean, args.running_var])
}

/// The result, and mean and one over the deviation that it was made with.
fn batch_norm(op: &'static str, x: &Tensor, args: Arguments) -> Result<(Tensor, Tensor, Tensor)> {
    let resolve = |t: Option<&Tensor>| t.map(|t| t.resolve(op)).transpose();
    let (weight, bias) = (resolve(args.weight)?, resolve(args.bias)?);
    let (running_mean, running_var) = (resolve(args.running_mean)?, resolve(args.running_var)?);
    let (weight, bias) = (weight.as_ref(), bias.as_ref());
    let (training, eps) = (args.training, args.eps);
    let running = (running_mean.as_ref(), running_var.as_ref());
    let args = Arguments { weight, bias, running_mean: running.0, running_var: running.1, ..args };
    let stats = check(op, x, &args)?;
    let (shape, lines) = (merged(&x.shape()), Lines::of(x));
    let (mean, invstd) = no_grad(|| match (training, running) {
        (false, (Some(mean), Some(var))) => {
            // Copies: the running statistics may move before the backward pass.
            Ok((mean.detach().copy()?, var.detach().to(stats)?.add(eps)?.rsqrt()?))
        }
        _ => batch_statistics(x, &lines, stats, &args),
    })?;
    let out = Body::alloc_in(x.shape(), lines.strides(x), x.dtype(), x.device())?;
    if out.numel() > 0 {
        let (flat_weight, flat_bias) = (flat_param(weight)?, flat_param(bias)?);
        let (weight, bias) = (flat_weight.as_ref(), flat_bias.as_ref());
        let noted = [&flat(&mean, &shape[1..2])?, &flat(&invstd, &shape[1..2])?];
        backend::of(x.device())?.normalize_channels(&lines.flat(x)?, noted, weight, bias, &out)?;
    }
    let out = Tensor::from_body(out);
    let recorded = Recorded {
        name: "NativeBatchNormBackward0",
        inputs: &[Some(x), weight, bias],
        saved: &[Some(x), Some(&mean), Some(&invstd), weight],
        outputs: &[&out],
        saves_outputs: false,
    };
    recorded.with(move |seen, grads, needs| match &grads[0] {
        Some(g) if is_grad_enabled() => composed_grads(&shape, g, seen, needs, training, eps),
        Some(g) => kernel_grads(&lines, g, seen, needs, training),
        None => Ok(smallvec![None; 3]),
    })?;
    Ok((out, mean, invstd))
}

/// Any shape as `[n, c, l]`.
fn merged(shape: &Dims) -> [usize; 3] {
    [shape[0], shape[1], shape[2..].iter().product()]
}

/// How the kernels see the input: as it lies in memory, in the format that the result will have.
#[derive(Clone, Copy)]
struct Lines {
    format: MemoryFormat,
    /// `[n, c, l]`. Where channels come last, each place of a sample is a sample of one place.
    shape: [usize; 3],
}

impl Lines {
    fn of(x: &Tensor) -> Lines {
        let (format, [n, c, l]) = (x.suggested_format(), merged(&x.shape()));
        let shape = if format == MemoryFormat::Contiguous { [n, c, l] } else { [n * l, c, 1] };
        Lines { format, shape }
    }

    fn channels(&self) -> Dims {
        Dims::from_slice(&self.shape[1..2])
    }

    /// Strides of the result and of the input's gradient.
    fn strides(&self, x: &Tensor) -> Option<Dims> {
        self.format.dense_strides(&x.shape())
    }

    fn flat(&self, x: &Tensor) -> Result<Body> {
        flat_in(self.format, x, &self.shape)
    }
}

/// Mean and one over the deviation of the batch; moves the running statistics.
fn batch_statistics(x: &Tensor, lines: &Lines, stats: DType, args: &Arguments) -> Result<(Tensor, Tensor)> {
    let (device, channels) = (x.device(), lines.channels());
    // Kept in double precision until they are used.
    let mean = Body::zeros(channels.clone(), DType::F64, device)?;
    let variance = Body::zeros(channels, DType::F64, device)?;
    if x.numel() > 0 {
        backend::of(device)?.channel_statistics(&lines.flat(x)?, &mean, &variance)?;
    }
    let (mean, variance) = (Tensor::from_body(mean), Tensor::from_body(variance));
    let count = (lines.shape[0] * lines.shape[2]) as f64;
    if x.numel() > 0 {
        if let Some(running) = args.running_mean {
            advance(running, &mean, args.momentum)?;
        }
        if let Some(running) = args.running_var {
            advance(running, &variance.mul(count / (count - 1.0))?, args.momentum)?;
        }
    }
    let invstd = variance.add(args.eps)?.rsqrt()?;
    Ok((mean.to(stats)?, invstd.to(stats)?))
}

/// Moves a running statistic towards that of the batch.
fn advance(running: &Tensor, batch: &Tensor, momentum: f64) -> Result<()> {
    let old = running.detach().to(DType::F64)?;
    write(running, &old.mul(1.0 - momentum)?.add(&batch.mul(momentum)?)?)
}

/// Overwrites without counting as a change in place, as in PyTorch: two calls may come before one backward pass.
fn write(running: &Tensor, value: &Tensor) -> Result<()> {
    let (to, from) = (running.body(), value.body());
    let from = from.view(to.shape.clone(), to.shape.contiguous_strides(), from.offset);
    backend::of(to.device())?.copy(&from, &to)
}

fn kernel_grads(lines: &Lines, g: &Tensor, seen: &Seen, needs: &[bool], training: bool) -> Result<Grads> {
    let [Some(x), Some(mean), Some(invstd), weight] = &seen[..] else { return Ok(smallvec![None; 3]) };
    let (device, channels) = (x.device(), lines.channels());
    let zeros = |needed: bool, shape: &Dims, dtype: DType| {
        needed.then(|| Body::zeros(shape.clone(), dtype, device)).transpose()
    };
    let mut out = NormGrad {
        input: zeros(needs[0], &x.shape(), x.dtype())?,
        weight: zeros(needs[1], &channels, mean.dtype())?,
        bias: zeros(needs[2], &channels, mean.dtype())?,
    };
    if let (Some(input), Some(strides)) = (&mut out.input, lines.strides(x)) {
        input.strides = strides;
    }
    if x.numel() > 0 {
        let (g, x) = (lines.flat(g)?, lines.flat(x)?);
        let noted = [&flat(mean, &channels)?, &flat(invstd, &channels)?];
        let weight = flat_param(weight.as_ref())?;
        backend::of(device)?.normalize_channels_grad(&g, &x, noted, weight.as_ref(), training, &out)?;
    }
    Ok([out.input, out.weight, out.bias].into_iter().map(|b| b.map(Tensor::from_body)).collect())
}

fn composed_grads(
    shape: &[usize; 3],
    g: &Tensor,
    seen: &Seen,
    needs: &[bool],
    training: bool,
    eps: f64,
) -> Result<Grads> {
    let [Some(x), Some(mean), Some(invstd), weight] = &seen[..] else { return Ok(smallvec![None; 3]) };
    let full = x.shape();
    let by_channel = |t: &Tensor| t.reshape([1, shape[1], 1]);
    let (x, g) = (x.reshape(*shape)?, g.reshape(*shape)?);
    let weight = weight.as_ref().map(by_channel).transpose()?;
    let (mean, invstd) = (by_channel(mean)?, by_channel(invstd)?);
    let fixed = (!training).then_some((&mean, &invstd));
    let norm = Composed { x: &x, dims: &[0, 2], weight: weight.as_ref(), eps, fixed };
    let grads = norm.grads(&g, None, None)?;
    let of_weight = needs[1].then(|| grads.weight.sum_dim([0, 2], false)).transpose()?;
    let of_bias = needs[2].then(|| g.sum_dim([0, 2], false)).transpose()?;
    Ok(smallvec![Some(grads.input.reshape(full)?), of_weight, of_bias])
}

/// Input, and so many of weight and bias, for training and for evaluation.
fn samples(params: usize, f: fn(&[Tensor], bool) -> Result<Tensor>) -> Result<Vec<Sample>> {
    let sample = |traits, x: Tensor, training: bool| sample_of(traits, x, params, move |x| f(x, training));
    Ok(vec![
        sample(Trait::Plain, ANY.tensor(&[4, 3], 1)?, true)?,
        sample(Trait::Plain, ANY.tensor(&[2, 2, 3], 2)?, true)?,
        sample(Trait::Plain, ANY.tensor(&[1, 2, 17], 2)?, true)?,
        sample(Trait::Plain, ANY.tensor(&[2, 2, 3], 3)?, false)?,
        sample(Trait::Strided, ANY.strided(&[3, 2], 4)?, true)?,
        sample(Trait::Empty, ANY.tensor(&[0, 2], 5)?, false)?,
    ])
}

/// Input, weight and bias of an instance norm.
fn instance_samples(f: fn(&[Tensor]) -> Result<Tensor>) -> Result<Vec<Sample>> {
    Ok(vec![
        sample_of(Trait::Plain, ANY.tensor(&[2, 2, 3], 1)?, 2, f)?,
        sample_of(Trait::Plain, ANY.tensor(&[1, 2, 17], 2)?, 2, f)?,
        sample_of(Trait::Plain, ANY.tensor(&[2, 3, 2, 2], 3)?, 2, f)?,
        sample_of(Trait::Strided, ANY.strided(&[2, 2, 3], 4)?, 2, f)?,
        sample_of(Trait::Empty, ANY.tensor(&[0, 2, 3], 5)?, 2, f)?,
    ])
}

fn sample_of(
    traits: Trait,
    x: Tensor,
    params: usize,
    f: impl Fn(&[Tensor]) -> Result<Tensor> + Send + Sync + 'static,
) -> Result<Sample> {
    let c = x.shape()[1];
    let mut inputs = vec![x, ANY.tensor(&[c], 21)?, POSITIVE.tensor(&[c], 22)?];
    inputs.truncate(1 + params);
    Ok(sample::one(traits, inputs, f))
}

/// A running statistic of the given input.
fn constant(x: &Tensor, value: f64) -> Result<Tensor> {
    x.detach().new_full([x.size(1).unwrap_or(1)], value)
}

by_hand! {
    table: BATCH;
    batch_norm as "NativeBatchNormBackward0": samples(2, |x, training| {
        let (mean, var) = (constant(&x[0], 0.3)?, constant(&x[0], 1.7)?);
        x[0].batch_norm(Some(&mean), Some(&var), Some(&x[1]), Some(&x[2]), training, 0.1, 1e-3)
    });
    native_batch_norm as "NativeBatchNormBackward0": samples(1, |x, training| {
        let (mean, var) = (constant(&x[0], 0.3)?, constant(&x[0], 1.7)?);
        Ok(x[0].native_batch_norm(Some(&x[1]), None, Some(&mean), Some(&var), training, 0.1, 1e-3)?.0)
    });
    instance_norm: instance_samples(|x| x[0].instance_norm(None, None, Some(&x[1]), Some(&x[2]), true, 0.1, 1e-3));
}
