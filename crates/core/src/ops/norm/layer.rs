//! Layer normalization.

use super::fused::{Inputs, record};
use crate::backend::{self, RowNorm};
use crate::dtype::DType;
use crate::ops::by_hand;
use crate::ops::elementwise::mixed_devices;
use crate::ops::sample::{self, ANY, Sample, Trait};
use crate::{Body, Dims, Error, Result, Sizes, Tensor};

fn check(x: &Tensor, normalized: &Dims, weight: Option<&Tensor>, bias: Option<&Tensor>) -> Result<()> {
    let refuse = |text: String| Err(Error::runtime("layer_norm", text));
    if normalized.is_empty() {
        return refuse(
            "Expected normalized_shape to be at least 1-dimensional, i.e., containing at least one element, but got normalized_shape = []".into(),
        );
    }
    for (name, tensor) in [("weight", weight), ("bias", bias)] {
        let Some(tensor) = tensor else { continue };
        if tensor.shape() != *normalized {
            return refuse(format!(
                "Expected {name} to be of same shape as normalized_shape, but got {name} of shape {:?} and normalized_shape = {normalized:?}",
                tensor.shape()
            ));
        }
        if tensor.device() != x.device() {
            return Err(mixed_devices("layer_norm", x.device(), tensor.device()));
        }
    }
    let shape = x.shape();
    if !shape.ends_with(normalized) {
        let list: String = normalized.iter().map(|d| format!(", {d}")).collect();
        return refuse(format!(
            "Given normalized_shape={normalized:?}, expected input with shape [*{list}], but got input of size{shape:?}"
        ));
    }
    if !x.is_floating_point() {
        let name = x.dtype().scalar_name();
        return Err(Error::not_implemented("layer_norm", format!("\"LayerNormKernelImpl\" not implemented for '{name}'")));
    }
    check_dtypes("layer_norm", x, [weight, bias])
}

/// One dtype for all; half precision may come with float32 parameters.
pub(super) fn check_dtypes<const N: usize>(op: &'static str, x: &Tensor, others: [Option<&Tensor>; N]) -> Result<()> {
    let half = matches!(x.dtype(), DType::F16 | DType::BF16);
    let fits = |t: &&Tensor| t.dtype() == x.dtype() || (half && t.dtype() == DType::F32);
    if others.iter().flatten().all(fits) {
        return Ok(());
    }
    Err(Error::runtime(op, "mixed dtype (CPU): all inputs must share same datatype."))
}

/// Contiguous, in the dtype that kernels compute in.
pub(super) fn dense(x: &Tensor) -> Result<Body> {
    let dtype = if x.dtype() == DType::F64 { DType::F64 } else { DType::F32 };
    Ok(x.detach().to(dtype)?.contiguous()?.body())
}

fn sizes(x: &Tensor, normalized: &Dims, eps: f64) -> RowNorm {
    let columns = normalized.numel();
    let rows = x.shape()[..x.dim() - normalized.len()].iter().product();
    RowNorm { rows, columns, eps }
}

fn forward(x: &Tensor, normalized: &Dims, weight: Option<&Tensor>, bias: Option<&Tensor>, eps: f64) -> Result<[Tensor; 3]> {
    let n = sizes(x, normalized, eps);
    let input = dense(x)?;
    let (weight, bias) = (weight.map(dense).transpose()?, bias.map(dense).transpose()?);
    let mut kept: Dims = x.shape();
    let first = kept.len() - normalized.len();
    kept[first..].fill(1);
    let out = Body::alloc(x.shape(), input.dtype, input.device())?;
    let mean = Body::alloc(kept.clone(), input.dtype, input.device())?;
    let invstd = Body::alloc(kept, input.dtype, input.device())?;
    backend::of(input.device())?.row_norm_forward(&n, &input, [weight.as_ref(), bias.as_ref()], [&out, &mean, &invstd])?;
    Ok([Tensor::from_body(out).to(x.dtype())?, Tensor::from_body(mean), Tensor::from_body(invstd)])
}

fn backward(
    g: &Tensor,
    x: &Tensor,
    statistics: [&Tensor; 2],
    weight: Option<&Tensor>,
    normalized: &Dims,
    eps: f64,
) -> Result<[Tensor; 3]> {
    let (grad, input) = (dense(g)?, dense(x)?);
    let weight = weight.map(dense).transpose()?;
    let make = |shape: Dims| Body::alloc(shape, input.dtype, input.device());
    let grads = [make(x.shape())?, make(normalized.clone())?, make(normalized.clone())?];
    let statistics = [statistics[0].body(), statistics[1].body()];
    backend::of(input.device())?.row_norm_backward(
        &sizes(x, normalized, eps),
        [&grad, &input, &statistics[0], &statistics[1]],
        weight.as_ref(),
        [&grads[0], &grads[1], &grads[2]],
    )?;
    Ok(grads.map(Tensor::from_body))
}

