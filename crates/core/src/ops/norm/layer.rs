//! Layer and root-mean-square norm: over the last dimensions.

use super::shared::{Composed, flat, flat_param, refuse_integers, stats_dtype};
use crate::autograd::{Grads, is_grad_enabled};
use crate::backend::{self, NormGrad, NormRows};
use crate::ops::by_hand;
use crate::ops::record_all::{Recorded, Seen};
use crate::ops::sample::{self, ANY, Sample, Trait};
use crate::{Body, DType, Dims, Error, Result, Sizes, Tensor};
use smallvec::smallvec;

/// How the dimensions fall into rows.
#[derive(Clone)]
struct Shape {
    normalized: Dims,
    rows: usize,
    /// The shape of the statistics.
    stats: Dims,
}

fn check(op: &'static str, x: &Tensor, normalized: &Sizes, params: [(&str, Option<&Tensor>); 2]) -> Result<Shape> {
    let (shape, list) = (x.shape(), &normalized[..]);
    if list.is_empty() {
        return Err(Error::runtime(
            op,
            format!(
                "Expected normalized_shape to be at least 1-dimensional, i.e., containing at least one element, but got normalized_shape = {list:?}"
            ),
        ));
    }
    for (name, param) in params {
        if let Some(param) = param.filter(|p| !p.shape().iter().map(|&d| d as i64).eq(list.iter().copied())) {
            return Err(Error::runtime(
                op,
                format!(
                    "Expected {name} to be of same shape as normalized_shape, but got {name} of shape {:?} and normalized_shape = {list:?}",
                    param.shape()
                ),
            ));
        }
    }
    let front = shape.len().wrapping_sub(list.len());
    if list.len() > shape.len() || !shape[front..].iter().map(|&d| d as i64).eq(list.iter().copied()) {
        let sizes: Vec<String> = list.iter().map(i64::to_string).collect();
        let comma = if op == "rms_norm" { "" } else { ", " };
        return Err(Error::runtime(
            op,
            format!(
                "Given normalized_shape={list:?}, expected input with shape [*{comma}{}], but got input of size{shape:?}",
                sizes.join(", ")
            ),
        ));
    }
    let mut stats = shape.clone();
    stats[front..].fill(1);
    Ok(Shape { normalized: normalized.to_shape(op)?, rows: shape[..front].iter().product(), stats })
}

impl Tensor {
    /// Layer normalization over the last dimensions, which have `normalized_shape`:
    /// `(x - mean) / sqrt(var + eps) * weight + bias`, with the biased variance of each row.
    ///
    /// Ba et al., *Layer Normalization* (2016).
    ///
    /// # Errors
    /// Shapes that do not fit; integers; dtypes that PyTorch does not mix.
    ///
    /// ```
    /// # use firebrick_core::Tensor;
    /// let x = Tensor::new([[1.0f32, 3.0], [5.0, 5.0]])?;
    /// assert_eq!(x.layer_norm([2], None, None, 0.0f64.max(1e-12))?.to_vec::<f32>()?, [-1.0, 1.0, 0.0, 0.0]);
    /// # Ok::<_, firebrick_core::Error>(())
    /// ```
    pub fn layer_norm(
        &self,
        normalized_shape: impl Into<Sizes>,
        weight: Option<&Tensor>,
        bias: Option<&Tensor>,
        eps: f64,
    ) -> Result<Tensor> {
        Ok(layer_norm("layer_norm", self, &normalized_shape.into(), weight, bias, eps)?.0)
    }

    /// [`Tensor::layer_norm`] with the mean and one over the deviation of each row, which are not differentiable.
    ///
    /// ```
    /// # use firebrick_core::Tensor;
    /// let x = Tensor::new([[1.0f32, 3.0]])?;
    /// let (y, mean, rstd) = x.native_layer_norm(2, None, None, 0.0)?;
    /// assert_eq!(y.to_vec::<f32>()?, [-1.0, 1.0]);
    /// assert_eq!(mean.to_vec::<f32>()?, [2.0]);
    /// assert_eq!(rstd.to_vec::<f32>()?, [1.0]);
    /// # Ok::<_, firebrick_core::Error>(())
    /// ```
    pub fn native_layer_norm(
        &self,
        normalized_shape: impl Into<Sizes>,
        weight: Option<&Tensor>,
        bias: Option<&Tensor>,
        eps: f64,
    ) -> Result<(Tensor, Tensor, Tensor)> {
        layer_norm("native_layer_norm", self, &normalized_shape.into(), weight, bias, eps)
    }

