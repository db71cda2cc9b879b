//! Batch normalization over one, two and three dimensions.

use super::channel_norm::{Config, Members, Momentum, channel_norm};
use crate::functional::{BatchNormOptions, batch_norm_with};
use crate::{Core, Custom, Forward, Module, init};
use firebrick_core::text::{Repr, python_float};
use firebrick_core::{Buffer, Error, Parameter, Result, StateDict, Tensor, TensorOptions};

impl Members<'_> {
    fn batch_norm(&self, input: &Tensor, ranks: &[usize], expected: &str) -> Result<Tensor> {
        self.expect_ranks(input, ranks, expected)?;
        let counted = self.num_batches_tracked.filter(|_| self.training);
        let factor = self.config.average_factor(counted)?;
        let (mean, var) = (self.running_mean, self.running_var);
        let mut options = BatchNormOptions::new()
            .training(self.training || mean.is_none() && var.is_none())
            .momentum(factor)
            .eps(self.config.eps);
        options.weight = self.weight;
        options.bias = self.bias;
        batch_norm_with(input, mean, var, &options)
    }
}

channel_norm! {
    /// Batch normalization of vectors or sequences: each channel is brought to mean 0 and variance 1 over the batch, then
    /// scaled and shifted.
    ///
    /// `y = (x - mean) / sqrt(var + eps) * weight + bias`, with the batch's mean and biased variance while training, and
    /// the running ones in evaluation. Each training batch moves the running statistics by `momentum`; the running
    /// variance is of the unbiased one. Ioffe and Szegedy, *Batch Normalization* (2015).
    ///
    /// # Shapes
    /// `[N, C]` or `[N, C, L]`, same shape out.
    ///
    /// # Errors
    /// Other numbers of dimensions; while training, one value for each channel or an `eps` that is not positive.
    ///
    /// ```
    /// use firebrick::prelude::*;
    /// let norm = nn::BatchNorm1d::new(1)?;
    /// assert_eq!(
    ///     norm.to_string(),
    ///     "BatchNorm1d(1, eps=1e-05, momentum=0.1, affine=True, bias=True, track_running_stats=True)"
    /// );
    /// let y = norm.call(Tensor::new([[1.0f32], [3.0]])?)?.to_vec::<f32>()?;
    /// assert!((y[0] + 1.0).abs() < 1e-4 && (y[1] - 1.0).abs() < 1e-4);
    /// let mean = norm.get_buffer("running_mean")?.item::<f32>()?;
    /// assert!((mean - 0.2).abs() < 1e-6);
    /// # Ok::<_, firebrick::Error>(())
    /// ```
    BatchNorm1d,
    /// ```
    /// use firebrick::prelude::*;
    /// let norm = nn::BatchNorm1d::builder(1)
    ///     .eps(0.5)
    ///     .momentum(0.5)
    ///     .affine(true)
    ///     .bias(false)
    ///     .track_running_stats(true)
    ///     .dtype(DType::F64)
    ///     .device(Device::Cpu)
    ///     .build()?;
    /// let y = norm.call(Tensor::new([[[1.0f64, 3.0]], [[5.0, 7.0]]])?)?.to_vec::<f64>()?;
    /// assert!((y[0] + 3.0 / 5.5f64.sqrt()).abs() < 1e-12); // the mean is 4, the variance 5
    /// assert_eq!(norm.get_buffer("running_mean")?.to_vec::<f64>()?, [2.0]);
    /// assert_eq!(norm.parameters().len(), 1);
    /// # Ok::<_, firebrick::Error>(())
    /// ```
    BatchNorm1dBuilder, "LazyBatchNorm1d", true,
    |m: &Members<'_>, x: &Tensor| m.batch_norm(x, &[2, 3], "2D or 3D")
}

channel_norm! {
    /// Batch normalization of images; see [`BatchNorm1d`].
    ///
    /// # Shapes
    /// `[N, C, H, W]`, same shape out.
    ///
    /// # Errors
    /// Other numbers of dimensions; while training, one value for each channel or an `eps` that is not positive.
    ///
    /// ```
    /// use firebrick::prelude::*;
    /// let norm = nn::BatchNorm2d::lazy()?;
    /// norm.call(Tensor::ones([2, 3, 4, 4])?)?;
    /// assert_eq!(norm.num_features(), 3);
    /// # Ok::<_, firebrick::Error>(())
    /// ```
    BatchNorm2d,
    /// ```
    /// use firebrick::prelude::*;
    /// let norm = nn::BatchNorm2d::builder(2).affine(false).track_running_stats(false).momentum(None).build()?;
    /// assert_eq!(
    ///     norm.to_string(),
    ///     "BatchNorm2d(2, eps=1e-05, momentum=None, affine=False, bias=False, track_running_stats=False)"
    /// );
    /// assert!(norm.state_dict().is_empty());
    /// let norm = nn::BatchNorm2d::builder(2).bias(false).build()?;
    /// assert!(norm.weight.is_some() && norm.bias.is_none());
    /// # Ok::<_, firebrick::Error>(())
    /// ```
    BatchNorm2dBuilder, "LazyBatchNorm2d", true,
    |m: &Members<'_>, x: &Tensor| m.batch_norm(x, &[4], "4D")
}

channel_norm! {
    /// Batch normalization of volumes; see [`BatchNorm1d`].
    ///
    /// # Shapes
    /// `[N, C, D, H, W]`, same shape out.
    ///
    /// # Errors
    /// Other numbers of dimensions; while training, one value for each channel or an `eps` that is not positive.
    ///
    /// ```
    /// use firebrick::prelude::*;
    /// let norm = nn::BatchNorm3d::new(2)?;
    /// assert_eq!(norm.call(Tensor::ones([4, 2, 1, 3, 3])?)?.to_vec::<f32>()?, [0.0; 72]);
    /// # Ok::<_, firebrick::Error>(())
    /// ```
    BatchNorm3d,
    /// ```
    /// use firebrick::prelude::*;
    /// let norm = nn::BatchNorm3d::builder(1).momentum(1.0).bias(false).build()?;
    /// assert_eq!(norm.parameters().len(), 1);
    /// norm.call(Tensor::new([1.0f32, 3.0, 5.0, 7.0])?.view([2, 1, 2, 1, 1])?)?;
    /// assert_eq!(norm.get_buffer("running_mean")?.to_vec::<f32>()?, [4.0]); // of the last batch alone
    /// # Ok::<_, firebrick::Error>(())
    /// ```
    BatchNorm3dBuilder, "LazyBatchNorm3d", true,
    |m: &Members<'_>, x: &Tensor| m.batch_norm(x, &[5], "5D")
}
