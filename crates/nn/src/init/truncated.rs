//! The normal distribution cut off on both sides.

use super::{normal_, uniform_, write};
use crate::warn;
use firebrick_core::autograd::no_grad;
use firebrick_core::{DType, Result, Tensor};
use half::{bf16, f16};

/// Fills `tensor` with normal numbers of which those outside `[a, b]` are drawn again.
///
/// Where `[a, b]` holds more than 30 % of the distribution, whole fills are drawn until every element has had a value
/// inside; else uniform numbers are kept with the probability of their density. Both rules and their draws are PyTorch
/// 2.15's; older versions took another. A `mean` more than two `std` outside prints PyTorch's warning.
///
/// # Errors
/// `std` below 0; a dtype that is no floating-point one; `a > b`.
///
/// ```
/// use firebrick_core::{Generator, Tensor};
/// let weight = Tensor::empty([1000])?;
/// Generator::new().manual_seed(0).scope(|| {
///     firebrick_nn::init::trunc_normal_(&weight, 0.0, 1.0, -2.0, 2.0).map(drop)
/// })?;
/// assert!(weight.to_vec::<f32>()?.iter().all(|v| v.abs() <= 2.0));
/// # Ok::<_, firebrick_core::Error>(())
/// ```
pub fn trunc_normal_(tensor: &Tensor, mean: f64, std: f64, a: f64, b: f64) -> Result<&Tensor> {
    if mean < a - 2.0 * std || mean > b + 2.0 * std {
        warn(
            "mean is more than 2 std from [a, b] in nn.init.trunc_normal_. The distribution of values may be incorrect.",
        );
    }
    let below = |x: f64| (1.0 + libm::erf((x - mean) / std / 2.0_f64.sqrt())) / 2.0;
    if below(b) - below(a) > 0.3 {
        redraw_outside(tensor, mean, std, a, b)
    } else {
        reject_by_density(tensor, mean, std, a, b)
    }
}

/// A tensor like `tensor`, laid out alike, to draw into.
fn scratch(tensor: &Tensor) -> Result<Tensor> {
    tensor.detach().copy()
}

fn redraw_outside(tensor: &Tensor, mean: f64, std: f64, a: f64, b: f64) -> Result<&Tensor> {
    let rounding = Rounding::of(tensor.dtype());
    let (low, high) = (rounding.round(a), rounding.round(b));
    let outside = |v: &f64| *v < low || *v > high;
    normal_(tensor, mean, std)?;
    if tensor.is_meta() {
        return Ok(tensor);
    }
    let mut values = tensor.to_vec::<f64>()?;
    if !values.iter().any(outside) {
        return Ok(tensor);
    }
    let scratch = scratch(tensor)?;
    while values.iter().any(outside) {
        let fresh = scratch.normal_(mean, std)?.to_vec::<f64>()?;
        values.iter_mut().zip(fresh).filter(|(v, _)| outside(v)).for_each(|(v, fresh)| *v = fresh);
    }
    write(tensor, &values)
}

fn reject_by_density(tensor: &Tensor, mean: f64, std: f64, a: f64, b: f64) -> Result<&Tensor> {
    let rounding = Rounding::of(tensor.dtype());
    let mode = a.max(b.min(mean));
    let log_peak = -0.5 * ((mode - mean) / std).powi(2);
    // In steps, each rounded to the dtype, as a chain of operations on tensors does it.
    let log_density = |v: f64| {
        let z = rounding.by(|v, by| v / by, rounding.by(|v, by| v - by, v, mean), std);
        rounding.by(|v, by| v - by, rounding.by(|v, by| v * by, rounding.by(|v, by| v * by, z, z), -0.5), log_peak)
    };
    uniform_(tensor, a, b)?;
    if tensor.is_meta() {
        return Ok(tensor);
    }
    let mut values = tensor.to_vec::<f64>()?;
    let mut pending = vec![true; values.len()];
    let (candidates, tosses) = (scratch(tensor)?, scratch(tensor)?);
    let mut fresh = values.clone();
    loop {
        let tossed = tosses.uniform_(0.0, 1.0)?.to_vec::<f64>()?;
        for (i, pending) in pending.iter_mut().enumerate().filter(|(_, pending)| **pending) {
            values[i] = fresh[i];
            *pending = rounding.ln(tossed[i]) > log_density(fresh[i]);
        }
        if !pending.contains(&true) {
            return no_grad(|| write(tensor, &values));
        }
        fresh = candidates.uniform_(a, b)?.to_vec::<f64>()?;
    }
}

/// How a dtype rounds; numbers themselves are carried in double precision.
#[derive(Clone, Copy)]
struct Rounding(DType);

impl Rounding {
    fn of(dtype: DType) -> Self {
        Rounding(dtype)
    }

    /// The nearest number of the dtype, by way of float32 for the small types.
    fn round(self, v: f64) -> f64 {
        match self.0 {
            DType::F64 => v,
            DType::F16 => f16::from_f32(v as f32).to_f64(),
            DType::BF16 => bf16::from_f32(v as f32).to_f64(),
            _ => f64::from(v as f32),
        }
    }

    /// `f` of an element and a number. The number is not rounded to a small type, only to float32.
    fn by(self, f: fn(f64, f64) -> f64, v: f64, number: f64) -> f64 {
        let number = if self.0 == DType::F64 { number } else { f64::from(number as f32) };
        self.round(f(v, number))
    }

    fn ln(self, v: f64) -> f64 {
        self.round(if self.0 == DType::F64 { v.ln() } else { f64::from((v as f32).ln()) })
    }
}
