//! The larger, the smaller, and values kept between bounds.

use super::rules;
use crate::backend::{Binary, Ternary};
use crate::ops::ops;
use crate::ops::sample::{self, ANY, POSITIVE, Trait};
use crate::{DType, Error, Result, Tensor};

/// The gradient of the side that won; half of it where the two are equal.
fn of_winner(g: &Tensor, equal: &Tensor, lost: &Tensor) -> Result<Tensor> {
    g.mul(0.5)?.where_self(equal, g)?.masked_fill(lost, 0)
}

/// Where `fmax` and `fmin` do not take the first: it is worse, unless the second is NaN.
fn takes_second(not_worse: Tensor, second: &Tensor) -> Result<Tensor> {
    not_worse.logical_or(&second.isnan()?)?.logical_not()
}

/// The gradient of the clamped tensor: none beyond a bound, half of it at a tensor's bound, none at a number.
fn clamped(g: &Tensor, x: &Tensor, min: &Tensor, max: &Tensor) -> Result<Tensor> {
    if min.is_wrapped_number() {
        return g.where_self(&x.gt(min)?.logical_and(&x.lt(max)?)?, 0);
    }
    let at_bound = x.eq(min)?.logical_or(&x.eq(max)?)?.logical_and(&min.lt(max)?)?;
    of_winner(g, &at_bound, &x.lt(min)?.logical_or(&x.gt(max)?)?)
}

/// The gradient of a bound: all of it where the bound is the result, half of it where the tensor is equal.
fn of_bound(g: &Tensor, is_result: &Tensor, equal: &Tensor, min: &Tensor, max: &Tensor) -> Result<Tensor> {
    let half = equal.logical_and(&min.lt(max)?)?;
    of_winner(g, &half, &is_result.logical_or(&half)?.logical_not()?)
}

/// The gradient of a one-sided clamp: as that of `maximum` for a tensor, none at a bound that is a number.
fn one_sided(g: &Tensor, x: &Tensor, bound: &Tensor, within: &Tensor, beyond: &Tensor) -> Result<Tensor> {
    if bound.is_wrapped_number() { g.where_self(within, 0) } else { of_winner(g, &x.eq(bound)?, beyond) }
}

/// PyTorch refuses a bound that the dtype cannot hold.
fn bound(x: &Tensor, bound: &Tensor, kernel: Binary) -> Result<Binary> {
    let Some(number) = bound.number()? else { return Ok(kernel) };
    let dtype = Tensor::result_type(x, bound)?;
    if kernel == Binary::ClampMin && rules::check_fits("clamp", number, dtype).is_err() && number.to_f64() > 0.0 {
        return Err(Error::runtime(
            "clamp",
            format!(
                "Clamp min value {} is outside the representable range of {}",
                number.to_f64(),
                dtype.scalar_name()
            ),
        ));
    }
    Ok(kernel)
}

