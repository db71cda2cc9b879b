//! Medians: the lower of the two middle elements.

use super::extremes::picked;
use super::run::{Over, no_size, reshaped};
use super::samples::along_dim;
use crate::ops::by_hand;
use crate::ops::record_all::of_one;
use crate::ops::sample::{self, ANY};
use crate::{Body, DType, Error, Result, Tensor, backend};

/// Which of the two medians: with NaN as the result where there is one, or without regard to it.
#[derive(Clone, Copy)]
struct Median {
    op: &'static str,
    all_fn: &'static str,
    dim_fn: &'static str,
    skip_nan: bool,
}

const MEDIAN: Median = Median { op: "median", all_fn: "MedianBackward0", dim_fn: "MedianBackward1", skip_nan: false };
const NANMEDIAN: Median =
    Median { op: "nanmedian", all_fn: "NanmedianBackward0", dim_fn: "NanmedianBackward1", skip_nan: true };

impl Median {
    fn find(self, kernel: &str, x: &Tensor, over: &Over) -> Result<(Tensor, Tensor)> {
        let input = x.body();
        if input.dtype == DType::Bool {
            return Err(Error::not_implemented(self.op, format!("\"{kernel}\" not implemented for 'Bool'")));
        }
        let out = Body::alloc(over.kept(), input.dtype, input.device())?;
        let indices = Body::alloc(over.kept(), DType::I64, input.device())?;
        backend::of(input.device())?.median(self.skip_nan, &input, over.dims[0], &out, &indices)?;
        Ok((reshaped(&out, over), reshaped(&indices, over)))
    }

    fn of_all(self, x: &Tensor) -> Result<Tensor> {
        if x.numel() == 0 {
            return x.detach().new_full((), f64::NAN);
        }
        let flat = x.detach().reshape(-1)?;
        let over = Over::one(self.op, &flat, 0, false)?;
        let (out, _) = self.find("median_cpu", &flat, &over)?;
        of_one(self.all_fn, x, &[x], true, out, |seen, g| super::extremes::shared_among_all(g, seen[0], seen[1]))
    }

    fn along(self, x: &Tensor, dim: i64, keepdim: bool) -> Result<(Tensor, Tensor)> {
        let over = Over::one(self.op, x, dim, keepdim)?;
        if over.shape.get(over.dims[0]) == Some(&0) {
            return Err(no_size("median", over.dims[0] as i64));
        }
        let found = self.find("median_out", x, &over)?;
        picked(self.dim_fn, x, over, found)
    }
}

impl Tensor {
    /// The median of all elements, the lower of two; NaN where there is one, or no element.
    ///
    /// ```
    /// # use firebrick_core::Tensor;
    /// assert_eq!(Tensor::new([3.0f32, 1.0, 2.0, 4.0])?.median()?.item::<f32>()?, 2.0);
    /// # Ok::<_, firebrick_core::Error>(())
    /// ```
    pub fn median(&self) -> Result<Tensor> {
        MEDIAN.of_all(&self.resolve("median")?)
    }

    /// The medians along `dim`, and an index of each.
    ///
    /// # Errors
    /// The dimension is out of range or has size 0.
    ///
    /// ```
    /// # use firebrick_core::Tensor;
    /// let (values, indices) = Tensor::new([[5, 1, 3, 4]])?.median_dim(1, false)?;
    /// assert_eq!(values.to_vec::<i32>()?, [3]);
    /// assert_eq!(indices.to_vec::<i64>()?, [2]);
    /// # Ok::<_, firebrick_core::Error>(())
    /// ```
    pub fn median_dim(&self, dim: i64, keepdim: bool) -> Result<(Tensor, Tensor)> {
        MEDIAN.along(&self.resolve("median")?, dim, keepdim)
    }

    /// The median of all elements that are numbers.
    ///
    /// ```
    /// # use firebrick_core::Tensor;
    /// assert_eq!(Tensor::new([f32::NAN, 1.0, 2.0, 3.0])?.nanmedian()?.item::<f32>()?, 2.0);
    /// # Ok::<_, firebrick_core::Error>(())
    /// ```
    pub fn nanmedian(&self) -> Result<Tensor> {
        NANMEDIAN.of_all(&self.resolve("nanmedian")?)
    }

    /// [`Tensor::median_dim`] of the elements that are numbers.
    ///
    /// ```
    /// # use firebrick_core::Tensor;
    /// let (values, indices) = Tensor::new([[f32::NAN, 1.0, 2.0, 3.0]])?.nanmedian_dim(1, false)?;
    /// assert_eq!(values.to_vec::<f32>()?, [2.0]);
    /// assert_eq!(indices.to_vec::<i64>()?, [2]);
    /// # Ok::<_, firebrick_core::Error>(())
    /// ```
    pub fn nanmedian_dim(&self, dim: i64, keepdim: bool) -> Result<(Tensor, Tensor)> {
        NANMEDIAN.along(&self.resolve("nanmedian")?, dim, keepdim)
    }
}

by_hand! {
    table: MEDIANS;
    median as "MedianBackward0": sample::unary(ANY, |x| if x.numel() == 0 { x.sum() } else { x.median() });
    median_dim as "MedianBackward1": along_dim(ANY, |x, dim| Ok(x.median_dim(dim, false)?.0));
    nanmedian as "NanmedianBackward0": sample::unary(ANY, |x| if x.numel() == 0 { x.sum() } else { x.nanmedian() });
    nanmedian_dim as "NanmedianBackward1": along_dim(ANY, |x, dim| Ok(x.nanmedian_dim(dim, false)?.0));
}
