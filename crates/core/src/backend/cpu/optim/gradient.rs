//! Steps along the gradient or its sign.

use super::Real;
use super::tile::{Tile, add, each, each2, prepare, rounded};
use crate::Element;
use crate::backend::{AsgdRule, RpropRule, SgdRule};

#[inline(always)]
pub(super) fn sgd<R: Real, T: Element>(rule: &SgdRule, [param, grad, buffer, _, _]: Tile<'_, R>)
where
    R::Value: Element,
{
    prepare::<R, T>(grad, param, rule.maximize, rule.weight_decay);
    if rule.momentum != 0.0 {
        if rule.first {
            buffer.copy_from_slice(grad);
        } else {
            let momentum = R::from_f64(rule.momentum);
            each::<R, T>(buffer, |m| m * momentum);
            add::<R, T>(buffer, grad, 1.0 - rule.dampening);
        }
        if rule.nesterov {
            add::<R, T>(grad, buffer, rule.momentum);
        } else {
            grad.copy_from_slice(buffer);
        }
    }
    add::<R, T>(param, grad, -rule.lr);
}

#[inline(always)]
pub(super) fn asgd<R: Real, T: Element>(rule: &AsgdRule, [param, grad, average, _, _]: Tile<'_, R>)
where
    R::Value: Element,
{
    prepare::<R, T>(grad, param, rule.maximize, rule.weight_decay);
    let keep = R::from_f64(rule.keep);
    each::<R, T>(param, |p| p * keep);
    add::<R, T>(param, grad, -rule.eta);
    if rule.mu == 1.0 {
        average.copy_from_slice(param);
    } else {
        // From here on the gradient's tile holds how far the average is behind.
        let (behind, mu) = (grad, R::from_f64(rule.mu));
        behind.copy_from_slice(param);
        each2::<R, T>(behind, average, |p, a| p - a);
        each::<R, T>(behind, |b| b * mu);
        each2::<R, T>(average, behind, |a, b| a + b);
    }
}

#[inline(always)]
pub(super) fn rprop<R: Real, T: Element>(rule: &RpropRule, [param, grad, previous, size, _]: Tile<'_, R>)
where
    R::Value: Element,
{
    prepare::<R, T>(grad, param, rule.maximize, 0.0);
    let number = |x: f64| R::new(rounded::<R, T>(R::from_f64(x)));
    let (shrink, grow) = (number(rule.etas.0), number(rule.etas.1));
    let (least, most) = (number(rule.step_sizes.0), number(rule.step_sizes.1));
    for i in 0..param.len() {
        let turn = R::new(rounded::<R, T>(R::new(grad[i]) * R::new(previous[i])));
        let factor = if turn > R::ZERO {
            grow
        } else if turn < R::ZERO {
            shrink
        } else {
            R::ONE
        };
        let s = R::new(rounded::<R, T>(R::new(size[i]) * factor));
        let s = if s < least { least } else { s };
        let s = if s > most { most } else { s };
        // Where the sign has turned the step is left out, and the next one counts as a first one.
        let g = if factor == shrink { R::ZERO } else { R::new(grad[i]) };
        let sign = if g > R::ZERO {
            R::ONE
        } else if g < R::ZERO {
            -R::ONE
        } else {
            R::ZERO
        };
        param[i] = rounded::<R, T>(R::new(param[i]) - sign * s);
        (previous[i], size[i]) = (g.value(), s.value());
    }
}
