//! Pooling to a size: the windows follow from it.

use super::average::{expect_elements, expect_line, single};
use super::pool;
use super::winners::{Planes, pick};
use crate::backend::Taps;
use crate::ops::composed;
use crate::ops::resample::{check_rows, separable};
use crate::ops::sample::{self, ANY, Sample, Trait};
use crate::{DType, Dims, Error, Result, Sizes, Tensor};
use std::ops::Range;

/// The elements that output `j` of `output` sees of `input`.
fn window(j: usize, input: usize, output: usize) -> Range<usize> {
    let (j, input, output) = (j as u128, input as u128, output as u128);
    (j * input / output) as usize..((j + 1) * input).div_ceil(output) as usize
}

/// Refuses other ranks than `n + 1` and `n + 2`.
fn expect_rank(op: &'static str, shape: &Dims, n: usize, colon: &str) -> Result<()> {
    if shape.len() == n + 1 || shape.len() == n + 2 {
        return Ok(());
    }
    let text = format!("{op}(): Expected {}D or {}D tensor, but got{colon} {shape:?}", n + 1, n + 2);
    Err(Error::runtime(op, text))
}

/// Refuses dtypes that PyTorch does not pool.
fn expect_float(op: &'static str, kernel: &str, x: &Tensor) -> Result<()> {
    match x.is_floating_point() {
        true => Ok(()),
        false => {
            Err(Error::not_implemented(op, format!("\"{kernel}\" not implemented for '{}'", x.dtype().scalar_name())))
        }
    }
}

/// One size for each dimension, from one for all or one for each.
fn each(size: &Sizes, n: usize) -> Option<Vec<i64>> {
    match &size[..] {
        [one] => Some(vec![*one; n]),
        list => (list.len() == n).then(|| list.to_vec()),
    }
}

fn average(op: &'static str, n: usize, x: &Tensor, size: &Sizes) -> Result<Tensor> {
    let shape = x.shape();
    let refuse = |text: String| Err(Error::runtime(op, text));
    let Some(size) = each(size, n) else { return refuse(format!("{op}: output_size must be {n}")) };
    if size.iter().any(|&s| s < 0) {
        let list = match &size[..] {
            [h, w] => format!("{h}, {w}"),
            list => format!("{}, {},{}", list[0], list[1], list[2]),
        };
        return refuse(format!(
            "{op}: elements of output_size must be greater than or equal to 0 but received {{{list}}}"
        ));
    }
    expect_rank(op, &shape, n, "")?;
    let first = shape.len() - n;
    if n == 3 {
        expect_elements("adaptive_avg_pool3d()", op, &shape, 3)?;
    } else if let Some(place) = shape[first..].iter().position(|&s| s == 0) {
        return refuse(format!(
            "adaptive_avg_pool2d(): Expected input to have non-zero size for non-batch dimensions, but input has sizes {shape:?} with dimension {} being empty",
            first + place
        ));
    }
    expect_float(op, if n == 3 { "adaptive_avg_pool3d_cpu" } else { "adaptive_avg_pool2d" }, x)?;
    let out: Dims = shape[..first].iter().copied().chain(size.iter().map(|&s| s as usize)).collect();
    out.checked_numel(op)?;
    check_rows(&out[first..])?;
    check_rows(&shape[first..])?;
    let maps: Vec<(usize, Taps)> = (first..shape.len())
        .map(|d| {
            let row = |j: usize| {
                let seen = window(j, shape[d], out[d]);
                let share = 1.0 / seen.len() as f64;
                seen.map(|i| (i, share)).collect()
            };
            (d, Taps::new(shape[d], (0..out[d]).map(row)))
        })
        .collect();
    // PyTorch keeps the format of images, not that of volumes.
    if n == 3 { separable(&x.contiguous()?, &maps) } else { separable(x, &maps) }
}

