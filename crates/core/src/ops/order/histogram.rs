//! Histograms.

use super::run::{no_derivative, not_implemented, without_gradient};
use crate::ops::devices::same_device;
use crate::random::Number;
use crate::storage::check_list;
use crate::{DType, Element, Error, Result, Scalar, Tensor, TensorOptions, dispatch};

/// The bins of a histogram: a number of equally wide ones, or their edges.
///
/// ```
/// # use firebrick_core::{Bins, Tensor};
/// let x = Tensor::new([1.0f32, 2.0, 2.5, 4.0])?;
/// let counts = |bins: Bins| x.histogram(bins, None, None, false)?.0.to_vec::<f32>();
/// assert_eq!(counts(3.into())?, [1.0, 2.0, 1.0]);
/// assert_eq!(counts(Tensor::new([0.0f32, 2.0, 4.0])?.into())?, [1.0, 3.0]);
/// # Ok::<_, firebrick_core::Error>(())
/// ```
#[derive(Clone, Debug)]
pub enum Bins {
    /// So many, equally wide.
    Count(i64),
    /// Between neighbouring elements of this sorted vector; the last bin holds its right edge, too.
    Edges(Tensor),
}

impl From<i64> for Bins {
    fn from(count: i64) -> Self {
        Bins::Count(count)
    }
}

impl From<Tensor> for Bins {
    fn from(edges: Tensor) -> Self {
        Bins::Edges(edges)
    }
}

impl From<&Tensor> for Bins {
    fn from(edges: &Tensor) -> Self {
        Bins::Edges(edges.clone())
    }
}

fn check_count(op: &'static str, bins: i64) -> Result<()> {
    if bins > 0 {
        return check_list(usize::try_from(bins).unwrap_or(usize::MAX), size_of::<f64>());
    }
    Err(Error::runtime(op, format!("torch.histogram(): bins must be > 0, but got {bins} for dimension 0")))
}

/// The smallest and the largest element; 0 and 1 where there is none.
fn extent(x: &Tensor) -> Result<(f64, f64)> {
    if x.numel() == 0 {
        return Ok((0.0, 1.0));
    }
    let (low, high) = x.aminmax()?;
    Ok((low.item()?, high.item()?))
}

fn to_dtype(value: f64, dtype: DType) -> f64 {
    dispatch!(dtype, T => T::from_f64(value).to_f64())
}

/// Adds up what `bin` puts into the same bin: ones, or weights.
fn counted(values: &[f64], weights: Option<&[f64]>, bins: usize, bin: impl Fn(f64) -> Option<usize>) -> Vec<f64> {
    let mut sums = vec![0.0; bins];
    for (i, &value) in values.iter().enumerate() {
        if let Some(bin) = bin(value) {
            sums[bin.min(bins - 1)] += weights.map_or(1.0, |weights| weights[i]);
        }
    }
    sums
}

/// The outer edges of equally wide bins, as `histogram` takes them.
fn outer_edges(op: &'static str, x: &Tensor, range: Option<(f64, f64)>) -> Result<(f64, f64)> {
    let refuse = |text: String| Err(Error::runtime(op, text));
    let (low, high) = match range {
        Some(range) => range,
        None if x.numel() > 0 && !matches!(x.dtype(), DType::F32 | DType::F64) => {
            return Err(not_implemented(op, "histogramdd", x.dtype()));
        }
        None => extent(x)?,
    };
    let (from, to) = (Number(low), Number(high));
    if !(low.is_finite() && high.is_finite()) {
        return refuse(format!("torch.histogramdd: dimension 0's range [{from}, {to}] is not finite"));
    }
    if low > high {
        return refuse(format!(
            "torch.histogramdd: min should not exceed max, but got min {from} max {to} for dimension 0"
        ));
    }
    Ok(if low == high { (low - 0.5, high + 0.5) } else { (low, high) })
}

