//! Instance normalization over one, two and three dimensions.

use super::channel_norm::{Config, Members, Momentum, channel_norm};
use crate::{Core, Custom, Forward, Module, init};
use firebrick_core::text::{Repr, python_float};
use firebrick_core::{Buffer, Error, Parameter, Result, StateDict, Tensor, TensorOptions};

impl Members<'_> {
    /// Over `n` spatial dimensions; an input without batch dimension gets one for the time being.
    fn instance_norm(&self, input: &Tensor, n: usize) -> Result<Tensor> {
        let (single, batched) = (n + 1, n + 2);
        self.expect_ranks(input, &[single, batched], &format!("{single}D or {batched}D"))?;
        let (dim, shape) = (input.dim() - single, input.shape());
        if shape[dim] != self.num_features {
            let (features, size) = (self.num_features, shape[dim]);
            if self.config.affine {
                let text =
                    format!("expected input's size at dim={dim} to match num_features ({features}), but got: {size}.");
                return Err(Error::value(self.class, text));
            }
            crate::warn(&format!(
                "input's size at dim={dim} does not match num_features. You can silence this warning by not passing in num_features, which is not used because affine=False"
            ));
        }
        let norm = |x: &Tensor| {
            x.instance_norm(
                self.running_mean,
                self.running_var,
                self.weight,
                self.bias,
                self.training || !self.config.track_running_stats,
                self.config.momentum.get().unwrap_or(0.0),
                self.config.eps,
            )
        };
        if dim == 1 { norm(input) } else { norm(&input.unsqueeze(0)?)?.squeeze_dim(0) }
    }
}

channel_norm! {
    /// Instance normalization of sequences: each channel of each sample is brought to mean 0 and variance 1.
    ///
    /// As [`BatchNorm1d`](crate::BatchNorm1d) for each sample by itself; parameters and running statistics are off unless
    /// asked for. Ulyanov et al., *Instance Normalization* (2016).
    ///
    /// # Shapes
    /// `[N, C, L]`, or without `N`; same shape out.
    ///
    /// # Errors
    /// Other numbers of dimensions; a single element in each channel while training.
    ///
    /// ```
    /// use firebrick::prelude::*;
    /// let norm = nn::InstanceNorm1d::new(1)?;
    /// assert_eq!(
    ///     norm.to_string(),
    ///     "InstanceNorm1d(1, eps=1e-05, momentum=0.1, affine=False, bias=False, track_running_stats=False)"
    /// );
    /// let y = norm.call(Tensor::new([[1.0f32, 3.0]])?)?.to_vec::<f32>()?;
    /// assert!((y[0] + 1.0).abs() < 1e-4 && (y[1] - 1.0).abs() < 1e-4);
    /// # Ok::<_, firebrick::Error>(())
    /// ```
    InstanceNorm1d,
    /// ```
    /// use firebrick::prelude::*;
    /// let norm = nn::InstanceNorm1d::builder(1).momentum(0.5).affine(true).track_running_stats(true).build()?;
    /// assert_eq!(
    ///     norm.to_string(),
    ///     "InstanceNorm1d(1, eps=1e-05, momentum=0.5, affine=True, bias=True, track_running_stats=True)"
    /// );
    /// norm.call(Tensor::new([[[1.0f32, 3.0]]])?)?;
    /// assert_eq!(norm.get_buffer("running_mean")?.to_vec::<f32>()?, [1.0]);
    /// assert_eq!(norm.get_buffer("running_var")?.to_vec::<f32>()?, [1.5]);
    /// let norm = nn::InstanceNorm1d::builder(1).affine(true).bias(false).build()?;
    /// assert!(norm.weight.is_some() && norm.bias.is_none());
    /// # Ok::<_, firebrick::Error>(())
    /// ```
    InstanceNorm1dBuilder, "LazyInstanceNorm1d", false,
    |m: &Members<'_>, x: &Tensor| m.instance_norm(x, 1)
}

channel_norm! {
    /// Instance normalization of images: each channel of each sample is brought to mean 0 and variance 1.
    /// See [`InstanceNorm1d`].
    ///
    /// # Shapes
    /// `[N, C, H, W]`, or without `N`; same shape out.
    ///
    /// # Errors
    /// Other numbers of dimensions; a single element in each channel while training.
    ///
    /// ```
    /// use firebrick::prelude::*;
    /// let y = nn::InstanceNorm2d::builder(1).eps(1e-12).build()?.call(Tensor::new([[[[1.0f32, 3.0]]]])?)?;
    /// assert_eq!(y.to_vec::<f32>()?, [-1.0, 1.0]);
    /// # Ok::<_, firebrick::Error>(())
    /// ```
    InstanceNorm2d,
    /// ```
    /// use firebrick::prelude::*;
    /// let norm = nn::InstanceNorm2d::builder(2).affine(true).bias(false).dtype(DType::F64).build()?;
    /// assert_eq!(norm.state_dict().keys().collect::<Vec<_>>(), ["weight"]);
    /// assert_eq!(norm.get_parameter("weight")?.dtype(), DType::F64);
    /// # Ok::<_, firebrick::Error>(())
    /// ```
    InstanceNorm2dBuilder, "LazyInstanceNorm2d", false,
    |m: &Members<'_>, x: &Tensor| m.instance_norm(x, 2)
}

channel_norm! {
    /// Instance normalization of volumes: each channel of each sample is brought to mean 0 and variance 1.
    /// See [`InstanceNorm1d`].
    ///
    /// # Shapes
    /// `[N, C, D, H, W]`, or without `N`; same shape out.
    ///
    /// # Errors
    /// Other numbers of dimensions; a single element in each channel while training.
    ///
    /// ```
    /// use firebrick::prelude::*;
    /// let y = nn::InstanceNorm3d::builder(1).eps(1e-12).build()?.call(Tensor::new([[[[[1.0f32, 3.0]]]]])?)?;
    /// assert_eq!(y.to_vec::<f32>()?, [-1.0, 1.0]);
    /// # Ok::<_, firebrick::Error>(())
    /// ```
    InstanceNorm3d,
    /// ```
    /// use firebrick::prelude::*;
    /// let norm = nn::InstanceNorm3d::builder(1).eps(3.0).build()?;
    /// let y = norm.call(Tensor::new([[[[[1.0f32, 3.0]]]]])?)?;
    /// assert_eq!(y.to_vec::<f32>()?, [-0.5, 0.5]); // the variance is 1
    /// let norm = nn::InstanceNorm3d::builder(1).affine(true).bias(false).build()?;
    /// assert_eq!(norm.parameters().len(), 1);
    /// # Ok::<_, firebrick::Error>(())
    /// ```
    InstanceNorm3dBuilder, "LazyInstanceNorm3d", false,
    |m: &Members<'_>, x: &Tensor| m.instance_norm(x, 3)
}
