//! Clipping gradients, by their common norm or by value.

use firebrick_core::{Error, Result, Tensor, autograd::no_grad};

/// Options of [`clip_grad_norm_with`] and [`get_total_norm`].
#[derive(Clone, Copy, Debug)]
pub struct ClipOptions {
    norm_type: f64,
    error_if_nonfinite: bool,
}

impl Default for ClipOptions {
    fn default() -> Self {
        ClipOptions { norm_type: 2.0, error_if_nonfinite: false }
    }
}

impl ClipOptions {
    /// The Euclidean norm; norms that are not finite are no error.
    pub fn new() -> Self {
        Self::default()
    }

    /// The exponent of the norm; infinity gives the largest absolute value. 2 unless set.
    pub fn norm_type(mut self, norm_type: f64) -> Self {
        self.norm_type = norm_type;
        self
    }

    /// Is a norm of NaN or infinity an error? It is not unless set.
    ///
    /// ```
    /// use firebrick::prelude::*;
    /// use firebrick::nn::utils::{ClipOptions, clip_grad_norm_with};
    /// let p = Parameter::new(Tensor::zeros([1])?);
    /// p.set_grad(Some(&Tensor::new([f32::NAN])?))?;
    /// assert!(clip_grad_norm_with([&p], 1.0, &ClipOptions::new()).is_ok());
    /// assert!(clip_grad_norm_with([&p], 1.0, &ClipOptions::new().error_if_nonfinite(true)).is_err());
    /// # Ok::<_, firebrick::Error>(())
    /// ```
    pub fn error_if_nonfinite(mut self, on: bool) -> Self {
        self.error_if_nonfinite = on;
        self
    }
}

/// Scales all gradients down, in place, until their common norm is at most `max_norm`; returns the norm from before.
///
/// `grad = grad * min(max_norm / (norm + 1e-6), 1)`, where the norm is that of all gradients as one vector.
/// Parameters without gradient are skipped; with none at all the norm is zero.
///
/// # Errors
/// Those of the operations on the gradients.
///
/// ```
/// use firebrick::prelude::*;
/// let p = Parameter::new(Tensor::zeros([2])?);
/// p.set_grad(Some(&Tensor::new([3.0f32, 4.0])?))?;
/// let norm = nn::utils::clip_grad_norm_([&p], 1.0)?;
/// assert_eq!(norm.item::<f32>()?, 5.0);
/// assert_eq!(p.grad().map(|g| g.to_vec::<f32>()).transpose()?, Some(vec![0.59999990, 0.79999983]));
/// # Ok::<_, firebrick::Error>(())
/// ```
pub fn clip_grad_norm_(parameters: impl IntoIterator<Item: AsRef<Tensor>>, max_norm: f64) -> Result<Tensor> {
    clip_grad_norm_with(parameters, max_norm, &ClipOptions::new())
}

/// [`clip_grad_norm_`] with another norm, or with an error where the norm is not finite.
///
/// # Errors
/// The norm is not finite, where that was asked for; gradients are then unchanged.
///
/// ```
/// use firebrick::prelude::*;
/// let x = Parameter::new(Tensor::zeros([2])?);
/// x.set_grad(Some(&Tensor::new([3.0f32, -8.0])?))?;
/// let largest = nn::utils::ClipOptions::new().norm_type(f64::INFINITY);
/// assert_eq!(nn::utils::clip_grad_norm_with([&x], 4.0, &largest)?.item::<f32>()?, 8.0);
/// assert!((x.grad().map(|g| g.amax(0, false)?.item::<f32>()).transpose()?.unwrap_or(0.0) - 1.5).abs() < 1e-5);
/// # Ok::<_, firebrick::Error>(())
/// ```
pub fn clip_grad_norm_with(
    parameters: impl IntoIterator<Item: AsRef<Tensor>>,
    max_norm: f64,
    options: &ClipOptions,
) -> Result<Tensor> {
    let grads = grads_of(parameters);
    let norm = get_total_norm(&grads, options)?;
    scale(&grads, max_norm, &norm)?;
    Ok(norm)
}

