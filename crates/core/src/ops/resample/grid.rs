//! Sampling a tensor at the places of a grid.

use crate::ops::composed;
use crate::ops::devices::same_device;
use crate::ops::sample::{self, ANY, Sample, Trait, UNIT};
use crate::{DType, Dims, Error, Result, Tensor};
use std::str::FromStr;

/// How elements between others are made at a grid's places.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum GridMode {
    /// Lines along all dimensions.
    #[default]
    Bilinear,
    /// The nearest element.
    Nearest,
    /// Cubic convolution.
    Bicubic,
}

/// What lies outside the tensor.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum GridPadding {
    /// Zeros.
    #[default]
    Zeros,
    /// The tensor's edge.
    Border,
    /// The tensor reflected at its edge.
    Reflection,
}

impl FromStr for GridMode {
    type Err = Error;

    fn from_str(name: &str) -> Result<Self> {
        match name {
            "bilinear" => Ok(GridMode::Bilinear),
            "nearest" => Ok(GridMode::Nearest),
            "bicubic" => Ok(GridMode::Bicubic),
            other => Err(Error::value(
                "grid_sample",
                format!(
                    "nn.functional.grid_sample(): expected mode to be 'bilinear', 'nearest' or 'bicubic', but got: '{other}'"
                ),
            )),
        }
    }
}

impl FromStr for GridPadding {
    type Err = Error;

    fn from_str(name: &str) -> Result<Self> {
        match name {
            "zeros" => Ok(GridPadding::Zeros),
            "border" => Ok(GridPadding::Border),
            "reflection" => Ok(GridPadding::Reflection),
            other => Err(Error::value(
                "grid_sample",
                format!(
                    "nn.functional.grid_sample(): expected padding_mode to be 'zeros', 'border', or 'reflection', but got: '{other}'"
                ),
            )),
        }
    }
}

fn check(x: &Tensor, grid: &Tensor) -> Result<()> {
    const OP: &str = "grid_sample";
    let (sx, sg) = (x.shape(), grid.shape());
    let refuse = |text: String| Err(Error::runtime(OP, format!("grid_sampler(): {text}")));
    same_device(OP, [x.device(), grid.device()])?;
    let n = sx.len().saturating_sub(2);
    if !(2..=3).contains(&n) || sg.len() != sx.len() {
        return refuse(format!(
            "expected {}D input and grid with same number of dimensions, but got input with sizes {sx:?} and grid with sizes {sg:?}",
            if n == 3 { "5" } else { "4" }
        ));
    }
    if sx[0] != sg[0] {
        return refuse(format!(
            "expected grid and input to have same batch size, but got input with sizes {sx:?} and grid with sizes {sg:?}"
        ));
    }
    if sg[n + 1] != n {
        return refuse(format!("expected grid to have size {n} in last dimension, but got grid with sizes {sg:?}"));
    }
    if let Some(place) = sx[2..].iter().position(|&size| size == 0) {
        return refuse(format!(
            "expected input to have non-empty spatial dimensions, but input has sizes {sx:?} with dimension {} being empty",
            place + 2
        ));
    }
    if !x.is_floating_point() {
        let kernel = if n == 2 { "grid_sampler_2d_cpu_kernel_impl" } else { "grid_sampler3d_cpu" };
        let text = format!("\"{kernel}\" not implemented for '{}'", x.dtype().scalar_name());
        return Err(Error::not_implemented(OP, text));
    }
    if x.dtype() != grid.dtype() {
        let (want, got) = (x.dtype().scalar_name(), grid.dtype().scalar_name());
        return Err(Error::runtime(OP, format!("expected scalar type {want} but found {got}")));
    }
    Ok(())
}

/// One dimension that places are looked up along.
#[derive(Clone, Copy)]
struct Axis {
    size: usize,
    padding: GridPadding,
    align_corners: bool,
}

/// A neighbour of every place along one dimension: its number, which may lie outside, and its weight.
struct Neighbour {
    index: Tensor,
    weight: Tensor,
}

impl Axis {
    /// From -1..1 to elements.
    fn unnormalize(&self, grid: &Tensor) -> Result<Tensor> {
        let size = self.size as f64;
        match self.align_corners {
            true => grid.add(1.0)?.mul((size - 1.0) / 2.0),
            false => grid.add(1.0)?.mul(size)?.sub(1.0)?.div(2.0),
        }
    }

    /// Coordinates brought inside as the padding says, with their slope: 1, -1, or 0 where the padding holds them.
    fn inside(&self, place: &Tensor) -> Result<(Tensor, Tensor)> {
        let place = place.detach();
        let ones = place.ones_like()?;
        let (reflected, slope) = match self.padding {
            GridPadding::Zeros => return Ok((place, ones)),
            GridPadding::Border => (place, ones),
            GridPadding::Reflection => self.reflected(&place)?,
        };
        let last = self.size as f64 - 1.0;
        let held = reflected.le(0.0)?.to(DType::U8)?.add(&reflected.ge(last)?.to(DType::U8)?)?.gt(0)?;
        Ok((reflected.clamp(0.0, last)?, slope.masked_fill(&held, 0.0)?))
    }

