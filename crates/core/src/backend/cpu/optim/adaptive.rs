//! Learning rates of each element's own, from the squares of its gradients.

use super::Real;
use super::tile::{Tile, add, add_quotient, average_square, each, each2, lerp, prepare, rounded};
use crate::Element;
use crate::backend::{AdadeltaRule, AdagradRule, RmsPropRule};

#[inline(always)]
pub(super) fn rmsprop<R: Real, T: Element>(rule: &RmsPropRule, [param, grad, square, third, fourth]: Tile<'_, R>)
where
    R::Value: Element,
{
    prepare::<R, T>(grad, param, rule.maximize, rule.weight_decay);
    average_square::<R, T>(square, grad, rule.alpha);
    let (buffer, average) = if rule.momentum > 0.0 { (third, fourth) } else { (fourth, third) };
    if rule.centered {
        lerp::<R, T>(average, grad, 1.0 - rule.alpha);
    }
    let (lr, momentum, eps) = (R::from_f64(-rule.lr), R::from_f64(rule.momentum), R::from_f64(rule.eps));
    let alpha = R::new(rounded::<R, T>(lr));
    let round = |x: R| R::new(rounded::<R, T>(x));
    for i in 0..param.len() {
        let (p, g, mut variance) = (R::new(param[i]), R::new(grad[i]), R::new(square[i]));
        if rule.centered {
            let mean = R::new(average[i]);
            variance = round((-mean).mul_add(mean, variance));
        }
        let root = round(round(variance.sqrt()) + eps);
        param[i] = rounded::<R, T>(if rule.momentum > 0.0 {
            let b = round(round(R::new(buffer[i]) * momentum) + g / root);
            buffer[i] = b.value();
            alpha.mul_add(b, p)
        } else {
            p + lr * g / root
        });
    }
}

#[inline(always)]
pub(super) fn adagrad<R: Real, T: Element>(rule: &AdagradRule, [param, grad, sum, root, _]: Tile<'_, R>)
where
    R::Value: Element,
{
    prepare::<R, T>(grad, param, rule.maximize, rule.weight_decay);
    each2::<R, T>(sum, grad, |s, g| g.mul_add(g, s));
    let eps = R::from_f64(rule.eps);
    root.copy_from_slice(sum);
    each::<R, T>(root, R::sqrt);
    each::<R, T>(root, |v| v + eps);
    add_quotient::<R, T>(param, grad, root, -rule.lr);
}

#[inline(always)]
pub(super) fn adadelta<R: Real, T: Element>(rule: &AdadeltaRule, [param, grad, square, changes, step]: Tile<'_, R>)
where
    R::Value: Element,
{
    prepare::<R, T>(grad, param, rule.maximize, rule.weight_decay);
    average_square::<R, T>(square, grad, rule.rho);
    let eps = R::from_f64(rule.eps);
    let round = |x: R| R::new(rounded::<R, T>(x));
    for i in 0..step.len() {
        let root = |x: R| round(round(x + eps).sqrt());
        let quotient = round(root(R::new(changes[i])) / root(R::new(square[i])));
        step[i] = rounded::<R, T>(quotient * R::new(grad[i]));
    }
    average_square::<R, T>(changes, step, rule.rho);
    add::<R, T>(param, step, -rule.lr);
}
