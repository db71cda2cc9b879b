//! Sums and means.

use super::run::{Over, reduce};
use super::samples::over_dims;
use crate::backend::Reduce;
use crate::ops::by_hand;
use crate::ops::record_all::of_one;
use crate::ops::sample::{self, ANY};
use crate::{DType, Error, Result, Sizes, Tensor};

/// The dtype that sums of `dtype` have: integers and bool become int64.
pub(crate) fn sum_dtype(dtype: DType) -> DType {
    if dtype.is_differentiable() { dtype } else { DType::I64 }
}

fn sum(name: &'static str, x: &Tensor, over: Over) -> Result<Tensor> {
    let out = reduce(Reduce::Sum, x, &over, sum_dtype(x.dtype()))?;
    of_one(name, x, &[], false, out, move |_, g| over.stretch(g))
}

/// What PyTorch says of a mean in integers; `which` dtype that is.
fn uninferred(which: &str, dtype: DType) -> Error {
    let text =
        format!("mean(): could not infer output dtype. {which} dtype must be either a floating point or complex dtype");
    Error::not_implemented("mean", format!("{text}. Got: {}", dtype.scalar_name()))
}

fn mean(name: &'static str, x: &Tensor, over: Over) -> Result<Tensor> {
    let dtype = x.dtype();
    if !dtype.is_differentiable() {
        return Err(uninferred("Input", dtype).remedy("convert it first, as in `x.to(DType::F32)?.mean()`"));
    }
    let out = reduce(Reduce::Mean, x, &over, dtype)?;
    of_one(name, x, &[], false, out, move |_, g| over.stretch(g)?.div(over.count() as f64))
}

fn nansum(x: &Tensor, over: Over) -> Result<Tensor> {
    let out = reduce(Reduce::NanSum, x, &over, sum_dtype(x.dtype()))?;
    of_one("NansumBackward0", x, &[x], false, out, move |seen, g| {
        over.stretch(g)?.mul(&seen[0].detach().isnan()?.logical_not()?)
    })
}

fn nanmean(x: &Tensor, over: Over) -> Result<Tensor> {
    let dtype = x.dtype();
    if !dtype.is_floating_point() {
        return Err(Error::not_implemented(
            "nanmean",
            format!(
                "nanmean(): expected input to have floating point or complex dtype but got {}",
                dtype.scalar_name()
            ),
        ));
    }
    let count = reduce(Reduce::CountNumbers, x, &over, DType::I64)?;
    nansum(x, over)?.div(&count)
}

impl Tensor {
    /// Sum of all elements; of integers and bools an int64.
    ///
    /// PyTorch's `x.sum(dtype=...)` is `x.to(dtype)?.sum()`, here and in the other reductions.
    ///
    /// ```
    /// # use firebrick_core::Tensor;
    /// assert_eq!(Tensor::new([1.0f32, 2.5])?.sum()?.item::<f32>()?, 3.5);
    /// # Ok::<_, firebrick_core::Error>(())
    /// ```
    #[track_caller]
    pub fn sum(&self) -> Result<Tensor> {
        let _running = crate::source::operation();
        let x = self.resolve("sum")?;
        sum("SumBackward0", &x, Over::all(&x))
    }

    /// Sum over the given dimensions, which disappear unless `keepdim` is set; over all when none are given.
    ///
    /// # Errors
    /// A dimension out of range, or named twice.
    ///
    /// ```
    /// # use firebrick_core::Tensor;
    /// let x = Tensor::new([[1i64, 2], [3, 4]])?;
    /// assert_eq!(x.sum_dim(-1, false)?.to_vec::<i64>()?, [3, 7]);
    /// # Ok::<_, firebrick_core::Error>(())
    /// ```
    #[track_caller]
    pub fn sum_dim(&self, dims: impl Into<Sizes>, keepdim: bool) -> Result<Tensor> {
        let _running = crate::source::operation();
        let x = self.resolve("sum")?;
        sum("SumBackward1", &x, Over::dims("sum", &x, &dims.into(), keepdim)?)
    }

    /// Mean of all elements; NaN of none.
    ///
    /// # Errors
    /// Integers and bools: convert them first.
    ///
    /// ```
    /// # use firebrick_core::Tensor;
    /// assert_eq!(Tensor::new([1.0f32, 2.0])?.mean()?.item::<f32>()?, 1.5);
    /// # Ok::<_, firebrick_core::Error>(())
    /// ```
    #[track_caller]
    pub fn mean(&self) -> Result<Tensor> {
        let _running = crate::source::operation();
        let x = self.resolve("mean")?;
        mean("MeanBackward0", &x, Over::all(&x))
    }

