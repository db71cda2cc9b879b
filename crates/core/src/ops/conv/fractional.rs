//! Fractional maximum pooling: windows of one size at pseudo-random steps (Graham, 2014).

use super::winners::{Planes, pick};
use crate::ops::composed;
use crate::ops::devices::values_for;
use crate::ops::resample::check_rows;
use crate::ops::sample::{self, ANY, Sample, Trait};
use crate::{DType, Dims, Error, Result, Sizes, Tensor, TensorOptions, wrap_dim};
use std::ops::Range;

/// One size for each dimension, from one for all or one for each.
fn each(op: &'static str, name: &str, size: &Sizes, n: usize) -> Result<Vec<i64>> {
    match &size[..] {
        [one] => Ok(vec![*one; n]),
        list if list.len() == n => Ok(list.to_vec()),
        _ => Err(Error::runtime(op, format!("{op}: {name} must either be a single Int or tuple of Ints"))),
    }
}

/// The windows along one dimension of a plane, in the precision of the input as PyTorch computes them.
fn steps(sample: f64, input: usize, output: usize, kernel: usize, single: bool) -> Vec<Range<usize>> {
    let free = input - kernel;
    let round = |x: f64| if single { f64::from(x as f32) } else { x };
    let sample = round(sample);
    let alpha = if output > 1 { round(free as f64 / (output as f64 - 1.0)) } else { 0.0 };
    let place = |i: usize| round(round(i as f64 + sample) * alpha) as i64;
    let start = |i: usize| match i + 1 == output {
        true => free,
        // A sample outside of [0, 1) must not lead outside the input.
        false => (place(i) - round(sample * alpha) as i64).clamp(0, free as i64) as usize,
    };
    (0..output).map(|i| start(i)..start(i) + kernel).collect()
}

fn check_samples(op: &'static str, x: &Tensor, samples: &Tensor, n: usize) -> Result<()> {
    let refuse = |text: String| Err(Error::runtime(op, text));
    if x.dtype() != samples.dtype() {
        return refuse("Expect _random_samples to have the same dtype as input".into());
    }
    let (shape, rank) = (samples.shape(), samples.dim());
    if rank != 3 {
        return refuse(format!("Expect _random_samples to have 3 dimensions, got {rank}"));
    }
    let sx = x.shape();
    let batch = if sx.len() == n + 2 { sx[0] } else { 1 };
    if shape[0] < batch {
        return refuse("Expect _random_samples.size(0) no less then input batch size.".into());
    }
    if shape[1] != sx[sx.len() - n - 1] {
        return refuse("Expect _random_samples.size(1) equals to input channel size.".into());
    }
    if shape[2] != n {
        return refuse(format!("Expect _random_samples.size(2) equals to {n}; got {}.", shape[2]));
    }
    Ok(())
}

fn fractional(
    op: &'static str,
    n: usize,
    x: &Tensor,
    kernel: &Sizes,
    output: &Sizes,
    samples: Option<&Tensor>,
) -> Result<(Tensor, Tensor)> {
    let shape = x.shape();
    let refuse = |text: String| Err(Error::runtime(op, text));
    wrap_dim(op, -(n as i64) - 1, shape.len())?;
    let drawn = match samples {
        Some(samples) => samples.resolve(op)?,
        None => {
            let batch = if shape.len() == n + 1 { 1 } else { shape[0] };
            if !x.is_floating_point() {
                let text = format!("\"check_uniform_bounds\" not implemented for '{}'", x.dtype().scalar_name());
                return Err(Error::not_implemented(op, text));
            }
            Tensor::rand_with(
                [batch, shape[shape.len() - n - 1], n],
                TensorOptions::from(x.dtype()).device(x.device()),
            )?
        }
    };
    let (kernel, output) = (each(op, "kernel_size", kernel, n)?, each(op, "output_size", output, n)?);
    let by = |list: &[i64]| list.iter().map(i64::to_string).collect::<Vec<_>>().join("x");
    if kernel.iter().any(|&k| k <= 0) {
        return refuse(format!("{op}(): kernel size should be greater than zero, but got {}", by(&kernel)));
    }
    if shape.len() != n + 1 && shape.len() != n + 2 {
        return refuse(format!("{op}(): Expected {}D or {}D tensor, but got: {shape:?}", n + 1, n + 2));
    }
    let (first, who) =
        (shape.len() - n, if n == 3 { "fractional_max_pool3d_out()" } else { "fractional_max_pool2d()" });
    if let Some(place) = shape.iter().skip(first - 1).position(|&size| size == 0) {
        let place = first - 1 + place;
        return refuse(format!(
            "{who}: Expected input to have non-zero size for non-batch dimensions, but got{shape:?} with dimension {place} being empty."
        ));
    }
    for (d, axis) in ["time", "height", "width"][3 - n..].iter().enumerate() {
        let (input, kernel) = (shape[first + d] as i64, kernel[d]);
        let reach = output[d].saturating_add(kernel).saturating_sub(1);
        // Over three dimensions PyTorch asks for one place more.
        if reach > input || (n == 3 && reach == input) {
            return refuse(format!("{who}: pool {axis} {kernel} too large relative to input {axis} {input}"));
        }
    }
    Sizes::from(shape[..first].iter().map(|&s| s as i64).chain(output.iter().copied()).collect::<Vec<_>>())
        .to_shape(op)?;
    check_samples(op, x, &drawn, n)?;
    let sizes: Vec<usize> = output.iter().map(|&s| s as usize).collect();
    let planes: usize = Dims::from_slice(&shape[..first]).numel();
    sizes.iter().try_for_each(|size| check_rows(&[size.saturating_mul(planes)]))?;
    let samples = values_for(op, x.device(), &drawn.to(DType::F64)?, 0.5f64)?;
    let along = |d: usize| {
        // Of an image the width's sample comes first.
        let place = if n == 2 { 1 - d } else { d };
        let windows = |plane: usize| {
            steps(samples[plane * n + place], shape[first + d], sizes[d], kernel[d] as usize, x.dtype() != DType::F64)
        };
        (0..planes).flat_map(windows).collect()
    };
    let ranges = (0..n).map(along).collect();
    pick(op, x, Planes { n, sizes, ranges })
}

