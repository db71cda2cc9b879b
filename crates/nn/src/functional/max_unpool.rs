//! The partial inverse of maximum pooling.

use firebrick_core::text::python_tuple;
use firebrick_core::{Dims, Error, Result, Sizes, Tensor};

/// Window, stride, padding and wanted size of an unpooling.
///
/// ```
/// use firebrick::prelude::*;
/// use firebrick::nn::functional as F;
/// let (x, indices) = (Tensor::new([[5.0f32, 7.0]])?, Tensor::new([[0i64, 4]])?);
/// let options = F::UnpoolOptions::new().stride(2).padding(0).output_size([5]);
/// assert_eq!(F::max_unpool1d(&x, &indices, 2, &options)?.to_vec::<f32>()?, [5.0, 0.0, 0.0, 0.0, 7.0]);
/// # Ok::<_, firebrick::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct UnpoolOptions {
    /// Steps of the window that pooled; the window's own size unless set.
    pub stride: Option<Sizes>,
    /// Padding of the pooling.
    pub padding: Sizes,
    /// The size before the pooling, where several are possible; batch and channels may lead.
    pub output_size: Option<Sizes>,
}

impl Default for UnpoolOptions {
    fn default() -> Self {
        UnpoolOptions { stride: None, padding: 0.into(), output_size: None }
    }
}

impl UnpoolOptions {
    /// Windows side by side, no padding, the smallest size.
    pub fn new() -> Self {
        Self::default()
    }

    /// Steps of the window that pooled; its own size unless set.
    pub fn stride(mut self, stride: impl Into<Sizes>) -> Self {
        self.stride = Some(stride.into());
        self
    }

    /// Padding of the pooling; none unless set.
    pub fn padding(mut self, padding: impl Into<Sizes>) -> Self {
        self.padding = padding.into();
        self
    }

    /// The size before the pooling; the smallest that is possible unless set.
    pub fn output_size(mut self, size: impl Into<Sizes>) -> Self {
        self.output_size = Some(size.into());
        self
    }
}

/// One number for each of `n` dimensions.
fn each(sizes: &Sizes, n: usize) -> Result<Vec<i64>> {
    match &sizes[..] {
        [one] => Ok(vec![*one; n]),
        list if list.len() == n => Ok(list.to_vec()),
        _ => Err(Error::index("max_unpool", "tuple index out of range")),
    }
}

/// The size before a pooling.
fn unpooled_size(n: usize, shape: &Dims, kernel: &Sizes, options: &UnpoolOptions) -> Result<Vec<i64>> {
    const OP: &str = "max_unpool";
    let kernel = each(kernel, n)?;
    let stride = options.stride.as_ref().map_or_else(|| Ok(kernel.clone()), |stride| each(stride, n))?;
    let padding = each(&options.padding, n)?;
    if n == 3 && stride.iter().any(|&s| s <= 0) {
        let text = format!("strides should be greater than zero, but got stride: {stride:?}");
        return Err(Error::runtime(OP, text));
    }
    let spatial = &shape[shape.len().saturating_sub(n)..];
    if spatial.len() < n {
        return Err(Error::index(OP, "tuple index out of range"));
    }
    let usual = |d: usize| {
        let spread = (spatial[d] as i64 - 1).saturating_mul(stride[d]);
        spread.saturating_add(kernel[d]).saturating_sub(padding[d].saturating_mul(2))
    };
    let usual: Vec<i64> = (0..n).map(usual).collect();
    let Some(given) = &options.output_size else {
        if let Some((d, size)) = usual.iter().enumerate().find(|(_, size)| **size < 0) {
            let text = format!(
                "max_unpooling: output_size must contain non-negative spatial dimensions, but got output_size[{d}]={size}"
            );
            return Err(Error::value(OP, text));
        }
        return Ok(usual);
    };
    let wanted = if given.len() == n + 2 { &given[2..] } else { &given[..] };
    if wanted.len() != n {
        let text = format!(
            "output_size should be a sequence containing {n} or {} elements, but it has a length of '{}'",
            n + 2,
            wanted.len()
        );
        return Err(Error::value(OP, text));
    }
    for d in 0..n {
        let (least, most) = (usual[d].saturating_sub(stride[d]), usual[d].saturating_add(stride[d]));
        if wanted[d] <= least || wanted[d] >= most {
            let text = format!(
                "invalid output_size \"{}\" (dim {d} must be between {least} and {most})",
                python_tuple(wanted)
            );
            return Err(Error::value(OP, text));
        }
    }
    Ok(wanted.to_vec())
}