/// The formula itself.
fn composed(inputs: Inputs<'_>, rank: usize, eps: f64) -> Result<Tensor> {
    let dims: Vec<i64> = (1..=rank as i64).map(|d| -d).collect();
    let centered = inputs.x.sub(&inputs.x.mean_dim(dims.clone(), true)?)?;
    let variance = centered.mul(&centered)?.mean_dim(dims, true)?;
    scaled(&centered.mul(&variance.add(eps)?.rsqrt()?)?, inputs.weight, inputs.bias)
}

/// `x * weight + bias`, as far as they are given.
pub(super) fn scaled(x: &Tensor, weight: Option<&Tensor>, bias: Option<&Tensor>) -> Result<Tensor> {
    let x = weight.map_or_else(|| Ok(x.clone()), |w| x.mul(w))?;
    bias.map_or_else(|| Ok(x.clone()), |b| x.add(b))
}

impl Tensor {
    /// Normalizes over the last dimensions, those of `normalized_shape`: `(x - mean) / sqrt(var + eps) * weight + bias`,
    /// with the biased variance.
    ///
    /// Ba, Kiros, Hinton, *Layer Normalization* (2016).
    ///
    /// # Errors
    /// Sizes or dtypes that do not fit, in PyTorch's words.
    ///
    /// ```
    /// # use firebrick_core::Tensor;
    /// let y = Tensor::new([[1.0f32, 3.0]])?.layer_norm([2], None, None, 0.0)?;
    /// assert_eq!(y.to_vec::<f32>()?, [-1.0, 1.0]);
    /// # Ok::<_, firebrick_core::Error>(())
    /// ```
    pub fn layer_norm(
        &self,
        normalized_shape: impl Into<Sizes>,
        weight: Option<&Tensor>,
        bias: Option<&Tensor>,
        eps: f64,
    ) -> Result<Tensor> {
        Ok(self.native_layer_norm(normalized_shape, weight, bias, eps)?.0)
    }

    /// [`Tensor::layer_norm`] with the mean and the reciprocal standard deviation of each row.
    pub fn native_layer_norm(
        &self,
        normalized_shape: impl Into<Sizes>,
        weight: Option<&Tensor>,
        bias: Option<&Tensor>,
        eps: f64,
    ) -> Result<(Tensor, Tensor, Tensor)> {
        const OP: &str = "layer_norm";
        let x = self.resolve(OP)?;
        let weight = weight.map(|w| w.resolve(OP)).transpose()?;
        let bias = bias.map(|b| b.resolve(OP)).transpose()?;
        let (weight, bias) = (weight.as_ref(), bias.as_ref());
        let normalized = normalized_shape.into().to_shape(OP)?;
        check(&x, &normalized, weight, bias)?;
        let [out, mean, invstd] = forward(&x, &normalized, weight, bias, eps)?;
        let rank = normalized.len();
        record(
            "NativeLayerNormBackward0",
            Inputs { x: &x, weight, bias },
            [&mean, &invstd],
            &out,
            move |g, x, statistics, weight| backward(g, x, statistics, weight, &normalized, eps),
            move |inputs, _| composed(inputs, rank, eps),
        )?;
        Ok((out, mean, invstd))
    }
}

fn samples(f: fn(&Tensor, &Tensor, &Tensor) -> Result<Tensor>) -> Result<Vec<Sample>> {
    let call = move |x: &[Tensor]| f(&x[0], &x[1], &x[2]);
    let with = |x: Tensor| -> Result<Vec<Tensor>> { Ok(vec![x, ANY.tensor(&[3], 1)?, ANY.tensor(&[3], 2)?]) };
    Ok(vec![
        sample::one(Trait::Plain, with(ANY.tensor(&[2, 3], 3)?)?, call),
        sample::one(Trait::Strided, with(ANY.strided(&[2, 3], 4)?)?, call),
        sample::one(Trait::Empty, with(ANY.tensor(&[0, 3], 5)?)?, call),
    ])
}

by_hand! {
    table: LAYER_NORM;
    layer_norm as "NativeLayerNormBackward0": samples(|x, w, b| x.layer_norm([3], Some(w), Some(b), 0.1));
    native_layer_norm as "NativeLayerNormBackward0": samples(|x, w, b| Ok(x.native_layer_norm([3], Some(w), Some(b), 0.1)?.0));
}
