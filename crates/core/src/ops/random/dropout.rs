//! Dropout: elements, or whole channels, zeroed at random while training.

use super::distribution::Distribution;
use crate::ops::composed;
use crate::ops::sample::{self, ANY};
use crate::text::python_float;
use crate::{Body, Dims, Error, Generator, Result, Tensor, TensorOptions};

/// How PyTorch's dropouts differ from each other.
#[derive(Clone, Copy)]
struct Kind {
    /// One toss for each channel, `(N, C)`, not each element.
    feature: bool,
    /// Dropped elements become SELU's negative saturation, and mean and variance are kept.
    alpha: bool,
    in_place: bool,
}

/// `lambda * alpha` of SELU: Klambauer et al., *Self-Normalizing Neural Networks* (2017), section 2.
const SELU_SATURATION: f64 = 1.758_099_340_847_376_6;

impl Kind {
    fn apply(self, op: &'static str, x: &Tensor, p: f64, training: bool) -> Result<Tensor> {
        if !(0.0..=1.0).contains(&p) {
            return Err(Error::value(
                op,
                format!("dropout probability has to be between 0 and 1, but got {}", python_float(p)),
            ));
        }
        if p == 0.0 || !training || x.numel() == 0 {
            return Ok(x.clone());
        }
        if p == 1.0 {
            let zero = Tensor::zeros_with((), TensorOptions::from(x.dtype()).device(x.device()))?;
            return self.multiply(x, &zero);
        }
        if !self.alpha {
            return self.multiply(x, &self.noise(op, x, Distribution::Dropout { p })?);
        }
        let a = 1.0 / ((SELU_SATURATION * SELU_SATURATION * p + 1.0) * (1.0 - p)).sqrt();
        let noise = self.noise(op, x, Distribution::Bernoulli { p: 1.0 - p })?;
        let shift = noise.add(-1.0)?;
        shift.mul_(SELU_SATURATION * a)?.add_(SELU_SATURATION * a * p)?;
        noise.mul_(a)?;
        let scaled = self.multiply(x, &noise)?;
        scaled.add_(&shift)?;
        Ok(scaled)
    }

    fn multiply(self, x: &Tensor, noise: &Tensor) -> Result<Tensor> {
        if self.in_place { x.mul_(noise).cloned() } else { x.mul(noise) }
    }

    /// What `x` is multiplied by: of its shape and order in memory, or one number for each channel.
    fn noise(self, op: &'static str, x: &Tensor, distribution: Distribution) -> Result<Tensor> {
        if x.is_complex() {
            // One number for both parts.
            return self.noise(op, &x.detach().real()?, distribution);
        }
        if !self.feature {
            return x.drawn_like(op, distribution);
        }
        let shape = x.shape();
        if shape.len() < 2 {
            return Err(Error::runtime(op, "Feature dropout requires at least 2 dimensions in the input")
                .given(format!("shape {shape:?}")));
        }
        let channels: Dims = shape.iter().enumerate().map(|(d, &size)| if d < 2 { size } else { 1 }).collect();
        let body = Body::alloc(channels, x.dtype(), x.device())?;
        distribution.fill(op, &body)?;
        Ok(Tensor::from_body(body))
    }

    /// Dropout of the channels of `(N, C, ...)`, or of `(C, ...)` for one dimension fewer.
    fn apply_batched(self, op: &'static str, x: &Tensor, batched: bool, p: f64, training: bool) -> Result<Tensor> {
        if batched {
            return self.apply(op, x, p, training);
        }
        self.apply(op, &x.unsqueeze(0)?, p, training)?.squeeze_dim(0)
    }

    fn apply_1d(self, op: &'static str, x: &Tensor, p: f64, training: bool) -> Result<Tensor> {
        let rank = x.dim();
        if !(2..=3).contains(&rank) {
            return Err(Error::runtime(
                op,
                format!(
                    "dropout1d: Expected 2D or 3D input, but received a {rank}D input. Note that dropout1d exists to provide channel-wise dropout on inputs with 1 spatial dimension, a channel dimension, and an optional batch dimension (i.e. 2D or 3D inputs)."
                ),
            ));
        }
        self.apply_batched(op, x, rank == 3, p, training)
    }
}

