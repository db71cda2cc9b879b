//! Interpolation: images, sequences and volumes made larger or smaller.

use super::scale::Axis;
use super::{check_rows, separable};
use crate::ops::composed;
use crate::ops::sample::{self, ANY, Sample, Trait};
use crate::text::{python_float, python_tuple};
use crate::{DType, Dims, Error, MemoryFormat, Result, Sizes, Tensor};
use std::str::FromStr;

const OP: &str = "interpolate";

/// How elements between others are made.
///
/// ```
/// # use firebrick_core::{InterpolateMode, InterpolateOptions, Tensor};
/// assert_eq!(InterpolateMode::Bilinear.name(), "bilinear");
/// let x = Tensor::new([[[0.0f32, 4.0]]])?;
/// assert_eq!(x.interpolate(&InterpolateOptions::new().size(4))?.to_vec::<f32>()?, [0.0, 0.0, 4.0, 4.0]);
/// let linear = InterpolateOptions::new().size(4).mode(InterpolateMode::Linear);
/// assert_eq!(x.interpolate(&linear)?.to_vec::<f32>()?, [0.0, 1.0, 3.0, 4.0]);
/// # Ok::<_, firebrick_core::Error>(())
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum InterpolateMode {
    /// The nearest element, by a rule that leans towards the start (`'nearest'`).
    #[default]
    Nearest,
    /// The nearest element (`'nearest-exact'`).
    NearestExact,
    /// A line between two neighbours of a sequence.
    Linear,
    /// Lines along both dimensions of an image.
    Bilinear,
    /// Lines along the three dimensions of a volume.
    Trilinear,
    /// Cubic convolution of an image.
    Bicubic,
    /// A windowed sinc function over an image, with antialiasing.
    Lanczos,
    /// Means of the elements that an output element covers.
    Area,
}

const MODES: [(InterpolateMode, &str); 8] = [
    (InterpolateMode::Nearest, "nearest"),
    (InterpolateMode::NearestExact, "nearest-exact"),
    (InterpolateMode::Linear, "linear"),
    (InterpolateMode::Bilinear, "bilinear"),
    (InterpolateMode::Trilinear, "trilinear"),
    (InterpolateMode::Bicubic, "bicubic"),
    (InterpolateMode::Lanczos, "lanczos"),
    (InterpolateMode::Area, "area"),
];

impl InterpolateMode {
    /// PyTorch's name.
    pub fn name(self) -> &'static str {
        MODES.iter().find(|(mode, _)| *mode == self).map_or("nearest", |(_, name)| name)
    }

    fn is_aligned_by_choice(self) -> bool {
        !matches!(self, InterpolateMode::Nearest | InterpolateMode::NearestExact | InterpolateMode::Area)
    }

    /// The number of spatial dimensions, where there is but one choice.
    fn dimensions(self) -> Option<usize> {
        match self {
            InterpolateMode::Linear => Some(1),
            InterpolateMode::Bilinear | InterpolateMode::Bicubic | InterpolateMode::Lanczos => Some(2),
            InterpolateMode::Trilinear => Some(3),
            _ => None,
        }
    }
}

impl FromStr for InterpolateMode {
    type Err = Error;

    fn from_str(name: &str) -> Result<Self> {
        MODES.iter().find(|(_, known)| *known == name).map(|(mode, _)| *mode).ok_or_else(|| {
            Error::not_implemented(OP, "unknown interpolation mode")
                .given(name.to_owned())
                .expected("nearest | linear | bilinear | bicubic | trilinear | lanczos | area | nearest-exact")
        })
    }
}

/// Size and manner of an interpolation; either `size` or `scale_factor` is given.
///
/// ```
/// use firebrick_core::{InterpolateMode, InterpolateOptions};
/// let options = InterpolateOptions::new().scale_factor(2.0).mode(InterpolateMode::Bilinear).align_corners(true);
/// # let _ = options;
/// ```
#[derive(Clone, Debug, Default, PartialEq)]
pub struct InterpolateOptions {
    /// Spatial size of the result, one for all dimensions or one for each.
    pub size: Option<Sizes>,
    /// How many times larger the result is, one for all dimensions or one for each.
    pub scale_factor: Option<Vec<f64>>,
    /// How elements are made.
    pub mode: InterpolateMode,
    /// Do the centers of the corner elements stay in place, rather than their outer corners?
    pub align_corners: Option<bool>,
    /// Is the scale computed from the sizes, rather than taken as it was given?
    pub recompute_scale_factor: Option<bool>,
    /// Does each element of a smaller result see all that it covers? It does not unless set.
    pub antialias: bool,
}