fn samples(n: usize) -> Result<Vec<Sample>> {
    let sample = |traits: Trait, x: Tensor| -> Result<Sample> {
        let batch = x.shape()[0];
        let places = sample::zeros(&[batch, 2, n])?.add(0.4)?;
        Ok(sample::one(traits, vec![x], move |x| match n {
            2 => Ok(x[0].fractional_max_pool2d(2, 3, Some(&places))?.0),
            _ => Ok(x[0].fractional_max_pool3d(2, 2, Some(&places))?.0),
        }))
    };
    let shape = |batch: usize| -> Vec<usize> {
        let size = if n == 2 { 5 } else { 4 };
        [batch, 2].into_iter().chain(std::iter::repeat_n(size, n)).collect()
    };
    Ok(vec![
        sample(Trait::Plain, ANY.tensor(&shape(1), 1)?)?,
        sample(Trait::Strided, ANY.strided(&shape(1), 2)?)?,
        sample(Trait::Empty, ANY.tensor(&shape(0), 3)?)?,
    ])
}

composed! {
    table: FRACTIONAL;

    /// The largest elements of windows of one size over two dimensions at pseudo-random steps that make `output_size` of
    /// them, with the flat index of each in its plane.
    ///
    /// Where no `random_samples`, `[N, C, 2]` from 0 to 1, are given, they are drawn as PyTorch draws them.
    ///
    /// # Errors
    /// Sizes that do not fit, in PyTorch's words.
    ///
    /// ```
    /// # use firebrick_core::{DType, Tensor};
    /// let x = Tensor::arange(25)?.to(DType::F32)?.reshape([1, 1, 5, 5])?;
    /// let (values, indices) = x.fractional_max_pool2d(2, [3, 3], Some(&Tensor::full([1, 1, 2], 0.5)?))?;
    /// assert_eq!(values.to_vec::<f32>()?, [6.0, 8.0, 9.0, 16.0, 18.0, 19.0, 21.0, 23.0, 24.0]);
    /// assert_eq!(indices.to_vec::<i64>()?, [6, 8, 9, 16, 18, 19, 21, 23, 24]);
    /// # Ok::<_, firebrick_core::Error>(())
    /// ```
    fn fractional_max_pool2d(
        &x,
        kernel_size: impl Into<Sizes>,
        output_size: impl Into<Sizes>,
        random_samples: Option<&Tensor>,
    ) -> (Tensor, Tensor) {
        const OP: &str = "fractional_max_pool2d";
        fractional(OP, 2, &x.resolve(OP)?, &kernel_size.into(), &output_size.into(), random_samples)
    }
    samples: samples(2);

    /// [`Tensor::fractional_max_pool2d`] over three dimensions; samples are `[N, C, 3]`.
    ///
    /// ```
    /// # use firebrick_core::Tensor;
    /// let samples = Tensor::full([1, 1, 3], 0.5)?;
    /// let (values, _) = Tensor::zeros([1, 1, 5, 5, 5])?.fractional_max_pool3d(2, [3, 3, 3], Some(&samples))?;
    /// assert_eq!(values.shape(), [1, 1, 3, 3, 3]);
    /// # Ok::<_, firebrick_core::Error>(())
    /// ```
    fn fractional_max_pool3d(
        &x,
        kernel_size: impl Into<Sizes>,
        output_size: impl Into<Sizes>,
        random_samples: Option<&Tensor>,
    ) -> (Tensor, Tensor) {
        const OP: &str = "fractional_max_pool3d";
        fractional(OP, 3, &x.resolve(OP)?, &kernel_size.into(), &output_size.into(), random_samples)
    }
    samples: samples(3);
}