const PLAIN: Kind = Kind { feature: false, alpha: false, in_place: false };
const FEATURE: Kind = Kind { feature: true, ..PLAIN };
const ALPHA: Kind = Kind { alpha: true, ..PLAIN };
const FEATURE_ALPHA: Kind = Kind { feature: true, alpha: true, in_place: false };

/// Samples whose draws are the same in every call.
fn samples(
    rank: usize,
    f: impl Fn(&Tensor) -> Result<Tensor> + Send + Sync + Clone + 'static,
) -> Result<Vec<sample::Sample>> {
    let shape = [2, 3, 2, 2, 2];
    let sample = |traits, input| {
        let f = f.clone();
        sample::one(traits, vec![input], move |x| Generator::new().manual_seed(3).scope(|| f(&x[0])))
    };
    Ok(vec![
        sample(sample::Trait::Plain, ANY.tensor(&shape[..rank], 1)?),
        sample(sample::Trait::Strided, ANY.strided(&shape[..rank], 2)?),
        sample(sample::Trait::Empty, ANY.tensor(&[2, 0, 2, 2, 2][..rank], 3)?),
    ])
}

composed! {
    table: DROPOUT;

    /// Zeroes each element with probability `p` while `training` and multiplies the others by `1 / (1 - p)`.
    ///
    /// Srivastava et al., *Dropout*, JMLR 15 (2014). Masks are PyTorch 2.15's for the same seed, and those of its
    /// builds without MKL: see [`BernoulliRule`](crate::random::BernoulliRule). `p` = 0 and evaluation return the
    /// tensor itself; they and `p` = 1 draw nothing.
    ///
    /// # Errors
    /// `p` outside `[0, 1]`; an integer or bool tensor.
    ///
    /// ```
    /// # use firebrick_core::{Generator, Tensor};
    /// let x = Tensor::ones([5])?;
    /// let y = Generator::new().manual_seed(0).scope(|| x.dropout(0.5, true))?;
    /// assert_eq!(y.to_vec::<f32>()?, [0.0, 0.0, 2.0, 0.0, 0.0]);
    /// assert!(x.dropout(0.5, false)?.ptr_eq(&x));
    /// # Ok::<_, firebrick_core::Error>(())
    /// ```
    fn dropout(&x, p: f64, training: bool) -> Tensor { PLAIN.apply("dropout", &x.resolve("dropout")?, p, training) }
    samples: samples(2, |x| x.dropout(0.4, true));

    /// The gradient of a dropout that kept the elements of `mask` and multiplied them by `scale`: PyTorch's
    /// `torch.ops.aten.native_dropout_backward`.
    ///
    /// # Errors
    /// Shapes that do not broadcast.
    ///
    /// ```
    /// # use firebrick_core::Tensor;
    /// let (g, mask) = (Tensor::new([1.0f32, 3.0])?, Tensor::new([false, true])?);
    /// assert_eq!(g.native_dropout_backward(&mask, 2.0)?.to_vec::<f32>()?, [0.0, 6.0]);
    /// # Ok::<_, firebrick_core::Error>(())
    /// ```
    fn native_dropout_backward(&grad, mask: &Tensor, scale: f64) -> Tensor {
        grad.mul(&mask.to(grad.dtype())?.mul(scale)?)
    }
    samples: sample::unary(ANY, |x| x.native_dropout_backward(&x.detach().gt(0)?, 1.5));

    /// Zeroes whole channels of `(N, C)` or `(N, C, ...)` with probability `p` while `training` and multiplies the
    /// others by `1 / (1 - p)`: PyTorch's `torch.feature_dropout`.
    ///
    /// # Errors
    /// `p` outside `[0, 1]`; fewer than two dimensions; an integer or bool tensor.
    ///
    /// ```
    /// # use firebrick_core::{Generator, Tensor};
    /// let x = Tensor::ones([1, 4, 2])?;
    /// let y = Generator::new().manual_seed(0).scope(|| x.feature_dropout(0.5, true))?;
    /// assert_eq!(y.to_vec::<f32>()?, [0.0, 0.0, 0.0, 0.0, 2.0, 2.0, 0.0, 0.0]);
    /// # Ok::<_, firebrick_core::Error>(())
    /// ```
    fn feature_dropout(&x, p: f64, training: bool) -> Tensor {
        FEATURE.apply("feature_dropout", &x.resolve("feature_dropout")?, p, training)
    }
    samples: samples(3, |x| x.feature_dropout(0.4, true));

    /// [`Tensor::feature_dropout`] of sequences, `(N, C, L)` or `(C, L)`.
    ///
    /// # Errors
    /// `p` outside `[0, 1]`; other shapes; an integer or bool tensor.
    ///
    /// ```
    /// # use firebrick_core::{Generator, Tensor};
    /// let x = Tensor::ones([4, 2])?;
    /// let y = Generator::new().manual_seed(0).scope(|| x.dropout1d(0.5, true))?;
    /// assert_eq!(y.to_vec::<f32>()?, [0.0, 0.0, 0.0, 0.0, 2.0, 2.0, 0.0, 0.0]);
    /// # Ok::<_, firebrick_core::Error>(())
    /// ```
    fn dropout1d(&x, p: f64, training: bool) -> Tensor {
        FEATURE.apply_1d("dropout1d", &x.resolve("dropout1d")?, p, training)
    }
    samples: samples(2, |x| x.dropout1d(0.4, true));

    /// [`Tensor::feature_dropout`] of images, `(N, C, H, W)`. Three dimensions count as `(N, C, L)`, as in PyTorch.
    ///
    /// # Errors
    /// `p` outside `[0, 1]`; fewer than two dimensions; an integer or bool tensor.
    ///
    /// ```
    /// # use firebrick_core::{Generator, Tensor};
    /// let x = Tensor::ones([1, 4, 1, 2])?;
    /// let y = Generator::new().manual_seed(0).scope(|| x.dropout2d(0.5, true))?;
    /// assert_eq!(y.to_vec::<f32>()?, [0.0, 0.0, 0.0, 0.0, 2.0, 2.0, 0.0, 0.0]);
    /// # Ok::<_, firebrick_core::Error>(())
    /// ```
    fn dropout2d(&x, p: f64, training: bool) -> Tensor {
        FEATURE.apply("dropout2d", &x.resolve("dropout2d")?, p, training)
    }
    samples: samples(4, |x| x.dropout2d(0.4, true));

    /// [`Tensor::feature_dropout`] of volumes, `(N, C, D, H, W)` or `(C, D, H, W)`.
    ///
    /// # Errors
    /// `p` outside `[0, 1]`; a tensor without dimensions; an integer or bool tensor.
    ///
    /// ```
    /// # use firebrick_core::{Generator, Tensor};
    /// let x = Tensor::ones([1, 4, 1, 1, 2])?;
    /// let y = Generator::new().manual_seed(0).scope(|| x.dropout3d(0.5, true))?;
    /// assert_eq!(y.to_vec::<f32>()?, [0.0, 0.0, 0.0, 0.0, 2.0, 2.0, 0.0, 0.0]);
    /// # Ok::<_, firebrick_core::Error>(())
    /// ```
    fn dropout3d(&x, p: f64, training: bool) -> Tensor {
        let x = x.resolve("dropout3d")?;
        FEATURE.apply_batched("dropout3d", &x, x.dim() == 5, p, training)
    }
    samples: samples(5, |x| x.dropout3d(0.4, true));

    /// Sets each element to SELU's negative saturation with probability `p` while `training`, then scales and shifts
    /// all, so that mean 0 and variance 1 are kept.
    ///
    /// With `s = 1.7580993408473766` and `a = 1 / sqrt((1 + p s^2) (1 - p))`, a kept element becomes `a x + a s p`, a
    /// dropped one `a s p - a s`. Klambauer et al., *Self-Normalizing Neural Networks* (2017).
    ///
    /// # Errors
    /// `p` outside `[0, 1]`; an integer or bool tensor.
    ///
    /// ```
    /// # use firebrick_core::{Generator, Tensor};
    /// let x = Tensor::ones([4])?;
    /// let y = Generator::new().manual_seed(0).scope(|| x.alpha_dropout(0.5, true))?;
    /// assert_eq!(y.to_string(), "tensor([-0.7792, -0.7792,  1.6656, -0.7792])");
    /// # Ok::<_, firebrick_core::Error>(())
    /// ```
    fn alpha_dropout(&x, p: f64, training: bool) -> Tensor {
        ALPHA.apply("alpha_dropout", &x.resolve("alpha_dropout")?, p, training)
    }
    samples: samples(2, |x| x.alpha_dropout(0.4, true));

    /// [`Tensor::alpha_dropout`] of whole channels of `(N, C)` or `(N, C, ...)`.
    ///
    /// # Errors
    /// `p` outside `[0, 1]`; fewer than two dimensions; an integer or bool tensor.
    ///
    /// ```
    /// # use firebrick_core::{Generator, Tensor};
    /// let x = Tensor::ones([1, 4, 1])?;
    /// let y = Generator::new().manual_seed(0).scope(|| x.feature_alpha_dropout(0.5, true))?;
    /// assert_eq!(y.flatten(0, -1)?.to_string(), "tensor([-0.7792, -0.7792,  1.6656, -0.7792])");
    /// # Ok::<_, firebrick_core::Error>(())
    /// ```
    fn feature_alpha_dropout(&x, p: f64, training: bool) -> Tensor {
        FEATURE_ALPHA.apply("feature_alpha_dropout", &x.resolve("feature_alpha_dropout")?, p, training)
    }
    samples: samples(3, |x| x.feature_alpha_dropout(0.4, true));
}