/// The outer edges of equally wide bins, as `histc` takes them.
fn histc_edges(op: &'static str, x: &Tensor, min: f64, max: f64) -> Result<(f64, f64)> {
    let (mut low, mut high) = if min == max && x.numel() > 0 { extent(x)? } else { (min, max) };
    if low == high {
        (low, high) = (low - 1.0, high + 1.0);
    }
    if !(low.is_finite() && high.is_finite()) {
        let text = format!("torch.histc: range of [{}, {}] is not finite", Number(low), Number(high));
        return Err(Error::runtime(op, text));
    }
    if low > high {
        return Err(Error::runtime(op, "torch.histc: max must be larger than min"));
    }
    Ok((low, high))
}

/// What PyTorch says of edges in a dtype that does not hold them.
fn check_edges(op: &'static str, dtype: DType, ends: (f64, f64)) -> Result<()> {
    if dtype == DType::Bool {
        return Err(not_implemented(op, "linspace_cpu", dtype));
    }
    for end in [ends.0, ends.1] {
        if dtype == DType::U8 && end < 0.0 {
            return Err(Error::runtime(op, "value cannot be converted to type uint8_t without overflow"));
        }
        Scalar::Float(end).check_range(op, dtype)?;
    }
    Ok(())
}

/// The edges of the bins, in the dtype of `x`.
fn edges(op: &'static str, x: &Tensor, bins: Bins, range: Option<(f64, f64)>) -> Result<Tensor> {
    let refuse = |text: String| Err(Error::runtime(op, text));
    match bins {
        Bins::Count(count) => {
            check_count(op, count)?;
            let (low, high) = outer_edges(op, x, range)?;
            check_edges(op, x.dtype(), (low, high))?;
            let dtype = if x.is_floating_point() { x.dtype() } else { DType::F32 };
            Tensor::linspace_with(low, high, count.saturating_add(1), dtype)?.to(x.device())
        }
        Bins::Edges(edges) => {
            let edges = edges.resolve(op)?.detach();
            same_device(op, [x.device(), edges.device()])?;
            if edges.dtype() != x.dtype() {
                return refuse(format!(
                    "torch.histogramdd: input tensor and bins tensors should have the same dtype, but got input with dtype {} and bins for dimension 0 with dtype {}",
                    x.dtype().c_name(),
                    edges.dtype().c_name()
                ));
            }
            if edges.dim() != 1 {
                return refuse(format!(
                    "torch.histogramdd: bins tensor should have one dimension, but got {} dimensions in the bins tensor for dimension 0",
                    edges.dim()
                ));
            }
            if edges.numel() == 0 {
                return refuse("torch.histogramdd: bins tensor should have at least 1 element, but got 0 elements in the bins tensor for dimension 0".into());
            }
            // The result is no view of what was given.
            edges.contiguous_copy()
        }
    }
}

fn check_weight(op: &'static str, x: &Tensor, weight: &Tensor) -> Result<()> {
    same_device(op, [x.device(), weight.device()])?;
    if weight.dtype() != x.dtype() {
        return Err(Error::runtime(
            op,
            format!(
                "torch.histogramdd: if weight tensor is provided, input tensor and weight tensor should have the same dtype, but got input({}), and weight({})",
                x.dtype().c_name(),
                weight.dtype().c_name()
            ),
        ));
    }
    if weight.numel() != x.numel() {
        return Err(Error::runtime(
            op,
            format!(
                "torch.histogramdd: if weight tensor is provided it should have the same shape as the input tensor excluding its innermost dimension, but got input with shape [{}, 1] and weight with shape [{}]",
                x.numel(),
                weight.numel()
            ),
        ));
    }
    Ok(())
}

