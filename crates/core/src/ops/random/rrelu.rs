//! The rectifier with a random slope below zero.

use super::distribution::not_implemented;
use crate::ops::by_hand;
use crate::ops::sample::{self, ANY};
use crate::random::current_generator;
use crate::{DType, Error, Generator, Result, Tensor, TensorOptions};

/// What training multiplies each element by: 1 above zero, else a slope of `[lower, upper)`.
fn slopes(op: &'static str, x: &Tensor, lower: f64, upper: f64) -> Result<Tensor> {
    let dtype = x.dtype();
    if !matches!(dtype, DType::F32 | DType::F64) {
        return Err(not_implemented(op, "rrelu_with_noise_out_cpu", dtype));
    }
    // PyTorch rounds the bounds to the dtype, but not what it draws between them.
    let bound = |v: f64| if dtype == DType::F32 { f64::from(v as f32) } else { v };
    let (lower, upper) = (bound(lower), bound(upper));
    if x.is_meta() {
        return x.ones_like();
    }
    let generator = current_generator();
    let engine = &mut *generator.lock();
    let mut slope = |v: f64| if v <= 0.0 { engine.uniform_f64() * (upper - lower) + lower } else { 1.0 };
    let slopes: Vec<f64> = x.to_vec::<f64>()?.into_iter().map(&mut slope).collect();
    Tensor::from_slice_with(&slopes, x.shape(), TensorOptions::from(dtype).device(x.device()))
}

fn check_bounds(op: &'static str, lower: f64, upper: f64) -> Result<()> {
    for (name, bound) in [("lower", lower), ("upper", upper)] {
        if !bound.is_finite() {
            let text = format!("rrelu: {name} bound must be finite, got {}", bound.to_string().to_lowercase());
            return Err(Error::runtime(op, text));
        }
    }
    if lower > upper {
        return Err(Error::runtime(op, "Lower bound should be less than or equal to the upper bound"));
    }
    Ok(())
}

by_hand! {
    table: RRELU;

    rrelu in rrelu_: sample::unary(ANY, |x| Generator::new().manual_seed(3).scope(|| x.rrelu(0.1, 0.4, true)));
}

impl Tensor {
    /// The element itself above zero, else the element times a slope: drawn from `[lower, upper)` for each element
    /// while `training`, else `(lower + upper) / 2`. PyTorch's defaults are 1/8 and 1/3.
    ///
    /// Xu et al., *Empirical Evaluation of Rectified Activations in Convolutional Network* (2015).
    ///
    /// # Errors
    /// A bound that is not finite, or a lower one above the upper one; a dtype other than float32 and float64 while
    /// training.
    ///
    /// ```
    /// # use firebrick_core::{Generator, Tensor};
    /// let x = Tensor::new([-3.0f32, 2.0])?;
    /// let y = Generator::new().manual_seed(0).scope(|| x.rrelu(1.0 / 8.0, 1.0 / 3.0, true))?;
    /// assert_eq!(y.to_vec::<f32>()?, [-0.981_283_1, 2.0]);
    /// # Ok::<_, firebrick_core::Error>(())
    /// ```
    pub fn rrelu(&self, lower: f64, upper: f64, training: bool) -> Result<Tensor> {
        let x = self.resolve("rrelu")?;
        check_bounds("rrelu", lower, upper)?;
        match training {
            true => x.mul(slopes("rrelu", &x.detach(), lower, upper)?),
            false => x.leaky_relu((lower + upper) / 2.0),
        }
    }

    #[doc = crate::ops::in_place_doc!(rrelu_ of rrelu (0.1, 0.3, false))]
    #[track_caller]
    pub fn rrelu_(&self, lower: f64, upper: f64, training: bool) -> Result<&Tensor> {
        let _running = crate::source::operation();
        let x = self.resolve("rrelu_")?;
        check_bounds("rrelu_", lower, upper)?;
        match training {
            true => x.mul_(slopes("rrelu_", &x.detach(), lower, upper)?)?,
            false => x.leaky_relu_((lower + upper) / 2.0)?,
        };
        Ok(self)
    }
}