    /// Mean over the given dimensions; see [`Tensor::mean`] and [`Tensor::sum_dim`].
    ///
    /// ```
    /// # use firebrick_core::Tensor;
    /// let x = Tensor::new([[1.0f32, 3.0], [5.0, 7.0]])?;
    /// assert_eq!(x.mean_dim(0, false)?.to_vec::<f32>()?, [3.0, 5.0]);
    /// assert_eq!(x.mean_dim([0, 1], true)?.shape(), [1, 1]);
    /// # Ok::<_, firebrick_core::Error>(())
    /// ```
    #[track_caller]
    pub fn mean_dim(&self, dims: impl Into<Sizes>, keepdim: bool) -> Result<Tensor> {
        let _running = crate::source::operation();
        let x = self.resolve("mean")?;
        mean("MeanBackward1", &x, Over::dims("mean", &x, &dims.into(), keepdim)?)
    }

    /// Mean over the given dimensions, computed in and returned as `dtype`: PyTorch's `x.mean(dim, dtype=...)`.
    ///
    /// # Errors
    /// A `dtype` of integers or bools; otherwise as [`Tensor::mean_dim`].
    ///
    /// ```
    /// # use firebrick_core::{DType, Tensor};
    /// assert_eq!(Tensor::new([1i64, 2])?.mean_as((), false, DType::F64)?.item::<f64>()?, 1.5);
    /// # Ok::<_, firebrick_core::Error>(())
    /// ```
    pub fn mean_as(&self, dims: impl Into<Sizes>, keepdim: bool, dtype: DType) -> Result<Tensor> {
        if !dtype.is_floating_point() {
            return Err(uninferred("Optional", dtype));
        }
        self.to(dtype)?.mean_dim(dims, keepdim)
    }

    /// Sum of all elements that are numbers: NaN counts as zero.
    ///
    /// ```
    /// # use firebrick_core::Tensor;
    /// assert_eq!(Tensor::new([f32::NAN, 1.0, 2.0])?.nansum()?.item::<f32>()?, 3.0);
    /// # Ok::<_, firebrick_core::Error>(())
    /// ```
    pub fn nansum(&self) -> Result<Tensor> {
        let x = self.resolve("nansum")?;
        nansum(&x, Over::all(&x))
    }

    /// [`Tensor::nansum`] over the given dimensions.
    ///
    /// ```
    /// # use firebrick_core::Tensor;
    /// let x = Tensor::new([[f32::NAN, 1.0], [2.0, 3.0]])?;
    /// assert_eq!(x.nansum_dim(1, false)?.to_vec::<f32>()?, [1.0, 5.0]);
    /// # Ok::<_, firebrick_core::Error>(())
    /// ```
    pub fn nansum_dim(&self, dims: impl Into<Sizes>, keepdim: bool) -> Result<Tensor> {
        let x = self.resolve("nansum")?;
        nansum(&x, Over::dims("nansum", &x, &dims.into(), keepdim)?)
    }

    /// Mean of all elements that are numbers.
    ///
    /// ```
    /// # use firebrick_core::Tensor;
    /// assert_eq!(Tensor::new([f32::NAN, 1.0, 2.0])?.nanmean()?.item::<f32>()?, 1.5);
    /// # Ok::<_, firebrick_core::Error>(())
    /// ```
    pub fn nanmean(&self) -> Result<Tensor> {
        let x = self.resolve("nanmean")?;
        nanmean(&x, Over::all(&x))
    }

    /// [`Tensor::nanmean`] over the given dimensions.
    ///
    /// ```
    /// # use firebrick_core::Tensor;
    /// let x = Tensor::new([[f32::NAN, 1.0], [2.0, 3.0]])?;
    /// assert_eq!(x.nanmean_dim(1, false)?.to_vec::<f32>()?, [1.0, 2.5]);
    /// # Ok::<_, firebrick_core::Error>(())
    /// ```
    pub fn nanmean_dim(&self, dims: impl Into<Sizes>, keepdim: bool) -> Result<Tensor> {
        let x = self.resolve("nanmean")?;
        nanmean(&x, Over::dims("nanmean", &x, &dims.into(), keepdim)?)
    }
}

by_hand! {
    table: SUMS;
    sum as "SumBackward0": sample::unary(ANY, |x| x.sum());
    sum_dim as "SumBackward1": over_dims(ANY, |x, dims, keep| x.sum_dim(dims, keep));
    mean as "MeanBackward0": sample::unary(ANY, |x| x.mean());
    mean_dim as "MeanBackward1": over_dims(ANY, |x, dims, keep| x.mean_dim(dims, keep));
    mean_as: over_dims(ANY, |x, dims, keep| x.mean_as(dims, keep, DType::F64));
    nansum as "NansumBackward0": sample::unary(ANY, |x| x.nansum());
    nansum_dim as "NansumBackward0": over_dims(ANY, |x, dims, keep| x.nansum_dim(dims, keep));
    nanmean: sample::unary(ANY, |x| if x.numel() == 0 { x.nansum() } else { x.nanmean() });
    nanmean_dim: over_dims(ANY, |x, dims, keep| x.nanmean_dim(dims, keep));
}
