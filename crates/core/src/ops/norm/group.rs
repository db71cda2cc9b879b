//! Group norm: over groups of channels of each sample.

use super::shared::{Composed, flat, flat_param, refuse_integers, stats_dtype};
use crate::autograd::{Grads, is_grad_enabled};
use crate::backend::{self, NormGrad, NormRows};
use crate::ops::by_hand;
use crate::ops::record_all::{Recorded, Seen};
use crate::ops::sample::{self, ANY, Sample, Trait};
use crate::{Body, DType, Dims, Error, Result, Tensor};
use smallvec::smallvec;

/// `[n, c, ...]` as samples, groups, channels of a group, and elements of a channel.
#[derive(Clone, Copy)]
struct Groups {
    n: usize,
    groups: usize,
    own: usize,
    inner: usize,
}

impl Groups {
    fn rows(self) -> [usize; 2] {
        [self.n * self.groups, self.own * self.inner]
    }

    fn channels(self) -> usize {
        self.groups * self.own
    }

    fn norm(self, weight: Option<&Tensor>, bias: Option<&Tensor>, eps: f64) -> Result<NormRows> {
        let (weight, bias) = (flat_param(weight)?, flat_param(bias)?);
        Ok(NormRows { groups: self.groups, inner: self.inner, eps, weight, bias })
    }
}

fn check(op: &'static str, shape: &Dims, groups: i64, params: [(&str, Option<&Tensor>); 2]) -> Result<Groups> {
    if shape[1] == 0 {
        return Err(Error::runtime(op, "Expected number of channels to be greater than 0, got 0"));
    }
    if shape[2..].contains(&0) {
        return Err(Error::runtime(op, "Expected HxW to be greater than 0, got 0"));
    }
    if groups <= 0 {
        return Err(Error::runtime(op, format!("Expected num groups to be greater than 0, got {groups}")));
    }
    let (groups, c) = (groups as usize, shape[1]);
    if !c.is_multiple_of(groups) {
        return Err(Error::runtime(
            op,
            format!(
                "Expected number of channels in input to be divisible by num_groups, but got input of shape {shape:?} and num_groups={groups}"
            ),
        ));
    }
    for (name, param) in params {
        if let Some(param) = param.filter(|p| p.shape() != [c]) {
            return Err(Error::runtime(
                op,
                format!(
                    "Expected {name} to be a vector of size equal to the number of channels in input, but got {name} of shape {:?} and input of shape {shape:?}",
                    param.shape()
                ),
            ));
        }
    }
    Ok(Groups { n: shape[0], groups, own: c / groups, inner: shape[2..].iter().product() })
}

impl Tensor {
    /// Group normalization of `[n, c, ...]`: the channels of each sample fall into `num_groups` groups, each normalized
    /// by its own mean and biased variance, then scaled and shifted by channel.
    ///
    /// Wu and He, *Group Normalization*, ECCV (2018).
    ///
    /// # Errors
    /// Fewer than two dimensions; channels that the groups do not divide; parameters of another size; a single value.
    ///
    /// ```
    /// # use firebrick_core::Tensor;
    /// let x = Tensor::new([[1.0f32, 3.0, 2.0, 6.0]])?;
    /// assert_eq!(x.group_norm(2, None, None, 1e-12)?.to_vec::<f32>()?, [-1.0, 1.0, -1.0, 1.0]);
    /// # Ok::<_, firebrick_core::Error>(())
    /// ```
    pub fn group_norm(
        &self,
        num_groups: i64,
        weight: Option<&Tensor>,
        bias: Option<&Tensor>,
        eps: f64,
    ) -> Result<Tensor> {
        const OP: &str = "group_norm";
        let x = self.resolve(OP)?;
        let shape = x.shape();
        if shape.len() < 2 {
            let text = format!("Expected at least 2 dimensions for input tensor but received {}", shape.len());
            return Err(Error::runtime(OP, text));
        }
        if num_groups == 0 {
            return Err(Error::value(OP, "integer division or modulo by zero").expected("num_groups > 0"));
        }
        let by_group = (shape[0] * shape[1]) as i64 / num_groups;
        if by_group == 1 && shape[2..].iter().all(|&size| size == 1) {
            let mut sizes = vec![by_group, num_groups];
            sizes.extend(shape[2..].iter().map(|&size| size as i64));
            let text = format!("Expected more than 1 value per channel when training, got input size {sizes:?}");
            return Err(Error::value(OP, text));
        }
        Ok(group_norm(OP, &x, num_groups, weight, bias, eps)?.0)
    }

