//! Adam and its kin: running averages of the gradient and of its size.

use super::Real;
use super::tile::{Tile, add_quotient, average_square, each, each2, lerp, maximum, prepare, rounded};
use crate::Element;
use crate::backend::{AdamRule, AdamaxRule, NAdamRule, RAdamRule};

/// What precedes the averages: `maximize`, and weight decay, which with `decoupled` (the learning rate) scales the
/// parameter instead of joining the gradient.
#[inline(always)]
fn decay<R: Real, T: Element>(
    param: &mut [R::Value],
    grad: &mut [R::Value],
    maximize: bool,
    weight_decay: f64,
    decoupled: Option<f64>,
) where
    R::Value: Element,
{
    match decoupled {
        Some(lr) if weight_decay != 0.0 => {
            prepare::<R, T>(grad, param, maximize, 0.0);
            let keep = R::from_f64(1.0 - lr * weight_decay);
            each::<R, T>(param, |p| p * keep);
        }
        _ => prepare::<R, T>(grad, param, maximize, weight_decay),
    }
}

#[inline(always)]
pub(super) fn adam<R: Real, T: Element>(rule: &AdamRule, [param, grad, average, square, largest]: Tile<'_, R>)
where
    R::Value: Element,
{
    decay::<R, T>(param, grad, rule.maximize, rule.weight_decay, rule.decoupled.then_some(rule.lr));
    let (beta1, beta2) = rule.betas;
    lerp::<R, T>(average, grad, 1.0 - beta1);
    average_square::<R, T>(square, grad, beta2);

    let (correction1, correction2) = (1.0 - beta1.powf(rule.step), 1.0 - beta2.powf(rule.step));
    let (root, eps) = (R::from_f64(correction2.sqrt()), R::from_f64(rule.eps));
    // From here on the gradient's tile holds the denominator.
    let denominator = grad;
    if rule.amsgrad {
        each2::<R, T>(largest, square, maximum::<R>);
        denominator.copy_from_slice(largest);
    } else {
        denominator.copy_from_slice(square);
    }
    each::<R, T>(denominator, R::sqrt);
    each::<R, T>(denominator, |v| v / root);
    each::<R, T>(denominator, |v| v + eps);
    add_quotient::<R, T>(param, average, denominator, -(rule.lr / correction1));
}

#[inline(always)]
pub(super) fn adamax<R: Real, T: Element>(rule: &AdamaxRule, [param, grad, average, largest, _]: Tile<'_, R>)
where
    R::Value: Element,
{
    prepare::<R, T>(grad, param, rule.maximize, rule.weight_decay);
    lerp::<R, T>(average, grad, 1.0 - rule.betas.0);
    let (keep, eps) = (R::from_f64(rule.betas.1), R::from_f64(rule.eps));
    each::<R, T>(largest, |v| v * keep);
    each::<R, T>(grad, R::abs);
    each::<R, T>(grad, |g| g + eps);
    each2::<R, T>(largest, grad, maximum::<R>);
    add_quotient::<R, T>(param, average, largest, -rule.lr);
}

#[inline(always)]
pub(super) fn nadam<R: Real, T: Element>(rule: &NAdamRule, [param, grad, average, square, denominator]: Tile<'_, R>)
where
    R::Value: Element,
{
    decay::<R, T>(param, grad, rule.maximize, rule.weight_decay, rule.decoupled.then_some(rule.lr));
    lerp::<R, T>(average, grad, 1.0 - rule.betas.0);
    average_square::<R, T>(square, grad, rule.betas.1);
    let (correction, eps) = (R::from_f64(rule.correction), R::from_f64(rule.eps));
    denominator.copy_from_slice(square);
    each::<R, T>(denominator, |v| v / correction);
    each::<R, T>(denominator, R::sqrt);
    each::<R, T>(denominator, |v| v + eps);
    add_quotient::<R, T>(param, grad, denominator, rule.grad_rate);
    add_quotient::<R, T>(param, average, denominator, rule.average_rate);
}

#[inline(always)]
pub(super) fn radam<R: Real, T: Element>(rule: &RAdamRule, [param, grad, average, square, _]: Tile<'_, R>)
where
    R::Value: Element,
{
    decay::<R, T>(param, grad, rule.maximize, rule.weight_decay, rule.decoupled.then_some(rule.lr));
    lerp::<R, T>(average, grad, 1.0 - rule.betas.0);
    average_square::<R, T>(square, grad, rule.betas.1);
    let (correction1, lr) = (R::from_f64(rule.correction1), R::from_f64(rule.lr));
    let (root, eps) = (R::from_f64(rule.correction2.sqrt()), R::from_f64(rule.eps));
    let round = |x: R| R::new(rounded::<R, T>(x));
    for ((p, &m), &v) in param.iter_mut().zip(&*average).zip(&*square) {
        let mut step = round(round(R::new(m) / correction1) * lr);
        if let Some(rectification) = rule.rectification {
            let denominator = round(round(R::new(v).sqrt()) + eps);
            let adaptive = round(round(R::ONE / denominator) * root);
            step = round(round(step * adaptive) * R::from_f64(rectification));
        }
        *p = rounded::<R, T>(R::new(*p) - step);
    }
}