impl Tensor {
    /// How many elements fall into each of `bins` equally wide bins from `min` to `max`; where these are equal, from the
    /// smallest to the largest element. The last bin holds its right edge, too; elements outside, and NaN, do not count.
    ///
    /// # Errors
    /// `bins` is not positive, a bound is not finite, `max` is below `min`, or the dtype is no floating one.
    ///
    /// ```
    /// # use firebrick_core::Tensor;
    /// let x = Tensor::new([1.0f32, 2.0, 1.0, 4.0])?;
    /// assert_eq!(x.histc(3, 1, 4)?.to_vec::<f32>()?, [2.0, 1.0, 1.0]);
    /// # Ok::<_, firebrick_core::Error>(())
    /// ```
    pub fn histc(&self, bins: i64, min: impl Into<Scalar>, max: impl Into<Scalar>) -> Result<Tensor> {
        const OP: &str = "histc";
        let (x, min, max) = (self.resolve(OP)?.detach(), min.into(), max.into());
        let dtype = x.dtype();
        check_count(OP, bins)?;
        let (low, high) = histc_edges(OP, &x, min.to_f64(), max.to_f64())?;
        check_edges(OP, dtype, (low, high))?;
        if !dtype.is_floating_point() {
            return Err(not_implemented(OP, "histogram_cpu", dtype));
        }
        // Each step is rounded to the dtype, as in PyTorch: that decides on which side of an edge an element falls.
        let round = |value: f64| to_dtype(value, dtype);
        let (low, high) = (round(low), round(high));
        let (count, width) = (round(bins as f64), round(high - low));
        let bin = |value: f64| {
            let place = || round(round(round(value - low) * count) / width);
            (value >= low && value <= high).then(|| place() as usize)
        };
        let sums = counted(&x.to_vec::<f64>()?, None, bins as usize, bin);
        Tensor::from_slice_with(&sums, [bins], TensorOptions::from(dtype).device(x.device()))
    }

    /// The histogram of all elements and the edges of its bins: `bins` equally wide ones over `range` (that of the
    /// elements if it is not given), or between given edges. The last bin holds its right edge, too; elements outside, and
    /// NaN, do not count. Each element counts as its `weight` or as one; with `density` the bins' areas sum to one.
    ///
    /// # Errors
    /// No bins, a range that is not finite or ends before it begins, dtypes that differ or are no floating ones, another
    /// number of weights. Going backward: the derivative is not implemented, as in PyTorch.
    ///
    /// ```
    /// # use firebrick_core::Tensor;
    /// let x = Tensor::new([1.0f32, 2.0, 1.0, 5.0])?;
    /// let (counts, edges) = x.histogram(2, None, None, false)?;
    /// assert_eq!(counts.to_vec::<f32>()?, [3.0, 1.0]);
    /// assert_eq!(edges.to_vec::<f32>()?, [1.0, 3.0, 5.0]);
    /// # Ok::<_, firebrick_core::Error>(())
    /// ```
    pub fn histogram(
        &self,
        bins: impl Into<Bins>,
        range: Option<(f64, f64)>,
        weight: Option<&Tensor>,
        density: bool,
    ) -> Result<(Tensor, Tensor)> {
        const OP: &str = "histogram";
        let x = self.resolve(OP)?;
        let weight = weight.map(|w| w.resolve(OP)).transpose()?;
        let edges = edges(OP, &x.detach(), bins.into(), range)?;
        if let Some(weight) = &weight {
            check_weight(OP, &x, weight)?;
        }
        let limits = edges.to_vec::<f64>()?;
        let bins = limits.len() - 1;
        check_count(OP, bins as i64)?;
        if !x.is_floating_point() {
            return Err(not_implemented(OP, "histogram_cpu", x.dtype()));
        }
        let (low, high) = (limits[0], limits[bins]);
        let inside = |value: f64| value >= low && value <= high;
        let bin = |value: f64| inside(value).then(|| limits.partition_point(|&edge| edge <= value).saturating_sub(1));
        let weights = weight.as_ref().map(|w| w.to_vec::<f64>()).transpose()?;
        let mut sums = counted(&x.to_vec::<f64>()?, weights.as_deref(), bins, bin);
        if density {
            let total: f64 = sums.iter().sum();
            sums.iter_mut().zip(limits.windows(2)).for_each(|(sum, edge)| *sum /= total * (edge[1] - edge[0]));
        }
        let hist = Tensor::from_slice_with(&sums, [bins], TensorOptions::from(x.dtype()).device(x.device()))?;
        let wants_grad = [Some(&x), weight.as_ref()].into_iter().flatten().find(|t| t.requires_grad()).unwrap_or(&x);
        let recorded = |out| without_gradient("NotImplemented", wants_grad, out, || no_derivative(OP));
        Ok((recorded(hist), recorded(edges)))
    }
}
