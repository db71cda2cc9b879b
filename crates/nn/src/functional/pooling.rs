//! Averages, adaptive and fractional pooling, and the partial inverse of maximum pooling.

use firebrick_core::text::{python_float, python_tuple};
use firebrick_core::{AvgPoolOptions, Dims, Error, Result, Sizes, Tensor};

macro_rules! averages {
    ($($(#[$doc:meta])* $name:ident, $with:ident, $norm:ident, $norm_with:ident;)*) => { $(
        $(#[$doc])*
        ///
        /// # Errors
        /// Sizes that do not fit, in PyTorch's words.
        pub fn $name(input: &Tensor, kernel_size: impl Into<Sizes>) -> Result<Tensor> {
            $with(input, kernel_size, &AvgPoolOptions::new())
        }

        #[doc = concat!("[`", stringify!($name), "`] with stride, padding, rounding and divisor.")]
        ///
        /// # Errors
        /// Sizes that do not fit, in PyTorch's words.
        pub fn $with(input: &Tensor, kernel_size: impl Into<Sizes>, options: &AvgPoolOptions) -> Result<Tensor> {
            input.$name(kernel_size, options)
        }

        #[doc = concat!("`(sum of x^norm_type)^(1 / norm_type)` of each window of [`", stringify!($name), "`].")]
        ///
        /// # Errors
        /// A `norm_type` of zero; sizes that do not fit.
        pub fn $norm(input: &Tensor, norm_type: f64, kernel_size: impl Into<Sizes>) -> Result<Tensor> {
            $norm_with(input, norm_type, kernel_size, None::<Sizes>, false)
        }

        #[doc = concat!("[`", stringify!($norm), "`] with stride and rounding.")]
        ///
        /// # Errors
        /// A `norm_type` of zero; sizes that do not fit.
        pub fn $norm_with(
            input: &Tensor,
            norm_type: f64,
            kernel_size: impl Into<Sizes>,
            stride: Option<impl Into<Sizes>>,
            ceil_mode: bool,
        ) -> Result<Tensor> {
            let mut options = AvgPoolOptions::new().ceil_mode(ceil_mode);
            options.stride = stride.map(Into::into);
            input.$norm(norm_type, kernel_size, &options)
        }
    )* };
}

averages! {
    /// The mean of each window of `[N, C, L]` or `[C, L]`, windows side by side.
    ///
    /// ```
    /// use firebrick::nn::functional as F;
    /// use firebrick::prelude::*;
    /// assert_eq!(F::avg_pool1d(&Tensor::new([[1.0f32, 2.0, 4.0, 3.0]])?, 2)?.to_vec::<f32>()?, [1.5, 3.5]);
    /// # Ok::<_, firebrick::Error>(())
    /// ```
    avg_pool1d, avg_pool1d_with, lp_pool1d, lp_pool1d_with;
    /// The mean of each window of `[N, C, H, W]` or `[C, H, W]`, windows side by side.
    ///
    /// ```
    /// use firebrick::nn::functional as F;
    /// use firebrick::prelude::*;
    /// let x = Tensor::new([[[1.0f32, 2.0], [4.0, 3.0]]])?;
    /// assert_eq!(F::avg_pool2d(&x, 2)?.to_vec::<f32>()?, [2.5]);
    /// # Ok::<_, firebrick::Error>(())
    /// ```
    avg_pool2d, avg_pool2d_with, lp_pool2d, lp_pool2d_with;
    /// The mean of each window of `[N, C, D, H, W]` or `[C, D, H, W]`, windows side by side.
    ///
    /// ```
    /// use firebrick::nn::functional as F;
    /// use firebrick::prelude::*;
    /// assert_eq!(F::avg_pool3d(&Tensor::ones([1, 2, 2, 2])?, 2)?.to_vec::<f32>()?, [1.0]);
    /// # Ok::<_, firebrick::Error>(())
    /// ```
    avg_pool3d, avg_pool3d_with, lp_pool3d, lp_pool3d_with;
}

/// The size that an adaptive pooling is asked for: one for all dimensions, or one for each, where `None` keeps the
/// input's.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OutputSize(Vec<Option<i64>>);

impl OutputSize {
    /// The sizes as they were given.
    pub fn sizes(&self) -> &[Option<i64>] {
        &self.0
    }

    /// The sizes for this input.
    fn resolved(&self, input: &Tensor) -> Result<Sizes> {
        let (wanted, shape) = (&self.0, input.shape());
        if let [Some(one)] = wanted[..] {
            return Ok(one.into());
        }
        if shape.len() <= wanted.len() {
            let text = format!("Input dimension should be at least {}", wanted.len() + 1);
            return Err(Error::value("adaptive_pool", text).given(shape.to_string()));
        }
        let own = shape[shape.len() - wanted.len()..].iter();
        Ok(wanted.iter().zip(own).map(|(wanted, &own)| wanted.unwrap_or(own as i64)).collect())
    }
}

macro_rules! from_sizes {
    ($([$($n:tt)*] $type:ty)*) => { $(
        impl<$($n)*> From<$type> for OutputSize {
            fn from(sizes: $type) -> Self {
                OutputSize(Sizes::from(sizes).iter().map(|&size| Some(size)).collect())
            }
        }
    )* };
}

from_sizes! {
    [] i32 [] i64 [] usize [] Sizes [] Vec<i64>
    [const N: usize] [i32; N] [const N: usize] [i64; N] [const N: usize] [usize; N]
}

macro_rules! from_options {
    ($([$($n:tt)*] $type:ty)*) => { $(
        impl<$($n)*> From<$type> for OutputSize {
            fn from(sizes: $type) -> Self {
                OutputSize(sizes.into())
            }
        }
    )* };
}

from_options! { [] Vec<Option<i64>> [const N: usize] [Option<i64>; N] }

impl From<&OutputSize> for OutputSize {
    fn from(sizes: &OutputSize) -> Self {
        sizes.clone()
    }
}

macro_rules! adaptive {
    ($($(#[$doc:meta])* $average:ident, $maximum:ident, $with_indices:ident;)*) => { $(
        $(#[$doc])*
        ///
        /// # Errors
        /// Sizes that do not fit, in PyTorch's words.
        pub fn $average(input: &Tensor, output_size: impl Into<OutputSize>) -> Result<Tensor> {
            input.$average(output_size.into().resolved(input)?)
        }

        #[doc = concat!("The largest element of each window of [`", stringify!($average), "`].")]
        ///
        /// # Errors
        /// Sizes that do not fit, in PyTorch's words.
        pub fn $maximum(input: &Tensor, output_size: impl Into<OutputSize>) -> Result<Tensor> {
            Ok($with_indices(input, output_size)?.0)
        }

        #[doc = concat!("[`", stringify!($maximum), "`] together with the index of each winner in its plane.")]
        ///
        /// # Errors
        /// Sizes that do not fit, in PyTorch's words.
        pub fn $with_indices(input: &Tensor, output_size: impl Into<OutputSize>) -> Result<(Tensor, Tensor)> {
            input.$maximum(output_size.into().resolved(input)?)
        }
    )* };
}

adaptive! {
    /// Means of as many windows over `[N, C, L]` or `[C, L]` as `output_size` says.
    ///
    /// ```
    /// use firebrick::nn::functional as F;
    /// use firebrick::prelude::*;
    /// assert_eq!(F::adaptive_avg_pool1d(&Tensor::new([[1.0f32, 2.0, 4.0, 3.0]])?, 2)?.to_vec::<f32>()?, [1.5, 3.5]);
    /// # Ok::<_, firebrick::Error>(())
    /// ```
    adaptive_avg_pool1d, adaptive_max_pool1d, adaptive_max_pool1d_with_indices;
    /// Means of as many windows over `[N, C, H, W]` or `[C, H, W]` as `output_size` says.
    ///
    /// ```
    /// use firebrick::nn::functional as F;
    /// use firebrick::prelude::*;
    /// let x = Tensor::new([[[1.0f32, 2.0], [4.0, 3.0]]])?;
    /// assert_eq!(F::adaptive_avg_pool2d(&x, [None, Some(1)])?.to_vec::<f32>()?, [1.5, 3.5]);
    /// # Ok::<_, firebrick::Error>(())
    /// ```
    adaptive_avg_pool2d, adaptive_max_pool2d, adaptive_max_pool2d_with_indices;
    /// Means of as many windows over `[N, C, D, H, W]` or `[C, D, H, W]` as `output_size` says.
    ///
    /// ```
    /// use firebrick::nn::functional as F;
    /// use firebrick::prelude::*;
    /// let x = Tensor::zeros([1, 4, 4, 4])?;
    /// assert_eq!(F::adaptive_avg_pool3d(&x, [None, Some(2), Some(1)])?.shape(), [1, 4, 2, 1]);
    /// # Ok::<_, firebrick::Error>(())
    /// ```
    adaptive_avg_pool3d, adaptive_max_pool3d, adaptive_max_pool3d_with_indices;
}

/// Window, stride, padding and wanted size of an unpooling.
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

    /// Steps of the window that pooled.
    pub fn stride(mut self, stride: impl Into<Sizes>) -> Self {
        self.stride = Some(stride.into());
        self
    }

    /// Padding of the pooling.
    pub fn padding(mut self, padding: impl Into<Sizes>) -> Self {
        self.padding = padding.into();
        self
    }

    /// The size before the pooling.
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

/// How large the result of a fractional pooling is.
#[derive(Clone, Debug, PartialEq)]
pub enum FractionalSize {
    /// So large, one for all dimensions or one for each.
    Size(Sizes),
    /// This part of the input, one for all dimensions or one for each, between 0 and 1.
    Ratio(Vec<f64>),
}

impl<T: Into<Sizes>> From<T> for FractionalSize {
    fn from(size: T) -> Self {
        FractionalSize::Size(size.into())
    }
}

impl FractionalSize {
    /// The whole sizes for this input over `n` dimensions.
    fn resolved(&self, input: &Tensor, n: usize) -> Result<Sizes> {
        match self {
            FractionalSize::Size(size) => Ok(size.clone()),
            FractionalSize::Ratio(ratios) => (0..n)
                .map(|d| {
                    let ratio = ratios.get(d).or(ratios.first()).copied().unwrap_or(1.0);
                    Ok((input.size(d as i64 - n as i64)? as f64 * ratio) as i64)
                })
                .collect(),
        }
    }

    /// Refuses ratios that are not between 0 and 1.
    pub(crate) fn check(&self, op: &'static str) -> Result<()> {
        let FractionalSize::Ratio(ratios) = self else { return Ok(()) };
        if ratios.iter().all(|&ratio| 0.0 < ratio && ratio < 1.0) {
            return Ok(());
        }
        let text = match &ratios[..] {
            [one] => python_float(*one),
            list => format!("({})", list.iter().map(|&r| python_float(r)).collect::<Vec<_>>().join(", ")),
        };
        Err(Error::value(op, format!("output_ratio must be between 0 and 1 (got {text})")))
    }
}

macro_rules! fractional {
    ($($(#[$doc:meta])* $name:ident, $with_indices:ident, $n:literal;)*) => { $(
        $(#[$doc])*
        ///
        /// # Errors
        /// Sizes that do not fit, in PyTorch's words.
        pub fn $name(
            input: &Tensor,
            kernel_size: impl Into<Sizes>,
            output_size: impl Into<FractionalSize>,
            random_samples: Option<&Tensor>,
        ) -> Result<Tensor> {
            Ok($with_indices(input, kernel_size, output_size, random_samples)?.0)
        }

        #[doc = concat!("[`", stringify!($name), "`] together with the index of each winner in its plane.")]
        ///
        /// # Errors
        /// Sizes that do not fit, in PyTorch's words.
        pub fn $with_indices(
            input: &Tensor,
            kernel_size: impl Into<Sizes>,
            output_size: impl Into<FractionalSize>,
            random_samples: Option<&Tensor>,
        ) -> Result<(Tensor, Tensor)> {
            let size = output_size.into().resolved(input, $n)?;
            input.$name(kernel_size, size, random_samples)
        }
    )* };
}

fractional! {
    /// The largest elements of windows of one size over `[N, C, H, W]` or `[C, H, W]` at pseudo-random steps; samples
    /// `[N, C, 2]` are drawn where none are given.
    ///
    /// ```
    /// use firebrick::nn::functional as F;
    /// use firebrick::prelude::*;
    /// let half = F::FractionalSize::Ratio(vec![0.5]);
    /// assert_eq!(F::fractional_max_pool2d(&Tensor::zeros([1, 8, 8])?, 2, half, None)?.shape(), [1, 4, 4]);
    /// # Ok::<_, firebrick::Error>(())
    /// ```
    fractional_max_pool2d, fractional_max_pool2d_with_indices, 2;
    /// The largest elements of windows of one size over `[N, C, D, H, W]` or `[C, D, H, W]` at pseudo-random steps; samples
    /// `[N, C, 3]` are drawn where none are given.
    ///
    /// ```
    /// use firebrick::nn::functional as F;
    /// use firebrick::prelude::*;
    /// assert_eq!(F::fractional_max_pool3d(&Tensor::zeros([1, 8, 8, 8])?, 2, [2, 3, 4], None)?.shape(), [1, 2, 3, 4]);
    /// # Ok::<_, firebrick::Error>(())
    /// ```
    fractional_max_pool3d, fractional_max_pool3d_with_indices, 3;
}