impl InterpolateOptions {
    /// No size yet, the nearest element.
    pub fn new() -> Self {
        Self::default()
    }

    /// Spatial size of the result.
    ///
    /// ```
    /// # use firebrick_core::{InterpolateOptions, Tensor};
    /// let options = InterpolateOptions::new().size([3, 5]);
    /// assert_eq!(Tensor::zeros([1, 1, 2, 2])?.interpolate(&options)?.shape(), [1, 1, 3, 5]);
    /// # Ok::<_, firebrick_core::Error>(())
    /// ```
    pub fn size(mut self, size: impl Into<Sizes>) -> Self {
        self.size = Some(size.into());
        self
    }

    /// How many times larger the result is in every dimension.
    ///
    /// ```
    /// # use firebrick_core::{InterpolateOptions, Tensor};
    /// let options = InterpolateOptions::new().scale_factor(1.5);
    /// assert_eq!(Tensor::zeros([1, 1, 2, 2])?.interpolate(&options)?.shape(), [1, 1, 3, 3]);
    /// # Ok::<_, firebrick_core::Error>(())
    /// ```
    pub fn scale_factor(self, scale: f64) -> Self {
        self.scale_factors(vec![scale])
    }

    /// How many times larger the result is in each dimension.
    ///
    /// ```
    /// # use firebrick_core::{InterpolateOptions, Tensor};
    /// let options = InterpolateOptions::new().scale_factors([1.5, 2.0]);
    /// assert_eq!(Tensor::zeros([1, 1, 2, 2])?.interpolate(&options)?.shape(), [1, 1, 3, 4]);
    /// # Ok::<_, firebrick_core::Error>(())
    /// ```
    pub fn scale_factors(mut self, scales: impl Into<Vec<f64>>) -> Self {
        self.scale_factor = Some(scales.into());
        self
    }

    /// How elements are made.
    pub fn mode(mut self, mode: InterpolateMode) -> Self {
        self.mode = mode;
        self
    }

    /// Do the centers of the corner elements stay in place?
    ///
    /// ```
    /// # use firebrick_core::{InterpolateMode, InterpolateOptions, Tensor};
    /// let options = InterpolateOptions::new().size(3).mode(InterpolateMode::Linear);
    /// let x = Tensor::new([[[0.0f32, 1.0, 4.0, 9.0]]])?;
    /// assert_eq!(x.interpolate(&options)?.to_vec::<f32>()?, [0.16666669, 2.5, 8.166668]);
    /// assert_eq!(x.interpolate(&options.align_corners(true))?.to_vec::<f32>()?, [0.0, 2.5, 9.0]);
    /// # Ok::<_, firebrick_core::Error>(())
    /// ```
    pub fn align_corners(mut self, on: bool) -> Self {
        self.align_corners = Some(on);
        self
    }

    /// Is the scale computed from the sizes? It is as given unless set.
    ///
    /// ```
    /// # use firebrick_core::{InterpolateMode, InterpolateOptions, Tensor};
    /// let x = Tensor::new([[[0.0f32, 1.0, 4.0, 9.0]]])?;
    /// let options = InterpolateOptions::new().scale_factor(1.4).mode(InterpolateMode::Linear);
    /// assert_eq!(x.interpolate(&options)?.to_string(), "tensor([[[0.0000, 0.5714, 1.8571, 4.0000, 7.5714]]])");
    /// let five_to_four = options.recompute_scale_factor(true); // five elements of four are 1.25 times as many
    /// assert_eq!(x.interpolate(&five_to_four)?.to_string(), "tensor([[[0.0000, 0.7000, 2.5000, 5.5000, 9.0000]]])");
    /// # Ok::<_, firebrick_core::Error>(())
    /// ```
    pub fn recompute_scale_factor(mut self, on: bool) -> Self {
        self.recompute_scale_factor = Some(on);
        self
    }

