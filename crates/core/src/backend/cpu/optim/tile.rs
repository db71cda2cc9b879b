//! Operations on tiles, each rounded to the dtype as PyTorch's is.

use super::MOST;
use super::Real;
use super::convert;
use crate::Element;

/// Parts of the bodies, in the type that is computed in.
pub(super) type Tile<'a, R> = [&'a mut [<R as Real>::Value]; MOST];

/// `x = f(x)`
#[inline(always)]
pub(super) fn each<R: Real, T: Element>(x: &mut [R::Value], f: impl Fn(R) -> R)
where
    R::Value: Element,
{
    x.iter_mut().for_each(|x| *x = rounded::<R, T>(f(R::new(*x))));
}

/// `x = f(x, y)`
#[inline(always)]
pub(super) fn each2<R: Real, T: Element>(x: &mut [R::Value], y: &[R::Value], f: impl Fn(R, R) -> R)
where
    R::Value: Element,
{
    x.iter_mut().zip(y).for_each(|(x, &y)| *x = rounded::<R, T>(f(R::new(*x), R::new(y))));
}

/// `x += alpha * y`. PyTorch rounds `alpha` to the dtype here, unlike the factors elsewhere.
#[inline(always)]
pub(super) fn add<R: Real, T: Element>(x: &mut [R::Value], y: &[R::Value], alpha: f64)
where
    R::Value: Element,
{
    let alpha = R::new(rounded::<R, T>(R::from_f64(alpha)));
    each2::<R, T>(x, y, |x, y| alpha.mul_add(y, x));
}

#[inline(always)]
pub(super) fn rounded<R: Real, T: Element>(x: R) -> R::Value
where
    R::Value: Element,
{
    convert::<T, R::Value>(convert::<R::Value, T>(x.value()))
}

/// `x = x * keep + weight * y * y`: a running average of squares.
#[inline(always)]
pub(super) fn average_square<R: Real, T: Element>(x: &mut [R::Value], y: &[R::Value], keep: f64)
where
    R::Value: Element,
{
    let (keep, weight) = (R::from_f64(keep), R::from_f64(1.0 - keep));
    each::<R, T>(x, |x| x * keep);
    each2::<R, T>(x, y, |x, y| (weight * y).mul_add(y, x));
}

/// `x += value * y / z`
#[inline(always)]
pub(super) fn add_quotient<R: Real, T: Element>(x: &mut [R::Value], y: &[R::Value], z: &[R::Value], value: f64)
where
    R::Value: Element,
{
    let value = R::from_f64(value);
    for ((x, &y), &z) in x.iter_mut().zip(y).zip(z) {
        *x = rounded::<R, T>(R::new(*x) + value * R::new(y) / R::new(z));
    }
}

/// The gradient that a step starts from: its negative with `maximize`, and the parameter's share for weight decay.
#[inline(always)]
pub(super) fn prepare<R: Real, T: Element>(grad: &mut [R::Value], param: &[R::Value], maximize: bool, weight_decay: f64)
where
    R::Value: Element,
{
    if maximize {
        each::<R, T>(grad, |g| -g);
    }
    if weight_decay != 0.0 {
        add::<R, T>(grad, param, weight_decay);
    }
}

/// `x = lerp(x, y, weight)`, from the nearer end as PyTorch computes it.
#[inline(always)]
pub(super) fn lerp<R: Real, T: Element>(x: &mut [R::Value], y: &[R::Value], weight: f64)
where
    R::Value: Element,
{
    let w = R::from_f64(weight);
    if weight.abs() < 0.5 {
        each2::<R, T>(x, y, |x, y| w.mul_add(y - x, x));
    } else {
        each2::<R, T>(x, y, |x, y| (y - x).mul_add(w - R::ONE, y));
    }
}

/// The larger one; NaN where there is one.
#[inline(always)]
pub(super) fn maximum<R: Real>(x: R, y: R) -> R {
    if x > y || x.is_nan() { x } else { y }
}