    /// Root-mean-square normalization over the last dimensions: `x / sqrt(mean(x^2) + eps) * weight`.
    ///
    /// Without `eps`, the smallest step at 1 of the dtype that is computed in. Zhang and Sennrich, *Root Mean Square
    /// Layer Normalization*, NeurIPS (2019).
    ///
    /// # Errors
    /// As [`Tensor::layer_norm`].
    ///
    /// ```
    /// # use firebrick_core::Tensor;
    /// let x = Tensor::new([3.0f64, -3.0])?;
    /// assert_eq!(x.rms_norm([2], None, 0.0)?.to_vec::<f64>()?, [1.0, -1.0]);
    /// # Ok::<_, firebrick_core::Error>(())
    /// ```
    pub fn rms_norm(
        &self,
        normalized_shape: impl Into<Sizes>,
        weight: Option<&Tensor>,
        eps: impl Into<Option<f64>>,
    ) -> Result<Tensor> {
        const OP: &str = "rms_norm";
        let (x, sizes) = (self.resolve(OP)?, normalized_shape.into());
        let weight = weight.map(|w| w.resolve(OP)).transpose()?;
        check(OP, &x, &sizes, [("weight", weight.as_ref()), ("bias", None)])?;
        refuse_integers(OP, OP, &x)?;
        let wide = if x.dtype().size() == 2 { x.to(DType::F32)? } else { x.clone() };
        let step = if wide.dtype() == DType::F64 { f64::EPSILON } else { f64::from(f32::EPSILON) };
        let dims: Vec<i64> = (1..=sizes.len() as i64).map(|d| -d).collect();
        let scale = wide.square()?.mean_dim(dims, true)?.add(eps.into().unwrap_or(step))?.rsqrt()?;
        let normal = wide.mul(&scale)?;
        let out = match &weight {
            Some(weight) => normal.mul(weight)?,
            None => normal,
        };
        out.to(x.dtype())
    }
}

fn layer_norm(
    op: &'static str,
    x: &Tensor,
    normalized: &Sizes,
    weight: Option<&Tensor>,
    bias: Option<&Tensor>,
    eps: f64,
) -> Result<(Tensor, Tensor, Tensor)> {
    let x = x.resolve(op)?;
    let weight = weight.map(|w| w.resolve(op)).transpose()?;
    let bias = bias.map(|b| b.resolve(op)).transpose()?;
    let (weight, bias) = (weight.as_ref(), bias.as_ref());
    let shape = check(op, &x, normalized, [("weight", weight), ("bias", bias)])?;
    refuse_integers(op, "LayerNormKernelImpl", &x)?;
    let stats = stats_dtype(op, &x, &[weight, bias])?;
    let device = x.device();
    let out = Body::alloc(x.shape(), x.dtype(), device)?;
    let mean = Body::zeros(shape.stats.clone(), stats, device)?;
    let rstd = Body::zeros(shape.stats.clone(), stats, device)?;
    let n = shape.normalized.numel();
    let norm = NormRows { groups: 1, inner: 1, eps, weight: flat_param(weight)?, bias: flat_param(bias)? };
    if out.numel() > 0 {
        backend::of(device)?.normalize_rows(&norm, &flat(&x, &[shape.rows, n])?, &out, &mean, &rstd)?;
    }
    let (out, mean, rstd) = (Tensor::from_body(out), Tensor::from_body(mean), Tensor::from_body(rstd));
    let recorded = Recorded {
        name: "NativeLayerNormBackward0",
        inputs: &[Some(&x), weight, bias],
        saved: &[Some(&x), Some(&mean), Some(&rstd), weight],
        outputs: &[&out],
        saves_outputs: false,
    };
    recorded.with(move |seen, grads, needs| match &grads[0] {
        Some(g) if is_grad_enabled() => composed_grads(&shape, g, seen, needs, eps),
        Some(g) => kernel_grads(&shape, g, seen, needs, eps),
        None => Ok(smallvec![None; 3]),
    })?;
    Ok((out, mean, rstd))
}