    /// Does each element of a smaller result see all that it covers? It does not unless set.
    ///
    /// ```
    /// # use firebrick_core::{InterpolateMode, InterpolateOptions, Tensor};
    /// let x = Tensor::arange(16.0f32)?.view([1, 1, 4, 4])?;
    /// let options = InterpolateOptions::new().size([2, 2]).mode(InterpolateMode::Bilinear);
    /// assert_eq!(x.interpolate(&options)?.to_vec::<f32>()?, [2.5, 4.5, 10.5, 12.5]);
    /// let smooth = x.interpolate(&options.antialias(true))?.to_vec::<f32>()?;
    /// assert!((smooth[0] - 25.0 / 7.0).abs() < 1e-5 && (smooth[3] - 80.0 / 7.0).abs() < 1e-5);
    /// # Ok::<_, firebrick_core::Error>(())
    /// ```
    pub fn antialias(mut self, on: bool) -> Self {
        self.antialias = on;
        self
    }

    /// Sizes of the result with the scales that coordinates are computed from.
    fn sizes(&self, shape: &Dims) -> Result<(Vec<i64>, Vec<Option<f64>>)> {
        let inputs = &shape[shape.len().min(2)..];
        let n = inputs.len();
        match (&self.size, &self.scale_factor) {
            (Some(_), Some(_)) => Err(Error::value(OP, "only one of size or scale_factor should be defined")),
            (None, None) => Err(Error::value(OP, "either size or scale_factor should be defined")),
            (Some(size), None) => {
                let sizes = match &size[..] {
                    [one] => vec![*one; n],
                    list if list.len() == n => list.to_vec(),
                    list => return Err(misfit("output size of", inputs, &python_tuple(list), "output size", "o")),
                };
                if self.recompute_scale_factor == Some(true) {
                    let text = "recompute_scale_factor is not meaningful with an explicit size.";
                    return Err(Error::value(OP, text));
                }
                Ok((sizes, vec![None; n]))
            }
            (None, Some(scales)) => {
                let scales = match &scales[..] {
                    [one] => vec![*one; n],
                    list if list.len() == n => list.to_vec(),
                    list => {
                        let text = list.iter().map(|&s| python_float(s)).collect::<Vec<_>>().join(", ");
                        return Err(misfit("scale_factor of shape", inputs, &format!("({text})"), "scale_factor", "s"));
                    }
                };
                let recompute = self.recompute_scale_factor == Some(true) || self.mode == InterpolateMode::Area;
                let size = |(&input, &scale): (&usize, &f64)| scaled(input, scale, recompute);
                let sizes = inputs.iter().zip(&scales).map(size).collect::<Result<_>>()?;
                Ok((sizes, scales.into_iter().map(|s| (!recompute).then_some(s)).collect()))
            }
        }
    }
}

fn misfit(what: &str, inputs: &[usize], given: &str, name: &str, letter: &str) -> Error {
    let target = if letter == "o" { "output size" } else { "scale_factor" };
    Error::value(
        OP,
        format!(
            "Input and {} must have the same number of spatial dimensions, but got input with spatial dimensions of {inputs:?} and {what} {given}. Please provide input tensor in (N, C, d1, d2, ...,dK) format and {name} in ({letter}1, {letter}2, ...,{letter}K) format.",
            if letter == "o" { "output" } else { target }
        ),
    )
}

fn scaled(input: usize, scale: f64, recompute: bool) -> Result<i64> {
    let size = input as f64 * scale;
    if size.is_nan() && recompute {
        return Err(Error::value(OP, "cannot convert float NaN to integer"));
    }
    if size.is_nan() || size.abs() >= i64::MAX as f64 {
        return Err(Error::runtime(OP, "value cannot be converted to type int64_t without overflow"));
    }
    Ok(size as i64)
}

