//! Normalization by neighbouring channels.

use super::activation::text;
use crate::{Core, Custom, Forward, Module};
use firebrick_core::{DType, Device, Error, Result, Scalar, Tensor, TensorOptions, autograd};

macro_rules! response {
    ($(#[$doc:meta])* $name:ident, $k:expr, $call:expr) => {
        $(#[$doc])*
        #[derive(Module)]
        #[module(custom)]
        pub struct $name {
            core: Core,
            size: i64,
            #[module(skip)]
            alpha: Scalar,
            #[module(skip)]
            beta: Scalar,
            #[module(skip)]
            k: Scalar,
        }

        impl $name {
            /// A layer over `size` channels, with PyTorch's 1e-4, 0.75 and 1 for the rest.
            pub fn new(size: i64) -> Self {
                $name { core: Core::new(), size, alpha: 1e-4.into(), beta: 0.75.into(), k: $k.into() }
            }

            /// The factor of the mean square.
            pub fn alpha(mut self, alpha: impl Into<Scalar>) -> Self {
                self.alpha = alpha.into();
                self
            }

            /// The exponent.
            pub fn beta(mut self, beta: impl Into<Scalar>) -> Self {
                self.beta = beta.into();
                self
            }

            /// What is added to the mean square.
            pub fn k(mut self, k: impl Into<Scalar>) -> Self {
                self.k = k.into();
                self
            }
        }

        impl Forward for $name {
            fn forward(&self, input: Tensor) -> Result<Tensor> {
                $call(&input, self.size, self.alpha.to_f64(), self.beta.to_f64(), self.k.to_f64())
            }
        }

        impl Custom for $name {
            fn extra_repr(&self) -> String {
                format!("{}, alpha={}, beta={}, k={}", self.size, text(self.alpha), text(self.beta), text(self.k))
            }
        }
    };
}

response! {
    /// Each channel of `[N, C, *]` over a power of its neighbours' mean square: `x / (k + alpha * mean)^beta`.
    ///
    /// # Errors
    /// Fewer than three dimensions; a size that is not positive.
    ///
    /// ```
    /// use firebrick::prelude::*;
    /// let norm = nn::LocalResponseNorm::new(2);
    /// assert_eq!(norm.to_string(), "LocalResponseNorm(2, alpha=0.0001, beta=0.75, k=1.0)");
    /// let y = nn::LocalResponseNorm::new(1).alpha(1).beta(1).k(0).call(Tensor::new([[[2.0f32], [4.0]]])?)?;
    /// assert_eq!(y.to_vec::<f32>()?, [0.5, 0.25]);
    /// # Ok::<_, firebrick::Error>(())
    /// ```
    LocalResponseNorm, 1.0, Tensor::local_response_norm
}

response! {
    /// Local response normalization of images as PyTorch's legacy layer computes it.
    ///
    /// `x / (k + alpha / size * sum)^beta`, where PyTorch's running sum of squares never lets go of the first channel,
    /// and the gradient sums over other channels than the derivative would. [`LocalResponseNorm`] has neither quirk.
    ///
    /// # Errors
    /// Another number of dimensions than four; a size of zero.
    ///
    /// ```
    /// use firebrick::prelude::*;
    /// let norm = nn::CrossMapLRN2d::new(1).alpha(1).beta(1).k(0);
    /// assert_eq!(norm.call(Tensor::new([[[[2.0f32]], [[4.0]]]])?)?.to_vec::<f32>()?, [0.5, 0.2]);
    /// # Ok::<_, firebrick::Error>(())
    /// ```
    CrossMapLRN2d, 1, cross_map_lrn2d
}

/// The channels whose squares PyTorch's running sum holds at each channel, times as they count.
fn running_window(channels: usize, size: i64) -> Vec<f64> {
    let (count, reach) = (channels as i64, (size.saturating_sub(1) as f64 / 2.0 + 1.0) as i64);
    let mut rows = vec![0.0; channels * channels];
    let mut held = vec![0.0; channels];
    (0..reach.min(count)).for_each(|channel| held[channel as usize] = 1.0);
    for c in 0..count {
        let (entering, leaving) = (c + reach - 1, c - reach);
        if c > 0 && c < count - reach + 1 && (0..count).contains(&entering) {
            held[entering as usize] += 1.0;
        }
        if c > reach && leaving < count {
            held[leaving as usize] -= 1.0;
        }
        rows[c as usize * channels..(c as usize + 1) * channels].copy_from_slice(&held);
    }
    rows
}

/// The channels that PyTorch's gradient sums over at each channel.
fn gradient_window(channels: usize, size: i64) -> Vec<f64> {
    let before = (size as f64 - size.saturating_sub(1) as f64 / 2.0) as i64;
    let within = |c: i64, other: i64| (c - before..c - before + size).contains(&other);
    let count = channels as i64;
    (0..count * count).map(|i| f64::from(u8::from(within(i / count, i % count)))).collect()
}

/// Sums over the channels of `[N, C, H, W]` that `window`, a matrix, lists for each channel.
fn summed(x: &Tensor, window: impl Fn(usize) -> Vec<f64>) -> Result<Tensor> {
    let shape = x.shape();
    // Refuses what there is no memory for.
    Tensor::empty_with([shape[1], shape[1]], TensorOptions::from(DType::F64).device(Device::Cpu))?;
    let options = TensorOptions::from(x.dtype()).device(x.device());
    let window = Tensor::from_slice_with(&window(shape[1]), [shape[1], shape[1]], options)?;
    window.matmul(&x.flatten(2, -1)?)?.reshape(shape)
}

fn cross_map_lrn2d(x: &Tensor, size: i64, alpha: f64, beta: f64, k: f64) -> Result<Tensor> {
    const OP: &str = "CrossMapLRN2d";
    let rank = x.dim();
    if rank != 4 {
        return Err(Error::value(OP, format!("CrossMapLRN2d: Expected input to be 4D, got {rank}D instead.")));
    }
    if size == 0 {
        return Err(Error::value(OP, "float division by zero"));
    }
    let scale = move |x: &Tensor| {
        summed(&x.mul(x)?, |channels| running_window(channels, size))?.mul(alpha / size as f64)?.add(k)
    };
    let normed = move |x: &Tensor, scale: &Tensor| x.mul(&scale.pow(-beta)?);
    let value = autograd::no_grad(|| normed(x, &scale(x)?))?;
    let input = x.clone();
    let backward = move |grads: &[Option<Tensor>]| {
        let [Some(g)] = grads else { return Ok(vec![None]) };
        let scale = scale(&input)?;
        let ratio = g.mul(&normed(&input, &scale)?)?.div(&scale)?;
        let spread = summed(&ratio, |channels| gradient_window(channels, size))?.mul(&input)?;
        let factor = 2.0 * alpha * beta / size as f64;
        Ok(vec![Some(g.mul(&scale.pow(-beta)?)?.sub(&spread.mul(factor)?)?)])
    };
    let outputs = autograd::record("CrossMapLRN2dBackward", &[x], vec![value], backward)?;
    outputs.into_iter().next().ok_or_else(|| Error::runtime(OP, "no output"))
}