fn maximum(op: &'static str, n: usize, x: &Tensor, size: &Sizes) -> Result<(Tensor, Tensor)> {
    let shape = x.shape();
    let Some(size) = each(size, n) else {
        return Err(Error::runtime(op, format!("{op}(): internal error: output_size.size() must be {n}")));
    };
    if n > 1 {
        expect_rank(op, &shape, n, ":")?;
    }
    expect_elements(&format!("{op}()"), op, &shape, n)?;
    let first = shape.len() - n;
    if size.iter().any(|&s| s < 0) {
        // A line is a plane of one row to PyTorch.
        let row = (n == 1).then_some(1);
        let lead = shape[..first].iter().map(|&s| s as i64).chain(row);
        Sizes::from(lead.chain(size.iter().copied()).collect::<Vec<i64>>()).to_shape(op)?;
    }
    expect_float(op, if n == 3 { "adaptive_max_pool3d_cpu" } else { "adaptive_max_pool2d" }, x)?;
    let sizes: Vec<usize> = size.iter().map(|&s| s as usize).collect();
    check_rows(&sizes)?;
    let ranges = (0..n).map(|d| (0..sizes[d]).map(|j| window(j, shape[first + d], sizes[d])).collect()).collect();
    let (values, indices) = pick(op, x, Planes { n, sizes, ranges })?;
    match n {
        2 => Ok((values.delivered(x.dtype(), pool::format(x, n))?, indices.delivered(DType::I64, pool::format(x, n))?)),
        _ => Ok((values, indices)),
    }
}

fn samples(n: usize, f: fn(&Tensor) -> Result<Tensor>) -> Result<Vec<Sample>> {
    let shape = |batch: usize| -> Vec<usize> { [batch, 2].into_iter().chain(std::iter::repeat_n(5, n)).collect() };
    let shape = |batch: usize| if n == 3 { vec![batch, 1, 3, 3, 3] } else { shape(batch) };
    let sample = |traits: Trait, x: Tensor| sample::one(traits, vec![x], move |x| f(&x[0]));
    Ok(vec![
        sample(Trait::Plain, ANY.tensor(&shape(1), 1)?),
        sample(Trait::Plain, ANY.tensor(&shape(1)[1..], 2)?),
        sample(Trait::Strided, ANY.strided(&shape(1), 3)?),
        sample(Trait::Empty, ANY.tensor(&shape(0), 4)?),
    ])
}