/// Sequences in which each element stands at the index that [`max_pool1d_with_indices`](super::max_pool1d_with_indices)
/// found it at, with zeros elsewhere.
///
/// # Errors
/// Indices outside the sequence; a size that the pooling cannot have come from.
///
/// ```
/// use firebrick::nn::functional as F;
/// use firebrick::prelude::*;
/// let (x, indices) = (Tensor::new([[5.0f32]])?, Tensor::new([[1i64]])?);
/// assert_eq!(F::max_unpool1d(&x, &indices, 2, &F::UnpoolOptions::new())?.to_vec::<f32>()?, [0.0, 5.0]);
/// # Ok::<_, firebrick::Error>(())
/// ```
pub fn max_unpool1d(
    input: &Tensor,
    indices: &Tensor,
    kernel_size: impl Into<Sizes>,
    options: &UnpoolOptions,
) -> Result<Tensor> {
    let mut size = unpooled_size(1, &input.shape(), &kernel_size.into(), options)?;
    size.push(1);
    input.unsqueeze(-1)?.max_unpool2d(&indices.unsqueeze(-1)?, size)?.squeeze_dim(-1)
}

/// Images in which each element stands at the index that [`max_pool2d_with_indices`](super::max_pool2d_with_indices) found
/// it at, with zeros elsewhere.
///
/// # Errors
/// Indices outside the image; a size that the pooling cannot have come from.
///
/// ```
/// use firebrick::nn::functional::{self as F, UnpoolOptions};
/// use firebrick::prelude::*;
/// let x = Tensor::new([[[1.0f32, 2.0], [4.0, 3.0]]])?;
/// let (y, indices) = F::max_pool2d_with_indices(&x, 2, &firebrick::PoolOptions::new())?;
/// assert_eq!(F::max_unpool2d(&y, &indices, 2, &UnpoolOptions::new())?.to_vec::<f32>()?, [0.0, 0.0, 4.0, 0.0]);
/// # Ok::<_, firebrick::Error>(())
/// ```
pub fn max_unpool2d(
    input: &Tensor,
    indices: &Tensor,
    kernel_size: impl Into<Sizes>,
    options: &UnpoolOptions,
) -> Result<Tensor> {
    input.max_unpool2d(indices, unpooled_size(2, &input.shape(), &kernel_size.into(), options)?)
}

/// Volumes in which each element stands at the index that [`max_pool3d_with_indices`](super::max_pool3d_with_indices)
/// found it at, with zeros elsewhere.
///
/// # Errors
/// Indices outside the volume; a size that the pooling cannot have come from.
///
/// ```
/// use firebrick::nn::functional as F;
/// use firebrick::prelude::*;
/// let (x, indices) = (Tensor::new([[[[5.0f32]]]])?, Tensor::new([[[[1i64]]]])?);
/// assert_eq!(F::max_unpool3d(&x, &indices, [1, 1, 2], &F::UnpoolOptions::new())?.to_vec::<f32>()?, [0.0, 5.0]);
/// # Ok::<_, firebrick::Error>(())
/// ```
pub fn max_unpool3d(
    input: &Tensor,
    indices: &Tensor,
    kernel_size: impl Into<Sizes>,
    options: &UnpoolOptions,
) -> Result<Tensor> {
    input.max_unpool3d(indices, unpooled_size(3, &input.shape(), &kernel_size.into(), options)?)
}