/// Refuses ranks that a mode is not for.
fn check_rank(rank: usize, mode: InterpolateMode) -> Result<()> {
    let n = rank.saturating_sub(2);
    let name = mode.name();
    match mode.dimensions() {
        Some(wanted) if wanted != n => {
            let spread = matches!(mode, InterpolateMode::Bicubic | InterpolateMode::Lanczos);
            if (1..=3).contains(&n) && !spread {
                let text = format!("Got {rank}D input, but {name} mode needs {}D input", wanted + 2);
                return Err(Error::not_implemented(OP, text));
            }
        }
        _ if (1..=3).contains(&n) => return Ok(()),
        _ => {}
    }
    Err(Error::not_implemented(
        OP,
        format!(
            "Input Error: Only 3D, 4D and 5D input Tensors supported (got {rank}D) for the modes: nearest | linear | bilinear | bicubic | trilinear | lanczos | area | nearest-exact (got {name})"
        ),
    ))
}

/// Refuses sizes that are not positive, and inputs without channels.
fn check_sizes(shape: &Dims, sizes: &[i64]) -> Result<()> {
    let n = sizes.len();
    if shape[2..].contains(&0) || sizes.iter().any(|&size| size <= 0) {
        let named = |list: Vec<String>| {
            let axes = ["D", "H", "W"][3 - n..].iter().zip(list);
            axes.map(|(axis, size)| format!("{axis}: {size}")).collect::<Vec<_>>().join(", ")
        };
        let between = if n == 1 { " and" } else { "" };
        return Err(Error::runtime(
            OP,
            format!(
                "Input and output sizes should be greater than 0, but got input ({}){between} output ({})",
                named(shape[2..].iter().map(usize::to_string).collect()),
                named(sizes.iter().map(i64::to_string).collect())
            ),
        ));
    }
    if shape[1] == 0 {
        let text = format!("Non-empty {}D data tensor expected but got a tensor with sizes {shape:?}", n + 2);
        return Err(Error::runtime(OP, text));
    }
    Ok(())
}

/// Refuses dtypes that PyTorch has no kernel for.
fn check_dtype(x: &Tensor, mode: InterpolateMode) -> Result<()> {
    let nearest = matches!(mode, InterpolateMode::Nearest | InterpolateMode::NearestExact);
    if x.is_floating_point() || nearest && x.dtype() == DType::U8 {
        return Ok(());
    }
    let kernel = match (mode, x.dim()) {
        (InterpolateMode::Bicubic, _) => "compute_indices_weights_cubic",
        (InterpolateMode::Bilinear, _) => "upsample_bilinear2d_channels_last",
        _ if nearest && x.dim() == 4 => "upsample_nearest2d_channels_last",
        _ if nearest => "compute_indices_weights_nearest",
        _ => "compute_indices_weights_linear",
    };
    Err(Error::not_implemented(OP, format!("\"{kernel}\" not implemented for '{}'", x.dtype().scalar_name())))
}

/// Runs `f` on images with their dimensions in the order in which they lie in memory, so that the result has their format.
/// `f` is told where each dimension is.
fn as_it_lies(x: &Tensor, f: impl FnOnce(&Tensor, &dyn Fn(usize) -> i64) -> Result<Tensor>) -> Result<Tensor> {
    let format = x.suggested_format();
    if format == MemoryFormat::Contiguous {
        return f(x, &|dim| dim as i64);
    }
    let order = format.outermost_first(x.dim());
    let place = |dim: usize| order.iter().position(|&d| d == dim).unwrap_or(dim) as i64;
    let back: Vec<i64> = (0..x.dim()).map(place).collect();
    f(&x.permute(&order)?, &place)?.permute(back)
}