fn kernel_grads(shape: &Shape, g: &Tensor, seen: &Seen, needs: &[bool], eps: f64) -> Result<Grads> {
    let [Some(x), Some(mean), Some(rstd), weight] = &seen[..] else { return Ok(smallvec![None; 3]) };
    let (n, device) = (shape.normalized.numel(), x.device());
    let zeros = |needed: bool, shape: &Dims, dtype: DType| {
        needed.then(|| Body::zeros(shape.clone(), dtype, device)).transpose()
    };
    // Parameters may be of another dtype than the input; bias is of the weight's.
    let dtype = mean.dtype();
    let out = NormGrad {
        input: zeros(needs[0], &x.shape(), x.dtype())?,
        weight: zeros(needs[1], &shape.normalized, dtype)?,
        bias: zeros(needs[2], &shape.normalized, dtype)?,
    };
    if x.numel() > 0 {
        let norm = NormRows { groups: 1, inner: 1, eps, weight: flat_param(weight.as_ref())?, bias: None };
        let (g, x) = (flat(g, &[shape.rows, n])?, flat(x, &[shape.rows, n])?);
        let noted = [&mean.body(), &rstd.body()];
        backend::of(device)?.normalize_rows_grad(&norm, &g, &x, noted, &out)?;
    }
    Ok([out.input, out.weight, out.bias].into_iter().map(|b| b.map(Tensor::from_body)).collect())
}

fn composed_grads(shape: &Shape, g: &Tensor, seen: &Seen, needs: &[bool], eps: f64) -> Result<Grads> {
    let [Some(x), _, _, weight] = &seen[..] else { return Ok(smallvec![None; 3]) };
    let dims: Vec<i64> = (1..=shape.normalized.len() as i64).map(|d| -d).collect();
    let norm = Composed { x, dims: &dims, weight: weight.as_ref(), eps, fixed: None };
    let grads = norm.grads(g, None, None)?;
    let weight = needs[1].then(|| grads.weight.sum_to_size(&shape.normalized)).transpose()?;
    let bias = needs[2].then(|| g.sum_to_size(&shape.normalized)).transpose()?;
    Ok(smallvec![Some(grads.input), weight, bias])
}

/// Input, and so many of weight and bias.
fn samples(params: usize, f: fn(&[Tensor], Vec<i64>) -> Result<Tensor>) -> Result<Vec<Sample>> {
    let sample = |traits, x: Tensor, normalized: &[usize]| -> Result<Sample> {
        let sizes: Vec<i64> = normalized.iter().map(|&d| d as i64).collect();
        let mut inputs = vec![x, ANY.tensor(normalized, 21)?, ANY.tensor(normalized, 22)?];
        inputs.truncate(1 + params);
        Ok(sample::one(traits, inputs, move |x| f(x, sizes.clone())))
    };
    Ok(vec![
        sample(Trait::Plain, ANY.tensor(&[3, 4], 1)?, &[4])?,
        sample(Trait::Plain, ANY.tensor(&[2, 2, 3], 2)?, &[2, 3])?,
        sample(Trait::Strided, ANY.strided(&[3, 3], 3)?, &[3])?,
        sample(Trait::Empty, ANY.tensor(&[0, 3], 4)?, &[3])?,
    ])
}

by_hand! {
    table: LAYER;
    layer_norm as "NativeLayerNormBackward0": samples(2, |x, sizes| x[0].layer_norm(sizes, Some(&x[1]), Some(&x[2]), 1e-3));
    native_layer_norm as "NativeLayerNormBackward0": samples(1, |x, sizes| Ok(x[0].native_layer_norm(sizes, Some(&x[1]), None, 1e-3)?.0));
    rms_norm: samples(1, |x, sizes| x[0].rms_norm(sizes, Some(&x[1]), 1e-3));
}
