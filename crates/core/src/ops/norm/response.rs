//! Normalization by neighbouring channels.

use crate::ops::composed;
use crate::ops::sample;
use crate::{AvgPoolOptions, Error, Result, Tensor};

/// The mean of each channel's square and those of its neighbours, zeros beyond the first and last.
fn neighbours(x: &Tensor, size: i64) -> Result<Tensor> {
    let shape = x.shape();
    let square = x.mul(x)?.unsqueeze(1)?;
    let (before, after) = (size.div_euclid(2), size.saturating_sub(1).div_euclid(2));
    let options = AvgPoolOptions::new().stride(1);
    if shape.len() == 3 {
        return square.constant_pad_nd([0, 0, before, after], 0)?.avg_pool2d([size, 1], &options)?.squeeze_dim(1);
    }
    let flat: usize = shape[3..].iter().product();
    let volume = square.reshape([shape[0], 1, shape[1], shape[2], flat])?;
    let padded = volume.constant_pad_nd([0, 0, 0, 0, before, after], 0)?;
    padded.avg_pool3d([size, 1, 1], &options)?.squeeze_dim(1)?.reshape(shape)
}

composed! {
    table: RESPONSE;

    /// Each channel of `[N, C, *]` over a power of its neighbours' mean square: `x / (k + alpha * mean)^beta`, with the
    /// mean over `size` channels.
    ///
    /// Krizhevsky et al., *ImageNet Classification with Deep Convolutional Neural Networks* (2012).
    ///
    /// # Errors
    /// Fewer than three dimensions; a size that is not positive.
    ///
    /// ```
    /// # use firebrick_core::Tensor;
    /// let x = Tensor::new([[[2.0f32], [4.0]]])?;
    /// assert_eq!(x.local_response_norm(1, 1.0, 1.0, 0.0)?.to_vec::<f32>()?, [0.5, 0.25]);
    /// # Ok::<_, firebrick_core::Error>(())
    /// ```
    fn local_response_norm(&x, size: i64, alpha: f64, beta: f64, k: f64) -> Tensor {
        const OP: &str = "local_response_norm";
        let x = x.resolve(OP)?;
        if x.dim() < 3 {
            return Err(Error::value(OP, format!(
                "Expected 3D or higher dimensionality                          input (got {} dimensions)",
                x.dim()
            )));
        }
        if x.numel() == 0 {
            return Ok(x);
        }
        x.div(&neighbours(&x, size)?.mul(alpha)?.add(k)?.pow(beta)?)
    }
    samples: {
        let mut all = sample::shaped(&[2, 4, 3], &[0, 4, 3], |x| x.local_response_norm(3, 0.5, 0.75, 1.0))?;
        all.extend(sample::shaped(&[2, 3, 2, 2], &[2, 0, 2, 2], |x| x.local_response_norm(2, 0.5, 0.75, 1.0))?);
        Ok(all)
    };
}