composed! {
    table: ADAPTIVE;

    /// Means of windows over one dimension, as many as `size` says.
    ///
    /// # Shapes
    /// `[N, C, L] -> [N, C, size]`, or without `N`.
    ///
    /// ```
    /// # use firebrick_core::Tensor;
    /// let x = Tensor::new([[1.0f32, 2.0, 3.0, 4.0]])?;
    /// assert_eq!(x.adaptive_avg_pool1d(2)?.reshape([-1])?.to_vec::<f32>()?, [1.5, 3.5]);
    /// # Ok::<_, firebrick_core::Error>(())
    /// ```
    fn adaptive_avg_pool1d(&x, size: impl Into<Sizes>) -> Tensor {
        const OP: &str = "adaptive_avg_pool1d";
        let x = x.resolve(OP)?;
        expect_line(OP, &x)?;
        let size = single(OP, "output_size", &size.into())?;
        average("adaptive_avg_pool2d", 2, &x.unsqueeze(-2)?, &[1, size].into())?.squeeze_dim(-2)
    }
    samples: samples(1, |x| x.adaptive_avg_pool1d(3));

    /// Means of windows over two dimensions, as many as `size` says: `[N, C, H, W] -> [N, C, *size]`, or without `N`.
    ///
    /// Output `j` of `m` sees the elements from `floor(j n / m)` to `ceil((j + 1) n / m)` of `n`.
    ///
    /// # Errors
    /// Sizes that do not fit, in PyTorch's words.
    ///
    /// ```
    /// # use firebrick_core::Tensor;
    /// let x = Tensor::new([[[1.0f32, 2.0, 3.0]]])?;
    /// assert_eq!(x.adaptive_avg_pool2d([1, 2])?.to_vec::<f32>()?, [1.5, 2.5]);
    /// # Ok::<_, firebrick_core::Error>(())
    /// ```
    fn adaptive_avg_pool2d(&x, size: impl Into<Sizes>) -> Tensor {
        average("adaptive_avg_pool2d", 2, &x.resolve("adaptive_avg_pool2d")?, &size.into())
    }
    samples: samples(2, |x| x.adaptive_avg_pool2d([3, 2]));

    /// Means of windows over three dimensions, as many as `size` says.
    ///
    /// # Shapes
    /// `[N, C, D, H, W] -> [N, C, size..]`, or without `N`.
    ///
    /// ```
    /// # use firebrick_core::Tensor;
    /// assert_eq!(Tensor::zeros([1, 4, 4, 4])?.adaptive_avg_pool3d([1, 2, 3])?.shape(), [1, 1, 2, 3]);
    /// # Ok::<_, firebrick_core::Error>(())
    /// ```
    fn adaptive_avg_pool3d(&x, size: impl Into<Sizes>) -> Tensor {
        average("adaptive_avg_pool3d", 3, &x.resolve("adaptive_avg_pool3d")?, &size.into())
    }
    samples: samples(3, |x| x.adaptive_avg_pool3d(2));

    /// The largest elements of windows over one dimension, as many as `size` says, with their indices.
    ///
    /// # Shapes
    /// `[N, C, L] -> [N, C, size]`, or without `N`.
    ///
    /// ```
    /// # use firebrick_core::Tensor;
    /// let (values, indices) = Tensor::new([[1.0f32, 2.0, 4.0, 3.0]])?.adaptive_max_pool1d(2)?;
    /// assert_eq!(values.to_vec::<f32>()?, [2.0, 4.0]);
    /// assert_eq!(indices.to_vec::<i64>()?, [1, 2]);
    /// # Ok::<_, firebrick_core::Error>(())
    /// ```
    fn adaptive_max_pool1d(&x, size: impl Into<Sizes>) -> (Tensor, Tensor) {
        const OP: &str = "adaptive_max_pool1d";
        let x = x.resolve(OP)?;
        expect_line(OP, &x)?;
        maximum(OP, 1, &x, &single(OP, "output_size", &size.into())?.into())
    }
    samples: samples(1, |x| Ok(x.adaptive_max_pool1d(3)?.0));

    /// The largest elements of windows over two dimensions, as many as `size` says, with the flat index of each in its
    /// plane; windows as in [`Tensor::adaptive_avg_pool2d`].
    ///
    /// # Errors
    /// Sizes that do not fit, in PyTorch's words.
    ///
    /// ```
    /// # use firebrick_core::Tensor;
    /// let (values, indices) = Tensor::new([[[1.0f32, 2.0, 3.0]]])?.adaptive_max_pool2d([1, 2])?;
    /// assert_eq!(values.to_vec::<f32>()?, [2.0, 3.0]);
    /// assert_eq!(indices.to_vec::<i64>()?, [1, 2]);
    /// # Ok::<_, firebrick_core::Error>(())
    /// ```
    fn adaptive_max_pool2d(&x, size: impl Into<Sizes>) -> (Tensor, Tensor) {
        maximum("adaptive_max_pool2d", 2, &x.resolve("adaptive_max_pool2d")?, &size.into())
    }
    samples: samples(2, |x| Ok(x.adaptive_max_pool2d([3, 2])?.0));

    /// The largest elements of windows over three dimensions, as many as `size` says, with their indices.
    ///
    /// # Shapes
    /// `[N, C, D, H, W] -> [N, C, size..]`, or without `N`.
    ///
    /// ```
    /// # use firebrick_core::Tensor;
    /// let (values, _) = Tensor::zeros([1, 4, 4, 4])?.adaptive_max_pool3d([1, 2, 3])?;
    /// assert_eq!(values.shape(), [1, 1, 2, 3]);
    /// # Ok::<_, firebrick_core::Error>(())
    /// ```
    fn adaptive_max_pool3d(&x, size: impl Into<Sizes>) -> (Tensor, Tensor) {
        maximum("adaptive_max_pool3d", 3, &x.resolve("adaptive_max_pool3d")?, &size.into())
    }
    samples: samples(3, |x| Ok(x.adaptive_max_pool3d(2)?.0));
}