    /// [`Tensor::group_norm`] with the mean and one over the deviation of each sample and group: all differentiable.
    ///
    /// ```
    /// # use firebrick_core::Tensor;
    /// let x = Tensor::new([[1.0f32, 3.0]])?;
    /// let (y, mean, rstd) = x.native_group_norm(1, None, None, 0.0)?;
    /// assert_eq!(y.to_vec::<f32>()?, [-1.0, 1.0]);
    /// assert_eq!(mean.to_vec::<f32>()?, [2.0]);
    /// assert_eq!(rstd.to_vec::<f32>()?, [1.0]);
    /// # Ok::<_, firebrick_core::Error>(())
    /// ```
    pub fn native_group_norm(
        &self,
        num_groups: i64,
        weight: Option<&Tensor>,
        bias: Option<&Tensor>,
        eps: f64,
    ) -> Result<(Tensor, Tensor, Tensor)> {
        const OP: &str = "native_group_norm";
        let x = self.resolve(OP)?;
        if x.dim() < 2 {
            let text = format!("Expected at least 2 dimensions for input tensor but received {}", x.dim());
            return Err(Error::runtime(OP, text));
        }
        group_norm(OP, &x, num_groups, weight, bias, eps)
    }
}

fn group_norm(
    op: &'static str,
    x: &Tensor,
    groups: i64,
    weight: Option<&Tensor>,
    bias: Option<&Tensor>,
    eps: f64,
) -> Result<(Tensor, Tensor, Tensor)> {
    let weight = weight.map(|w| w.resolve(op)).transpose()?;
    let bias = bias.map(|b| b.resolve(op)).transpose()?;
    let (weight, bias) = (weight.as_ref(), bias.as_ref());
    let shape = check(op, &x.shape(), groups, [("weight", weight), ("bias", bias)])?;
    refuse_integers(op, "GroupNormKernelImpl", x)?;
    let stats = stats_dtype(op, x, &[weight, bias])?;
    let device = x.device();
    let out = Body::alloc(x.shape(), x.dtype(), device)?;
    let mean = Body::zeros(Dims::from_slice(&[shape.n, shape.groups]), stats, device)?;
    let rstd = Body::zeros(mean.shape.clone(), stats, device)?;
    if out.numel() > 0 {
        let norm = shape.norm(weight, bias, eps)?;
        backend::of(device)?.normalize_rows(&norm, &flat(x, &shape.rows())?, &out, &mean, &rstd)?;
    }
    let out = Tensor::from_body(out).delivered(x.dtype(), x.suggested_format())?;
    let (mean, rstd) = (Tensor::from_body(mean), Tensor::from_body(rstd));
    let (seen_mean, seen_rstd) = (mean.detach(), rstd.detach());
    let recorded = Recorded {
        name: "NativeGroupNormBackward0",
        inputs: &[Some(x), weight, bias],
        saved: &[Some(x), Some(&seen_mean), Some(&seen_rstd), weight],
        outputs: &[&out, &mean, &rstd],
        saves_outputs: false,
    };
    recorded.with(move |seen, grads, needs| match grads {
        [Some(g), None, None] if !is_grad_enabled() => kernel_grads(shape, g, seen, needs, eps),
        _ => composed_grads(shape, grads, seen, needs, eps),
    })?;
    Ok((out, mean, rstd))
}