    fn reflected(&self, place: &Tensor) -> Result<(Tensor, Tensor)> {
        let size = self.size as f64;
        let (low, span) = if self.align_corners { (0.0, size - 1.0) } else { (-0.5, size) };
        if span == 0.0 {
            return Ok((place.zeros_like()?, place.zeros_like()?));
        }
        let (from, sign) = (place.sub(low)?, place.lt(low)?);
        let distance = from.abs()?;
        let (extra, flips) = (distance.fmod(span)?, distance.div(span)?.floor()?);
        let odd = flips.remainder(2.0)?.ne(0.0)?;
        let value = extra.add(low)?.where_self(&odd.logical_not()?, extra.neg()?.add(span + low)?)?;
        let slope = place.ones_like()?.masked_fill(&sign.logical_xor(&odd)?, -1.0)?;
        Ok((value, slope))
    }

    /// The value `inside`, which moves with `place` by `slope`.
    fn moving(place: &Tensor, (inside, slope): (Tensor, Tensor)) -> Result<Tensor> {
        if !place.requires_grad() {
            return Ok(inside);
        }
        // Zero wherever there is a number, but with a gradient.
        let moved = place.sub(place.detach())?;
        let moved = moved.masked_fill(&moved.detach().ne(0.0)?, 0.0)?;
        inside.add(&moved.mul(&slope)?)
    }

    fn neighbours(&self, mode: GridMode, grid: &Tensor) -> Result<Vec<Neighbour>> {
        let place = self.unnormalize(grid)?;
        if mode == GridMode::Bicubic {
            return self.cubic(&place);
        }
        let place = Self::moving(&place, self.inside(&place)?)?;
        if mode == GridMode::Nearest {
            // Places have no influence here, which PyTorch says with a gradient of zero.
            let index = place.detach().round()?;
            let weight = Self::moving(&place, (index.ones_like()?, index.zeros_like()?))?;
            return Ok(vec![Neighbour { index, weight }]);
        }
        let first = place.detach().floor()?;
        let weight = place.sub(&first)?;
        let second = first.add(1.0)?;
        Ok(vec![Neighbour { index: first, weight: weight.neg()?.add(1.0)? }, Neighbour { index: second, weight }])
    }

    /// Keys' kernel with a = -0.75 over the four neighbours, each of them padded by itself.
    fn cubic(&self, place: &Tensor) -> Result<Vec<Neighbour>> {
        const A: f64 = -0.75;
        let first = place.detach().floor()?;
        let t = place.sub(&first)?;
        let near = |x: &Tensor| x.mul(A + 2.0)?.sub(A + 3.0)?.mul(x)?.mul(x)?.add(1.0);
        let far = |x: &Tensor| x.sub(5.0)?.mul(x)?.add(8.0)?.mul(x)?.sub(4.0)?.mul(A);
        let rest = t.neg()?.add(1.0)?;
        let weights = [far(&t.add(1.0)?)?, near(&t)?, near(&rest)?, far(&rest.add(1.0)?)?];
        let neighbour = |(weight, offset): (Tensor, f64)| {
            let (index, _) = self.inside(&first.add(offset)?)?;
            Ok(Neighbour { index: index.round()?, weight })
        };
        weights.into_iter().zip([-1.0, 0.0, 1.0, 2.0]).map(neighbour).collect()
    }
}