fn interpolate(x: &Tensor, options: &InterpolateOptions) -> Result<Tensor> {
    let (shape, mode) = (x.shape(), options.mode);
    if options.align_corners.is_some() && !mode.is_aligned_by_choice() {
        let text = "align_corners option can only be set with the interpolating modes: linear | bilinear | bicubic | trilinear";
        return Err(Error::value(OP, text));
    }
    let (sizes, scales) = options.sizes(&shape)?;
    let smooth = matches!(mode, InterpolateMode::Bilinear | InterpolateMode::Bicubic | InterpolateMode::Lanczos);
    if options.antialias && !(smooth && shape.len() == 4) {
        let text = "Anti-alias option is restricted to bilinear, bicubic, and lanczos modes and requires a 4-D tensor as input";
        return Err(Error::value(OP, text));
    }
    check_rank(shape.len(), mode)?;
    if mode == InterpolateMode::Lanczos && !options.antialias {
        return Err(Error::value(OP, "Lanczos mode requires antialias=True"));
    }
    if mode == InterpolateMode::Area {
        return match sizes.len() {
            1 => x.adaptive_avg_pool1d(sizes),
            2 => x.adaptive_avg_pool2d(sizes),
            _ => x.adaptive_avg_pool3d(sizes),
        };
    }
    check_sizes(&shape, &sizes)?;
    check_dtype(x, mode)?;
    let out: Dims = shape[..2].iter().copied().chain(sizes.iter().map(|&size| size as usize)).collect();
    out.checked_numel(OP)?;
    check_rows(&out[2..])?;
    check_rows(&shape[2..])?;
    let axes = (0..sizes.len()).map(|d| Axis {
        input: shape[d + 2],
        output: out[d + 2],
        scale: scales[d],
        align_corners: options.align_corners.unwrap_or(false),
        single: x.dtype() != DType::F64,
    });
    if matches!(mode, InterpolateMode::Nearest | InterpolateMode::NearestExact) {
        let exact = mode == InterpolateMode::NearestExact;
        return as_it_lies(x, |x, dim_of| {
            axes.enumerate().try_fold(x.clone(), |x, (d, axis)| {
                let index = Tensor::from_vec(axis.nearest(exact), [axis.output])?;
                x.index_select(dim_of(d + 2), &index.to(x.device())?)
            })
        });
    }
    let maps: Vec<_> = axes.enumerate().map(|(d, axis)| (d + 2, axis.taps(mode, options.antialias))).collect();
    separable(x, &maps)
}

fn samples() -> Result<Vec<Sample>> {
    use InterpolateMode as M;
    let sample = |traits: Trait, x: Tensor, mode: M, more: fn(InterpolateOptions) -> InterpolateOptions| {
        sample::one(traits, vec![x], move |x| x[0].interpolate(&more(InterpolateOptions::new().mode(mode))))
    };
    let image = |seed| ANY.tensor(&[1, 2, 3, 4], seed);
    Ok(vec![
        sample(Trait::Plain, ANY.tensor(&[2, 1, 3], 1)?, M::Nearest, |o| o.scale_factor(1.7)),
        sample(Trait::Plain, image(2)?, M::NearestExact, |o| o.size([5, 2])),
        sample(Trait::Plain, ANY.tensor(&[2, 1, 3], 3)?, M::Linear, |o| o.size(5)),
        sample(Trait::Plain, image(4)?, M::Bilinear, |o| o.size([5, 2]).align_corners(true)),
        sample(Trait::Plain, image(5)?, M::Bilinear, |o| o.size([2, 2]).antialias(true)),
        sample(Trait::Strided, ANY.strided(&[1, 2, 3, 4], 6)?, M::Bicubic, |o| o.scale_factors([1.5, 2.0])),
        sample(Trait::Plain, ANY.tensor(&[1, 1, 2, 3, 2], 7)?, M::Trilinear, |o| o.size(3)),
        sample(Trait::Plain, image(8)?, M::Lanczos, |o| o.size([2, 3]).antialias(true)),
        sample(Trait::Plain, image(9)?, M::Area, |o| o.size([2, 3])),
        sample(Trait::Empty, ANY.tensor(&[0, 2, 3, 4], 10)?, M::Bilinear, |o| o.size([2, 3])),
    ])
}

composed! {
    table: INTERPOLATE;

    /// The tensor `[N, C, *]` made larger or smaller along its spatial dimensions.
    ///
    /// # Errors
    /// Neither or both of size and scale; a mode for another number of dimensions; sizes that are not positive.
    ///
    /// ```
    /// # use firebrick_core::{InterpolateMode, InterpolateOptions, Tensor};
    /// let x = Tensor::new([[[0.0f32, 4.0]]])?;
    /// let options = InterpolateOptions::new().size(3).mode(InterpolateMode::Linear).align_corners(true);
    /// assert_eq!(x.interpolate(&options)?.to_vec::<f32>()?, [0.0, 2.0, 4.0]);
    /// # Ok::<_, firebrick_core::Error>(())
    /// ```
    fn interpolate(&x, options: &InterpolateOptions) -> Tensor {
        interpolate(&x.resolve(OP)?, options)
    }
    samples: samples();
}