fn kernel_grads(shape: Groups, g: &Tensor, seen: &Seen, needs: &[bool], eps: f64) -> Result<Grads> {
    let [Some(x), Some(mean), Some(rstd), weight] = &seen[..] else { return Ok(smallvec![None; 3]) };
    let (device, channels) = (x.device(), Dims::from_slice(&[shape.channels()]));
    let zeros = |needed: bool, shape: &Dims, dtype: DType| {
        needed.then(|| Body::zeros(shape.clone(), dtype, device)).transpose()
    };
    let out = NormGrad {
        input: zeros(needs[0], &x.shape(), x.dtype())?,
        weight: zeros(needs[1], &channels, mean.dtype())?,
        bias: zeros(needs[2], &channels, mean.dtype())?,
    };
    let (format, dtype) = (x.suggested_format(), x.dtype());
    if x.numel() > 0 {
        let norm = shape.norm(weight.as_ref(), None, eps)?;
        let (g, x) = (flat(g, &shape.rows())?, flat(x, &shape.rows())?);
        backend::of(device)?.normalize_rows_grad(&norm, &g, &x, [&mean.body(), &rstd.body()], &out)?;
    }
    let input = out.input.map(|grad| Tensor::from_body(grad).delivered(dtype, format)).transpose()?;
    Ok(smallvec![input, out.weight.map(Tensor::from_body), out.bias.map(Tensor::from_body)])
}

fn composed_grads(shape: Groups, grads: &[Option<Tensor>], seen: &Seen, needs: &[bool], eps: f64) -> Result<Grads> {
    let [Some(x), _, _, weight] = &seen[..] else { return Ok(smallvec![None; 3]) };
    let full = x.shape();
    let grouped = [shape.n, shape.groups, shape.own, shape.inner];
    let x = x.reshape(grouped)?;
    let g = match &grads[0] {
        Some(g) => g.reshape(grouped)?,
        None => x.detach().zeros_like()?,
    };
    let weight = weight.as_ref().map(|w| w.reshape([1, shape.groups, shape.own, 1])).transpose()?;
    let norm = Composed { x: &x, dims: &[2, 3], weight: weight.as_ref(), eps, fixed: None };
    let parts = norm.grads(&g, grads[1].as_ref(), grads[2].as_ref())?;
    let by_channel = |t: &Tensor| t.sum_dim([0, 3], false)?.reshape([shape.channels()]);
    let of_weight = needs[1].then(|| by_channel(&parts.weight)).transpose()?;
    let of_bias = needs[2].then(|| by_channel(&g)).transpose()?;
    Ok(smallvec![Some(parts.input.reshape(full)?), of_weight, of_bias])
}

fn samples(f: fn(&[Tensor], i64) -> Result<Tensor>) -> Result<Vec<Sample>> {
    let sample = |traits, x: Tensor, groups: i64| -> Result<Sample> {
        let c = x.shape()[1];
        let inputs = vec![x, ANY.tensor(&[c], 21)?, ANY.tensor(&[c], 22)?];
        Ok(sample::one(traits, inputs, move |x| f(x, groups)))
    };
    Ok(vec![
        sample(Trait::Plain, ANY.tensor(&[2, 4], 1)?, 2)?,
        sample(Trait::Plain, ANY.tensor(&[2, 4, 3], 2)?, 2)?,
        sample(Trait::Plain, ANY.tensor(&[2, 3, 2, 2], 3)?, 1)?,
        sample(Trait::Strided, ANY.strided(&[2, 3], 4)?, 1)?,
        sample(Trait::Empty, ANY.tensor(&[0, 4, 3], 5)?, 2)?,
    ])
}

by_hand! {
    table: GROUP;
    group_norm as "NativeGroupNormBackward0": samples(|x, groups| x[0].group_norm(groups, Some(&x[1]), Some(&x[2]), 1e-3));
    native_group_norm as "NativeGroupNormBackward0": samples(|x, groups| {
        let (out, mean, rstd) = x[0].native_group_norm(groups, Some(&x[1]), Some(&x[2]), 1e-3)?;
        out.sum()?.add(&mean.mul(&rstd)?.sum()?)
    });
}