fn grid_sample(x: &Tensor, grid: &Tensor, mode: GridMode, padding: GridPadding, align_corners: bool) -> Result<Tensor> {
    check(x, grid)?;
    let (sx, sg) = (x.shape(), grid.shape());
    let n = sx.len() - 2;
    // The grid names the last dimension first.
    let axes: Vec<Vec<Neighbour>> = (0..n)
        .map(|d| {
            let axis = Axis { size: sx[d + 2], padding, align_corners };
            axis.neighbours(mode, &grid.select(-1, (n - 1 - d) as i64)?)
        })
        .collect::<Result<_>>()?;
    let flat = x.flatten(2, -1)?;
    let places: usize = sg[1..=n].iter().product();
    let gather = |corner: &[&Neighbour]| -> Result<Tensor> {
        let mut number = corner[0].index.zeros_like()?;
        let mut weight: Option<Tensor> = None;
        let mut outside = number.ne(0.0)?;
        for (d, neighbour) in corner.iter().enumerate() {
            let size = sx[d + 2] as f64;
            let within = neighbour.index.ge(0.0)?.logical_and(&neighbour.index.lt(size)?)?;
            let index = neighbour.index.masked_fill(&within.logical_not()?, 0.0)?;
            number = number.mul(size)?.add(&index)?;
            outside = outside.logical_or(&within.logical_not()?)?;
            weight = Some(match weight {
                Some(weight) => weight.mul(&neighbour.weight)?,
                None => neighbour.weight.clone(),
            });
        }
        let shape = [sx[0], 1, places];
        let wide = [sx[0], sx[1], places];
        let values = flat.gather(2, &number.to(DType::I64)?.reshape(shape)?.expand(wide)?)?;
        let values = values.masked_fill(&outside.reshape(shape)?, 0.0)?;
        match weight {
            Some(weight) => values.mul(&weight.reshape(shape)?),
            None => Ok(values),
        }
    };
    let mut sum: Option<Tensor> = None;
    for corner in corners(&axes) {
        let part = gather(&corner)?;
        sum = Some(match sum {
            Some(sum) => sum.add(&part)?,
            None => part,
        });
    }
    let out: Dims = sx[..2].iter().chain(&sg[1..=n]).copied().collect();
    match sum {
        Some(sum) => sum.reshape(out),
        None => x.new_zeros(out),
    }
}

/// Every choice of one neighbour along each dimension.
fn corners(axes: &[Vec<Neighbour>]) -> Vec<Vec<&Neighbour>> {
    axes.iter().fold(vec![Vec::new()], |all, axis| {
        all.iter()
            .flat_map(|corner| axis.iter().map(move |neighbour| corner.iter().copied().chain([neighbour]).collect()))
            .collect()
    })
}

fn samples() -> Result<Vec<Sample>> {
    use {GridMode as M, GridPadding as P};
    let sample = |traits: Trait, x: Tensor, grid: Tensor, mode: M, padding: P, align: bool| {
        sample::one(traits, vec![x, grid], move |x| x[0].grid_sample(&x[1], mode, padding, align))
    };
    let (image, grid) = (|seed| ANY.tensor(&[1, 2, 3, 4], seed), |seed| ANY.tensor(&[1, 2, 3, 2], seed));
    Ok(vec![
        sample(Trait::Plain, image(1)?, grid(2)?, M::Bilinear, P::Zeros, true),
        sample(Trait::Plain, image(3)?, grid(4)?, M::Bilinear, P::Border, false),
        sample(Trait::Plain, image(5)?, grid(6)?, M::Bilinear, P::Reflection, true),
        sample(Trait::Plain, image(7)?, grid(8)?, M::Bicubic, P::Reflection, false),
        sample(Trait::Plain, image(9)?, grid(10)?, M::Nearest, P::Border, false),
        sample(
            Trait::Plain,
            ANY.tensor(&[1, 1, 2, 2, 3], 11)?,
            UNIT.tensor(&[1, 1, 2, 2, 3], 12)?,
            M::Bilinear,
            P::Zeros,
            false,
        ),
        sample(
            Trait::Strided,
            ANY.strided(&[1, 2, 3, 4], 13)?,
            ANY.strided(&[1, 2, 3, 2], 14)?,
            M::Bilinear,
            P::Zeros,
            false,
        ),
        sample(
            Trait::Empty,
            ANY.tensor(&[0, 2, 3, 4], 15)?,
            ANY.tensor(&[0, 2, 3, 2], 16)?,
            M::Bilinear,
            P::Zeros,
            false,
        ),
    ])
}

composed! {
    table: GRID;

    /// The tensor `[N, C, *]` at the places of `grid`, `[N, *out, n]`: numbers from -1 to 1 across each of the `n`
    /// spatial dimensions, the last dimension first.
    ///
    /// With `align_corners` -1 and 1 are the centers of the corner elements, else their outer corners.
    ///
    /// # Errors
    /// Sizes that do not fit, in PyTorch's words.
    ///
    /// ```
    /// # use firebrick_core::{GridMode, GridPadding, Tensor};
    /// let x = Tensor::new([[[[1.0f32, 2.0], [3.0, 4.0]]]])?;
    /// let center = Tensor::new([[[[0.0f32, 0.0]]]])?;
    /// let y = x.grid_sample(&center, GridMode::Bilinear, GridPadding::Zeros, true)?;
    /// assert_eq!(y.to_vec::<f32>()?, [2.5]);
    /// # Ok::<_, firebrick_core::Error>(())
    /// ```
    fn grid_sample(&x, grid: &Tensor, mode: GridMode, padding: GridPadding, align_corners: bool) -> Tensor {
        const OP: &str = "grid_sample";
        grid_sample(&x.resolve(OP)?, &grid.resolve(OP)?, mode, padding, align_corners)
    }
    samples: samples();
}
