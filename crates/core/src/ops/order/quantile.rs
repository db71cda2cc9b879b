//! Quantiles.

use crate::ops::by_hand;
use crate::ops::devices::same_device;
use crate::ops::reduce::samples::along_dim;
use crate::ops::sample::{self, ANY, Sample, Trait};
use crate::random::Number;
use crate::views::ViewOp;
use crate::{DType, Dims, Error, Operand, Result, Tensor, wrap_dim};

/// What a quantile between two elements is.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Between {
    Linear,
    Lower,
    Higher,
    Midpoint,
    Nearest,
}

impl Between {
    fn parse(op: &'static str, word: &str) -> Result<Between> {
        Ok(match word {
            "linear" => Between::Linear,
            "lower" => Between::Lower,
            "higher" => Between::Higher,
            "midpoint" => Between::Midpoint,
            "nearest" => Between::Nearest,
            other => {
                return Err(Error::runtime(
                    op,
                    format!(
                        "quantile() interpolation must be one of linear, lower, higher, midpoint or nearest, but got {other}"
                    ),
                ));
            }
        })
    }
}

/// PyTorch's checks, but for that of the dimension.
fn check(op: &'static str, x: &Tensor, q: &Tensor) -> Result<()> {
    let refuse = |text: &str| Err(Error::runtime(op, text));
    same_device(op, [x.device(), q.device()])?;
    if x.numel() == 0 {
        return refuse("quantile() input tensor must be non-empty");
    }
    if q.dim() > 1 {
        return refuse("quantile() q must be a scalar or 1D tensor");
    }
    if !matches!(x.dtype(), DType::F32 | DType::F64) {
        return refuse("quantile() input tensor must be either float or double dtype");
    }
    if q.dtype() != x.dtype() {
        return refuse("quantile() q tensor must be same dtype as the input tensor");
    }
    Ok(())
}

/// A number as a quantile: checked, in the dtype and on the device of `x`.
fn of_number(op: &'static str, x: &Tensor, q: &Tensor) -> Result<Tensor> {
    let value = q.item::<f64>()?;
    if !(0.0..=1.0).contains(&value) {
        return Err(Error::runtime(op, format!("quantile() q must be in the range [0, 1] but got {}", Number(value))));
    }
    x.detach().new_full((), value)
}

/// The elements to be sorted in a last dimension of their own.
fn arranged(op: &'static str, x: &Tensor, dim: Option<i64>, keepdim: bool) -> Result<Tensor> {
    let rank = x.dim();
    match dim {
        Some(dim) => {
            let dim = wrap_dim(op, dim, rank)?;
            if rank == 0 {
                return x.reshape([1]);
            }
            let moved = x.unsqueeze(-1)?.transpose(dim as i64, -1)?;
            if keepdim { Ok(moved) } else { moved.squeeze_dim(dim as i64) }
        }
        None => {
            let mut shape = Dims::repeat(1, if keepdim { rank } else { 0 });
            shape.push(x.numel());
            x.reshape(shape)
        }
    }
}

/// Where in rows of sorted elements the quantiles lie. A row with NaN has only NaN, unless `skip_nan`: then it ends
/// before the first.
fn ranks(sorted: &Tensor, q: &Tensor, skip_nan: bool) -> Result<Tensor> {
    let size = sorted.size(-1)? as i64;
    // Ranks of many elements need double precision.
    let q = q.to(DType::F64)?.reshape([-1])?;
    if skip_nan {
        let numbers = sorted.detach().isnan()?.logical_not()?.sum_dim(-1, true)?;
        return q.mul(&numbers.sub(1)?.clamp_min(0)?.to(DType::F64)?);
    }
    let mut shape = sorted.shape();
    let last = shape.len() - 1;
    shape[last] = q.numel();
    let has_nan = sorted.detach().narrow(-1, size - 1, 1)?.isnan()?;
    q.mul((size - 1) as f64)?.expand(shape)?.masked_fill(&has_nan, (size - 1) as f64)
}

/// The quantiles of each row.
fn between(sorted: &Tensor, ranks: &Tensor, how: Between) -> Result<Tensor> {
    let pick = |ranks: &Tensor| sorted.gather(-1, &ranks.detach().to(DType::I64)?);
    match how {
        Between::Lower => pick(&ranks.floor()?),
        Between::Higher => pick(&ranks.ceil()?),
        Between::Nearest => pick(&ranks.round()?),
        Between::Midpoint => pick(&ranks.floor()?)?.lerp(&pick(&ranks.ceil()?)?, 0.5),
        Between::Linear => {
            let below = ranks.floor()?;
            let weight = ranks.sub(below.detach())?.to(sorted.dtype())?;
            pick(&below)?.lerp(&pick(&ranks.ceil()?)?, &weight)
        }
    }
}