/// In-place forms, which do to their tensor what the others do to a copy. Their examples drop all, whatever is drawn.
macro_rules! in_place {
    ($($name:ident of $of:ident on $shown:tt, $base:expr, |$kind:ident, $x:ident, $p:ident, $training:ident| $apply:expr;)*) => {
        impl Tensor { $(
            #[doc = crate::ops::in_place_doc!($name of $of (1.0, true) on $shown)]
            pub fn $name(&self, $p: f64, $training: bool) -> Result<&Tensor> {
                let $x = &self.resolve(stringify!($name))?;
                let $kind = Kind { in_place: true, ..$base };
                $apply?;
                Ok(self)
            }
        )* }
    };
}

in_place! {
    dropout_ of dropout on [-0.5f32, 0.25], PLAIN, |kind, x, p, training| kind.apply("dropout_", x, p, training);
    feature_dropout_ of feature_dropout on [[-0.5f32, 0.25]], FEATURE,
        |kind, x, p, training| kind.apply("feature_dropout_", x, p, training);
    dropout1d_ of dropout1d on [[-0.5f32, 0.25]], FEATURE,
        |kind, x, p, training| kind.apply_1d("dropout1d_", x, p, training);
    dropout2d_ of dropout2d on [[[[-0.5f32, 0.25]]]], FEATURE,
        |kind, x, p, training| kind.apply("dropout2d_", x, p, training);
    dropout3d_ of dropout3d on [[[[-0.5f32, 0.25]]]], FEATURE,
        |kind, x, p, training| kind.apply_batched("dropout3d_", x, x.dim() == 5, p, training);
    alpha_dropout_ of alpha_dropout on [-0.5f32, 0.25], ALPHA,
        |kind, x, p, training| kind.apply("alpha_dropout_", x, p, training);
    feature_alpha_dropout_ of feature_alpha_dropout on [[-0.5f32, 0.25]], FEATURE_ALPHA,
        |kind, x, p, training| kind.apply("feature_alpha_dropout_", x, p, training);
}
