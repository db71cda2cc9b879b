//! Activation functions.
//!
//! In-place forms are the tensor's own methods that end in `_`.

use crate::warn;
use firebrick_core::amp::autocast_cast;
use firebrick_core::{DType, Error, Result, Tensor};

macro_rules! functions {
    ($($(#[$doc:meta])* fn $name:ident(input $(, $arg:ident: $ty:ty)*);)*) => { $(
        $(#[$doc])*
        ///
        /// # Errors
        /// A dtype or an argument that the function does not take, in PyTorch's words.
        pub fn $name(input: &Tensor $(, $arg: $ty)*) -> Result<Tensor> {
            input.$name($($arg),*)
        }
    )* };
}

functions! {
    /// `max(0, x)`.
    ///
    /// ```
    /// use firebrick::nn::functional as F;
    /// use firebrick::prelude::*;
    /// assert_eq!(F::relu(&Tensor::new([-1.0f32, 2.0])?)?.to_vec::<f32>()?, [0.0, 2.0]);
    /// # Ok::<_, firebrick::Error>(())
    /// ```
    fn relu(input);
    /// `min(max(0, x), 6)`.
    ///
    /// ```
    /// use firebrick::nn::functional as F;
    /// use firebrick::prelude::*;
    /// assert_eq!(F::relu6(&Tensor::new([-1.0f32, 8.0])?)?.to_vec::<f32>()?, [0.0, 6.0]);
    /// # Ok::<_, firebrick::Error>(())
    /// ```
    fn relu6(input);
    /// `1 / (1 + exp(-x))`.
    ///
    /// ```
    /// use firebrick::nn::functional as F;
    /// use firebrick::prelude::*;
    /// assert_eq!(F::sigmoid(&Tensor::new([0.0f32, 2.0])?)?.to_string(), "tensor([0.5000, 0.8808])");
    /// # Ok::<_, firebrick::Error>(())
    /// ```
    fn sigmoid(input);
    /// `tanh(x)`.
    ///
    /// ```
    /// use firebrick::nn::functional as F;
    /// use firebrick::prelude::*;
    /// assert_eq!(F::tanh(&Tensor::new([0.0f32, 1.0])?)?.to_string(), "tensor([0.0000, 0.7616])");
    /// # Ok::<_, firebrick::Error>(())
    /// ```
    fn tanh(input);
    /// `x P(X <= x)` for a standard normal `X`; `approximate` is `"none"` or `"tanh"`.
    ///
    /// ```
    /// use firebrick::nn::functional as F;
    /// use firebrick::prelude::*;
    /// assert_eq!(F::gelu(&Tensor::new([-1.0f32, 1.0])?, "none")?.to_string(), "tensor([-0.1587,  0.8413])");
    /// # Ok::<_, firebrick::Error>(())
    /// ```
    fn gelu(input, approximate: &str);
    /// `x sigmoid(x)`.
    ///
    /// ```
    /// use firebrick::nn::functional as F;
    /// use firebrick::prelude::*;
    /// assert_eq!(F::silu(&Tensor::new([-1.0f32, 1.0])?)?.to_string(), "tensor([-0.2689,  0.7311])");
    /// # Ok::<_, firebrick::Error>(())
    /// ```
    fn silu(input);
    /// `x tanh(softplus(x))`.
    ///
    /// ```
    /// use firebrick::nn::functional as F;
    /// use firebrick::prelude::*;
    /// assert_eq!(F::mish(&Tensor::new([-1.0f32, 1.0])?)?.to_string(), "tensor([-0.3034,  0.8651])");
    /// # Ok::<_, firebrick::Error>(())
    /// ```
    fn mish(input);
    /// `ln(1 + exp(beta x)) / beta`, and `x` itself where `beta x > threshold`. PyTorch's defaults are 1 and 20.
    ///
    /// ```
    /// use firebrick::nn::functional as F;
    /// use firebrick::prelude::*;
    /// assert_eq!(F::softplus(&Tensor::new([0.0f32, 30.0])?, 1.0, 20.0)?.to_string(), "tensor([ 0.6931, 30.0000])");
    /// # Ok::<_, firebrick::Error>(())
    /// ```
    fn softplus(input, beta: f64, threshold: f64);
    /// `x` above zero, else `alpha (exp(x) - 1)`. PyTorch's default is 1.
    ///
    /// ```
    /// use firebrick::nn::functional as F;
    /// use firebrick::prelude::*;
    /// assert_eq!(F::elu(&Tensor::new([-1.0f32, 2.0])?, 1.0)?.to_string(), "tensor([-0.6321,  2.0000])");
    /// # Ok::<_, firebrick::Error>(())
    /// ```
    fn elu(input, alpha: f64);
    /// [`elu`] with the constants that keep mean 0 and variance 1.
    ///
    /// ```
    /// use firebrick::nn::functional as F;
    /// use firebrick::prelude::*;
    /// assert_eq!(F::selu(&Tensor::new([-1.0f32, 2.0])?)?.to_string(), "tensor([-1.1113,  2.1014])");
    /// # Ok::<_, firebrick::Error>(())
    /// ```
    fn selu(input);
    /// `max(0, x) + min(0, alpha (exp(x / alpha) - 1))`. PyTorch's default is 1.
    ///
    /// ```
    /// use firebrick::nn::functional as F;
    /// use firebrick::prelude::*;
    /// assert_eq!(F::celu(&Tensor::new([-1.0f32, 2.0])?, 2.0)?.to_string(), "tensor([-0.7869,  2.0000])");
    /// # Ok::<_, firebrick::Error>(())
    /// ```
    fn celu(input, alpha: f64);
    /// `x` above zero, else `negative_slope x`. PyTorch's default is 0.01.
    ///
    /// ```
    /// use firebrick::nn::functional as F;
    /// use firebrick::prelude::*;
    /// assert_eq!(F::leaky_relu(&Tensor::new([-1.0f32, 2.0])?, 0.01)?.to_vec::<f32>()?, [-0.01, 2.0]);
    /// # Ok::<_, firebrick::Error>(())
    /// ```
    fn leaky_relu(input, negative_slope: f64);
    /// `x` within the bounds. PyTorch's defaults are -1 and 1.
    ///
    /// ```
    /// use firebrick::nn::functional as F;
    /// use firebrick::prelude::*;
    /// assert_eq!(F::hardtanh(&Tensor::new([-2.0f32, 0.5])?, -1.0, 1.0)?.to_vec::<f32>()?, [-1.0, 0.5]);
    /// # Ok::<_, firebrick::Error>(())
    /// ```
    fn hardtanh(input, min_val: f64, max_val: f64);
    /// `ln(sigmoid(x))`.
    ///
    /// ```
    /// use firebrick::nn::functional as F;
    /// use firebrick::prelude::*;
    /// assert_eq!(F::logsigmoid(&Tensor::new([0.0f32, -200.0])?)?.to_string(), "tensor([  -0.6931, -200.0000])");
    /// # Ok::<_, firebrick::Error>(())
    /// ```
    fn logsigmoid(input);
    /// `relu6(x + 3) / 6`.
    ///
    /// ```
    /// use firebrick::nn::functional as F;
    /// use firebrick::prelude::*;
    /// assert_eq!(F::hardsigmoid(&Tensor::new([-4.0f32, 1.5])?)?.to_vec::<f32>()?, [0.0, 0.75]);
    /// # Ok::<_, firebrick::Error>(())
    /// ```
    fn hardsigmoid(input);
    /// `x relu6(x + 3) / 6`.
    ///
    /// ```
    /// use firebrick::nn::functional as F;
    /// use firebrick::prelude::*;
    /// assert_eq!(F::hardswish(&Tensor::new([1.5f32, 4.0])?)?.to_vec::<f32>()?, [1.125, 4.0]);
    /// # Ok::<_, firebrick::Error>(())
    /// ```
    fn hardswish(input);
    /// `x`, and zero within `[-lambd, lambd]`. PyTorch's default is 0.5.
    ///
    /// ```
    /// use firebrick::nn::functional as F;
    /// use firebrick::prelude::*;
    /// assert_eq!(F::hardshrink(&Tensor::new([0.4f32, 0.6])?, 0.5)?.to_vec::<f32>()?, [0.0, 0.6]);
    /// # Ok::<_, firebrick::Error>(())
    /// ```
    fn hardshrink(input, lambd: f64);
    /// `x` drawn towards zero by `lambd`. PyTorch's default is 0.5.
    ///
    /// ```
    /// use firebrick::nn::functional as F;
    /// use firebrick::prelude::*;
    /// assert_eq!(F::softshrink(&Tensor::new([0.4f32, 1.5])?, 0.5)?.to_vec::<f32>()?, [0.0, 1.0]);
    /// # Ok::<_, firebrick::Error>(())
    /// ```
    fn softshrink(input, lambd: f64);
    /// `x / (1 + |x|)`.
    ///
    /// ```
    /// use firebrick::nn::functional as F;
    /// use firebrick::prelude::*;
    /// assert_eq!(F::softsign(&Tensor::new([-1.0f32, 3.0])?)?.to_vec::<f32>()?, [-0.5, 0.75]);
    /// # Ok::<_, firebrick::Error>(())
    /// ```
    fn softsign(input);
    /// `x - tanh(x)`.
    ///
    /// ```
    /// use firebrick::nn::functional as F;
    /// use firebrick::prelude::*;
    /// assert_eq!(F::tanhshrink(&Tensor::new([0.0f32, 3.0])?)?.to_string(), "tensor([0.0000, 2.0049])");
    /// # Ok::<_, firebrick::Error>(())
    /// ```
    fn tanhshrink(input);
    /// `x` above `threshold`, else `value`.
    ///
    /// ```
    /// use firebrick::nn::functional as F;
    /// use firebrick::prelude::*;
    /// assert_eq!(F::threshold(&Tensor::new([0.5f32, 2.0])?, 1.0, -7.0)?.to_vec::<f32>()?, [-7.0, 2.0]);
    /// # Ok::<_, firebrick::Error>(())
    /// ```
    fn threshold(input, threshold: f64, value: f64);
}

fn refuse_integers(op: &'static str, kernel: &str, input: &Tensor) -> Result<()> {
    match input.is_floating_point() {
        true => Ok(()),
        false => {
            let name = input.dtype().scalar_name();
            Err(Error::not_implemented(op, format!("\"{kernel}\" not implemented for '{name}'")))
        }
    }
}

/// `x` above zero, else `x` times a slope: drawn from `[lower, upper)` for each element while `training`, else
/// `(lower + upper) / 2`. PyTorch's defaults are 1/8, 1/3 and `false`.
///
/// # Errors
/// A dtype other than float32 and float64 while training; an empty range.
///
/// ```
/// use firebrick::nn::functional as F;
/// use firebrick::prelude::*;
/// assert_eq!(F::rrelu(&Tensor::new([-4.0f32, 2.0])?, 0.125, 0.375, false)?.to_vec::<f32>()?, [-1.0, 2.0]);
/// # Ok::<_, firebrick::Error>(())
/// ```
pub fn rrelu(input: &Tensor, lower: f64, upper: f64, training: bool) -> Result<Tensor> {
    input.rrelu(lower, upper, training)
}

/// A sample of the categories along `dim` that has a gradient; see [`Tensor::gumbel_softmax`]. PyTorch's defaults are 1,
/// `false` and -1.
///
/// # Errors
/// `dim` out of range; integers.
///
/// ```
/// use firebrick::nn::functional as F;
/// use firebrick::prelude::*;
/// let sample = F::gumbel_softmax(&Tensor::zeros([3])?, 1.0, true, -1)?;
/// assert_eq!(sample.sum()?.item::<f32>()?, 1.0);
/// # Ok::<_, firebrick::Error>(())
/// ```
pub fn gumbel_softmax(logits: &Tensor, tau: f64, hard: bool, dim: i64) -> Result<Tensor> {
    logits.gumbel_softmax(tau, hard, dim)
}

/// `a sigmoid(b)`, where `a` and `b` are the halves of the input along `dim`. PyTorch's default is -1.
///
/// # Errors
/// An odd size.
///
/// ```
/// use firebrick::nn::functional as F;
/// use firebrick::prelude::*;
/// assert_eq!(F::glu(&Tensor::new([1.0f32, 2.0, 0.0, 0.0])?, -1)?.to_vec::<f32>()?, [0.5, 1.0]);
/// # Ok::<_, firebrick::Error>(())
/// ```
pub fn glu(input: &Tensor, dim: i64) -> Result<Tensor> {
    const OP: &str = "glu";
    if input.dim() == 0 {
        return Err(Error::runtime(OP, "glu does not support scalars because halving size must be even"));
    }
    let size = input.size(dim)?;
    if size % 2 != 0 {
        let dim = firebrick_core::wrap_dim(OP, dim, input.dim())?;
        return Err(Error::runtime(OP, format!("Halving dimension must be even, but dimension {dim} is size {size}")));
    }
    refuse_integers(OP, "glu_cpu", input)?;
    let half = (size / 2) as i64;
    input.narrow(dim, 0, half)?.mul(&input.narrow(dim, half, half)?.sigmoid()?)
}

/// `x` above zero, else `weight x`, with one weight or one for each channel (dimension 1).
///
/// # Errors
/// Another number of weights; dtypes that differ.
///
/// ```
/// use firebrick::nn::functional as F;
/// use firebrick::prelude::*;
/// assert_eq!(F::prelu(&Tensor::new([-4.0f32, 2.0])?, &Tensor::new([0.25f32])?)?.to_vec::<f32>()?, [-1.0, 2.0]);
/// # Ok::<_, firebrick::Error>(())
/// ```
pub fn prelu(input: &Tensor, weight: &Tensor) -> Result<Tensor> {
    const OP: &str = "prelu";
    let (input, weight) = (&autocast_cast(OP, input)?, &autocast_cast(OP, weight)?);
    if weight.dtype() != input.dtype() {
        let names = [input.dtype().scalar_name(), weight.dtype().scalar_name()].join(" and ");
        return Err(Error::runtime(OP, format!("prelu: Type promoting not supported. Got {names}")));
    }
    if weight.dim() > 1 {
        let text = "prelu: Expected `weight` to be a scalar or 1D tensor, but got: ndim =";
        return Err(Error::runtime(OP, format!("{text} {}", weight.dim())));
    }
    let (rank, count) = (input.dim(), weight.numel());
    if count != 1 {
        if rank == 0 {
            return Err(Error::runtime(OP, "Not allow zero-dim input tensor."));
        }
        let channels = if rank > 1 { input.size(1)? } else { 1 };
        if channels != count {
            return Err(Error::runtime(
                OP,
                format!(
                    "Mismatch of parameter numbers and input channel size. Found parameter numbers = {count} and channel size = {channels}."
                ),
            ));
        }
    }
    refuse_integers(OP, "prelu_cpu", input)?;
    let mut shape = vec![1i64; rank];
    if rank > 0 {
        shape[usize::from(rank > 1)] = count as i64;
    }
    // What is above zero is zeroed before the product, so that an infinity there leaves the weight's gradient alone.
    let above = input.gt(0)?;
    let below = input.masked_fill(&above, 0)?.mul(&weight.reshape(shape)?)?;
    input.where_self(&above, &below)
}

/// The dimension PyTorch takes when none is named, with its warning.
fn implicit_dim(name: &str, rank: usize) -> i64 {
    warn(&format!(
        "Implicit dimension choice for {name} has been deprecated. Change the call to include dim=X as an argument."
    ));
    if matches!(rank, 0 | 1 | 3) { 0 } else { 1 }
}

fn cast(input: &Tensor, dtype: Option<DType>) -> Result<Tensor> {
    match dtype {
        Some(dtype) => input.to(dtype),
        None => Ok(input.clone()),
    }
}

macro_rules! softmaxes {
    ($($(#[$doc:meta])* $name:ident, $with:ident, |$x:ident, $dim:ident| $value:expr;)*) => { $(
        $(#[$doc])*
        pub fn $name(input: &Tensor, dim: impl Into<Option<i64>>) -> Result<Tensor> {
            $with(input, dim, None)
        }

        #[doc = concat!("[`", stringify!($name), "`] of the input cast to a dtype first.")]
        ///
        /// # Errors
        /// A dimension out of range; a dtype that is no floating-point one.
        ///
        /// ```
        /// use firebrick::nn::functional as F;
        /// use firebrick::prelude::*;
        #[doc = concat!("let y = F::", stringify!($with), "(&Tensor::new([2i64, 2])?, 0, DType::F64)?; // integers alone are an error")]
        #[doc = concat!("assert!(y.equal(&F::", stringify!($name), "(&Tensor::zeros_with([2], DType::F64)?, 0)?)?);")]
        /// # Ok::<_, firebrick::Error>(())
        /// ```
        pub fn $with(
            input: &Tensor,
            dim: impl Into<Option<i64>>,
            dtype: impl Into<Option<DType>>,
        ) -> Result<Tensor> {
            let $dim = dim.into().unwrap_or_else(|| implicit_dim(stringify!($name), input.dim()));
            let $x = &cast(input, dtype.into())?;
            $value
        }
    )* };
}

softmaxes! {
    /// `exp(x) / sum(exp(x))` along `dim`. Without one, PyTorch's deprecated choice: 0 for one or three dimensions,
    /// else 1, with its warning.
    ///
    /// # Errors
    /// A dimension out of range; an integer or bool tensor.
    ///
    /// ```
    /// use firebrick::nn::functional as F;
    /// use firebrick::prelude::*;
    /// assert_eq!(F::softmax(&Tensor::zeros([2])?, 0)?.to_vec::<f32>()?, [0.5, 0.5]);
    /// # Ok::<_, firebrick::Error>(())
    /// ```
    softmax, softmax_with, |x, dim| x.softmax(dim);
    /// `x - ln(sum(exp(x)))` along `dim`; see [`softmax`] for a missing `dim`.
    ///
    /// # Errors
    /// A dimension out of range; an integer or bool tensor.
    ///
    /// ```
    /// use firebrick::nn::functional as F;
    /// use firebrick::prelude::*;
    /// assert_eq!(F::log_softmax(&Tensor::zeros([2])?, 0)?.to_string(), "tensor([-0.6931, -0.6931])");
    /// # Ok::<_, firebrick::Error>(())
    /// ```
    log_softmax, log_softmax_with, |x, dim| x.log_softmax(dim);
    /// [`softmax`] of `-x`.
    ///
    /// # Errors
    /// A dimension out of range; an integer or bool tensor.
    ///
    /// ```
    /// use firebrick::nn::functional as F;
    /// use firebrick::prelude::*;
    /// assert_eq!(F::softmin(&Tensor::new([0.0f32, 1.0])?, 0)?.to_string(), "tensor([0.7311, 0.2689])");
    /// # Ok::<_, firebrick::Error>(())
    /// ```
    softmin, softmin_with, |x, dim| x.neg()?.softmax(dim);
}