/// The arguments of a quantile.
struct Quantile<'a> {
    op: &'static str,
    dim: Option<i64>,
    keepdim: bool,
    interpolation: &'a str,
    skip_nan: bool,
}

impl Quantile<'_> {
    fn of(self, x: &Tensor, q: Tensor) -> Result<Tensor> {
        let op = self.op;
        let (x, q) = (x.resolve(op)?, q.resolve(op)?);
        let q = if q.is_wrapped_number() { of_number(op, &x, &q)? } else { q };
        let how = Between::parse(op, self.interpolation)?;
        check(op, &x, &q)?;
        let rows = arranged(op, &x, self.dim, self.keepdim)?;
        if !q.detach().values_or(0.0f64)?.iter().all(|q| (0.0..=1.0).contains(q)) {
            return Err(Error::runtime(op, "quantile() q values must be in the range [0, 1]"));
        }
        let (sorted, _) = rows.sort(-1, false)?;
        let mut out = between(&sorted, &ranks(&sorted, &q, self.skip_nan)?, how)?;
        // Several quantiles come first.
        if q.dim() > 0 {
            out = out.unsqueeze(0)?.transpose(0, -1)?;
        }
        let last = out.dim() - 1;
        out.viewed(op, "SqueezeBackward4", ViewOp::Squeeze(Dims::from([last])))
    }
}

impl Tensor {
    /// The `q`-th quantiles along `dim`, or of all elements: `q` is a number or a vector from 0 to 1, which becomes the
    /// first dimension of the result. With `r = q (n - 1)` a quantile lies between elements `floor(r)` and `ceil(r)` of
    /// the sorted ones; `interpolation` says where: "linear", "lower", "higher", "midpoint" or "nearest" (of two, the even
    /// one). Where an element is NaN, so is the result.
    ///
    /// # Errors
    /// No elements, a dtype other than float32 and float64 or not that of `q`, `q` outside of 0 to 1 or of more than one
    /// dimension, another word.
    ///
    /// ```
    /// # use firebrick_core::Tensor;
    /// let x = Tensor::new([4.0f32, 1.0, 2.0, 3.0])?;
    /// assert_eq!(x.quantile(0.5, None, false, "linear")?.item::<f32>()?, 2.5);
    /// assert_eq!(x.quantile(0.5, 0, true, "lower")?.to_vec::<f32>()?, [2.0]);
    /// # Ok::<_, firebrick_core::Error>(())
    /// ```
    pub fn quantile(
        &self,
        q: impl Operand,
        dim: impl Into<Option<i64>>,
        keepdim: bool,
        interpolation: &str,
    ) -> Result<Tensor> {
        let (dim, skip_nan) = (dim.into(), false);
        Quantile { op: "quantile", dim, keepdim, interpolation, skip_nan }.of(self, q.into_operand()?)
    }

    /// [`Tensor::quantile`] of the elements that are numbers; NaN where there is none.
    ///
    /// ```
    /// # use firebrick_core::Tensor;
    /// let x = Tensor::new([4.0f32, f32::NAN, 2.0])?;
    /// assert_eq!(x.nanquantile(0.5, None, false, "linear")?.item::<f32>()?, 3.0);
    /// # Ok::<_, firebrick_core::Error>(())
    /// ```
    pub fn nanquantile(
        &self,
        q: impl Operand,
        dim: impl Into<Option<i64>>,
        keepdim: bool,
        interpolation: &str,
    ) -> Result<Tensor> {
        let (dim, skip_nan) = (dim.into(), true);
        Quantile { op: "nanquantile", dim, keepdim, interpolation, skip_nan }.of(self, q.into_operand()?)
    }
}

/// Samples of one quantile, and of several that want a gradient, too. Without elements there are none.
fn samples(f: fn(&Tensor, &Tensor, Option<i64>, &str) -> Result<Tensor>) -> Result<Vec<Sample>> {
    let mut samples = along_dim(ANY, move |x, dim| match x.numel() {
        0 => x.sum(),
        _ => f(x, &Tensor::full_with((), 0.3, x.dtype())?.to(x.device())?, Some(dim), "linear"),
    })?;
    for word in ["linear", "lower", "higher", "midpoint", "nearest"] {
        let q = Tensor::new([0.13f64, 0.55, 0.87])?;
        q.requires_grad_(true)?;
        let inputs = vec![ANY.tensor(&[3, 6], 7)?, q];
        samples.push(sample::one(Trait::Plain, inputs, move |x| f(&x[0], &x[1], Some(1), word)));
    }
    Ok(samples)
}

by_hand! {
    table: QUANTILES;
    quantile as "SqueezeBackward4": samples(|x, q, dim, word| x.quantile(q, dim, false, word));
    nanquantile as "SqueezeBackward4": samples(|x, q, dim, word| x.nanquantile(q, dim, true, word));
}