/// The norm of several tensors as if they were one vector; zero for none.
///
/// # Errors
/// The norm is not finite, where that was asked for.
///
/// ```
/// use firebrick::prelude::*;
/// let grads = [Tensor::new([3.0f32])?, Tensor::new([4.0f32])?];
/// assert_eq!(nn::utils::get_total_norm(&grads, &nn::utils::ClipOptions::new())?.item::<f32>()?, 5.0);
/// # Ok::<_, firebrick::Error>(())
/// ```
pub fn get_total_norm(tensors: impl IntoIterator<Item: AsRef<Tensor>>, options: &ClipOptions) -> Result<Tensor> {
    no_grad(|| {
        let p = options.norm_type;
        let mut norms: Vec<Tensor> = Vec::new();
        for tensor in tensors {
            let norm = tensor.as_ref().norm(p)?;
            norms.push(match norms.first() {
                Some(first) => norm.to(first.device())?,
                None => norm,
            });
        }
        if norms.is_empty() {
            return Tensor::scalar(0.0);
        }
        let total = Tensor::stack(&norms, 0)?.norm(p)?;
        if options.error_if_nonfinite && !total.item::<f64>()?.is_finite() {
            let p = firebrick_core::text::python_float(p);
            return Err(Error::runtime(
                "clip_grad_norm_",
                format!(
                    "The total norm of order {p} for gradients from `parameters` is non-finite, so it cannot be clipped. To disable this error and scale the gradients by the non-finite norm anyway, set `error_if_nonfinite=False`"
                ),
            ));
        }
        Ok(total)
    })
}

/// The second half of [`clip_grad_norm_`]: scales the gradients for a norm that is known already.
///
/// # Errors
/// Those of the operations on the gradients.
///
/// ```
/// use firebrick::prelude::*;
/// use firebrick::nn::utils::clip_grads_with_norm_;
/// let p = Parameter::new(Tensor::zeros([2])?);
/// p.set_grad(Some(&Tensor::new([3.0f32, 4.0])?))?;
/// clip_grads_with_norm_([&p], 1.0, &Tensor::new(5.0f32)?)?;
/// assert_eq!(p.grad().map(|g| g.to_vec::<f32>()).transpose()?, Some(vec![0.59999990, 0.79999983]));
/// # Ok::<_, firebrick::Error>(())
/// ```
pub fn clip_grads_with_norm_(
    parameters: impl IntoIterator<Item: AsRef<Tensor>>,
    max_norm: f64,
    total_norm: &Tensor,
) -> Result<()> {
    scale(&grads_of(parameters), max_norm, total_norm)
}

fn scale(grads: &[Tensor], max_norm: f64, total_norm: &Tensor) -> Result<()> {
    no_grad(|| {
        // As PyTorch divides a number by a tensor: by way of the reciprocal.
        let factor = total_norm.add(1e-6)?.reciprocal()?.mul(max_norm)?.clamp_max(1.0)?;
        grads.iter().try_for_each(|grad| grad.mul_(&factor.to(grad.device())?).map(drop))
    })
}

/// Clips every element of the gradients, in place, to `[-clip_value, clip_value]`.
///
/// # Errors
/// Those of the operations on the gradients.
///
/// ```
/// use firebrick::prelude::*;
/// let p = Parameter::new(Tensor::zeros([3])?);
/// p.set_grad(Some(&Tensor::new([-3.0f32, 0.5, 3.0])?))?;
/// nn::utils::clip_grad_value_([&p], 1.0)?;
/// assert_eq!(p.grad().map(|g| g.to_vec::<f32>()).transpose()?, Some(vec![-1.0, 0.5, 1.0]));
/// # Ok::<_, firebrick::Error>(())
/// ```
pub fn clip_grad_value_(parameters: impl IntoIterator<Item: AsRef<Tensor>>, clip_value: f64) -> Result<()> {
    let grads = grads_of(parameters);
    no_grad(|| grads.iter().try_for_each(|grad| grad.clamp_(-clip_value, clip_value).map(drop)))
}

fn grads_of(parameters: impl IntoIterator<Item: AsRef<Tensor>>) -> Vec<Tensor> {
    parameters.into_iter().filter_map(|parameter| parameter.as_ref().grad()).collect()
}
