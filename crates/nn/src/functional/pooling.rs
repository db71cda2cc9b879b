//! Averages, adaptive and fractional pooling.

use firebrick_core::text::python_float;
use firebrick_core::{AvgPoolOptions, Error, Result, Sizes, Tensor};

macro_rules! averages {
    ($($(#[$doc:meta])* $n:literal, $name:ident, $with:ident, $norm:ident, $norm_with:ident;)*) => { $(
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
        ///
        /// ```
        /// use firebrick::nn::functional as F;
        /// use firebrick::prelude::*;
        /// let options = firebrick::AvgPoolOptions::new().stride(1).padding(1).count_include_pad(false);
        #[doc = concat!("let y = F::", stringify!($with), "(&Tensor::ones([4; 1 + ", $n, "])?, 2, &options)?;")]
        /// assert_eq!((y.size(-1)?, y.min()?.item::<f32>()?), (5, 1.0));
        /// # Ok::<_, firebrick::Error>(())
        /// ```
        pub fn $with(input: &Tensor, kernel_size: impl Into<Sizes>, options: &AvgPoolOptions) -> Result<Tensor> {
            input.$name(kernel_size, options)
        }

        #[doc = concat!("`(sum of x^norm_type)^(1 / norm_type)` of each window of [`", stringify!($name), "`].")]
        ///
        /// # Errors
        /// A `norm_type` of zero; sizes that do not fit.
        ///
        /// ```
        /// use firebrick::nn::functional as F;
        /// use firebrick::prelude::*;
        #[doc = concat!("let y = F::", stringify!($norm), "(&Tensor::ones([4; 1 + ", $n, "])?, 1.0, 2)?;")]
        #[doc = concat!("assert_eq!((y.size(-1)?, y.max()?.item::<f32>()?), (2, 2f32.powi(", $n, ")));")]
        /// # Ok::<_, firebrick::Error>(())
        /// ```
        pub fn $norm(input: &Tensor, norm_type: f64, kernel_size: impl Into<Sizes>) -> Result<Tensor> {
            $norm_with(input, norm_type, kernel_size, None::<Sizes>, false)
        }

        #[doc = concat!("[`", stringify!($norm), "`] with stride and rounding.")]
        ///
        /// # Errors
        /// A `norm_type` of zero; sizes that do not fit.
        ///
        /// ```
        /// use firebrick::nn::functional as F;
        /// use firebrick::prelude::*;
        #[doc = concat!("let y = F::", stringify!($norm_with), "(&Tensor::ones([4; 1 + ", $n, "])?, 1.0, 2, Some(1), false)?;")]
        /// assert_eq!(y.size(-1)?, 3);
        /// # Ok::<_, firebrick::Error>(())
        /// ```
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
    1, avg_pool1d, avg_pool1d_with, lp_pool1d, lp_pool1d_with;
    /// The mean of each window of `[N, C, H, W]` or `[C, H, W]`, windows side by side.
    ///
    /// ```
    /// use firebrick::nn::functional as F;
    /// use firebrick::prelude::*;
    /// let x = Tensor::new([[[1.0f32, 2.0], [4.0, 3.0]]])?;
    /// assert_eq!(F::avg_pool2d(&x, 2)?.to_vec::<f32>()?, [2.5]);
    /// # Ok::<_, firebrick::Error>(())
    /// ```
    2, avg_pool2d, avg_pool2d_with, lp_pool2d, lp_pool2d_with;
    /// The mean of each window of `[N, C, D, H, W]` or `[C, D, H, W]`, windows side by side.
    ///
    /// ```
    /// use firebrick::nn::functional as F;
    /// use firebrick::prelude::*;
    /// assert_eq!(F::avg_pool3d(&Tensor::ones([1, 2, 2, 2])?, 2)?.to_vec::<f32>()?, [1.0]);
    /// # Ok::<_, firebrick::Error>(())
    /// ```
    3, avg_pool3d, avg_pool3d_with, lp_pool3d, lp_pool3d_with;
}

/// The size that an adaptive pooling is asked for: one for all dimensions, or one for each, where `None` keeps the
/// input's.
///
/// ```
/// use firebrick::nn::functional::OutputSize;
/// assert_eq!(OutputSize::from([2, 3]).sizes(), [Some(2), Some(3)]);
/// assert_eq!(OutputSize::from([None, Some(1)]).sizes(), [None, Some(1)]);
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OutputSize(Vec<Option<i64>>);

impl OutputSize {
    /// The sizes as they were given; [`OutputSize`] shows it.
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
    ($($(#[$doc:meta])* $n:literal, $average:ident, $maximum:ident, $with_indices:ident;)*) => { $(
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
        ///
        /// ```
        /// use firebrick::nn::functional as F;
        /// use firebrick::prelude::*;
        #[doc = concat!("let y = F::", stringify!($maximum), "(&Tensor::ones([4; 1 + ", $n, "])?, 2)?;")]
        /// assert_eq!((y.size(-1)?, y.max()?.item::<f32>()?), (2, 1.0));
        /// # Ok::<_, firebrick::Error>(())
        /// ```
        pub fn $maximum(input: &Tensor, output_size: impl Into<OutputSize>) -> Result<Tensor> {
            Ok($with_indices(input, output_size)?.0)
        }

        #[doc = concat!("[`", stringify!($maximum), "`] together with the index of each winner in its plane.")]
        ///
        /// # Errors
        /// Sizes that do not fit, in PyTorch's words.
        ///
        /// ```
        /// use firebrick::nn::functional as F;
        /// use firebrick::prelude::*;
        #[doc = concat!("let (_, indices) = F::", stringify!($with_indices), "(&Tensor::ones([1; 1 + ", $n, "])?, 1)?;")]
        /// assert_eq!(indices.to_vec::<i64>()?, [0]);
        /// # Ok::<_, firebrick::Error>(())
        /// ```
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
    1, adaptive_avg_pool1d, adaptive_max_pool1d, adaptive_max_pool1d_with_indices;
    /// Means of as many windows over `[N, C, H, W]` or `[C, H, W]` as `output_size` says.
    ///
    /// ```
    /// use firebrick::nn::functional as F;
    /// use firebrick::prelude::*;
    /// let x = Tensor::new([[[1.0f32, 2.0], [4.0, 3.0]]])?;
    /// assert_eq!(F::adaptive_avg_pool2d(&x, [None, Some(1)])?.to_vec::<f32>()?, [1.5, 3.5]);
    /// # Ok::<_, firebrick::Error>(())
    /// ```
    2, adaptive_avg_pool2d, adaptive_max_pool2d, adaptive_max_pool2d_with_indices;
    /// Means of as many windows over `[N, C, D, H, W]` or `[C, D, H, W]` as `output_size` says.
    ///
    /// ```
    /// use firebrick::nn::functional as F;
    /// use firebrick::prelude::*;
    /// let x = Tensor::zeros([1, 4, 4, 4])?;
    /// assert_eq!(F::adaptive_avg_pool3d(&x, [None, Some(2), Some(1)])?.shape(), [1, 4, 2, 1]);
    /// # Ok::<_, firebrick::Error>(())
    /// ```
    3, adaptive_avg_pool3d, adaptive_max_pool3d, adaptive_max_pool3d_with_indices;
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

        #[doc = concat!("[`", stringify!($name), "`] together with the index of each winner in its plane, as it shows.")]
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
    /// let (x, samples) = (Tensor::arange(16.0f32)?.view([1, 1, 4, 4])?, Tensor::new([[[0.2f32, 0.6]]])?);
    /// let (_, indices) = F::fractional_max_pool2d_with_indices(&x, 2, 2, Some(&samples))?;
    /// assert_eq!(indices.to_vec::<i64>()?, [5, 7, 13, 15]);
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
    /// let (x, samples) = (Tensor::arange(64.0f32)?.view([1, 1, 4, 4, 4])?, Tensor::new([[[0.2f32, 0.6, 0.4]]])?);
    /// let (_, indices) = F::fractional_max_pool3d_with_indices(&x, 2, 2, Some(&samples))?;
    /// assert_eq!(indices.to_vec::<i64>()?, [21, 23, 29, 31, 53, 55, 61, 63]);
    /// # Ok::<_, firebrick::Error>(())
    /// ```
    fractional_max_pool3d, fractional_max_pool3d_with_indices, 3;
}