ops! {
    table: EXTREMUM;

    /// The larger of two elements; NaN if either is. Where they are equal, each gets half of the gradient.
    ///
    /// ```
    /// # use firebrick_core::Tensor;
    /// let x = Tensor::new([1.0f32, 5.0])?;
    /// assert_eq!(x.maximum(&Tensor::new([3.0f32, 2.0])?)?.to_vec::<f32>()?, [3.0, 5.0]);
    /// # Ok::<_, firebrick_core::Error>(())
    /// ```
    fn maximum(a, b: tensor) -> Tensor as "MaximumBackward0" {
        kernel: Binary::Maximum,
        saves: [a, b],
        grads: {
            a: |g| of_winner(g, &a.eq(b)?, &a.lt(b)?),
            b: |g| of_winner(g, &a.eq(b)?, &a.gt(b)?),
        },
        samples: sample::pairs((ANY, ANY), |a, b| a.maximum(b)),
    }

    /// The smaller of two elements; NaN if either is. Where they are equal, each gets half of the gradient.
    ///
    /// ```
    /// # use firebrick_core::Tensor;
    /// let x = Tensor::new([1.0f32, 5.0])?;
    /// assert_eq!(x.minimum(&Tensor::new([3.0f32, 2.0])?)?.to_vec::<f32>()?, [1.0, 2.0]);
    /// # Ok::<_, firebrick_core::Error>(())
    /// ```
    fn minimum(a, b: tensor) -> Tensor as "MinimumBackward0" {
        kernel: Binary::Minimum,
        saves: [a, b],
        grads: {
            a: |g| of_winner(g, &a.eq(b)?, &a.gt(b)?),
            b: |g| of_winner(g, &a.eq(b)?, &a.lt(b)?),
        },
        samples: sample::pairs((ANY, ANY), |a, b| a.minimum(b)),
    }

    /// The larger of two elements, or the one that is not NaN.
    ///
    /// ```
    /// # use firebrick_core::Tensor;
    /// let x = Tensor::new([f32::NAN, 5.0])?;
    /// assert_eq!(x.fmax(&Tensor::new([3.0f32, 2.0])?)?.to_vec::<f32>()?, [3.0, 5.0]);
    /// # Ok::<_, firebrick_core::Error>(())
    /// ```
    fn fmax(a, b: tensor) -> Tensor as "FmaxBackward0" {
        kernel: Binary::Fmax,
        saves: [a, b],
        grads: {
            a: |g| of_winner(g, &a.eq(b)?, &takes_second(a.ge(b)?, b)?),
            b: |g| of_winner(g, &a.eq(b)?, &a.gt(b)?.logical_or(&b.isnan()?)?),
        },
        samples: sample::pairs((ANY, ANY), |a, b| a.fmax(b)),
    }

    /// The smaller of two elements, or the one that is not NaN.
    ///
    /// ```
    /// # use firebrick_core::Tensor;
    /// let x = Tensor::new([f32::NAN, 5.0])?;
    /// assert_eq!(x.fmin(&Tensor::new([3.0f32, 2.0])?)?.to_vec::<f32>()?, [3.0, 2.0]);
    /// # Ok::<_, firebrick_core::Error>(())
    /// ```
    fn fmin(a, b: tensor) -> Tensor as "FminBackward0" {
        kernel: Binary::Fmin,
        saves: [a, b],
        grads: {
            a: |g| of_winner(g, &a.eq(b)?, &takes_second(a.le(b)?, b)?),
            b: |g| of_winner(g, &a.eq(b)?, &a.lt(b)?.logical_or(&b.isnan()?)?),
        },
        samples: sample::pairs((ANY, ANY), |a, b| a.fmin(b)),
    }

    /// Each element kept between `min` and `max`, tensors or numbers; `max` wins where they cross. At a bound that is a
    /// number the gradient is zero, at one that is a tensor each gets half. With one bound: [`Tensor::clamp_min`], [`Tensor::clamp_max`].
    ///
    /// ```
    /// # use firebrick_core::Tensor;
    /// let x = Tensor::new([-2.0f32, 0.5, 2.0])?;
    /// assert_eq!(x.clamp(-1, 1)?.to_vec::<f32>()?, [-1.0, 0.5, 1.0]);
    /// # Ok::<_, firebrick_core::Error>(())
    /// ```
    fn clamp(x, min: operand, max: operand) -> Tensor as "ClampBackward0" or "ClampBackward1" {
        kernel: Ternary::Clamp,
        saves: [x, min, max],
        grads: {
            x: |g| clamped(g, x, min, max),
            min: |g| of_bound(g, &x.lt(min)?.logical_and(&min.le(max)?)?, &x.eq(min)?, min, max),
            max: |g| {
                let above = x.gt(max)?.logical_and(&min.le(max)?)?;
                of_bound(g, &above.logical_or(&max.lt(min)?)?, &x.eq(max)?, min, max)
            },
        },
        in_place: clamp_(-0.25, 0),
        samples: {
            let mut samples = sample::unary(ANY, |x| x.clamp(-0.7, 1.2))?;
            let bounds = vec![ANY.tensor(&[2, 3], 1)?, ANY.tensor(&[3], 2)?, POSITIVE.tensor(&[2, 1], 3)?];
            samples.push(sample::one(Trait::Broadcast, bounds, |x| x[0].clamp(&x[1], &x[2])));
            Ok(samples)
        },
    }

    /// Each element, or `min` where that is larger; PyTorch's `clamp(min=min)`.
    ///
    /// ```
    /// # use firebrick_core::Tensor;
    /// assert_eq!(Tensor::new([-1.0f32, 2.0])?.clamp_min(0)?.to_vec::<f32>()?, [0.0, 2.0]);
    /// # Ok::<_, firebrick_core::Error>(())
    /// ```
    fn clamp_min(x, min: operand) -> Tensor as "ClampMinBackward1" or "ClampMinBackward0" {
        kernel: bound(x, min, Binary::ClampMin)?,
        saves: [x, min],
        grads: {
            x: |g| one_sided(g, x, min, &x.gt(min)?, &x.lt(min)?),
            min: |g| of_winner(g, &x.eq(min)?, &x.gt(min)?),
        },
        in_place: clamp_min_(0),
        samples: sample::pairs((ANY, ANY), |x, min| x.clamp_min(min)),
    }

    /// Each element, or `max` where that is smaller; PyTorch's `clamp(max=max)`.
    ///
    /// ```
    /// # use firebrick_core::Tensor;
    /// assert_eq!(Tensor::new([-1.0f32, 2.0])?.clamp_max(1)?.to_vec::<f32>()?, [-1.0, 1.0]);
    /// # Ok::<_, firebrick_core::Error>(())
    /// ```
    fn clamp_max(x, max: operand) -> Tensor as "ClampMaxBackward1" or "ClampMaxBackward0" {
        kernel: bound(x, max, Binary::ClampMax)?,
        saves: [x, max],
        grads: {
            x: |g| one_sided(g, x, max, &x.lt(max)?, &x.gt(max)?),
            max: |g| of_winner(g, &x.eq(max)?, &x.lt(max)?),
        },
        in_place: clamp_max_(0),
        samples: sample::pairs((ANY, ANY), |x, max| x.clamp_max(max)),
    }

    /// 0 below zero, 1 above, `values` at zero. Not differentiable.
    ///
    /// # Errors
    /// Tensors of different dtypes.
    ///
    /// ```
    /// # use firebrick_core::Tensor;
    /// let x = Tensor::new([-2.0f32, 0.0, 3.0])?;
    /// assert_eq!(x.heaviside(&Tensor::new([0.5f32])?)?.to_vec::<f32>()?, [0.0, 0.5, 1.0]);
    /// # Ok::<_, firebrick_core::Error>(())
    /// ```
    fn heaviside(x, values: tensor) -> Tensor as "NotImplemented" {
        kernel: same_dtype(x, values)?,
        saves: [],
        grads: { x: |g| super::not_differentiable("heaviside"), values: |g| super::not_differentiable("heaviside") },
        in_place: heaviside_(&Tensor::new([7.0f32])?) on [-0.5f32, 0.0],
        samples: sample::pairs((ANY, ANY), |a, b| a.detach().heaviside(&b.detach())),
    }
}

fn same_dtype(x: &Tensor, values: &Tensor) -> Result<Binary> {
    if x.dtype() != values.dtype() {
        let text = "heaviside is not yet implemented for tensors with different dtypes.";
        return Err(Error::runtime("heaviside", text).given(dtypes(x.dtype(), values.dtype())));
    }
    Ok(Binary::Heaviside)
}

fn dtypes(a: DType, b: DType) -> String {
    format!("{a} and {b}")
}
