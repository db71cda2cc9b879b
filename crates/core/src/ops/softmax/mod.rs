//! Softmax and its logarithm.

use crate::autograd::is_grad_enabled;
use crate::backend;
use crate::dims::wrap_dim;
use crate::ops::reduce::samples::along_dim;
use crate::ops::sample::ANY;
use crate::ops::{by_hand, record_all::of_one};
use crate::{Body, Error, Result, Tensor};

/// Which of the two.
#[derive(Clone, Copy)]
struct Softmax {
    op: &'static str,
    name: &'static str,
    log: bool,
}

const SOFTMAX: Softmax = Softmax { op: "softmax", name: "SoftmaxBackward0", log: false };
const LOG_SOFTMAX: Softmax = Softmax { op: "log_softmax", name: "LogSoftmaxBackward0", log: true };

impl Softmax {
    fn along(self, x: &Tensor, dim: i64) -> Result<Tensor> {
        let x = x.resolve(self.op)?;
        let input = x.body();
        let dim = wrap_dim(self.op, dim, input.shape.len())?;
        if !input.dtype.is_floating_point() {
            let last = if dim + 1 >= input.shape.len() { "_lastdim" } else { "" };
            let text = format!("\"{}{last}_kernel_impl\" not implemented for '{}'", self.op, input.dtype.scalar_name());
            return Err(Error::not_implemented(self.op, text).remedy("convert it to a floating-point dtype first"));
        }
        let out = Body::alloc(input.shape.clone(), input.dtype, input.device())?;
        if input.numel() > 0 {
            backend::of(input.device())?.softmax(self.log, &input, dim, &out)?;
        }
        let out = Tensor::from_body(out);
        of_one(self.name, &x, &[], true, out, move |seen, g| self.grad(g, seen[0], dim))
    }

    /// The gradient of the input from that of the result `y`: by a kernel, or, where the pass itself is recorded, by
    /// operations that have gradients.
    fn grad(self, g: &Tensor, y: &Tensor, dim: usize) -> Result<Tensor> {
        if !is_grad_enabled() {
            let (grad, result) = (g.body(), y.body());
            let out = Body::alloc(result.shape.clone(), result.dtype, result.device())?;
            if out.numel() > 0 {
                backend::of(result.device())?.softmax_grad(self.log, &grad, &result, dim, &out)?;
            }
            return Ok(Tensor::from_body(out));
        }
        let dim = dim as i64;
        match self.log {
            true => g.sub(&y.exp()?.mul(&g.sum_dim(dim, true)?)?),
            false => g.sub(&g.mul(y)?.sum_dim(dim, true)?)?.mul(y),
        }
    }
}

impl Tensor {
    /// `exp(x)` along `dim`, scaled so that it sums to one: `exp(x_i) / sum_j exp(x_j)`, without overflow.
    ///
    /// Of a row in which everything is minus infinity the result is NaN, as in PyTorch.
    /// PyTorch's `softmax(dim, dtype=...)` is `x.to(dtype)?.softmax(dim)`.
    ///
    /// # Errors
    /// The dimension is out of range; integers and bools.
    ///
    /// ```
    /// # use firebrick_core::Tensor;
    /// let x = Tensor::new([0.0f32, 3f32.ln()])?;
    /// let y = x.softmax(0)?.to_vec::<f32>()?;
    /// assert!((y[0] - 0.25).abs() < 1e-6 && (y[1] - 0.75).abs() < 1e-6);
    /// # Ok::<_, firebrick_core::Error>(())
    /// ```
    pub fn softmax(&self, dim: i64) -> Result<Tensor> {
        SOFTMAX.along(self, dim)
    }

    /// The logarithm of [`Tensor::softmax`], without its loss of precision.
    ///
    /// ```
    /// # use firebrick_core::Tensor;
    /// assert_eq!(Tensor::new([5.0f32, 5.0])?.log_softmax(-1)?.to_vec::<f32>()?, [-(2f32.ln()); 2]);
    /// # Ok::<_, firebrick_core::Error>(())
    /// ```
    pub fn log_softmax(&self, dim: i64) -> Result<Tensor> {
        LOG_SOFTMAX.along(self, dim)
    }

    /// [`Tensor::softmax`] of `-x`.
    ///
    /// ```
    /// # use firebrick_core::Tensor;
    /// assert_eq!(Tensor::new([0.0f32, 1.0])?.softmin(0)?.to_string(), "tensor([0.7311, 0.2689])");
    /// # Ok::<_, firebrick_core::Error>(())
    /// ```
    pub fn softmin(&self, dim: i64) -> Result<Tensor> {
        self.neg()?.softmax(dim)
    }
}

by_hand! {
    table: SOFTMAXES;
    softmax as "SoftmaxBackward0": along_dim(ANY, |x, dim| x.softmax(dim));
    log_softmax as "LogSoftmaxBackward0": along_dim(ANY, |x, dim| x.log_softmax(dim));
    softmin: along_dim(ANY, |x, dim| x.softmin(dim));
}

/// The rows of this family.
pub(crate) const TABLES: &[&[crate::ops::Row]] = &[SOFTMAXES];
